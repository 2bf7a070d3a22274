"""What is known beyond one packet: facts with their source and scope, and what of them one role is told.

A fact without a source is hearsay, so it does not construct. Who may read which scope is decided before anything is
ranked; see `squads.memory`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from squads.contracts.base import Content, Document

EVERYBODY = "all"
"""The scope that every role may read."""
CHARTER_CHARS_MAX = 16_000
"""Characters of a charter: what binds everybody must be short enough to be read by everybody."""
FACT_CHARS_MAX = 2_000

Scope = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,63}(:[a-z][a-z0-9._-]{0,63})?$")]
"""`all`, a kind of role (`gate`), one role (`gate:schema`), or a topic that a card lists (`sql`)."""
FactId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]


class Fact(Content):
    """One thing that was found out once, with where it comes from."""

    id: FactId
    """How a role cites it; the same text keeps its id."""
    text: str = Field(min_length=1, max_length=FACT_CHARS_MAX)
    source: str = Field(min_length=1, max_length=FACT_CHARS_MAX)
    """Where it comes from: a document, a measurement, a packet."""
    scope: Scope = EVERYBODY
    """Who may read it."""


class Recalled(Document):
    """What one role is told besides its work; sealed, and its digest is part of what the role saw."""

    kind: Literal["recalled"] = "recalled"
    charter: str = Field(default="", max_length=CHARTER_CHARS_MAX)
    facts: tuple[Fact, ...] = ()
