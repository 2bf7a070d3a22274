"""How verdicts and outcomes look to a person: file, line, what is wrong, and what would satisfy it.

Nothing that comes from an artifact, a role or a path reaches the terminal as a command to it: control and formatting
characters are shown escaped, and no text is read as markup.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from squads.contracts.finding import Finding, FindingCounts
from squads.contracts.outcome import AwaitingApproval, Composed, Halted, Judgement, NotComposed, Outcome
from squads.contracts.verdict import Verdict
from squads.pages.text import UNANCHORED, said_of, usage_of
from squads.pages.text import visible as visible

MARKS = {"approved": ("✓", "green"), "refused": ("✗", "red"), "abstained": ("?", "yellow")}
EVIDENCE_LINES_MAX = 12


def console() -> Console:
    """Return the console for people: colours only where they can be seen."""
    return Console(highlight=False, soft_wrap=True)


def one_line(text: str) -> str:
    """Return visible text whose further lines are indented, so that none of them can pass for a verdict's line."""
    return visible(text).replace("\n", "\n        ")


def judgement(
    out: Console,
    gate: str,
    verdict: Verdict,
    *,
    lines_max: int = EVIDENCE_LINES_MAX,
    findings_max: int | None = None,
    known: Container[Finding] = (),
) -> None:
    """Print one verdict with its findings.

    `lines_max` bounds the lines of one evidence, `findings_max` the findings that are shown; what is left out is
    counted. Of findings in `known`, which were shown before, only place and rule are repeated.
    """
    mark, colour = MARKS[verdict.kind]
    line = Text.assemble(
        (f"  {mark} ", f"bold {colour}"), (one_line(gate), "bold"), " ", (one_line(said(verdict)), colour)
    )
    out.print(line)
    refusing = verdict.kind == "refused"
    findings = list(verdict.findings)
    if findings_max is not None:  # what is left out is never worse than what is shown
        findings.sort(key=lambda found: -found.severity.weight)
    for found in findings[:findings_max]:
        if found in known:
            finding(out, found.but(message="as before."), refusing=refusing, gate=gate, lines_max=0)
        else:
            finding(out, found, refusing=refusing, gate=gate, lines_max=lines_max)
    if findings_max is not None and len(verdict.findings) > findings_max:
        out.print(Text(f"      … {len(verdict.findings) - findings_max} more findings", style="dim"))


def judgements(
    out: Console,
    judged: Iterable[Judgement],
    *,
    lines_max: int = EVIDENCE_LINES_MAX,
    findings_max: int | None = None,
) -> None:
    """Print verdicts, the worst first; gates that had nothing of their kind to read share one line at the end."""
    nothing: list[str] = []
    for one in worst_first(judged):
        if idle(one.verdict):
            nothing.append(one.gate)
        else:
            judgement(out, one.gate, one.verdict, lines_max=lines_max, findings_max=findings_max)
    nothing_for(out, nothing)


def idle(verdict: Verdict) -> bool:
    """Return whether a gate had nothing of its kind to read, and nothing to say."""
    return verdict.kind == "approved" and verdict.looked == 0 and not verdict.findings


def nothing_for(out: Console, gates: Sequence[str]) -> None:
    """Print in one line which gates had nothing to read, where there are any."""
    if gates:
        out.print(Text(f"  – nothing of its kind to read for {one_line(', '.join(gates))}", style="dim"))


def said(verdict: Verdict) -> str:
    """Return a verdict in a few words."""
    if verdict.kind == "refused":
        return f"refused: {said_of(FindingCounts.of(verdict.findings))}"
    if verdict.kind == "abstained":
        return f"abstained: {verdict.reason}"
    if verdict.looked == 0:
        return "had nothing of its kind to read"
    return f"approved: {verdict.looked} file{'s' if verdict.looked != 1 else ''} read"


def finding(
    out: Console, found: Finding, *, refusing: bool, gate: str = "", lines_max: int = EVIDENCE_LINES_MAX
) -> None:
    """Print one finding: where, what, the evidence, and what would satisfy it.

    With `lines_max` 1 what would satisfy it begins behind these words, with 0 only where and what is printed.
    A gate that holds several invariants does not say by its own name which one it is.
    """
    what = found.severity.value if found.invariant == gate else f"{one_line(found.invariant)}, {found.severity.value}"
    where = one_line(f"{found.location}: ") if found.location else ""
    colour = "red" if refusing and found.severity.weight >= 2 else "yellow"
    line = Text.assemble((where, "bold"), one_line(found.message), (f"  [{what}]", colour))
    if found.unanchored:
        line = Text.assemble(line, (f"  ({UNANCHORED})", "yellow"))
    hanging(out, "", line, indent=6)
    if not lines_max:
        return
    _block(out, "│", found.evidence, "dim", lines_max)
    if found.satisfy and lines_max == 1:
        first, *others = visible(found.satisfy.rstrip()).split("\n")
        more = f" (and {len(others)} more line{'s' * (len(others) != 1)})" if others else ""
        hanging(out, "", Text(f"would satisfy it: {first}{more}", style="cyan"), indent=6)
    elif found.satisfy:
        out.print(Text("      would satisfy it:", style="cyan"))
        _block(out, " ", found.satisfy, "cyan", lines_max)


def hanging(out: Console, head: str | Text, body: str | Text, *, indent: int) -> None:
    """Print a text behind its head, wrapped at its own margin for eyes; what is piped stays one line for a search."""
    start = Text.assemble(head, " " * max(0, indent - len(head)))
    if not out.is_terminal:
        out.print(Text.assemble(start, body))
        return
    wrapped = Text.assemble(body).wrap(out, max(20, out.width - indent))
    for number, line in enumerate(wrapped):
        line.rstrip()
        out.print(Text.assemble(start if number == 0 else " " * indent, line))


def _block(out: Console, edge: str, text: str, style: str, lines_max: int) -> None:
    lines = visible(text.rstrip()).split("\n") if text.strip() else []
    for line in lines[:lines_max]:
        hanging(out, Text(f"      {edge} ", style=style), Text(line, style=style), indent=8)
    if (left := len(lines) - lines_max) > 0:
        out.print(Text(f"      {edge} … {left} more line{'s' * (left != 1)}", style=style))


def outcome(out: Console, ended: Outcome) -> None:
    """Print how a packet stands, in one line, and below it what was said besides verdicts, and what it cost."""
    style = {Composed: "bold green", NotComposed: "bold red"}.get(type(ended), "bold yellow")
    out.print(Text(one_line(first_line(ended)), style=style))
    for words in ended.words if isinstance(ended, NotComposed) else ():
        hanging(out, "", one_line(words), indent=2)
    for spender in ended.spent:
        out.print(Text(f"  spent by {spender.role}: {usage_of(spender.usage)}", style="dim"))


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
    free = {"usage", "spent"} if not ended.spent else set()  # nothing is said of costs where all is code
    data = ended.model_dump(mode="json", exclude={"artifact", *free})
    if isinstance(ended, Composed):
        data["artifact"] = {"digest": ended.artifact.digest, "paths": list(ended.artifact.manifest.paths)}
    return {**data, "exit_code": ended.exit_code}


def worst_first(judged: Iterable[Judgement]) -> list[Judgement]:
    """Return each gate's last word on an attempt: refusals first, then abstentions, then approvals; by gate."""
    last = {(j.reads, j.task, j.attempt, j.gate): j for j in judged}
    order = {"refused": 0, "abstained": 1, "approved": 2}
    return sorted(last.values(), key=lambda j: (order[j.verdict.kind], j.gate, j.attempt))
