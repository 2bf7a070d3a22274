"""`probe.value-fits`: what the artifact says belongs into a column is stored there, on a real server."""

from __future__ import annotations

import re

from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.probes.catalog import Column, Table, literal, named
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.scene import ROW_REFUSED, Scene, finding
from squads.gates.sql.fits.documents import spoken
from squads.kernel.scratch_ports import Told

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)")
_CONSTRAINT = re.compile(r'constraint "([^"]+)"')
_TOO_BIG = "22003"
_VALUES_MAX = 8


async def value_fits(scene: Scene) -> Outcome:
    """Store what the artifact says belongs there: rows, defaults, the ends of its CHECKs, and what prose says."""
    outcome = Outcome()
    for part, told in scene.refused:
        outcome.attacked += 1
        outcome.findings.append(
            finding(
                "sql.value-fits",
                part.place,
                f"The artifact's own statement is refused for a value: {told.message}.",
                part.place.text[:500],
                "Give the column a type that holds the value, or the row a value that the column holds.",
                severity=Severity.MAJOR,
            )
        )
    for table in scene.tables.values():
        for column in table.columns:
            if column.category == "N" and not column.made:
                await _ends(scene, table, column, outcome)
            if column.made or not column.default or column.default.startswith(("nextval(", "NULL::")):
                continue
            told = (await scene.rows.insert(table, {column.name: "DEFAULT"})).told
            if told.ok:
                outcome.attacked += 1
                continue
            control = await scene.rows.insert(table, filled=[column.name])
            if not control.ok or not _about(table, column, told):
                outcome.unable.append(
                    f"no valid row can be made for {table.called}: {(told if control.ok else control.told).message}"
                )
            elif ROW_REFUSED.fullmatch(told.sqlstate):
                outcome.attacked += 1
                outcome.findings.append(
                    finding(
                        "sql.value-fits",
                        scene.place(table, column.name),
                        f"The default {column.default} of {table.called}.{column.name} is refused: {told.message}.",
                        f"INSERT INTO {table.called} ({column.name}) VALUES (DEFAULT)",  # noqa: S608
                        f"Give {column.name} a default that {column.type} holds and its conditions let in.",
                        severity=Severity.MAJOR,
                    )
                )
    await _documented(scene, outcome)
    return outcome


def _about(table: Table, column: Column, told: Told) -> bool:
    """Say whether a refusal is about a column, and not about another one of its row."""
    if told.sqlstate != "23514":
        return True
    found = _CONSTRAINT.search(told.message)
    own = table.checks.get(found[1]) if found else None
    return column.name in own[0] if own else f"domain {column.type} " in told.message


async def _ends(scene: Scene, table: Table, column: Column, outcome: Outcome) -> None:
    """Store the numbers at which a CHECK of one column ends, where it lets them in."""
    for name, (columns, text) in table.checks.items():
        if columns != (column.name,):
            continue
        condition = text.removeprefix("CHECK ")
        for value in list(dict.fromkeys(_NUMBER.findall(condition)))[:_VALUES_MAX]:
            sql = f"SELECT {condition} FROM (SELECT {value}::numeric AS {named(column.name)}) AS t"  # noqa: S608
            if (await scene.owner.ask(sql)).value is not True:
                continue
            outcome.attacked += 1
            made = await scene.rows.insert(table, {column.name: value})
            if made.told.sqlstate == _TOO_BIG:
                outcome.findings.append(
                    _misfit(
                        scene.place(table, name, column.name),
                        f"{table.called}.{column.name} refuses {value}, which its CHECK lets in: {made.told.message}.",
                        made.sql,
                        column,
                    )
                )
                return


async def _documented(scene: Scene, outcome: Outcome) -> None:
    """Store what comments and documents say of a column, where they do not seem to fit, and see."""
    try:
        said = [u for u in spoken(scene.artifact, scene.schema()) if u.certain and u.misfit.loses == "all"]
    except CannotLook:
        return
    for one in said:
        for table in scene.tables.values():
            column = table.column(one.column.rsplit(".", 1)[-1].strip('"'))
            if column is None or f"{table.called}.{column.name}" != one.column.replace('"', ""):
                continue
            for value in list(dict.fromkeys(_NUMBER.findall(one.place.text)))[:_VALUES_MAX]:
                made = await scene.rows.insert(table, {column.name: literal(value)})
                outcome.attacked += 1
                if made.told.sqlstate == _TOO_BIG:
                    message = f"{table.called}.{column.name} refuses {value}, which is said of it: {made.told.message}."
                    outcome.findings.append(_misfit(one.place, message, made.sql, column))
                    break


def _misfit(place: Place | None, message: str, sql: str, column: Column) -> Finding:
    return finding(
        "sql.value-fits",
        place,
        message,
        sql,
        f"Give {column.name} a type that holds it, or say a value that {column.type} holds.",
        severity=Severity.MAJOR,
    )
