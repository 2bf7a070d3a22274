"""One thing that a migration loses: the noun of `migration.destroys`."""

from __future__ import annotations

from dataclasses import dataclass

from squads.gates.place import Place


@dataclass(frozen=True, slots=True)
class Lost:
    """One thing that is lost."""

    place: Place
    message: str
    satisfy: str
    certain: bool = True
    """Whether it refuses; else it is a note."""
