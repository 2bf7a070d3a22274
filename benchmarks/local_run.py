"""A governed run of a scripted builder and two gates with one refusal round: about twenty receipts.

CPU of all threads, durable in SQLite and in memory, one after the other and 1,000 at once; its split by kernel,
signing, serialising and storing; and the memory of a live run. The split is measured in runs of its own, because
measuring slows down what it measures: read it as shares.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import tempfile
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common import Kind, Scripted, Strict, report, sign_microseconds

from squads import Composed, Squad
from squads.contracts.artifact import Artifact
from squads.contracts.work import BuildWork
from squads.roles.builder import Builder

RUNS, SEQUENTIAL, CONCURRENT, LIVE = 5, 100, 1_000, 1_000


def squad(store: Path | None, builder: Builder | None = None) -> Squad:
    """Return a new squad; the durable one keeps its keys beside its store."""
    keys = None if store is None else store / "keys"
    return Squad(builder=builder or Scripted(), gates=[Strict(), Kind()], store=store, keys=keys)


async def sequential(team: Squad) -> dict[str, float]:
    """Return milliseconds per run, one after the other."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(SEQUENTIAL):
        assert isinstance(await team.run("A treasury table."), Composed)
    return {
        "cpu_ms": (time.process_time() - cpu) / SEQUENTIAL * 1e3,
        "wall_ms": (time.perf_counter() - start) / SEQUENTIAL * 1e3,
    }


async def concurrent(team: Squad) -> dict[str, float]:
    """Return figures of many runs at once."""
    start, cpu = time.perf_counter(), time.process_time()
    outcomes = await asyncio.gather(*(team.run("A treasury table.") for _ in range(CONCURRENT)))
    assert all(isinstance(o, Composed) for o in outcomes)
    wall = time.perf_counter() - start
    return {"cpu_ms": (time.process_time() - cpu) / CONCURRENT * 1e3, "runs_per_s": CONCURRENT / wall}


async def measured(store: Path | None) -> dict[str, float]:
    """Return medians over several rounds of both."""
    found: dict[str, list[float]] = defaultdict(list)
    async with squad(store) as team:
        await sequential(team)
        for _ in range(RUNS):
            for key, value in (await sequential(team)).items():
                found[f"sequential_{key}"].append(value)
        for key, value in (await concurrent(team)).items():
            found[f"concurrent_{key}"].append(value)
        workspace = await team.workspace()
        receipts = len(await workspace.ledger.read((await team.run("A treasury table.")).packet))
    return {**{k: statistics.median(v) for k, v in found.items()}, "receipts": receipts}


@contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Add up the CPU time inside certain functions, without what they call of one another."""
    import squads.adapters.keys as keys
    import squads.adapters.memory_ledger as memory
    import squads.adapters.sqlite_store as sqlite
    import squads.contracts.base as base
    import squads.intake as intake
    import squads.runner as runner
    import squads.worker as worker
    import squads.workspace as workspace

    stacks: dict[int, list[float]] = defaultdict(list)
    undo: list[tuple[Any, str, Any]] = []

    def wrap(owner: Any, name: str, part: str) -> None:
        import threading

        original: Callable[..., Any] = getattr(owner, name)
        undo.append((owner, name, vars(owner)[name]))

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            stack = stacks[threading.get_ident()]
            start = time.thread_time()
            stack.append(0.0)
            try:
                return original(*args, **kwargs)
            finally:
                took = time.thread_time() - start
                inner = stack.pop()
                spent[part] += took - inner
                if stack:
                    stack[-1] += took

        setattr(owner, name, wrapped)

    wrap(runner, "step", "kernel")
    wrap(keys.InProcessSigner, "sign", "signing")
    for module in (intake, workspace):
        wrap(module, "verify_signature", "signing")
    for module in (runner, worker, workspace):
        wrap(module, "payload_of", "serialising")
    for name in ("receipt_of", "record_in"):
        wrap(intake, name, "serialising")
    wrap(base.Document, "seal", "serialising")
    wrap(sqlite.SqliteStore, "commit", "storing")
    for name in ("sequence", "sign_checkpoint"):
        wrap(memory, name, "storing")
    try:
        yield
    finally:
        for owner, name, original in undo:
            setattr(owner, name, original)


async def split(store: Path | None) -> dict[str, float]:
    """Return the share of each part in the CPU of a run."""
    spent: dict[str, float] = defaultdict(float)
    async with squad(store) as team:
        await sequential(team)
        with timed(spent):
            start = time.process_time()
            await sequential(team)
            total = time.process_time() - start
    shares = {part: seconds / total for part, seconds in sorted(spent.items())}
    return {**shares, "the_rest": 1 - sum(shares.values())}


class Waiting(Builder):
    """Hands in nothing until everybody is there."""

    def __init__(self, expected: int) -> None:
        self.expected, self.here = expected, 0
        self.all_here, self.go = asyncio.Event(), asyncio.Event()

    async def build(self, work: BuildWork) -> Artifact:
        self.here += 1
        if self.here == self.expected:
            self.all_here.set()
        await self.go.wait()
        return work.artifact({"a.sql": f"-- {work.attempt}"})


async def live_bytes() -> float:
    """Return the bytes of Python objects that one run holds while it waits for its builder."""
    builder = Waiting(LIVE)
    team = Squad(builder=builder, gates=[Strict(), Kind()], slots=LIVE)
    async with team:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        runs = [asyncio.create_task(team.run("A treasury table.")) for _ in range(LIVE)]
        await builder.all_here.wait()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        builder.go.set()
        await asyncio.gather(*runs)
    return held / LIVE


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = asyncio.run(measured(None))
        sqlite = asyncio.run(measured(Path(folder) / "a"))
        shares = {
            "memory": asyncio.run(split(None)),
            "sqlite": asyncio.run(split(Path(folder) / "b")),
        }
        on_disk = sum(f.stat().st_size for f in (Path(folder) / "a").glob("ledger.db*"))
    sign_us = sign_microseconds()
    report(
        "local_run",
        receipts=sqlite.pop("receipts"),
        durable={k: round(v, 3) for k, v in sqlite.items()},
        memory={k: round(v, 3) for k, v in memory.items() if k != "receipts"},
        durable_per_memory_cpu=sqlite["sequential_cpu_ms"] / memory["sequential_cpu_ms"],
        durable_cpu_in_ed25519_signs=sqlite["sequential_cpu_ms"] * 1e3 / sign_us,
        goal_durable_cpu_ms=6,
        shares={name: {k: round(v, 3) for k, v in part.items()} for name, part in shares.items()},
        live_run_kib=asyncio.run(live_bytes()) / 1024,
        goal_live_run_kib=100,
        database_mib=on_disk / 2**20,
        runs=RUNS,
        pid=os.getpid(),
    )


if __name__ == "__main__":
    main()
