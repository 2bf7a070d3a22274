"""One bounded look at a workspace's queues, workers and dead letters on the bus's server. It reads, and moves nothing.

Everything on the server may have been written by anybody with access to it: names are shown, never believed. What is
counted in one go is not one moment: messages move while it is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from squads.adapters.redis_bus.facts import fields_of, text_of
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.lines import Argument
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import LANE_MARK, Names, name_of
from squads.contracts.base import Contract
from squads.contracts.messages import RUNNER

PAGES_MAX: Final = 200
PAGE: Final = 1_000
EDGES_MAX: Final = 1_000
WORKERS_MAX: Final = 10_000
DEAD_LOOKED_MAX: Final = 100
"""How many dead letters are read for their reasons: each may hold 128 KiB."""
_ROSTER_BYTES: Final = 8 * 1024
_ISSUED: Final = re.compile(rb'"issued_ms":([0-9]{1,16})\b')
_WORDS_MAX: Final = 200


class Queue(Contract):
    """One edge: what waits on its way from one party to another."""

    sender: str
    recipient: str
    """An address: the role, and the beginning of its prior's digest."""
    waiting: int
    """Nobody has it."""
    in_hand: int
    """Delivered and not done with."""
    quarantined: int
    """Of all of these, those that are tried alone, for their worker died."""
    oldest_ms: int | None
    """How long the oldest of what waits has stood there; None where nothing waits."""
    workers: int
    """How many consumers of this address live."""

    @property
    def unserved(self) -> bool:
        """True where work waits and nobody would take it."""
        return bool(self.waiting) and not self.workers


class BusWorker(Contract):
    """One consumer that the server knows."""

    name: str
    address: str
    alive: bool
    """Whether its heartbeat is there."""
    idle_ms: int
    """Since it last asked for work."""
    in_hand: int


class Reason(Contract):
    """Why messages died, and how many did."""

    reason: str
    count: int


class BusStanding(Contract):
    """How a workspace's bus stands."""

    address: str
    server: str
    queues: tuple[Queue, ...]
    workers: tuple[BusWorker, ...]
    dead_total: int
    dead: tuple[Reason, ...]
    """Of the newest hundred."""
    roster_age_ms: int | None
    """By its own word and the server's clock; None where none is published."""
    memory_bytes: int | None
    complete: bool
    """False where there are more keys than one look may read: then some queue may be missing here."""

    @property
    def unserved(self) -> tuple[Queue, ...]:
        """The queues in which work waits for nobody."""
        return tuple(queue for queue in self.queues if queue.unserved)


async def survey(link: Link, workspace: str) -> BusStanding:
    """Return how a workspace's queues, workers and dead letters stand. Raises `BusUnavailable` or `BusUnfit`."""
    names = Names(workspace)
    streams, complete = await _streams(link, names)
    edges = sorted(key for key in streams if not key.endswith(LANE_MARK))[:EDGES_MAX]
    now_ms, common = await _common(link, names)
    rows = await _rows(link, [key for edge in edges for key in (edge, edge + LANE_MARK)], names)
    alive = await _alive(link, names, rows)
    oldest = await _oldest(link, rows)
    workers = {worker.name: worker for worker in _workers(rows, alive)}
    served = Counter(worker.address for worker in workers.values() if worker.alive)
    return BusStanding(
        address=str(link.address),
        server=link.greeting().name,
        queues=tuple(_queue(rows[n], rows[n + 1], oldest, now_ms, served) for n in range(0, len(rows), 2)),
        workers=tuple(sorted(workers.values(), key=lambda worker: (worker.address, worker.name))),
        complete=complete and len(edges) < EDGES_MAX,
        **common,
    )


class _Row:
    """What the server says of one stream."""

    __slots__ = ("consumers", "key", "last", "length", "pending", "recipient", "sender")

    def __init__(self, key: str, sender: str, recipient: str, answers: Sequence[Any]) -> None:
        self.key, self.sender, self.recipient = key, sender, recipient
        self.length = answers[0] if isinstance(answers[0], int) else 0
        groups = [fields_of(row) for row in answers[1]] if isinstance(answers[1], list) else []
        group: Mapping[str, str] = next((row for row in groups if row.get("name") == recipient), {})
        self.pending = _number(group.get("pending"))
        self.last = group.get("last-delivered-id", "0-0")
        self.consumers = [fields_of(row) for row in answers[2]] if isinstance(answers[2], list) else []

    @property
    def waiting(self) -> int:
        return max(0, self.length - self.pending)


async def _streams(link: Link, names: Names) -> tuple[set[str], bool]:
    """Return the workspace's streams of work, and whether these are all."""
    found: set[str] = set()
    pattern, cursor = f"{names.edge('', '').key[:-1]}*", "0"
    for _ in range(PAGES_MAX):
        answer = await link.call("SCAN", cursor, "MATCH", pattern, "COUNT", PAGE, "TYPE", "stream")
        cursor = text_of(answer[0])
        found.update(text_of(key) for key in answer[1])
        if cursor == "0":
            return found, True
    return found, False


async def _common(link: Link, names: Names) -> tuple[int, dict[str, Any]]:
    """Return the server's time, and what is not about one queue."""
    time, total, letters, roster, memory = await link.calls(
        [
            ("TIME",),
            ("XLEN", names.dead),
            ("XREVRANGE", names.dead, "+", "-", "COUNT", DEAD_LOOKED_MAX),
            ("GETRANGE", names.roster, 0, _ROSTER_BYTES),
            ("INFO", "memory"),
        ],
        keep_errors=True,
    )
    for needed in (time, total, letters):
        if isinstance(needed, Exception):
            raise needed
    now_ms = int(time[0]) * 1000 + int(time[1]) // 1000
    reasons = Counter(fields_of(fields).get("reason", "")[:_WORDS_MAX] for _, fields in letters if fields)
    issued = _ISSUED.search(roster) if isinstance(roster, bytes) else None
    used = re.search(rb"used_memory:(\d{1,18})", memory) if isinstance(memory, bytes) else None
    return now_ms, {
        "dead_total": total,
        "dead": tuple(Reason(reason=reason, count=count) for reason, count in reasons.most_common()),
        "roster_age_ms": max(0, now_ms - int(issued[1])) if issued else None,
        "memory_bytes": int(used[1]) if used else None,
    }


async def _rows(link: Link, keys: Sequence[str], names: Names) -> list[_Row]:
    ends = [_ends_of(key, names) for key in keys]
    questions: list[Sequence[Argument]] = []
    for key, (_, recipient) in zip(keys, ends, strict=True):
        questions += [("XLEN", key), ("XINFO", "GROUPS", key), ("XINFO", "CONSUMERS", key, recipient)]
    # A stream that is not there, or has no group yet, is an answer too.
    answers = await link.calls(questions, keep_errors=True)
    for answer in answers:
        if isinstance(answer, LinkUnavailable) and answer.code == "noperm":
            raise answer
    return [_Row(key, *end, answers[3 * n : 3 * n + 3]) for n, (key, end) in enumerate(zip(keys, ends, strict=True))]


def _ends_of(key: str, names: Names) -> tuple[str, str]:
    parts = key.removeprefix(names.edge("", "").key[:-1]).removesuffix(LANE_MARK).split(":")
    return (unquote(parts[0]), unquote(parts[1])) if len(parts) == 2 else (key, "")


async def _alive(link: Link, names: Names, rows: Sequence[_Row]) -> set[str]:
    asked = list(dict.fromkeys(consumer.get("name", "") for row in rows for consumer in row.consumers))[:WORKERS_MAX]
    answers = await link.calls([("PTTL", names.heartbeat(name)) for name in asked])
    return {name for name, left in zip(asked, answers, strict=True) if left > 0}


async def _oldest(link: Link, rows: Sequence[_Row]) -> dict[str, int]:
    """Return when the first message was laid down that nobody has, by stream, in the server's time."""
    asked = [row for row in rows if row.waiting]
    answers = await link.calls([("XRANGE", row.key, f"({row.last}", "+", "COUNT", 1) for row in asked])
    return {
        row.key: int(text_of(found[0][0]).partition("-")[0]) for row, found in zip(asked, answers, strict=True) if found
    }


def _workers(rows: Sequence[_Row], alive: set[str]) -> list[BusWorker]:
    found: dict[str, BusWorker] = {}
    for row in rows:
        for consumer in row.consumers:
            name, idle_ms = consumer.get("name", ""), _number(consumer.get("idle"))
            known = found.get(name)
            found[name] = BusWorker(
                name=name[:_WORDS_MAX],
                address=row.recipient,
                alive=name in alive,
                idle_ms=min(idle_ms, known.idle_ms) if known else idle_ms,
                in_hand=_number(consumer.get("pending")) + (known.in_hand if known else 0),
            )
    return list(found.values())


def _queue(edge: _Row, lane: _Row, oldest: Mapping[str, int], now_ms: int, served: Mapping[str, int]) -> Queue:
    since = [oldest[row.key] for row in (edge, lane) if row.key in oldest]
    return Queue(
        sender=edge.sender,
        recipient=edge.recipient,
        waiting=edge.waiting + lane.waiting,
        in_hand=edge.pending + lane.pending,
        quarantined=lane.length,
        oldest_ms=max(0, now_ms - min(since)) if since else None,
        workers=served.get(edge.recipient, 0),
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def said_of(queue: Queue) -> str:
    """Return how a queue's recipient is called for people: `schema as of prior ab12…`."""
    name, _, prior = queue.recipient.partition("@")
    if queue.recipient == RUNNER:
        return f"the runner, from {queue.sender}"
    return f"{name_of(name)} as of prior {prior[:4]}…" if prior else name
