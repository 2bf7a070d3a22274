"""Columns that Python takes from after asking whether enough is there: `if player.mana < cost: raise`, then `-=`.

Two requests at once both see enough. A row that is locked before it is read (`with_for_update`, `select_for_update`) is
seen to here, and an UPDATE that asks again in its own WHERE is no such pattern.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.python_modules import names_of_tables, normal
from squads.gates.sql.model import Schema, TableName
from squads.gates.sql.python.file import PythonFile

_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
_MAY_TAKE = re.compile(rb"-=|\.\w+\s*-\s*\w|\b[sS][eE][tT]\b")
_WORD = re.compile(r"[^\W\d]\w*")
_LESS = re.compile(r"(\w+)[\s\\()\"'nrtfbuFRBU]*-")  # a line may end between them, in a string as "\n" or with quotes
_TAKES = re.compile(r"\bset\b[^;]*?\b(\w+)\s*=\s*(?:\w+\.)?\1\s*-(?!>)", re.IGNORECASE | re.DOTALL)
_ASKS_AGAIN = re.compile(r"\bwhere\b.*(>=|>)", re.IGNORECASE | re.DOTALL)
_LOCKS = re.compile(r"for\s+(no\s+key\s+)?update|with_for_update|select_for_update|advisory", re.IGNORECASE)


def debited_in_python(artifact: Artifact, schema: Schema) -> dict[tuple[TableName, str], Place]:
    """Return the columns that functions take from after asking whether enough is there, and where they do."""
    found: dict[tuple[TableName, str], Place] = {}
    tables = names_of_tables(artifact, schema) if schema.tables else {}
    columns = {t.full_name: frozenset(c.name for c in schema.resolved(t).columns) for t in schema.tables}
    for file in artifact.matching("*.py") if tables else ():
        if _TESTS.search(file.path) or not _MAY_TAKE.search(file.content):
            continue
        try:
            meant = _meant(file.text, tables)
            if not _may_take(file.text, {c.lower() for full in meant for c in columns.get(full, ())}):
                continue
            python = PythonFile(file.path, file.text)
        except (CannotLook, NotText, RecursionError):
            continue
        names = {c for full in meant for c in columns.get(full, ())}
        if not any(name in names for name, _ in _taken(python.tree)):
            continue
        for function in ast.walk(python.tree):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            taken = [(name, node) for name, node in _taken(function) if name in names]
            if not taken or _LOCKS.search(ast.unparse(function)):
                continue
            asked = set(_asked(function))
            for name, node in taken:
                for table in schema.tables if name in asked else ():
                    if table.full_name in meant and name in columns[table.full_name]:
                        found.setdefault((table.full_name, name), python.source.place(*python.offsets(node)))
    return found


def _meant(text: str, tables: Mapping[str, set[TableName]]) -> set[TableName]:
    """Return the tables that a text has words for."""
    said = {normal(w) for w in frozenset(_WORD.findall(text))}
    return {full for word in said & tables.keys() for full in tables[word]}


def _may_take(text: str, columns: set[str]) -> bool:
    """Return whether something is subtracted from what is called like one of `columns`."""
    return bool(columns) and any(word.lower() in columns for word in _LESS.findall(text))


def _taken(function: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt]]:
    """Yield the columns that a function sets to themselves less something."""
    for node in ast.walk(function):
        match node:
            case ast.AugAssign(op=ast.Sub(), target=ast.Attribute(attr=name)):
                yield name, node
            case ast.Assign(
                targets=[ast.Attribute(attr=name)], value=ast.BinOp(op=ast.Sub(), left=ast.Attribute(attr=other))
            ) if name == other:
                yield name, node
            case ast.Constant(value=str() as text) if (told := _TAKES.search(text)) and not _ASKS_AGAIN.search(text):
                yield told[1].lower(), node


def _asked(function: ast.AST) -> Iterator[str]:
    """Yield the names that a function compares before it gives up."""
    for node in ast.walk(function):
        if not isinstance(node, ast.If) or not any(isinstance(s, (ast.Raise, ast.Return)) for s in node.body):
            continue
        for part in ast.walk(node.test):
            if isinstance(part, ast.Compare) and any(
                isinstance(o, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for o in part.ops
            ):
                for side in ast.walk(part):
                    match side:
                        case ast.Name(id=name) | ast.Attribute(attr=name):
                            yield name
                        case ast.Subscript(slice=ast.Constant(value=str() as name)):
                            yield name
