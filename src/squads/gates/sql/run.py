"""Statements applied to a catalog, one after the other, as psql would run them.

A statement that can change tables, keys or checks is understood or raises `CannotLook`. A statement that cannot
(INSERT, GRANT, CREATE FUNCTION, COMMENT, ...) is skipped by name; a word that begins no PostgreSQL statement is
refused, because it may be a misspelt or foreign one. DO blocks are read where they only guard against doing a thing
twice (IF NOT EXISTS ... THEN, EXCEPTION WHEN duplicate_object).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from squads.gates.sql.alter import alter_table
from squads.gates.sql.catalog import Catalog
from squads.gates.sql.create import alter_domain, alter_type, create_domain, create_table, create_unique_index
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Statement, Token, split, tokens_of
from squads.gates.sql.model import Schema, Spoken
from squads.gates.sql.writes import Write
from squads.gates.words import word_set

_VERBS_SKIPPED = word_set(
    "analyze analyse call checkpoint close cluster comment copy deallocate declare delete discard execute explain "
    "fetch grant import insert listen load lock merge move notify prepare reassign refresh reindex reset revoke "
    "security select show table truncate unlisten update vacuum values with"
)
_VERBS_RECORDED = word_set("insert update delete truncate copy merge with explain comment")
_STORES = re.compile(r"\b(insert\s+into|update|merge\s+into)\b", re.IGNORECASE)
_KINDS_SKIPPED = word_set(
    "access aggregate cast collation conversion database event extension function group index language operator "
    "policy procedure procedural publication role routine rule sequence server statistics subscription text "
    "transform trigger trusted user default large system tablespace foreign constraint view"
)
_CHANGES_TABLES = re.compile(
    r"\b(create\s+(unlogged\s+)?table(?!\s+\S+\s+partition\s+of)|create\s+unique\s+index"
    r"|drop\s+(constraint|column|index|domain)|add\s+(constraint|column|unique|check|primary)"
    r"|(set|drop)\s+not\s+null|create\s+domain|alter\s+domain|rename\s+(to|column|constraint))\b",
    re.IGNORECASE,
)
_SPEAKS_OF_RIGHTS = word_set("create alter drop do grant revoke reassign set reset select call")
_SCOPES = word_set("global local temp temporary unlogged materialized recursive")
_PSQL_CHOICES = frozenset(("if", "elif", "else"))


class Run:
    """One pass over statements: a catalog, and what ROLLBACK would return to."""

    def __init__(self, include: Callable[[str, bool, Statement], None]) -> None:
        self.catalog = Catalog()
        self._include = include
        self._saved: list[tuple[str, Catalog]] = []
        self._moment: Schema | None = None
        """The tables as the last statement left them; None when they may have changed since."""

    def apply(self, statement: Statement) -> None:
        """Apply one statement. Raises `CannotLook` when it may matter and was not understood."""
        cursor = Cursor(statement.source, statement.tokens)
        # Neither SQLite nor MySQL has PostgreSQL's rights, so what they say of triggers is not about them.
        rights = cursor.peek() in _SPEAKS_OF_RIGHTS and statement.source.dialect == "postgresql"
        if rights or statement.tokens[0].kind == "meta":
            self.catalog.spoken.append(Spoken(statement, self.catalog.search_schema))
        if statement.tokens[-1].kind == "meta":
            self._meta(statement)
            return
        verb = cursor.peek()
        self._run_verb(cursor, verb)
        self._record(statement)

    def _run_verb(self, cursor: Cursor, verb: str) -> None:
        if cursor.accept("create"):
            self._create(cursor)
        elif cursor.accept("alter"):
            self._alter(cursor)
        elif cursor.accept("drop"):
            self._drop(cursor)
        elif cursor.accept("do"):
            self._do(cursor)
        elif cursor.accept("set"):
            self._set(cursor)
        elif verb in ("begin", "start", "savepoint", "rollback", "abort", "commit", "end", "release"):
            self._transaction(cursor)
        elif verb not in _VERBS_SKIPPED and verb != "(":
            cursor.fail("no PostgreSQL statement begins so")

    def _record(self, statement: Statement) -> None:
        """Keep a statement that stores rows, or changes tables under them, with the tables as they stand now."""
        words = [t.value for t in statement.tokens[:2]]
        if words[0] in _VERBS_RECORDED or (words[0] in ("alter", "drop") and words[-1] in ("table", "foreign")):
            if words[0] not in _VERBS_RECORDED:
                self._moment = None
            self._moment = self._moment or self.catalog.schema(with_writes=False)
            self.catalog.writes.append(Write(statement, self._moment, self.catalog.search_schema))
        elif words[0] not in _VERBS_SKIPPED:
            self._moment = None
            if words[0] == "create" and any(t.kind == "dollar" and _STORES.search(t.value) for t in statement.tokens):
                self.catalog.writes.append(Write(statement, Schema(), self.catalog.search_schema))

    def _create(self, cursor: Cursor) -> None:
        if cursor.accept("or"):
            cursor.expect("replace")
        temporary = False
        while cursor.peek() in _SCOPES:
            temporary |= cursor.take().value in ("temp", "temporary")
        if cursor.accept("table"):
            create_table(self.catalog, cursor, temporary=temporary)
        elif cursor.accept("foreign", "table"):
            create_table(self.catalog, cursor, foreign=True)
        elif cursor.accept("unique"):
            cursor.expect("index")
            create_unique_index(self.catalog, cursor)
        elif cursor.accept("domain"):
            create_domain(self.catalog, cursor)
        elif cursor.accept("type"):
            name = cursor.qualified()[1]
            self.catalog.types |= {name}
            if cursor.accept("as", "enum"):
                # Of two enums of one name, in two schemas, either may be meant: a label of one is no mistake.
                labels = [t.value for t in cursor.group() if t.kind in ("string", "dollar")]
                self.catalog.labels[name] = (*self.catalog.labels.get(name, ()), *labels)
        elif cursor.accept("view"):
            cursor.accept("if", "not", "exists")
            self.catalog.views |= {cursor.qualified()[1]}
        elif cursor.accept("schema"):
            if any(t.kind == "word" and t.value in ("table", "unique") for t in cursor.rest()):
                cursor.fail("CREATE SCHEMA with tables in it; create them in statements of their own")
        elif cursor.peek() not in _KINDS_SKIPPED:
            cursor.fail("CREATE of something that is not known")

    def _alter(self, cursor: Cursor) -> None:
        if cursor.accept("table"):
            alter_table(self.catalog, cursor)
        elif cursor.accept("domain"):
            alter_domain(self.catalog, cursor)
        elif cursor.accept("index"):
            cursor.accept("if", "exists")
            old = cursor.qualified()[1]
            if cursor.accept("rename", "to"):
                self.catalog.rename_index(old, cursor.name())
        elif cursor.accept("schema"):
            old = cursor.name()
            if cursor.accept("rename", "to"):
                new = cursor.name()
                for name in [n for n in self.catalog.tables if n[0] == old]:
                    self.catalog.move(name, (new, name[1]))
        elif cursor.accept("foreign", "table"):
            alter_table(self.catalog, cursor)
        elif cursor.accept("type"):
            alter_type(self.catalog, cursor)
        elif cursor.peek() not in _KINDS_SKIPPED | {"materialized"}:
            cursor.fail("ALTER of something that is not known")

    def _drop(self, cursor: Cursor) -> None:
        kind = cursor.peek()
        if kind not in ("table", "index", "schema", "domain", "foreign", "type"):
            if kind not in _KINDS_SKIPPED | {"owned", "materialized"}:
                cursor.fail("DROP of something that is not known")
            return
        if cursor.accept("foreign") and not cursor.ahead("table"):
            return
        kind = cursor.take().value
        cursor.accept("concurrently")
        cursor.accept("if", "exists")
        for part in split(cursor.rest()):
            name = Cursor(cursor.source, part).qualified()
            match kind:
                case "table":
                    self.catalog.drop(self.catalog.named(name))
                case "index":
                    self.catalog.drop_index(name[1], cursor.place())
                case "type":
                    self.catalog.labels.pop(name[1], None)
                case "schema":
                    for table in [n for n in self.catalog.tables if n[0] == name[1]]:
                        self.catalog.drop(table)

    def _set(self, cursor: Cursor) -> None:
        """SET search_path decides where tables without a schema go."""
        if not cursor.accept("session"):
            cursor.accept("local")
        if not cursor.accept("search_path"):
            return
        if not cursor.accept("to"):
            cursor.accept("=")
        names = [t.value for t in cursor.rest() if t.kind in ("word", "quoted", "string")]
        real = [n for n in names if n not in ("", "$user", "pg_catalog", "default")]
        self.catalog.search_schema = real[0] if real else "public"

    def _transaction(self, cursor: Cursor) -> None:
        """ROLLBACK undoes: a constraint that is added and rolled back does not hold."""
        verb = cursor.take().value
        if verb in ("begin", "start"):
            self._saved = [("", self.catalog.copy())]
        elif verb == "savepoint":
            self._saved.append((cursor.name(), self.catalog.copy()))
        elif verb in ("rollback", "abort"):
            savepoint = ""
            while not cursor.done:
                if cursor.accept("to"):
                    cursor.accept("savepoint")
                    savepoint = cursor.name()
                else:
                    cursor.take()
            for name, before in reversed(self._saved):
                if name == savepoint:
                    self.catalog.become(before)
                    break
            if not savepoint:
                self._saved = []
        elif verb in ("commit", "end"):
            self._saved = []

    def _meta(self, statement: Statement) -> None:
        r"""Obey \\i and \\ir; other psql commands print, connect or set variables."""
        token = statement.tokens[-1]
        command, _, rest = token.value.partition(" ")
        if command in ("i", "ir", "include", "include_relative"):
            self._include(rest.strip().strip("'\""), command in ("ir", "include_relative"), statement)
        elif command in _PSQL_CHOICES:
            statement.source.fail(token.start, f"\\{command} chooses when psql runs; write out the schema that holds")
        elif len(statement.tokens) > 1:
            strings = " ".join(t.value for t in statement.tokens if t.kind in ("string", "dollar"))
            if command == "gexec" and _CHANGES_TABLES.search(strings):
                statement.source.fail(token.start, "\\gexec runs SQL that is made when it runs; write out its tables")
            self.apply(_without_command(statement))

    def _do(self, cursor: Cursor) -> None:
        """Read a DO block's statements as if they were written alone, where its guards allow that."""
        bodies = [t for t in cursor.rest() if t.kind in ("dollar", "string")]
        body = bodies[0] if bodies else None
        if body is None:
            cursor.fail("expected a quoted block")
        inside = _quoted_tokens(cursor.source, body)
        choices = 0  # how many IFs and loops are open whose outcome cannot be read here
        guards: list[bool] = []
        handler = False
        for tokens in split(inside, ";"):
            part = Cursor(cursor.source, tokens)
            while not part.done:
                if part.accept("begin"):
                    pass
                elif part.ahead("if"):
                    guard = _is_existence_guard(part)
                    guards.append(guard)
                    choices += not guard
                    if not guard:
                        _skip_past(part, "then")
                elif part.accept("end", "if") or part.accept("end", "loop"):
                    choices -= bool(guards) and not guards.pop()
                elif part.accept("exception"):
                    handler = True
                elif handler and part.accept("when"):
                    _skip_past(part, "then")
                elif part.accept("end"):
                    handler = False
                    part.rest()
                elif part.peek() in ("for", "foreach", "while", "loop"):
                    guards.append(False)
                    choices += 1
                    _skip_past(part, "loop")
                elif part.peek() in ("else", "elsif") and guards:
                    choices += guards[-1]
                    guards[-1] = False
                    if part.take().value == "elsif":
                        _skip_past(part, "then")
                else:
                    break
            if not part.done:
                self._do_one(cursor.source, part, known=not choices and not handler)

    def _do_one(self, source: Source, part: Cursor, *, known: bool) -> None:
        tokens = tuple(part.tokens[part.at :])
        text = source.text[tokens[0].start : tokens[-1].end]
        if tokens[0].value in ("insert", "update", "delete", "with"):
            self._record(Statement(source, tokens))
        if [t.value for t in tokens[:2]] == ["create", "type"]:
            self.apply(Statement(source, tokens))
        if not _CHANGES_TABLES.search(text):
            return
        if part.accept("execute") and len(tokens) == 2 and tokens[1].kind in ("string", "dollar"):
            tokens = tuple(_quoted_tokens(source, tokens[1]))
        if not known or tokens[0].value not in ("create", "alter", "drop"):
            source.fail(
                tokens[0].start,
                "this DO block changes tables in a way that depends on what it finds when it runs; "
                "write the change as a plain statement",
            )
        self.apply(Statement(source, tokens))


def _without_command(statement: Statement) -> Statement:
    """Return `statement` without the psql command that ended it."""
    return statement._replace(tokens=statement.tokens[:-1])


def _quoted_tokens(source: Source, token: Token) -> list[Token]:
    """Return the tokens of the SQL inside a quoted string; it must stand there as it will run."""
    edge = (len(token.text) - len(token.value)) // 2
    start, end = token.start + edge, token.end - edge
    if source.text[start:end] != token.value:
        if _CHANGES_TABLES.search(token.value):
            source.fail(token.start, "SQL inside a string with escapes; quote it with $$ ... $$")
        return []
    return list(tokens_of(source, start, end))


def _is_existence_guard(part: Cursor) -> bool:
    """Take `IF [NOT] EXISTS (...) THEN`; False, with only IF taken, when it asks something else."""
    part.expect("if")
    mark = part.at
    part.accept("not")
    if part.accept("exists") and part.peek() == "(":
        part.group()
        if part.accept("then"):
            return True
    part.at = mark
    return False


def _skip_past(part: Cursor, word: str) -> None:
    while not part.done and not part.accept(word):
        part.take()
