"""What a routine's body does with other things: relations it reads and writes, sequences it draws from, calls.

PL/pgSQL is not run. Every static statement in it counts as if it were reached, in whichever branch it stands, because
rights are missing in the branch that is taken. SQL that is put together while it runs is marked as such, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from squads.gates.place import Place
from squads.gates.sql.lex import Source, Token, split
from squads.gates.sql.model import TableName
from squads.gates.sql.rights.brackets import Brackets
from squads.gates.sql.rights.routines import body_tokens, read_setting_values
from squads.gates.words import word_set

_CLAUSES = word_set(
    "where join inner left right full cross natural on group order having limit union set returning loop for into "
    "using then when window offset fetch except intersect values select from default do tablesample"
)
_FROM_IS_PUNCTUATION = word_set("extract substring trim overlay position distinct fetch move next prior first last")
_STARTS = word_set("insert update delete truncate merge from join execute (")
_NOT_CALLED = word_set("into update join only table references")
BODY_TOKENS_MAX = 200_000
"""The most tokens of one body that are read: about a megabyte of SQL, and a second of work."""

_LOCK_TOKENS_MAX = 400
"""How far before FOR UPDATE its FROM is looked for."""
_SEQUENCE_CALLS = word_set("nextval setval currval")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One thing that the body does, with a name as it was written."""

    act: str
    """insert, update, delete, truncate, select; `usage` of a sequence; `execute` of a routine."""
    name: TableName
    columns: frozenset[str] | None = frozenset()
    """The columns that the act names; None for all of them, empty for any one of them."""
    values: int = 0
    """For a call: how many arguments it has."""
    returning: bool = False
    """The rows come back, so row security for reading applies as well."""
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Everything that one body does."""

    uses: tuple[Use, ...] = ()
    dynamic: Place | None = None
    """Where SQL is run that is put together there."""
    own_path: tuple[str, ...] | None = None
    """The path that its first statement sets."""
    own_path_unqualified: bool = False
    """It sets it with a function that is itself looked up on the caller's path."""


def read_body(source: Source, body: Token, *, language: str, hidden: frozenset[str] = frozenset()) -> Body:
    """Return what a quoted body does; one in a language other than SQL and PL/pgSQL does nothing known.

    `hidden` are names that look like relations there and are none: transition tables.
    """
    if language not in ("sql", "plpgsql"):
        return Body(dynamic=source.place(body.start, body.end))
    text, tokens = body_tokens(source, body)
    return _Reader(text, tokens, hidden).read(plpgsql=language == "plpgsql")


def read_tokens(source: Source, tokens: Sequence[Token], hidden: frozenset[str] = frozenset()) -> Body:
    """Return what SQL that stands in the open does: a view's query, a policy's condition, a default."""
    return _Reader(source, list(tokens), hidden).read(plpgsql=False)


class _Reader:
    """Goes over tokens once from left to right; subqueries are met on the way."""

    def __init__(self, source: Source, tokens: list[Token], hidden: frozenset[str]) -> None:
        self.source = source
        if len(tokens) > BODY_TOKENS_MAX:
            source.fail(
                tokens[0].start,
                f"this body has {len(tokens)} tokens, more than {BODY_TOKENS_MAX}; cut it into routines",
            )
        self.tokens = tokens
        self.words = [t.value if t.kind in ("word", "mark", "op") else "" for t in tokens]
        self.brackets = Brackets(self.words)
        self.hidden = hidden | frozenset(self._names_made_here())
        self.dynamic: Place | None = None

    def read(self, *, plpgsql: bool) -> Body:
        starts = [at for at, word in enumerate(self.words) if word in _STARTS]
        uses = [use for at in starts for use in self._at(at, plpgsql=plpgsql)]
        kept = [u for u in uses if u.act in ("execute", "usage") or u.name[0] or u.name[1] not in self.hidden]
        path, unqualified = self._own_path() if plpgsql else (None, False)
        return Body(
            uses=tuple(kept),
            dynamic=self.dynamic,
            own_path=path,
            own_path_unqualified=unqualified,
        )

    def word(self, at: int) -> str:
        return self.words[at] if 0 <= at < len(self.words) else ""

    def _names_made_here(self) -> Iterator[str]:
        """Yield the names of WITH queries and of temporary tables."""
        for at, word in enumerate(self.words):
            if word in ("temp", "temporary") and self.word(at + 1) == "table":
                found = at + 1
                while self.word(found + 1) in ("if", "not", "exists"):
                    found += 1
                yield from (self.tokens[n].value for n in (found + 1,) if n < len(self.tokens))
            if self.word(at - 1) in ("with", "recursive", ",") and self.tokens[at].kind in ("word", "quoted"):
                after = at + 1
                if self.word(after) == "(":
                    after = self.brackets.closing(after) + 1
                if self.word(after) == "as":
                    after += 1
                    while self.word(after) in ("not", "materialized"):
                        after += 1
                    if self.word(after) == "(":
                        yield self.tokens[at].value

    def _at(self, at: int, *, plpgsql: bool) -> Iterator[Use]:
        word, before = self.word(at), self.word(at - 1)
        match word:
            case "insert" if self.word(at + 1) == "into":
                yield from self._insert(at)
            case "update" if before in ("for", "key"):
                yield from self._row_lock(at)
            case "update" if before not in ("do", "of", "on", "or", "then") or self._names_relation(at + 1):
                yield from self._update(at)
            case "delete" if self.word(at + 1) == "from":
                yield from self._delete(at)
            case "truncate":
                start = at + 2 if self.word(at + 1) == "table" else at + 1
                yield from self._one("truncate", start)
            case "merge" if self.word(at + 1) == "into":
                yield from self._merge(at)
            case "from" if self._reads_relations(at):
                yield from self._from_list(at + 1)
            case "join":
                yield from self._one("select", at + 2 if self.word(at + 1) == "lateral" else at + 1)
            case "execute" if plpgsql and self.word(at + 1) not in ("function", "procedure"):
                yield from self._execute(at)
            case "(":
                yield from self._call(at)

    # Relations

    def _name(self, at: int) -> tuple[TableName, int] | None:
        """Return the name that begins at `at` and where it ends, or None."""
        while self.word(at) == "only":
            at += 1
        parts: list[str] = []
        while at < len(self.tokens) and self.tokens[at].kind in ("word", "quoted"):
            parts.append(self.tokens[at].value)
            at += 1
            if self.word(at) != ".":
                break
            at += 1
        if not parts:
            return None
        return (parts[-2] if len(parts) > 1 else "", parts[-1]), at

    def _names_relation(self, at: int) -> bool:
        found = self._name(at)
        if found is None:
            return False
        return "set" in (self.word(found[1]), self.word(found[1] + 1), self.word(found[1] + 2)) and (
            self.word(at) != "set"
        )

    def _one(self, act: str, at: int, columns: frozenset[str] | None = frozenset()) -> Iterator[Use]:
        found = self._name(at)
        if found and self.word(found[1]) != "(":
            yield Use(act=act, name=found[0], columns=columns, place=self._place(at, found[1]))

    def _from_list(self, at: int) -> Iterator[Use]:
        while at < len(self.tokens):
            if self.word(at) == "lateral":
                at += 1
            if self.word(at) == "(":
                at = self.brackets.closing(at) + 1
            elif self.word(at) in _CLAUSES or (self.word(at) == "rows" and self.word(at + 1) == "from"):
                return
            else:
                yield from self._one("select", at)
                found = self._name(at)
                if found is None:
                    return
                at = found[1]
            while at < len(self.tokens) and self.word(at) not in (",", ")", ";") and self.word(at) not in _CLAUSES:
                at = self.brackets.closing(at) + 1 if self.word(at) == "(" else at + 1
            if self.word(at) != ",":
                return
            at += 1

    def _reads_relations(self, at: int) -> bool:
        """Return whether FROM begins a list of relations here, and is not part of EXTRACT(... FROM ...)."""
        before = self.word(at - 1)
        if before in _FROM_IS_PUNCTUATION or before == "delete":
            return False
        opener = self.brackets.opener(at)
        if opener >= 0 and self.word(opener - 1) in _FROM_IS_PUNCTUATION:
            return self.word(opener + 1) == "select"
        return True

    def _insert(self, at: int) -> Iterator[Use]:
        found = self._name(at + 2)
        if found is None:
            return
        name, after = found
        place = self._place(at, after)
        if self.word(after) == "as":
            after += 2
        columns: frozenset[str] | None = None
        if self.word(after) == "(" and self.word(after + 1) not in ("select", "with", "values"):
            closing = self.brackets.closing(after)
            members = split(self.tokens[after + 1 : closing])
            columns = frozenset(m[0].value for m in members if m)
        words = self._words_until_end(at)
        returning = "returning" in words
        yield Use(act="insert", name=name, columns=columns, returning=returning, place=place)
        conflict = words.index("conflict") if "conflict" in words else -1
        if conflict >= 0 and words[conflict - 1] == "on":
            if words[conflict + 1 : conflict + 2] in (["("], ["on"]):
                yield Use(act="select", name=name, place=place)
            if "update" in words[conflict:]:
                yield Use(act="select", name=name, place=place)
                yield Use(act="update", name=name, place=place)
        if returning:
            yield Use(act="select", name=name, place=place)

    def _update(self, at: int) -> Iterator[Use]:
        found = self._name(at + 1)
        if found is None or not self._names_relation(at + 1):
            return
        name, after = found
        place = self._place(at, after)
        while self.word(after) != "set":
            after += 1
        top = self._top(after)
        end = top[-1][0] + 1 if top else after + 1
        tail = next((n for n, word in top if word in ("where", "from", "returning")), end)
        assigned = split(self.tokens[after + 1 : tail])
        columns: set[str] = set()
        reads = tail < end
        for part in assigned:
            equals = next((n for n, t in enumerate(part) if t.text == "="), len(part))
            names = {t.value for t in part[:equals] if t.kind in ("word", "quoted")}
            columns |= names
            reads = reads or any(t.kind in ("word", "quoted") and t.value in names for t in part[equals:])
        yield Use(act="update", name=name, columns=frozenset(columns), place=place)
        if reads:
            yield Use(act="select", name=name, place=place)

    def _delete(self, at: int) -> Iterator[Use]:
        found = self._name(at + 2)
        if found is None:
            return
        place = self._place(at, found[1])
        yield Use(act="delete", name=found[0], columns=None, place=place)
        if not {"where", "using", "returning"}.isdisjoint(self._words_until_end(at)):
            yield Use(act="select", name=found[0], place=place)

    def _merge(self, at: int) -> Iterator[Use]:
        found = self._name(at + 2)
        if found is None:
            return
        place = self._place(at, found[1])
        words = self._words_until_end(at)
        for act in ("insert", "update", "delete"):
            if ("then", act) in pairwise(words):
                yield Use(act=act, name=found[0], columns=None if act != "update" else frozenset(), place=place)
        yield Use(act="select", name=found[0], place=place)

    def _row_lock(self, at: int) -> Iterator[Use]:
        """SELECT ... FOR UPDATE needs the right to update what it locks."""
        start, stop = at, max(self.brackets.opener(at), at - _LOCK_TOKENS_MAX, 0)
        while start > stop and self.word(start) not in ("from", ";"):
            start -= 1
        if self.word(start) == "from":
            found = self._name(start + 1)
            if found and self.word(found[1]) != "(":
                yield Use(act="update", name=found[0], place=self._place(start, at + 1))

    # Calls

    def _call(self, at: int) -> Iterator[Use]:
        """A name in front of a bracket may be a call; whether it is one depends on the routines there are."""
        start = at - 1
        if start < 0 or self.tokens[start].kind not in ("word", "quoted"):
            return
        parts = [self.tokens[start].value]
        while self.word(start - 1) == "." and start >= 2:
            start -= 2
            parts.insert(0, self.tokens[start].value)
        if self.word(start - 1) in _NOT_CALLED:
            return
        name = (parts[-2] if len(parts) > 1 else "", parts[-1])
        place = self._place(start, at)
        first = self.tokens[at + 1] if at + 1 < len(self.tokens) else None
        if name[1] in _SEQUENCE_CALLS and name[0] in ("", "pg_catalog") and first and first.kind == "string":
            act = "usage" if name[1] != "currval" else "select"
            yield Use(act=act, name=sequence_name(first.value), place=place)
            return
        yield Use(act="execute", name=name, values=self.brackets.members(at), place=place)

    def _execute(self, at: int) -> Iterator[Use]:
        """EXECUTE of one literal is read like any statement; of anything else it is only noted."""
        literal = at + 1 < len(self.tokens) and self.tokens[at + 1].kind in ("string", "dollar")
        if literal and self.word(at + 2) in (";", "using", "into", "loop", ""):
            inner, tokens = body_tokens(self.source, self.tokens[at + 1])
            yield from _Reader(inner, tokens, self.hidden).read(plpgsql=False).uses
        else:
            self.dynamic = self.dynamic or self._place(at, at + 2)

    def _own_path(self) -> tuple[tuple[str, ...] | None, bool]:
        """Return the path that the block's first statement sets, and whether by a name that anyone may take."""
        at = next((n + 1 for n in range(len(self.tokens)) if self.word(n) == "begin"), 0)
        end = self.brackets.end(at)
        tokens = self.tokens[at:end]
        words = [t.value for t in tokens]
        if words[:1] == ["set"] and "search_path" in words[1:3]:
            return read_setting_values(self.source, tokens[1:]), False
        if words[:1] == ["perform"] and "set_config" in words[1:4]:
            call = words.index("set_config")
            inside = split(tokens[call + 2 : -1])
            values = [p[0] for p in inside if len(p) == 1 and p[0].kind == "string"]
            if len(values) == 2 and values[0].value.lower() == "search_path":
                names = tuple(n.strip().strip('"') for n in values[1].value.split(","))
                return names, "pg_catalog" not in words[:call]
        return None, False

    # Statements and places

    def _top(self, at: int) -> list[tuple[int, str]]:
        """Return the words of the statement that begins at `at`, `(` standing for a whole bracket."""
        found: list[tuple[int, str]] = []
        end, n = self.brackets.end(at), at + 1
        while n < end:
            word, before = self.word(n), self.word(n - 1)
            if (word == "insert" and self.word(n + 1) == "into") or (word == "delete" and self.word(n + 1) == "from"):
                break
            if word == "update" and before not in ("do", "for", "key", "then"):
                break
            found.append((n, word))
            n = self.brackets.closing(n) + 1 if word in ("(", "[") else n + 1
        return found

    def _words_until_end(self, at: int) -> list[str]:
        return [word for _, word in self._top(at)]

    def _place(self, start: int, end: int) -> Place:
        last = min(max(start, end - 1), len(self.tokens) - 1)
        return self.source.place(self.tokens[start].start, self.tokens[last].end)


def sequence_name(text: str) -> TableName:
    """Return the name inside nextval('...')."""
    parts = [p.strip('"') if p.startswith('"') else p.lower() for p in text.split(".")]
    return (parts[-2] if len(parts) > 1 else "", parts[-1])
