"""What a migration does, as deeds that a stage can play: rows that are changed, tables that get another shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from squads.gates.sql.lex import text_of
from squads.gates.sql.model import Table
from squads.gates.sql.rehearsal.blocks import Part, read_block
from squads.gates.sql.rehearsal.translate import Told, expression, translated
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.sql.rehearsal.values import known
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.acts import acts_of
from squads.gates.sql.steps.plays import PLAY, Play
from squads.gates.sql.steps.reading import Step, Steps
from squads.gates.sql.steps.world import Walk
from squads.gates.words import word_set

_ROWS = word_set("insert update delete with")
_NO_ROWS = word_set("comment grant revoke set reset analyze vacuum reindex cluster lock refresh notify security")
_STRING = re.compile(r"'[^']*'")
_COPIED = re.compile(r"\b(?!(?:true|false|null|default|now|current_\w+)\b)[a-z_]", re.IGNORECASE)
_ROW_AS_JSON = re.compile(r'\b(?:to_jsonb?|row_to_json)\s*\(\s*"?([a-z_]\w*)"?(?:\s*\.\s*\*)?\s*\)', re.IGNORECASE)
_DISTINCT_ALL = re.compile(r"\bdistinct on\s*\([^()]*\)\s*(\w+\s*\.\s*)?\*", re.IGNORECASE)
_PLAIN = word_set("op joined cast item member uuid regexplike regexpilike")
_PLAYED = re.compile(rf"SELECT {PLAY} \( '(.*)' \)$", re.DOTALL)
_WHOLE = word_set("drop_schema drop_database drop_owned drop_domain")
_COLUMNS_MAX = 80
_STEPS_MAX = 400
_COPIES_MAX = 100
_NAMED_MAX = 40
_CALLS_NOTHING = re.compile(
    r"select (squads_typed|set_config|setval|pg_catalog \. set(val|_config)|pg_advisory\w*|pg_sleep) ?\(|select \d+$"
)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key, with what happens to its row when the other one goes."""

    columns: tuple[str, ...]
    to: str
    targets: tuple[str, ...]
    on_delete: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table without its rows."""

    name: str
    columns: tuple[str, ...]
    types: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    not_null: frozenset[str] = frozenset()
    primary: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[str, ...] = ()
    references: tuple[Key, ...] = ()

    def counts(self) -> str:
        """Return the column that numbers its rows by itself, empty where none does."""
        kind = self.types.get(self.primary[0], "") if len(self.primary) == 1 else ""
        return self.primary[0] if re.match(r"(small|big)?(int|serial)|integer", kind) else ""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a step does to rows or tables."""

    kind: str
    """`rows`, `shape`, `query` (CREATE TABLE AS), `drop`, `empty` or `block`."""
    table: str = ""
    told: tuple[Told, ...] = ()
    shape: Shape | None = None
    names: tuple[tuple[str, str], ...] = ()
    """For a shape: (old column, new column) of those that are called otherwise."""
    using: tuple[tuple[str, str, frozenset[str]], ...] = ()
    """For a shape: (column, expression for SQLite, functions) of those that are computed anew."""
    temporary: bool = False
    block: Part | None = None
    play: Play | None = None


@dataclass(slots=True)
class Script:
    """What is played: the tables of before, and what each step does to them."""

    before: dict[str, Shape] = field(default_factory=dict)
    copies: list[Deed] = field(default_factory=list)
    """What stood before and copied rows or values, once more for made rows; what does not run any more is left out."""
    deeds: list[list[Deed]] = field(default_factory=list)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The labels of each enum before the first step."""
    labels_after: list[dict[str, tuple[str, ...]]] = field(default_factory=list)
    acts: list[list[Act]] = field(default_factory=list)
    plays: dict[int, Play] = field(default_factory=dict)
    """Code that is played, by its step."""
    named: tuple[str, ...] = ()
    """The tables of before that the steps name: they are there, with or without rows."""


def script_of(steps: Steps) -> Script:
    """Return what there is to play. Raises `NotKnown` where a step cannot be played."""
    walk = Walk(steps)
    script = Script()
    if not walk.based or steps.problems or len(steps.steps) > _STEPS_MAX:
        raise NotKnown
    script.before = _shapes(walk)
    covered = {(p.file.path, line) for p in steps.plays.values() for line in p.lines}
    script.labels = dict(walk.labels())
    script.acts = walk.acts
    script.copies = list(islice(_copies(steps), _COPIES_MAX))
    last: tuple[Step, list[Act]] | None = None

    def done(step: Step, acts: list[Act]) -> None:
        played = _PLAYED.match(text_of(step.statement.tokens))
        source = step.statement.source
        if played:
            play = steps.plays[played[1].replace("''", "'")]
            script.plays[len(script.deeds)] = play
            script.deeds.append([Deed("play", play=play)])
        elif covered and (source.path, source.line(step.statement.tokens[0].start)) in covered:
            script.deeds.append([])
        else:
            script.deeds.append(list(_deeds(walk, step, acts)))
        script.labels_after.append(walk.labels())

    for step, acts in walk.moments():
        if last is not None:
            done(*last)
        last = (step, acts)
    if last is not None:
        done(*last)
    spoken = {t.value.lower() for s in steps.steps for t in s.statement.tokens if t.kind in ("word", "quoted")}
    spoken |= {w for a in script.acts for b in a if b.kind == "do" for w in b.text.lower().split()}
    spoken |= {w for p in steps.plays.values() for w in p.words()}
    script.named = tuple(islice((n for n in script.before if n.lower() in spoken), _NAMED_MAX))
    return script


def _copies(steps: Steps) -> Iterator[Deed]:
    for statement in steps.before:
        if statement.tokens[0].value in ("update", "insert", "with") and any(
            a.kind == "insert_select" or any(_COPIED.search(_STRING.sub("", v)) for _, v in a.values)
            for a in acts_of(statement)
        ):
            with suppress(NotKnown):
                yield Deed("rows", told=translated(text_of(statement.tokens)))


def _shapes(walk: Walk) -> dict[str, Shape]:
    made: dict[str, Shape] = {}
    for table in walk.tables():
        if table.parents or table.partitioned or not table.complete or table.foreign:
            continue
        if table.name in made:
            raise NotKnown  # the same name in two schemas
        made[table.name] = _shape(walk, table)
    return made


def _shape(walk: Walk, table: Table) -> Shape:
    if len(table.columns) > _COLUMNS_MAX:
        raise NotKnown
    primary = tuple(e.column for k in table.keys if k.primary for e in k.elements)
    unique = tuple(
        tuple(e.column for e in k.elements)
        for k in table.keys
        if not k.primary and not k.predicate and all(e.column for e in k.elements)
    )
    actions = {r.columns: r.on_delete for r in walk.references.get(table.full_name, [])}
    keys = tuple(
        Key(r.columns, walk.named(r.table)[1], r.targets, actions.get(r.columns, "")) for r in table.references
    )
    told = walk.steps.relations.get(table.name, {})
    keys += tuple(Key((c,), to, (), action) for c, (to, action) in told.items() if table.column(c))
    return Shape(
        table.name,
        tuple(c.name for c in table.columns),
        {c.name: walk.type_of(table.full_name, c.name) or c.type for c in table.columns},
        {c.name: c.generated for c in table.columns if c.generated},
        {c.name: c.default for c in table.columns if c.default and not c.generated},
        table.not_null,
        primary,
        unique,
        tuple(c.condition for c in table.checks),
        keys,
    )


def _deeds(walk: Walk, step: Step, acts: list[Act]) -> Iterator[Deed]:
    """Yield what a step did; `walk` stands behind it."""
    tokens = step.statement.tokens
    verb, text = tokens[0].value, text_of(tokens)
    if verb in _ROWS:
        yield Deed("rows", told=translated(_with_rows(walk, text)))
    elif verb == "truncate":
        if "cascade" in [t.value for t in tokens]:
            shapes = _shapes(walk)
            names = dict.fromkeys(n for a in acts for n in emptied(shapes, a.table[1]))
            yield from (Deed("empty", n) for n in reversed(names))
            return
        yield from (Deed("empty", a.table[1]) for a in acts)
    elif verb == "create":
        yield from _created(walk, acts, [t.value for t in tokens[:6]])
    elif verb == "alter":
        yield from _altered(walk, acts, text)
    elif verb == "drop":
        for act in acts:
            if act.kind == "drop_table":
                yield Deed("drop", act.table[1])
            elif act.kind in _WHOLE or (act.kind == "drop_type" and "cascade" in act.words):
                raise NotKnown
    elif verb == "select":
        if not _CALLS_NOTHING.match(text.lower()) and not _only_asks(text):
            raise NotKnown
    elif verb == "do":
        body = next((t for t in tokens if t.kind in ("dollar", "string")), None)
        if body is None:
            raise NotKnown
        yield Deed("block", block=read_block(body_tokens(step.statement.source, body)[1]))
    elif verb not in _NO_ROWS:
        raise NotKnown


def _spread_all(walk: Walk, text: str) -> str:
    """Return a DISTINCT ON with the columns of its first table written out in the place of a star."""
    found = re.search(r'\bfrom\s+"?(\w+)"?', text, re.IGNORECASE)
    table = walk.table(("", found[1])) if found else None
    if table is None:
        return text
    head, _, tail = text.partition("*")
    alias = re.search(r"(\w+)\s*\.\s*$", head)
    front = f"{alias[1]}." if alias else ""
    head = head[: alias.start()] if alias else head
    return head + ", ".join(f"{front}{c.name}" for c in table.columns) + tail


def emptied(shapes: Mapping[str, Shape], table: str) -> list[str]:
    """Return the tables that TRUNCATE ... CASCADE empties: one, and those that refer to it."""
    found = [table] if table in shapes else []
    for name in found:
        found += [s.name for s in shapes.values() if s.name not in found and any(k.to == name for k in s.references)]
    return found


def _with_rows(walk: Walk, text: str) -> str:
    """Return a statement with a whole row that becomes JSON written out: `to_jsonb(t)` as an object of its columns."""
    if _DISTINCT_ALL.search(text):
        text = _spread_all(walk, text)
    if not _ROW_AS_JSON.search(text):
        return text
    tables = {t.name: t.full_name for t in walk.tables()}
    sources = dict(tables)
    for name, full in tables.items():
        for found in re.finditer(rf'\b"?{re.escape(name)}"?\s+(?:as\s+)?"?([a-z_]\w*)"?', text, re.IGNORECASE):
            sources.setdefault(found[1].lower(), full)

    def spread(found: re.Match[str]) -> str:
        full = sources.get(found[1].lower())
        if full is None:
            return found[0]
        shown = ", ".join(f"'{c.name}', {found[1]}.{c.name}" for c in walk.columns(full))
        return f"jsonb_build_object({shown})"

    return _ROW_AS_JSON.sub(spread, text)


def _only_asks(text: str) -> bool:
    """Return whether a query calls nothing that is not known, so that it changes nothing."""
    return " into " not in f" {text.lower()} " and all(
        known(f) or f in _PLAIN for t in translated(text) for f in t.functions
    )


def _created(walk: Walk, acts: list[Act], words: list[str]) -> Iterator[Deed]:
    for act in acts:
        if act.kind == "create_table" and act.text:
            if re.search(r"\bwith no data$", act.text, re.IGNORECASE):
                raise NotKnown
            query = re.sub(r"\bwith data$", "", act.text, flags=re.IGNORECASE)
            yield Deed(
                "query",
                act.table[1],
                translated(_with_rows(walk, query)),
                temporary=bool({"temp", "temporary"} & act.words),
            )
        elif act.kind == "create_table":
            table = walk.table(act.table)
            if table is not None and not table.parents and "partition" not in act.words:
                if (
                    "if not exists" in act.words
                    and act.table not in walk.made
                    and walk.named(act.table) not in walk.made
                ):
                    continue
                yield Deed("shape", "", shape=_shape(walk, table), temporary=table.temporary)
        elif act.kind == "create_index" and "unique" in act.words:
            table = walk.table(act.table)
            if table is not None:
                yield Deed("shape", table.name, shape=_shape(walk, table))
    if "trigger" in words or "rule" in words:
        raise NotKnown  # it may act on the rows that follow


def _altered(walk: Walk, acts: list[Act], text: str) -> Iterator[Deed]:
    if not acts and not text.lower().startswith("alter table"):
        return
    if re.search(r"\b(inherit|attach|detach|set schema)\b", text, re.IGNORECASE):
        raise NotKnown
    written = next((a.table for a in acts if a.table[1]), None)
    if written is None:
        return
    old = written[1]
    new = next((a.other for a in acts if a.kind == "rename_table"), old)
    table = walk.table((written[0], new))
    if table is None:
        raise NotKnown
    names = tuple((a.name, a.other) for a in acts if a.kind == "rename_column")
    using = []
    for act in acts:
        if act.kind == "alter_type" and act.text:
            sql, functions = expression(act.text)
            using.append((act.name, sql, functions))
    yield Deed("shape", old, shape=_shape(walk, table), names=names, using=tuple(using))
