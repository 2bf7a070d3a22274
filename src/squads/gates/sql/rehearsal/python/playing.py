"""Plays the Python of a migration on the rows of a stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from squads.gates.sql.rehearsal.python.alchemy import Rows
from squads.gates.sql.rehearsal.python.asking import Model, Models
from squads.gates.sql.rehearsal.python.library import Libraries
from squads.gates.sql.rehearsal.python.machine import Machine
from squads.gates.sql.rehearsal.python.orm import Apps
from squads.gates.sql.rehearsal.value import NotKnown, Value
from squads.gates.sql.steps.plays import Play

_NODES = 25
"""How many nodes of a tree count as a thousand steps of SQLite."""


@dataclass(slots=True)
class Player:
    """Plays one run; what names hold lasts from one play of a file to the next."""

    rows: Rows
    spend: Callable[[int], None]
    lines: list[tuple[int, str]] = field(default_factory=list)
    """The line of each statement that changed rows, with that statement."""
    _machines: dict[str, Machine] = field(default_factory=dict)
    _nodes: int = 0

    def play(self, play: Play) -> None:
        """Run the code of one play. Raises `Stops` and `NotKnown`."""
        models = Models({k: Model(m.table, m.columns, m.relations, m.many, m.key) for k, m in play.models.items()})
        machine = self._machines.get(play.file.path)
        if machine is None or play.whole:
            machine = Machine(Libraries(_Marked(self, lambda: machine), models, self.spend), {}, self._node)  # type: ignore[arg-type]
            self._machines[play.file.path] = machine
        known: dict[str, Any] | None = None
        if play.whole:
            apps = Apps(models, _Marked(self, lambda: machine))
            known = dict.fromkeys(play.given[:2], apps)
            if len(play.given) > 2:
                raise NotKnown
        try:
            machine.play(play.body, play.scope, known)
        except (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError):
            raise NotKnown from None  # a use of a library that nobody thought of

    def _node(self) -> None:
        self._nodes += 1
        if self._nodes % _NODES == 0:
            self.spend(1)


@dataclass(slots=True)
class _Marked:
    """The rows, with a note of the line of each change."""

    player: Player
    machine: Callable[[], Machine | None]

    def asked(self, text: str, given: dict[str, Value]) -> list[dict[str, Value]]:
        """Return the rows that a statement gives."""
        return self.player.rows.asked(text, given)

    def did(self, text: str, given: dict[str, Value]) -> int:
        """Change rows; return how many."""
        machine = self.machine()
        self.player.lines.append((getattr(machine.at if machine else None, "lineno", 0), text))
        return self.player.rows.did(text, given)
