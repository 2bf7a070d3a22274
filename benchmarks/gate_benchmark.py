"""Our deterministic gates on the held-out split and on public sets, next to well-known tools on the same cases.

    python benchmarks/gate_benchmark.py          prints the tables as Markdown
        --set sven=PATH --set eugene=PATH        public sets too, from where you have them
        --page docs/explanation/gate-benchmark.md        writes the tables into the page
        --out DIR                                keeps runs and rows for `squads bench report`

Nothing is fetched. Our gates judge through a squad, so their verdicts are receipts in `DIR/<set>/run`. Tools read many
cases in one go, each in a folder of its own, and are told which of their rules mean our invariants; those rules refuse.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reasons import NAMED, RULES, SELECT, SEMGREP_RULES
from tables import page_with

from squads.bench.case import Case
from squads.bench.families import cases as families
from squads.bench.figure import Rate
from squads.bench.judged import Judged, Results, found_in
from squads.bench.loaders import loader_named
from squads.bench.results_file import write_results
from squads.bench.run import run
from squads.bench.scoring import Score
from squads.bench.summary import Summary, summary_of
from squads.contracts.artifact import Artifact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.verdict import Abstained, Refused, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.builtin import built_in
from squads.gates.tools import presets
from squads.gates.tools.baseline import NOT_LISTED
from squads.gates.tools.tool_gate import ToolGate

OURS = "squads"
BEGIN = "<!-- tables: written by `python benchmarks/gate_benchmark.py --page` -->"
END = "<!-- tables end -->"
BATCH_MAX = 40
"""How many cases a tool reads in one go, so that its start counts once."""


def tools() -> dict[str, list[ToolGate]]:
    """Return the tools that are installed, told which of their rules mean our invariants: these refuse."""

    def told(tool: str) -> dict[str, dict[str, str]]:
        return {"rules": dict(RULES[tool]), "severities": dict.fromkeys(RULES[tool], "major")}

    made = {
        "bandit": [presets.bandit(**told("bandit"))],
        "ruff": [presets.ruff(select=SELECT, **told("ruff"))],
        "squawk": [presets.squawk(**told("squawk"))],
        "sqlfluff": [presets.sqlfluff()],
        "semgrep": [
            presets.semgrep(rules_path=SEMGREP_RULES / f"{language}.yml", files=[files], rules=RULES["semgrep"])
            for language, files in (("python", "*.py"), ("sql", "*.sql"))
        ],
    }
    return {name: gates for name, gates in made.items() if gates[0].installed.path is not None}


async def by_tool(name: str, gates: Sequence[ToolGate], cases: Sequence[Case]) -> list[Judged]:
    """Return what a tool says of each case; where a batch as a whole has no answer it is halved."""
    rows: dict[str, list[Judged]] = {case.id: [] for case in cases}
    for gate in gates:
        mine = [c for c in cases if any(fnmatch.fnmatchcase(path, p) for path in c.files for p in gate.files)]
        waiting = [mine[at : at + BATCH_MAX] for at in range(0, len(mine), BATCH_MAX)]
        while waiting:
            batch = waiting.pop()
            folders = {f"c{n:03}": case for n, case in enumerate(batch)}
            verdict = await gate.answer(
                _work({f"{f}/{path}": text for f, case in folders.items() for path, text in case.files.items()})
            )
            unplaced = any(f.location is None or f.invariant.endswith(NOT_LISTED) for f in verdict.findings)
            if len(batch) > 1 and (isinstance(verdict, Abstained) or unplaced):
                waiting += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
                continue
            for folder, case in folders.items():
                rows[case.id].append(_row(name, gate, verdict, case, folder))
    return [_joined(name, case, rows[case.id]) for case in cases]


def _work(files: Mapping[str, str]) -> ReviewWork:
    packet = Packet(brief="Judge it.")
    artifact = Artifact.of(files)
    return ReviewWork(packet=packet, reads=AttemptKind.ARTIFACT, attempt=1, brief=packet.brief, artifact=artifact)


def _row(name: str, gate: ToolGate, verdict: Verdict, case: Case, folder: str) -> Judged:
    if isinstance(verdict, Abstained):
        return Judged(case=case.id, gate=name, decision="abstained", reason=verdict.reason[:500])
    mine = [
        f.model_copy(update={"location": f.location.model_copy(update={"path": f.location.path[len(folder) + 1 :]})})
        for f in verdict.findings
        if f.location is not None and f.location.path.startswith(f"{folder}/") and f.severity >= gate.refuse_at
    ]
    found = found_in(Refused(findings=tuple(mine)), refuse_at=gate.refuse_at) if mine else ()
    return Judged(case=case.id, gate=name, decision="refused" if found else "approved", looked=1, found=found)


def _joined(name: str, case: Case, rows: Sequence[Judged]) -> Judged:
    """Return one verdict of several gates around one tool: any may refuse, and any may abstain."""
    for decision in ("refused", "abstained", "approved"):
        same = [row for row in rows if row.decision == decision]
        if same:
            return same[0].model_copy(update={"found": tuple(f for row in same for f in row.found)})
    return Judged(case=case.id, gate=name, decision="approved", looked=0)


async def ours(cases: Sequence[Case], folder: Path) -> list[Judged]:
    """Return what our checks say as one gate of which any may refuse, by the receipts of a run in `folder`."""
    results = await run(cases, built_in(), folder, title="built-in checks")
    by_case: dict[str, list[Judged]] = {case.id: [] for case in cases}
    for row in results.judged:
        by_case[row.case].append(row)
    return [_panel(case, by_case[case.id]) for case in cases]


def _panel(case: Case, rows: Sequence[Judged]) -> Judged:
    refused = [row for row in rows if row.decision == "refused"]
    unknown = [row for row in rows if row.decision in ("abstained", "error")]
    decision = "refused" if refused else unknown[0].decision if unknown else "approved"
    return Judged(
        case=case.id,
        gate=OURS,
        decision=decision,
        reason=unknown[0].reason if unknown and not refused else "",
        looked=max((row.looked for row in rows), default=0),
        found=tuple(f for row in refused for f in row.found),
        wait_ms=sum(row.wait_ms for row in rows),
    )


def table(summary: Summary, chosen: Sequence[str]) -> str:
    """Return one set's table."""
    head = "| gate | right reason | any refusal | false refusals | told apart | abstained | no file of its kind |"
    lines = [head, "| --- " * 7 + "|"]
    lines += [_line(score) for name in chosen for score in summary.gates if score.gate == name]
    return "\n".join(lines)


def _line(score: Score) -> str:
    rows = score.defects.rows + score.rights.rows
    cells = (
        score.gate,
        _told(score.right_reason),
        _told(score.any_refusal),
        _told(score.false_refusals),
        f"{score.pairs.told_apart} of {score.pairs.pairs}",
        f"{score.defects.abstained + score.rights.abstained} of {rows}",
        f"{score.defects.unread + score.rights.unread} of {rows}",
    )
    return "| " + " | ".join(cells) + " |"


def _told(rate: Rate) -> str:
    if rate.value is None:
        return "no cases"
    interval = rate.clustered or rate.wilson
    bounds = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    return f"{rate.value:.3f}{bounds} ({rate.hits} of {rate.of})"


async def measured(title: str, cases: Sequence[Case], folder: Path) -> tuple[Results, list[str]]:
    """Return every gate's rows on these cases, and the names of the gates in order."""
    rows = await ours(cases, folder)
    names = [OURS]
    for name, gates in tools().items():
        rows += await by_tool(name, gates, cases)
        names.append(name)
    return Results(title=title, cases=tuple(cases), judged=tuple(rows)), names


def by_invariant(results: Results) -> str:
    """Return our gates' table by invariant."""
    mine = results.model_copy(update={"judged": tuple(r for r in results.judged if r.gate == OURS)})
    summary = summary_of(mine)
    lines = ["| invariant | right reason, right place | any refusal | false refusals |", "| --- " * 4 + "|"]
    for group in summary.groups:
        if "invariant" in group.of:
            s = group.score
            cells = (f"`{group.of['invariant']}`", *map(_told, (s.right_reason, s.any_refusal, s.false_refusals)))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


async def page(sets: Iterable[tuple[str, list[Case]]], out: Path) -> str:
    """Return the tables of all sets, each with how many cases it has."""
    parts = []
    for title, cases in sets:
        folder = out / "".join(c if c.isalnum() else "-" for c in title.lower())
        results, names = await measured(title, cases, folder / "run")
        write_results(results, folder / "results.jsonl")
        summary = summary_of(results)
        parts.append(
            f"### {title}\n\n{summary.cases} cases of {summary.families} families: "
            f"{summary.defects} must be refused, {summary.rights} must pass.\n\n{table(summary, names)}"
        )
        if title.startswith("Built-in"):
            parts.append(f"Our gates by invariant:\n\n{by_invariant(results)}")
    return "\n\n".join(parts)


def chosen_sets(given: Sequence[str], splits: Sequence[str]) -> Iterable[tuple[str, list[Case]]]:
    """Yield the built-in splits, then the public sets that somebody has."""
    for split in splits:
        yield f"Built-in set, split {split}", families(splits=[split])
    for word in given:
        name, _, path = word.partition("=")
        loader = loader_named(name)
        cases = [case for case in loader.load(Path(path)) if case.language in ("python", "sql")]
        for language in sorted({case.language for case in cases}):
            yield f"{loader.title}, {language}", [case for case in cases if case.language == language]


def main() -> None:
    """Read the command line, measure, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=PATH", help="a public set, from its checkout"
    )
    parser.add_argument("--split", action="append", metavar="SPLIT", help="of the built-in set; test by default")
    parser.add_argument("--page", type=Path, help="write the tables into this page, between its two marks")
    parser.add_argument("--out", type=Path, help="a new folder for runs and rows; else they are thrown away")
    given = parser.parse_args()
    missing = sorted(NAMED - set(tools()))
    if given.page and missing:
        parser.error(f"the page would lose the rows of {', '.join(missing)}; install what is missing")
    out = given.out or Path(tempfile.mkdtemp(prefix="squads-bench-"))
    try:
        text = asyncio.run(page(chosen_sets(given.set, given.split or ["test"]), out))
    finally:
        if given.out is None:
            shutil.rmtree(out, ignore_errors=True)
    if given.page:
        old = given.page.read_text("utf-8")
        given.page.write_text(page_with(old, f"{text}\n", begin=BEGIN, end=END), "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
