"""What really happened on a bus, written down by everybody who took part, and the one judge of it.

Every process appends to a file of its own, one JSON line per event, so that a SIGKILL loses at most what was not yet
said. Afterwards `judge` reads all of them. What must hold, whatever was killed or cut:

    nothing is lost       what was accepted is answered, or dead with a reason; `unknown` may be either
    nothing is doubled    no request has two effects: the ledger takes one answer to it, and unless the server lost its
                          data, the bus commits one and the runner is brought one content
    nothing is forged     nobody worked on what nobody sent; nobody was answered what nobody committed

Events, each with `id` (of the request) where it is about one:

    send, accepted, known, unknown, refused      the runner: before sending, and what came of it
    received (mark, attempt), acked              the runner: an answer, and that it is done with
    taken, late                                  the runner: its ledger took the answer, or had one already
    start (attempt), effect, ended (how)         a worker: a request in its hands
    committing (mark), committed, fenced         a worker: before its answer goes, and what came of it
    lost                                         anybody: it was told that the server's data was lost
    crash (point)                                a worker: it kills itself now
    dead (reason)                                whoever looked at the dead letters
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class History:
    """One process's part of it."""

    def __init__(self, folder: Path, by: str) -> None:
        self.by = by
        path = folder / f"{by}.{os.getpid()}.history"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def say(self, what: str, about: str = "", **more: Any) -> None:
        """Append one line, in one write."""
        # The monotonic clock is the same one for all processes of a machine.
        line = {"at": time.monotonic(), "by": self.by, "pid": os.getpid(), "what": what, "id": about, **more}
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")


@dataclass(frozen=True)
class Event:
    """One line of a history."""

    at: float
    by: str
    what: str
    id: str = ""
    pid: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)


def read(folder: Path) -> list[Event]:
    """Return everything that was written, in the order in which it happened. A last line cut short is left out."""
    events = []
    for path in sorted(folder.glob("*.history")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            fields = json.loads(line)
            known = {name: fields.pop(name) for name in ("at", "by", "what", "id", "pid")}
            events.append(Event(**known, more=fields))
    return sorted(events, key=lambda event: event.at)


@dataclass(frozen=True)
class Judgement:
    """What a history comes to: ids that something was wrong with, and how much of everything there was."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    forged: tuple[str, ...]
    unfinished: tuple[str, ...]
    """Sent with an unknown outcome, and neither answered nor dead: no fault by itself."""
    repeated: Mapping[str, int]
    """Requests that were begun more than once, and how often."""
    counts: Mapping[str, int]
    """How often each event is there."""
    dead: Mapping[str, str]
    """Reasons by id."""

    @property
    def sound(self) -> bool:
        """True when nothing was lost, doubled or forged."""
        return not (self.lost or self.doubled or self.forged)

    def __str__(self) -> str:
        return f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.forged)} forged"


def judge(events: Iterable[Event], *, replayed: Collection[str] = ()) -> Judgement:
    """Return what is wrong with a history that has come to rest.

    Args:
        events: In the order in which they happened.
        replayed: Ids whose signed bytes somebody wrote to the stream once more, past `send`: those may be committed
            again, and still reach the runner with one content only.
    """
    ordered = list(events)
    ids: dict[str, set[str]] = defaultdict(set)
    marks: dict[str, set[str]] = defaultdict(set)
    committing: set[tuple[str, str]] = set()
    starts: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    forged: set[str] = set()
    for event in ordered:
        ids[event.what].add(event.id)
        if event.what == "start":
            starts[event.id] += 1
            if event.id not in ids["send"]:
                forged.add(event.id)
        elif event.what == "committing":
            committing.add((event.id, event.more["mark"]))
        elif event.what == "received":
            marks[event.id].add(event.more["mark"])
            if (event.id, event.more["mark"]) not in committing or event.id not in ids["send"]:
                forged.add(event.id)
        elif event.what == "dead":
            reasons[event.id] = event.more.get("reason", "")
    accepted = ids["accepted"] | ids["known"]
    settled = ids["received"] | {about for about, reason in reasons.items() if reason}
    return Judgement(
        lost=tuple(sorted(accepted - settled)),
        doubled=tuple(sorted(_doubled(ordered, marks, set(replayed)))),
        forged=tuple(sorted(forged)),
        unfinished=tuple(sorted(ids["unknown"] - accepted - settled)),
        repeated={about: times for about, times in starts.items() if times > 1},
        counts=Counter(event.what for event in ordered),
        dead=reasons,
    )


def _doubled(events: list[Event], marks: Mapping[str, set[str]], replayed: set[str]) -> set[str]:
    """Return the requests with two effects.

    A server that lost its data knows neither who has what in hand nor what was answered, and two may be told that their
    answer is accepted; then the ledger is what takes one of them. Everywhere else the bus refuses the second one.
    """
    takes = Counter(event.id for event in events if event.what == "taken")
    found = {about for about, times in takes.items() if times > 1}
    if not any(event.what == "lost" for event in events):
        found |= {about for about, contents in marks.items() if len(contents) > 1}
        commits = Counter(event.id for event in events if event.what == "committed")
        found |= {about for about, times in commits.items() if times > 1} - replayed
    # Buried and answered is two ends as well: somebody would be told of both.
    answered = {event.id for event in events if event.what == "received"}
    buried = {event.id for event in events if event.what == "dead"}
    return found | (answered & buried - replayed)
