"""What our checks catch on their own cases, and what bandit, ruff, squawk, sqlfluff and semgrep catch on the same ones.

    python benchmarks/checks.py            prints the tables as Markdown
    python benchmarks/checks.py --json     prints every case's outcome
    python benchmarks/checks.py --page docs/explanation/what-the-checks-catch.md      writes the tables into the page

Nothing is fetched. A tool that is not installed is left out and named; `semgrep` is in none of our extras.
A gate must never look better here than it is: what it could not read, or does not read, is counted apart from what it
passed, and a refusal for another reason is not a catch.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from case_sets import Case, cases
from reasons import RIGHT, SEMGREP_RULES
from tables import Row, page_with, tables_of

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.verdict import Abstained, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.builtin import built_in
from squads.gates.gate import Gate
from squads.gates.tools import presets
from squads.gates.tools.baseline import NOT_LISTED
from squads.gates.tools.tool_gate import ToolGate

OURS = "squads"
BATCH_MAX = 40
"""How many cases a tool reads in one go, so that its start counts once; it reads them as files of one folder each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one gate said of one case."""

    unread: bool = False
    """It reads no file of this kind."""
    abstained: str = ""
    """Why it could not look."""
    refusing: frozenset[str] = field(default_factory=frozenset)
    """Invariants of the findings that refuse."""
    said: frozenset[str] = field(default_factory=frozenset)
    """Invariants of all findings, notes too."""

    def outcome(self, case: Case, *, notes: bool = False) -> str:
        """Return `right`, `other`, `passed`, `abstained` or `unread`; with `notes`, as if every finding refused."""
        found = self.said if notes else self.refusing
        if found:
            return "right" if case.invariant in found else "other"
        return "unread" if self.unread else "abstained" if self.abstained else "passed"


def work_of(files: dict[str, str]) -> ReviewWork:
    """Return the work of reading these files."""
    packet = Packet(brief="Judge it.")
    artifact = Artifact.of(files)
    return ReviewWork(packet=packet, reads=AttemptKind.ARTIFACT, attempt=1, brief=packet.brief, artifact=artifact)


async def ours(sets: Sequence[Case]) -> dict[str, Read]:
    """Return what our checks say, any of which may refuse: each case is an artifact of its own."""
    gates = [g for g in built_in() if g.name in {c.invariant for c in sets}]
    read = {}
    for case in sets:
        work = work_of(case.files)
        read[case.id] = joined([of_whole(gate, await gate.answer(work)) for gate in gates])
    return read


def of_whole(gate: Gate, verdict: Verdict) -> Read:
    """Return what a verdict on one case says."""
    return Read(
        unread=not verdict.looked and not isinstance(verdict, Abstained),
        abstained=verdict.reason if isinstance(verdict, Abstained) else "",
        refusing=frozenset(f.invariant for f in verdict.findings if f.severity >= gate.refuse_at),
        said=frozenset(f.invariant for f in verdict.findings),
    )


async def by_tool(gate: ToolGate, sets: Sequence[Case]) -> dict[str, Read]:
    """Return what a tool says of each case.

    Several are read in one run, each in a folder of its own; where the run as a whole has no answer, it is halved, so
    that a file which a tool cannot read costs nobody else a reading.
    """
    mine = [c for c in sets if any(fnmatch.fnmatchcase(path, p) for path in c.files for p in gate.files)]
    read = {c.id: Read(unread=True) for c in sets}
    waiting = [mine[at : at + BATCH_MAX] for at in range(0, len(mine), BATCH_MAX)]
    while waiting:
        batch = waiting.pop()
        verdict = await gate.answer(work_of({f"{c.id}/{path}": t for c in batch for path, t in c.files.items()}))
        whole = isinstance(verdict, Abstained) or any(
            f.location is None or f.invariant.endswith(NOT_LISTED) for f in verdict.findings
        )
        if whole and len(batch) > 1:
            waiting += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
            continue
        for case in batch:
            read[case.id] = of_one(gate, verdict, case, alone=len(batch) == 1)
    return read


def of_one(gate: ToolGate, verdict: Verdict, case: Case, *, alone: bool) -> Read:
    """Return what a verdict on many cases says of one of them."""
    if isinstance(verdict, Abstained):
        return Read(abstained=verdict.reason)

    def its(finding: Finding) -> bool:
        return alone if finding.location is None else finding.location.path.startswith(f"{case.id}/")

    found = [f for f in verdict.findings if its(f)]
    return Read(
        refusing=frozenset(f.invariant for f in found if f.severity >= gate.refuse_at),
        said=frozenset(f.invariant for f in found),
    )


def tools() -> dict[str, list[ToolGate]]:
    """Return the tools as their presets configure them, told which of their rules mean our invariants.

    Semgrep tries every rule on every file that it is given, and abstains where the file is in another language, so it
    is one gate for each language.
    """
    rules = {tool: {rule: invariant for rule, (invariant, _) in table.items()} for tool, table in RIGHT.items()}
    return {
        "bandit": [presets.bandit(rules=rules["bandit"])],
        "ruff": [presets.ruff(rules=rules["ruff"])],
        "squawk": [presets.squawk(rules=rules["squawk"])],
        "sqlfluff": [presets.sqlfluff(rules=rules["sqlfluff"])],
        "semgrep": [
            presets.semgrep(rules_path=SEMGREP_RULES / f"{language}.yml", files=[files], rules=rules["semgrep"])
            for language, files in (("python", "*.py"), ("sql", "*.sql"))
        ],
    }


async def measured(
    sets: Sequence[Case], chosen: Mapping[str, Sequence[ToolGate]]
) -> tuple[dict[str, dict[str, Read]], list[str]]:
    """Return what every gate says of every case, and the versions; our checks come first."""
    from squads import __version__

    read, versions = {OURS: await ours(sets)}, [f"squads {__version__}"]
    for name, gates in chosen.items():
        if gates[0].installed.path is None:
            versions.append(f"{name} is not installed here and was left out")
            continue
        parts = [await by_tool(gate, sets) for gate in gates]
        read[name] = {c.id: joined([part[c.id] for part in parts]) for c in sets}
        number = re.search(r"\d+(\.\d+)+", gates[0].version)
        versions.append(f"{name} {number[0] if number else gates[0].version}")
    return read, versions


def joined(parts: Sequence[Read]) -> Read:
    """Return what several gates around one tool say as one: any may refuse, and any may abstain."""
    return Read(
        unread=all(p.unread for p in parts),
        abstained=next((p.abstained for p in parts if p.abstained), ""),
        refusing=frozenset().union(*(p.refusing for p in parts)),
        said=frozenset().union(*(p.said for p in parts)),
    )


def rows_of(sets: Sequence[Case], read: dict[str, dict[str, Read]], *, notes: bool = False) -> list[Row]:
    """Return one row for every gate and invariant."""

    def outcomes(gate: str, invariant: str, kind: str) -> tuple[str, ...]:
        its = (c for c in sets if (c.invariant, c.kind) == (invariant, kind))
        return tuple(read[gate][c.id].outcome(c, notes=notes) for c in its)

    return [
        Row(
            gate=gate,
            invariant=invariant,
            defects=outcomes(gate, invariant, "refused"),
            cosmetic=outcomes(gate, invariant, "cosmetic"),
            clean=outcomes(gate, invariant, "approved"),
        )
        for gate in read
        for invariant in sorted({c.invariant for c in sets})
    ]


def as_data(sets: Sequence[Case], read: dict[str, dict[str, Read]], versions: Sequence[str]) -> dict[str, object]:
    """Return every outcome, as JSON says it."""
    return {
        "benchmark": "checks",
        "versions": list(versions),
        "cases": [
            {
                "name": c.name,
                "invariant": c.invariant,
                "kind": c.kind,
                "gates": {
                    gate: {
                        "outcome": r[c.id].outcome(c),
                        "with_notes": r[c.id].outcome(c, notes=True),
                        "said": sorted(r[c.id].said),
                        **({"why": r[c.id].abstained} if r[c.id].abstained else {}),
                    }
                    for gate, r in read.items()
                },
            }
            for c in sets
        ],
    }


def main() -> None:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print every case's outcome as JSON")
    parser.add_argument("--page", type=Path, help="write the tables into this page, between its two marks")
    parser.add_argument("--gates", nargs="*", help="only these tools, by name; none for our checks alone")
    given = parser.parse_args()
    sets = cases()
    chosen = {name: gates for name, gates in tools().items() if given.gates is None or name in given.gates}
    read, versions = asyncio.run(measured(sets, chosen))
    text = tables_of(rows_of(sets, read), rows_of(sets, read, notes=True), versions)
    missing = sorted(set(tools()) - set(read))
    if given.page and missing:
        parser.error(
            f"the page would lose the rows of {', '.join(missing)}; install what is missing, and name no --gates"
        )
    if given.page:
        given.page.write_text(page_with(given.page.read_text("utf-8"), text), "utf-8")
    print(json.dumps(as_data(sets, read, versions), indent=1) if given.json else text)


if __name__ == "__main__":
    main()
