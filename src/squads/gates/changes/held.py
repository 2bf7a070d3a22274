"""What a whole suite holds: every demand of every test that runs, with its values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from squads.gates.changes.asked import Asked, asked_by, constants, put
from squads.gates.changes.demands import bounded, softer
from squads.gates.changes.suite import Node, Suite, Test

Key = tuple[str, str, str]
_PART = re.compile(r"(?s)(.+?)(?:\.(\w+)|\[['\"]?(?:(\w+))['\"]?\])")


@dataclass(slots=True)
class Held:
    """A suite, read for what it asks."""

    suite: Suite
    of: dict[Key, list[Asked]] = field(default_factory=dict)
    """What each test asks."""
    by_subject: dict[str, list[tuple[Test, Asked]]] = field(default_factory=dict)
    by_short: dict[tuple[str, ...], list[Asked]] = field(default_factory=dict)
    by_key: dict[tuple[str, ...], list[tuple[Test, Asked]]] = field(default_factory=dict)
    names: dict[str, dict[str, ast.expr]] = field(default_factory=dict)
    """What the constants of each file stand for."""

    def __post_init__(self) -> None:
        helpers: dict[str, Node] = {}
        for tree in self.suite.trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test"):
                    helpers.setdefault(node.name, node)
        shared = {n: v for tree in self.suite.trees.values() for n, v in constants(tree.body).items()}
        for path, tree in self.suite.trees.items():
            self.names[path] = constants(tree.body)
        for key, test in self.suite.tests.items():
            tree = self.suite.trees[test.path]
            imported = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
            names = {n: v for n, v in shared.items() if n in imported} | self.names[test.path]
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name == test.owner:
                    own = constants(node.body)
                    names |= {f"self.{n}": v for n, v in own.items()} | own
                    for made in node.body:
                        if isinstance(made, ast.FunctionDef) and made.name in ("setUp", "setup_method", "setUpClass"):
                            names |= {n: put(v, names) for n, v in _set_up(made.body).items()}
            names |= {a: _given(a, helpers, names) or ast.Name(a, ast.Load()) for a in _arguments(test.node)}
            self.of[key] = asked_by(test.node, names, helpers, _known(tree))
            if test.skips:
                continue
            for asked in self.of[key]:
                self.by_subject.setdefault(asked.demand.subject, []).append((test, asked))
                self.by_short.setdefault(asked.short, []).append(asked)
                self.by_key.setdefault(asked.key, []).append((test, asked))

    def like(self, asked: Asked) -> list[tuple[Test, Asked]]:
        """Return what asks of the same subject."""
        found = self.by_subject.get(asked.demand.subject, []) if asked.demand.subject != "raises" else []
        return found or (self.by_key.get(asked.key, []) if len(asked.key) > 2 else [])

    def holds(self, asked: Asked) -> bool:
        """Return whether something asks as much as this."""
        if any(_as_much(asked, other) for _, other in self.like(asked)):
            return True
        for other in self.by_short.get(asked.short, []) if asked.short else []:
            # Whose method it is cannot be told: a fixture or a local made it. The rest is the same.
            if not other.plain and _as_much(asked, other):
                return True
        part = _PART.fullmatch(asked.demand.subject)
        wholes = self.by_subject.get(part[1], []) if part else []
        word = (part[2] or part[3] or "") if part else ""
        told = asked.demand.expected or asked.demand.text
        return any(
            other.demand.strength >= 10 and word in other.demand.expected and told in other.demand.expected
            for _, other in wholes
        )

    def weaker(self, asked: Asked) -> Iterator[tuple[Test, Asked]]:
        """Yield what asks of the same subject, and asks less."""
        for test, other in self.like(asked):
            if softer(asked.demand, other.demand):
                yield test, other


def _given(name: str, helpers: Mapping[str, Node], names: dict[str, ast.expr], depth: int = 0) -> ast.expr | None:
    """Return what a fixture gives, where it is one expression."""
    helper = helpers.get(name)
    if helper is None or depth > 3 or not any("fixture" in ast.unparse(d) for d in helper.decorator_list):
        return None
    last = helper.body[-1]
    value = last.value if isinstance(last, ast.Return | ast.Expr) else None
    value = value.value if isinstance(value, ast.Yield) else value
    if value is None:
        return None
    own = {a: g for a in _arguments(helper) if (g := _given(a, helpers, names, depth + 1)) is not None}
    return put(put(value, constants(helper.body)), names | own)


def _set_up(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Return what a method that runs before a test leaves for it."""
    found: dict[str, ast.expr] = {}
    for name, value in constants(body).items():
        found[name] = put(value, found)
    return {n: v for n, v in found.items() if n.startswith("self.")}


def _arguments(node: Node) -> list[str]:
    return [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _known(tree: ast.Module) -> set[str]:
    """Return the names that mean the same everywhere in a file: imports, definitions, built-in functions."""
    found = set(dir(__builtins__)) if not isinstance(__builtins__, dict) else set(__builtins__)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return found


def _as_much(old: Asked, new: Asked) -> bool:
    one, other = old.demand, new.demand
    if one.text == other.text:
        return not other.guarded or bool(one.guarded)
    if softer(one, other):
        return False
    if bounded(one) and bounded(other):
        return True
    if re.match(r"isinstance\(|type\(", one.text) and not re.match(r"isinstance\(|type\(", other.text):
        return other.strength >= 10 and re.match(r"['\"\[({]|True|False|None", other.expected) is not None
    if one.polarity and other.strength >= 8 and other.expected:
        said = _truth(other.expected)
        return said is None or said == (one.polarity == "true")
    if one.polarity or other.polarity:
        return one.polarity == other.polarity
    return one.expected == other.expected or (one.strength < 8 and other.strength >= 8)


def _truth(text: str) -> bool | None:
    try:
        return bool(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError):
        return None
