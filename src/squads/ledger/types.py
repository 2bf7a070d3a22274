"""The one table of receipt kinds: in which stream each stands, which way it goes, and whose key may sign it.

Kernel, verifier, diagrams and documents read this table; nothing may keep a second one. It must never grow
logic: a rule that needs more than a role's kind belongs to the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

StreamKind = Literal["workspace", "packet"]
Direction = Literal["input", "output"]

BARE_ROLES: Final = frozenset({"root", "runner", "program"})
"""Role kinds that stand alone: a workspace has them once, by key and not by name."""
NAMED_ROLES: Final = frozenset({"coordinator", "builder", "gate", "human"})
"""Role kinds that are written `<kind>:<name>`."""
ROLE_KINDS: Final = BARE_ROLES | NAMED_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table."""

    name: str
    stream: StreamKind
    """Whose history it belongs to."""
    direction: Direction
    """An input is signed by its author and fed to replay;

    An output is signed by the runner and demanded of it.
    """
    signers: frozenset[str]
    """The role kinds that may sign it."""


_TABLE: Final[tuple[tuple[str, StreamKind, Direction, frozenset[str]], ...]] = (
    # The workspace's own stream. All are inputs: authority comes from outside the rules.
    ("log-open", "workspace", "input", frozenset({"root"})),
    ("key-event", "workspace", "input", frozenset({"root"})),
    ("grant", "workspace", "input", frozenset({"root"})),
    ("policy", "workspace", "input", frozenset({"root"})),
    ("calibration", "workspace", "input", frozenset({"root", "human"})),
    # Only a person decides that somebody's content goes.
    ("erasure", "workspace", "input", frozenset({"human"})),
    # Anyone may stop, only a person lifts.
    ("stop", "workspace", "input", ROLE_KINDS),
    ("lift", "workspace", "input", frozenset({"human"})),
    # A packet's stream, inputs.
    ("opened", "packet", "input", frozenset({"human", "program"})),
    ("plan", "packet", "input", frozenset({"coordinator"})),
    ("objection", "packet", "input", frozenset({"coordinator", "builder"})),
    ("artifact", "packet", "input", frozenset({"builder"})),
    ("verdict", "packet", "input", frozenset({"gate"})),
    ("acceptance", "packet", "input", frozenset({"coordinator"})),
    ("answer", "packet", "input", frozenset({"human"})),
    ("waiver", "packet", "input", frozenset({"human"})),
    # What only the runner can observe, and replay cannot derive.
    ("fault", "packet", "input", frozenset({"runner"})),
    ("deadline", "packet", "input", frozenset({"runner"})),
    # A packet's stream, outputs: replay must produce the same.
    ("assignment", "packet", "output", frozenset({"runner"})),
    ("ticket", "packet", "output", frozenset({"runner"})),
    ("question", "packet", "output", frozenset({"runner"})),
    ("composition", "packet", "output", frozenset({"runner"})),
    ("equivocation", "packet", "output", frozenset({"runner"})),
    ("finish", "packet", "output", frozenset({"runner"})),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        name: Kind(name=name, stream=stream, direction=direction, signers=signers)
        for name, stream, direction, signers in _TABLE
    }
)
"""Every receipt kind by name. A kind that is not here is refused everywhere."""
