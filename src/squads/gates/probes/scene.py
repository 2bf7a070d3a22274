"""An artifact's SQL on a database of its own: what stands there, and where each thing was written."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import InvalidInput, ScratchUnavailable
from squads.contracts.finding import Finding, Location, Severity
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.probes import catalog
from squads.gates.probes.rows import Rows
from squads.gates.sql import SQL_FILES, Schema, read_schema
from squads.gates.sql.lex import Source, Statement, statements
from squads.kernel.scratch_ports import (
    OWNER,
    STATEMENT_SECONDS_MAX,
    Scratch,
    ScratchDatabase,
    ScratchSession,
    Told,
)

ROLES_MAX = 12
STATEMENTS_MAX = 2_000
_WAY_BACK = re.compile(
    r"(^|/)(revert|rollback|undo|down)(/|$)|(^|[/._-])(down|undo|revert|rollback)(\.\w+)?$|(^|/)U[\d.]+__",
    re.IGNORECASE,
)
_MADE_ROLE = re.compile(r"\bcreate\s+(?:role|user)\s+\"?([a-z_][a-z0-9_]*)", re.IGNORECASE)
_NOBODY = frozenset({"public", "current_user", "session_user", "current_role", "group", OWNER})
_SHIMS = {
    "uuid-ossp": "CREATE FUNCTION public.uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'",
    "pgcrypto": "",
}
"""Extensions of which scratch servers need only what stands here: the rest of them is built in."""
ROW_REFUSED = re.compile(r"22\w{3}|23514")
"""What PostgreSQL says of a value that its column does not take."""


@dataclass(kw_only=True)
class Scene:
    """One database with the artifact's SQL applied, and what attacks need to know."""

    artifact: Artifact
    database: ScratchDatabase
    owner: ScratchSession
    tables: Mapping[int, catalog.Table]
    rows: Rows
    roles: tuple[str, ...]
    """The roles that the artifact names: who may be an application."""
    parts: tuple[Statement, ...]
    refused: tuple[tuple[Statement, Told], ...] = ()
    """The artifact's own statements that the database did not take for a value in them, or in rows that were there."""
    sessions: dict[str, ScratchSession] = field(default_factory=dict)

    @property
    def admin(self) -> ScratchSession:
        """Whoever may ask the catalogue."""
        return self.database.admin

    def schema(self) -> Schema:
        """Return the schema as the static checks read it. Raises `CannotLook`."""
        return read_schema(self.artifact)

    async def session(self, role: str) -> ScratchSession:
        """Return the connection of a role."""
        if role not in self.sessions:
            self.sessions[role] = await self.database.session(role)
        return self.sessions[role]

    def place(self, table: catalog.Table, *names: str) -> Place | None:
        """Return where a column or a constraint of a table was last written, else where the table was made."""
        found: Place | None = None
        for part in self.parts:
            if not _about(part, table):
                continue
            made = _verbs(part)[:2] in (("create", "table"), ("create", "unlogged"))
            found = part.place if made or found is None else found
        for name in names:
            for part in reversed(self.parts):
                if _about(part, table) and (item := _item(part, name)):
                    return item
        return found

    def statement_of(self, *words: str) -> Place | None:
        """Return the last statement that begins with CREATE and speaks of these words in order, as of a function."""
        for part in reversed(self.parts):
            values = [t.value for t in part.tokens[:12] if t.kind in ("word", "quoted")]
            if values[:1] == ["create"] and all(word in values for word in words):
                return part.place
        return None


def finding(
    invariant: str, place: Place | None, message: str, evidence: str, satisfy: str, *, severity: Severity
) -> Finding:
    """Return a finding of an attack: its message says what was done, its evidence is the text that let it happen."""
    location = None
    if place is not None:
        location = Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line)
    return Finding(
        invariant=invariant,
        severity=severity,
        message=f"{message} Tried: {evidence}"[:4_000] if place else message[:4_000],
        location=location,
        evidence=(place.text if place else evidence)[:4_000],
        satisfy=satisfy[:4_000],
    )


@asynccontextmanager
async def scene(artifact: Artifact, scratch: Scratch) -> AsyncIterator[Scene]:
    """Return the artifact's SQL applied to a new database. Raises `CannotLook` where it does not apply."""
    parts = tuple(forward(artifact.matching(*SQL_FILES)))
    roles = named_roles(artifact, parts)
    try:
        async with scratch.database(roles=roles) as database:
            owner = await database.session(OWNER)
            refused = await apply(owner, parts)
            tables = await catalog.read(database.admin)
            yield Scene(
                artifact=artifact,
                database=database,
                owner=owner,
                tables=tables,
                rows=Rows(tables, owner),
                roles=roles,
                parts=parts,
                refused=tuple(refused),
            )
    except (ScratchUnavailable, InvalidInput) as error:
        raise CannotLook(str(error)) from error


def forward(files: Iterable[File]) -> Iterator[Statement]:
    """Yield the statements of SQL files in their order, ways back left out. Raises `CannotLook`."""
    count = 0
    for file in sorted(files, key=lambda f: _natural(f.path)):
        if _WAY_BACK.search(file.path):
            continue
        back = False
        for part in statements(Source(file.path, file.text)):
            if part.tokens[0].kind == "migration":
                back = part.tokens[0].value == "down"
            elif part.tokens[0].kind != "meta" and not back:
                count += 1
                if count > STATEMENTS_MAX:
                    raise CannotLook(f"more than {STATEMENTS_MAX} statements; leave data out, keep the schema")
                yield part


def named_roles(artifact: Artifact, parts: Iterable[Statement]) -> tuple[str, ...]:
    """Return the roles that SQL makes or grants something to. Raises `CannotLook` for too many."""
    found: dict[str, None] = {}
    for file in artifact.matching(*SQL_FILES):
        found.update((m[1].lower(), None) for m in _MADE_ROLE.finditer(file.text))
    for part in parts:
        if not {"grant", "policy", "privileges"} & set(_verbs(part)):
            continue
        to = False
        for token in part.tokens:
            if token.kind == "word" and token.value == "to":
                to = True
            elif to and token.kind in ("word", "quoted") and token.value not in ("with", "using"):
                found[token.value] = None
            elif token.text != ",":
                to = False
    names = tuple(name for name in found if name not in _NOBODY and not name.startswith("pg_"))
    if len(names) > ROLES_MAX:
        raise CannotLook(f"the SQL names {len(names)} roles, more than {ROLES_MAX}")
    return names


async def apply(owner: ScratchSession, parts: Iterable[Statement]) -> list[tuple[Statement, Told]]:
    """Run statements as the owner; return those rows that were refused. Raises `CannotLook` for all else that fails."""
    refused = []
    for part in parts:
        verbs = _verbs(part)
        if verbs[:2] in (("create", "role"), ("create", "user"), ("alter", "role"), ("alter", "user")):
            continue  # they stand already, without what could reach beyond their database
        sql = part.place.text
        if verbs[:1] == ("copy",):
            raise CannotLook(f"{part.place} is data of COPY, which is not tried; write it as INSERT")
        if verbs[:2] == ("create", "extension"):
            name = next((t.value for t in part.tokens[2:] if t.value not in ("if", "not", "exists")), "")
            if name in _SHIMS:
                sql = _SHIMS[name]
        told = await owner.run(sql, seconds_max=STATEMENT_SECONDS_MAX) if sql else Told(ok=True)
        if told.ok:
            continue
        if ROW_REFUSED.fullmatch(told.sqlstate) and not owner.in_transaction:
            refused.append((part, told))
            continue
        raise CannotLook(f"{part.place} does not apply to PostgreSQL: {told.message} ({told.sqlstate})")
    if owner.in_transaction:
        await owner.run("COMMIT")
    return refused


def _verbs(part: Statement) -> tuple[str, ...]:
    return tuple(t.value for t in part.tokens[:6] if t.kind == "word")


def _about(part: Statement, table: catalog.Table) -> bool:
    """Say whether a CREATE or ALTER speaks of a table."""
    if _verbs(part)[:1] not in (("create",), ("alter",)):
        return False
    tokens = part.tokens[:14]
    return any(t.value == table.name and t.kind in ("word", "quoted") for t in tokens)


def _item(part: Statement, name: str) -> Place | None:
    """Return the part of a statement, between commas, in which a name stands first, or after CONSTRAINT or COLUMN."""
    depth, start, items = 0, 0, []
    tokens = part.tokens
    for number, token in enumerate(tokens):
        if token.text in ("(", "["):
            depth += 1
            if depth == 1:
                start = number + 1
        elif token.text in (")", "]"):
            depth -= 1
            if depth == 0:
                items.append(tokens[start:number])
        elif token.text == "," and depth <= 1:
            items.append(tokens[start:number])
            start = number + 1
    items.append(tokens[start:])
    for item in items:
        words = [t for t in item if t.kind in ("word", "quoted")]
        while words and words[0].value in ("constraint", "column", "add", "alter", "if", "not", "exists"):
            words = words[1:]
        if words and words[0].value == name:
            return part.source.place(item[0].start, item[-1].end)
    named_here = any(t.value == name and t.kind in ("word", "quoted") for t in tokens)
    return part.place if named_here and _verbs(part)[:1] == ("alter",) else None


def _natural(path: str) -> list[tuple[int, int, str]]:
    found = re.findall(r"(\d+)|(\D+)", path)
    return [(0, int(digits), "") if digits else (1, 0, text) for digits, text in found]
