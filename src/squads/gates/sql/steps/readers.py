"""Who still uses a name that a migration takes away, and whether a later step gives the name back."""

from __future__ import annotations

import re

from squads.gates.sql.model import TableName
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.world import Walk

_STRINGS = re.compile(r"\"\"\"(.*?)\"\"\"|\"([^\"\n]*)\"", re.DOTALL)


def name_comes_back(walk: Walk, table: str, column: str = "") -> bool:
    """Return whether a later step gives the old name back: a view, another table, a column beside the new one."""
    for acts in walk.acts[walk.at :]:
        for act in acts:
            if act.kind in ("create_view", "create_table") and act.table[1] == table:
                return not column or _shows(act.text, column)
            if act.kind == "rename_table" and act.other == table:
                return True
            if column and act.kind == "rename_column" and act.table[1] == table and act.other == column:
                return True
            if column and act.kind == "add_column" and act.table[1] == table and act.name == column:
                return True
            if column and act.kind == "create_view" and _shows(act.text, column) and act.table[1] == table:
                return True
    return False


def _shows(text: str, column: str) -> bool:
    """Return whether a view has a column of that name."""
    return re.search(rf"\bas \"?{re.escape(column)}\b", text, re.IGNORECASE) is not None


def views_taken(walk: Walk, act: Act) -> list[str]:
    """Return the views that CASCADE takes along: those that read what is dropped, and those that read them."""
    if "cascade" not in act.words or act.kind == "drop_type":
        return []
    gone = {a.table[1] for _, a in walk.earlier if a.kind == "drop_view"}
    views = {a.table[1]: a.text for a in walk.old if a.kind == "create_view" and a.table[1] not in gone}
    taken: list[str] = []
    waiting = [act.table[1]]
    while waiting:
        name = waiting.pop()
        for view, text in views.items():
            if view in taken or view == act.table[1] or not re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE):
                continue
            column = act.name if act.kind == "drop_column" and name == act.table[1] else ""
            if not column or re.search(rf"\b{re.escape(column)}\b|\*", text, re.IGNORECASE):
                taken.append(view)
                waiting.append(view)
    return taken


def still_reads(walk: Walk, table: TableName, column: str) -> str:
    """Return what reads a column that is dropped: a function, or a program's SQL; empty where nothing does."""
    if name_comes_back(walk, table[1], column):
        return ""
    one, two = rf"\b{re.escape(table[1])}\b", rf"\b{re.escape(column)}\b"
    both = re.compile(rf"{one}[^;]{{0,240}}{two}|{two}[^;]{{0,240}}{one}", re.IGNORECASE)
    dropped = [a.name for acts in walk.acts for a in acts if a.kind == "drop_function"]
    replaced = {a.table[1] for acts in walk.acts for a in acts if a.kind == "create_routine"} | set(dropped)
    last = {a.table[1]: a.text for a in walk.old if a.kind == "create_routine"}
    for called, text in last.items():
        if called not in replaced and both.search(text):
            return f"the function {called}"
    for path, text in walk.steps.code:
        if "def upgrade" in text or "Migration(" in text:
            continue
        if any(both.search(m[1] or m[2] or "") for m in _STRINGS.finditer(text)):
            return path
    return ""


def reader(walk: Walk, table: TableName, column: str) -> str:
    """Return what reads a table, or a column of it, by its name; empty where nothing here does."""
    pattern = re.compile(rf"\b{re.escape(table[1])}\b", re.IGNORECASE)
    wanted = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE) if column else pattern
    replaced = {a.table[1] for acts in walk.acts for a in acts if a.kind == "create_routine"}
    mended = False
    for act in walk.old:
        if act.kind == "create_routine" and pattern.search(act.text) and wanted.search(act.text):
            if act.table[1] not in replaced:
                return f"the function {act.table[1]}"
            mended = True
    for path, text in walk.steps.code:
        if pattern.search(text) and wanted.search(text) and "def upgrade" not in text and "Migration(" not in text:
            return path
    granted = not mended and any(  # what reads it by functions alone was changed with it
        s.tokens[0].value == "grant" and any(t.value == table[1] for t in s.tokens) for s in walk.steps.before
    )
    return "a role that it is granted to" if granted else ""
