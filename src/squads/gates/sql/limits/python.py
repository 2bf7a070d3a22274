"""What functions in Python take out of columns, add to them, or add up: `if player.mana < cost: raise`, then `-=`.

Two requests at once both see enough. A row that is locked before it is read (`with_for_update`, `select_for_update`),
and an UPDATE that asks again in its own WHERE, are seen to here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.python_modules import names_of_tables, normal
from squads.gates.sql.model import Schema, TableName
from squads.gates.sql.python.file import PythonFile

_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
_MAY_TAKE = re.compile(rb"[-+]=|\.\w+\s*[-+]\s*\w|\b[sS][eE][tT]\b|\)\s*[-+]\s*\w")
_WORD = re.compile(r"[^\W\d]\w*")
_LESS = re.compile(
    r"(\w+)[\s\\()\"'nrtfbuFRBU]*[-+]"
)  # a line may end between them, in a string as "\n" or with quotes
_TAKES = re.compile(r"\bset\b[^;]*?\b(\w+)\s*=\s*(?:\w+\.)?\1\s*([-+])(?!>)", re.IGNORECASE | re.DOTALL)
_MAY_SUM = re.compile(rb"\b[sS][uU][mM]\(")
_SUMS = re.compile(r"\bsum\s*\([^;]*?\bfrom\s+(?:\w+\.)?\"?(\w+)", re.IGNORECASE | re.DOTALL)
_ADDS = re.compile(r"\binsert\s+into\s+(?:\w+\.)?\"?(\w+)", re.IGNORECASE)
_CREATES = re.compile(r"\b(\w+)\.objects\.(?:a?create|bulk_create)\b")
_SERIALIZABLE = re.compile(r"serializable|begin\s+(?:immediate|exclusive)", re.IGNORECASE)
_UPDATES = re.compile(r"\bupdate\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)", re.IGNORECASE)
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_LOCKS = re.compile(
    r"for\s+(no\s+key\s+)?update|with_for_update(?!\(read=True)|select_for_update|advisory|lock\s+table\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A column that a function in Python takes from, or adds to."""

    table: TableName
    column: str
    place: Place
    asked: frozenset[str]
    """The names that the function compares before it gives up."""
    down: bool
    """Whether it takes from the column; else it adds to it."""
    covered: bool
    """Whether the row is locked before it is read, or the statement asks again itself."""


def taken_in_python(artifact: Artifact, schema: Schema) -> list[Taken]:
    """Return the columns that functions take from or add to, and whether it may be too much."""
    found: list[Taken] = []
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
        if not any(name in names for name, *_ in _taken(python.tree)):
            continue
        for function in ast.walk(python.tree):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            taken = [t for t in _taken(function) if t[0] in names]
            if not taken:
                continue
            locked = _LOCKS.search(ast.unparse(function)) is not None
            asked = frozenset(_asked(function))
            for name, node, again, down in taken:
                full = [f for f in columns if f in meant and name in columns[f]]
                said = {normal(w) for w in _about(node)} & tables.keys()
                named = {f for word in said for f in tables[word]} & set(full)
                found += [
                    Taken(f, name, python.source.place(*python.offsets(node)), asked, down, locked or again)
                    for f in full
                    if f in named or not named
                ]
    return found


def _meant(text: str, tables: Mapping[str, set[TableName]]) -> set[TableName]:
    """Return the tables that a text has words for."""
    said = {normal(w) for w in frozenset(_WORD.findall(text))}
    return {full for word in said & tables.keys() for full in tables[word]}


def _may_take(text: str, columns: set[str]) -> bool:
    """Return whether something is subtracted from, or added to, what is called like one of `columns`."""
    return bool(columns) and any(word.lower() in columns for word in _LESS.findall(text))


def _taken(function: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, bool, bool]]:
    """Yield the columns that a function sets to themselves, whether the statement asks again, and whether less."""
    for node in ast.walk(function):
        match node:
            case ast.AugAssign(op=ast.Sub() | ast.Add(), target=ast.Attribute(attr=name)):
                yield name, node, False, isinstance(node.op, ast.Sub)
            case ast.Assign(
                targets=[ast.Attribute(attr=name)], value=ast.BinOp(op=ast.Sub() | ast.Add(), left=left)
            ) if name == _named(left):
                yield name, node, False, isinstance(node.value.op, ast.Sub)  # type: ignore[attr-defined]
            case ast.Constant(value=str() as text) if told := _TAKES.search(text):
                yield told[1].lower(), node, _asks_again(text, told[1]), told[2] == "-"
            case ast.Call(func=ast.Attribute(attr="update" | "values"), keywords=given):
                for keyword in given:
                    if isinstance(keyword.value, ast.BinOp) and isinstance(keyword.value.op, (ast.Sub, ast.Add)):
                        name = keyword.arg or ""
                        if name and name == _named(keyword.value.left):
                            asks = _filtered(ast.unparse(node.func), name)
                            yield name, node, asks, isinstance(keyword.value.op, ast.Sub)


def _about(node: ast.AST) -> list[str]:
    """Return the words that say what is changed: the table of UPDATE, the model of a query, the name of an object."""
    match node:
        case ast.Constant(value=str() as text):
            return _UPDATES.findall(text)
        case ast.AugAssign(target=ast.Attribute(value=owner)) | ast.Assign(targets=[ast.Attribute(value=owner)]):
            return [n.id for n in ast.walk(owner) if isinstance(n, ast.Name)]
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


def _named(node: ast.expr) -> str:
    """Return the column that an expression is: `wallet.coins`, `F("coins")`, `Wallet.coins`, `table.c.coins`."""
    match node:
        case ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Name(id="F") | ast.Attribute(attr="F"), args=[ast.Constant(value=str() as name)]):
            return name
    return ""


def _asks_again(text: str, column: str) -> bool:
    """Return whether an UPDATE asks in its WHERE whether as much is there as it takes; more than zero is not enough."""
    where = _WHERE.split(text)[-1] if _WHERE.search(text) else ""
    enough = rf"\b{column}\b[^<>=]*>=?\s*(?!0\b)|<=?\s*(?:\w+\.)?{column}\b|-[^<>=]*>=\s*0\b"
    return re.search(enough, where, re.IGNORECASE) is not None


def _filtered(chain: str, column: str) -> bool:
    """Return whether the rows that are changed are chosen by what is in the column."""
    enough = rf"\b{column}__gte?\s*=\s*(?!0\b)|\b{column}\s*>=?\s*(?!0\b)|\b{column}\s*-[^<>=]*>=\s*0"
    return re.search(enough, chain) is not None


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


@dataclass(frozen=True, slots=True)
class Summed:
    """A sum over a table's rows that a function compares before it adds a row."""

    table: str
    place: Place
    covered: bool
    """Whether a lock that shuts others out is taken before."""


def summed_in_python(artifact: Artifact, schema: Schema) -> list[Summed]:
    """Return the sums that functions compare, and give up by, before they add to what they added up."""
    found: list[Summed] = []
    tables = names_of_tables(artifact, schema) if schema.tables else {}
    for file in artifact.matching("*.py") if tables else ():
        if _TESTS.search(file.path) or not _MAY_SUM.search(file.content):
            continue
        try:
            python = PythonFile(file.path, file.text)
        except (CannotLook, NotText, RecursionError):
            continue
        always = _SERIALIZABLE.search(file.text) is not None
        for function in ast.walk(python.tree):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(_asked(function)):
                found += _sums_of(python, function, tables, always)
    return found


def _sums_of(
    python: PythonFile, function: ast.AST, tables: Mapping[str, set[TableName]], always: bool
) -> Iterator[Summed]:
    text = ast.unparse(function)
    added = {normal(w) for w in _ADDS.findall(text)} & tables.keys()
    added |= {normal(n.func.id) for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    added |= {normal(w) for w in _CREATES.findall(text)}
    for node in ast.walk(function):
        match node:
            case ast.Constant(value=str() as sql) if told := _SUMS.search(sql):
                name = normal(told[1])
            case ast.Call(func=ast.Attribute(attr="sum"), args=[ast.Attribute(value=ast.Name(id=model)), *_]):
                name = normal(model)
            case ast.Call(func=ast.Attribute(attr="aggregate")) if "Sum(" in (said := ast.unparse(node)):
                name = normal(said.split(".")[0])
            case _:
                continue
        if name in tables and name in added:
            before = [n for n in ast.walk(function) if getattr(n, "lineno", node.lineno) < node.lineno]
            held = any(isinstance(n, (ast.Constant, ast.Call)) and _LOCKS.search(ast.unparse(n)) for n in before)
            yield Summed(name, python.source.place(*python.offsets(node)), always or held)
