"""Money in models that Python declares: fields of Django, SQLAlchemy, peewee, Tortoise, and types made of theirs.

A class that derives from a field of floats, a TypeDecorator around one, and a name for `Float(...)` are floats too,
whatever they are called and whichever module they stand in.
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
from squads.gates.sql.money import declared_decimal, is_money, is_money_type, is_share, says_other
from squads.gates.sql.python.file import PythonFile

_FLOATS = frozenset(
    ("FloatField", "DoubleField", "Float", "FLOAT", "REAL", "Double", "DOUBLE", "DOUBLE_PRECISION", "BinaryFloatField")
)
_NOT_STORED = frozenset(("forms", "serializers", "filters", "wtforms", "fields_rest"))
_DECLARES = re.compile(rb"FloatField|DoubleField|\b(Float|FLOAT|REAL|Double|DOUBLE|DOUBLE_PRECISION)\b")
_MAY_DECLARE = re.compile(rb"Field|Required|Column|Float|FLOAT|REAL|Double|DOUBLE|TypeDecorator|Mapped")
_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
_LIMITS = re.compile(r"(?:MaxValueValidator\(|\ble=|\blt=)\s*(?:limit_value=)?\s*(?:Decimal\(['\"])?(\d+(?:\.\d+)?)")
_DEFAULT = re.compile(r"\b(?:default|server_default)=\s*['\"]?(\d*\.\d+|\d+)")
_SAYS = frozenset(("help_text", "comment", "doc", "verbose_name", "description", "db_comment"))


@dataclass(frozen=True, slots=True)
class Modelled:
    """A column of a model that holds money and is a float."""

    name: str
    place: Place
    also: tuple[Place, ...] = ()
    """Where its type was made."""


def declares(content: bytes) -> bool:
    """Return whether a Python file may declare floats: of any ORM, of Pony also by Python's own name."""
    if b"Required(float" in content or b"Optional(float" in content:
        return True
    return _DECLARES.search(content) is not None


def modelled(artifact: Artifact, told: frozenset[str]) -> Iterator[Modelled]:
    """Yield the money that models store as floats. `told` are names that the brief calls money."""
    files = _files(artifact)
    made = dict(_made(files))
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ClassDef) and not _is_type(node) and not _shows(node):
                yield from _of_class(file, node, made, told)


_CASTS = frozenset(("Cast", "cast", "type_coerce", "ExpressionWrapper"))
_SUMS = frozenset(("Sum", "Max", "Min", "Coalesce", "Value", "F", "Subquery", "Case", "sum", "max", "min", "coalesce"))
_AVERAGES = frozenset(("Avg", "StdDev", "Variance", "avg", "stddev", "variance"))


def queried(artifact: Artifact) -> Iterator[Modelled]:
    """Yield the money that queries of an ORM turn into floats: `Cast("price", FloatField())`."""
    for file in _files(artifact):
        named = {id(k.value): k.arg or "" for n in ast.walk(file.tree) if isinstance(n, ast.Call) for k in n.keywords}
        for node in ast.walk(file.tree):
            if not isinstance(node, ast.Call) or _last(node.func) not in _CASTS | _SUMS:
                continue
            given = [*node.args, *(k.value for k in node.keywords)]
            floats = [a for a in given if _is_float(a, {})]
            if not floats or any(isinstance(n, ast.Call) and _last(n.func) in _AVERAGES for n in ast.walk(node)):
                continue
            target = named.get(id(node), "")
            inside = [n for a in given if a not in floats for n in ast.walk(a)]
            names = [n.value for n in inside if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            names = [part for n in names if len(n) < 80 for part in n.split("__")[-1:]]
            owned = [(n.attr, _last(n.value)) for n in inside if isinstance(n, ast.Attribute)]
            told = [(target, ""), *((n, "") for n in names), *owned]
            money = next((n for n, owner in told if n and is_money(n, owner, ())), "")
            if money and not (target and says_other(target)) and "Div" not in {type(n).__name__ for n in inside}:
                yield Modelled(money, file.source.place(*file.offsets(node)))


def altered(artifact: Artifact) -> Iterator[Modelled]:
    """Yield the money that a migration of Alembic makes a float; what `downgrade` does is undone work."""
    if not any(b"alter_column" in f.content for f in artifact.matching("*.py")):
        return
    for file in _files(artifact):
        for function in file.tree.body:
            if not isinstance(function, ast.FunctionDef) or function.name == "downgrade":
                continue
            for call in ast.walk(function):
                if not isinstance(call, ast.Call) or _last(call.func) != "alter_column":
                    continue
                named = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                made = any(k.arg == "type_" and _is_float(k.value, {}) for k in call.keywords)
                if made and named and is_money(named[-1], named[0] if len(named) > 1 else "payments", ()):
                    yield Modelled(named[-1], file.source.place(*file.offsets(call)))


def float_types(artifact: Artifact) -> dict[str, Place]:
    """Return the artifact's own float types and names for float types, each with where it was made."""
    return {name: place for name, (_, place) in _made(_files(artifact))}


def _files(artifact: Artifact) -> list[PythonFile]:
    """Return the files that may declare columns, where any file of the artifact speaks of floats at all."""
    every = [f for f in artifact.matching("*.py") if not _TESTS.search(f.path)]
    if not any(declares(f.content) for f in every):
        return []
    files: list[PythonFile] = []
    for file in every:
        if not _MAY_DECLARE.search(file.content):
            continue
        try:
            files.append(PythonFile(file.path, file.text))
        except (CannotLook, NotText, RecursionError):
            continue  # who reads the schema says so
    return files


def _shows(node: ast.ClassDef) -> bool:
    """Return whether a class shows or reads values and stores none: a form, a serializer, a filter."""
    return any(_last(b).endswith(("Form", "Serializer", "Schema", "FilterSet", "Filter")) for b in node.bases)


def _made(files: list[PythonFile]) -> Iterator[tuple[str, tuple[str, Place]]]:
    """Yield the artifact's own float types: (name, (name, place))."""
    known: dict[str, Place] = {}
    growing = True
    while growing:
        growing = False
        for file in files:
            for node in file.tree.body:
                name = ""
                if isinstance(node, ast.ClassDef) and node.name not in known and _derives(node, known):
                    name = node.name
                elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    target = node.targets[0].id
                    name = target if target not in known and _is_float(node.value, known) else ""
                if name:
                    known[name] = file.source.place(*file.offsets(node))
                    growing = True
                    yield name, (name, known[name])


def _derives(node: ast.ClassDef, known: Mapping[str, object]) -> bool:
    if any(_last(b) in known or (_last(b) in _FLOATS and _root(b) not in _NOT_STORED) for b in node.bases):
        return True
    if not any(_last(b) in ("TypeDecorator", "UserDefinedType") for b in node.bases):
        return False
    return any(
        isinstance(s, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "impl" for t in s.targets)
        and _is_float(s.value, known)
        for s in node.body
    )


def _is_float(node: ast.expr, known: Mapping[str, object]) -> bool:
    """Return whether an expression is a float type: `Float`, `sa.Float(53)`, `Annotated[..., mapped_column(Float)]`."""
    match node:
        case ast.Call(func=ast.Name(id="Required" | "Optional"), args=[ast.Name(id="float"), *_]):
            return True  # an entity of Pony
        case ast.Call():
            if _last(node.func) in ("mapped_column", "Column"):
                return any(_is_float(a, known) for a in node.args)
            return _is_float(node.func, known)
        case ast.Name() | ast.Attribute():
            name = _last(node)
            return name in known or (name in _FLOATS and _root(node) not in _NOT_STORED)
        case ast.Subscript(slice=ast.Tuple(elts=parts)) if _last(node.value) == "Annotated":
            return any(_is_float(p, known) for p in parts[1:])
    return False


def _is_type(node: ast.ClassDef) -> bool:
    return any(_last(b) in _FLOATS or _last(b) == "TypeDecorator" for b in node.bases)


def _of_class(
    file: PythonFile, node: ast.ClassDef, made: Mapping[str, tuple[str, Place]], told: frozenset[str]
) -> Iterator[Modelled]:
    fields = list(_fields(node))
    names = [name for name, _ in fields]
    table = f"{node.name}_{_table(node)}"
    for name, statement in fields:
        kinds = [k for k in _types(statement) if _is_float(k, made)]
        if not kinds:
            continue
        text = ast.unparse(statement)
        own = [made[w] for k in kinds for w in _words(k) if w in made]
        said = f"{_remarks(statement)} {_comment(file, statement)}"
        limits = [float(n) for n in _LIMITS.findall(text)]
        default = next((float(d) for d in _DEFAULT.findall(text)), None)
        money = is_money(name, table, (n for n in names if n != name), said) or name in told
        money = money or declared_decimal(name, text) or any(is_money_type(kind) for kind, _ in own)
        if money and not is_share(name, limits, default):
            yield Modelled(
                f"{node.name}.{name}",
                file.source.place(*file.offsets(statement)),
                tuple(place for _, place in own),
            )


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, ast.Assign | ast.AnnAssign]]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, statement


def _types(statement: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """Return the expressions of a column that may be its type."""
    found: list[ast.expr] = []
    value = statement.value
    if isinstance(value, ast.Call):
        if _last(value.func) in ("Column", "mapped_column", "Field"):
            found += [*value.args, *(k.value for k in value.keywords if k.arg in ("type_", "sa_type", "sa_column"))]
        else:
            found.append(value)
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.annotation, ast.Subscript):
        inside = statement.annotation.slice
        found += [n for n in ast.walk(inside) if isinstance(n, ast.Name)]
    return found


def _table(node: ast.ClassDef) -> str:
    for inner in ast.walk(node):
        match inner:
            case ast.Assign(
                targets=[ast.Name(id="__tablename__" | "db_table" | "table_name" | "table")],
                value=ast.Constant(value=str() as name),
            ):
                return name
    return ""


def _remarks(statement: ast.stmt) -> str:
    """Return what a column's call says of it in words."""
    found = []
    for node in ast.walk(statement):
        if isinstance(node, ast.keyword) and node.arg in _SAYS:
            found += [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return " ".join(found)


def _comment(file: PythonFile, statement: ast.stmt) -> str:
    lines = file.source.text.splitlines()
    line = lines[(statement.end_lineno or statement.lineno) - 1]
    return line.split("#", 1)[1] if "#" in line else ""


def _words(node: ast.expr) -> list[str]:
    return [
        n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))
    ]


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
