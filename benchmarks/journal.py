"""Steps kept per second: one after another, and many at once; in memory and in SQLite.

Next to it, in the same directory and between the same rounds, what the medium gives: a payload of the same size
appended to a file and synced. A step is a transaction through the ledger's writer, so the ratio says what thread,
lock and WAL cost on top of the disk's own promise. A step that is found is read back through the reader's connection.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from common import report

from squads.adapters.keys import InProcessSigner
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.thinking import Step
from squads.kernel.model_ports import Journal

ROUNDS, STEPS, LANES = 7, 300, 64
PAYLOAD = os.urandom(4_096)
ABOUT = "a" * 64


def steps(kind: str) -> list[Step]:
    """Return steps of different inputs, made before anything is timed."""
    return [
        Step(kind="model", input=sha256(f"{kind} {n}".encode()).hexdigest(), turn=1, payload=PAYLOAD)
        for n in range(STEPS)
    ]


async def one_by_one(journal: Journal, name: str) -> float:
    """Return steps put per second, each when the one before it is durable."""
    made = steps(name)
    start = time.perf_counter()
    for step in made:
        await journal.put(ABOUT, step)
    return STEPS / (time.perf_counter() - start)


async def at_once(journal: Journal, name: str) -> float:
    """Return steps put per second by 64 who wait for their own."""
    made = steps(name)
    start = time.perf_counter()

    async def lane(number: int) -> None:
        for step in made[number::LANES]:
            await journal.put(ABOUT, step)

    await asyncio.gather(*(lane(number) for number in range(LANES)))
    return STEPS / (time.perf_counter() - start)


async def found(journal: Journal, name: str) -> float:
    """Return steps found per second."""
    made = steps(name)
    start = time.perf_counter()
    for step in made:
        assert await journal.get(ABOUT, step.kind, step.input, step.turn) is not None
    return STEPS / (time.perf_counter() - start)


def raw(where: Path) -> float:
    """Return appends per second of the payload to one file, each synced."""
    with (where / "raw").open("ab", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(STEPS):
            file.write(PAYLOAD)
            os.fdatasync(file.fileno())
        return STEPS / (time.perf_counter() - start)


async def measured(where: Path) -> dict[str, list[float]]:
    """Return every round's figures; the kinds take turns, so that a slow moment meets all of them."""
    ledger = SqliteLedger.open(
        where / "ledger.db", "bench.invalid/squads/journal/1", InProcessSigner.generate(), outside=None
    )
    figures: dict[str, list[float]] = {}
    kinds: dict[str, tuple[Callable[[Journal, str], object], Journal]] = {}
    memory = MemoryJournal()
    for medium, journal in (("memory", memory), ("sqlite", ledger.journal)):
        kinds |= {f"{medium}_put": (one_by_one, journal), f"{medium}_put_at_once": (at_once, journal)}
    for number in range(ROUNDS + 1):  # the first warms up
        taken = {"raw_append": raw(where)}
        for name, (measure, journal) in kinds.items():
            taken[name] = await measure(journal, f"{name} {number}")  # type: ignore[misc]
        for medium, journal in (("memory", memory), ("sqlite", ledger.journal)):
            taken[f"{medium}_get"] = await found(journal, f"{medium}_put {number}")
        if number:
            for name, rate in taken.items():
                figures.setdefault(name, []).append(rate)
    await ledger.close()
    return figures


def main() -> None:
    # Beside the program, not in the place for temporary files, which may be memory and sync for nothing.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as directory:
        figures = asyncio.run(measured(Path(directory)))
    rates = {name: statistics.median(found) for name, found in figures.items()}
    against = [put / of_disk for put, of_disk in zip(figures["sqlite_put"], figures["raw_append"], strict=True)]
    report(
        "journal",
        **{f"{name}_per_s": round(rate) for name, rate in rates.items()},
        sqlite_put_per_raw_append=statistics.median(against),
        payload_bytes=len(PAYLOAD),
        steps=STEPS,
        lanes=LANES,
        rounds=ROUNDS,
    )


if __name__ == "__main__":
    main()
