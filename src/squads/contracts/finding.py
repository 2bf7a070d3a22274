"""What a gate found: the invariant, where, how bad, and what would satisfy it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from squads.contracts.base import Content, Contract, Name


class Severity(StrEnum):
    """How bad a finding is; members compare by weight, so `Severity.MAJOR >= Severity.MINOR`."""

    NOTE = "note"
    MINOR = "minor"
    MAJOR = "major"
    BLOCKER = "blocker"

    @property
    def weight(self) -> int:
        """0 for a note up to 3 for a blocker."""
        return _WEIGHTS[self.value]

    def __ge__(self, other: str) -> bool:
        return self.weight >= Severity(other).weight

    def __gt__(self, other: str) -> bool:
        return self.weight > Severity(other).weight

    def __le__(self, other: str) -> bool:
        return self.weight <= Severity(other).weight

    def __lt__(self, other: str) -> bool:
        return self.weight < Severity(other).weight


_WEIGHTS = {"note": 0, "minor": 1, "major": 2, "blocker": 3}


class Location(Content):
    """A place in an artifact; lines and columns count from 1."""

    path: str
    """The file's path inside the artifact."""
    line: int | None = Field(default=None, ge=1)
    column: int | None = Field(default=None, ge=1)
    end_line: int | None = Field(default=None, ge=1)

    def __str__(self) -> str:
        return ":".join(str(p) for p in (self.path, self.line, self.column) if p is not None)


class Finding(Content):
    """One violation of one invariant."""

    invariant: Name
    """The id of the rule that does not hold, such as `sql.unique-null`."""
    severity: Severity = Severity.MAJOR
    message: str = Field(min_length=1, max_length=4_000)
    """What is wrong, as one sentence about this artifact."""
    location: Location | None = None
    evidence: str = Field(default="", max_length=4_000)
    """The text that shows it, copied from the artifact; an anchor where the fault is an absence."""
    satisfy: str = Field(default="", max_length=4_000)
    """What would satisfy the invariant here."""
    unanchored: bool = False
    """True when its evidence is not found where it says; a host sets it."""


class Invariant(Content):
    """A named rule that must hold, with what a person needs to believe it."""

    id: Name
    statement: str
    """What holds, as one sentence."""
    why: str
    """What happens to whom when it does not hold."""
    severity: Severity = Severity.MAJOR
    cwe: int | None = None
    """The Common Weakness Enumeration's number, where one fits."""
    refused: str
    """An example that violates it."""
    approved: str
    """The same example, mended."""
    origin: str
    """Where the rule comes from."""


class FindingCounts(Contract):
    """How many findings of each severity: what a record may say of them."""

    note: int = Field(default=0, ge=0)
    minor: int = Field(default=0, ge=0)
    major: int = Field(default=0, ge=0)
    blocker: int = Field(default=0, ge=0)
    unanchored: int = Field(default=0, ge=0)
    """How many of them have evidence that is not found where they say."""

    @classmethod
    def of(cls, findings: tuple[Finding, ...]) -> Self:
        """Count `findings` by severity, and those without an anchor."""
        counts: dict[str, int] = {}
        for finding in findings:
            counts[finding.severity.value] = counts.get(finding.severity.value, 0) + 1
            if finding.unanchored:
                counts["unanchored"] = counts.get("unanchored", 0) + 1
        return cls(**counts)

    @property
    def total(self) -> int:
        """All findings, of every severity."""
        return self.note + self.minor + self.major + self.blocker


class Usage(Content):
    """What a reply cost. Code costs nothing; a model's adapter fills it in."""

    tokens: int = Field(default=0, ge=0, le=2**53 - 1)
    cost_microusd: int = Field(default=0, ge=0, le=2**53 - 1)
    """Millionths of a US dollar."""
    calls: int = Field(default=0, ge=0, le=2**53 - 1)
    """How many replies of models it took."""
    wait_ms: int = Field(default=0, ge=0, le=2**53 - 1)
    """Milliseconds that those replies took, one after another."""

    def plus(self, other: Usage) -> Usage:
        """Return both together; more than a record can say is said as the most that it can."""
        # Without validation: both sides were checked, and this is on the way of every reply.
        names = ("tokens", "cost_microusd", "calls", "wait_ms")
        return Usage.model_construct(**{n: min(getattr(self, n) + getattr(other, n), 2**53 - 1) for n in names})

    @model_validator(mode="after")
    def _calls_cover_tokens(self) -> Self:
        if self.tokens and not self.calls:
            raise ValueError("tokens without a call: set `calls` to how many requests they came from")
        return self


NO_USAGE = Usage.model_construct(tokens=0, cost_microusd=0, calls=0, wait_ms=0)
