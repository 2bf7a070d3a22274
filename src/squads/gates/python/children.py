"""What stands directly inside a node of a syntax tree, in the order in which it was written."""

from __future__ import annotations

import ast

# Texts, numbers, contexts and operators hold no nodes that anybody asks for.
_PLAIN = frozenset(
    ("id", "ctx", "attr", "kind", "type_comment", "conversion", "level", "module", "op", "ops", "simple")
)
_held: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: ()}


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes directly inside `node`; contexts and operators are left out: one object stands for all of them.

    It is `ast.iter_child_nodes` without its generators: whole trees are gone through with it.
    """
    kind = node.__class__
    names = _held.get(kind)
    if names is None:
        names = _held[kind] = tuple(name for name in kind._fields if name not in _PLAIN)
    found: list[ast.AST] = []
    for name in names:
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += [child for child in value if isinstance(child, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found
