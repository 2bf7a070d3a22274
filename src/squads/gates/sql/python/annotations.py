"""What the annotation of a model's attribute says: its SQL type, whether it may be None, and what `Annotated` adds."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from squads.gates.sql.python.file import name
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.python.sqlalchemy_types import ANNOTATIONS

_MAPPED = frozenset(("Mapped", "WriteOnlyMapped", "DynamicMapped"))
_COLLECTIONS = frozenset(("list", "set", "List", "Set", "Sequence", "Collection"))
_NO_FIELDS = frozenset(("ClassVar", "Relationship"))
_DEPTH_MAX = 12


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotation says of a column."""

    node: ast.AST
    type: str = ""
    optional: bool = False
    mapped: bool = False
    """Whether it says `Mapped[...]`."""
    field: bool = False
    """Whether a bare attribute with it is a column, as in SQLModel."""
    collection: bool = False
    call: ast.Call | None = None
    """The `mapped_column(...)` inside `Annotated[...]`."""


def annotation(scope: Scope, node: ast.expr) -> Annotation:
    """Return what `node` says."""
    return replace(_read(scope, node, 0), node=node)


def _read(scope: Scope, node: ast.AST, depth: int) -> Annotation:
    if depth > _DEPTH_MAX:
        return Annotation(node, type=name("unknown type"))
    match node:
        case ast.Constant(value=str() as text):
            try:
                return _read(scope, ast.parse(text, mode="eval").body, depth + 1)
            except (SyntaxError, ValueError):
                return Annotation(node, type=name("unknown type"))
        case ast.Constant(value=None):
            return Annotation(node, optional=True)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _either(node, [_read(scope, left, depth + 1), _read(scope, right, depth + 1)])
        case ast.Subscript(value=value, slice=inside):
            return _subscript(scope, node, scope.file.called(value), inside, depth)
        case ast.Name() | ast.Attribute():
            called = scope.file.called(node)
            if called in ANNOTATIONS:
                return Annotation(node, type=ANNOTATIONS[called], field=True, collection=called in _COLLECTIONS)
            found = scope.followed(node)
            if isinstance(found.node, ast.ClassDef):
                bases = {found.scope.file.called(b) for b in found.node.bases}
                plain = "text" if any(b.endswith(("Enum", "Flag")) for b in bases) else name(called)
                return Annotation(node, type=plain, field=True)
            if found.node is not None and found.node is not node:
                return _read(found.scope, found.node, depth + 1)
            return Annotation(node, type=name(called), field=True)
        case _:
            return Annotation(node, type=name("unknown type"))


def _subscript(scope: Scope, node: ast.AST, called: str, inside: ast.expr, depth: int) -> Annotation:
    parts = list(inside.elts) if isinstance(inside, ast.Tuple) else [inside]
    if called in _NO_FIELDS or not parts:
        return Annotation(node)
    first = _read(scope, parts[0], depth + 1)
    if called in _MAPPED:
        return replace(first, mapped=True, collection=first.collection or called != "Mapped")
    if called == "Optional":
        return replace(first, optional=True)
    if called == "Union":
        return _either(node, [_read(scope, p, depth + 1) for p in parts])
    if called == "Annotated":
        calls = (scope.followed(p).node for p in parts[1:])
        call = next((c for c in calls if isinstance(c, ast.Call) and scope.file.called(c) == "mapped_column"), None)
        return replace(first, call=call or first.call)
    if called in ("Final", "Required", "NotRequired"):
        return first
    return Annotation(node, type="json", field=True, collection=called in _COLLECTIONS)


def _either(node: ast.AST, parts: list[Annotation]) -> Annotation:
    kept = next((p for p in parts if p.type), Annotation(node))
    return replace(kept, optional=any(p.optional for p in parts))
