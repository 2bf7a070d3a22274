"""The Python files of an artifact that may speak of its columns, as trees, with what their names are bound to.

Most files of an artifact speak of no table: they are told by their words, before anything is parsed. A file that cannot
be parsed is `CannotLook` only where its words say that it may matter.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from bisect import bisect
from collections.abc import Collection
from dataclasses import dataclass

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.documents import distinctive
from squads.gates.sql.fits.python_names import Names, called, names_in
from squads.gates.sql.fits.python_values import value_of
from squads.gates.sql.model import Schema, TableName
from squads.gates.words import word_set

PYTHON_BYTES_MAX = 16 * 1024 * 1024
"""The most Python that one look reads, all files together."""

_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(tests?|test_[^/]*|[^/]*_tests?|conftest)\.py$")
"""Tests store on purpose what must be refused."""
_SPEAKS = word_set(
    "Column mapped_column Field DecimalField CharField SlugField SmallIntegerField IntegerField BigIntegerField "
    "PositiveSmallIntegerField PositiveIntegerField SmallIntField IntField BigIntField create_table add_column"
)
"""Words of declared columns."""
_PREFIXES = ("DEFAULT_", "INITIAL_", "BASE_", "STARTING_")
_TEXT_MAX = 400


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file as a tree."""

    path: str
    text: str
    tree: ast.Module
    names: Names
    said: frozenset[str]
    """Its words as `normal` has them, to see which tables it speaks of."""

    def place(self, node: ast.expr | ast.stmt) -> Place:
        """Return where `node` stands."""
        end = node.end_lineno or node.lineno
        path = getattr(node, "file", self.path)
        lines = self.text.split("\n")[node.lineno - 1 : end] if path == self.path else [ast.unparse(node)]
        return Place(
            path=path,
            line=node.lineno,
            column=node.col_offset + 1,
            end_line=end,
            text="\n".join(lines).strip()[:_TEXT_MAX],
        )


_CLASS = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_CALLED = re.compile(
    r"""^[ \t]+(?:__tablename__|db_table|table_name)[ \t]*(?::[^=\n]+)?=[ \t]*["'](\w+)["']""", re.MULTILINE
)
"""How a class says in which table its objects are stored: SQLAlchemy, Django's Meta, peewee's Meta."""


def names_of_tables(artifact: Artifact, schema: Schema) -> dict[str, set[TableName]]:
    """Return the tables by the words that Python has for them, as `normal` writes those.

    A class whose body gives a table's name means that table; Django calls the table of a model by the folder of its
    application and the class.
    """
    found: dict[str, set[TableName]] = {}
    tables = {t.name: t for t in schema.tables}
    for table in schema.tables:
        found.setdefault(normal(table.name), set()).add(table.full_name)
        application, _, model = table.name.partition("_")
        while model and table.place.path.endswith(".py"):
            if application in table.place.path.split("/") or application == "app":  # no folder says which application
                found.setdefault(normal(model), set()).add(table.full_name)
                break
            more, _, model = model.partition("_")
            application = f"{application}_{more}"
    for file in artifact.matching("*.py"):
        if b"tablename__" not in file.content and b"_table" not in file.content and b"table_name" not in file.content:
            continue
        text = file.content.decode("utf-8", "replace")
        classes = [(m.start(), m[1]) for m in _CLASS.finditer(text) if m[1] != "Meta"]
        starts = [start for start, _ in classes]
        for told in _CALLED.finditer(text):
            above = bisect(starts, told.start())
            if above and told[1] in tables:
                found.setdefault(normal(classes[above - 1][1]), set()).add(tables[told[1]].full_name)
    return found


def may_declare(file: File) -> bool:
    """Return whether a file's words are those of declared columns; it is not parsed for that."""
    return any(word.encode() in file.content for word in _SPEAKS)


def normal(name: str) -> str:
    """Return a table's or class's name as one word without underscores and plural."""
    word = name.replace("_", "").lower()
    for ending, single in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss"):
            return word.removesuffix(ending) + single
    return word


def modules(artifact: Artifact, schema: Schema, named: Collection[str] = ()) -> list[Module]:
    """Return the Python files that may speak of columns, and know what those they import bind.

    Args:
        artifact: The files.
        schema: What they declare.
        named: Further words for tables, as `names_of_tables` gives them.
    """
    files = [f for f in artifact.matching("*.py") if not _TESTS.search(f.path)]
    size = sum(len(f.content) for f in files)
    if size > PYTHON_BYTES_MAX:
        raise CannotLook(f"{len(files)} Python files hold {size} bytes, more than {PYTHON_BYTES_MAX}; look at fewer")
    words = {f.path: frozenset(re.findall(r"[^\W\d]\w*", f.content.decode("utf-8", "replace"))) for f in files}
    tables = {normal(t.name) for t in schema.tables} | set(named)
    columns = {c.name.lower() for t in schema.tables for c in t.columns if distinctive(c.name)}
    said = {path: frozenset(map(normal, found)) for path, found in words.items()}
    telling = {
        path
        for path, found in words.items()
        if found & _SPEAKS or said[path] & tables or not columns.isdisjoint(plain_name(w) for w in found)
    }
    imported = frozenset().union(*(words[path] for path in telling)) if telling else frozenset()
    trees: dict[str, tuple[str, ast.Module]] = {}
    for file in files:
        stem = posixpath.basename(file.path).removesuffix(".py")
        folder = posixpath.basename(posixpath.dirname(file.path))
        wanted = file.path in telling or stem in imported or folder in imported
        parsed = _tree(file, must=file.path in telling) if wanted else None
        if parsed is not None:
            trees[file.path] = parsed
    shared: dict[str, list[ast.expr]] = {}
    functions: dict[str, list[_Function]] = {}
    for path, (_, tree) in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.expr, ast.stmt)):
                node.file = path  # type: ignore[union-attr]  # where a value stands that another file uses
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                functions.setdefault(node.name, []).append(node)
        for name, value in names_in(tree.body).bound.items():
            shared.setdefault(name, []).append(value)
    once = {name: values[0] for name, values in shared.items() if len(values) == 1}
    alone = {name: found[0] for name, found in functions.items() if len(found) == 1}
    read = [
        Module(path, text, tree, names_in(tree.body, Names(_imported(tree, once), functions=alone)), said[path])
        for path, (text, tree) in trees.items()
    ]
    _pass(read, alone)
    return [module for module in read if module.path in telling]


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def parameters_of(function: _Function) -> list[ast.arg]:
    """Return a function's parameters by position, without self."""
    every = [*function.args.posonlyargs, *function.args.args]
    return every[1:] if every and every[0].arg in ("self", "cls") else every


def _pass(read: list[Module], alone: dict[str, _Function]) -> None:
    """Keep with each function that the artifact has once the constants that its calls give its parameters."""
    for module in read:
        for node in ast.walk(module.tree):
            function = alone.get(called(node)) if isinstance(node, ast.Call) else None
            if function is None or not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
                continue
            names = [a.arg for a in parameters_of(function)]
            given = [*zip(names, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
            for name, argument in given:
                value = value_of(argument, module.names)
                if value is None or value.kind not in ("literal", "integer", "numeric") or not value.text:
                    continue
                made = ast.Constant(value.text if value.kind == "literal" else _number(value.text))
                ast.copy_location(made, argument).file = module.path  # type: ignore[attr-defined]
                calls: dict[str, list[ast.expr]] = getattr(function, "given", {})
                calls.setdefault(name, []).append(made)
                function.given = calls  # type: ignore[union-attr]


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 1_000 else float(text)


def _tree(file: File, *, must: bool) -> tuple[str, ast.Module] | None:
    """Return a file's text and tree; one that cannot be read matters only where it `must` be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return file.text, ast.parse(file.text)
    except (NotText, SyntaxError, ValueError, MemoryError) as error:
        if not must:
            return None
        raise CannotLook(
            f"{file.path}: could not be read as Python ({str(error)[:200]}); mend it, or leave it out"
        ) from error


def plain_name(name: str) -> str:
    """Return a constant's name without DEFAULT_ and its like, in lower case."""
    return next((name.removeprefix(p) for p in _PREFIXES if name.startswith(p)), name).lower()


def _imported(tree: ast.Module, shared: dict[str, ast.expr]) -> dict[str, ast.expr]:
    """Return what the names that a module imports are bound to elsewhere in the artifact."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                local = alias.asname or alias.name
                if alias.name not in shared:  # perhaps a module, and its constants are read as its attributes
                    for name, value in shared.items():
                        if name.isupper():
                            found.setdefault(name, value)
                for name, value in shared.items():
                    if name == alias.name or name.startswith(f"{alias.name}."):
                        found[local + name.removeprefix(alias.name)] = value
        elif isinstance(node, ast.Import):
            for name, value in shared.items():
                if name.isupper():
                    found.setdefault(name, value)  # config.LIMIT, read by its attribute
    return found
