"""Which columns of before a migration may lose: those that it drops, writes, moves, or may take along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.gates.sql.rehearsal.script import Script, Shape, emptied
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.copies import moves_on
from squads.gates.sql.steps.reading import Steps
from squads.gates.sql.steps.world import Walk

_FILL_REST = re.compile(
    r"\b(?:back)?(?:fill|set|complete|take|copy|use|derive|look up|assign)\w*\b[^.;]{0,100}"
    r"(?:\b(?:have|has|had|hold|holds|with) (?:none|nothing|no \w+|null|an empty)\b|\bwithout (?:one|any|an?)\b"
    r"|\b(?:is|are|still|where|only) (?:it is |they are )?(?:still )?(?:empty|null|missing|unset)\b)",
    re.IGNORECASE,
)
NOT_LOST = re.compile(
    r"\b(?:no|not|nothing|never|none|without)\b[^.;]{0,40}\b(?:lost|lose|losing|loss)\b", re.IGNORECASE
)


def filled_where_empty(script: Script, brief: str) -> dict[str, frozenset[str]]:
    """Return the columns of each table that a brief wants filled only in rows that have nothing there, as steps do.

    The others keep what they have. Where nothing may get lost this holds for what points to another row only: a text
    beside another text tells more.
    """
    found: dict[str, set[str]] = {}
    if not _FILL_REST.search(brief):
        return {}
    for act in (a for acts in script.acts for a in acts if a.kind == "update" and a.table[1] in script.before):
        shape = script.before[act.table[1]]
        keys = {c for k in shape.references for c in k.columns}
        for column, _ in act.values:
            none = re.search(rf'\b{re.escape(column)}"? is null\b', act.where or "", re.IGNORECASE)
            free = column in shape.columns and column not in shape.not_null
            points = column in keys or column.endswith("_id")  # a model's foreign keys are not read
            if none and free and (points or not NOT_LOST.search(brief)):
                found.setdefault(shape.name, set()).add(column)
    return {table: frozenset(columns) for table, columns in found.items()}


def at_risk(script: Script, steps: Steps, names: dict[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the columns of before that a step takes away, writes or may take along."""
    walk = Walk(steps)
    for _, acts in walk.moments():
        if walk.at in script.plays:
            words = script.plays[walk.at].words()
            for touched in script.before.values():
                if touched.name in words:
                    yield from ((touched.name, c) for c in _told_columns(touched))
                    yield from _taken_along(script, touched.name)
        for act in acts:
            shape = script.before.get((names or {}).get(act.table[1], act.table[1]))
            if shape is None or not walk.existed(act.table):
                continue
            match act.kind:
                case "drop_column" | "alter_type" if act.name in shape.columns:
                    yield shape.name, act.name
                case "drop_table":
                    yield from ((shape.name, c) for c in _told_columns(shape))
                case "update":
                    yield from ((shape.name, c) for c, _ in act.values if c in shape.columns)
                case "truncate":
                    yield from (
                        (n, c) for n in emptied(script.before, shape.name) for c in _told_columns(script.before[n])[:2]
                    )
                case "delete" | "moved":
                    yield from _taken_along(script, shape.name)
                    if (
                        act.kind == "moved"
                        or _made_unique(script, act)
                        or any(moves_on(a) and shape.name in a.text.lower().split() for _, a in walk.earlier)
                    ):
                        yield from ((shape.name, c) for c in _told_columns(shape))


def _made_unique(script: Script, act: Act) -> bool:
    """Return whether some step makes several columns of the table unique."""
    return any(
        a.table[1] == act.table[1] and len(a.columns) > 1 and (a.other == "unique" or "unique" in a.words)
        for acts in script.acts
        for a in acts
    )


def _told_columns(shape: Shape) -> list[str]:
    keys = {c for k in shape.references for c in k.columns}
    return [c for c in shape.columns if c not in shape.primary and c not in keys and c not in shape.generated]


def _taken_along(script: Script, table: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    for name, shape in script.before.items():
        for key in shape.references:
            if key.to == table and name != table and key.on_delete == "cascade" and depth < 3:
                yield from ((name, c) for c in _told_columns(shape)[:2])
                yield from _taken_along(script, name, depth + 1)
