"""Records of the workspace's own stream: what is stopped, granted, demanded, measured and erased; the base of records.

Keys have no record: their events are folded by `squads.ledger.keys.Registry`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from squads.contracts.base import Contract, Digest, Id, Name
from squads.contracts.resolved import Count

Subject = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""Whose content it is: an opaque id of a person or a packet, or of a name that packets were given."""

Ppm = Annotated[int, Field(ge=0, le=1_000_000)]
"""A share in parts per million."""


class Record(Contract):
    """The base of all receipts' bodies."""

    kind: ClassVar[str]
    workspace: Id


class StopRecord(Record):
    """Somebody stops the workspace, or one packet of it."""

    kind: ClassVar[str] = "stop"
    packet: Id | None = None
    """None stops the whole workspace."""
    author: Name
    content: Digest


class LiftRecord(Record):
    """A person lifts a stop, with a reason."""

    kind: ClassVar[str] = "lift"
    packet: Id | None = None
    author: Name
    content: Digest


class GrantRecord(Record):
    """The root grants a scope to a subject, until a time; `revoked` takes it back."""

    kind: ClassVar[str] = "grant"
    subject: str = Field(pattern=r"^[a-z]+(:[a-z][a-z0-9._-]{0,63})?$")
    """A role as keys hold it, such as `builder:carpenter`; people by their opaque id."""
    scope: str = Field(pattern=r"^[a-z-]+(:[a-z-]+)?$")
    """What it may do: the kind of receipt that it may sign, such as `waiver`."""
    expires_ms: Count | None = None
    revoked: bool = False


class PolicyRecord(Record):
    """The root says what this workspace demands from now on; each policy replaces the one before."""

    kind: ClassVar[str] = "policy"
    gate_custody: Literal["in-process", "daemon", "kms", "hsm"] = "in-process"
    """The weakest custody of a gate's key whose verdict counts."""
    end_level: Literal["checkpointed", "anchored"] = "checkpointed"
    """How far the receipts of a composed packet must have come before anybody is told that it composed."""
    refusal_level: Literal["checkpointed", "anchored"] = "checkpointed"
    """How far a refusal must have come before its author is told."""
    catch_ppm_min: Ppm = 0
    """The share of defects that a gate's record must say it catches, in parts per million; 0 demands none."""
    false_refusals_ppm_max: Ppm = 1_000_000
    """The share of what is right that it may refuse; 1,000,000 demands nothing."""

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what demands nothing: policies from before these fields read, and write, as they were signed."""
        said: dict[str, Any] = written(self)
        for name in ("catch_ppm_min", "false_refusals_ppm_max"):
            if said.get(name) == type(self).model_fields[name].default:
                del said[name]
        return said


class CalibrationRate(Contract):
    """What a gate was seen to do on the cases of one invariant."""

    invariant: Name
    held: bool
    """Whether the gate is there for this invariant: only then its defects count for its catch."""
    defects: Count
    caught: Count
    """Refused for the right reason in the right place."""
    caught_low_ppm: Ppm
    caught_high_ppm: Ppm
    """Where the true share lies, with a confidence of 95 percent (Wilson)."""
    clean: Count
    """Cases that are right, decoys among them."""
    refused: Count
    refused_low_ppm: Ppm
    refused_high_ppm: Ppm

    @model_validator(mode="after")
    def _parts(self) -> CalibrationRate:
        if self.caught > self.defects or self.refused > self.clean:
            raise ValueError(f"{self.invariant}: more is caught or refused than there are cases")
        return self


class CalibrationRecord(Record):
    """What a gate was measured to catch and to refuse wrongly; the newest record of a prior counts."""

    kind: ClassVar[str] = "calibration"
    gate: Name
    """What the run called it."""
    prior: Digest
    """Whose record it is: a gate of this prior, whatever it is called."""
    version: str = Field(pattern=r"^[!-~]{1,255}$")
    """The code that gave the verdicts."""
    rates: tuple[CalibrationRate, ...] = Field(min_length=1)
    cases: Digest
    """The set of cases."""
    run: Digest
    """The run's manifest."""
    ledger_root: Digest
    """The root of the run's ledger when it ended."""
    ledger_size: Count


class ErasureRecord(Record):
    """A person erases what is about one subject: its content is gone, and its receipts stay."""

    kind: ClassVar[str] = "erasure"
    subject: Subject
    """Whose content it was: a person's opaque id, a packet's id, or that of a subject that packets were given."""
    packets: tuple[Id, ...] = ()
    """The packets that belonged to the subject; all of them have ended. Many of them take several receipts."""
    author: Name
    """The opaque id of who erased it."""
