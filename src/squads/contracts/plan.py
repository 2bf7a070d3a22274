"""The coordinator's cut of a packet, and every role's right to refuse bad input."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from squads.contracts.base import Content, Digest, Document, Name
from squads.contracts.finding import NO_USAGE, Usage


class Task(Content):
    """One brief for one builder. Its name lives in content only; records know it by number."""

    name: str = Field(min_length=1, max_length=64)
    """How this plan speaks of it. A name that an amended plan keeps is the same task."""
    brief: str = Field(min_length=1)
    builder: Name
    after: tuple[str, ...] = ()
    """Names of the tasks whose approved artifacts it builds on."""
    gates: tuple[Name, ...] = ()
    """Gates in addition to the packet's; a plan may add gates, never remove one."""


class Plan(Document):
    """Tasks with dependencies; a directed acyclic graph."""

    kind: Literal["plan"] = "plan"
    tasks: tuple[Task, ...] = Field(min_length=1)
    usage: Usage = NO_USAGE


class Objection(Document):
    """A builder refuses a brief, or a coordinator a packet: why, and what would do instead."""

    kind: Literal["objection"] = "objection"
    reasons: tuple[str, ...] = Field(min_length=1)
    proposal: str = Field(min_length=1, max_length=4_000)
    usage: Usage = NO_USAGE


class Held(Content):
    """Whether one predicate of `done_when` holds, and the digest of what shows it."""

    predicate: Name
    holds: bool
    evidence: Digest


class Acceptance(Document):
    """The coordinator's end-to-end check of a composition. Its word can only refuse."""

    kind: Literal["acceptance"] = "acceptance"
    held: tuple[Held, ...] = ()
    """One answer for every predicate; a missing one counts as not holding."""
    reopen: tuple[str, ...] = ()
    """Names of the tasks to try again; naming one refuses the composition."""
    reasons: tuple[str, ...] = ()
    usage: Usage = NO_USAGE


class Statement(Document):
    """What a person wrote: the justification of an answer, the reason of a stop, a waiver's words."""

    kind: Literal["statement"] = "statement"
    text: str = Field(min_length=1, max_length=4_000)
