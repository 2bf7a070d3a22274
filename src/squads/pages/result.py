"""What `squads gate` found, in the shape that the writers for other tools share.

Only what the outcome and its verdicts say; a writer may leave something out for want of room, and then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from squads.contracts.finding import Finding, Invariant
from squads.contracts.outcome import Judgement, NotComposed, Outcome
from squads.pages.text import counted, decoded


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One gated change."""

    title: str
    """What was judged, in a few words."""
    outcome: Outcome
    said: str
    """How it ended, as one sentence."""
    judgements: tuple[Judgement, ...]
    """Each gate's last word, refusals first."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    removals: tuple[str, ...] = ()
    invariants: Mapping[str, Invariant] = field(default_factory=dict)
    """What is known of the rules, by id."""
    version: str = ""

    @property
    def anchor(self) -> str:
        """The path that a finding without a place is shown at: the first one of the change."""
        return min((*self.files, *self.removals), default="unknown")

    @property
    def unexplained(self) -> bool:
        """True where it did not compose and no verdict says why: nobody may take that for silence."""
        explained = any(j.verdict.kind in ("refused", "abstained") for j in self.judgements)
        return self.outcome.kind != "composed" and not explained

    @property
    def words(self) -> tuple[str, ...]:
        """What was said besides verdicts."""
        return self.outcome.words if isinstance(self.outcome, NotComposed) else ()

    def line(self, path: str, number: int) -> str | None:
        """Return one line of a file, or None where there is none that could be read."""
        text = decoded(self.files.get(path, b"")) or ""
        lines = text.split("\n")
        return lines[number - 1].rstrip("\r") if 1 <= number <= len(lines) and path in self.files else None


def words_of(judged: Judgement) -> str:
    """Return a verdict in a few words."""
    verdict = judged.verdict
    if verdict.kind == "refused":
        return f"refused: {counted(len(verdict.findings), 'finding')}"
    if verdict.kind == "abstained":
        return f"abstained: {verdict.reason}"
    if verdict.looked == 0:
        return "had nothing of its kind to read"
    return f"approved: {counted(verdict.looked, 'file')} read"


def place_of(finding: Finding) -> str:
    """Return a finding's place with a colon behind it, or nothing."""
    return f"{finding.location}: " if finding.location else ""


def by_gate(judgements: Iterable[Judgement]) -> dict[str, list[Judgement]]:
    """Return the judgements of each gate, gates by name."""
    found: dict[str, list[Judgement]] = {}
    for judged in sorted(judgements, key=lambda j: j.gate):
        found.setdefault(judged.gate, []).append(judged)
    return found
