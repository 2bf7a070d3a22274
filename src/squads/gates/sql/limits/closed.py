"""Stores that nobody may write but one routine: what the routine covers is covered whoever writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from squads.gates.sql.limits.takings import Taking
from squads.gates.sql.model import Column, Schema, Table

_WRITES = frozenset(("insert", "update", "all"))


def closed(schema: Schema, table: Table, column: Column, every: Sequence[Taking], bare: Sequence[Taking]) -> bool:
    """Return whether a column is only taken from by SECURITY DEFINER routines that cannot take too much.

    Rights on the table must be written down, and nobody may be given the right to write the column.
    """
    mine = [t for t in every if t.down and (t.table, t.column) == (table.full_name, column.name)]
    if not mine or any(t in bare for t in mine) or not all(_definer(t) for t in mine):
        return False
    told = False
    for spoken in schema.spoken:
        tokens = spoken.statement.tokens
        words = [t.value for t in tokens]
        if words[0] not in ("grant", "revoke") or "on" not in words:
            continue
        on = words.index("on")
        about = words[on + 1 :]
        if table.name not in about and about[:2] != ["all", "tables"]:
            continue
        told = True
        if words[0] == "grant" and _given(words[1:on], column.name):
            return False
    return told


def _definer(taking: Taking) -> bool:
    return ("security", "definer") in pairwise(t.value for t in taking.body.statement.tokens)


def _given(words: Sequence[str], column: str) -> bool:
    """Return whether rights let somebody write a column: `UPDATE`, `UPDATE (balance)`, not `UPDATE (name)`."""
    for at, word in enumerate(words):
        if word not in _WRITES:
            continue
        if words[at + 1 : at + 2] != ["("] or column in words[at + 1 : words.index(")", at)]:
            return True
    return False
