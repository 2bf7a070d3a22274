"""What names in Python code are bound to: once, in several branches, by a loop, by a call, or by an annotation.

Names are told from the tree; code is never run. A name that is imported from a module of the same artifact is followed
by its name when only one module of the artifact binds it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

DEPTH_MAX = 60
CHOICES_MAX = 200
"""How many values of one dict are looked at."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name is bound to: an expression, or each member of what a loop runs over."""

    value: ast.expr
    path: tuple[int, ...] | None = None
    """Which part of each member of `value`; None where the name is `value` itself."""

    def expressions(self, names: Names) -> list[ast.expr]:
        """Return what it may be."""
        if self.path is None:
            return [self.value]
        members = iterated(self.value, names)
        for number in self.path:
            parts = [items_of(m, names) for m in members]
            members = [p[number] for p in parts if p is not None and number < len(p)]
        return members[:CHOICES_MAX]


@dataclass(frozen=True, slots=True)
class Names:
    """What names are bound to in one place: a function's, then its module's, then the artifact's."""

    bound: Mapping[str, ast.expr] = field(default_factory=dict)
    outer: Names | None = None
    hidden: frozenset[str] = frozenset()
    """Names that are parameters, or bound more than once."""
    given: Mapping[str, Sequence[ast.expr]] = field(default_factory=dict)
    """What parameters that keep their value may be: their default, what calls of the function give them."""
    several: Mapping[str, Sequence[Bound]] = field(default_factory=dict)
    """What names that are bound in several branches, or by a loop, may be."""
    functions: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)
    kinds: Mapping[str, ast.expr] = field(default_factory=dict)
    """The annotations of parameters and variables."""

    def find(self, name: str) -> ast.expr | None:
        """Return the one expression that `name` is bound to."""
        if name in self.bound:
            return self.bound[name]
        return None if name in self.hidden or self.outer is None else self.outer.find(name)

    def may_be(self, name: str) -> list[ast.expr]:
        """Return the expressions that `name` may be bound to, by a branch, a loop, a call or a default."""
        if name in self.several:
            return [e for bound in self.several[name] for e in bound.expressions(self)]
        if name in self.given:
            return list(self.given[name])
        if name in self.bound:
            return [self.bound[name]]
        return [] if name in self.hidden or self.outer is None else self.outer.may_be(name)

    def function(self, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Return the function called `name`."""
        if name in self.functions:
            return self.functions[name]
        return None if name in self.hidden or self.outer is None else self.outer.function(name)

    def kind(self, name: str) -> ast.expr | None:
        """Return the annotation of a parameter or variable."""
        return self.kinds.get(name) or (None if self.outer is None else self.outer.kind(name))

    def members(self, owner: str) -> list[ast.expr]:
        """Return the constants of a class: the members of an enum."""
        found = [
            _first(v)
            for n, v in self.bound.items()
            if n.startswith(f"{owner}.") and n.removeprefix(f"{owner}.").isupper()
        ]
        return found or ([] if self.outer is None else self.outer.members(owner))

    def find_member(self, name: str) -> ast.expr | None:
        """Return what the only class here with a constant `name` binds it to."""
        found = [value for key, value in self.bound.items() if key.endswith(f".{name}")]
        if found or self.outer is None:
            return found[0] if len(found) == 1 else None
        return self.outer.find_member(name)


def names_in(body: list[ast.stmt], outer: Names | None = None, parameters: frozenset[str] = frozenset()) -> Names:
    """Return what a body binds; nested functions are left out, classes give `Class.name`."""
    bound: dict[str, ast.expr] = {}
    held: dict[str, dict[int, Bound]] = {}
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    kinds: dict[str, ast.expr] = {}
    twice, unknown = set(parameters), set(parameters)

    def bind(target: ast.expr, value: ast.expr | None, block: int) -> None:
        if isinstance(target, ast.Attribute):  # what the name means stays, one of its parts changes
            if isinstance(target.value, ast.Name):
                twice.add(f"{target.value.id}.{target.attr}")
            return
        for node in ast.walk(target):
            if not isinstance(node, ast.Name):
                continue
            own = value is None or node is not target
            if own or any(isinstance(n, ast.Name) and n.id == node.id for n in ast.walk(value or node)):
                unknown.add(node.id)
            elif value is not None:
                held.setdefault(node.id, {})[block] = Bound(value)
            if node.id in bound or node.id in twice or own or value is None:
                twice.add(node.id)
                bound.pop(node.id, None)
            else:
                bound[node.id] = value

    for statement, block in _statements(body):
        match statement:
            case ast.Assign():
                for target in statement.targets:
                    bind(target, statement.value, block)
            case ast.AnnAssign(value=ast.expr()):
                bind(statement.target, statement.value, block)
            case ast.AugAssign():
                bind(statement.target, None, block)
            case ast.For() | ast.AsyncFor():
                for name, path in _places(statement.target):
                    twice.add(name)
                    bound.pop(name, None)
                    held.setdefault(name, {})[id(statement)] = Bound(statement.iter, path)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    if item.optional_vars is not None:
                        bind(item.optional_vars, None, block)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions[statement.name] = statement
            case ast.ClassDef():
                inner = names_in(statement.body)
                for name, value in inner.bound.items():
                    bound[f"{statement.name}.{name}"] = value
                for name, kind in inner.kinds.items():
                    for part in ast.walk(kind):
                        if isinstance(part, ast.Call):  # Annotated[str, Field(max_length=40)], constr(max_length=40)
                            bound.setdefault(f"{statement.name}.{name}", part)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            kinds[statement.target.id] = statement.annotation
    several = {n: tuple(h.values()) for n, h in held.items() if n in twice and n not in unknown}
    return Names(bound, outer, frozenset(twice), several=several, functions=functions, kinds=kinds)


def looping(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, outer: Names) -> Names:
    """Return the names that a comprehension binds."""
    held = {n: (Bound(g.iter, path),) for g in node.generators for n, path in _places(g.target)}
    return Names({}, outer, frozenset(held), several=held)


def _places(target: ast.expr, path: tuple[int, ...] = ()) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names of a loop's target, each with where it stands in a member."""
    if isinstance(target, ast.Name):
        yield target.id, path
    elif isinstance(target, (ast.Tuple, ast.List)):
        for number, part in enumerate(target.elts):
            yield from _places(part, (*path, number))


def iterated(node: ast.expr, names: Names) -> list[ast.expr]:
    """Return what a loop over `node` sees: the members of a list, `ROWS.items()`, `enumerate(ROWS)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="items"), args=[]):
            pairs = (pairs_of(owner, names) or {}).items()
            return [ast.Tuple([ast.copy_location(ast.Constant(k), v), v], ast.Load()) for k, v in pairs]
        case ast.Call(func=ast.Attribute(value=owner, attr="values"), args=[]):
            return list((pairs_of(owner, names) or {}).values())
        case ast.Call(func=ast.Name(id="enumerate"), args=[owner, *_]):
            return [ast.Tuple([ast.Constant(None), m], ast.Load()) for m in iterated(owner, names)]
        case ast.Call(func=ast.Name(id="sorted" | "list" | "tuple" | "reversed"), args=[owner, *_]):
            return iterated(owner, names)
        case ast.Name(id=name) if name[:1].isupper() and (members := names.members(name)):
            return members
        case ast.Dict() | ast.Name():
            pairs_found = pairs_of(node, names) if items_of(node, names) is None else None
            if pairs_found is not None:
                return [ast.copy_location(ast.Constant(k), v) for k, v in pairs_found.items()]
    return items_of(node, names) or []


def _first(node: ast.expr) -> ast.expr:
    """Return the value of an enum's member: Django's choices are `NAME = "value", "Label"`."""
    return node.elts[0] if isinstance(node, ast.Tuple) and node.elts else node


def _statements(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, int]]:
    """Yield the statements of a body, each with which block it stands in."""
    waiting = [(s, id(body)) for s in reversed(body)]
    while waiting:
        statement, block = waiting.pop()
        yield statement, block
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        blocks = [getattr(statement, attribute, []) for attribute in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        blocks += [case.body for case in getattr(statement, "cases", [])]
        for inner in blocks:
            waiting += [(s, id(inner)) for s in reversed(inner)]


def called(node: ast.Call) -> str:
    """Return the last name of what is called: `Column` for `sa.Column(...)`."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def items_of(node: ast.expr | None, names: Names, depth: int = 0) -> list[ast.expr] | None:
    """Return the members of a list or tuple that is written out, perhaps under a name."""
    match node:
        case ast.List() | ast.Tuple() | ast.Set():
            return None if any(isinstance(e, ast.Starred) for e in node.elts) else list(node.elts)
        case ast.Name() if depth < DEPTH_MAX:
            return items_of(names.find(node.id), names, depth + 1)
    return None


def pairs_of(node: ast.expr | None, names: Names, depth: int = 0) -> dict[str, ast.expr] | None:
    """Return the entries with plain text keys of a dict that is written out, perhaps under a name."""
    match node:
        case ast.Dict():
            entries = zip(node.keys, node.values, strict=True)
            named = [(k.attr if isinstance(k, ast.Attribute) else getattr(k, "value", None), v) for k, v in entries]
            return {k: v for k, v in named if isinstance(k, str)}
        case ast.Call(func=ast.Name(id="dict")):
            return {k.arg: k.value for k in node.keywords if k.arg}
        case ast.Name() if depth < DEPTH_MAX:
            return pairs_of(names.find(node.id), names, depth + 1)
    return None
