"""Roles as a packet freezes them: what each brings to its reading, which models may answer for it, what it may cost.

They stand inside the opening receipt and nowhere else. Whoever asks later how independent a verdict was reads it here.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from squads.contracts.base import Contract, Digest, Name, digest_of
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind

RoleKind = Literal["coordinator", "builder", "gate"]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""What JSON can say exactly everywhere; beyond it nothing can be signed."""
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$")]
"""A model as its provider calls it, such as `anthropic:claude-sonnet-5-5`; never free text."""


class ModelRecord(Contract):
    """One model that may answer for a role: how it is called, and what that is, whoever serves it."""

    called: ModelName
    """The model string, with its route: `bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0`."""
    name: ModelName
    """The model without route, date and version, for comparing: `claude-sonnet-4-5`. Equal names are one model."""
    family: ModelName | None = None
    """The family of its weights, such as `claude`; None where nobody knows, which is never another family."""


class MemberRecord(Contract):
    """One gate inside a panel: what it brings to its reading. Independence is asked of every member."""

    name: Name
    prior: Digest
    models: tuple[ModelRecord, ...] = ()
    """The models that may answer for it, the first choice first; empty for code."""


class RoleRecord(Contract):
    """A resolved role, frozen when the packet is opened."""

    name: Name
    kind: RoleKind
    prior: Digest
    """Covers card, class source, model and tools: two roles with one prior read with the same eyes."""
    reads: tuple[AttemptKind, ...] = ()
    """What a gate reads; empty for other roles."""
    refuse_at: Severity = Severity.MAJOR
    models: tuple[ModelRecord, ...] = ()
    """The models that may answer for it, the first choice first; empty for code. Any of them may have answered."""
    members: tuple[MemberRecord, ...] = ()
    """The gates that a panel is made of, panels inside it included; empty for other roles."""
    unsafe: bool = False
    """True for `UnsafeNoGate` and for panels that hold one: it approves without reading."""
    call_tokens_max: Count = 0
    """Reserved for each request; 0 for code."""
    call_microusd_max: Count = 0
    call_ms_max: Count = 0

    @cached_property
    def digest(self) -> str:
        """What names this frozen role: whoever answers for it must bring exactly this."""
        return digest_of(self.canonical())
