"""What the Python files of an artifact say about its schema: migrations, models, and SQL in strings.

A file is read if a cheap look at its bytes says that it may hold some, and it counts as looked at if it does. Tests are
not read: the tables they make are nobody's schema. Reading is kept for the files that were read last, because several
checks read one artifact.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from squads.contracts.artifact import File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.lex import Statement, Token
from squads.gates.sql.python.file import PythonFile, Sql, Written
from squads.gates.sql.python.imports import Library
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.shared import Shared
from squads.gates.words import word_set

_MADE = (
    rb"\s+(?:or\s+replace\s+|unique\s+|global\s+|local\s+|temp\s+|temporary\s+|unlogged\s+)*"
    rb"(?:table|index|domain|function|procedure|trigger|default\s+privileges)\b"
)
_GIVEN = rb"\s+[\w, ]+?\s+on\b"
_CALLS = {
    b"op.": rb"(?:create|add|alter|batch|execute|drop|rename|bulk)",
    b"alembic": rb"\b",
    b"migrations.": rb"",
    b"mapped_column": rb"\b",
    b"Mapped": rb"\b",
    b"Column(": rb"",
    b"models.": rb"(?:Model\b|\w+(?:Field|Key)\()",
    b"table": rb"\s*=\s*True\b",
}
"""How a word of a schema's library begins, to what follows it."""
_SQL = {b"create": _MADE, b"alter": _MADE, b"grant": _GIVEN, b"revoke": _GIVEN}
"""The same for SQL, in lower case."""


def _marks(table: Mapping[bytes, bytes]) -> tuple[tuple[bytes, re.Pattern[bytes]], ...]:
    """Return each word with the pattern of it and what follows, where it does not end a longer word.

    The word stands first and what may stand before it second, because `re` looks for a text at a pattern's beginning
    quickly; a word boundary there is tried at every byte. Every Python file of an artifact is looked at so.
    """
    return tuple(
        (word, re.compile(re.escape(word) + rb"(?<!\w" + re.escape(word) + rb")" + rest))
        for word, rest in table.items()
    )


_MARKS, _SQL_MARKS = _marks(_CALLS), _marks(_SQL)
_TESTS = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
_LIBRARIES = word_set("sqlalchemy sqlmodel django typing decimal datetime uuid enum __future__ pydantic alembic")
_COLUMN_LIKE = re.compile(r"\b(Column|mapped_column|Mapped|Field|models\.\w+|__tablename__)\b|\btable=True\b")
FILES_KEPT_MAX = 1_024
"""How many Python files that may hold a schema are kept as they were read."""


@dataclass(frozen=True, slots=True)
class PythonSchema:
    """What one Python file holds."""

    statements: tuple[Statement, ...] = ()
    """In the order they run; a mark stands before those that lead the way back."""
    declared: tuple[Statement, ...] = ()
    """The tables that models declare."""
    revision: str = ""
    follows: tuple[str, ...] = ()
    migration: tuple[PythonFile, Scope] | None = None
    """A Django migration; it runs among the others, which share what they know of models."""
    is_revision: bool = False
    """Whether it is one of Alembic's migrations."""
    problem: str = ""
    """Why the file could not be read, empty if it was."""
    open: bool = False
    """Whether its models, or its revision, wait for the files that it imports: see `read_beside`."""

    def __bool__(self) -> bool:
        return bool(self.statements or self.declared or self.migration or self.problem or self.open)


def may_hold(file: File) -> bool:
    """Return whether a look at the bytes of a Python file says that it may hold a schema."""
    if _TESTS.search(file.path) is not None:
        return False
    content = file.content
    lower = content.lower()
    return any(word in content and pattern.search(content) for word, pattern in _MARKS) or any(
        word in lower and pattern.search(lower) for word, pattern in _SQL_MARKS
    )


def holds_schema(file: File) -> bool:
    """Return whether there is something in `file` for a check of the schema: any SQL file, few Python files."""
    return posixpath.splitext(file.path)[1] != ".py" or (may_hold(file) and bool(read_python(file)))


def read_python(file: File) -> PythonSchema:
    """Return what a Python file holds; reading it again costs nothing while it is kept."""
    return _READ.get((file.path, file.content), lambda: _read(file))


def in_order(paths: list[str], held: Mapping[str, PythonSchema]) -> list[str]:
    """Return `paths` with Alembic's revisions in the order in which they follow each other, in the places they take."""
    revisions = {held[p].revision: p for p in paths if p in held and held[p].revision}
    done: dict[str, None] = {}
    for path in (p for p in paths if p in held and held[p].revision):
        waiting = [path]
        while waiting:
            before = [revisions[f] for f in held[waiting[-1]].follows if f in revisions]
            missing = [b for b in before if b not in done and b not in waiting]
            if missing:
                waiting.append(missing[0])
            else:
                done[waiting.pop()] = None
    ordered = iter(done)
    return [next(ordered) if p in done else p for p in paths]


def read_beside(file: File, found: PythonSchema, library: Library) -> PythonSchema:
    """Return what a Python file holds once the files that it imports are known; `found` is what it told alone.

    Its models are read only here, because their bases, types and constraints may stand in those files; a revision of
    Alembic is read again, and so is what could not be read alone. SQL in strings counts where the string stands, so it
    is not followed into imports.
    """
    if not found.open and not found.problem:
        return found
    if found.problem or found.is_revision:
        again = _read(file, library)
        return found if again.problem else again
    from squads.gates.sql.python.embedded import parsed

    try:
        python = PythonFile(file.path, file.text)
        module = Scope.of_module(python, library.imports(file.path, python.tree))
        models = _models(python, module)
        return replace(found, declared=tuple(s for made in models for s in parsed(python, made)))
    except (CannotLook, NotText) as error:
        return replace(found, problem=str(error))
    except RecursionError:
        return replace(found, problem=f"{file.path}:1:1: this Python is nested too deeply to be read; flatten it")


def _models(python: PythonFile, module: Scope) -> list[Sql]:
    """Return the tables that the models of a file declare."""
    from squads.gates.sql.python.declared import declared_tables
    from squads.gates.sql.python.django import django_models

    return [*declared_tables(python, module), *django_models(python, module)]


_READ: Shared[PythonSchema] = Shared(entries_max=FILES_KEPT_MAX)


def _read(file: File, library: Library | None = None) -> PythonSchema:
    from squads.gates.sql.python.alembic import is_revision, read_revision
    from squads.gates.sql.python.django import is_migration
    from squads.gates.sql.python.embedded import parsed, strings

    try:
        python = PythonFile(file.path, file.text)
        module = Scope.of_module(python, library.imports(file.path, python.tree) if library else None)
        if is_revision(python):
            revision = read_revision(python, module)
            forward = [s for made in revision.forward for s in parsed(python, made)]
            back = _restored(python, revision.back)
            mark = [_way_back(python)] if back else []
            return PythonSchema(
                (*forward, *mark, *back),
                revision=revision.revision,
                follows=revision.follows,
                is_revision=True,
                open=_imports_own(python),
            )
        texts = strings(python, module)
        waits = library is None and _declares(python) and not is_migration(python)
        models = [] if waits else _models(python, module)
        return PythonSchema(
            tuple(s for made in texts for s in parsed(python, made)),
            tuple(s for made in models for s in parsed(python, made)),
            migration=(python, module) if is_migration(python) else None,
            open=waits,
        )
    except (CannotLook, NotText) as error:
        return PythonSchema(problem=str(error) or f"{file.path}: could not be read")
    except RecursionError:
        return PythonSchema(problem=f"{file.path}:1:1: this Python is nested too deeply to be read; flatten it")


def _declares(python: PythonFile) -> bool:
    """Return whether a file holds classes with columns, or tables, and names that it imports from its own project."""
    return _imports_own(python) and any(
        (isinstance(s, ast.ClassDef) and s.bases and _COLUMN_LIKE.search(ast.unparse(s)))
        or (isinstance(s, ast.Assign) and python.called(s.value) == "Table")
        for s in python.tree.body
    )


def _imports_own(python: PythonFile) -> bool:
    """Return whether a file imports anything that may stand in its own project."""
    modules = [s.module or "." for s in python.tree.body if isinstance(s, ast.ImportFrom)]
    modules += [a.name for s in python.tree.body if isinstance(s, ast.Import) for a in s.names]
    return any(m.split(".")[0] not in _LIBRARIES for m in modules)


def _restored(python: PythonFile, made: list[Sql]) -> list[Statement]:
    """Return the statements of a way back that can be read; the others undo what is known from the way forward."""
    from squads.gates.sql.python.embedded import parsed

    found: list[Statement] = []
    for text in made:
        try:
            found += parsed(python, text)
        except CannotLook:
            continue
    return found


def _way_back(python: PythonFile) -> Statement:
    source = Written(python, Sql(" "))
    return Statement(source, (Token("migration", " ", "down", 0, 1),))
