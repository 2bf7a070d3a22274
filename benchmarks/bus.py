"""The Redis bus beside the same traffic written by hand, on a real server with its append-only file on.

By hand means redis-py, in `bus_by_hand.py`, with two amounts of care: `bare` (JSON on a stream, a group, and reply,
acknowledgement and deletion in one MULTI) and `equal` (signed and deduplicated as the bus is). All ways carry the same
messages as the same typed objects, take turns in every round, and begin each time with messages that do not count. An
asyncio queue in one process is the floor. Peers live in an environment of their own, whose Python `--peers` names.
A ratio is the median of the rounds' ratios, of messages a second; the goal is at least 0.8.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bus_growth import at_backlogs, emptied, memory, turned
from bus_messages import answer_to, requests
from bus_tables import page_with, tables_of
from bus_traffic import KINDS, Figures, Program, answerer, measured
from bus_ways import BESIDE, WAYS
from common import report
from redis import Redis

from squads.testing.redis_server import RedisServer

HERE = Path(__file__).parent
PEERS = ("faststream", "taskiq", "streaq")
GROWING = ("bare", "equal_hmac", "squads_shared")
ONE_CALLER_SHARE = 5
PEERS_SHARE = 4
"""One caller makes a fifth of the messages, and peers a quarter of all requests: some take a tenth of a second each."""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--rounds", type=int, default=7, help="rounds that medians are of")
    reading.add_argument("--messages", type=int, default=3_000, help="messages in a round, of each way and kind")
    reading.add_argument("--server", choices=("valkey", "redis"), default="valkey")
    reading.add_argument("--appendfsync", choices=("everysec", "always", "no"), default="everysec")
    reading.add_argument("--ways", nargs="*", choices=tuple(WAYS), default=tuple(WAYS))
    reading.add_argument("--kinds", nargs="*", choices=tuple(KINDS), default=tuple(KINDS))
    reading.add_argument("--peers", type=Path, help="the Python of an environment with FastStream, taskiq and streaQ")
    reading.add_argument("--backlog", type=int, nargs="*", default=[0, 10_000, 100_000, 1_000_000])
    reading.add_argument("--memory", type=int, default=10_000, help="messages whose memory is looked at; 0 for none")
    reading.add_argument("--quick", action="store_true", help="the smallest numbers, which say that it works")
    reading.add_argument("--page", type=Path, help="write the tables into this page, between its two marks")
    reading.add_argument("--table", action="store_true", help="print the tables instead of one JSON line")
    asked = reading.parse_args(given)
    if asked.quick:
        asked.rounds, asked.messages, asked.backlog, asked.memory = 1, 20, [0, 200], 20
    return asked


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and print or write."""
    asked = arguments(given)
    settings = {"auto_aof_rewrite_percentage": 0}  # a rewrite in the middle would fall on whoever is measured then
    with RedisServer(asked.server, appendfsync=asked.appendfsync).start(**settings) as server:
        figures = asyncio.run(everything(asked, server))
    text = tables_of(figures)
    if asked.page:
        asked.page.write_text(page_with(asked.page.read_text("utf-8"), text), "utf-8")
    if asked.table:
        print(text)
    else:
        report("bus", **figures)


async def everything(asked: argparse.Namespace, server: RedisServer) -> dict[str, Any]:
    """Return all figures that were asked for."""
    request = requests("0" * 32, 1)[0]
    figures: dict[str, Any] = {
        "server": f"{asked.server} {server_version(server)}",
        "appendfsync": asked.appendfsync,
        "rounds": asked.rounds,
        "messages": asked.messages,
        "request_bytes": len(request.model_dump_json()),
        "reply_bytes": len(answer_to(request).model_dump_json()),
        "versions": {name: version(name) for name in ("redis", "hiredis", "pydantic")},
        "goal": 0.8,
    }
    peers, missing = begun(asked.peers, server.url) if asked.peers else ({}, {})
    for name, (_, versions) in peers.items():
        figures["versions"] |= {f"{package} ({name})": number for package, number in versions.items()}
    if missing:
        figures["left_out"] = missing
    other = answerer(server.url)
    try:
        with server.client(socket_timeout=600) as client:
            for kind in asked.kinds:
                count = max(1, asked.messages // ONE_CALLER_SHARE if kind == "request_1" else asked.messages)
                programs = {name: program for name, (program, _) in peers.items()}
                figures[kind] = await in_turns(asked, kind, count, server.url, client, other, programs)
            growing = [way for way in GROWING if way in asked.ways]
            if asked.backlog and growing:
                count = max(10, asked.messages // 3)
                figures["backlog"] = rounded(
                    await at_backlogs(server.url, client, growing, asked.backlog, asked.rounds, count)
                )
            if asked.memory:
                ways = [way for way in asked.ways if way != "queue"]
                figures["memory"] = rounded(await memory(server.url, client, ways, (0, 10_240), asked.memory))
    finally:
        for program in (other, *(program for program, _ in peers.values())):
            program.end()
    return figures


async def in_turns(
    asked: argparse.Namespace,
    kind: str,
    count: int,
    url: str,
    client: Redis,
    other: Program,
    peers: dict[str, Program],
) -> dict[str, Figures]:
    """Return the medians of each way's figures for one kind of traffic, and of its rounds' ratios."""
    found: dict[str, list[Figures]] = {name: [] for name in (*asked.ways, *peers)}
    failed: dict[str, Any] = {}
    for number in range(asked.rounds):
        for name in turned(list(found), number):
            emptied(client)
            if name not in peers:
                found[name].append(await measured(name, kind, count, url, other))
            elif name not in failed:
                fewer = max(2, count // PEERS_SHARE) if kind.startswith("request") else count
                told = peers[name].tell(kind=kind, count=fewer, queue=f"peer-{os.urandom(4).hex()}")
                figures: dict[str, Any] = json.loads(told)
                failed |= {name: figures} if "failed" in figures else {}
                found[name].append(figures)
    return {
        name: failed[name]
        if name in failed
        else rounded(
            {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
            | {
                f"per_{base.partition('_')[0]}": ratio(rounds, found[base])
                for base in BESIDE.get(name, ("bare",))
                if base in found and base != name
            }
        )
        for name, rounds in found.items()
    }


def ratio(of: list[Figures], to: list[Figures]) -> float:
    """Return the median of the rounds' ratios of messages a second."""
    return statistics.median(each["per_s"] / other["per_s"] for each, other in zip(of, to, strict=True))


def begun(python: Path, url: str) -> tuple[dict[str, tuple[Program, dict[str, str]]], dict[str, str]]:
    """Return the peers that are installed in `python`'s environment with their versions, and why the others are not."""
    peers: dict[str, tuple[Program, dict[str, str]]] = {}
    missing: dict[str, str] = {}
    for name in PEERS:
        program = Program(url, str(python), str(HERE / "bus_peers" / f"by_{name}.py"))
        try:
            peers[name] = program, json.loads(program.read())
        except RuntimeError:
            program.end()
            missing[name] = "its program does not start in that environment"
    return peers, missing


def server_version(server: RedisServer) -> str:
    """Return the server's version, as it calls itself."""
    with server.client() as client:
        said = client.info("server")
    return str(said.get("valkey_version") or said["redis_version"])


def rounded(figures: Any) -> Any:
    """Return figures with as many digits as they are worth."""
    if isinstance(figures, dict):
        return {key: rounded(value) for key, value in figures.items()}
    if not isinstance(figures, float):
        return figures
    return round(figures) if abs(figures) >= 100 else round(figures, 3 if abs(figures) < 10 else 1)


if __name__ == "__main__":
    main()
