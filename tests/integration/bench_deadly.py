"""A run whose gate kills its own process at the fifth reading, where a file tells it to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from squads.bench.case import Case, Label, Place
from squads.bench.run import run
from squads.contracts.finding import Finding, Location
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

HOME: list[Path] = []
"""Where readings are counted; a list, so that what the gate brings does not depend on it."""


class Counting(Gate):
    """Refuses what leaks."""

    prior = "Counts its readings, and dies at the fifth where it is told to."

    def review(self, work: ReviewWork) -> Verdict:
        counted = HOME[0] / "readings.txt"
        with counted.open("a", encoding="ascii") as readings:
            readings.write(work.brief[-16:] + "\n")
        if len(counted.read_text("ascii").split()) == 5 and (HOME[0] / "deadly").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        assert work.artifact is not None
        if b"leaky" in work.artifact.files[0].content:
            return work.refuse(Finding(invariant="sql.leak", message="leaky", location=Location(path="a.sql", line=1)))
        return work.approve()


def case(number: int, label: Label) -> Case:
    """Return a case; a defect is leaky."""
    return Case(
        family=f"f{number}",
        variant=label.value,
        label=label,
        invariants=("sql.leak",),
        language="sql",
        kind="schema",
        split="dev",
        origin="written",
        licence="Apache-2.0",
        brief="A table.",
        places=(Place(path="a.sql", line=1),) if label.broken else (),
        files={"a.sql": f"CREATE TABLE t{number} ({'leaky' if label.broken else 'sound'} int);"},
    )


def begin(home: Path) -> None:
    """Run four families, or go on with them."""
    HOME[:] = [home]
    cases = [case(number, label) for number in range(4) for label in (Label.DEFECT, Label.CLEAN)]
    asyncio.run(run(cases, [Counting(name="counting")], home / "run", seed=3, packets_at_once=2))


if __name__ == "__main__":
    import bench_deadly  # by its own name: it is a part of what the gate brings

    bench_deadly.begin(Path(sys.argv[1]))
