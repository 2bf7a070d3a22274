"""The packet: the unit of work that is handed over, with everything that bounds it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from squads.contracts.base import Content, Document, Id, Name
from squads.contracts.errors import BriefTooLong, InvalidInput


class AttemptKind(StrEnum):
    """What a gate may read."""

    PLAN = "plan"
    ARTIFACT = "artifact"
    COMPOSITION = "composition"


class Predicate(Content):
    """One line of `done_when`: something that must be true of the composition."""

    id: Name
    sentence: str = Field(min_length=1, max_length=1_000)
    check: Name | None = None
    """The required gate whose approval is the evidence; None when the coordinator must judge the sentence itself."""


class Limits(Content):
    """Every bound of a packet, with its unit in the name. Running into one is an outcome, not an exception."""

    brief_chars_max: int = Field(default=4_000, ge=1, le=100_000)
    """Characters of one brief; a small spec is the point."""
    tasks_max: int = Field(default=32, ge=1, le=200)
    """Tasks of one plan."""
    attempts_max: int = Field(default=3, ge=1, le=100)
    """Tries at one plan, at one task, and at the coordinator's end-to-end check."""
    objections_max: int = Field(default=3, ge=0, le=100)
    """Objections to briefs that the coordinator may answer with an amended plan, per packet."""
    amendments_max: int = Field(default=1, ge=0, le=100)
    """Amended plans after an exhausted task or paths that meet, per packet."""
    compositions_max: int = Field(default=3, ge=1, le=100)
    """Compositions that may be made, the first one included."""
    messages_max: int = Field(default=500, ge=1, le=100_000)
    """Requests, tickets and questions, per packet."""
    files_max: int = Field(default=1_000, ge=1, le=100_000)
    """Paths that one artifact writes or removes."""
    artifact_bytes_max: int = Field(default=10 * 1024 * 1024, ge=1, le=1024**3)
    """Bytes of one artifact's files together."""
    reply_ms_max: int = Field(default=600_000, ge=1, le=7 * 86_400_000)
    """How long one role may take for one answer."""
    packet_ms_max: int = Field(default=86_400_000, ge=1, le=366 * 86_400_000)
    """How long the packet may stay open, waits for people included."""


AccountKind = Literal["packet", "task", "role", "workspace"]
"""Whose budget something counts against."""


class Allowance(Content):
    """What may be spent. None is no limit of that kind."""

    tokens_max: int | None = Field(default=None, ge=0, le=2**53 - 1)
    """Tokens, in and out, of all replies together."""
    cost_microusd_max: int | None = Field(default=None, ge=0, le=2**53 - 1)
    """Millionths of a US dollar for all replies together."""
    wait_ms_max: int | None = Field(default=None, ge=0, le=2**53 - 1)
    """How long models may take over all replies together."""


class RoleAllowance(Allowance):
    """What one role may spend in one packet."""

    role: Name


class Budget(Allowance):
    """What a packet may spend: in all, on each of its tasks, and by role. An answer must fit every one of them."""

    task: Allowance | None = None
    """For each task: building it, and reading what was built."""
    roles: tuple[RoleAllowance, ...] = ()
    """For roles by name; a role that is not named here has no limit of its own."""

    @model_validator(mode="after")
    def _once(self) -> Budget:
        names = [allowed.role for allowed in self.roles]
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise InvalidInput(f"the budget names the role {twice!r} twice; name it once")
        return self


class WorkspaceBudget(Allowance):
    """What all packets of a workspace may spend together. Each sets its whole budget aside before it begins."""

    window: Literal["ever", "month", "day"] = "ever"
    """What is opened in one month or on one day (UTC) shares the limits; `ever` never begins anew."""


class ApprovalRule(Content):
    """When people must say yes to the composition: who, how many, how long it waits."""

    approvers: tuple[Name, ...] = Field(min_length=1)
    """Names of people whose keys the workspace knows."""
    quorum: int = Field(default=1, ge=1)
    """How many distinct people must approve; one denial refuses."""
    wait_ms_max: int = Field(default=86_400_000, ge=1, le=366 * 86_400_000)
    """After this long without a quorum the answer is no."""
    person_required: bool = False
    """True refuses answers given by a flag or a program instead of a person at a terminal or page."""

    @model_validator(mode="after")
    def _reachable(self) -> ApprovalRule:
        if len(set(self.approvers)) != len(self.approvers):
            raise InvalidInput(f"an approver is named twice in {', '.join(self.approvers)}; name each person once")
        if self.quorum > len(self.approvers):
            raise InvalidInput(
                f"a quorum of {self.quorum} out of {len(self.approvers)} approvers can never be met; "
                "lower `quorum` or name more approvers"
            )
        return self


class Packet(Document):
    """A unit of work: what is wanted, how we know it is done, which gates must approve, and what it may cost."""

    kind: Literal["packet"] = "packet"
    brief: str = Field(min_length=1)
    """What is wanted, in at most `limits.brief_chars_max` characters."""
    done_when: tuple[Predicate, ...] = ()
    gates: tuple[Name, ...] = ()
    """The required gates; empty means every gate of the squad."""
    limits: Limits = Limits()
    budget: Budget = Budget()
    approval: ApprovalRule | None = None
    """Who must say yes to the composition; None asks nobody."""
    follows: Id | None = None
    """An earlier packet that this one continues."""

    @model_validator(mode="after")
    def _bounded(self) -> Packet:
        if len(self.brief) > self.limits.brief_chars_max:
            raise BriefTooLong(
                f"the brief has {len(self.brief):,} characters and the limit is {self.limits.brief_chars_max:,}; "
                "cut it, or split the work into packets that follow each other"
            )
        for noun, names in (("gate", self.gates), ("predicate", tuple(p.id for p in self.done_when))):
            if len(set(names)) != len(names):
                twice = next(n for n in names if names.count(n) > 1)
                raise InvalidInput(f"the packet names the {noun} {twice!r} twice; name it once")
        return self
