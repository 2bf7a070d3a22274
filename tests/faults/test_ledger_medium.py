"""What happens to the SQLite ledger's files and to those who use them: removed, full, frozen, and shared by two.

Children are Python processes; a test waits for their lines, never for time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import small_disk
from ledger_scene import PRELUDE, child, filled, opened, report_on

import squads
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.contracts.errors import RollbackDetected, StorageUnavailable
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, ticket

# A child that appends for every line it is given, and does not say goodbye.
OBEDIENT = """
async def main():
    ledger = open_ledger()
    tell("ready")
    for line in sys.stdin:
        if line == "close\\n":
            await ledger.close()
            tell("closed")
            return
        try:
            done = await ledger.append([ticket(line.strip())], expect={}, time_ms=2)
            tell("done", done.first_seq)
        except StorageUnavailable as error:
            tell("refused", str(error))
try:
    asyncio.run(main())
except Exception as error:
    tell(type(error).__name__)
"""


class Obedient:
    """Such a child, told what to do line by line."""

    def __init__(self, where: Path) -> None:
        self.process = child(where, OBEDIENT)
        self.said = self._line()

    def __enter__(self) -> Obedient:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def tell(self, line: str) -> str:
        """Return what it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


async def killed(where: Path) -> None:
    """Leave a ledger as a kill leaves it: what was appended last stands in the write-ahead log alone."""
    await filled(where, 4)
    with Obedient(where) as process:
        assert "done 4" == process.tell("a")
    assert (where / "ledger.db-wal").stat().st_size > 0


async def test_a_write_ahead_log_that_was_removed_after_a_kill_is_a_rollback(tmp_path: Path) -> None:
    """What was acknowledged was in it: the checkpoint file knows, and nothing is signed again."""
    await killed(tmp_path)
    (tmp_path / "ledger.db-wal").unlink()

    assert {"rollback"} == {found.check for found in report_on(tmp_path).failed}
    with pytest.raises(RollbackDetected, match="ends after 4 receipts, but a checkpoint outside it covers 5"):
        SqliteLedger.open(tmp_path / "ledger.db", ORIGIN, LOG_KEY, outside=tmp_path / "checkpoints")


async def test_without_a_checkpoint_outside_a_removed_log_shows_nowhere(tmp_path: Path) -> None:
    """Why there is a checkpoint file: the database alone is whole, and shorter than what was acknowledged."""
    await killed(tmp_path)
    (tmp_path / "ledger.db-wal").unlink()

    with sqlite_snapshot(tmp_path / "ledger.db") as moment:
        report = verify_log(moment.leaves, trust=TRUST, checkpoints=moment.checkpoints)

    assert (4, ()) == (report.size, report.failed)


async def test_an_index_that_was_removed_after_a_kill_is_made_again(tmp_path: Path) -> None:
    """The index of the write-ahead log holds nothing of its own."""
    await killed(tmp_path)
    (tmp_path / "ledger.db-shm").unlink()

    async with opened(tmp_path) as ledger:
        assert 5 == (await ledger.append([ticket("a")], expect={"a": 2}, time_ms=2)).first_seq
    assert (6, ()) == (report_on(tmp_path).size, report_on(tmp_path).failed)


async def test_whoever_loses_the_shared_index_appends_no_more(tmp_path: Path) -> None:
    """Two processes with an index each would fork the log: the one whose index was removed refuses, and loses none."""
    await filled(tmp_path, 4)
    with Obedient(tmp_path) as first:
        assert "done 4" == first.tell("a")
        (tmp_path / "ledger.db-shm").unlink()
        with Obedient(tmp_path) as second:
            assert "done 5" == second.tell("b")
            assert "was removed while the ledger was in use" in first.tell("a")
            assert "done 6" == second.tell("b")
            assert "closed" == second.tell("close")
        assert first.tell("a").startswith("refused")
        assert "closed" == first.tell("close")

    report = report_on(tmp_path)
    assert (7, (), ()) == (report.size, report.failed, report.unchecked)
    with Obedient(tmp_path) as again:
        assert "done 7" == again.tell("a")


async def test_whoever_loses_the_write_ahead_log_appends_no_more_and_brings_back_what_it_has(tmp_path: Path) -> None:
    """Its last connection still has the file: closing it moves what was acknowledged into the database."""
    await filled(tmp_path, 4)
    with Obedient(tmp_path) as first:
        assert "done 4" == first.tell("a")
        (tmp_path / "ledger.db-wal").unlink()
        assert "was removed while the ledger was in use" in first.tell("a")
        with Obedient(tmp_path) as second:
            assert second.said in ("StorageUnavailable", "RollbackDetected", "LedgerBroken")
        assert "closed" == first.tell("close")

    report = report_on(tmp_path)
    assert (5, (), ()) == (report.size, report.failed, report.unchecked)


FULL_DISK = """
async def main():
    (where / "filler").write_bytes(bytes(400_000))
    ledger = open_ledger()
    await ledger.append(opening_entries(), expect={}, time_ms=1)
    tell("ready")
    failed = 0
    while failed < 3:
        try:
            done = await ledger.append([ticket("a")], expect={}, time_ms=1, content=[os.urandom(9_000)])
            tell("done", done.first_seq)
        except StorageUnavailable as error:
            failed += 1
            tell("failed", error)
    tell("full")
    sys.stdin.readline()
    (where / "filler").unlink(missing_ok=True)
    length = len(await ledger.read("a"))
    done = await ledger.append([ticket("a")], expect={"a": length}, time_ms=1)
    tell("done", done.first_seq)
    await ledger.close()
    shutil.copytree(where, where.parent / "kept")
asyncio.run(main())
"""


def test_a_disk_without_room_refuses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """A real small disk: also the index, which lies in mapped memory, must not end the process for want of room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    source = str(Path(squads.__file__).parent.parent)
    process = subprocess.Popen(
        [sys.executable, small_disk.__file__, str(disk), "2", sys.executable, "-c", PRELUDE + FULL_DISK, str(disk)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": source},
    )
    try:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        lines = []
        while (line := process.stdout.readline()) and line != "full\n":
            lines.append(line.split(" ", 1))
        small_disk.make_room(process.pid, disk)
        rest, _ = process.communicate("go\n")
    finally:
        process.kill()
        process.communicate()
    failed = [said for word, said in lines if word == "failed"]
    done = [int(said) for word, said in [*lines, rest.split()] if word == "done"]
    report = report_on(tmp_path / "kept")

    assert 3 == len(failed), lines
    assert all("Nothing was acknowledged" in said for said in failed)
    assert done == list(range(2, 2 + len(done)))
    assert (2 + len(done), (), ()) == (report.size, report.failed, report.unchecked)


HOLDS = """
from squads.adapters.file_lock import FileLock
lock = FileLock(where / "ledger.db.lock")
with lock.held():
    tell("held")
    sys.stdin.readline()
"""


async def test_a_process_that_was_stopped_with_the_lock_holds_others_for_a_bounded_time(tmp_path: Path) -> None:
    """Frozen by SIGSTOP it keeps the lock: others are told who to look for; killed, it lets go by itself."""
    await filled(tmp_path, 4)
    process = child(tmp_path, HOLDS)
    try:
        assert process.stdout is not None
        assert "held\n" == process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(StorageUnavailable, match=r"another process has held .*ledger\.db\.lock for 50 ms"):
            SqliteLedger.open(tmp_path / "ledger.db", ORIGIN, LOG_KEY, outside=None, lock_wait_ms=50)
    finally:
        process.kill()
        process.communicate()

    async with opened(tmp_path) as ledger:
        assert 4 == (await ledger.append([ticket("a")], expect={}, time_ms=2)).first_seq


GREEDY = """
async def main():
    ledger = open_ledger()
    tell("ready")
    sys.stdin.readline()
    while (where / "go").exists():
        done = await ledger.append([ticket("greedy")], expect={}, time_ms=2)
        tell(done.first_seq)
    await ledger.close()
asyncio.run(main())
"""


async def test_two_greedy_writers_are_both_served(tmp_path: Path) -> None:
    """Neither waits without end for the other: when one has made 150 appends, the other has made a fair part."""
    await filled(tmp_path, 4)
    (tmp_path / "go").touch()
    writers = [child(tmp_path, GREEDY) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert "ready\n" == writer.stdout.readline()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for _ in range(150):
            writers[0].stdout.readline()
        (tmp_path / "go").unlink()
        counts = [len(writer.communicate()[0].splitlines()) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    counts[0] += 150
    report = report_on(tmp_path)

    assert counts[1] >= 30, counts
    assert (4 + sum(counts), ()) == (report.size, report.failed)
