"""The Python of an artifact, parsed where its words say that it matters: few files of a change name a tenant.

What a check wants to know of other files begins with a name: a class, a function, a key. So every file's words are read
once, and only files that hold the name are parsed, once each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property

from squads.contracts.artifact import File
from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.tenancy.words import root_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
_WORD = re.compile(r"[A-Za-z_]\w*")
_ESCAPED = re.compile(r"\\[A-Za-z](\w+)")  # "\nshop_id" holds shop_id
_CALLED = re.compile(r"(?<!def )\b(\w+)\s*\(")
_CLASS = re.compile(r"\bclass\s+(\w+)")
_READ = re.compile(r"\.\s*(\w+)|[\"'](\w+)[\"']\s*\]|\b(\w+)\s*=(?!=)")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Modules:
    """The Python files of an artifact and of what stood before it."""

    def __init__(self, files: Iterable[File]) -> None:
        self._files: Mapping[str, File] = {f.path: f for f in files}
        self.texts = {p: f.content.decode(errors="replace") for p, f in self._files.items()}
        """Every file as text."""
        self.words = {p: frozenset(_WORD.findall(t)) for p, t in self.texts.items()}
        """The words of every file, as they are written."""
        self._programs: dict[str, PythonFile] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._read: dict[str, frozenset[str]] = {}
        self._classes: dict[str, tuple[ast.ClassDef, ...]] = {}
        self._callers: dict[str, dict[str, list[Function]]] = {}
        self._carried: dict[str, tuple[frozenset[str], ...]] = {}

    def program(self, path: str) -> PythonFile:
        """Return a file as a program. Raises `CannotLook` where it cannot be read."""
        if path not in self._programs:
            self._programs[path] = PythonFile(path, self._files[path].text)
            self._trees.pop(path, None)
        return self._programs[path]

    def tree(self, path: str) -> ast.Module | None:
        """Return a file's tree; None where it does not parse: it only adds what is known of others."""
        if path in self._programs:
            tree = self._programs[path].tree
            return tree if isinstance(tree, ast.Module) else None
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(self._files[path].content)
            except (SyntaxError, ValueError, RecursionError):
                self._trees[path] = None
        return self._trees[path]

    def trees(self, paths: Iterable[str]) -> Iterator[ast.Module]:
        """Yield the trees of those files that parse, in the order of the artifact."""
        wanted = set(paths)
        yield from (t for p in self._files if p in wanted and (t := self.tree(p)) is not None)

    @cached_property
    def every_word(self) -> frozenset[str]:
        """Every word of every file, in small letters."""
        return frozenset(w.lower() for w in set().union(*self.words.values()))

    @cached_property
    def loose(self) -> dict[str, frozenset[str]]:
        """The words of every file in small letters, those after an escape and the parts of `club__name` as well."""
        return {p: _parts((*words, *_ESCAPED.findall(self.texts[p]))) for p, words in self.words.items()}

    def read_in(self, path: str) -> frozenset[str]:
        """Return the words of a file that it reads from something, or gives by name: `.club_id`, `club_id=`."""
        if path not in self._read:
            self._read[path] = _parts(w for found in _READ.findall(self.texts[path]) for w in found if w)
        return self._read[path]

    def mentioning(self, name: str) -> list[str]:
        """Return the files that hold a name."""
        return [p for p, words in self.words.items() if name in words or not name.isascii()]

    def classes(self, path: str) -> tuple[ast.ClassDef, ...]:
        """Return every class of a file."""
        if path not in self._classes:
            tree = self.tree(path)
            found = (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)) if tree is not None else ()
            self._classes[path] = tuple(found)
        return self._classes[path]

    def carries(self, name: str, roots: frozenset[str]) -> bool:
        """Return whether some class of that name has a field that is called after one of `roots`."""
        if name not in self._carried:
            self._carried[name] = tuple(
                frozenset(root_of(f) for f in _fields(c))
                for path in self.mentioning(name)
                if "class" in self.words[path]
                for c in self.classes(path)
                if c.name == name
            )
        return any(held & roots for held in self._carried[name])

    def callers(self, name: str) -> Iterator[Function]:
        """Yield every function that calls something by that name."""
        for path, called in self._called.items():
            if name in called:
                yield from self._callers_in(path).get(name, [])

    @cached_property
    def _called(self) -> dict[str, frozenset[str]]:
        return {p: frozenset(_CALLED.findall(t)) for p, t in self.texts.items()}

    def _callers_in(self, path: str) -> dict[str, list[Function]]:
        if path not in self._callers:
            found: dict[str, list[Function]] = {}
            tree = self.tree(path)
            for function in ast.walk(tree) if tree is not None else ():
                if isinstance(function, _FUNCTIONS):
                    calls = (n.func for n in ast.walk(function) if isinstance(n, ast.Call))
                    for name in {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}:
                        found.setdefault(name, []).append(function)
            self._callers[path] = found
        return self._callers[path]

    def related(self, paths: Iterable[str], names: Set[str]) -> set[str]:
        """Return `paths` with every file that defines a class below those called `names`, or above one of these."""
        found, below, above = set(paths), set(names), set(names)
        while True:
            size = len(found), len(below), len(above)
            found |= {p for p, defined in self._defined.items() if not defined.isdisjoint(above)}
            found |= {p for p in self._defined if not self.words[p].isdisjoint(below)}
            for node in (c for path in found for c in self.classes(path)):
                bases = {b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "") for b in node.bases}
                if bases & below:
                    below.add(node.name)
                if node.name in below | above:
                    above |= {node.name} | bases
            if size == (len(found), len(below), len(above)):
                return found

    @cached_property
    def _defined(self) -> dict[str, frozenset[str]]:
        found = {p: frozenset(_CLASS.findall(t)) for p, t in self.texts.items() if "class" in self.words[p]}
        return {p: names for p, names in found.items() if names}


def _fields(node: ast.ClassDef) -> list[str]:
    return [s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]


def _parts(words: Iterable[str]) -> frozenset[str]:
    small = {w.lower() for w in words}
    return frozenset(small | {p for w in small if "__" in w for p in w.split("__")})
