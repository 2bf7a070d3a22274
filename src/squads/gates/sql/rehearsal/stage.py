"""A stage: made rows in SQLite, in memory, on which a script is played; what stands after each step is noted.

What SQLite is given was translated from a tree, may touch nothing but this memory, and is stopped when it takes long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from squads.gates.sql.python.file import name as named
from squads.gates.sql.rehearsal.python.playing import Player
from squads.gates.sql.rehearsal.script import Deed, Script, Shape
from squads.gates.sql.rehearsal.translate import Told, expression, translated
from squads.gates.sql.rehearsal.turns import play
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value
from squads.gates.sql.rehearsal.values import call, stored

Row = Mapping[str, Value]
Rows = Mapping[str, Iterable[Row]]
State = dict[str, tuple[tuple[str, ...], tuple[tuple[Value, ...], ...]]]
"""Of each table its columns, and its rows in order."""
_OPCODES_MAX = 400
"""How often SQLite may do a thousand steps for one run: some hundredths of a second."""
_ROWS_MAX = 2_000
_LETTERS_MAX = 20_000
_CALLS = 10
"""How many calls of functions count as a thousand steps of SQLite."""
_FORBIDDEN = frozenset(
    (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_CREATE_VTABLE)
)


def _made(name: str, what: str) -> str:
    words = ["CREATE", "TABLE", named(name), what]
    return " ".join(words)


def _dropped(name: str) -> str:
    words = ["DROP", "TABLE", named(name)]
    return " ".join(words)


@dataclass(slots=True)
class Stage:
    """One run. `play` raises `Stops` where PostgreSQL would, and `NotKnown` where it cannot be told."""

    script: Script
    shapes: dict[str, Shape] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    passing: set[str] = field(default_factory=set)
    """Temporary tables."""
    _base: sqlite3.Connection = field(init=False)
    _raised: Exception | None = None
    _functions: set[str] = field(default_factory=set)
    _ids: int = 0
    _calls: int = 0
    left: int = _OPCODES_MAX
    """How often SQLite may still do a thousand steps."""
    watched: int = -1
    """The step of a play after each of whose changes the state is noted too."""
    seen: list[tuple[int, str, State]] = field(default_factory=list)
    """The line, statement and state before each change of the watched play, in order."""
    _player: Player | None = None
    _watching: bool = False

    def __post_init__(self) -> None:
        self.labels = self.script.labels
        self._base = sqlite3.connect(":memory:", isolation_level=None)
        self._base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LETTERS_MAX)
        for what in ("foreign_keys=ON", "temp_store=MEMORY", "max_page_count=4096"):
            self._base.execute(f"PRAGMA {what}")
        self._base.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in _FORBIDDEN else sqlite3.SQLITE_OK)
        self._base.set_progress_handler(self._count, 1000)

    def _count(self) -> int:
        self.left -= 1
        return int(self.left < 0)

    def close(self) -> None:
        """Forget the rows."""
        self._base.close()

    def play(self, rows: Rows, needed: str) -> list[State]:
        """Return what stands in the lasting tables before the first step and after each one.

        The rows of the table `needed` must be possible; of the others those that are not are left out.
        """
        shapes = self.script.before
        for name in dict.fromkeys((*rows, *self.script.named)):
            if name in shapes:
                self._make(shapes[name])
        self._run("PRAGMA foreign_keys=OFF")
        for name, held in rows.items():
            for row in held:
                try:
                    self._insert(shapes[name], row)
                except Stops:
                    if name == needed:
                        raise
        self._run("PRAGMA foreign_keys=ON")
        for name, number, *_ in self._all(self._run("PRAGMA foreign_key_check")):
            if name == needed:
                raise Stops
            self._run(f"DELETE FROM {named(name)} WHERE rowid = ?", (number,))  # noqa: S608  (a name in quotes)
        for deed in self.script.copies:
            with suppress(Stops, NotKnown):
                self._deed(deed)
        states = [self._state()]
        for number, (deeds, labels) in enumerate(zip(self.script.deeds, self.script.labels_after, strict=True)):
            self.labels = labels
            self._watching = number == self.watched
            for deed in deeds:
                self._deed(deed)
            states.append(self._state() if deeds else states[-1])
        return states

    def query(self, text: str) -> list[dict[str, Value]]:
        """Return the rows of a query of a block."""
        (told,) = translated(text)
        if told.writes:
            raise NotKnown
        self._register(told.functions)
        found = self._run(told.sql)
        names = [d[0] for d in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._all(found)]

    def change(self, text: str) -> int:
        """Change rows as a statement of a block does; return how many."""
        changed = 0
        for told in translated(text):
            changed = self._told(told)
        return changed

    def attempt(self, do: Callable[[], None]) -> bool:
        """Do something; where it stops, take back what it did to rows. Return whether it came to its end."""
        self._run("SAVEPOINT squads_try")
        try:
            do()
        except Stops:
            self._run("ROLLBACK TO squads_try")
            return False
        finally:
            self._run("RELEASE squads_try")
        return True

    def asked(self, text: str, given: dict[str, Value]) -> list[dict[str, Value]]:
        """Return the rows of a query that code sends."""
        (told,) = translated(text)
        if told.writes:
            raise NotKnown
        self._register(told.functions)
        found = self._run(told.sql, given)
        names = [d[0] for d in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._all(found)]

    def did(self, text: str, given: dict[str, Value]) -> int:
        """Change rows as a statement that code sends; return how many."""
        if self._watching and self._player is not None:
            self.seen.append((self._player.lines[-1][0], text, self._state()))
        changed = 0
        for told in translated(text):
            changed = self._told(told, given)
        return changed

    def _spent(self, much: int) -> None:
        self.left -= much
        if self.left < 0:
            raise NotKnown

    def returned(self, text: str) -> list[dict[str, Value]]:
        """Change rows as a statement of a block does; return what it returns of them."""
        *changes, last = translated(f"WITH squads_out AS ({text}) SELECT * FROM squads_out")  # noqa: S608
        for told in changes:
            self._told(told)
        found = self._run(last.sql)
        names = [d[0] for d in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in self._all(found)]
        self._run(_dropped("squads_out"))
        self.shapes.pop("squads_out", None)
        return rows

    def _all(self, found: sqlite3.Cursor) -> list[tuple[Any, ...]]:
        """Return the rows that were found; a function may stop only here, behind the first row."""
        try:
            rows: list[tuple[Any, ...]] = found.fetchmany(_ROWS_MAX + 1)
        except sqlite3.Error:
            if isinstance(self._raised, Stops):
                raise Stops from None
            raise NotKnown from None
        if len(rows) > _ROWS_MAX:
            raise NotKnown
        return rows

    def _run(self, sql: str, given: tuple[Value, ...] | dict[str, Value] = ()) -> sqlite3.Cursor:
        self._raised = None
        try:
            return self._base.execute(sql, given)
        except sqlite3.IntegrityError:
            raise Stops from None
        except (sqlite3.Error, OverflowError):
            if isinstance(self._raised, Stops):
                raise Stops from None
            raise NotKnown from None

    def _register(self, functions: Iterable[str]) -> None:
        for name in sorted(set(functions) - self._functions):
            if len(name.encode()) > 200:
                raise NotKnown  # SQLite takes no such name
            self._functions.add(name)
            self._base.create_function(f"pg_{name}", -1, self._function(name), deterministic=name != "uuid")

    def _function(self, name: str):  # type: ignore[no-untyped-def]
        def answer(*given: Value) -> Value:
            self._calls += 1
            self.left -= self._calls % _CALLS == 0
            if name.startswith("regex"):  # each of its two repetitions may go through all of a text
                self.left -= len(str(given[0])[:400]) // 8 if given else 0
            try:
                if self.left < 0:
                    raise NotKnown
                if name == "uuid":
                    self._ids += 1
                    return f"id {self._ids}"
                return call(name, given, self.labels)
            except (Stops, NotKnown) as error:
                self._raised = error
                raise

        return answer

    def _make(self, shape: Shape) -> None:
        self.shapes[shape.name] = shape
        counts = shape.counts()
        parts = []
        for column in shape.columns:
            text = named(column)
            if column == counts:
                text += " INTEGER PRIMARY KEY"
            elif column in shape.not_null:
                text += " NOT NULL"
            if column in shape.generated:
                sql, functions = expression(shape.generated[column])
                self._register(functions)
                text += f" GENERATED ALWAYS AS ({sql}) STORED"
            elif column in shape.defaults and column != counts:
                sql, functions = expression(shape.defaults[column])
                self._register(functions)
                text += f" DEFAULT ({sql})"
            parts.append(text)
        if shape.primary and not counts:
            parts.append(f"PRIMARY KEY ({', '.join(map(named, shape.primary))})")
        parts += [f"UNIQUE ({', '.join(map(named, columns))})" for columns in shape.unique]
        for key in shape.references:
            other = shape if key.to == shape.name else self.shapes.get(key.to)
            targets = key.targets or (other.primary if other else ())
            if other is None or targets != other.primary or not targets:
                continue
            action = f" ON DELETE {key.on_delete.upper()}" if key.on_delete else ""
            parts.append(
                f"FOREIGN KEY ({', '.join(map(named, key.columns))}) REFERENCES {named(key.to)} "
                f"({', '.join(map(named, targets))}){action}"
            )
        for check in shape.checks:
            try:
                sql, functions = expression(check)
            except NotKnown:
                continue
            self._register(functions)
            parts.append(f"CHECK ({sql})")
        self._run(_made(shape.name, f"({', '.join(parts)})"))

    def _insert(self, shape: Shape, row: Row) -> None:
        columns = [c for c in shape.columns if c in row and c not in shape.generated]
        if not columns:
            raise NotKnown
        values = tuple(self._stored(shape, c, row[c]) for c in columns)
        self._run(
            f"INSERT INTO {named(shape.name)} ({', '.join(map(named, columns))}) "  # noqa: S608  (names in quotes)
            f"VALUES ({', '.join('?' for _ in columns)})",
            values,
        )

    def _stored(self, shape: Shape, column: str, value: Value) -> Value:
        kind = shape.types.get(column, "")
        return stored(value, kind, self.labels.get(kind.rsplit(".", 1)[-1], ())) if kind else value

    def _deed(self, deed: Deed) -> None:
        match deed.kind:
            case "rows":
                for told in deed.told:
                    self._told(told)
            case "query":
                self._query(deed)
            case "block" if deed.block is not None:
                play(deed.block, self)
            case "play" if deed.play is not None:
                self._player = self._player or Player(self, self._spent)
                self._player.play(deed.play)
            case "shape" if deed.shape is not None:
                if deed.table and deed.table in self.shapes:
                    self._reshape(self.shapes[deed.table], deed.shape, deed)
                elif not deed.table:
                    if deed.shape.name in self.shapes:
                        raise Stops
                    self._make(deed.shape)
                    if deed.temporary:
                        self.passing.add(deed.shape.name)
            case "drop" if deed.table in self.shapes:
                self._run("PRAGMA foreign_keys=OFF")
                self._run(_dropped(deed.table))
                self._run("PRAGMA foreign_keys=ON")
                del self.shapes[deed.table]
            case "empty" if deed.table in self.shapes:
                self._run(f"DELETE FROM {named(deed.table)}")  # noqa: S608  (a name in quotes)

    def _told(self, told: Told, given: dict[str, Value] | None = None) -> int:
        self._register(told.functions)
        found = self._run(told.sql, given or ())
        changed = found.rowcount
        if told.keeps:
            held = self._all(found)
            names = [d[0] for d in found.description or ()]
            self._run(_made(told.keeps, f"({', '.join(map(named, names))})"))
            marks = ", ".join("?" for _ in names)
            for row in held:
                self._run(f"INSERT INTO {named(told.keeps)} VALUES ({marks})", row)  # noqa: S608
            self.shapes[told.keeps] = Shape(told.keeps, tuple(names))
            self.passing.add(told.keeps)
        if told.writes:
            self._settle(told.writes)
        return max(changed, 0)

    def _settle(self, table: str) -> None:
        """Give every value the form that its column stores."""
        shape = self.shapes.get(table)
        if shape is None:
            raise NotKnown
        columns = [c for c in shape.columns if shape.types.get(c) and c not in shape.generated]
        if not columns:
            return
        names = ", ".join(map(named, columns))
        for rowid, *values in self._all(self._run(f"SELECT rowid, {names} FROM {named(table)}")):  # noqa: S608
            for column, value in zip(columns, values, strict=True):
                settled = self._stored(shape, column, value)
                if settled != value or type(settled) is not type(value):
                    self._run(
                        f"UPDATE {named(table)} SET {named(column)} = ? WHERE rowid = ?",  # noqa: S608
                        (settled, rowid),
                    )

    def _query(self, deed: Deed) -> None:
        if deed.table in self.shapes:
            raise Stops
        for told in deed.told:
            self._register(told.functions)
            self._run(_made(deed.table, f"AS {told.sql}"))
        columns = tuple(r[1] for r in self._all(self._run(f"PRAGMA table_info({named(deed.table)})")))
        self.shapes[deed.table] = Shape(deed.table, columns)
        if deed.temporary:
            self.passing.add(deed.table)

    def _reshape(self, old: Shape, new: Shape, deed: Deed) -> None:
        """Make a table anew in its new shape, with the rows of the old one."""
        for _, _, functions in deed.using:
            self._register(functions)
        computed = {c: sql for c, sql, _ in deed.using}
        chosen = ", ".join(f"{computed.get(c, named(c))} AS {named(c)}" for c in old.columns)
        found = self._all(self._run(f"SELECT {chosen} FROM {named(old.name)} ORDER BY rowid"))  # noqa: S608
        names = dict(deed.names)
        rows = [{names.get(c, c): v for c, v in zip(old.columns, row, strict=True)} for row in found]
        for row in rows:
            for column in new.types:
                was = next((o for o, n in deed.names if n == column), column)
                if column in row and column not in computed and old.types.get(was) != new.types[column]:
                    row[column] = call("cast", (row[column], new.types[column]), self.labels)
        self._run("PRAGMA foreign_keys=OFF")
        self._run(_dropped(old.name))
        del self.shapes[old.name]
        self._make(new)
        for row in rows:
            self._insert(new, row if row else dict.fromkeys(new.columns[:1]))
        self._run("PRAGMA foreign_keys=ON")

    def _state(self) -> State:
        state: State = {}
        for name, shape in self.shapes.items():
            if name in self.passing:
                continue
            found = self._all(self._run(f"SELECT * FROM {named(name)}"))  # noqa: S608  (a name in quotes)
            state[name] = (shape.columns, tuple(sorted((tuple(map(_told_apart, r)) for r in found), key=repr)))
        return state


def _told_apart(value: Value) -> Value:
    return round(value, 9) if isinstance(value, float) else value
