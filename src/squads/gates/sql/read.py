"""From an artifact to the schema that its SQL files leave behind.

Files run in the order of their paths, numbers compared as numbers (`2_x.sql` before `10_x.sql`), as migrations do.
Ways back (`*.down.sql`, `revert/`, `-- +goose Down`) run apart from ways forward, so a DROP TABLE meant for another
day hides nothing. Of them only tables count that no way forward ever names: those were not made to restore anything.
Never guesses: what cannot be read is `CannotLook`.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.lex import Source, Statement, statements
from squads.gates.sql.model import Schema
from squads.gates.sql.run import Run

SQL_FILES = ("*.sql", "*.psql", "*.ddl", "*.pgsql", "*.SQL", "*.PSQL", "*.DDL", "*.PGSQL")
"""Which files of an artifact are read as PostgreSQL."""

SQL_BYTES_MAX = 8 * 1024 * 1024
"""The most SQL that one look reads, all files together; about four seconds of work."""

_WAY_BACK = re.compile(
    r"(^|/)(revert|rollback|undo|down)(/|$)|(^|[/._-])(down|undo|revert|rollback)(\.\w+)?$|(^|/)U[\d.]+__",
    re.IGNORECASE,
)
_DATE = re.compile(r"(19|20)\d\d(\d\d)*$")
_INCLUDES_MAX = 32


def read_schema(artifact: Artifact) -> Schema:
    """Return the schema after every SQL file of `artifact`. Raises `CannotLook` with the place and what to do."""
    files = artifact.matching(*SQL_FILES)
    size = sum(len(f.content) for f in files)
    if size > SQL_BYTES_MAX:
        raise CannotLook(
            f"{len(files)} SQL files hold {size} bytes, more than {SQL_BYTES_MAX}; leave data out, keep the schema"
        )
    try:
        return _Reader(files).read()
    except RecursionError as error:
        raise CannotLook("the SQL is nested too deeply to be read; flatten its expressions") from error


class _Reader:
    """Runs files forward and back, and follows psql's includes."""

    def __init__(self, files: tuple[File, ...]) -> None:
        self._files = {f.path: f for f in sorted(files, key=lambda f: _natural(f.path))}
        self._included: set[str] = set()
        self._depth = 0
        self._forward = Run(self._include)
        self._back = Run(self._include)
        self._run = self._forward
        self._parsed = {path: list(statements(_source(file))) for path, file in self._files.items()}

    def read(self) -> Schema:
        parsed = self._parsed
        for path, found in parsed.items():
            targets = [self._target(s, path) for s in found if s.tokens[-1].kind == "meta"]
            self._included |= {t for t in targets if t in parsed and t != path}
        for path in parsed:
            if path not in self._included:
                self._file(path)
        forward_seen = self._forward.catalog.seen
        forward, back = self._forward.catalog.schema(), self._back.catalog.schema()
        return replace(
            forward,
            tables=(*forward.tables, *(t for t in back.tables if t.complete and t.full_name not in forward_seen)),
            domains={**back.domains, **forward.domains},
            types=forward.types | back.types,
        )

    def _file(self, path: str) -> None:
        before = self._run
        base = self._run = self._back if _WAY_BACK.search(path) else self._forward
        for statement in self._parsed[path]:
            if statement.tokens[0].kind == "migration":
                self._run = self._back if statement.tokens[0].value == "down" else base
                continue
            self._apply(statement)
        self._run = before

    def _apply(self, statement: Statement) -> None:
        """Apply a statement. A way back begins with tables it cannot see: there only CREATE TABLE must be read."""
        try:
            self._run.apply(statement)
        except CannotLook:
            words = [t.value for t in statement.tokens[:3]]
            if self._run is self._forward or (words[0] == "create" and "table" in words):
                raise

    def _include(self, name: str, relative: bool, statement: Statement) -> None:
        here = statement.source.path
        target = self._target(statement, here)
        if target not in self._parsed:
            statement.source.fail(
                statement.tokens[0].start,
                f"{name!r} is included but not in the artifact; add it, or leave the line out",
            )
        self._depth += 1
        if self._depth > _INCLUDES_MAX:
            statement.source.fail(statement.tokens[0].start, "files include each other in a circle; break it")
        self._file(target)
        self._depth -= 1

    def _target(self, statement: Statement, here: str) -> str:
        r"""Return the path that \\i or \\ir means: from the file's folder, or from the artifact's root."""
        command, _, rest = statement.tokens[-1].value.partition(" ")
        if command not in ("i", "ir", "include", "include_relative"):
            return ""
        name = rest.strip().strip("'\"")
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(here), name))
        rooted = posixpath.normpath(name)
        return beside if command in ("ir", "include_relative") or rooted not in self._files else rooted


def _source(file: File) -> Source:
    try:
        return Source(file.path, file.text.removeprefix("\ufeff"))
    except NotText as error:
        raise CannotLook(str(error)) from error


def _natural(path: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which 2 comes before 10, and the day 2017-03-22 before 20190324 however it is written."""
    pieces = [p for p in re.split(r"(\d+)", path) if p]
    return [(0, int(p), "") if p.isascii() and p.isdigit() and not _DATE.match(p) else (1, 0, p) for p in pieces]
