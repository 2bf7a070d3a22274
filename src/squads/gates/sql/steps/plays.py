"""Python code of a migration that changes rows in a way of its own, kept so that it can be played on made rows."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import islice

from squads.gates.sql.python.django import State
from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.scope import Scope

_NODES_MAX = 2_000
PLAY = "squads_play"
"""Stands for code that is played: its argument is the key of the play."""


@dataclass(frozen=True, slots=True)
class Known:
    """What Django knows of a model at the moment of a play."""

    table: str
    columns: dict[str, str]
    relations: dict[str, str]
    many: dict[str, tuple[str, str, str, str]]
    key: str


@dataclass(slots=True)
class Play:
    """Some statements of a file that run at one step."""

    file: PythonFile
    body: list[ast.stmt]
    scope: Scope
    given: tuple[str, ...] = ()
    """The names of the parameters of a whole function, where it is one of Django's."""
    whole: bool = False
    models: dict[tuple[str, str], Known] = field(default_factory=dict)
    lines: frozenset[int] = frozenset()
    """The lines whose statements are played with it."""

    def text(self) -> str:
        """Return the code, with texts in the quotes of SQL, and what it looks up in tables of constants."""
        shown = [ast.unparse(s).replace("==", "=").replace('"', "'") for s in self.body]
        functions = [
            s for s in self.file.tree.body if isinstance(s, ast.FunctionDef) and s.name not in ("upgrade", "downgrade")
        ]
        for node in (n for s in (*self.body, *functions) for n in islice(ast.walk(s), _NODES_MAX)):
            asked, table = _looked_up(node)
            if asked is None or table is None:
                continue
            known = self.scope.value(table)
            keys = [k for k in known if isinstance(k, str)] if isinstance(known, (dict, list)) else []
            if keys:
                quoted = ", ".join("'" + k.replace("'", "''") + "'" for k in keys[:40])
                names = {getattr(n, "attr", getattr(n, "id", getattr(n, "value", None))) for n in ast.walk(asked)}
                shown += [f"{n} in ({quoted})" for n in sorted(str(n) for n in names) if n.isidentifier()]
        return " ; ".join(shown)

    def words(self) -> set[str]:
        """Return the words in the code, and in what it calls in its file."""
        texts = [ast.unparse(s) for s in self.body]
        texts += [ast.unparse(s) for s in self.file.tree.body if not isinstance(s, (ast.ClassDef, ast.Import))]
        found = {w for t in texts for w in _words(t)}
        return found | {k.table for (_, model), k in self.models.items() if model in found}


def _looked_up(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """Return what is looked up in a table of constants, and that table."""
    match node:
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[asked, *_]):
            return asked, table
        case ast.Subscript(value=table, slice=asked, ctx=ast.Load()) if not isinstance(asked, ast.Constant):
            return asked, table
        case ast.Compare(left=asked, ops=[ast.In() | ast.NotIn()], comparators=[table]):
            return asked, table
    return None, None


def _words(text: str) -> set[str]:
    made = "".join(c if c.isalnum() or c == "_" else " " for c in text).replace("__", " ")
    return {*made.split(), *made.lower().split()}


def lines_of(nodes: list[ast.stmt] | list[ast.AST]) -> frozenset[int]:
    """Return the lines that nodes stand in."""
    found: set[int] = set()
    for node in nodes:
        start = getattr(node, "lineno", 0)
        found |= set(range(start, (getattr(node, "end_lineno", start) or start) + 1))
    return frozenset(found)


def copied(scope: Scope) -> Scope:
    """Return a scope with the names as they are now."""
    made = Scope(scope.file, scope.parent)
    made.names = dict(scope.names)
    return made


def known_models(state: State) -> dict[tuple[str, str], Known]:
    """Return what is known of the models now."""
    tables = {key: m.table for key, m in state.models.items()}

    def table(app: str, to: str) -> str:
        parts = to.lower().split(".")
        return tables.get((parts[0], parts[1]) if len(parts) == 2 else (app, parts[0]), to.lower().replace(".", "_"))

    made: dict[tuple[str, str], Known] = {}
    for (app, called), model in state.models.items():
        relations = {c: model.table if to == "self" else table(app, to) for c, (to, _) in model.relations.items()}
        many = {}
        for name, to in model.many.items():
            other = to.lower().rpartition(".")[2]
            many[name] = (f"{model.table}_{name}", f"{called}_id", f"{other}_id", table(app, to))
        made[app, called] = Known(model.table, dict(model.columns), relations, many, model.key)
    return made


def actions(state: State) -> dict[str, dict[str, tuple[str, str]]]:
    """Return for each table its columns that refer to rows: (table, what happens to the row when that one goes)."""
    made: dict[str, dict[str, tuple[str, str]]] = {}
    known = known_models(state)
    for key, model in state.models.items():
        for column, (_, action) in model.relations.items():
            to = known[key].relations[column]
            made.setdefault(model.table, {})[column] = (
                to,
                {"CASCADE": "cascade", "SET_NULL": "set null"}.get(action, ""),
            )
    return made
