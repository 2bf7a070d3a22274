"""What tests put in the place of the code that they are to test, and whether that code computes anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from squads.contracts.artifact import File
from squads.contracts.errors import NotText

Node = ast.FunctionDef | ast.AsyncFunctionDef
# What tests may well replace: clocks, chance, networks, disks, what is slow and what differs from run to run.
_OUTSIDE = re.compile(
    r"(?i)now|today|time|sleep|clock|random|uuid|token|fetch|request|http|url|open|connect|client|session|send|post"
    r"|mail|notify|publish|upload|download|read|write|load|save|query|execute|environ|getenv|path|socket|subprocess"
    r"|run|print|log|input|hostname|_id\b|secret"
)
_PLAIN_CALLS = frozenset(("timedelta", "datetime", "time", "strptime", "strftime", "timetuple", "total_seconds"))
_DEPTH_MAX = 3
_PLAIN_MODULES = frozenset(
    [
        "re",
        "math",
        "decimal",
        "string",
        "itertools",
        "functools",
        "collections",
        "dataclasses",
        "typing",
        "enum",
        "operator",
        "datetime",
        "fractions",
        "statistics",
        "bisect",
        "heapq",
        "textwrap",
        "unicodedata",
        "numbers",
        "__future__",
        "calendar",
    ]
)


def stubs(node: ast.AST) -> Iterator[tuple[str, str, ast.Call]]:
    """Yield (module or owner as it is written, name, call) of everything that a test or a fixture replaces."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        text = ast.unparse(call.func)
        if not re.search(r"(?:^|\.)(?:patch|setattr|object)$", text) or not re.search(r"patch|mocker", text):
            continue
        if any(k.arg == "wraps" for k in call.keywords):
            continue
        words = [a.value for a in call.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if text.endswith(("object", "setattr")) and len(call.args) > 1 and not isinstance(call.args[0], ast.Constant):
            if words:
                yield ast.unparse(call.args[0]), words[0], call
        elif words and "." in words[0]:
            owner, _, name = words[0].rpartition(".")
            yield owner, name, call


class Code:
    """The functions of a tree of files outside its tests."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self._files = files
        self._trees: dict[str, ast.Module | None] = {}

    def tree(self, path: str) -> ast.Module | None:
        """Return a file's tree; None for what cannot be read."""
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(self._files[path].text)
            except (SyntaxError, ValueError, RecursionError, NotText):
                self._trees[path] = None
        return self._trees[path]

    def methods(self, name: str) -> Iterator[tuple[ast.Module, Node]]:
        """Yield the methods of this name, of any class; nothing where several classes have one."""
        found = []
        for path in self._files:
            tree = self.tree(path) if path.endswith(".py") else None
            for node in tree.body if tree is not None else ():
                if isinstance(node, ast.ClassDef):
                    inner = [
                        n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name
                    ]
                    found += [(tree, n) for n in inner if tree is not None]
        yield from found if len(found) == 1 else ()

    def functions(self, owner: str, name: str, depth: int = 0) -> Iterator[tuple[ast.Module, Node]]:
        """Yield the functions of this name in the modules or classes that `owner` may mean."""
        last = owner.rsplit(".", 1)[-1]
        for path in self._files:
            if not path.endswith(".py") or name not in self._files[path].content.decode(errors="replace"):
                continue
            tree = self.tree(path)
            if tree is None:
                continue
            homes: list[list[ast.stmt]] = [n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == last]
            if path.removesuffix(".py").removesuffix("/__init__").rsplit("/", 1)[-1] == last:
                homes.append(tree.body)
            for node in (n for body in homes for n in body):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    yield tree, node
                elif isinstance(node, ast.ImportFrom) and owner != node.module and depth < _DEPTH_MAX:
                    taken = next((a.name for a in node.names if (a.asname or a.name) == name), None)
                    if taken is not None:
                        yield from self.functions(node.module or "", taken, depth + 1)


def computes(tree: ast.Module, function: Node) -> bool:
    """Return whether a function computes from what it is given, and asks nothing outside."""
    if isinstance(function, ast.AsyncFunctionDef) or _OUTSIDE.search(function.name):
        return False
    outside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            outside |= {(a.asname or a.name).split(".")[0] for a in node.names
                        if a.name.split(".")[0] not in _PLAIN_MODULES}  # fmt: skip
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in _PLAIN_MODULES:
            outside |= {a.asname or a.name for a in node.names}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id in outside:
            return False
        called = ast.unparse(node.func).rsplit(".", 1)[-1] if isinstance(node, ast.Call) else ""
        if called not in _PLAIN_CALLS and _OUTSIDE.search(called):
            return False
    return not any(isinstance(d, ast.Constant) or "abstract" in ast.unparse(d) for d in function.decorator_list)


def stubbed(now: ast.AST, was: ast.AST | None, code: Code, imported: set[str]) -> Iterator[tuple[str, ast.Call]]:
    """Yield what a test or a fixture replaces since the change of the code that it is to test, where that computes."""
    before = {(o, n) for o, n, _ in stubs(was)} if was is not None else set()
    for owner, name, call in stubs(now):
        if (owner, name) in before:
            continue
        last = owner.rsplit(".", 1)[-1]
        made = owner.isidentifier() and owner not in imported and owner != "self"  # by a fixture, or by the test
        if not made and last not in imported and owner.split(".")[0] not in imported:
            continue
        if made:
            if any(computes(tree, function) for tree, function in code.methods(name)):
                yield name, call
        elif any(computes(tree, function) for tree, function in code.functions(owner, name)):
            yield name, call


def modules(tree: ast.Module) -> set[str]:
    """Return the modules that a file of tests takes from, and the names that it takes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {p for a in node.names for p in ((a.asname or a.name).split(".")[0], a.name.rsplit(".", 1)[-1])}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").rsplit(".", 1)[-1], *(a.asname or a.name for a in node.names)}
            if "." in (node.module or ""):
                found.add(str(node.module).split(".")[0])  # its neighbours, too
    return found
