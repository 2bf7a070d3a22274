"""The tables as they stand between two statements, and how names find them."""

from __future__ import annotations

from dataclasses import replace

from squads.gates.place import Place
from squads.gates.sql.changes import with_constraint_renamed, with_lost
from squads.gates.sql.model import Domain, Schema, Spoken, Table, TableName
from squads.gates.sql.writes import Write


class Catalog:
    """Changes while statements run; `schema()` is what remains.

    A table created twice (a schema file next to its migrations) is judged in both forms: the first is kept aside.
    """

    def __init__(self) -> None:
        self.tables: dict[TableName, Table] = {}
        self.domains: dict[str, Domain] = {}
        self.types: frozenset[str] = frozenset()
        self.labels: dict[str, tuple[str, ...]] = {}
        self.views: frozenset[str] = frozenset()
        self.writes: list[Write] = []
        self.aside: tuple[Table, ...] = ()
        self.spoken: list[Spoken] = []
        """The statements that may change rights, routines or triggers; `authority.py` reads them when asked."""
        self.search_schema = "public"
        self.seen: frozenset[TableName] = frozenset()
        """Every name that was ever created, changed or dropped."""

    def copy(self) -> Catalog:
        """Return a catalog that can change on its own; what is in it is frozen."""
        other = Catalog()
        other.become(self)
        return other

    def become(self, other: Catalog) -> None:
        """Take over the state of `other`, as ROLLBACK does."""
        self.tables, self.domains = dict(other.tables), dict(other.domains)
        self.types, self.views, self.aside = other.types, other.views, other.aside
        self.labels = dict(other.labels)
        self.spoken = list(other.spoken)
        self.search_schema, self.seen = other.search_schema, self.seen | other.seen

    def named(self, written: TableName) -> TableName:
        """Return the full name behind a name as it was written."""
        if written[0]:
            return written
        here = (self.search_schema, written[1])
        if here in self.tables:
            return here
        anywhere = [name for name in self.tables if name[1] == written[1]]
        return anywhere[0] if len(anywhere) == 1 else here

    def find(self, written: TableName) -> Table | None:
        """Return the table behind a name, if the artifact made or touched it."""
        return self.tables.get(self.named(written))

    def touch(self, written: TableName, place: Place) -> Table:
        """Return the table behind a name; one that the artifact did not create is entered as incomplete."""
        schema, name = self.named(written)
        if (schema, name) not in self.tables:
            self.put(Table(schema=schema, name=name, complete=False, place=place))
        return self.tables[schema, name]

    def create(self, table: Table) -> None:
        """Enter a new table; an earlier one of its name is kept aside."""
        if earlier := self.tables.get(table.full_name):
            if earlier.complete:
                self.aside += (earlier,)
            else:  # changed by a file that reads before the one that creates it
                table = merged(table, earlier)
        self.put(table)

    def put(self, table: Table) -> None:
        """Enter `table` under its name."""
        self.tables[table.full_name] = table
        self.seen |= {table.full_name}

    def drop(self, name: TableName) -> None:
        """Forget a table and what inherits from it."""
        self.tables.pop(name, None)
        self.seen |= {name}
        for other in [t for t in self.tables.values() if name in t.parents]:
            self.drop(other.full_name)

    def move(self, old: TableName, new: TableName) -> None:
        """Rename a table, or move it to another schema."""
        table = self.tables.pop(old)
        self.create(replace(table, schema=new[0], name=new[1]))
        for other in list(self.tables.values()):
            if old in other.parents:
                self.put(replace(other, parents=tuple(new if p == old else p for p in other.parents)))

    def drop_index(self, name: str, place: Place) -> None:
        """Forget the unique index called `name`; any other index is no news."""
        for table in list(self.tables.values()):
            if any(k.index and k.name == name for k in table.keys):
                after = replace(table, keys=tuple(k for k in table.keys if not (k.index and k.name == name)))
                self.put(with_lost(table, after, place))

    def rename_index(self, old: str, new: str) -> None:
        """Rename a unique index, or the one behind a UNIQUE constraint."""
        for table in list(self.tables.values()):
            if any(k.name == old for k in table.keys):
                self.put(with_constraint_renamed(table, old, new))

    def schema(self, *, with_writes: bool = True) -> Schema:
        """Return what stands now, with the statements that stored rows unless they are not wanted."""
        return Schema(
            tables=(*self.aside, *self.tables.values()),
            domains=dict(self.domains),
            types=self.types,
            labels=dict(self.labels),
            spoken=tuple(self.spoken) if with_writes else (),
            writes=tuple(self.writes) if with_writes else (),
        )

    def rename_type(self, old: str, new: str) -> None:
        """Rename a type; columns of it follow."""
        self.types |= {new}
        if old in self.labels:
            self.labels[new] = self.labels.pop(old)
        for table in list(self.tables.values()):
            if any(c.type.rsplit(".", 1)[-1] == old for c in table.columns):
                changed = (replace(c, type=new) if c.type.rsplit(".", 1)[-1] == old else c for c in table.columns)
                self.put(replace(table, columns=tuple(changed)))


def merged(created: Table, touched: Table) -> Table:
    """Return the created table with what an earlier file already did to it."""
    have = {c.name for c in created.columns}
    return replace(
        created,
        columns=(*created.columns, *(c for c in touched.columns if c.name not in have)),
        not_null=created.not_null | touched.not_null,
        keys=(*created.keys, *touched.keys),
        checks=(*created.checks, *touched.checks),
        unseen=touched.unseen,
    )
