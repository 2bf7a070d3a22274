"""The tests of a tree of files, as pytest and unittest would collect them, with what each of them demands."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from squads.contracts.artifact import File
from squads.gates.changes.demands import Demand, as_raises, demand_of, method_demand, parts, raised
from squads.gates.changes.renames import under
from squads.gates.changes.skips import asks_machine, marks, skips_it
from squads.gates.python.source import parse

TEST_FILE = re.compile(r"(^|/)tests?/.*\.py$|(^|/)(test_[^/]*|[^/]*_test|tests|conftest)\.py$")
Node = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Read:
    """What decides whether and what a test checks."""

    demands: list[Demand] = field(default_factory=list)
    skips: list[tuple[str, ast.AST]] = field(default_factory=list)
    patches: list[tuple[str, ast.AST]] = field(default_factory=list)
    sets: list[tuple[ast.AST, list[str]]] = field(default_factory=list)
    """Parameters and lists that it goes through, as texts."""
    called: set[str] = field(default_factory=set)


class Test:
    """A test function. What it checks is read when somebody asks: most tests of a change are as they were."""

    def __init__(
        self, path: str, owner: str, node: Node, around: Sequence[ast.AST], helpers: Mapping[str, Node],
        lists: Mapping[str, ast.expr],
    ) -> None:  # fmt: skip
        self.path = path
        self.owner = owner
        self.node = node
        self._around = around
        self._helpers = helpers
        self._lists = lists

    @cached_property
    def read(self) -> Read:
        """What it checks."""
        read = Read(skips=[(ast.unparse(s), s) for s in self._around])
        _read(read, self.node, self._helpers, self._lists)
        return read

    @cached_property
    def body(self) -> str:
        """What it does, in one way of writing."""
        return "\n".join(ast.unparse(s) for s in self.node.body)

    @property
    def key(self) -> tuple[str, str, str]:
        """Where it is, and its name."""
        return self.path, self.owner, self.node.name

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @property
    def demands(self) -> list[Demand]:
        """What it demands."""
        return self.read.demands

    @property
    def skips(self) -> list[tuple[str, ast.AST]]:
        """What keeps it from running, or from failing."""
        return self.read.skips

    @property
    def patches(self) -> list[tuple[str, ast.AST]]:
        """What it replaces."""
        return self.read.patches

    @property
    def sets(self) -> list[tuple[ast.AST, list[str]]]:
        """What it goes through."""
        return self.read.sets

    @property
    def called(self) -> set[str]:
        """The names of what it calls."""
        return self.read.called

    @property
    def literals(self) -> set[str]:
        """The constants in its demands."""
        inner = (n for d in self.demands for n in ast.walk(d.node))
        return {ast.unparse(n) for n in inner if isinstance(n, ast.Constant) and n.value is not None}


@dataclass(slots=True)
class Suite:
    """All tests of one tree."""

    tests: dict[tuple[str, str, str], Test] = field(default_factory=dict)
    trees: dict[str, ast.Module] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)

    helpers: dict[str, Node] = field(default_factory=dict)
    """The functions of its files that are no tests, by name."""
    _lines: dict[str, list[str]] = field(default_factory=dict)

    def lines(self, path: str) -> list[str]:
        """Return the lines of a file of the tree."""
        if path not in self._lines and path in self.files:
            self._lines[path] = self.files[path].text.split("\n")
        return self._lines.get(path, [])


def suite_of(
    files: Mapping[str, File],
    patterns: Sequence[str] = ("test_*.py", "*_test.py", "tests.py"),
    renames: Mapping[str, str] | None = None,
    read: Mapping[str, ast.Module] | None = None,
) -> Suite:
    """Return the tests of a tree, with what they test under new names. Raises `CannotLook` for what cannot be read.

    `read` are trees that were made of the same files before.
    """
    suite = Suite(files=files)
    helpers = suite.helpers
    for path, file in files.items():
        if not TEST_FILE.search(path) or file.mode == "link":
            continue
        told = {n: r for n, r in (renames or {}).items() if n in file.text}
        known = (read or {}).get(path)
        tree = suite.trees[path] = known if known is not None else under(parse(file).tree, told)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("test"):
                helpers.setdefault(node.name, node)
    for path, tree in suite.trees.items():
        if any(fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], p) for p in patterns):
            _collect(suite, path, tree, helpers)
    return suite


def _collect(suite: Suite, path: str, tree: ast.Module, helpers: Mapping[str, Node]) -> None:
    around = [("module", s) for s in marks(tree.body)]
    lists = _lists(tree.body)
    for owner, body, skips in _homes(tree.body, "", around):
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
                test = Test(path, owner, node, [s for _, s in skips], helpers, lists)
                suite.tests[path, owner, node.name] = test


def _homes(
    body: Sequence[ast.stmt], owner: str, skips: list[tuple[str, ast.AST]]
) -> Iterator[tuple[str, Sequence[ast.stmt], list[tuple[str, ast.AST]]]]:
    """Yield the blocks whose functions are collected: the module's, those of `if` and `try` in it, and the classes'."""
    yield owner, body, skips
    for node in body:
        if isinstance(node, ast.ClassDef):
            case = any(re.search(r"Test|Case", ast.unparse(b)) for b in node.bases)
            if not case and not node.name.startswith("Test"):
                continue
            if any(isinstance(s, ast.FunctionDef) and s.name == "__init__" for s in node.body):
                continue
            own = [("class", d) for d in node.decorator_list if skips_it(d)] + [("class", s) for s in marks(node.body)]
            yield from _homes(node.body, node.name, [*skips, *own])
        elif isinstance(node, ast.Try | ast.With):
            yield from _homes(node.body, owner, skips)
        elif isinstance(node, ast.If):
            yield from _homes(node.body, owner, [*skips, ("if", node.test)] if not asks_machine(node.test) else skips)


def _lists(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Tuple | ast.Dict | ast.Set):
            found |= {t.id: node.value for t in node.targets if isinstance(t, ast.Name)}
        elif (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.List | ast.Tuple | ast.Dict | ast.Set)
        ):
            found[node.target.id] = node.value
    return found


def _read(test: Read, node: Node, helpers: Mapping[str, Node], lists: Mapping[str, ast.expr]) -> None:
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if "parametrize" in text and isinstance(decorator, ast.Call) and len(decorator.args) >= 2:
            given = decorator.args[1]
            home = lists.get(given.id, decorator) if isinstance(given, ast.Name) else decorator
            test.sets.append((home, _elements(given, lists)))
            for part in ast.walk(decorator):
                if isinstance(part, ast.keyword) and part.arg == "marks" and skips_it(part.value):
                    test.skips.append((ast.unparse(part.value), part.value))
        elif skips_it(decorator):
            test.skips.append((text, decorator))
        elif re.search(r"\bpatch\b|patch\.", text) and isinstance(decorator, ast.Call):
            test.patches.append((_patched(decorator), decorator))
    _block(test, node.body, "", helpers, 0, lists)
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            test.called.add(part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", ""))


def _elements(node: ast.expr, lists: Mapping[str, ast.expr]) -> list[str]:
    if isinstance(node, ast.Name) and node.id in lists:
        node = lists[node.id]
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in ("list", "sorted", "tuple", "enumerate"):
        return _elements(node.args[0], lists)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("items", "values", "keys")
    ):
        return _elements(node.func.value, lists)
    if isinstance(node, ast.Dict):
        return [
            f"{ast.unparse(k) if k else '**'}: {ast.unparse(v)}" for k, v in zip(node.keys, node.values, strict=True)
        ]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [t for e in node.elts for t in _element(e, lists)]
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) == "range"
        and all(isinstance(a, ast.Constant) for a in node.args)
    ):
        numbers = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
        return [str(n) for n in range(*numbers)][:10_000] if numbers and len(numbers) == len(node.args) else []
    return []


def _element(node: ast.expr, lists: Mapping[str, ast.expr]) -> list[str]:
    if isinstance(node, ast.Starred):
        return _elements(node.value, lists)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("param"):
        return ["(" + ", ".join(ast.unparse(a) for a in node.args) + ")"]
    return [ast.unparse(node)]


def _patched(call: ast.Call) -> str:
    """Return the last word of what is replaced by a patch."""
    names = [a.value for a in call.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if "object" in ast.unparse(call.func) or "setattr" in ast.unparse(call.func):
        return str(names[-1]).rsplit(".", 1)[-1] if names else ""
    return str(names[0]).rsplit(".", 1)[-1] if names else ""


def _block(
    test: Read,
    body: Sequence[ast.stmt],
    guard: str,
    helpers: Mapping[str, Node],
    depth: int,
    lists: Mapping[str, ast.expr],
) -> None:
    for node in body:
        match node:
            case ast.Assert():
                _assert(test, node, guard)
            case ast.If():
                if isinstance(node.test, ast.Constant) and node.test.value:
                    _block(test, node.body, guard, helpers, depth, lists)
                else:
                    why = guard or "a branch"
                    both = bool(node.orelse)
                    _block(test, node.body, guard if both and not guard else why, helpers, depth, lists)
                    _block(test, node.orelse, guard if both and not guard else why, helpers, depth, lists)
                    if not guard and any(isinstance(s, ast.Return) for s in node.body):
                        guard = "a `return` before it"
            case ast.For() | ast.AsyncFor():
                elements = _elements(node.iter, lists)
                if elements:
                    home = lists.get(node.iter.id, node) if isinstance(node.iter, ast.Name) else node.iter
                    test.sets.append((home, elements))
                _block(test, node.body, guard if elements else guard or "a loop", helpers, depth, lists)
            case ast.While():
                _block(test, node.body, guard or "a loop", helpers, depth, lists)
            case ast.Try() if (call := as_raises(node)) is not None:
                test.demands.append(method_demand("raises", call, guard))
                _block(test, node.handlers[0].body, guard, helpers, depth, lists)
            case ast.Try() | ast.TryStar():
                wide = any(
                    h.type is None or re.search(r"AssertionError|Exception", ast.unparse(h.type))
                    for h in node.handlers
                    if not any(isinstance(s, ast.Raise) or "fail(" in ast.unparse(s) for s in h.body)
                )
                _block(test, [*node.body, *node.orelse], guard or ("a handler" if wide else ""), helpers, depth, lists)
                for handler in node.handlers:
                    _block(test, handler.body, guard or "a handler", helpers, depth, lists)
                _block(test, node.finalbody, guard, helpers, depth, lists)
            case ast.With() | ast.AsyncWith():
                inner = guard
                for item in node.items:
                    text = ast.unparse(item.context_expr)
                    if re.search(r"suppress\((?:.*)(?:Assertion|Exception)", text):
                        inner = guard or "a handler"
                    _call(test, item.context_expr, guard, helpers, depth, lists)
                ends = any(
                    isinstance(i.context_expr, ast.Call) and raised(ast.unparse(i.context_expr.func).rsplit(".", 1)[-1])
                    for i in node.items
                )
                _block(test, node.body[:1] if ends else node.body, inner, helpers, depth, lists)
                if ends:
                    _block(test, node.body[1:], inner or "a block that an error ends", helpers, depth, lists)
            case ast.Expr() | ast.Assign() | ast.AnnAssign():
                _call(test, node.value, guard, helpers, depth, lists)
            case ast.Return():
                if not guard and depth == 0 and node is not body[-1]:
                    guard = "a `return` before it"
                if node.value is not None:
                    _call(test, node.value, guard, helpers, depth, lists)
            case ast.Raise() if node.exc is not None and "SkipTest" in ast.unparse(node.exc) and not guard:
                test.skips.append((ast.unparse(node), node))


def _assert(test: Read, node: ast.Assert, guard: str) -> None:
    for part in parts(node.test):
        test.demands.append(demand_of(part, node, guard))


def _call(
    test: Read,
    value: ast.expr | None,
    guard: str,
    helpers: Mapping[str, Node],
    depth: int,
    lists: Mapping[str, ast.expr],
) -> None:
    waited = isinstance(value, ast.Await)
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call):
        return
    text = ast.unparse(value.func)
    name = text.rsplit(".", 1)[-1]
    if name in ("skip", "xfail", "skipTest") and re.search(r"pytest|self|unittest", text):
        test.skips += [] if guard and guard != "a `return` before it" else [(ast.unparse(value), value)]
        if guard == "a branch":
            test.skips.append((ast.unparse(value), value))
    elif name in ("setattr", "patch", "object", "setitem") and re.search(r"monkeypatch|patch|mocker", text):
        test.patches.append((_patched(value), value))
    elif re.match(r"assert[A-Z]|assert_", name) or name in ("raises", "warns", "fail", "deprecated_call"):
        if name in helpers and depth < 3:
            _block(test, helpers[name].body, guard, helpers, depth + 1, lists)
            return
        test.demands.append(method_demand(name, value, guard))
    elif (
        name in helpers
        and (waited or not isinstance(helpers[name], ast.AsyncFunctionDef))
        and depth < 3
        and any(
            isinstance(n, ast.Assert)
            or (isinstance(n, ast.Call) and re.match(r"assert|raises", ast.unparse(n.func).rsplit(".", 1)[-1]))
            for n in ast.walk(helpers[name])
        )
    ):
        _block(test, helpers[name].body, guard, helpers, depth + 1, lists)
