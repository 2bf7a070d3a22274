"""Records of the workspace's own stream: what is stopped, granted, demanded and erased; and the base of all records.

Keys have no record: their events are folded by `squads.ledger.keys.Registry`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from squads.contracts.base import Contract, Digest, Id, Name
from squads.contracts.resolved import Count

Subject = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""Whose content it is: an opaque id of a person or a packet, or of a name that packets were given."""


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


class ErasureRecord(Record):
    """A person erases what is about one subject: its content is gone, and its receipts stay."""

    kind: ClassVar[str] = "erasure"
    subject: Subject
    """Whose content it was: a person's opaque id, a packet's id, or that of a subject that packets were given."""
    packets: tuple[Id, ...] = ()
    """The packets that belonged to the subject; all of them have ended. Many of them take several receipts."""
    author: Name
    """The opaque id of who erased it."""
