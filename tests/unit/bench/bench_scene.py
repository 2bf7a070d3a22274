"""Cases and gates that tests of the bench share: small, quick, and with names that can be searched for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from squads.bench.case import Case, Label, Place
from squads.bench.judged import Judged, Results
from squads.bench.run import run
from squads.contracts.finding import Finding, Location
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

RULE = "sql.quokka"


def pair(family: str = "wombats", *, base: bool = False) -> list[Case]:
    """Return a defect and its twin; the defect holds the word `leaky`."""
    stood = {"schema.sql": f"-- before {family}\nCREATE TABLE t (a int);\n"} if base else {}
    return [
        Case(
            family=family,
            variant=f"{label}-zebra",
            label=label,
            invariants=(RULE,),
            places=(Place(path="a.sql", line=2),) if label.broken else (),
            language="sql",
            kind="migration" if base else "schema",
            split="dev",
            origin="written",
            licence="Apache-2.0",
            brief=f"A table for {len(family)} scores.",
            files={"a.sql": f"CREATE TABLE {family[:1]} (\n  {word} int\n);\n"},
            base=stood,
        )
        for label, word in ((Label.DEFECT, "leaky"), (Label.CLEAN, "sound"))
    ]


def some(count: int) -> list[Case]:
    """Return so many families of two cases."""
    return [case for number in range(count) for case in pair(f"wombats{number}")]


class Words(Gate):
    """Refuses files with a word in them."""

    prior = "Looks for words."

    def __init__(self, word: str = "leaky", **options: Any) -> None:
        super().__init__(**options)
        self.word = word
        self.card = word  # the word is a part of what it brings

    def review(self, work: ReviewWork) -> Verdict:
        assert work.artifact is not None
        for file in work.artifact.files:
            for number, line in enumerate(file.text.split("\n"), 1):
                if self.word in line:
                    place = Location(path=file.path, line=number)
                    return work.refuse(Finding(invariant=RULE, message=f"it says {self.word}", location=place))
        return work.approve()


class Shy(Gate):
    """Could never look."""

    prior = "Abstains."

    def review(self, work: ReviewWork) -> Verdict:
        return work.abstain("it is dark")


class Broken(Gate):
    """Always crashes."""

    prior = "Crashes."

    def review(self, work: ReviewWork) -> Verdict:
        raise ZeroDivisionError("no")


class Asleep(Gate):
    """Never answers."""

    prior = "Sleeps."

    async def review(self, work: ReviewWork) -> Verdict:
        await asyncio.Event().wait()
        return work.approve()


def ran(cases: list[Case], gates: list[Any], out: Path, **options: Any) -> Results:
    """Run to the end, with keys beside the run's folder."""
    return asyncio.run(run(cases, gates, out, keys=out.parent / "keys", **options))


def verdicts(results: Results) -> list[Judged]:
    """Return rows without what differs between two runs: packets, receipts and time."""
    return [row.but(packet="", receipt=None, wait_ms=0) for row in results.judged]
