"""What the names that a Python file imports are bound to in the other files of the artifact.

A mixin, a base or an alias of a type often stands in another file than the model that uses it. Files are found by the
dotted name, as Python finds them from some root; what is not in the artifact stays unknown. Nothing is imported or run.
"""

from __future__ import annotations

import ast
import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping

from squads.contracts.artifact import File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.python.file import PythonFile, Sql, sql
from squads.gates.sql.python.scope import Bound, Scope

IMPORTED_BYTES_MAX = 8 * 1024 * 1024
"""The most Python that is parsed only because another file imports it; what lies beyond stays unknown."""


class Elsewhere(PythonFile):
    """A file that another one imports: SQL made from it has its place in the file that asked."""

    def at(self, node: ast.AST, *pieces: str | Sql) -> Sql:
        """Return the pieces without a place."""
        del node
        return Sql(sql(*pieces).text)

    def literal(self, node: ast.Constant) -> Sql:
        """Return the text of a string constant without a place."""
        return Sql(str(node.value))


class Library:
    """The Python files of one artifact, parsed when a name leads there."""

    def __init__(self, files: Iterable[File]) -> None:
        self._files = {f.path: f for f in files}
        self._by_stem: dict[str, list[str]] = {}
        for path in sorted(self._files):
            self._by_stem.setdefault(_parts(path)[-1], []).append(path)
        self._modules: dict[str, Scope | None] = {}
        self._asking: set[tuple[str, str]] = set()
        self._bytes_left = IMPORTED_BYTES_MAX

    def imports(self, path: str, tree: ast.Module) -> Imports:
        """Return what the file at `path` imports from this artifact."""
        return Imports(self, dict(self._sources(path, tree)))

    def resolve(self, path: str, attribute: str) -> Bound | None:
        """Return what `attribute` of the module at `path` is bound to; the module itself where it is empty."""
        scope = self._module(path)
        if scope is None or (path, attribute) in self._asking:
            return None
        if not attribute:
            return Bound(scope.file.tree, scope)
        self._asking.add((path, attribute))
        try:
            found = scope.find(attribute)
        finally:
            self._asking.discard((path, attribute))
        return found if found is not None and found.node is not None else None

    def _sources(self, path: str, tree: ast.Module) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        """Yield the local names of imports, each with the modules and attributes that it may stand for, best first."""
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                target = self._locate(path, node.module or "", node.level)
                for alias in node.names:
                    if alias.name == "*" and target:
                        scope = self._module(target)
                        yield from ((known, ((target, known),)) for known in (scope.names if scope else ()))
                        continue
                    inner = self._locate(path, f"{node.module}.{alias.name}" if node.module else alias.name, node.level)
                    places = [(target, alias.name)] if target else []
                    places += [(inner, "")] if inner else []
                    if places:
                        yield alias.asname or alias.name, tuple(places)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    whole = alias.asname or (alias.name if "." not in alias.name else "")
                    if whole and (target := self._locate(path, alias.name, 0)):
                        yield whole, ((target, ""),)

    def _locate(self, path: str, module: str, level: int) -> str:
        """Return the file of a module, empty where the artifact has none."""
        wanted = [p for p in module.split(".") if p]
        if level:
            here = path.split("/")[:-1]
            base = here[: len(here) - level + 1]
            stem = "/".join([*base, *wanted])
            beneath = (f"{stem}.py", posixpath.join(stem, "__init__.py"))
            return next((p for p in beneath if p in self._files and p != path), "")
        if not wanted or wanted[0] in sys.stdlib_module_names:
            return ""
        fitting = [p for p in self._by_stem.get(wanted[-1], ()) if _parts(p)[-len(wanted) :] == wanted and p != path]
        return max(fitting, key=lambda p: len(posixpath.commonpath(["/" + p, "/" + path])), default="")

    def _module(self, path: str) -> Scope | None:
        if path not in self._modules:
            self._modules[path] = None
            file = self._files[path]
            self._bytes_left -= len(file.content)
            if self._bytes_left < 0:
                return None
            try:
                python = Elsewhere(path, file.text)
                self._modules[path] = Scope.of_module(python, self.imports(path, python.tree))
            except (CannotLook, NotText, RecursionError):
                return None  # what cannot be read stays unknown, as if it were not there
        return self._modules[path]


class Imports(Mapping[str, Bound]):
    """Local names and what they are bound to elsewhere; looked up when asked for."""

    def __init__(self, library: Library, sources: Mapping[str, tuple[tuple[str, str], ...]]) -> None:
        self._library = library
        self._sources = sources

    def __getitem__(self, known: str) -> Bound:
        for path, attribute in self._sources[known]:
            if (found := self._library.resolve(path, attribute)) is not None:
                return found
        raise KeyError(known)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def _parts(path: str) -> list[str]:
    """Return a file's dotted name, part by part: `app/models/__init__.py` is `app.models`."""
    parts = path.removesuffix(".py").split("/")
    return parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
