"""The SQLite ledger under kill, full disk, two writers, and a hand in the database.

Children are Python processes that print what was acknowledged; a test waits for their lines, never for time.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledger_scene import child, filled, opened, report_on

from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.contracts.errors import LedgerError, StorageUnavailable
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, opening_entries, ticket, verified

# Kill ------------------------------------------------------------------------------------------------------------

KILLED = """
async def main():
    ledger = open_ledger()
    if (await ledger.head()).size == 0:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
    tell("ready")
    async def work(name):
        while True:
            done = await ledger.append([ticket(name), ticket(name)], expect={}, time_ms=1, content=[os.urandom(50)])
            tell(done.first_seq, done.first_seq + 1)
    await asyncio.gather(*(work(f"w{n}") for n in range(4)))
asyncio.run(main())
"""


async def test_after_a_kill_everything_acknowledged_is_there(tmp_path):
    """SIGKILL in the middle of appending, four times on one ledger: gapless, verified, nothing acknowledged is lost."""
    acknowledged: set[int] = set()
    for lines in (1, 37, 90, 161):
        process = child(tmp_path, KILLED)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(lines):
                acknowledged.update(map(int, process.stdout.readline().split()))
        finally:
            process.kill()
            # What stood in the pipe was acknowledged too; a torn last line was not.
            rest, _ = process.communicate()
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):
                acknowledged.update(map(int, line.split()))

        async with opened(tmp_path) as ledger:
            present = [seq async for seq, _, _ in ledger.scan()]
            report = await verified(ledger, outside=list(read_checkpoint_file(tmp_path / "checkpoints")))
        assert list(range(len(present))) == present
        assert acknowledged <= set(present)
        assert report.failed + report.unchecked == ()
    assert len(acknowledged) > 2 * (1 + 37 + 90 + 161) - 1


# Full disk -------------------------------------------------------------------------------------------------------

FULL = """
async def main():
    ledger = open_ledger()
    await ledger.append(opening_entries(), expect={}, time_ms=1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    failed = 0
    while failed < 3:
        try:
            done = await ledger.append([ticket("a")], expect={}, time_ms=1, content=[os.urandom(2_000)])
            tell("done", done.first_seq)
        except StorageUnavailable as error:
            failed += 1
            tell("failed", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    length = len(await ledger.read("a"))
    done = await ledger.append([ticket("a")], expect={"a": length}, time_ms=1)
    tell("done", done.first_seq)
    await ledger.close()
asyncio.run(main())
"""


def test_a_full_disk_refuses_and_recovers(tmp_path):
    """Each failed append says so and is not acknowledged; when there is room again, the ledger goes on."""
    process = child(tmp_path, FULL)
    output, _ = process.communicate()
    lines = [line.split(" ", 1) for line in output.splitlines()]
    done = [int(rest) for word, rest in lines if word == "done"]
    failed = [rest for word, rest in lines if word == "failed"]
    report = report_on(tmp_path)

    assert process.returncode == 0
    assert len(failed) == 3
    assert all("Nothing was acknowledged" in message for message in failed)
    assert len(done) > 5
    assert done == sorted(set(done))
    assert done[-1] == report.size - 1
    assert report.failed == ()


async def test_a_database_at_its_page_limit_is_a_full_disk(tmp_path):
    """SQLite's own limit gives the other error code, and the same promise."""
    await filled(tmp_path, 4)
    async with opened(tmp_path) as ledger:
        connection = ledger._writer._store._connection
        assert connection is not None
        connection.execute("PRAGMA max_page_count = 30")
        with pytest.raises(StorageUnavailable, match="free some space"):
            await ledger.append([ticket("a")], expect={}, time_ms=3, content=[bytes(200_000)])

        # The store reconnects after any failure, and with it the limit of this test is gone.
        assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=3)).first_seq == 4
        assert (await verified(ledger)).failed == ()


@pytest.mark.parametrize("place", ["directory is a file", "database is a directory", "no database to read"])
def test_a_place_that_cannot_hold_a_ledger_is_named(tmp_path, place):
    """Opening says what is wrong with the place, in our own error."""
    if place == "directory is a file":
        (tmp_path / "room").write_text("")
        path = tmp_path / "room" / "ledger.db"
    elif place == "database is a directory":
        path = tmp_path / "ledger.db"
        path.mkdir()
    else:
        with pytest.raises(StorageUnavailable, match="no ledger"), sqlite_snapshot(tmp_path / "none.db"):
            pass
        return

    with pytest.raises(LedgerError, match=str(path)):
        SqliteLedger.open(path, ORIGIN, LOG_KEY, outside=None)


# Two processes ---------------------------------------------------------------------------------------------------

RIVAL = """
async def main():
    ledger = open_ledger()
    tell("ready")
    sys.stdin.readline()
    for number in range(60):
        while True:
            # Both fold the shared stream, and whoever comes second folds again.
            length = len(await ledger.read("shared"))
            try:
                done = await ledger.append([ticket("shared"), ticket("own")], expect={"shared": length}, time_ms=1)
            except Conflict:
                continue
            break
        tell(done.first_seq)
    await ledger.close()
asyncio.run(main())
"""


async def test_two_processes_append_to_one_ledger(tmp_path):
    """Compare-and-append holds across processes: every place is taken once, and the log verifies."""
    async with opened(tmp_path) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
    rivals = [child(tmp_path, RIVAL) for _ in range(2)]
    try:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        outputs = await asyncio.gather(*(asyncio.to_thread(rival.communicate, "go\n") for rival in rivals))
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    taken = [[int(line) for line in output.split()] for output, _ in outputs]
    report = report_on(tmp_path)

    assert [rival.returncode for rival in rivals] == [0, 0]
    assert list(range(2, 242, 2)) == sorted(taken[0] + taken[1])
    assert list(map(len, taken)) == [60, 60]
    assert (report.size, report.failed + report.unchecked) == (242, ())
    async with opened(tmp_path) as ledger:
        assert len(await ledger.read("shared")) == 120


# A hand in the database ------------------------------------------------------------------------------------------


def edited(where: Path, *statements: str) -> None:
    """Do what anybody with the sqlite3 shell can do: drop the guard rails, then change rows."""
    with closing(sqlite3.connect(where / "ledger.db")) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


SWAPPED = (
    "UPDATE entry SET seq = -1 WHERE seq = 5",
    "UPDATE entry SET seq = 5 WHERE seq = 8",
    "UPDATE entry SET seq = 8 WHERE seq = -1",
)
EDITS = {
    "row changed": (
        ("UPDATE entry SET leaf = CAST(replace(leaf, '\"number\":4', '\"number\":5') AS BLOB) WHERE seq = 5",),
        "leaf-hash",
        "receipt 5 was changed after it was written",
    ),
    "row dropped": (("DELETE FROM entry WHERE seq = 5",), "sequence", "receipt 5 is missing"),
    "rows re-ordered": (SWAPPED, "sequence", "row 5 holds the receipt that was written as number 8"),
    "row replaced": (
        (
            "UPDATE entry SET leaf = zeroblob(10), "
            "leaf_hash = x'd3f8f1d1ea3b9ff0a5ee3d2b38a1d7b2e4b9dd2d6c8ab1b0b1b8e7d6d3d5c4a1' WHERE seq = 5",
        ),
        "framing",
        "receipt 5 is not a whole leaf",
    ),
    "tail cut": (
        ("DELETE FROM entry WHERE seq >= 8",),
        "coverage",
        "covers 12 receipts, but only 8 are there",
    ),
    "tail cut together with its checkpoints": (
        ("DELETE FROM entry WHERE seq >= 8", "DELETE FROM node WHERE (idx + 1) << level > 8",
         "DELETE FROM checkpoint WHERE size > 8"),
        "rollback",
        "the last 4 were cut off together with their checkpoints",
    ),
    "newest checkpoint removed": (
        ("DELETE FROM checkpoint WHERE size = 12",),
        "coverage",
        "receipts 10 to 11 stand under no checkpoint",
    ),
    "checkpoint changed": (
        ("UPDATE checkpoint SET note = replace(note, char(10) || '8' || char(10), char(10) || '9' || char(10)) "
         "WHERE size = 8",),
        "checkpoint-signature",
        "is not the log's",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
async def test_each_edit_of_the_database_is_found_and_named(tmp_path, edit):
    """A hand with sqlite3 and no key: every kind of edit has its own check and its own sentence."""
    statements, check, words = EDITS[edit]
    await filled(tmp_path, 12)
    assert report_on(tmp_path).failed == ()
    edited(tmp_path, *statements)
    report = report_on(tmp_path)

    assert report.failed[0].check == check, report.failed
    assert words in report.failed[0].message


async def test_each_edit_has_its_own_message(tmp_path):
    """No two kinds of damage read alike."""
    messages = {}
    await filled(tmp_path, 12)
    for edit, (statements, _, _) in EDITS.items():
        where = tmp_path / edit.replace(" ", "-")
        where.mkdir()
        shutil.copy(tmp_path / "ledger.db", where)
        shutil.copy(tmp_path / "checkpoints", where)
        edited(where, *statements)
        messages[report_on(where).failed[0].message] = edit

    assert len(EDITS) == len(messages)


async def test_a_snapshot_of_a_growing_ledger_verifies(tmp_path):
    """Rows, checkpoints and notes of one moment agree, while another connection appends."""
    await filled(tmp_path, 6)
    async with opened(tmp_path) as ledger:
        with sqlite_snapshot(tmp_path / "ledger.db", outside=tmp_path / "checkpoints") as snapshot:
            first = next(snapshot.leaves)
            await ledger.append([ticket("a")], expect={}, time_ms=3)
            rows = [first, *snapshot.leaves]
            report = verify_log(rows, trust=TRUST, checkpoints=snapshot.checkpoints, outside=snapshot.outside)

    assert (report.size, report.failed + report.unchecked) == (6, ())
