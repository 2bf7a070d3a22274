"""What a test says together with all that it stands on: two that say the same need no closer look."""

from __future__ import annotations

import ast
import re

from squads.gates.changes.suite import Suite, Test

_WORD = re.compile(r"[A-Za-z_]\w*")


class Around:
    """The statements of a suite by the names that they bind."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._own: dict[str, dict[str, str]] = {}
        self._stems = {p.removesuffix(".py").rsplit("/", 1)[-1] for p in suite.trees}
        self._anywhere: dict[str, str] = {}
        self._fixtures: dict[str, str] = {}
        self._always: dict[str, str] = {}
        self._lines: dict[str, list[str]] = {}
        for path, tree in suite.trees.items():
            self._lines[path] = suite.lines(path)
            own = self._own[path] = {}
            for node in tree.body:
                self._bind(path, own, node)
            stem = path.removesuffix(".py").rsplit("/", 1)[-1]
            self._anywhere |= {f"{stem}:{n}": text for n, text in own.items()}
            if path.rsplit("/", 1)[-1] == "conftest.py":
                self._fixtures |= own
                self._always[path] = "\n".join(t for t in own.values() if "autouse" in t)

    def _bind(self, path: str, own: dict[str, str], node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if not node.name.startswith("test"):
                    own[node.name] = self._text(path, node)
            case ast.ClassDef():
                tests = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
                         and n.name.startswith("test")]  # fmt: skip
                text = self._text(path, node)
                for test in tests:
                    text = text.replace(self._text(path, test), "")
                own[node.name] = " ".join(text.split())
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    # Where something is taken from matters for what tests define themselves: code may move.
                    origin = (getattr(node, "module", "") or "").rsplit(".", 1)[-1]
                    mine = origin if origin in self._stems else ""
                    own[(alias.asname or alias.name).split(".")[0]] = f"{mine}:{alias.name}\n"
            case _:
                for part in ast.walk(node):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        own[part.id] = own.get(part.id, "") + self._text(path, node)

    def _text(self, path: str, node: ast.stmt) -> str:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        return "\n".join(self._lines[path][first - 1 : node.end_lineno])

    def of(self, test: Test) -> frozenset[str]:
        """Return everything that decides what a test asks."""
        own = self._own[test.path]
        text = self._text(test.path, test.node)
        folder = test.path.rsplit("/", 1)[0]
        found = {text, *(t for p, t in self._always.items() if folder.startswith(p.removesuffix("conftest.py")[:-1]))}
        seen = {"self", "cls"}
        left = [text, *found, own.get("pytestmark", ""), own.get(test.owner, ""), own.get("setup_module", "")]
        while left and len(found) < 400:
            said = left.pop()
            found.add(said)
            for word in _WORD.findall(said):
                if word not in seen:
                    seen.add(word)
                    held = own.get(word) or self._fixtures.get(word)
                    if held:
                        left.append(held)
                    if held and held.endswith("\n"):  # imported, perhaps from a file of tests
                        left.append(self._anywhere.get(held.strip(), ""))
        return frozenset(found)
