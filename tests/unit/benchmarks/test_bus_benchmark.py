"""`benchmarks/bus.py`: every way carries the same messages to the same effect, and figures become the page's tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from squads.testing.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[3]
BENCHMARKS = str(ROOT / "benchmarks")
PAGE = ROOT / "docs/explanation/performance.md"
sys.path.insert(0, BENCHMARKS)
bus, bus_messages, bus_tables, bus_traffic, bus_ways = map(
    import_module, ("bus", "bus_messages", "bus_tables", "bus_traffic", "bus_ways")
)
sys.path.remove(BENCHMARKS)
WORKSPACE = "0" * 32
ON_THE_SERVER = [name for name in bus_ways.WAYS if name != "queue"]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


def test_it_prints_one_line_with_every_way_and_ratios_to_what_is_written_by_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the smallest numbers, through three kinds of traffic, the growing backlog, and the server's memory."""
    kinds = ("send_batch", "consume_1", "request_1")
    bus.main(["--quick", "--ways", "queue", "bare", "equal_hmac", "squads_shared", "--kinds", *kinds])

    line = json.loads(capsys.readouterr().out)
    for kind in kinds:
        assert {"queue", "bare", "equal_hmac", "squads_shared"} == set(line[kind])
        assert {"per_bare", "per_equal"} <= set(line[kind]["squads_shared"])
        assert all(figures["per_s"] > 0 for figures in line[kind].values())
    assert 0 < line["request_1"]["squads_shared"]["p50_ms"] <= line["request_1"]["squads_shared"]["p99_ms"]
    assert {"0", "200"} == set(line["backlog"])
    assert all({"stream", "waiting", "after"} == set(ways["squads_shared"]) for ways in line["memory"].values())
    assert all(bus_traffic.KINDS[kind] in bus_tables.tables_of(line) for kind in kinds)


@pytest.mark.parametrize("name", ON_THE_SERVER)
async def test_every_way_answers_each_request_once_and_leaves_nothing_waiting(name: str, server: RedisServer) -> None:
    """Whoever answered less, or did not delete what it answered, would be quicker for it."""
    envelopes = bus_messages.requests(WORKSPACE, 6)
    way = bus_ways.WAYS[name](server.url, WORKSPACE)
    replies: list[Any] = []
    await way.open()
    try:
        await way.send(envelopes[0])
        await way.send_batch(envelopes[1:])
        await way.consume(2, 1)
        await way.consume(2, 10)
        await way.consume_batch(2, 10)
        with server.client() as client:

            def waiting() -> int:
                return sum(client.xlen(key) for key in client.scan_iter("*", _type="stream"))

            left = waiting()
            await bus_traffic.until(way, lambda: not waiting(), replies.append)
    finally:
        await way.close()
        server.wipe()

    assert [bus_messages.answer_to(e) for e in envelopes] == sorted(replies, key=_order(envelopes))
    assert len(envelopes) == left


@pytest.mark.parametrize("name", ["equal_hmac", "equal_ed25519"])
async def test_the_equal_way_by_hand_accepts_an_id_once_and_refuses_what_was_changed(
    name: str, server: RedisServer
) -> None:
    """It is called equal because it does what the bus does."""
    (envelope,) = bus_messages.requests(WORKSPACE, 1)
    way = bus_ways.WAYS[name](server.url, WORKSPACE)
    await way.open()
    try:
        await way.send(envelope)
        await way.send_batch([envelope])
        entries = await way.client.xrange(way.requests)
        fields = dict(entries[0][1])
        fields[b"b"] += b" "
        with pytest.raises(InvalidSignature):
            way.read(way.requests, fields)
        with pytest.raises(InvalidSignature):
            way.read(way.replies, dict(entries[0][1]))
    finally:
        await way.close()
        server.wipe()

    assert 1 == len(entries)


def test_a_page_without_the_marks_is_refused_and_with_them_only_what_stands_between_changes() -> None:
    """The tables have a place of their own on the page, and the words around it are nobody's to overwrite."""
    page = PAGE.read_text("utf-8")
    written = bus_tables.page_with(page, "| new |")

    assert page.partition(bus_tables.BEGIN)[0] == written.partition(bus_tables.BEGIN)[0]
    assert page.partition(bus_tables.END)[2] == written.partition(bus_tables.END)[2]
    assert "| new |" in written
    with pytest.raises(ValueError, match="no room"):
        bus_tables.page_with("# A page\n", "| new |")


def _order(envelopes: list[Any]) -> Any:
    places = {envelope.id: number for number, envelope in enumerate(envelopes)}
    return lambda reply: places[reply.cause]
