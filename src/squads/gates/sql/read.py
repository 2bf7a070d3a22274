"""From an artifact to the schema that its SQL files, migrations and models leave behind.

Files run in the order of their paths, numbers compared as numbers (`2_x.sql` before `10_x.sql`), as migrations do.
Ways back (`*.down.sql`, `revert/`, `-- +goose Down`) run apart from ways forward, so a DROP TABLE meant for another
day hides nothing. Of them only tables count that no way forward ever names: those were not made to restore anything.
Python files run among them: migrations, and SQL that Python holds in strings; revisions of Alembic in the order in
which they follow each other. Models tell of tables that nothing else in the artifact creates: see `_with_models`.
Never guesses: what cannot be read is `CannotLook`.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.changes import mentioned
from squads.gates.sql.dialects.spelling import statements_in
from squads.gates.sql.lex import Source, Statement
from squads.gates.sql.model import Schema, Table, TableName
from squads.gates.sql.python.django import State
from squads.gates.sql.python.imports import Library
from squads.gates.sql.python.schema import in_order, may_hold, read_beside, read_python
from squads.gates.sql.run import Run
from squads.gates.sql.shared import Shared

SQL_FILES = ("*.sql", "*.psql", "*.ddl", "*.pgsql", "*.SQL", "*.PSQL", "*.DDL", "*.PGSQL")
"""Which files of an artifact are read as PostgreSQL."""

SCHEMA_FILES = (*SQL_FILES, "*.py")
"""Which files of an artifact may hold a schema; of the Python files those do for which `holds_schema` says so."""

SQL_BYTES_MAX = 8 * 1024 * 1024
"""The most SQL that one look reads, all files together; about four seconds of work."""

_WAY_BACK = re.compile(
    r"(^|/)(revert|rollback|undo|down)(/|$)|(^|[/._-])(down|undo|revert|rollback)(\.\w+)?$|(^|/)U[\d.]+__",
    re.IGNORECASE,
)
_DATE = re.compile(r"(19|20)\d\d(\d\d)*$")
_INCLUDES_MAX = 32


SCHEMAS_KEPT_MAX = 4
"""How many artifacts' schemas are kept for the next check that asks."""

_KEPT: Shared[Schema] = Shared(entries_max=SCHEMAS_KEPT_MAX)


def read_schema(artifact: Artifact) -> Schema:
    """Return the schema after every file of `artifact`. Raises `CannotLook` with the place and what to do.

    Several checks that ask for one artifact, at the same time too, share one reading.
    """
    return _KEPT.get(artifact.digest, lambda: _read(artifact))


def _read(artifact: Artifact) -> Schema:
    files = artifact.matching(*SQL_FILES)
    python = tuple(f for f in artifact.matching("*.py") if may_hold(f))
    size = sum(len(f.content) for f in (*files, *python))
    if size > SQL_BYTES_MAX:
        raise CannotLook(
            f"{len(files) + len(python)} files with SQL hold {size} bytes, more than {SQL_BYTES_MAX}; "
            "leave data out, keep the schema"
        )
    try:
        return _Reader(files, python, Library(artifact.matching("*.py"))).read()
    except RecursionError as error:
        raise CannotLook("the SQL is nested too deeply to be read; flatten its expressions") from error


class _Reader:
    """Runs files forward and back, and follows psql's includes."""

    def __init__(self, files: tuple[File, ...], python: tuple[File, ...], library: Library) -> None:
        self._files = {f.path: f for f in files}
        self._included: set[str] = set()
        self._depth = 0
        self._forward = Run(self._include)
        self._back = Run(self._include)
        self._run = self._forward
        self._django = State()
        held = {f.path: read_beside(f, found, library) for f in python if (found := read_python(f))}
        for found in held.values():
            if found.problem:
                raise CannotLook(found.problem)
        read = {path: statements_in(_source(file)) for path, file in self._files.items()}
        read |= {path: list(found.statements) for path, found in held.items()}
        self._held = held
        self._parsed = {path: read[path] for path in in_order(sorted(read, key=natural), held)}

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
        forward = _with_models(forward, self._models(), forward_seen)
        return replace(
            forward,
            tables=(*forward.tables, *(t for t in back.tables if t.complete and t.full_name not in forward_seen)),
            domains={**back.domains, **forward.domains},
            types=forward.types | back.types,
        )

    def _migrated(self, path: str) -> list[Statement]:
        """Return the statements of a Django migration, told from what earlier ones know of its models."""
        found = self._held[path].migration if path in self._held else None
        if found is None:
            return []
        from squads.gates.sql.python.django import read_migration
        from squads.gates.sql.python.embedded import parsed

        return [s for made in read_migration(*found, self._django) for s in parsed(found[0], made)]

    def _models(self) -> Schema:
        """Return the tables that models declare."""
        run = Run(self._include)
        for path in self._parsed:
            for statement in self._held[path].declared if path in self._held else ():
                run.apply(statement)
        return run.catalog.schema()

    def _file(self, path: str) -> None:
        before = self._run
        back = path not in self._held and is_way_back(path)
        base = self._run = self._back if back else self._forward
        for statement in (*self._migrated(path), *self._parsed[path]):
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


def is_way_back(path: str) -> bool:
    """Return whether the name of an SQL file says that it undoes another one."""
    return _WAY_BACK.search(path) is not None


def _with_models(schema: Schema, models: Schema, seen: frozenset[TableName]) -> Schema:
    """Return `schema` with what models tell of tables that nothing in the artifact creates.

    What migrations create counts as it is; the model of such a table is only what the application believes. A table
    that migrations change but do not create gets from its model the columns that they do not touch, and the keys and
    CHECKs over those. What they should have added with a new column, and the model has, is still missing.
    """
    created = {t.full_name for t in schema.tables if t.complete}
    touched = {t.full_name: t for t in schema.tables if not t.complete}
    tables = [t for t in schema.tables if t.complete]
    for model in models.tables:
        if (known := touched.pop(model.full_name, None)) is not None:
            tables.append(_completed(known, model))
        elif model.full_name not in created and model.full_name not in seen:
            tables.append(model)
    return replace(schema, tables=(*tables, *touched.values()))


def _completed(known: Table, model: Table) -> Table:
    """Return a table that migrations only change, with what its model tells of the rest."""
    own = {c.name for c in known.columns}
    older = [c for c in model.columns if c.name not in own]
    names = {c.name for c in older}
    members = {k.elements for k in known.keys}
    dropped = {name for what, name, _ in known.unseen if what == "drop not null"}
    gone = {name for what, name, _ in known.unseen if what == "drop constraint"}
    return replace(
        known,
        columns=(*known.columns, *older),
        not_null=known.not_null | ((model.not_null & names) - dropped),
        keys=(
            *known.keys,
            *(
                k
                for k in model.keys
                if k.elements not in members and k.name not in gone and {e.column for e in k.elements} <= names
            ),
        ),
        checks=(
            *known.checks,
            *(c for c in model.checks if not mentioned(c.condition, own) and c.name not in gone),
        ),
        unseen=(),
        complete=model.complete,
    )


def _source(file: File) -> Source:
    try:
        return Source(file.path, file.text.removeprefix("\ufeff"))
    except NotText as error:
        raise CannotLook(str(error)) from error


def natural(path: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which 2 comes before 10, and the day 2017-03-22 before 20190324 however it is written.

    A version ends where two underscores stand, as Flyway has it: `V1__x.sql` runs before `V1_1__y.sql`.
    """
    pieces = [p for p in re.split(r"(\d+)", re.sub(r"(?<=\d)__", "\0", path)) if p]
    return [(0, int(p), "") if p.isascii() and p.isdigit() and not _DATE.match(p) else (1, 0, p) for p in pieces]
