"""How calls in Python carry values: defaults, parameters of SQL, unpacked models, and which tables a call names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.fits.python_names import Names, called, items_of, pairs_of
from squads.gates.sql.lex import Token

_PARAMETER = re.compile(
    r"'[^']*'|\"[^\"]*\"|--[^\n]*|%\((?P<percent>\w+)\)s|(?P<plain>%s)|(?<![:\w]):(?P<colon>[A-Za-z_]\w*)|(?P<mark>\?)"
)


def defaults(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr]]:
    """Return the parameters that have a default, each with it."""
    plain = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(reversed(plain), reversed(arguments.defaults), strict=False)]
    return pairs + [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]


def numbered(text: str) -> tuple[str, list[str]]:
    """Return `text` with every parameter written as $1, $2 ..., and what each was called; empty for `%s` and `?`."""
    labels: list[str] = []

    def one(found: re.Match[str]) -> str:
        label = found["percent"] or found["colon"]
        if label is None and not (found["plain"] or found["mark"]):
            return found[0]
        labels.append(label or "")
        return f"${len(labels)}"

    return _PARAMETER.sub(one, text), labels


def parameter_number(tokens: object) -> int | None:
    """Return n for an expression that is `$n`, perhaps cast."""
    listed: list[Token] = list(tokens)  # type: ignore[call-overload]
    if not listed or listed[0].kind != "number" or not listed[0].text.startswith("$"):
        return None
    if len(listed) > 1 and listed[1].text != "::":
        return None
    return int(listed[0].text[1:][:6])


def arguments(rest: list[ast.expr], number: int, labels: list[str], names: Names) -> Iterator[ast.expr]:
    """Yield what stands for the parameter `number`: of one row, or of every row of executemany."""
    if not rest:
        return
    label = labels[number - 1] if number <= len(labels) else ""
    rows = [rest[0]]
    members = items_of(rest[0], names)
    if members and all(items_of(m, names) is not None or pairs_of(m, names) is not None for m in members):
        rows = members
    for row in rows:
        if label:
            given = (pairs_of(row, names) or {}).get(label)
            if given is not None:
                yield given
            continue
        values = items_of(row, names)
        if values is None and not labels:  # asyncpg: one argument for each parameter
            values = rest
        if values is not None and number <= len(values):
            yield values[number - 1]


def dumped(node: ast.expr, names: Names) -> dict[str, ast.expr]:
    """Return the fields of a data model that is unpacked: `**data.model_dump()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="model_dump" | "dict" | "asdict")):
            kind = names.kind(owner)
        case _:
            return {}
    prefix, at, found = f"{kind.id}." if isinstance(kind, ast.Name) else "?", names, dict[str, ast.expr]()
    while at is not None:
        for name in at.bound:
            if name.startswith(prefix):
                part = name.removeprefix(prefix)
                made = ast.Attribute(ast.Name(owner, ast.Load()), part, ast.Load())
                found.setdefault(part, ast.copy_location(made, node))
        at = at.outer  # type: ignore[assignment]
    return found


def expects_an_error(item: ast.withitem) -> bool:
    """Return whether a test says here that the database must refuse: pytest.raises, assertRaises, suppress."""
    call = item.context_expr
    return isinstance(call, ast.Call) and called(call) in ("raises", "assertRaises", "assertRaisesRegex", "suppress")


def identifiers(node: ast.Call) -> Iterator[str]:
    """Yield the names in what is called, and in the calls before it: `insert(Score).values(...)`."""
    current: ast.expr = node.func
    for _ in range(40):
        match current:
            case ast.Attribute():
                yield current.attr
                current = current.value
            case ast.Call():
                for argument in current.args:
                    if isinstance(argument, ast.Name):
                        yield argument.id
                    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value
                    elif isinstance(argument, ast.Attribute):
                        yield argument.attr
                current = current.func
            case ast.Subscript():
                current = current.value
            case ast.Name():
                yield current.id
                return
            case _:
                return
