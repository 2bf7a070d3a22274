"""Each script by itself, over a plain client: what it changes, what it refuses, and that repeating it is no error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Any

import pytest
from redis import Redis

from squads.adapters.redis_bus import scripts
from squads.adapters.redis_bus.names import Edge, Names
from squads.testing.redis_server import RedisServer

DAY_MS = 86_400_000
TTL_MAX_MS = 60_000


@pytest.fixture(scope="module", params=RedisServer.available())
def client(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """A plain client of a server that is a cluster of one node, where the flavour can be one.

    There a script that mixes slots is refused, and so is one that names a key of another slot.
    """
    own = request.param != "given"
    with RedisServer(request.param, cluster=own) as server, server.client() as client:
        yield client


class Desk:
    """The scripts on the edges of one fresh workspace, as a worker `mason` and the runner call them."""

    def __init__(self, client: Redis) -> None:
        self.client: Any = client
        self.names = Names(token_hex(8))
        self.edge = self.names.requests("mason@00")
        self.out = self.names.replies("mason@00")
        self.origin = self.open()

    def run(self, name: str, keys: tuple[str, ...], *args: Any) -> Any:
        return self.client.eval(scripts.source(name), len(keys), *keys, *args)

    def open(self, edge: Edge | None = None) -> bytes:
        edge = edge or self.edge
        return bytes(self.run("open", edge.keys, edge.recipient, token_bytes(16)))

    def send(self, message: str, *, nonce: bytes = b"", capacity: int = 10, edge: Edge | None = None) -> bytes:
        edge = edge or self.edge
        keys = (*edge.keys, self.names.seen(edge, message))
        nonce = nonce or token_bytes(16)
        return bytes(self.run("send", keys, nonce, DAY_MS, capacity, f"raw {message}", "mark", "key"))

    def take(self, consumer: str = "me", *, count: int = 1, lane: bool = False) -> list[tuple[int, str, int]]:
        """Read as a consumer; return the entries as the scripts are told of them."""
        stream = self.edge.lane if lane else self.edge.key
        answer = self.client.xreadgroup(self.edge.recipient, consumer, {stream: ">"}, count=count)
        rows = answer.values() if isinstance(answer, dict) else [items for _, items in answer or ()]
        flat = [row for items in rows for row in (items[0] if items and isinstance(items[0], list) else items)]
        return [(2 if lane else 1, row[0].decode(), 1) for row in flat]

    def commit(self, *entries: tuple[int, str, int], consumer: str = "me", **given: Any) -> bytes:
        keys = (*self.edge.keys, *self.out.keys, self.names.seen(self.out, given.get("message", "answer")))
        head = (self.edge.recipient, consumer, given.get("origin", self.origin))
        rest = (given.get("nonce") or token_bytes(16), DAY_MS, given.get("capacity", 10), "answer", "mark", "key")
        return bytes(self.run("commit", keys, *head, *rest, *flat(entries)))

    def acknowledge(self, *entries: tuple[int, str, int], consumer: str = "me") -> int:
        return int(self.run("acknowledge", self.edge.keys[:2], self.edge.recipient, consumer, *flat(entries)))

    def give_back(self, how: str, *entries: tuple[int, str, int], consumer: str = "me", allowed: int = 3) -> bytes:
        head = (self.edge.recipient, consumer, self.names.dead, how, "it fell", allowed)
        return bytes(self.run("give_back", self.edge.keys[:2], *head, *flat(entries)))

    def bury(self, *entries: tuple[int, str, int], consumer: str = "me") -> bytes:
        head = (self.edge.recipient, consumer, self.names.dead, "forged")
        return bytes(self.run("bury", self.edge.keys[:2], *head, *flat(entries)))

    def reclaim(self, owner: str, *, alone: int = 1, crashes: int = 3, page: int = 100) -> list[Any]:
        keys = (self.edge.key, self.edge.lane, self.names.heartbeat(owner))
        args = (self.edge.recipient, owner, self.names.dead, TTL_MAX_MS, alone, crashes, "crashed its worker", page)
        return list(self.run("reclaim", keys, *args))

    def leave(self, *, consumer: str = "me", page: int = 100) -> list[int]:
        return list(self.run("leave", self.edge.keys[:2], self.edge.recipient, consumer, page))

    def rows(self, stream: str) -> list[dict[str, str]]:
        return [{k.decode(): v.decode() for k, v in fields.items()} for _, fields in self.client.xrange(stream)]

    def pending(self, stream: str, consumer: str = "me") -> int:
        return len(self.client.xpending_range(stream, self.edge.recipient, "-", "+", 100, consumer))

    def consumers(self, stream: str) -> set[str]:
        return {row["name"].decode() for row in self.client.xinfo_consumers(stream, self.edge.recipient)}


@pytest.fixture
def desk(client: Redis) -> Desk:
    return Desk(client)


def flat(entries: tuple[tuple[int, str, int], ...]) -> list[int | str]:
    return [part for entry in entries for part in entry]


# send ---------------------------------------------------------------------------------------------------------------


def test_a_message_is_accepted_once_and_its_own_repetition_is_the_same(desk: Desk) -> None:
    """A call whose answer was lost hears `ok` again; another call of the same id hears `dup`; there is one entry."""
    nonce = token_bytes(16)

    assert desk.send("m", nonce=nonce) == b"ok"
    assert desk.send("m", nonce=nonce) == b"ok"
    assert desk.send("m") == b"dup"
    assert desk.rows(desk.edge.key) == [{"b": "raw m", "s": "mark", "k": "key", "d": "0", "c": "0"}]


def test_capacity_counts_the_edge_and_its_lane(desk: Desk) -> None:
    """What waits, what is out and what is in quarantine fill an edge; a known id is `dup` even then."""
    for message in "ab":
        desk.send(message, capacity=2)
    desk.take()
    desk.reclaim("me")

    assert desk.send("c", capacity=2) == b"full"
    assert desk.send("a", capacity=2) == b"dup"
    assert desk.client.exists(desk.names.seen(desk.edge, "c")) == 0

    desk.acknowledge(*desk.take("other", lane=True), consumer="other")
    assert desk.send("c", capacity=2) == b"ok"


def test_ids_are_remembered_for_as_long_as_was_asked(desk: Desk) -> None:
    """The key of a remembered id expires by itself, or the server would fill up."""
    desk.send("m")

    assert 0 < desk.client.pttl(desk.names.seen(desk.edge, "m")) <= DAY_MS


@pytest.mark.parametrize("reader_first", [True, False], ids=["reader-first", "sender-first"])
def test_what_a_lost_stream_had_accepted_is_accepted_again(desk: Desk, reader_first: bool) -> None:
    """What is remembered holds for the stream it went to: lost with it, also where only the stream was lost."""
    desk.send("m")
    desk.client.delete(desk.edge.key)
    if reader_first:
        assert desk.open() != desk.origin

    assert desk.send("m") == b"ok"
    assert desk.send("m") == b"dup"
    desk.open()
    assert desk.send("m") == b"dup"
    assert len(desk.take()) == 1


def test_what_is_sent_before_the_first_reader_is_read(client: Redis) -> None:
    """Groups begin at the first entry, and opening an edge makes nothing forgotten that was accepted before."""
    desk = Desk(client)
    other = desk.names.requests("late")
    desk.send("m", edge=other)
    desk.open(other)

    assert desk.send("m", edge=other) == b"dup"
    answer = str(client.xreadgroup("late", "me", {other.key: ">"}))
    assert "raw m" in answer


def test_opening_twice_changes_nothing(desk: Desk) -> None:
    """The origin stays, and so does what is in hand."""
    desk.send("m")
    desk.take()

    assert desk.open() == desk.origin
    assert desk.pending(desk.edge.key) == 1


# commit -------------------------------------------------------------------------------------------------------------


def test_answer_and_acknowledgement_are_one(desk: Desk) -> None:
    """The answer stands on its edge, and nothing is left of the message."""
    desk.send("m")

    assert desk.commit(*desk.take()) == b"ok"

    assert [row["b"] for row in desk.rows(desk.out.key)] == ["answer"]
    assert desk.client.xlen(desk.edge.key) == desk.pending(desk.edge.key) == 0


def test_a_commit_that_is_repeated_sends_once(desk: Desk) -> None:
    """Its answer was lost, the client asks again: accepted, and there once."""
    desk.send("m")
    entries, nonce = desk.take(), token_bytes(16)

    assert desk.commit(*entries, nonce=nonce) == b"ok"
    assert desk.commit(*entries, nonce=nonce) in (b"ok", b"lost")
    assert desk.client.xlen(desk.out.key) == 1


@pytest.mark.parametrize("who", ["another consumer", "another count"])
def test_a_commit_is_fenced(desk: Desk, who: str) -> None:
    """Only who has the message in hand, with the count it was given, answers; anybody else changes nothing."""
    desk.send("m")
    ((place, entry, _),) = desk.take()

    if who == "another consumer":
        assert desk.commit((place, entry, 1), consumer="thief") == b"gone"
    else:
        assert desk.commit((place, entry, 2)) == b"gone"

    assert desk.client.xlen(desk.out.key) == 0
    assert desk.pending(desk.edge.key) == 1


def test_a_commit_to_a_full_edge_changes_nothing(desk: Desk) -> None:
    """The message stays in hand, and the same commit goes through once there is room."""
    desk.send("m")
    desk.send("other", edge=desk.out)
    entries = desk.take()

    assert desk.commit(*entries, capacity=1) == b"full"
    assert desk.pending(desk.edge.key) == 1
    assert desk.commit(*entries, capacity=2) == b"ok"


def test_an_answer_that_is_known_only_acknowledges(desk: Desk) -> None:
    """Whoever sent it, its message has its answer."""
    desk.send("m")
    desk.send("answer", edge=desk.out)

    assert desk.commit(*desk.take()) == b"dup"
    assert desk.client.xlen(desk.out.key) == 1
    assert desk.client.xlen(desk.edge.key) == 0


@pytest.mark.parametrize("again", ["nothing", "group", "entry"])
def test_what_was_worked_out_survives_the_loss_of_its_message(desk: Desk, again: str) -> None:
    """The whole stream is gone, whoever began it anew since: the answer is accepted, once."""
    desk.send("m")
    entries = desk.take()
    desk.client.delete(*desk.edge.keys, desk.names.seen(desk.edge, "m"))
    if again != "nothing":
        desk.open()
    if again == "entry":
        desk.send("m")

    assert desk.commit(*entries) == b"lost"
    assert desk.commit(*entries) == b"lost"
    assert desk.client.xlen(desk.out.key) == 1


def test_a_group_that_is_gone_takes_no_answer_with_it(desk: Desk) -> None:
    """Nobody can have the message in hand then, though the stream is still there."""
    desk.send("m")
    entries = desk.take()
    desk.client.xgroup_destroy(desk.edge.key, desk.edge.recipient)

    assert desk.commit(*entries) == b"lost"
    assert desk.client.xlen(desk.out.key) == 1


def test_an_entry_in_hand_twice_is_done_with_at_once(desk: Desk) -> None:
    """All entries of a message go, and one that is still ours is enough to answer."""
    desk.send("m")
    first = desk.take()
    desk.client.xadd(desk.edge.key, {"b": "raw m", "s": "mark", "k": "key"})
    second = desk.take()
    desk.acknowledge(*first)

    assert desk.commit(*first, *second) == b"ok"
    assert desk.client.xlen(desk.edge.key) == 0


# acknowledge, give back, bury -----------------------------------------------------------------------------------------


def test_acknowledging_is_fenced_and_may_be_repeated(desk: Desk) -> None:
    """What another has in hand stays there; the second time there is nothing to do."""
    desk.send("m")
    entries = desk.take()

    assert desk.acknowledge(*entries, consumer="thief") == 0
    assert desk.client.xlen(desk.edge.key) == 1
    assert desk.acknowledge(*entries) == 1
    assert desk.acknowledge(*entries) == 0
    assert desk.client.xlen(desk.edge.key) == 0


@pytest.mark.parametrize(("how", "counted"), [("release", "1"), ("defer", "0")])
def test_what_is_given_back_waits_anew(desk: Desk, how: str, counted: str) -> None:
    """With its own bytes, its count kept or one higher, once, however often it is asked."""
    desk.send("m")
    entries = desk.take()

    assert desk.give_back(how, *entries, consumer="thief") == b"gone"
    assert desk.give_back(how, *entries) == b"ok"
    assert desk.give_back(how, *entries) == b"gone"
    assert desk.rows(desk.edge.key) == [{"b": "raw m", "s": "mark", "k": "key", "d": counted, "c": "0"}]
    assert desk.pending(desk.edge.key) == 0


def test_the_last_allowed_delivery_is_a_dead_letter(desk: Desk) -> None:
    """With its bytes, where it came from, and why; and nothing of it is left on the edge."""
    desk.send("m")
    said = [desk.give_back("release", *(entries := desk.take()), allowed=2) for _ in range(2)]

    assert said == [b"ok", b"dead"]
    assert desk.rows(desk.names.dead) == [
        {
            "b": "raw m",
            "s": "mark",
            "k": "key",
            "edge": desk.edge.key,
            "entry": entries[0][1],
            "deliveries": "2",
            "reason": "it fell",
        }
    ]
    assert desk.client.xlen(desk.edge.key) == 0


def test_what_stands_in_the_lane_is_deferred_there_and_released_to_the_edge(desk: Desk) -> None:
    """Only a handler that lived to say that it failed ends the suspicion."""
    desk.send("m")
    desk.take()
    desk.reclaim("me")

    assert desk.give_back("defer", *desk.take(lane=True)) == b"ok"
    assert desk.client.xlen(desk.edge.lane) == 1
    assert desk.give_back("release", *desk.take(lane=True)) == b"ok"
    assert (desk.client.xlen(desk.edge.lane), desk.client.xlen(desk.edge.key)) == (0, 1)


def test_a_message_in_two_entries_goes_on_as_one(desk: Desk) -> None:
    """Given back or buried, it does not multiply."""
    desk.send("m")
    entries = desk.take()
    desk.client.xadd(desk.edge.key, {"b": "raw m", "s": "mark", "k": "key"})

    assert desk.give_back("defer", *entries, *desk.take()) == b"ok"
    assert desk.client.xlen(desk.edge.key) == 1

    entries = desk.take()
    desk.client.xadd(desk.edge.key, {"b": "raw m", "s": "mark", "k": "key"})
    assert desk.bury(*entries, *desk.take()) == b"dead"
    assert desk.client.xlen(desk.edge.key) == 0
    assert len(desk.rows(desk.names.dead)) == 1


def test_burying_is_fenced_and_may_be_repeated(desk: Desk) -> None:
    """One dead letter, and only from who has the message in hand."""
    desk.send("m")
    entries = desk.take()

    assert desk.bury(*entries, consumer="thief") == b"gone"
    assert desk.bury(*entries) == b"dead"
    assert desk.bury(*entries) == b"gone"
    assert [(row["reason"], row["deliveries"]) for row in desk.rows(desk.names.dead)] == [("forged", "1")]


@pytest.mark.parametrize(
    "fields",
    [
        {"x": "y"},
        {"b": "raw"},
        {"b": "raw", "d": "-5", "c": "nan"},
        {"b": "raw", "d": "1e400", "c": "inf"},
        {"b": "raw", "d": "0x7fffffffffffffff", "c": "99999999999999999999"},
        {"b": "r" * 300_000, "s": "s" * 300_000, "k": "k" * 300_000, "z": "z"},
    ],
    ids=["strange", "bare", "negative", "infinite", "hexadecimal", "huge"],
)
@pytest.mark.parametrize("how", ["release", "defer", "bury", "reclaim", "leave"])
def test_no_script_fails_on_what_anybody_could_have_written(desk: Desk, how: str, fields: dict[str, str]) -> None:
    """A malformed entry is moved or buried like any other: counts are numbers within bounds, and dead letters short."""
    desk.client.xadd(desk.edge.key, fields)
    entries = desk.take()

    match how:
        case "bury":
            assert desk.bury(*entries) == b"dead"
        case "reclaim":
            assert desk.reclaim("me")[:2] == [b"dead", 1]
        case "leave":
            assert desk.leave() == [1, 0]
        case _:
            assert desk.give_back(how, *entries, allowed=3) in (b"ok", b"dead")

    rows = desk.rows(desk.edge.key) + desk.rows(desk.edge.lane) + desk.rows(desk.names.dead)
    assert len(rows) == 1
    (row,) = rows
    assert all(0 <= int(row[name]) <= 1_000_001 for name in ("d", "c") if name in row)
    assert how != "bury" or sum(map(len, row.values())) < 200_000


# reclaim and leave ----------------------------------------------------------------------------------------------------


def test_a_living_owner_keeps_everything(desk: Desk) -> None:
    """A heartbeat is asked for in the very script that takes the work away."""
    desk.send("m")
    desk.take()
    desk.client.set(desk.names.heartbeat("me"), "1", px=10_000)

    assert desk.reclaim("me") == [b"alive", 0, 0, 0]
    assert desk.pending(desk.edge.key) == 1


@pytest.mark.parametrize("px", [None, TTL_MAX_MS * 10], ids=["for-ever", "too-long"])
def test_a_heartbeat_that_stands_too_long_is_none(desk: Desk, px: int | None) -> None:
    """A server's clock that was set back would keep the dead alive for as long."""
    desk.send("m")
    desk.take()
    desk.client.set(desk.names.heartbeat("me"), "1", px=px)

    assert desk.reclaim("me")[0] == b"dead"


def test_what_a_dead_worker_had_goes_to_the_lane_without_blame(desk: Desk) -> None:
    """It was not alone with any of it; its name goes with the last of it; the count of deliveries stays."""
    for message in "abc":
        desk.send(message)
    desk.take(count=2)

    assert desk.reclaim("me") == [b"dead", 2, 0, 0]
    assert desk.reclaim("me") == [b"dead", 0, 0, 0]
    assert [(row["b"], row["d"], row["c"]) for row in desk.rows(desk.edge.lane)] == [
        ("raw a", "0", "0"),
        ("raw b", "0", "0"),
    ]
    assert desk.consumers(desk.edge.key) == set()


def test_only_crashes_alone_count(desk: Desk) -> None:
    """Who was alone with a message and died is evidence; after as many as allowed it is a dead letter."""
    desk.send("m")
    desk.take("first")
    desk.reclaim("first", crashes=2)
    desk.take("second", lane=True)
    assert desk.reclaim("second", crashes=2) == [b"dead", 1, 0, 0]
    assert [row["c"] for row in desk.rows(desk.edge.lane)] == ["1"]

    desk.take("third", lane=True)
    assert desk.reclaim("third", crashes=2) == [b"dead", 0, 1, 0]

    assert [(row["reason"], row["edge"]) for row in desk.rows(desk.names.dead)] == [
        ("crashed its worker", desk.edge.key)
    ]
    assert desk.client.xlen(desk.edge.lane) == 0


def test_what_a_dead_runner_had_simply_waits_again(desk: Desk) -> None:
    """A runner holds many answers at once; none of them is suspected."""
    desk.send("m")
    desk.take()

    assert desk.reclaim("me", alone=0) == [b"dead", 1, 0, 0]
    assert (desk.client.xlen(desk.edge.key), desk.client.xlen(desk.edge.lane)) == (1, 0)


@pytest.mark.parametrize("script", ["reclaim", "leave"])
def test_pages_are_bounded_and_a_name_stays_until_the_last(desk: Desk, script: str) -> None:
    """Removing a name that has something in hand would lose it."""
    for n in range(5):
        desk.send(str(n))
    desk.take(count=5)

    def page() -> list[int]:
        return desk.reclaim("me", page=2)[1::2] if script == "reclaim" else desk.leave(page=2)

    assert page() == [2, 1]
    assert desk.consumers(desk.edge.key) == {"me"}
    assert page() == [2, 1]
    assert page() == [1, 0]
    assert desk.consumers(desk.edge.key) == set()
    assert desk.client.xlen(desk.edge.key) + desk.client.xlen(desk.edge.lane) == 5


def test_whoever_leaves_gives_back_as_if_nothing_had_been_delivered(desk: Desk) -> None:
    """From the edge to the edge, from the lane to the lane, counts as they were."""
    desk.send("a")
    desk.take("dead")
    desk.reclaim("dead")
    desk.send("b")
    desk.take()
    desk.take(lane=True)

    assert desk.leave() == [2, 0]
    assert [(row["b"], row["d"], row["c"]) for row in desk.rows(desk.edge.key)] == [("raw b", "0", "0")]
    assert [(row["b"], row["d"], row["c"]) for row in desk.rows(desk.edge.lane)] == [("raw a", "0", "0")]


def test_an_entry_that_somebody_deleted_is_let_go_of(desk: Desk) -> None:
    """There is nothing to give back, and it does not stay pending for ever."""
    for how in ("release", "bury", "reclaim", "leave"):
        desk.send(how)
        entries = desk.take()
        desk.client.xdel(desk.edge.key, entries[0][1])
        match how:
            case "release":
                desk.give_back("release", *entries)
            case "bury":
                desk.bury(*entries)
            case "reclaim":
                desk.reclaim("me")
            case _:
                desk.leave()
        assert (how, desk.pending(desk.edge.key)) == (how, 0)


# all of them ----------------------------------------------------------------------------------------------------------


def test_depths_are_told_in_the_order_of_the_question(desk: Desk) -> None:
    """A stream that is not there is empty."""
    desk.send("m")

    assert desk.run("depth", (desk.out.key, desk.edge.key, desk.edge.lane)) == [0, 1, 0]


def test_the_keys_of_a_workspace_are_told_from_all_others(client: Redis) -> None:
    """Page by page, with nothing of anybody else."""
    mine, other = Desk(client), Desk(client)
    for n in range(50):
        mine.send(str(n), capacity=100)
        other.send(str(n), capacity=100)
    found: set[bytes] = set()
    cursor = b"0"
    while True:
        cursor, page = mine.run("keys", (mine.names.meta,), cursor, mine.names.everything, 10)
        found.update(page)
        if cursor == b"0":
            break

    assert len(found) == 53
    assert all(key.startswith(mine.names.root.encode()) for key in found)


def test_every_script_has_its_contract_on_top() -> None:
    """Keys, returns, and what must hold; whoever changes one reads that first."""
    folder = Path(scripts.__file__).with_name("scripts")

    assert {*scripts.SCRIPTS, "common"} == {path.stem for path in folder.glob("*.lua")}
    for name in scripts.SCRIPTS:
        text = (folder / f"{name}.lua").read_text("utf-8")
        for word in ("-- KEYS", "-- Returns"):
            assert word in text, f"{name}.lua has no {word!r}"


def test_no_script_names_a_key_by_itself() -> None:
    """Every key comes in as an argument, or a cluster would not know where to run it."""
    for name in scripts.SCRIPTS:
        code = re.sub(r"--.*", "", scripts.source(name))
        assert not re.search(r"""['"]sq:""", code), json.dumps(name)


def test_an_unknown_script_is_an_error_that_names_the_known() -> None:
    """A misspelt name does not reach the server."""
    with pytest.raises(ValueError, match="no script 'sned'; there are send, commit"):
        scripts.source("sned")
