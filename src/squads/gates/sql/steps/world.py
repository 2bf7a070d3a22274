"""The tables around each step of a migration: which stood before, what their columns are, what guards them by then.

`Walk` applies one statement after the other and answers for the moment before the statement that is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from squads.gates.check import CannotLook
from squads.gates.sql.lex import Statement
from squads.gates.sql.model import HOLE, Column, Table, TableName
from squads.gates.sql.python.file import Written
from squads.gates.sql.run import Run
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.acts import acts_of
from squads.gates.sql.steps.reading import Step, Steps
from squads.gates.words import word_set

LOCKING = word_set(
    "add_column drop_column alter_type set_not_null add_constraint drop_constraint rename_table rename_column lock "
    "create_index rewrite validate"
)
"""Acts that keep a table locked until their transaction ends."""
_NO_NEWS = word_set("insert comment set")
_REFERENCE = re.compile(
    r"\breferences\s+(?P<to>[\w\".]+)(?P<rest>(?:\s*\([^)]*\))?(?:\s+(?:match|on|set|no|not|deferrable|initially|"
    r"cascade|restrict|action|null|default|delete|update|full|simple|valid|deferred|immediate)\b)*)",
    re.IGNORECASE,
)
_FOREIGN_KEY = re.compile(r"(?:constraint \"?(?P<name>\w+)\"? )?foreign key \( (?P<columns>[^)]*) \)", re.IGNORECASE)
_HANDED = re.compile(rf"(?<![:\w]): \w|%|\?|\$ ?\d|{HOLE}")
_TYPED = re.compile(r"squads_typed \( '([^']*)' , '([^']*)' , '([^']*)' \)")

_NO_TEXT = re.compile(
    r"(?i)^(?:is|has|num|n)_|_(?:id|at|on|date|count|cents|no|nr|num|days|total)$|^(?:price|amount|qty)"
)
_KINDS = {
    "text": "text", "string": "text", "unicode": "text", "unicodetext": "text", "varchar": "text", "integer": "integer",
    "biginteger": "bigint", "boolean": "boolean", "date": "date", "numeric": "numeric", "float": "double precision",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key."""

    columns: tuple[str, ...]
    to: str
    on_delete: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """A CHECK or foreign key, and whether old rows are known to fulfil it."""

    condition: str
    valid: bool
    transaction: int = 0
    step: int = -1
    kind: str = "check"


def given_rows(act: Act) -> bool:
    """Return whether an INSERT stores what a program hands to it, and no rows that are written out."""
    return act.kind == "insert" and _HANDED.search(act.text) is not None


def given(act: Act) -> bool:
    """Return whether an UPDATE writes what a program hands to it."""
    return any(_HANDED.search(value) for _, value in act.values)


class Walk:
    """Goes through the steps of a migration; what it answers holds before the statement it stands at."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self._run = Run(_no_include)
        self.made: set[TableName] = set()
        """Tables that the migration itself has created so far."""
        self.added: set[tuple[TableName, str]] = set()
        """Columns that it has added to tables of before."""
        self.guards: dict[tuple[TableName, str], Guard] = {}
        self.references: dict[TableName, list[Reference]] = {}
        self.typed: dict[tuple[str, str], str] = {}
        self.acts = [acts_of(step.statement) for step in steps.steps]
        """What each step does."""
        self.at = -1
        self.earlier: list[tuple[Step, Act]] = []
        """Every act so far that may keep or fill something; rows that are written out do neither."""
        self.locking: dict[int, list[Act]] = {}
        """The acts of each transaction so far that lock a table until it ends."""
        self.old: list[Act] = []
        for statement in steps.before:
            self.old += self._apply(Step(statement))
        self.made.clear()
        self.added.clear()
        self.based = bool(steps.before)
        self._ahead()
        self._later = set() if self.based else self._created_anywhere()

    def moments(self) -> Iterator[tuple[Step, list[Act]]]:
        """Yield each step with its acts, before it is applied."""
        for number, step in enumerate(self.steps.steps):
            self.at = number
            acts = self.acts[number]
            yield step, acts
            self._apply(step, acts)
            self.earlier += [(step, act) for act in acts if act.kind not in _NO_NEWS or given_rows(act)]
            self.locking.setdefault(step.transaction, []).extend(a for a in acts if a.kind in LOCKING)

    def named(self, written: TableName) -> TableName:
        """Return the full name behind a written one."""
        return self._run.catalog.named(written)

    def existed(self, written: TableName) -> bool:
        """Return whether a table stood before the migration: the artifact does not create it."""
        name = self.named(written)
        if not name[1] or name in self.made or name in self._later or name[0] == "pg_temp":
            return False
        return name[0] not in ("information_schema", "pg_catalog") and name[1] not in self._run.catalog.views

    def known(self, written: TableName) -> bool:
        """Return whether the columns of a table are known."""
        table = self._run.catalog.tables.get(self.named(written))
        return table is not None and table.complete

    def column(self, written: TableName, name: str) -> Column | None:
        """Return a column as it stands now, as far as it is known."""
        table = self._run.catalog.tables.get(self.named(written))
        found = table.column(name) if table else None
        told = self.typed.get((self.named(written)[1], name))
        return replace(found, type=told) if found and told else found

    def table(self, written: TableName) -> Table | None:
        """Return a table as it stands now, as far as it is known."""
        return self._run.catalog.tables.get(self.named(written))

    def tables(self) -> tuple[Table, ...]:
        """Return every table as it stands now."""
        return tuple(self._run.catalog.tables.values())

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the labels of each enum."""
        return dict(self._run.catalog.labels)

    def columns(self, written: TableName) -> tuple[Column, ...]:
        """Return every column that is known."""
        table = self._run.catalog.tables.get(self.named(written))
        return table.columns if table else ()

    def type_of(self, written: TableName, name: str) -> str:
        """Return a column's type beneath its domains, empty where it is not known."""
        told = self.typed.get((self.named(written)[1], name))
        found = self.column(written, name)
        own = told or (found.type if found else "")
        return self._run.catalog.schema(with_writes=False).base_type(own) if own else ""

    def not_null(self, written: TableName, name: str) -> bool:
        """Return whether a column is known to hold no NULL by its definition."""
        table = self._run.catalog.tables.get(self.named(written))
        return table is not None and name in table.not_null

    def checks(self, written: TableName) -> Iterator[Guard]:
        """Yield the CHECKs of a table."""
        full = self.named(written)
        table = self._run.catalog.tables.get(full)
        told = {name for owner, name in self.guards if owner == full}
        for check in table.checks if table else ():
            if check.name not in told:
                yield Guard(check.condition, True)
        for (owner, _), guard in self.guards.items():
            if owner == full and guard.kind == "check":
                yield guard

    def choices(self, written: TableName, name: str) -> frozenset[str]:
        """Return what a column may hold at most, by its type or a CHECK of its table; empty where that is not known."""
        kind = self.type_of(written, name).lower()
        if kind in ("boolean", "bool"):
            return frozenset(("true", "false"))
        labels = self._run.catalog.schema(with_writes=False).labels.get(kind.rsplit(".", 1)[-1])
        if labels:
            return frozenset(labels)
        listed = re.compile(rf"\W*{re.escape(name)}\W+(?:in|= any)\b[^']*((?:'[^']*'[^']*)+)", re.IGNORECASE)
        for guard in self.checks(written):
            if guard.valid and (match := listed.fullmatch(guard.condition)):
                return frozenset(re.findall(r"'([^']*)'", match[1]))
        return frozenset()

    def domains(self, type_name: str) -> bool:
        """Return whether a type is a domain that checks its values."""
        schema = self._run.catalog.schema(with_writes=False)
        return any(d.checks or d.not_null for d in schema.domains_of(type_name))

    def new_column(self, written: TableName, name: str) -> bool:
        """Return whether the migration itself added a column."""
        return (self.named(written), name) in self.added

    def _ahead(self) -> None:
        """Add the columns of before that the migration drops, and that models which are ahead of it do not have."""
        tables = self._run.catalog.tables
        made = {(self.named(a.table), n) for acts in self.acts for a in acts for n in (a.name, a.other)
                if a.kind in ("add_column", "rename_column", "rename_table", "create_table")}  # fmt: skip
        for step, acts in zip(self.steps.steps, self.acts, strict=True):
            for act in acts:
                full = self.named(act.table)
                table = tables.get(full)
                missing = act.kind == "drop_column" and table is not None and table.column(act.name) is None
                if not missing or table is None or not table.complete or (full, act.name) in made:
                    continue
                kind = _kind_of(act.name, step)
                if kind and "exists" not in act.words:
                    tables[full] = replace(
                        table, columns=(*table.columns, Column(name=act.name, type=kind, place=act.place))
                    )

    def _created_anywhere(self) -> set[TableName]:
        """Return what the artifact creates, wherever: without a base, its files may not be in their order."""
        found = set()
        for act in (a for acts in self.acts for a in acts):
            if act.kind == "create_table":
                found.add((act.table[0] or "public", act.table[1]))
        return found

    def _apply(self, step: Step, given: list[Act] | None = None) -> list[Act]:
        acts = acts_of(step.statement) if given is None else given
        for act in acts:
            self._before_applied(act)
        with suppress(CannotLook, RecursionError):  # less is then known of the tables, and no more than that
            self._run.apply(step.statement)
        for act in acts:
            self._applied(act, step)
        return acts

    def _before_applied(self, act: Act) -> None:
        if act.kind == "drop_table":
            self.made.discard(self.named(act.table))
        elif act.kind == "rename_table":
            old, new = self.named(act.table), (self.named(act.table)[0], act.other)
            if old in self.made:
                self.made = (self.made - {old}) | {new}
            self.added = {(new if t == old else t, c) for t, c in self.added}
            self.references[new] = self.references.pop(old, [])

    def _applied(self, act: Act, step: Step) -> None:
        table = self.named(act.table)
        match act.kind:
            case "create_table":
                if "if not exists" not in act.words or table not in self._run.catalog.seen or not self._stood(table):
                    self.made.add(table)
                self.references[table] = [*self.references.get(table, []), *_of_items(act.other)]
            case "add_column":
                self.added.add((table, act.name))
                self.references.setdefault(table, []).extend(
                    replace(r, columns=(act.name,)) for r in _references(act.text)
                )
            case "rename_column" if (table, act.name) in self.added:
                self.added.add((table, act.other))
            case "add_constraint":
                valid = "not valid" not in act.words
                kind = "foreign" if act.other == "foreign" else "check"
                condition = act.text.rsplit(")", 1)[0].removeprefix("(").strip()
                if act.other == "not null" and act.columns:
                    condition = f"{act.columns[0]} IS NOT NULL"
                if act.other in ("foreign", "check", "not null"):
                    self.guards[table, act.name] = Guard(condition, valid, step.transaction, self.at, kind)
                if act.other == "foreign":
                    self.references.setdefault(table, []).extend(
                        replace(r, columns=act.columns, name=act.name) for r in _references(act.text)
                    )
            case "drop_constraint":
                self.guards.pop((table, act.name), None)
            case "validate" if (table, act.name) in self.guards:
                self.guards[table, act.name] = replace(self.guards[table, act.name], valid=True)
            case "select":
                for told in _TYPED.finditer(act.text):
                    self.typed[told[1].rsplit(".", 1)[-1], told[2]] = told[3]
            case "alter_type":
                self.typed.pop((table[1], act.name), None)

    def _stood(self, table: TableName) -> bool:
        return any(a.kind == "create_table" and self.named(a.table) == table for a in self.old)


def _kind_of(column: str, step: Step) -> str:
    """Return the type of a column that nothing of before declares: as the way back says, else text; empty if unlike."""
    source = step.statement.source
    back = source.around if isinstance(source, Written) else ""
    told = re.search(rf"Column\(\s*['\"]{re.escape(column)}['\"],\s*(?:\w+\.)?(\w+)", back)
    if told:
        return _KINDS.get(told[1].lower(), "")
    return "" if _NO_TEXT.search(column) else "text"


def _references(text: str) -> list[Reference]:
    found = []
    for match in _REFERENCE.finditer(text):
        rest = match["rest"].lower()
        deletes = re.search(r"on\s+delete\s+(cascade|restrict|set\s+null|set\s+default|no\s+action)", rest)
        found.append(Reference((), match["to"].replace('"', "").rsplit(".", 1)[-1], deletes[1] if deletes else ""))
    return found


def _of_items(text: str) -> Iterator[Reference]:
    """Yield the foreign keys of what stands inside CREATE TABLE's brackets."""
    depth, start = 0, 0
    for at, letter in enumerate(f"{text} ,"):
        depth += (letter == "(") - (letter == ")")
        if letter == "(" and depth == 1:
            start = at + 1
        elif depth == (1 if letter == "," else 0) and letter in ",)" and at > start:
            item = text[start:at].strip()
            start = at + 1
            key = _FOREIGN_KEY.search(item)
            named = tuple(re.findall(r"\w+", key["columns"])) if key else tuple(re.findall(r"\w+", item)[:1])
            yield from (replace(r, columns=named, name=key["name"] or "" if key else "") for r in _references(item))


def _no_include(name: str, relative: bool, statement: Statement) -> None:
    del name, relative, statement  # the file that is included is a step of its own
