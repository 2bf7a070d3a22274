"""Columns declared in Python with a type and a default side by side: SQLAlchemy, SQLModel, Django, peewee.

`Numeric(5, 4), default=30.0` contradicts itself without any SQL. Read are the sizes, what the call gives as default,
choices, upper and lower validators, and the comment behind it. A default that is a function is no constant.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from fractions import Fraction

from squads.gates.place import Place
from squads.gates.sql.fits.bounds import Misfit, Type, misfit
from squads.gates.sql.fits.claims import number_claims, text_claims
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.documents import judged_claims
from squads.gates.sql.fits.fitting import Unfit, judged, tokens_in
from squads.gates.sql.fits.python_names import Names, called, items_of, names_in
from squads.gates.sql.fits.python_values import returned, value_of, values_of
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.words import word_set

_COLUMNS = frozenset(("Column", "mapped_column", "Field", "MappedColumn"))
_SIZED = {
    **dict.fromkeys(("String", "VARCHAR", "Unicode", "NVARCHAR", "AutoString"), "varchar"),
    **dict.fromkeys(("CHAR", "NCHAR"), "char"),
}
_PLAIN = {
    **dict.fromkeys(
        word_set("SmallInteger SMALLINT SmallIntegerField PositiveSmallIntegerField SmallIntField"), "smallint"
    ),
    **dict.fromkeys(word_set("Integer INTEGER INT IntegerField PositiveIntegerField AutoField IntField"), "integer"),
    **dict.fromkeys(
        word_set("BigInteger BIGINT BigIntegerField PositiveBigIntegerField BigAutoField BigIntField"), "bigint"
    ),
}
_NUMERIC = frozenset(("Numeric", "DECIMAL", "NUMERIC"))
_TEXT_FIELDS = {"CharField": None, "SlugField": 50, "EmailField": 254, "URLField": 200, "FixedCharField": None}
_DEFAULTS = frozenset(("default", "server_default", "insert_default", "db_default", "default_factory", "onupdate"))
_COMMENTS = frozenset(("comment", "help_text", "doc", "description", "db_comment"))
_NOTHING = Schema()
_OTHER_LIBRARIES = frozenset(("peewee", "tortoise", "playhouse", "ormar", "gino", "piccolo"))

PlaceOf = Callable[["ast.expr | ast.stmt"], Place]


def defined(tree: ast.Module, names: Names, place_of: PlaceOf, text: str) -> Iterator[Unfit]:
    """Yield the defaults, choices and remarks of declared columns that their types cannot hold."""
    lines = text.split("\n")
    told: set[int] = set()
    for node in ast.walk(tree):
        body = node.body if isinstance(node, ast.ClassDef) else []
        inner = names_in(body, names)
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                    pass
                case _:
                    continue
            told.add(id(call))
            owner = node.name if isinstance(node, ast.ClassDef) else ""
            yield from _column(call, f"{owner}.{name}", name, inner, place_of, lines)
        if isinstance(node, ast.Call) and called(node) in ("Column", "column") and node.args and id(node) not in told:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield from _column(node, first.value, first.value, names, place_of, lines)


def declared(tree: ast.Module, names: Names, place_of: PlaceOf) -> Iterator[tuple[Table, dict[str, Type]]]:
    """Yield the tables of libraries whose models are read nowhere else, with the types that bound their columns."""
    modules = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    modules += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    if not any(m.split(".")[0] in _OTHER_LIBRARIES for m in modules):
        return
    for node in tree.body:
        types: dict[str, Type] = {}
        columns: list[Column] = []
        for statement in node.body if isinstance(node, ast.ClassDef) else []:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                    target = _type(call, names)
                    if target is not None:
                        types[name] = target
                        columns.append(Column(name=name, type=str(target), place=place_of(call)))
        if types and isinstance(node, ast.ClassDef):
            yield Table(schema="public", name=node.name.lower(), columns=tuple(columns), place=place_of(node)), types


def _column(
    call: ast.Call, shown: str, name: str, names: Names, place_of: PlaceOf, lines: list[str]
) -> Iterator[Unfit]:
    target = _type(call, names)
    if target is None:
        return
    place = place_of(call)
    for source, found, certain in _values(call, target, name, names, lines):
        yield Unfit(source=source, column=shown, type=str(target), misfit=found, place=place, certain=certain)


def _values(
    call: ast.Call, target: Type, name: str, names: Names, lines: list[str]
) -> Iterator[tuple[str, Misfit, bool]]:
    words = {k.arg: k.value for k in call.keywords if k.arg}
    remarks = [lines[(call.end_lineno or 1) - 1].partition("#")[2]]
    for word, node in words.items():
        if word in _DEFAULTS:
            found = _default(node, target, names)
            if found:
                yield "default", found, True
        elif word == "choices":
            for choice in items_of(node, names) or _members(node, names):
                pair = items_of(choice, names)
                value = value_of(pair[0] if pair else choice, names)
                found = misfit(value, target) if value else None
                if found:
                    yield "check", found, True
        elif word == "validators":
            for validator in items_of(node, names) or ():
                if isinstance(validator, ast.Call) and called(validator) in ("MaxValueValidator", "MinValueValidator"):
                    value = value_of(validator.args[0], names) if validator.args else None
                    if value and (found := misfit(value, target)) and found.loses == "all":
                        yield "check", found, True
        elif word in _COMMENTS:
            text = value_of(node, names)
            remarks.append(text.text if text else "")
    if "Field" in called(call) and call.args and called(call) == "Field":
        found = _default(call.args[0], target, names)
        if found:
            yield "default", found, True
    for remark in remarks:
        claims = number_claims(remark, name, beside=True) if target.is_number else text_claims(remark, name)
        for found, certain in judged_claims(list(claims), target):
            yield "comment", found, certain


def _default(node: ast.expr, target: Type, names: Names) -> Misfit | None:
    if isinstance(node, ast.Call) and called(node) in ("text", "literal_column") and node.args:
        inner = value_of(node.args[0], names)
        return judged(_NOTHING, tokens_in(inner.text), target) if inner and inner.kind == "literal" else None
    if isinstance(node, ast.Call) and called(node) in ("literal", "Value") and node.args:
        return _default(node.args[0], target, names)
    given = [node]
    if isinstance(node, ast.Lambda):
        given = [node.body]
    elif isinstance(node, ast.Name) and (function := names.function(node.id)) is not None:
        given = returned(function)
    values = [value for one in given for value, _ in values_of(one, names)]
    return next((found for value in values if (found := misfit(value, target))), None)


def _members(node: ast.expr, names: Names) -> list[ast.expr]:
    """Return the values of `Status.choices`."""
    if not (isinstance(node, ast.Attribute) and node.attr == "choices" and isinstance(node.value, ast.Name)):
        return []
    prefix, found = f"{node.value.id}.", []
    at: Names | None = names
    while at is not None:
        found += [v for n, v in at.bound.items() if n.startswith(prefix) and n.removeprefix(prefix).isupper()]
        at = at.outer
    return found


def _type(call: ast.Call, names: Names) -> Type | None:
    """Return the type that a column's call declares, where it bounds what the column holds."""
    name = called(call)
    words = {k.arg: k.value for k in call.keywords if k.arg}
    if name in _PLAIN and name.endswith("Field"):
        return Type(_PLAIN[name])
    if name in ("DecimalField", "Field") and "max_digits" in words:
        return _sized("numeric", [words.get("max_digits"), words.get("decimal_places")], names)
    if name in _TEXT_FIELDS or (name == "Field" and "max_length" in words):
        length = words.get("max_length")
        if length is None and (fixed := _TEXT_FIELDS.get(name)):
            return Type("varchar", (fixed,))
        return _sized("varchar", [length], names)
    if name not in _COLUMNS:
        return None
    for argument in [*call.args, *(v for k, v in words.items() if k in ("type_", "sa_type"))]:
        kind = called(argument) if isinstance(argument, ast.Call) else _last(argument)
        inner = argument if isinstance(argument, ast.Call) else None
        if kind in _PLAIN:
            return Type(_PLAIN[kind])
        if inner is None:
            continue
        sizes = {k.arg: k.value for k in inner.keywords if k.arg}
        if kind in _NUMERIC:
            given = [*inner.args, None, None]
            return _sized("numeric", [given[0] or sizes.get("precision"), given[1] or sizes.get("scale")], names)
        if kind in _SIZED:
            return _sized(_SIZED[kind], [inner.args[0] if inner.args else sizes.get("length")], names)
        if kind in ("Enum", "ENUM"):
            labels = [value_of(a, names) for a in inner.args]
            if labels and all(v is not None and v.kind == "literal" for v in labels):
                return Type("enum", labels=tuple(v.text for v in labels if v is not None))
    return None


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _sized(name: str, sizes: list[ast.expr | None], names: Names) -> Type | None:
    """Return the type with its sizes, or None when the first is not told or one is no constant."""
    values: list[Constant | None] = [value_of(s, names) for s in sizes if s is not None]
    numbers = [v.number for v in values if v is not None and isinstance(v.number, Fraction)]
    if not numbers or sizes[0] is None or len(numbers) != len(values) or not 0 < numbers[0] <= 10_485_760:
        return None
    return Type(name, tuple(int(n) for n in numbers))
