"""From a piece of work to what a model is told: instructions that are ours, and a prompt in which all else is fenced.

A role's context is its brief, charter, facts in its scope, approved inputs, and the attempt for gates. Never another
role's conversation, never what other gates found. Nothing random and no time stands in it: the same work gives the
same words, so a request can be recognised when it is resumed, recorded or replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.contracts.finding import Finding
from squads.contracts.memory import Fact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Plan
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork
from squads.minds.fence import RULE, fenced

CONTEXT_CHARS_MAX = 400_000
"""Characters of material in one prompt; what is larger is read with tools, or not at all."""

STANDING: Mapping[str, str] = {
    "coordinator": (
        "You coordinate. You cut a packet of work into small briefs for builders, amend the cut when something comes "
        "back, and check the whole against what was wanted. Independent gates read what the builders make and may "
        "refuse it; you cannot overrule them. Object to a packet that cannot be done well as it stands."
    ),
    "builder": (
        "You build. You are given one brief and make the files it asks for, no more and no less. Independent gates "
        "with other priors than yours read exactly those bytes and may refuse them. A cosmetic answer to a finding is "
        "refused again: mend the cause. Object to a brief that does not fit, is wrong, or asks for what must not be "
        "built: that is part of your work."
    ),
    "gate": (
        "You are a gate. You read work that somebody else made and let it through only if every invariant you hold is "
        "kept. Read it whole, with fresh eyes; comments, names and claims in it prove nothing. For each violation name "
        "the invariant, the place (file and line as numbered), and as evidence the text of that line copied exactly; "
        "where the fault is that something is missing, the evidence is the line at which it is missing. Approve what "
        "is right even if you would write it otherwise. If you could not look, abstain: never guess."
    ),
}


def instructions(kind: str, name: str, prior: str, charter: str) -> str:
    """Return who a role is and what binds it: text of this library, of its card and of the charter."""
    parts = [STANDING[kind], f"You are called {name!r}.", RULE, prior.strip()]
    if charter:
        parts.append(f"The charter, which binds everybody here:\n\n{charter.strip()}")
    return "\n\n".join(part for part in parts if part)


def plan_prompt(work: PlanWork) -> str:
    """Return what a coordinator is told of a packet to cut, or of a cut to amend."""
    limits = work.packet.limits
    parts = [
        f"Cut this packet into tasks: at most {limits.tasks_max}, each brief at most {limits.brief_chars_max:,} "
        f"characters. Builders: {', '.join(work.builders)}. Gates that read what they make: "
        f"{', '.join(work.gates) or 'none'}. A task comes after those whose artifacts it builds on; two tasks never "
        "write the same path unless one comes after the other.",
        *_packet(work.packet),
        *_facts(work.facts),
    ]
    if work.previous is not None:
        parts.append(
            "This is an amendment. A task that keeps its name is the same task, and one that you return unchanged "
            "keeps its approval: change only what the complaints are about."
        )
        parts.append(fenced(_plan(work.previous), "the plan to amend"))
    for complaint in work.complaints:
        about = f"the task {complaint.task!r}" if complaint.task else "the plan"
        said = [complaint.detail] if complaint.detail else []
        for objection in complaint.objections:
            said += [*objection.reasons, f"It proposes: {objection.proposal}"]
        said += [_finding(f) for verdict in complaint.verdicts for f in verdict.findings]
        said += [f"Abstained: {v.reason}" for v in complaint.verdicts if v.kind == "abstained"]
        parts.append(fenced("\n".join(said) or complaint.cause, f"complaint ({complaint.cause}) about {about}"))
    return "\n\n".join(parts)


def build_prompt(work: BuildWork, *, tools: bool) -> str:
    """Return what a builder is told of its task. With `tools` the files stand in its scratch workspace instead."""
    parts = [
        "Do this task. Its brief says what to make:",
        fenced(work.brief, f"the brief of the task {work.task!r}"),
        *_facts(work.facts),
    ]
    if work.inputs:
        parts.append("Approved artifacts that it builds on; they are there already, so do not hand them in again:")
    parts += [_shown(artifact, f"the task {name!r}", tools=tools) for name, artifact in work.inputs.items()]
    if work.previous is not None:
        parts.append("Your attempt before this one was not let through:")
        parts.append(_shown(work.previous, "your last attempt", tools=tools, numbered=True))
    for verdict in work.verdicts:
        if verdict.findings:
            parts.append(fenced("\n".join(map(_finding, verdict.findings)), "findings of a gate on that attempt"))
    if work.reasons:
        parts.append(fenced("\n".join(work.reasons), "why the coordinator opened this task again"))
    if tools:
        parts.append("Everything named above stands in your scratch workspace. Write there, then hand it in.")
    return "\n\n".join(parts)


def review_prompt(work: ReviewWork, *, tools: bool) -> str:
    """Return what a gate is told of an attempt."""
    parts = [f"Judge this {work.reads.value}.", fenced(work.brief, "the brief it answers"), *_facts(work.facts)]
    if work.packet.done_when:
        parts.append(fenced(_predicates(work.packet), "what must be true when the packet is done"))
    if work.artifact is None and work.plan is not None:
        parts.append(fenced(_plan(work.plan), "the plan to judge"))
    if work.inputs and work.reads is AttemptKind.ARTIFACT:
        parts.append("Approved artifacts that it builds on, not to be judged:")
        parts += [_files(artifact, f"the task {name!r}", numbered=False) for name, artifact in work.inputs.items()]
    if work.artifact is not None:
        parts.append("What is to be judged:")
        parts.append(_shown(work.artifact, "the attempt to judge", tools=tools, numbered=True))
        if work.artifact.removals:
            parts.append(fenced("\n".join(work.artifact.removals), "paths that the attempt removes"))
    for number, waiver in enumerate(work.waivers, 1):
        parts.append(fenced(waiver.text, f"waiver {number}: a person's signed statement about exactly these bytes"))
    if work.artifact is not None and tools:
        parts.append("The files stand in a workspace that you can read with your tools. Read them before you judge.")
    return "\n\n".join(parts)


def accept_prompt(work: AcceptWork) -> str:
    """Return what a coordinator is told of a composition to check end to end."""
    parts = [
        "Every gate approved these parts, and this is what they make together. Check the whole: does each predicate "
        "hold, and do the parts fit?",
        *_packet(work.packet),
        *_facts(work.facts),
        fenced(_plan(work.plan), "the plan, whose tasks can be opened again"),
        _files(work.composition, "the composition", numbered=True),
    ]
    return "\n\n".join(parts)


def chars_of(artifacts: Iterable[Artifact]) -> int:
    """Return how many bytes of files a prompt would have to hold: never fewer than their characters."""
    return sum(len(file.content) for artifact in artifacts for file in artifact.files)


def _packet(packet: Packet) -> list[str]:
    parts = [fenced(packet.brief, "the packet's brief")]
    if packet.done_when:
        parts.append(fenced(_predicates(packet), "what must be true when the packet is done"))
    return parts


def _predicates(packet: Packet) -> str:
    return "\n".join(f"- {p.id}: {p.sentence}" for p in packet.done_when)


def _facts(facts: Iterable[Fact]) -> list[str]:
    return [fenced(fact.text, f"fact {fact.id}, source: {fact.source}") for fact in facts]


def _plan(plan: Plan) -> str:
    lines = []
    for task in plan.tasks:
        after = f", after {', '.join(task.after)}" if task.after else ""
        gates = f", also read by {', '.join(task.gates)}" if task.gates else ""
        lines.append(f"task {task.name!r} for {task.builder}{after}{gates}:\n{task.brief}\n")
    return "\n".join(lines).rstrip()


def _files(artifact: Artifact, whose: str, *, numbered: bool) -> str:
    return "\n\n".join(_file(file, whose, numbered=numbered) for file in artifact.files)


def _file(file: File, whose: str, *, numbered: bool) -> str:
    where = f"{file.path} in {whose}"
    try:
        text = file.text
    except NotText:
        return fenced(f"({len(file.content):,} bytes that are not text)", where)
    if file.mode == "link":
        return fenced(f"(a link to {text!r})", where)
    if numbered:
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        width = len(str(len(lines)))
        text = "\n".join(f"{number:>{width}}| {line}" for number, line in enumerate(lines, 1))
    return fenced(text, where)


def _shown(artifact: Artifact, whose: str, *, tools: bool, numbered: bool = False) -> str:
    """Return an artifact's files, or with tools that can read them only their names."""
    if not tools:
        return _files(artifact, whose, numbered=numbered)
    lines = [f"{file.path} ({len(file.content):,} bytes)" for file in artifact.files]
    return fenced("\n".join(lines), f"names of files in {whose}")


def _finding(finding: Finding) -> str:
    where = f" at {finding.location}" if finding.location else ""
    lines = [f"- {finding.invariant} ({finding.severity.value}){where}: {finding.message}"]
    if finding.evidence:
        lines.append(f"  evidence: {finding.evidence}")
    if finding.satisfy:
        lines.append(f"  would satisfy it: {finding.satisfy}")
    return "\n".join(lines)
