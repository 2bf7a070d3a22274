"""The smallest parts of a definition that a change makes different, and what each of them is about.

Two trees are laid side by side. What stands for the same (a new local, a new constant, a helper of one expression)
is put in before they are compared, so that another way of writing something is no difference.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from squads.gates.changes.about import called_near, context, said_by, slot_of, tokens
from squads.gates.changes.names import Node, put
from squads.gates.changes.pieces import Difference, folded
from squads.gates.changes.stands import (
    arguments,
    body_of,
    inlined,
    locals_of,
    number_of,
    put_in,
    spread,
    stored,
    told,
    with_body,
)

_PARTS_MAX = 400
_LONG_MAX = 120
_ALIKE = 0.5
_SIGNS = (ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
_SKIPPED = frozenset({"annotation", "returns", "type_comment", "ctx", "kind", "type_params", "name"})


@dataclass(frozen=True, slots=True)
class Atom:
    """One smallest part that differs."""

    kind: str
    """`value`, `text`, `sign`, `call`, `name`, `wrapped`, `argument`, `element`, `entry`, `default`, `signature`,
    `decorator`, `condition`, `added`, `gone` or `other`."""
    line: int
    end_line: int
    said: frozenset[str]
    """The roots of what only one side says."""
    about: frozenset[str]
    """The roots of what it stands for: a key, an argument, a target, what is called."""
    names: frozenset[str]
    """The names that only the new side has."""
    lost: frozenset[str]
    """The names that only the old side has."""
    near: frozenset[str]
    """What is called in the statement that it stands in."""
    old: str
    new: str
    slot: tuple[int, ...]
    """Where the smallest whole is that it stands in: a statement, a call, an entry, an element, an argument by name."""
    whole: tuple[int, ...]
    """The same, but for calls."""


@dataclass(slots=True)
class _Reader:
    fresh: Mapping[str, ast.expr]
    gone: Mapping[str, ast.expr]
    first: int
    last: int
    found: list[Atom] = field(default_factory=list)


def atoms(
    piece: Difference,
    fresh: Mapping[str, ast.expr],
    gone: Mapping[str, ast.expr],
    helpers: Mapping[str, Node] | None = None,
) -> list[Atom]:
    """Return what differs in a definition that stood before.

    `fresh` and `gone` are values that names stand for; `helpers` are functions that are new.
    """
    old, new = piece.old, piece.new
    if old is None or new is None:
        return []
    a, b = old.node, new.node
    first, last = getattr(b, "lineno", 1), getattr(b, "end_lineno", None) or 1
    if isinstance(a, Node) and isinstance(b, Node):
        b = with_body(b, inlined(body_of(b), helpers or {}))
        mine, theirs = {n: v for n, v in locals_of(a).items() if n not in stored(b)}, locals_of(b)
        theirs = {n: v for n, v in theirs.items() if n not in stored(a)}
        reader = _Reader({**fresh, **theirs}, {**gone, **mine}, first, last)
        _head(reader, a, b)
        _row(reader, told(body_of(a), reader.gone, mine), told(b.body, reader.fresh, theirs), (b,))
        if any(x.kind in ("gone", "other") for x in reader.found):
            _moved(reader, a, b)
        return _without_renames(reader.found, a, b)
    if isinstance(a, ast.ClassDef) or isinstance(b, ast.ClassDef):
        return []
    reader = _Reader(fresh, gone, first, last)
    x, y = getattr(a, "value", None), getattr(b, "value", None)
    if x is not None and y is not None:
        _pair(reader, x, y, (b,))
    return reader.found


def _head(reader: _Reader, a: Node, b: Node) -> None:
    """Compare arguments by their names, and decorators."""
    old, new = arguments(a), arguments(b)
    at: ast.AST = next(iter([*b.args.args, *b.args.kwonlyargs, *b.args.posonlyargs]), b)
    for name, default in old.items():
        if name not in new:
            _keep(reader, "signature", None, None, (b,), at=at, about={name}, said={name})
        elif default is not None and new[name] is None:
            _keep(reader, "default", default, None, (b,), at=at, about={name})
        elif default is not None:
            own = new[name]
            assert own is not None
            if not _same(reader, default, own):
                _keep(reader, "default", default, own, (b,), about={name})
    common_old, common_new = [n for n in old if n in new], [n for n in new if n in old]
    if common_old != common_new:
        _keep(reader, "signature", None, None, (b,), at=at, about=set(common_new), said=set(common_new))
    for name, default in new.items():
        if name not in old:
            kind = "added" if default is not None else "signature"
            _keep(reader, kind, None, default, (b,), at=at, about={name}, said={name})
    _row(reader, a.decorator_list, b.decorator_list, (b,), kind="decorator")


def _same(reader: _Reader, a: ast.AST, b: ast.AST) -> bool:
    """Return whether two parts say the same, with what new and old names stand for put in."""
    if ast.dump(a) == ast.dump(b):
        return True
    if not isinstance(a, ast.expr) or not isinstance(b, ast.expr):
        return False
    x, y = put(a, reader.gone), put(b, reader.fresh)
    if folded(x) == folded(y):
        return True
    if isinstance(x, ast.BinOp) and isinstance(y, ast.BinOp) and type(x.op) is type(y.op) in (ast.Add, ast.Mult):
        return {ast.dump(x.left), ast.dump(x.right)} == {ast.dump(y.left), ast.dump(y.right)}
    # `0.19` and `Decimal("0.19")` are one value.
    return number_of(x) is not None and number_of(x) == number_of(y)


def _pair(reader: _Reader, a: ast.AST, b: ast.AST, up: tuple[ast.AST, ...]) -> None:
    if len(reader.found) > _PARTS_MAX or len(up) > _LONG_MAX or _same(reader, a, b):
        return
    if isinstance(b, ast.Name) and b.id in reader.fresh:
        b = ast.copy_location(put(b, reader.fresh), b)
    if isinstance(a, ast.Name) and a.id in reader.gone:
        a = put(a, reader.gone)
    a, b = spread(put_in(a, reader.gone)), spread(put_in(b, reader.fresh))
    if type(a) is not type(b):
        wraps = isinstance(a, ast.expr) and isinstance(b, ast.expr) and (_within(a, b) or _within(b, a))
        _keep(reader, "wrapped" if wraps else "other", a, b, up)
        return
    if isinstance(a, ast.Constant) and isinstance(b, ast.Constant):
        _keep(reader, "text" if isinstance(a.value, str) and isinstance(b.value, str) else "value", a, b, up)
    elif isinstance(a, ast.FormattedValue) and isinstance(b, ast.FormattedValue):
        b = _flat(reader, b)
        same = _same(reader, a.value, b.value)
        if not same or _spec(a) != _spec(b):
            wraps = not same and (_within(a.value, b.value) or _within(b.value, a.value))
            _keep(reader, "wrapped" if wraps else "text", a, b, up, about={"format"}, said=_form(b) ^ _form(a))
    elif isinstance(a, ast.Name | ast.Attribute) and isinstance(b, ast.Name | ast.Attribute):
        called = bool(up) and isinstance(up[-1], ast.Call) and up[-1].func is b
        if isinstance(a, ast.Attribute) and isinstance(b, ast.Attribute) and a.attr == b.attr:
            _pair(reader, a.value, b.value, (*up, b))
        else:
            _keep(reader, "call" if called else "name", a, b, up)
    elif isinstance(a, ast.Call) and isinstance(b, ast.Call):
        _calls(reader, a, b, up)
    elif isinstance(a, ast.Dict) and isinstance(b, ast.Dict):
        _dicts(reader, a, b, up)
    else:
        _fields(reader, a, b, up)


def _spec(node: ast.FormattedValue) -> tuple[int, str]:
    return node.conversion, ast.unparse(node.format_spec) if node.format_spec is not None else ""


def _flat(reader: _Reader, node: ast.FormattedValue) -> ast.FormattedValue:
    """Return the one part that a text within a text is made of."""
    held = put(node.value, reader.fresh)
    if node.format_spec is None and isinstance(held, ast.JoinedStr) and len(held.values) == 1:
        inner = held.values[0]
        return inner if isinstance(inner, ast.FormattedValue) else node
    return node


def _form(node: ast.FormattedValue) -> set[str]:
    """Return what a form of writing is about: `%d.%m.%Y` is a date."""
    spec = ast.unparse(node.format_spec) if node.format_spec is not None else ""
    return {"date", "format"} if "%" in spec else {"format"} if spec else set()


def _fields(reader: _Reader, a: ast.AST, b: ast.AST, up: tuple[ast.AST, ...]) -> None:
    for name in b._fields:
        x, y = getattr(a, name, None), getattr(b, name, None)
        if name in _SKIPPED:
            continue
        if isinstance(x, list) and isinstance(y, list):
            if all(isinstance(e, _SIGNS) for e in [*x, *y]):
                if [type(e) for e in x] != [type(e) for e in y]:
                    _keep(reader, "sign", a, b, up)
                    return
            else:
                _row(reader, x, y, (*up, b))
        elif isinstance(x, _SIGNS) or isinstance(y, _SIGNS):
            if type(x) is not type(y):
                _keep(reader, "sign", a, b, up)
                return
        elif isinstance(x, ast.AST) and isinstance(y, ast.AST):
            _pair(reader, x, y, (*up, b))
        elif x != y:
            _keep(reader, "other", a, b, up)
            return


def _calls(reader: _Reader, a: ast.Call, b: ast.Call, up: tuple[ast.AST, ...]) -> None:
    inner = (*up, b)
    if ast.dump(a.func) != ast.dump(b.func) and (_within(a, b) or _within(b, a)):
        _keep(reader, "wrapped", a, b, up)
        return
    _pair(reader, a.func, b.func, inner)
    _row(reader, a.args, b.args, inner)
    old, new = {k.arg: k.value for k in a.keywords}, {k.arg: k.value for k in b.keywords}
    for name, value in new.items():
        if name not in old:
            _keep(
                reader,
                "argument",
                None,
                value,
                (*inner, ast.keyword(name, value)),
                about={name or ""},
                said={name or ""},
            )
        elif not _same(reader, old[name], value):
            _pair(reader, old[name], value, (*inner, ast.keyword(name, value)))
    for name, value in old.items():
        if name not in new and len(a.args) >= len(b.args):
            _keep(reader, "argument", value, None, inner, about={name or ""}, said={name or ""})


def _dicts(reader: _Reader, a: ast.Dict, b: ast.Dict, up: tuple[ast.AST, ...]) -> None:
    def entries(node: ast.Dict) -> dict[str, tuple[ast.expr | None, ast.expr]]:
        return {ast.dump(k) if k else f"**{ast.dump(v)}": (k, v) for k, v in zip(node.keys, node.values, strict=True)}

    old, new = entries(a), entries(b)
    for text, (key, value) in new.items():
        about = {str(key.value)} if isinstance(key, ast.Constant) else set()
        if text in old:
            _pair(reader, old[text][1], value, (*up, b, ast.keyword(next(iter(about), ""), value)))
        else:
            _keep(reader, "added", None, value, (*up, b), at=key or value, about=about, said=about)
    for text, (key, value) in old.items():
        if text not in new:
            about = {str(key.value)} if isinstance(key, ast.Constant) else set()
            _keep(reader, "entry", value, None, (*up, b), about=about, said=about)


def _row(
    reader: _Reader,
    old: Sequence[ast.AST],
    new: Sequence[ast.AST],
    up: tuple[ast.AST, ...],
    kind: str = "",
) -> None:
    """Lay two rows side by side: what is alike is compared, the rest has come or gone."""
    before = [ast.dump(n) if n is not None else "" for n in old]
    now = [ast.dump(n) if n is not None else "" for n in new]
    if before == now or len(before) + len(now) > _PARTS_MAX:
        return
    logic = isinstance(up[-1], ast.BoolOp)
    held = isinstance(up[-1], ast.List | ast.Tuple | ast.Set)
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        left, right = list(old[a:b]), list(new[c:d])
        for one in list(left):
            other = _nearest(one, right, alone=len(left) == len(right) == 1)
            if other is not None:
                left.remove(one)
                right.remove(other)
                _pair(reader, one, other, up)
        for one in right:
            if isinstance(one, ast.Assign) and _begins(one, up):
                continue
            _keep(reader, "condition" if logic else "added", None, one, up)
        at = new[min(c, len(new) - 1)] if new else up[-1]
        for one in left:
            _keep(reader, kind or ("condition" if logic else "element" if held else "gone"), one, None, up, at=at)


def _begins(node: ast.Assign, up: tuple[ast.AST, ...]) -> bool:
    """Return whether a statement only gives a local its first value."""
    owner = next((n for n in up if isinstance(n, Node)), None)
    target = node.targets[0]
    if owner is None or not isinstance(target, ast.Name) or target.id in arguments(owner):
        return False
    seen = (n for n in ast.walk(owner) if isinstance(n, ast.Name) and n.id == target.id)
    return not any((n.lineno, n.col_offset) < (target.lineno, target.col_offset) for n in seen)


def _moved(reader: _Reader, a: Node, b: Node) -> None:
    """Compare the calls that stand elsewhere since, where one of their kind went and one came."""

    def calls(node: Node) -> dict[str, ast.Call]:
        return {ast.dump(n): n for n in ast.walk(node) if isinstance(n, ast.Call)}

    old, new = calls(a), calls(b)
    went = [n for t, n in old.items() if t not in new]
    came = [n for t, n in new.items() if t not in old]
    seen = {(x.old, x.new) for x in reader.found}
    apart = _Reader(reader.fresh, reader.gone, reader.first, reader.last)
    for one in went[:_PARTS_MAX]:
        same = [n for n in went if ast.dump(n.func) == ast.dump(one.func)]
        now = [n for n in came if ast.dump(n.func) == ast.dump(one.func)]
        if len(same) == len(now) == 1 and one.keywords and not any(isinstance(n, ast.Call) for n in one.args):
            _calls(apart, one, now[0], (b,))
    kinds = ("value", "text", "added", "entry", "element")
    reader.found += [x for x in apart.found if x.kind in kinds and (x.old, x.new) not in seen]


def _nearest(one: ast.AST, among: list[ast.AST], *, alone: bool) -> ast.AST | None:
    """Return what became of a part; None where it is gone."""
    text = ast.unparse(one)
    best, score = None, _ALIKE
    for other in among[:20]:
        if alone and isinstance(one, ast.expr) and isinstance(other, ast.expr):
            return other
        if isinstance(one, ast.stmt) and type(one) is not type(other):
            continue
        ratio = difflib.SequenceMatcher(None, text[:400], ast.unparse(other)[:400], autojunk=False).ratio()
        if ratio > score:
            best, score = other, ratio
    return best


def _within(part: ast.AST, whole: ast.AST) -> bool:
    wanted = ast.dump(part)
    return isinstance(whole, ast.Call | ast.Subscript | ast.Tuple | ast.BinOp | ast.BoolOp) and any(
        type(n) is type(part) and ast.dump(n) == wanted for n in ast.walk(whole) if n is not whole
    )


def _keep(
    reader: _Reader,
    kind: str,
    a: ast.AST | None,
    b: ast.AST | None,
    up: tuple[ast.AST, ...],
    *,
    at: ast.AST | None = None,
    about: set[str] | frozenset[str] = frozenset(),
    said: set[str] | frozenset[str] = frozenset(),
) -> None:
    chain = [*up, *([b] if b is not None else []), *([at] if at is not None else [])]
    own = [n for n in chain if hasattr(n, "lineno") and not isinstance(n, Node)]
    place = own[-1] if own else up[0]
    line = getattr(place, "lineno", reader.first)
    end = getattr(place, "end_lineno", None) or line
    if isinstance(place, ast.stmt) and end > line + 3:
        end = line
    before, now = tokens(a), tokens(b)
    alone = [*(before - now), *(now - before), *said]
    around = set(about) | context(kind, up, bool(about))
    reader.found.append(
        Atom(
            kind,
            line,
            end,
            said_by(alone),
            said_by(around),
            frozenset(now - before),
            frozenset(before - now),
            called_near(chain),
            ast.unparse(a)[:120] if a is not None else "",
            ast.unparse(b)[:120] if b is not None else "",
            slot_of(chain) or (line, 0),
            slot_of(chain, calls=False) or (line, 0),
        )
    )


def _without_renames(found: list[Atom], a: Node, b: Node) -> list[Atom]:
    """Return what is left when locals only have other names."""
    stored_old = {n.id for n in ast.walk(a) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stored_new = {n.id for n in ast.walk(b) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return [
        x
        for x in found
        if not (x.kind == "name" and x.old in stored_old - stored_new and x.new in stored_new - stored_old)
    ]
