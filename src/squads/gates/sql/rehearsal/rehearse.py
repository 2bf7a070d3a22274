"""Whether a value of before is still told after a migration: it runs on made rows, twice with one value changed.

If nothing that lasts is different after the run, the value is gone, and the step is known after which it was. This
holds for every way to carry a value: a copy, a mapping, a look-up, parts that are put together, rows that move. What
cannot be played (code of its own, functions of its own) gives no answer, and the rules by form decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations

from squads.gates.check import CannotLook
from squads.gates.sql.lex import text_of
from squads.gates.sql.rehearsal.samples import Samples, in_order
from squads.gates.sql.rehearsal.script import Script, Shape, script_of
from squads.gates.sql.rehearsal.stage import Stage, State
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value
from squads.gates.sql.steps.copies import moves_on
from squads.gates.sql.steps.reading import Steps
from squads.gates.sql.steps.types import read
from squads.gates.sql.steps.world import Walk

_RUNS_MAX = 700
_STEPS_MAX = 12_000
"""How many steps all runs may take together: about two seconds."""
_OPCODES_MAX = 20_000
"""How often SQLite may do a thousand steps in all runs together."""
_VALUES_MAX = 7
_CHECKS_MAX = 300
Row = dict[str, Value]
World = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Gone:
    """A value of before that is told nowhere after a step."""

    step: int
    table: str
    column: str
    example: str
    """What the row held, and what it held besides."""


@dataclass(slots=True)
class Rehearsal:
    """What the runs told."""

    gone: list[Gone] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    """(table, column) whose values were all told apart in every run that came to its end."""

    def at(self, step: int, table: str, column: str = "") -> Gone | None:
        """Return what is gone after a step, of a table or of one column."""
        return next((g for g in self.gone if g.step == step and g.table == table and column in ("", g.column)), None)

    def of(self, table: str, column: str) -> Gone | None:
        """Return what is gone of a column, after whichever step."""
        return next((g for g in self.gone if (g.table, g.column) == (table, column)), None)

    def beside(self, step: int, table: str) -> Gone | None:
        """Return what is gone after a step from another table than the one that it names."""
        return next((g for g in self.gone if g.step == step and g.table != table), None)

    def told_of(self, table: str, *columns: str) -> bool:
        """Return whether the values of all these columns were told apart."""
        return bool(columns) and all((table, c) in self.told for c in columns)


def rehearse(steps: Steps) -> Rehearsal:
    """Return what runs on made rows tell; nothing where the migration cannot be played."""
    made = Rehearsal()
    try:
        script = script_of(steps)
        risky = list(dict.fromkeys(at_risk(script, steps)))
        if not risky:
            return made
        spoken = " ; ".join(text_of(s.tokens) for s in (*steps.before, *(s.statement for s in steps.steps)))
        runs = _Runs(script, Samples(script, spoken), " ; ".join(text_of(s.statement.tokens) for s in steps.steps))
        for table, column in risky:
            if table in runs.dropped and any(g.table == table for g in made.gone):
                continue  # one column says that the table's rows are gone
            runs.column(made, table, column)
    except (NotKnown, Stops, CannotLook, RecursionError, LookupError, ArithmeticError, ValueError, TypeError):
        return Rehearsal()  # also what is malformed in a way that nobody thought of
    return made


def at_risk(script: Script, steps: Steps) -> Iterator[tuple[str, str]]:
    """Yield the columns of before that a step takes away, writes or may take along."""
    walk = Walk(steps)
    for _, acts in walk.moments():
        for act in acts:
            shape = script.before.get(act.table[1])
            if shape is None or not walk.existed(act.table):
                continue
            match act.kind:
                case "drop_column" | "alter_type" if act.name in shape.columns:
                    yield shape.name, act.name
                case "drop_table":
                    yield from ((shape.name, c) for c in _told_columns(shape))
                case "update":
                    yield from ((shape.name, c) for c, _ in act.values if c in shape.columns)
                case "delete" | "moved":
                    yield from _taken_along(script, shape.name)
                    if act.kind == "moved" or any(
                        moves_on(a) and shape.name in a.text.lower().split() for _, a in walk.earlier
                    ):
                        yield from ((shape.name, c) for c in _told_columns(shape))


def _told_columns(shape: Shape) -> list[str]:
    keys = {c for k in shape.references for c in k.columns}
    return [c for c in shape.columns if c not in shape.primary and c not in keys and c not in shape.generated]


def _taken_along(script: Script, table: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    for name, shape in script.before.items():
        for key in shape.references:
            if key.to == table and name != table and key.on_delete == "cascade" and depth < 3:
                yield from ((name, c) for c in _told_columns(shape)[:2])
                yield from _taken_along(script, name, depth + 1)


class _Runs:
    def __init__(self, script: Script, samples: Samples, text: str) -> None:
        self.script = script
        self.samples = samples
        if sum(len(s.checks) for s in script.before.values()) > _CHECKS_MAX:
            raise NotKnown
        for name, shape in script.before.items():
            self.samples.script.before[name] = _possible(script, samples, shape)
        drops = [a for acts in script.acts for a in acts if a.kind in ("drop_table", "drop_column")]
        self.dropped = {a.table[1] for a in drops if a.kind == "drop_table"}
        self.leaving = {(a.table[1], a.name) for a in drops if a.kind == "drop_column"}
        self.words = {w.strip('"').lower() for w in text.split()}
        self._known: dict[str, list[State] | None] = {}
        self._left = min(_RUNS_MAX, _STEPS_MAX // max(1, len(script.deeds)))
        self._opcodes = _OPCODES_MAX

    def column(self, made: Rehearsal, table: str, column: str) -> None:
        """Find out about one column."""
        shape = self.script.before[table]
        if column in shape.primary or column in shape.generated:
            return
        values = self.samples.values(shape, column)[:_VALUES_MAX]
        if len(values) < 2:
            return
        came_through = False
        for world, row, example in self._worlds(shape, column):
            if not example and made.of(table, column):
                return  # it is gone from any row
            ended: list[tuple[Value, list[State]]] = []
            for value in values:
                row[column] = value
                states = self._run(world, table)
                if states is not None:
                    ended.append((value, states))
            came_through = came_through or len(ended) > 1
            left = _left_out(ended) if len(values) > 2 and not _is_flag(shape, column) else None
            if left is not None:
                states = ended[0][1]
                step = max(n for n, s in enumerate(states) if column in s.get(table, ((), ()))[0])
                if step < len(states) - 1 and made.at(step, table, column) is None:
                    made.gone.append(Gone(step, table, column, f"{_short(left)} and NULL{example}"))
            for (one, first), (two, second) in combinations(ended, 2):
                if first[0] != second[0] and first[-1] == second[-1]:
                    step = next(n for n in range(len(first) - 1, -1, -1) if first[n] != second[n])
                    gone = Gone(step, table, column, f"{_short(one)} and {_short(two)}{example}")
                    if made.at(step, table, column) is None:
                        made.gone.append(gone)
        came_through = self._swapped(made, shape, column, values) or came_through
        if came_through and made.of(table, column) is None:
            made.told.add((table, column))

    def _swapped(self, made: Rehearsal, shape: Shape, column: str, values: tuple[Value, ...]) -> bool:
        """Find out whether it is still told which of two rows held which value."""
        ended: list[list[State]] = []
        for one, two in (values[:2], values[1::-1]):
            world = self._world(shape, 1, {})
            row, twin = self._last, self.samples.row(shape.name, 2)
            row[column], twin[column] = one, two
            world[shape.name] = [row, twin]
            states = self._run(world, shape.name)
            if states is not None:
                ended.append(states)
        if len(ended) < 2:
            return False
        first, second = ended
        if first[0] != second[0] and first[-1] == second[-1]:
            step = next(n for n in range(len(first) - 1, -1, -1) if first[n] != second[n])
            if made.at(step, shape.name, column) is None:
                made.gone.append(Gone(step, shape.name, column, "which row held which value"))
        return True

    def _run(self, world: World, needed: str) -> list[State] | None:
        """Return the states of a run; None where PostgreSQL would stop it."""
        known = f"{needed} {world!r}"
        if known not in self._known:
            self._left -= 1
            if self._left < 0 or self._opcodes < 0:
                raise NotKnown
            stage = Stage(self.script)
            before = stage.left
            try:
                self._known[known] = stage.play(world, needed)
            except Stops:
                self._known[known] = None
            finally:
                self._opcodes -= before - stage.left
                stage.close()
        return self._known[known]

    def _worlds(self, shape: Shape, column: str) -> Iterator[tuple[World, Row, str]]:
        """Yield made rows, the row in them whose column is changed, and what is special about it."""
        for number in (1, 2):
            yield self._world(shape, number, {}), self._last, ""
        for other in self._contexts(shape, column):
            choices: Iterable[Value] = self.samples.values(shape, other)[:3]
            for value in (*choices, *(() if other in shape.not_null or other in shape.primary else (None,))):
                said = f", where {other} is {_short(value)}"
                yield self._world(shape, 1, {other: value}), self._last, said
        empty: Row = {
            c: None for c in shape.columns if c != column and c not in shape.not_null and c not in shape.primary
        }
        if len(empty) > 1:
            yield self._world(shape, 1, empty), self._last, ", where the other columns hold nothing"
        for key in shape.references:
            target = self.script.before.get(key.to)
            if target is None or key.to == shape.name:
                continue
            for number in (1, 2):
                held: Row = {}
                if self.samples.point(held, shape, key, number):
                    yield self._world(shape, 1, held), self._last, f", of the {number}. row of {key.to}"
            for there in [c for c in target.columns if c.lower() in self.words and c not in target.primary][:4]:
                free = there not in target.not_null
                for value in (*self.samples.values(target, there)[:3], *((None,) if free else ())):
                    world = self._world(shape, 1, {})
                    for row in world.get(key.to, ()):
                        row[there] = value
                    yield world, self._last, f", where {key.to}.{there} is {_short(value)}"
        for number in (1, 2):
            world = self._world(shape, number, {})
            row = self._last
            twin = self.samples.row(shape.name, 3 - number)
            twin = {
                c: (twin[c] if c in shape.primary or any(c in u for u in shape.unique) else v) for c, v in row.items()
            }
            twin[column] = self.samples.values(shape, column)[1]
            world[shape.name] = sorted([row, twin], key=lambda r: r is row if number == 2 else r is twin)
            yield world, row, ", of two rows alike"

    def _contexts(self, shape: Shape, column: str) -> list[str]:
        keys = {c for k in shape.references for c in k.columns}
        named = [c for c in shape.columns if c.lower() in self.words and c != column and c not in shape.generated]
        if _is_flag(shape, column):  # what two flags say together may be one thing: paid is more than sent
            named = [c for c in named if not (_is_flag(shape, c) and (shape.name, c) in self.leaving)]
        return [c for c in named if c not in shape.primary and (c not in keys or c not in shape.not_null)][:6]

    def _world(self, shape: Shape, number: int, given: Row) -> World:
        row = {**self.samples.row(shape.name, number), **given}
        world: World = {**self.samples.children(shape.name, number), **self.samples.others(shape.name)}
        for other in self.script.before.values():
            named = other.name not in world and other.name != shape.name and other.name.lower() in self.words
            if named and not other.references:
                world[other.name] = self.samples.listed(other.name, 0 if other.name in self.dropped else 100)
        world[shape.name] = [row]
        self._last = row
        return in_order(world, self.script.before)


def _possible(script: Script, samples: Samples, shape: Shape) -> Shape:
    """Return a table without the CHECKs that its first made row does not keep: no made row might."""
    kept = []
    for check in shape.checks:
        alone = replace(
            shape,
            checks=(check,),
            references=(),
            generated={},
            columns=tuple(c for c in shape.columns if c not in shape.generated),
        )
        stage = Stage(replace(script, before={shape.name: alone}, copies=[], deeds=[], labels_after=[]))
        try:
            stage.play({shape.name: [samples.row(shape.name, 1)]}, shape.name)
            kept.append(check)
        except (Stops, NotKnown):
            continue
        finally:
            stage.close()
    return replace(shape, checks=tuple(kept))


def _is_flag(shape: Shape, column: str) -> bool:
    return read(shape.types.get(column, "")).name == "boolean"


def _left_out(ended: list[tuple[Value, list[State]]]) -> Value:
    """Return the one value in whose place nothing stands, where each of the others has something; else None."""
    finals = [states[-1] for _, states in ended]
    cells: dict[tuple[str, int, int], list[Value]] = {}
    for name, (_, rows) in finals[0].items() if len(finals) > 2 else ():
        there = [f.get(name, ((), ()))[1] for f in finals]
        if any(len(t) != len(rows) for t in there):
            return None
        for at, row in enumerate(rows):
            for column in range(len(row)):
                held = [t[at][column] for t in there]
                if len({repr(h) for h in held}) > 1:
                    cells[name, at, column] = held
    if len(cells) != 1:
        return None
    (held,) = cells.values()
    if held.count(None) != 1:
        return None
    return ended[held.index(None)][0]


def _short(value: Value) -> str:
    if value is None:
        return "NULL"
    text = repr(value)
    return text if len(text) <= 40 else f"...{text[-24:]}"
