"""One thing that a statement of a migration does: the noun that the rules about migrations ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from squads.gates.place import Place
from squads.gates.sql.lex import Token
from squads.gates.sql.model import TableName

NOWHERE: TableName = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a statement does."""

    kind: str
    table: TableName = NOWHERE
    """As it was written."""
    name: str = ""
    """The column, constraint or index it is about."""
    other: str = ""
    """A type, a new name, a mode, the kind of a constraint."""
    words: frozenset[str] = frozenset()
    """What is said besides: `concurrently`, `not valid`, `cascade`, `if exists`."""
    columns: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    """For UPDATE: (column, expression)."""
    where: str | None = None
    """The condition, None where there is none."""
    text: str = ""
    """The rest: an expression, a query, a block."""
    place: Place = field(compare=False)


def outside(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """Yield the words outside brackets."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
        elif not depth and token.kind == "word":
            yield at, token
