"""The journal in the ledger's database under kill, full disk, a medium that is only read, and two processes.

Children are Python processes that print what was acknowledged; a test waits for their lines, never for time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import quick_start
import squads
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.errors import StorageUnavailable
from squads.testing.conformance_journal import ABOUT, found, step
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN

PRELUDE = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.errors import StorageUnavailable
from squads.testing.conformance_journal import ABOUT, found, step
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN
where, name = Path(sys.argv[1]), sys.argv[2]
def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def open_ledger():
    return SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=None)
"""


def child(where: Path, script: str, name: str = "one") -> subprocess.Popen[str]:
    """Start a Python process that uses the journal in `where`."""
    return subprocess.Popen(
        [quick_start.python(), "-c", PRELUDE + script, str(where), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(squads.__file__).parent.parent)},
    )


@asynccontextmanager
async def opened(where: Path) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=None)
    try:
        yield ledger
    finally:
        await ledger.close()


KILLED = """
async def main():
    journal = open_ledger().journal
    for number in range(int(name)):
        await asyncio.gather(*(journal.put(ABOUT, step(b"paid", asked=f"{number} {lane}")) for lane in range(4)))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.parametrize("puts", [1, 5, 40])
async def test_killed_right_after_a_put_returned_the_step_is_there(tmp_path: Path, puts: int) -> None:
    """SIGKILL is the very next thing after the last put: every one that returned is found."""
    process = child(tmp_path, KILLED, str(puts))
    process.communicate()

    async with opened(tmp_path) as ledger:
        kept = [
            await found(ledger.journal, ABOUT, step(asked=f"{number} {lane}"))
            for number in range(puts)
            for lane in range(4)
        ]

    assert -signal.SIGKILL == process.returncode
    assert [b"paid"] * 4 * puts == [one.payload for one in kept if one is not None]


FULL = """
async def main():
    journal = open_ledger().journal
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    number = failed = 0
    while failed < 3:
        number += 1
        try:
            await journal.put(ABOUT, step(os.urandom(5_000), turn=number))
            tell("kept", number)
        except StorageUnavailable as error:
            failed += 1
            tell("failed", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await journal.put(ABOUT, step(b"room again", turn=number + 1))
    tell("kept", number + 1)
asyncio.run(main())
"""


async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """Each failed put says so; what was acknowledged is there, and when there is room again it goes on."""
    process = child(tmp_path, FULL)
    output, _ = process.communicate()
    lines = [line.split(" ", 1) for line in output.splitlines()]
    acknowledged = [int(rest) for word, rest in lines if word == "kept"]
    failed = [rest for word, rest in lines if word == "failed"]

    assert process.returncode == 0
    assert len(acknowledged) > 5
    assert len(failed) == 3
    assert all("Nothing was acknowledged" in message for message in failed)
    async with opened(tmp_path) as ledger:
        for turn in acknowledged:
            assert await found(ledger.journal, ABOUT, step(turn=turn)) is not None


@pytest.mark.parametrize("fault", ["PRAGMA query_only = ON", "PRAGMA max_page_count = 20"])
async def test_a_medium_that_takes_nothing_acknowledges_nothing(tmp_path: Path, fault: str) -> None:
    """Only to be read, or at its limit: an error of ours, no step, and the next put is tried anew."""
    async with opened(tmp_path) as ledger:
        await ledger.journal.put(ABOUT, step(b"before"))
        connection = ledger._writer._store._connection
        assert connection is not None
        connection.execute(fault)

        with pytest.raises(StorageUnavailable, match="Nothing was acknowledged"):
            await ledger.journal.put(ABOUT, step(bytes(200_000), turn=2))

        assert await found(ledger.journal, ABOUT, step(turn=2)) is None
        # The store reconnects after any failure, and with it the fault of this test is gone.
        assert step(b"after", turn=2) == await ledger.journal.put(ABOUT, step(b"after", turn=2))
        assert step(b"before") == await found(ledger.journal, ABOUT, step())


RIVAL = """
async def main():
    ledger = open_ledger()
    tell("ready")
    sys.stdin.readline()
    for turn in range(1, 101):
        kept = await ledger.journal.put(ABOUT, step(name.encode(), turn=turn))
        tell(kept.payload.decode())
    await ledger.close()
asyncio.run(main())
"""


async def test_two_processes_that_race_for_a_key_are_given_one_value(tmp_path: Path) -> None:
    """A hundred races: both are told the same, and it is what the next reader finds."""
    async with opened(tmp_path):
        pass
    rivals = [child(tmp_path, RIVAL, name) for name in ("one", "other")]
    try:
        for rival in rivals:
            assert rival.stdout is not None
            assert rival.stdout.readline() == "ready\n"
        outputs = await asyncio.gather(*(asyncio.to_thread(rival.communicate, "go\n") for rival in rivals))
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    told = [output.split() for output, _ in outputs]

    assert [0, 0] == [rival.returncode for rival in rivals]
    assert len(told[0]) == 100
    assert told[0] == told[1]
    async with opened(tmp_path) as ledger:
        kept = [await found(ledger.journal, ABOUT, step(turn=turn)) for turn in range(1, 101)]
    assert told[0] == [one.payload.decode() for one in kept if one is not None]
