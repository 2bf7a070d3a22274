"""Verdicts: a gate's one answer to one ticket. Only `Approved` lets anything through."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from squads.contracts.base import Content, Digest, Document, Name
from squads.contracts.finding import NO_USAGE, Finding, FindingCounts, Usage


class Cited(Content):
    """One member's verdict, as the verdict of its panel cites it."""

    name: Name
    decision: Literal["approved", "refused", "abstained"]
    looked: int = Field(ge=0)
    findings: FindingCounts


class Approved(Document):
    """The gate looked and lets these bytes through. Findings below its `refuse_at` ride along as notes."""

    kind: Literal["approved"] = "approved"
    looked: int = Field(default=1, ge=0)
    """How many files it read. Where every required gate read none, nothing composes: nobody looked."""
    notes: tuple[Finding, ...] = ()
    waivers: tuple[Digest, ...] = ()
    """Human waivers it cites; each must be for exactly these bytes, unexpired, and not cited before."""
    members: tuple[Cited, ...] = ()
    """What each member of a panel said; empty for a single gate."""
    usage: Usage = NO_USAGE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The notes, under the name that all verdicts share."""
        return self.notes


class Refused(Document):
    """The gate looked and refuses: at least one finding, each with what would satisfy it."""

    kind: Literal["refused"] = "refused"
    findings: tuple[Finding, ...] = Field(min_length=1)
    looked: int = Field(default=1, ge=0)
    members: tuple[Cited, ...] = ()
    usage: Usage = NO_USAGE

    @property
    def waivers(self) -> tuple[Digest, ...]:
        """A refusal cites none."""
        return ()


class Abstained(Document):
    """The gate could not look, and says why. It lets nothing through."""

    kind: Literal["abstained"] = "abstained"
    reason: str = Field(min_length=1, max_length=4_000)
    members: tuple[Cited, ...] = ()
    usage: Usage = NO_USAGE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """None: it could not look."""
        return ()

    @property
    def looked(self) -> int:
        """No file was read to the end."""
        return 0

    @property
    def waivers(self) -> tuple[Digest, ...]:
        """An abstention cites none."""
        return ()


Verdict = Approved | Refused | Abstained
