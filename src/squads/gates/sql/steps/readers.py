"""Who still uses a name that a migration takes away, and whether a later step gives the name back."""

from __future__ import annotations

import re

from squads.gates.sql.model import TableName
from squads.gates.sql.steps.world import Walk


def name_comes_back(walk: Walk, table: str, column: str = "") -> bool:
    """Return whether a later step gives the old name back: a view, another table, a column beside the new one."""
    for acts in walk.acts[walk.at :]:
        for act in acts:
            if act.kind in ("create_view", "create_table") and act.table[1] == table:
                return not column or re.search(rf"\bas \"?{re.escape(column)}\b", act.text) is not None
            if act.kind == "rename_table" and act.other == table:
                return True
            if column and act.kind == "add_column" and act.table[1] == table and act.name == column:
                return True
            if column and act.kind == "create_view" and re.search(rf"\bas \"?{re.escape(column)}\b", act.text):
                return True
    return False


def reader(walk: Walk, table: TableName, column: str) -> str:
    """Return what reads a table, or a column of it, by its name; empty where nothing here does."""
    pattern = re.compile(rf"\b{re.escape(table[1])}\b", re.IGNORECASE)
    wanted = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE) if column else pattern
    replaced = {a.table[1] for acts in walk.acts for a in acts if a.kind == "create_routine"}
    for act in walk.old:
        standing = act.kind == "create_routine" and act.table[1] not in replaced
        if standing and pattern.search(act.text) and wanted.search(act.text):
            return f"the function {act.table[1]}"
    for path, text in walk.steps.code:
        if pattern.search(text) and wanted.search(text) and "def upgrade" not in text and "Migration(" not in text:
            return path
    granted = any(
        s.tokens[0].value == "grant" and any(t.value == table[1] for t in s.tokens) for s in walk.steps.before
    )
    return "a role that it is granted to" if granted else ""
