"""What text an expression makes, as far as the artifact fixes it: pieces that are joined, decoded, reversed, formatted.

What is not fixed stands in the text as `UNKNOWN`; where nothing of it is, there is no text.
"""

from __future__ import annotations

import ast

from squads.gates.python import Program
from squads.gates.secrets.functions import DECODERS
from squads.gates.secrets.live import UNKNOWN
from squads.gates.secrets.machine import Machine
from squads.gates.secrets.pure import written
from squads.gates.secrets.world import World

__all__ = ["DECODERS", "Texts"]


class Texts:
    """Reads texts out of one program, and remembers which literals each was made of."""

    def __init__(self, program: Program) -> None:
        self._machine = Machine(program, World())
        self.used: list[ast.Constant] = []
        """The literals that the last text was made of."""

    def text(self, node: ast.expr) -> str | None:
        """Return the text or the bytes (as Latin-1) that `node` makes."""
        self._machine.begin(1_500)
        value = self._machine.value(node)
        self.used = list(dict.fromkeys(self._machine.used))
        found = written(value) if isinstance(value, str | bytes) else None
        return found if found and found.strip(UNKNOWN) else None
