"""What is measured on a ledger of one size, each beside the bare thing that it is made of, in the same moments.

Every phase is a process of its own, so that its memory is its own. A ratio is to the raw rate: 1 would cost nothing.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from ledger_made import PACKET_RECEIPTS, copies, entries_from, recorded
from ledger_stores import Row, opened

from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.kernel.ports import WORKSPACE, Entry, Ledger
from squads.kernel.receipts import receipt_of
from squads.kernel.replay import Replay
from squads.ledger.leaf import decode_leaf
from squads.ledger.proof import check_inclusion
from squads.ledger.report import Report
from squads.ledger.statement import pae
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import RUNNER_KEY, TRUST, opening_entries

Figures = dict[str, Any]
BATCH = 1_000
PROOFS_AT_ONCE = 100
PRODUCERS = 64
HASHED = 5_000
"""Leaves that hashlib alone hashes, over and over: more of them would show as memory of the verification."""
THREADS_SIZE_MAX = 100_000
"""Up to here signatures are verified a second time, with a thread for each core."""
LEAF_AROUND = bytes(220)
"""What a leaf has around its payload: place, key id, signature."""


async def fill(folder: Path, size: int, rounds: int) -> Figures:
    """Append up to `size` in batches of 1,000, and then batches of 100; every tenth also goes into the bare store."""
    async with opened(folder) as (ledger, bare):
        await ledger.append(opening_entries(), expect={WORKSPACE: 0}, time_ms=1)
        entries, at = entries_from(2), 2

        async def filled(count: int, every: int) -> tuple[float, float]:
            nonlocal at
            batch = list(islice(entries, count))
            spent = await timed(ledger.append(batch, expect={}, time_ms=2)) / count
            raw = await timed(bare.insert(rows_of(batch, at))) / count if every else 0.0
            at += count
            return spent, raw

        found = [await filled(min(BATCH, size - at), at // BATCH % 10 == 0) for _ in range(-(-(size - at) // BATCH))]
        # What a batch costs at this size is what the last tenth of them cost.
        last = [spent for spent, _ in found[-max(1, len(found) // 10) :]]
        thousands = beside(statistics.median(last), statistics.median(raw for _, raw in found if raw))
        found = [await filled(100, True) for _ in range(2 * rounds)]
        hundreds = beside(statistics.median(spent for spent, _ in found), statistics.median(raw for _, raw in found))
    figures: Figures = {"batch_1000": thousands, "batch_100": hundreds}
    if (folder / "ledger.db").exists():
        figures["bytes_per_entry"] = (folder / "ledger.db").stat().st_size / at
    return figures


async def single(folder: Path, size: int, rounds: int) -> Figures:
    """Append one receipt with its signed checkpoint, in turn with a bare fdatasync and a commit of the bare store."""
    spent, synced, inserted = list[float](), list[float](), list[float]()
    file = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    async with opened(folder) as (ledger, bare):
        for number, entry in enumerate(islice(entries_from(0), 10 * rounds)):
            rows = rows_of([entry], number)
            spent.append(await timed(ledger.append([entry], expect={}, time_ms=3)))
            start = time.perf_counter()
            os.write(file, rows[0][1])
            os.fdatasync(file)
            synced.append(time.perf_counter() - start)
            inserted.append(await timed(bare.insert(rows)))
    os.close(file)
    found = beside(statistics.median(spent), statistics.median(synced))
    found |= {"per_raw_store": statistics.median(inserted) / statistics.median(spent)}
    return {"single": found | {"p99_ms": quantile(spent, 0.99) * 1e3}}


async def producers(folder: Path, size: int, rounds: int) -> Figures:
    """Append from 64 tasks at once, each its own receipts one after the other."""
    async with opened(folder) as (ledger, _):
        await appended_by(ledger, PRODUCERS, 1)
        waits: list[float] = []
        spent = await timed(appended_by(ledger, PRODUCERS, 4 * rounds, waits))
    return {"producers_64": {"per_s": len(waits) / spent, "p99_ms": quantile(waits, 0.99) * 1e3}}


async def appended_by(ledger: Ledger, tasks: int, each: int, waits: list[float] | None = None) -> None:
    """Append from so many tasks one receipt after the other, and note how long each waited."""

    async def one(number: int) -> None:
        for entry in islice(entries_from(number * PACKET_RECEIPTS), each):
            spent = await timed(ledger.append([entry], expect={}, time_ms=3))
            if waits is not None:
                waits.append(spent)

    await asyncio.gather(*(one(number) for number in range(tasks)))


async def verify(folder: Path, size: int, rounds: int) -> Figures:
    """Verify everything but the signatures, beside one SHA-256 of each leaf that hashlib makes."""
    with sqlite_snapshot(folder / "ledger.db") as moment:
        leaves = [b"\0" + leaf for _, leaf, _ in islice(moment.leaves, HASHED)]
    start = time.perf_counter()
    for _ in range(rounds):
        for leaf in leaves:
            sha256(leaf).digest()
    hashed = (time.perf_counter() - start) / (rounds * len(leaves))
    del leaves
    spent, report = verified(folder, signatures=False)
    assert not report.failed
    return {"verify": beside(spent / report.size, hashed)}


async def signatures(folder: Path, size: int, rounds: int) -> Figures:
    """Verify everything, beside Ed25519 alone over the same bytes, before and after."""
    with sqlite_snapshot(folder / "ledger.db") as moment:
        leaves = [decode_leaf(leaf) for _, leaf, _ in islice(moment.leaves, 2, 2 + 100 * rounds)]
    signed = [(leaf.signatures[0][1], pae(leaf.payload_type, leaf.payload)) for leaf in leaves]
    key = Ed25519PublicKey.from_public_bytes(RUNNER_KEY.public_key)

    def bare() -> float:
        start = time.perf_counter()
        for signature, message in signed:
            key.verify(signature, message)
        return (time.perf_counter() - start) / len(signed)

    raw = [bare()]
    found: Figures = {}
    for name, threads in (("signatures", 1), ("signatures_threads", os.cpu_count() or 1)):
        if threads == 1 or size <= THREADS_SIZE_MAX:
            spent, report = verified(folder, threads=threads)
            assert not report.failed + report.warned + report.unchecked
            raw.append(bare())
            found[name] = beside(spent / report.size, statistics.fmean(raw[-2:]))
    return found


def verified(folder: Path, **how: Any) -> tuple[float, Report]:
    """Return how long the verification of the whole ledger took, and what it found."""
    with sqlite_snapshot(folder / "ledger.db", outside=folder / "outside" / "checkpoints") as moment:
        start = time.perf_counter()
        report = verify_log(moment.leaves, trust=TRUST, checkpoints=moment.checkpoints, outside=moment.outside, **how)
        return time.perf_counter() - start, report


async def prove(folder: Path, size: int, rounds: int) -> Figures:
    """Make inclusion proofs of receipts at random, a hundred a call and one a call, beside bare reads; check them."""
    chance = random.Random(6)
    many, one, raw, checked, hashed = (list[float]() for _ in range(5))
    async with opened(folder) as (ledger, bare):
        for _ in range(2 * rounds):
            indexes = chance.sample(range(size), min(PROOFS_AT_ONCE, size))
            count = len(indexes)
            many.append(await timed(ledger.prove(indexes)) / count)
            one.append(await timed(ledger.prove(indexes[:1])))
            raw.append(await timed(bare.hashes(indexes)) / count)
            proved, leaves = await ledger.prove(indexes), await bare.hashes(indexes)
            head, paths = proved.head, proved.paths
            start = time.perf_counter()
            for leaf, index, path in zip(leaves, indexes, paths, strict=True):
                check_inclusion(leaf, index, head.size, head.root, path)
            checked.append((time.perf_counter() - start) / count)
            pairs = [b"\1" + bytes(64)] * sum(map(len, paths))
            start = time.perf_counter()
            for pair in pairs:
                sha256(pair).digest()
            hashed.append((time.perf_counter() - start) / count)
    return {
        "prove": beside(statistics.median(many), statistics.median(raw)),
        "prove_one": beside(statistics.median(one), statistics.median(raw)),
        "check": beside(statistics.median(checked), statistics.median(hashed)),
    }


async def replay(folder: Path, size: int, rounds: int) -> Figures:
    """Read and replay so many receipts of governed packets; what makes them is not in the time."""
    template = await recorded()
    rules = Replay(template.manifests.get)
    for receipt in template.workspace:
        rules.feed(receipt)
    parts, spent, fed, seen = list[float](), 0.0, 0, 0
    for lines in copies(template, max(10, size // PACKET_RECEIPTS)):
        start = time.perf_counter()
        for line in lines:
            rules.feed(receipt_of(*line))
        spent += time.perf_counter() - start
        fed += len(lines)
        if fed - seen >= size // 10:
            parts.append(spent / (fed - seen))
            spent, seen = 0.0, fed
    rules.close()
    message = bytes(700)
    start = time.perf_counter()
    for _ in range(50_000):
        sha256(message).digest()
    hashed = (time.perf_counter() - start) / 50_000
    # Linear: the last tenth of the receipts costs what the first does.
    return {"replay": beside(statistics.median(parts), hashed) | {"last_to_first_tenth": parts[-1] / parts[0]}}


PHASES: dict[str, Callable[[Path, int, int], Awaitable[Figures]]] = {
    "fill": fill,
    "single": single,
    "producers": producers,
    "verify": verify,
    "signatures": signatures,
    "prove": prove,
    "replay": replay,
}
"""In this order: what comes after `fill` reads what it left."""
OF_A_STORE = ("fill", "single", "producers", "prove")
"""What depends on where the ledger is kept."""


# ------------------------------------------------------------------------------------------------------------


def rows_of(entries: Sequence[Entry], at: int) -> list[Row]:
    """Return rows as large as the leaves of `entries`, for the bare store."""
    return [
        (at + number, entry.payload + LEAF_AROUND, sha256(entry.payload).digest())
        for number, entry in enumerate(entries)
    ]


def beside(seconds: float, raw_seconds: float) -> Figures:
    """Return a rate, the raw rate, and the one to the other."""
    return {"per_s": 1 / seconds, "raw_per_s": 1 / raw_seconds, "per_raw": raw_seconds / seconds}


async def timed(work: Awaitable[object]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of all lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
