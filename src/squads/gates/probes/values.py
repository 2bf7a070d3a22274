"""`probe.unique-null`, `probe.balance` and `probe.exact-money`: rows that must not be stored."""

from __future__ import annotations

import re

from squads.contracts.finding import Severity
from squads.gates.place import Place
from squads.gates.probes.catalog import Table, Unique, literal, named
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.scene import Scene, finding
from squads.gates.sql.stores import Role, role_of
from squads.gates.words import word_set

_MONEY = word_set(
    "price prices cost costs amount amounts balance balances fee fees total totals subtotal salary wage wages payment "
    "payments paid tax taxes revenue discount deposit refund refunds charge charges invoice invoiced budget credit "
    "debit payout payouts commission bill billed net gross due owed fare rent money cash funds"
)
_COUNTED = word_set(
    "count number ratio rate percent percentage pct score weight id days hours minutes share factor distance km miles "
    "meters metres length width height depth volume temperature speed duration latency size bytes seconds ms time "
    "energy power kwh grams kg mg ml liters litres quantity qty units dose calories area angle"
)
_FAR_BELOW = ("-1000000000", "-1000000", "-10000", "-99", "-9", "-1", "-0.5")


async def unique_null(scene: Scene) -> Outcome:
    """Store two rows that differ in nothing but what NULL differs in."""
    outcome = Outcome()
    for table in scene.tables.values():
        for key in table.uniques:
            free = [c for c in key.columns if (found := table.column(c)) is not None and not found.not_null]
            if key.members < 2 or not free:
                continue
            for column in free:
                await _twice(scene, table, key, column, outcome)
    return outcome


async def _twice(scene: Scene, table: Table, key: Unique, column: str, outcome: Outcome) -> None:
    others = [c for c in key.columns if c != column]
    first = await scene.rows.insert(table, {column: "NULL"}, filled=others)
    if not first.ok:
        if (
            first.told.sqlstate in ("23514", "23502", "P0001")
            and (await scene.rows.insert(table, filled=key.columns)).ok
        ):
            outcome.attacked += 1  # NULL is not let in at all
        else:
            outcome.unable.append(f"no valid row can be made for {table.called}: {first.told.message}")
        return
    if key.predicate:
        same = " AND ".join(f"{named(n)}::text IS NOT DISTINCT FROM {literal(v)}" for n, v in first.values.items())
        meant = await scene.owner.ask(f"SELECT bool_or({key.predicate}) FROM {table.sql} WHERE {same}")  # noqa: S608
        if meant.value is not True:
            outcome.attacked += 1  # the index says itself that such rows may repeat
            return
    again = {n: literal(first.values[n]) for n in others} | {column: "NULL"}
    second = await scene.rows.insert(table, again)
    outcome.attacked += 1
    if second.ok:
        outcome.findings.append(
            finding(
                "sql.unique-null",
                _key_place(scene, table, key),
                f"{table.called} stored two rows that are equal in {', '.join(others)}, with {column} NULL in both.",
                f"{first.sql}; {second.sql}",
                f"UNIQUE NULLS NOT DISTINCT, or a unique index on ({', '.join(others)}) WHERE {column} IS NULL.",
                severity=Severity.MAJOR,
            )
        )


def _key_place(scene: Scene, table: Table, key: Unique) -> Place | None:
    """Return where a key is written; the static reading knows it, its name finds it where that cannot be had."""
    from squads.gates.check import CannotLook

    try:
        for declared in scene.schema().tables:
            if (declared.schema, declared.name) == (table.schema, table.name):
                for one in declared.keys:
                    if not one.primary and [e.column for e in one.elements if e.column] == list(key.columns):
                        return one.place
    except CannotLook:
        pass
    return scene.place(table, key.name)


async def balance(scene: Scene) -> Outcome:
    """Take more out of a store than is in it."""
    outcome = Outcome()
    schema = scene.schema()
    declared = {(t.schema, t.name): schema.resolved(t) for t in schema.tables if not t.temporary and not t.foreign}
    for table in scene.tables.values():
        known = declared.get((table.schema, table.name))
        for column in known.columns if known else ():
            held = table.column(column.name)
            if known is None or held is None or held.category != "N" or held.made:
                continue
            if role_of(known, column) is not Role.STORE:
                continue
            start = await scene.rows.insert(table, filled=[column.name])
            if not start.ok:
                outcome.unable.append(f"no valid row can be made for {table.called}: {start.told.message}")
                continue
            outcome.attacked += 1
            for below in _FAR_BELOW:
                sql = f"UPDATE {table.sql} SET {named(column.name)} = {below}"  # noqa: S608
                told = await scene.owner.run(sql)
                if told.ok and told.rows:
                    now = await scene.owner.ask(f"SELECT min({named(column.name)})::text FROM {table.sql}")  # noqa: S608
                    if now.value is not None and float(now.value) < 0:
                        outcome.findings.append(
                            finding(
                                "sql.balance-not-negative",
                                scene.place(table, column.name),
                                f"{table.called}.{column.name} was set to {now.value}, and the database kept it.",
                                sql,
                                f"ALTER TABLE {table.called} ADD CHECK ({column.name} >= 0);",
                                severity=Severity.MAJOR,
                            )
                        )
                    break
                if told.sqlstate != "22003":  # out of the type's range: one less far below may be in it
                    break
    return outcome


async def exact_money(scene: Scene) -> Outcome:
    """Store a price and add ten cents: what comes back is what a customer would read."""
    outcome = Outcome()
    for table in scene.tables.values():
        for column in table.columns:
            if not _is_money(table, column.name):
                continue
            outcome.attacked += 1
            if column.base not in ("real", "double precision"):
                continue
            start = "16777217" if column.base == "real" else "0.1"
            added = "0" if column.base == "real" else "0.2"
            sql = f"SELECT (({start})::{column.base} + ({added})::{column.base})::numeric(30,20)::float8::text"
            made = await scene.rows.insert(table, {column.name: start})
            if made.ok:
                sql = f"SELECT ({named(column.name)} + {added})::text FROM {table.sql} ORDER BY ctid DESC LIMIT 1"  # noqa: S608
            got = (await scene.owner.ask(sql)).value
            outcome.findings.append(
                finding(
                    "sql.exact-money",
                    scene.place(table, column.name),
                    f"{table.called}.{column.name} is {column.base}: {start} + {added} came back as {got}.",
                    f"{made.sql or table.called}; {sql}",
                    f"ALTER TABLE {table.called} ALTER COLUMN {column.name} TYPE numeric(12,2);",
                    severity=Severity.MAJOR,
                )
            )
    return outcome


def _is_money(table: Table, column: str) -> bool:
    words = set(re.findall(r"[a-z]+", column.lower()))
    return bool(words & _MONEY) and not words & _COUNTED
