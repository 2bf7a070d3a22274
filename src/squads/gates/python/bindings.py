"""The nouns of names: what gives a name a value, what is put into it later, and the scope that holds the name."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

EACH = "each"
"""A path's step: one element of what is gone through."""
REST = "rest"
"""A path's step: what a starred name takes."""
ENTER = "enter"
"""A path's step: what a context manager gives."""
CHANGED = "changed"
"""A path's step: what an augmented assignment adds to."""
MATCHED = "matched"
"""A path's step: a part that a pattern takes."""

Path = tuple[int | str, ...]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(eq=False, slots=True)
class Store:
    """Something put into an object after it was made: `box[key] = value`, `box.append(value)`, `box |= value`."""

    key: ast.expr | None
    value: ast.expr
    node: ast.AST
    method: str = ""
    """`append`, `update`, ... or empty for an assignment."""


@dataclass(eq=False, slots=True)
class Binding:
    """One place that gives a name (or an attribute of `self`) a value."""

    name: str
    node: ast.AST
    """The target, parameter, definition or import."""
    scope: Scope
    value: ast.expr | None = None
    path: Path = ()
    """Which part of `value` it takes: indexes of an unpacking, and the steps above."""
    imported: tuple[str, str, int] | None = None
    """Module, name in it (`*` for all, empty for the module itself), dots of a relative import."""
    earlier: frozenset[Binding] = frozenset()
    """What the name was bound to before, where this builds on it."""
    stores: list[Store] = field(default_factory=list)
    loads: list[ast.Name] = field(default_factory=list)
    """Where it is read in its own scope."""


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function, and all it binds."""

    node: ast.Module | ast.ClassDef | FunctionNode
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)
    """Names declared `global` or `nonlocal`."""
    stars: list[Binding] = field(default_factory=list)
    """Imports of everything."""

    def find(self, name: str) -> list[Binding]:
        """Return what `name` may mean in this scope and those around it; an inner function sees no class body."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or not isinstance(scope.node, ast.ClassDef):
                scope = scope.elsewhere.get(name, scope)
                if name in scope.bindings:
                    return scope.bindings[name]
            scope = scope.parent
        return []
