"""The Python files of one artifact, parsed when they are asked for.

Nothing is imported and nothing is run. A file is parsed only where a check asks for it, and a check asks for files that
mention a word it cares about: a change of a thousand files holds few of them. A file that was asked for and cannot be
read is `CannotLook`.
"""

from __future__ import annotations

import ast
import posixpath
import threading
from functools import cached_property

from squads.contracts.artifact import Artifact, File
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.python.bindings import Binding
from squads.gates.python.module import Class, Function, Module
from squads.gates.python.source import PYTHON_FILES, parse

READ_BYTES_MAX = 16 * 1024 * 1024
"""The most Python that is parsed for one artifact."""


class Files:
    """The Python files of an artifact. Threads may share it: checks hold `lock` while they ask."""

    def __init__(self, artifact: Artifact) -> None:
        self.lock = threading.RLock()
        self._files = {f.path: f for f in artifact.matching(*PYTHON_FILES) if f.mode != "link"}
        self._modules: dict[str, Module | CannotLook] = {}
        self._read_bytes = 0
        self._home: dict[ast.AST, Module] = {}
        self._texts: list[tuple[str, bytes]] = []
        self._importers: dict[str, list[tuple[Module, Binding]]] = {}

    def __repr__(self) -> str:
        return f"<{len(self._files)} Python files>"

    # Files

    @property
    def paths(self) -> tuple[str, ...]:
        """Every Python file of the artifact, parsed or not."""
        return tuple(self._files)

    def module(self, path: str) -> Module:
        """Return the module of a file. Raises `CannotLook` where it cannot be read."""
        with self.lock:
            known = self._modules.get(path)
            if known is None:
                known = self._modules[path] = self._read(self._files[path])
            if isinstance(known, CannotLook):
                raise known
            return known

    def mentioning(self, *words: str) -> list[Module]:
        """Return the modules in whose bytes any of `words` stands. Others are not even parsed."""
        wanted = [word.encode() for word in words]
        return [self.module(p) for p, f in self._files.items() if any(word in f.content for word in wanted)]

    def texts(self) -> list[tuple[str, bytes]]:
        """Return paths and bytes, for a check's own look before anything is parsed."""
        if not self._texts:
            self._texts = [(path, file.content) for path, file in self._files.items()]
        return self._texts

    def importers(self, name: str) -> list[tuple[Module, Binding]]:
        """Return the imports of something called `name` in the files that were parsed so far."""
        return self._importers.get(name, [])

    @property
    def modules(self) -> list[Module]:
        """Those that were parsed so far."""
        return [m for m in self._modules.values() if isinstance(m, Module)]

    def _read(self, file: File) -> Module | CannotLook:
        self._read_bytes += len(file.content)
        if self._read_bytes > READ_BYTES_MAX:
            return CannotLook(
                f"{file.path}:1: more than {READ_BYTES_MAX} bytes of Python have to be parsed; gate smaller changes"
            )
        try:
            module = Module(parse(file))
            module.scopes  # noqa: B018  (names are read here, so that whoever asks later meets no surprise)
        except CannotLook as error:
            return error
        except RecursionError:
            return CannotLook(f"{file.path}:1: is nested too deeply to be read; flatten its blocks")
        self._home.update(dict.fromkeys(module.parents, module))
        self._home[module.tree] = module
        for bindings in module.scopes.module.bindings.values():
            for binding in bindings:
                if binding.imported and binding.imported[1]:
                    self._importers.setdefault(binding.imported[1], []).append((module, binding))
        return module

    # Places in the tree

    def module_of(self, node: ast.AST) -> Module:
        """Return the module in which a node of any parsed file stands."""
        return self._home[node]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what stands directly around a node; None for a module."""
        return self.module_of(node).parents.get(node)

    def place(self, node: ast.AST) -> Place:
        """Return where a node was written."""
        return self.module_of(node).place(node)

    def function_of(self, node: ast.AST) -> Function | None:
        """Return the innermost function around a node; None in a module's or class's own body."""
        module = self.module_of(node)
        parent = module.parents.get(node)
        while parent is not None and parent not in module.functions:
            if isinstance(parent, ast.ClassDef):
                return None
            parent = module.parents.get(parent)
        return module.functions[parent] if parent is not None else None

    def class_of(self, node: ast.AST) -> Class | None:
        """Return the class whose method a node stands in."""
        function = self.function_of(node)
        while function is not None and function.owner is None:
            function = self.function_of(function.node)
        return function.owner if function else None

    # Imports

    def imported(self, module: Module, name: str, dots: int) -> list[Module]:
        """Return the artifact's modules that `from ..name import x` may mean in `module`; empty for other packages.

        A change holds a part of a package, so its top is not known: `app.auth.tokens` is any file whose path ends so,
        the nearest one first. A single word is a file at the top, under `src`, or beside the importing script.
        """
        if dots:
            folder = module.folder
            for _ in range(dots - 1):
                folder = posixpath.dirname(folder)
            wanted = posixpath.join(folder, *name.split(".")) if name else folder
            return self._at([f"{wanted}.py", f"{wanted}.pyi", posixpath.join(wanted, "__init__.py")])
        tail = name.replace(".", "/")
        if "." not in name:
            beside = [module.folder] if posixpath.join(module.folder, "__init__.py") not in self._files else []
            folders = ["", "src", *beside]
            ends = [posixpath.join(f, end) for f in folders for end in (f"{tail}.py", f"{tail}/__init__.py")]
            return [m for m in self._at(ends) if m is not module]
        exact = self._at([f"{tail}.py", f"{tail}/__init__.py"])
        ends = [f"/{tail}.py", f"/{tail}/__init__.py"]
        return exact or [m for m in self._at(self._ending(ends, module.path)) if m is not module]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        named: dict[str, list[str]] = {}
        for path in self._files:
            named.setdefault(posixpath.basename(path), []).append(path)
        return named

    def _ending(self, ends: list[str], near: str) -> list[str]:
        found = [p for end in ends for p in self._by_name.get(posixpath.basename(end), ()) if p.endswith(end)]
        return sorted(found, key=lambda p: -len(posixpath.commonprefix([p, near])))[:1]

    def _at(self, paths: list[str]) -> list[Module]:
        return [self.module(path) for path in dict.fromkeys(paths) if path in self._files]
