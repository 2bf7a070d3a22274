"""Makes rows that a table accepts: by type, then by what the database minds, with parents for foreign keys.

The database itself is asked: a row is tried, and what it says about a refused one decides what is tried next. Bounded,
and the same for the same schema, so that a verdict repeats.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from squads.gates.probes.catalog import Column, Table, literal, named
from squads.kernel.scratch_ports import ScratchSession, Told

TRIES_MAX = 60
DEPTH_MAX = 6
_CONSTRAINT = re.compile(r'constraint "([^"]+)"')
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w'])")
_FINE = ("numeric", "real", "double precision")
_LONG = 300
_DATES = ("2026-03-04", "2027-03-04", "2025-03-04", "2030-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A row that was stored, or the last refusal."""

    told: Told
    values: Mapping[str, str | None]
    """All its columns as text; empty for a refusal."""
    sql: str
    """The INSERT."""

    @property
    def ok(self) -> bool:
        """Whether it is stored."""
        return self.told.ok


class Rows:
    """Makes rows in one scratch database."""

    def __init__(self, tables: Mapping[int, Table], session: ScratchSession, *, rich: bool = False) -> None:
        """Make none yet. `rich` rows fill their columns to the brim: as long as a text may be, with fractions."""
        self._rich = rich
        self._tables = tables
        self._session = session
        self._serial = 0

    async def insert(
        self,
        table: Table,
        fixed: Mapping[str, str] | None = None,
        *,
        filled: Collection[str] = (),
        session: ScratchSession | None = None,
        depth: int = 0,
    ) -> Made:
        """Return a new row, or the refusal of the last one that was tried.

        Args:
            table: Where it goes.
            fixed: Column to the SQL that it gets, `NULL` and `DEFAULT` included; never varied.
            filled: Further columns that get a value though they need none.
            session: As whom; the owner where nothing is said. Parents are always the owner's.
            depth: How many foreign keys led here.
        """
        given = dict(fixed or {})
        parents = await self._parents(table, given, filled, depth)
        if isinstance(parents, Made):
            return parents
        given |= parents
        chosen = dict.fromkeys((c.name for c in table.columns), 0)
        returning = ", ".join(f"{named(c.name)}::text" for c in table.columns)
        sql, told = "", Told(ok=False, message="no row was tried")
        for number in range(1, TRIES_MAX + 1):
            self._serial += 1
            values = {c.name: self._value(table, c, given, filled, chosen[c.name]) for c in table.columns}
            missing = [name for name, value in values.items() if value == ""]
            if missing:
                said = f"no value is known for {table.called}.{missing[0]}"
                return Made(told=Told(ok=False, message=said), values={}, sql=sql)
            kept = {name: value for name, value in values.items() if value is not None}
            names = ", ".join(map(named, kept))
            sql = f"INSERT INTO {table.sql} ({names}) VALUES ({', '.join(kept.values())})"  # noqa: S608
            if not kept:
                sql = f"INSERT INTO {table.sql} DEFAULT VALUES"
            told = await (session or self._session).ask(f"{sql} RETURNING {returning}" if session is None else sql)
            if told.ok:
                row = told.records[0] if told.records else ()
                return Made(told=told, values=dict(zip((c.name for c in table.columns), row, strict=False)), sql=sql)
            if not self._moved(table, told, given, chosen, number):
                break
        return Made(told=told, values={}, sql=sql)

    async def _parents(
        self, table: Table, given: Mapping[str, str], filled: Collection[str], depth: int
    ) -> dict[str, str] | Made:
        """Return the values of foreign keys that need one, with a new parent for each; or what stood against it."""
        found: dict[str, str] = {}
        for reference in table.references:
            columns = [c for name in reference.columns if (c := table.column(name)) is not None]
            needed = any((c.not_null and not c.default) or c.name in filled for c in columns)
            if not needed or all(c.name in given or c.name in found for c in columns):
                continue
            parent = self._tables.get(reference.parent)
            if parent is None or depth >= DEPTH_MAX:
                said = f"{table.called} refers to a table that no row can be made for"
                return Made(told=Told(ok=False, message=said), values={}, sql="")
            pairs = dict(zip(reference.columns, reference.parent_columns, strict=True))
            own = {pairs[n]: v for n, v in {**given, **found}.items() if n in pairs and v not in ("NULL", "DEFAULT")}
            made = await self.insert(parent, own, filled=reference.parent_columns, depth=depth + 1)
            if not made.ok:
                return made
            found |= {n: literal(made.values[p]) for n, p in pairs.items() if n not in given}
        return found

    def _value(
        self, table: Table, column: Column, given: Mapping[str, str], filled: Collection[str], choice: int
    ) -> str | None:
        """Return the SQL of a value, None to leave the column out, empty where none is known."""
        if column.name in given:
            return given[column.name]
        if column.made or (column.default and column.name not in filled):
            return None
        if not column.not_null and column.name not in filled and not choice:
            return None
        found = candidates(table, column, self._serial, rich=self._rich)
        return literal(found[choice % len(found)]) if found else ""

    def _moved(self, table: Table, told: Told, given: Mapping[str, str], chosen: dict[str, int], number: int) -> bool:
        """Choose other values where the database minded these; return False where no other would help."""
        if told.sqlstate == "23505":
            return True  # the next serial is another value
        if told.sqlstate not in ("23514", "22003", "22001", "22P02", "22007", "22008"):
            return False
        found = _CONSTRAINT.search(told.message)
        own = table.checks.get(found[1], ((), ""))[0] if found else ()
        if not own and told.sqlstate == "23514":  # a domain's
            own = tuple(c.name for c in table.columns if c.checks)
        free = [n for n in own or chosen if n not in given and not getattr(table.column(n), "made", True)]
        if not free:
            return False
        # As an odometer: the first column runs through its values, then the second one moves by one.
        turn = 0
        while turn < len(free):
            column = table.column(free[turn])
            size = len(candidates(table, column, self._serial)) if column else 1
            chosen[free[turn]] += 1
            if chosen[free[turn]] % max(size, 1) or turn == len(free) - 1:
                return True
            turn += 1
        return number < TRIES_MAX


def candidates(table: Table, column: Column, serial: int, *, rich: bool = False) -> list[str]:
    """Return values that a column may take, the likeliest first."""
    texts = [*column.checks, *(text for names, text in table.checks.values() if column.name in names)]
    said = [m.replace("''", "'") for text in texts for m in _TEXT.findall(text)]
    base = column.base
    match column.category:
        case "E":
            return list(column.labels)
        case "B":
            return ["true", "false"]
        case "N":
            numbers = [float(m) for text in texts for m in _NUMBER.findall(text)]
            near = [n + d for n in numbers for d in (0, 1, -1)]
            fine = rich and (base in _FINE or re.search(r"\(\d+,[1-9]", base) is not None)
            fit = _fitting(base, serial)
            brim = [f"{fit}.5"] if fine and "." not in fit else []
            plain = [*brim, fit, "1", "2", "10", "0", "100", "0.5"]
            return list(dict.fromkeys([*plain, *(f"{n:g}" for n in near), "-1"]))
        case "S":
            size = int(m[1]) if (m := re.search(r"\((\d+)\)", base)) else _LONG
            word = f"squads{serial}" if size > 11 else f"x{serial}"
            word = word.rjust(min(size, _LONG), "x") if rich else word
            plain = [word, f"X{serial}", f"a{serial}@example.test", f"https://example.test/{serial}", "EUR", "a", "A1"]
            plain += [f"x-{serial}", f"00000000-0000-4000-8000-{serial:012d}", f"{serial:064x}", f"+49{serial:09d}"]
            return list(dict.fromkeys(v[-size:] if v == word else v[:size] for v in [*said, *plain]))
        case "D":
            clock = "time" in base and "timestamp" not in base
            return [f"0{n}:00:00" for n in range(1, 5)] if clock else list(_DATES)
        case "T":
            return ["1 day", "1 hour", "30 days"]
        case "I":
            return [f"10.{serial >> 16 & 255}.{serial >> 8 & 255}.{serial & 255}", "10.0.0.0/8"]
        case "A":
            return ["{}", "{1}"]
        case "V":
            return ["1", "0"]
        case "R":
            return ["[2026-03-04,2026-03-05)", "[1,2)"]
    match base:
        case "uuid":
            return [f"00000000-0000-4000-8000-{serial:012x}"]
        case "json" | "jsonb":
            return ["{}", "[]", '"x"', "1"]
        case "bytea":
            return [f"\\x{serial:064x}", f"\\x{serial:032x}"]
        case "xml":
            return ["<x/>"]
    return said


def _fitting(base: str, serial: int) -> str:
    """Return the serial as a number that its type has room for."""
    if base == "smallint":
        return str(serial % 30_000)
    if m := re.search(r"numeric\((\d+),(-?\d+)\)", base):
        whole = int(m[1]) - int(m[2])
        return str(serial % 10**whole) if whole > 0 else "0.0001"
    return str(serial)
