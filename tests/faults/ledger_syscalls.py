"""Appends to a SQLite ledger while its system calls fail, and judges what is left; one line of JSON for each fault.

    python ledger_syscalls.py FOLDER SCENARIO CALL ACTION[,ACTION ...] [STRIDE]

It imports the library once and forks a child for each fault, from the first call on until a run makes no more of them.
Of several actions each call meets one, in turn, and of STRIDE calls one. To see every call meet every action, name one
action at a time and no stride.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from syscall_faults import Ended, Fault, run

from squads.adapters.ledger_rows import bodies_of
from squads.adapters.sqlite_content import EraseSubject, SqliteContents
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.adapters.sqlite_store import SqliteStore
from squads.adapters.sqlite_work import Append
from squads.contracts.errors import Conflict, LedgerError, SquadsError
from squads.kernel.ports import WORKSPACE, Appended, Entry
from squads.ledger.leaf import leaf_hash
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, opening_entries, ticket

TICKETS = [ticket("a", number) for number in range(6)] + [ticket("b", 6), ticket("c", 7)]
Step = Sequence[Entry] | str
"""Entries to append, each append with content of its stream; or the name of a stream whose content is erased."""
SCENARIOS: dict[str, list[Step]] = {
    # Everything from an empty folder on: the file, its tables, the keys of content, entry 0.
    "found": [opening_entries(), TICKETS[:1]],
    # A ledger that was left as a kill leaves it, with a write-ahead log.
    "append": [TICKETS[:1], TICKETS[1:3], TICKETS[7:], TICKETS[3:4]],
    # The same, and the content of one packet goes.
    "erase": ["a", TICKETS[7:]],
}
BEFORE = [opening_entries(), TICKETS[4:6], TICKETS[6:7]]
"""What is there before, except where the ledger is founded."""


def opened(where: Path) -> SqliteStore:
    return SqliteStore(
        where / "ledger.db",
        ORIGIN,
        LOG_KEY,
        outside=where / "checkpoints",
        contents=SqliteContents(where / "content.slots"),
        lock_wait_ms=1_000,
    )


def content_of(entries: Sequence[Entry]) -> bytes:
    return entries[-1].payload * 9


def appended(
    store: SqliteStore, entries: Sequence[Entry], expect: Mapping[str, int] | None = None
) -> list[tuple[int, str]]:
    """Append, and return each receipt's place and what is signed there. Raises `Conflict`."""
    work = Append(
        streams=[entry.stream for entry in entries],
        bodies=bodies_of(entries, 1),
        expect=expect or {},
        time_ms=1,
        content=[content_of(entries)],
    )
    (outcome,) = store.commit([work])
    if not isinstance(outcome, Appended):
        raise cast("Conflict", outcome)
    return list(enumerate((entry.payload.decode() for entry in entries), outcome.first_seq))


def erased(store: SqliteStore, subject: str) -> None:
    """Erase a subject. Raises what kept it from being done."""
    (outcome,) = store.commit([EraseSubject(subject=subject, contents=store._contents)])
    if isinstance(outcome, Exception):
        raise outcome


def prepare(where: Path, scenario: str) -> None:
    """Make the folder that every fault begins with."""
    where.mkdir(mode=0o700)
    if scenario == "found":
        return
    store = opened(where)
    for entries in BEFORE:
        appended(store, entries)
    aside = where.with_name("as-killed")
    shutil.copytree(where, aside)
    store.close()
    shutil.rmtree(where)
    aside.rename(where)


def work(where: Path, scenario: str, tell: int) -> None:
    """What the child does: it goes on after an error, as a ledger's users do, and tells what was acknowledged."""

    def say(**said: object) -> None:
        os.write(tell, (json.dumps(said) + "\n").encode())

    store = None
    lengths = {} if scenario == "found" else {WORKSPACE: 2, "a": 2, "b": 1}
    for step in SCENARIOS[scenario]:
        expect: dict[str, int] = {}
        if not isinstance(step, str):
            stream = step[0].stream
            expect[stream] = lengths.get(stream, 0)
            lengths[stream] = expect[stream] + len(step)
        for _ in range(2):
            try:
                store = store or opened(where)
                if isinstance(step, str):
                    say(erasing=step)
                    erased(store, step)
                    say(erased=step)
                else:
                    say(acknowledged=appended(store, step, expect), content=content_of(step).decode())
            except Conflict:
                pass  # it was written when nobody could say so: what a caller finds when it folds again
            except (LedgerError, OSError, sqlite3.Error) as error:
                say(failed=f"{type(error).__name__}: {error}")
                continue
            break
    if store is not None:
        store.close()


def judged(where: Path, scenario: str, told: list[dict[str, Any]]) -> list[str]:
    """Open what is left, append to it, verify it, and return what is wrong with it."""
    wrong: list[str] = []
    erasing = {line["erasing"] for line in told if "erasing" in line}
    gone = {line["erased"] for line in told if "erased" in line}
    contents = [] if scenario == "found" else [(content_of(entries), entries[-1].stream) for entries in BEFORE]
    contents += [(line["content"].encode(), "") for line in told if "content" in line]
    try:
        store = opened(where)
        try:
            if not store._tail.size:  # nothing was founded, and nothing may have been acknowledged
                appended(store, opening_entries())
            last = appended(store, [ticket("after", 9)])
            connection = store._connection
            assert connection is not None
            for content, stream in contents:
                found = store._contents.get(connection, sha256(content).digest())
                if found is not None and stream in gone:
                    wrong.append(f"content of {stream} was erased, and is there")
                if found != content and stream not in erasing:
                    wrong.append(f"content of {stream or 'the child'} was acknowledged, and is not there")
        finally:
            store.close()
    except (SquadsError, OSError, sqlite3.Error) as error:
        return [f"it does not open or append: {type(error).__name__}: {error}"]
    with sqlite_snapshot(where / "ledger.db", outside=where / "checkpoints") as moment:
        rows = list(moment.leaves)
        report = verify_log(rows, trust=TRUST, checkpoints=moment.checkpoints, outside=moment.outside)
    wrong += [f"{found.check}: {found.message}" for found in (*report.failed, *report.unchecked)]
    if [seq for seq, _, _ in rows] != list(range(last[0][0] + 1)):
        wrong.append(f"the places are {[seq for seq, _, _ in rows]}")
    for seq, payload in acknowledged(told):
        if seq >= len(rows) or payload.encode() not in rows[seq][1] or leaf_hash(rows[seq][1]) != rows[seq][2]:
            wrong.append(f"receipt {seq} was acknowledged, and is not there")
    return wrong


def acknowledged(told: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(seq, payload) for line in told for seq, payload in line.get("acknowledged", ())]


def one(folder: Path, base: Path, scenario: str, fault: Fault) -> tuple[Ended, dict[str, object]]:
    """Let one fault happen, and judge what it left."""
    where = folder / "now"
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(base, where)
    reader, writer = os.pipe()
    ended = run(lambda: work(where, scenario, writer), fault, folder=where)
    os.close(writer)
    with os.fdopen(reader) as lines:
        told = [json.loads(line) for line in lines]
    failed = [line["failed"] for line in told if "failed" in line]
    return ended, {
        "nth": fault.nth,
        "action": fault.action,
        "where": " ".join([ended.where.split(" ")[0], Path(ended.where).name]),
        "status": ended.status,
        "killed": ended.killed,
        "acknowledged": len(acknowledged(told)),
        "failed": failed,
        "wrong": judged(where, scenario, told),
    }


def main() -> None:
    """Try every such call in turn."""
    folder, scenario, call, actions = Path(sys.argv[1]), *sys.argv[2:4], sys.argv[4].split(",")
    stride = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    # Who traces and who is traced wait for each other in turn: on one core that takes a third of the time.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    base = folder / "base"
    prepare(base, scenario)
    with suppress(BrokenPipeError):
        for number, nth in enumerate(range(1, 1_000, stride)):
            ended, line = one(folder, base, scenario, Fault(call, nth, actions[number % len(actions)]))
            print(json.dumps(line | {"hit": ended.hit}), flush=True)
            if not ended.hit:
                return


if __name__ == "__main__":
    main()
