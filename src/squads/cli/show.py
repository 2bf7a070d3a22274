"""How verdicts and outcomes look to a person: file, line, what is wrong, and what would satisfy it.

Nothing that comes from an artifact, a role or a path reaches the terminal as a command to it: control and formatting
characters are shown escaped, and no text is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from squads.contracts.finding import Finding
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, Judgement, NotComposed, Outcome
from squads.contracts.verdict import Verdict
from squads.pages.text import visible as visible

MARKS = {"approved": ("✓", "green"), "refused": ("✗", "red"), "abstained": ("?", "yellow")}
EVIDENCE_LINES_MAX = 12


def console() -> Console:
    """Return the console for people: colours only where they can be seen."""
    return Console(highlight=False, soft_wrap=True)


def one_line(text: str) -> str:
    """Return visible text whose further lines are indented, so that none of them can pass for a verdict's line."""
    return visible(text).replace("\n", "\n        ")


def judgement(out: Console, gate: str, verdict: Verdict) -> None:
    """Print one verdict with its findings."""
    mark, colour = MARKS[verdict.kind]
    line = Text.assemble(
        (f"  {mark} ", f"bold {colour}"), (one_line(gate), "bold"), " ", (one_line(said(verdict)), colour)
    )
    out.print(line)
    for found in verdict.findings:
        finding(out, found, refusing=verdict.kind == "refused", gate=gate)


def judgements(out: Console, judged: Iterable[Judgement]) -> None:
    """Print verdicts, the worst first; gates that had nothing of their kind to read share one line at the end."""
    idle: list[str] = []
    for one in worst_first(judged):
        if one.verdict.kind == "approved" and one.verdict.looked == 0 and not one.verdict.findings:
            idle.append(one.gate)
        else:
            judgement(out, one.gate, one.verdict)
    if idle:
        out.print(Text(f"  – nothing of its kind to read for {one_line(', '.join(idle))}", style="dim"))


def said(verdict: Verdict) -> str:
    """Return a verdict in a few words."""
    if verdict.kind == "refused":
        count = len(verdict.findings)
        return f"refused: {count} finding{'s' if count != 1 else ''}"
    if verdict.kind == "abstained":
        return f"abstained: {verdict.reason}"
    if verdict.looked == 0:
        return "had nothing of its kind to read"
    return f"approved: {verdict.looked} file{'s' if verdict.looked != 1 else ''} read"


def finding(out: Console, found: Finding, *, refusing: bool, gate: str = "") -> None:
    """Print one finding: where, what, the evidence, and what would satisfy it.

    A gate that holds several invariants does not say by its own name which one it is.
    """
    what = found.severity.value if found.invariant == gate else f"{found.invariant}, {found.severity.value}"
    where = one_line(f"{found.location}: ") if found.location else ""
    colour = "red" if refusing and found.severity.weight >= 2 else "yellow"
    line = Text.assemble((where, "bold"), one_line(found.message), (f"  [{what}]", colour))
    # Wrapped for eyes only: what is piped stays one line, so that it can be searched.
    if out.is_terminal:
        out.print(Padding(line, (0, 0, 0, 6)), soft_wrap=False)
    else:
        out.print(Text.assemble("      ", line))
    _block(out, "│", found.evidence, "dim")
    if found.satisfy:
        out.print(Text("      would satisfy it:", style="cyan"))
        _block(out, " ", found.satisfy, "cyan")


def _block(out: Console, edge: str, text: str, style: str) -> None:
    lines = visible(text.rstrip()).split("\n") if text.strip() else []
    for line in lines[:EVIDENCE_LINES_MAX]:
        out.print(Text(f"      {edge} {line}", style=style))
    if len(lines) > EVIDENCE_LINES_MAX:
        out.print(Text(f"      {edge} … {len(lines) - EVIDENCE_LINES_MAX} more lines", style=style))


def outcome(out: Console, ended: Outcome) -> None:
    """Print how a packet stands, in one line, and below it what was said besides verdicts."""
    style = {Composed: "bold green", NotComposed: "bold red"}.get(type(ended), "bold yellow")
    out.print(Text(one_line(first_line(ended)), style=style))
    for words in ended.words if isinstance(ended, NotComposed) else ():
        out.print(Text(f"  {one_line(words)}"))


def first_line(ended: Outcome) -> str:
    """Return an outcome without its findings, which stand above it."""
    match ended:
        case Composed():
            count = len(ended.artifact.files) + len(ended.artifact.removals)
            return f"Composed: every required gate approved exactly these bytes ({count} path{'s' * (count != 1)})."
        case NotComposed():
            return f"Not composed: {ended.detail or ended.reason}."
        case AwaitingApproval():
            whom = ", ".join(ended.approvers)
            return f"Waiting for {whom if len(ended.approvers) == 1 else f'{ended.quorum} of {whom}'} to answer."
        case Halted():
            return f"Halted: {ended.detail}."


def as_data(ended: Outcome) -> Mapping[str, object]:
    """Return an outcome for `--json`: everything but the artifact's bytes."""
    data = ended.model_dump(mode="json", exclude={"artifact"})
    if isinstance(ended, Composed):
        data["artifact"] = {"digest": ended.artifact.digest, "paths": list(ended.artifact.manifest.paths)}
    return {**data, "exit_code": ended.exit_code}


def worst_first(judged: Iterable[Judgement]) -> list[Judgement]:
    """Return each gate's last word on an attempt: refusals first, then abstentions, then approvals; by gate."""
    last = {(j.reads, j.task, j.attempt, j.gate): j for j in judged}
    order = {"refused": 0, "abstained": 1, "approved": 2}
    return sorted(last.values(), key=lambda j: (order[j.verdict.kind], j.gate, j.attempt))
