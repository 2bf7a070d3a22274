"""Whether a value of before is still told after a migration: it runs on made rows, twice with one value changed.

If nothing that lasts is different after the run, the value is gone, and the step is known after which it was. This
holds for every way to carry a value: a copy, a mapping, a look-up, parts that are put together, rows that move. What
cannot be played (code of its own, functions of its own) gives no answer, and the rules by form decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations

from squads.gates.check import CannotLook
from squads.gates.sql.lex import text_of
from squads.gates.sql.rehearsal.ends import left_out, short
from squads.gates.sql.rehearsal.risk import NOT_LOST, at_risk, filled_where_empty
from squads.gates.sql.rehearsal.samples import VALUES_MAX, Samples, in_order
from squads.gates.sql.rehearsal.script import Script, Shape, script_of
from squads.gates.sql.rehearsal.stage import Stage, State
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value
from squads.gates.sql.steps.reading import Steps
from squads.gates.sql.steps.types import read

_RUNS_MAX = 800
_STEPS_MAX = 12_000
"""How many steps all runs may take together: about two seconds."""
_OPCODES_MAX = 20_000
"""How often SQLite may do a thousand steps in all runs together."""
_CHECKS_MAX = 300
APART = ", of two rows that differ in "
"""What is said of rows that a uniqueness to come lets both stand."""
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
    line: int = 0
    """The line of the statement of played code after which it is gone, and that statement."""
    sent: str = ""


@dataclass(slots=True)
class Rehearsal:
    """What the runs told."""

    gone: list[Gone] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    """(table, column) whose values were all told apart in every run that came to its end."""
    longest: dict[tuple[str, str], int] = field(default_factory=dict)
    """How long the longest text was with which a run came to its end."""
    names: dict[str, str] = field(default_factory=dict)
    """What a table of before was called that is called otherwise on the way."""

    def at(self, step: int, table: str, column: str = "") -> Gone | None:
        """Return what is gone after a step, of a table or of one column."""
        table = self.names.get(table, table)
        return next((g for g in self.gone if g.step == step and g.table == table and column in ("", g.column)), None)

    def apart(self, step: int, table: str) -> Gone | None:
        """Return what is gone of a row that a uniqueness to come would have let stand."""
        table = self.names.get(table, table)
        return next((g for g in self.gone if g.step == step and g.table == table and APART in g.example), None)

    def of(self, table: str, column: str) -> Gone | None:
        """Return what is gone of a column, after whichever step."""
        return next((g for g in self.gone if (g.table, g.column) == (table, column)), None)

    def beside(self, step: int, table: str) -> Gone | None:
        """Return what is gone after a step from another table than the one that it names."""
        table = self.names.get(table, table)
        return next((g for g in self.gone if g.step == step and g.table != table), None)

    def told_of(self, table: str, *columns: str) -> bool:
        """Return whether the values of all these columns were told apart."""
        table = self.names.get(table, table)
        return bool(columns) and all((table, c) in self.told for c in columns)


def rehearse(steps: Steps, brief: str = "") -> Rehearsal:
    """Return what runs on made rows tell; nothing where the migration cannot be played."""
    made = Rehearsal()
    try:
        script = script_of(steps)
        for acts in script.acts:
            made.names |= {a.other: made.names.get(a.table[1], a.table[1]) for a in acts if a.kind == "rename_table"}
        risky = list(dict.fromkeys(at_risk(script, steps, made.names)))
        if not risky:
            return made
        spoken = " ; ".join(text_of(s.tokens) for s in (*steps.before, *(s.statement for s in steps.steps)))
        spoken += "".join(f" ; {p.text()}" for p in script.plays.values())
        remarks = " ; ".join((" ".join(brief.split()), *steps.remarks))
        runs = _Runs(
            script,
            Samples(script, spoken, remarks),
            " ; ".join(text_of(s.statement.tokens) for s in steps.steps),
            " ".join(brief.split()),
        )
        for table, column in risky:
            if table in runs.dropped and any(g.table == table for g in made.gone):
                continue  # one column says that the table's rows are gone
            runs.column(made, table, column)
    except (NotKnown, Stops, CannotLook, RecursionError, LookupError, ArithmeticError, ValueError, TypeError):
        return Rehearsal()  # also what is malformed in a way that nobody thought of
    return made


class _Runs:
    def __init__(self, script: Script, samples: Samples, text: str, brief: str) -> None:
        self.script = script
        self.samples = samples
        if sum(len(s.checks) for s in script.before.values()) > _CHECKS_MAX:
            raise NotKnown
        for name, shape in script.before.items():
            self.samples.script.before[name] = _possible(script, samples, shape)
        drops = [a for acts in script.acts for a in acts if a.kind in ("drop_table", "drop_column")]
        self.dropped = {a.table[1] for a in drops if a.kind == "drop_table"}
        self.leaving = {(a.table[1], a.name) for a in drops if a.kind == "drop_column"}
        self.later: dict[str, list[tuple[str, ...]]] = {}
        for a in (a for acts in script.acts for a in acts if a.other == "unique" or "unique" in a.words):
            made = script.before.get(a.table[1])
            if made is not None and len(a.columns) > 1 and set(a.columns) <= set(made.columns):
                self.later.setdefault(made.name, []).append(a.columns)
        self.dropping = {a.table[1] for acts in script.acts for a in acts if a.kind in ("delete", "moved")}
        for play in script.plays.values():
            self.dropping |= {n for n in script.before if n in play.words()}
        for block in (a.text.lower() for acts in script.acts for a in acts if a.kind in ("do", "create_routine")):
            self.dropping |= {n for n in script.before if "delete" in block and n in block.split()}
        self.words = {w.strip('"').lower() for w in text.split()}
        self.words |= {w for p in script.plays.values() for w in p.words()}
        self._unfilled = filled_where_empty(script, brief)
        self._fixed: Row = {}
        self._known: dict[str, list[State] | None] = {}
        self._left = min(_RUNS_MAX, _STEPS_MAX // max(1, len(script.deeds)))
        self._opcodes = _OPCODES_MAX

    def column(self, made: Rehearsal, table: str, column: str) -> None:
        """Find out about one column."""
        shape = self.script.before[table]
        if column in shape.primary or column in shape.generated:
            return
        values = self.samples.values(shape, column)[:VALUES_MAX]
        if len(values) < 2:
            return
        came_through = False
        self._fixed = self._apart_from_flags(shape, column)
        self._fixed |= dict.fromkeys(empty := self._unfilled.get(table, frozenset()) - {column})
        for world, row, example in self._worlds(shape, column):
            if any(row[c] is not None for c in empty):
                continue
            if not example and made.of(table, column):
                return  # it is gone from any row
            ended: list[tuple[Value, list[State]]] = []
            for value in values:
                row[column] = value
                states = self._run(world, table)
                if states is not None:
                    ended.append((value, states))
                    made.longest[table, column] = max(len(str(value)), made.longest.get((table, column), 0))
            came_through = came_through or len(ended) > 1
            left = left_out(ended) if len(values) > 2 and not _is_flag(shape, column) else None
            if left is not None:
                states = ended[0][1]
                step = max(n for n, s in enumerate(states) if column in s.get(table, ((), ()))[0])
                if step < len(states) - 1 and made.at(step, table, column) is None:
                    made.gone.append(Gone(step, table, column, f"{short(left)} and NULL{example}"))
            for (one, first), (two, second) in combinations(ended, 2):
                if first[0] != second[0] and first[-1] == second[-1]:
                    step = next(n for n in range(len(first) - 1, -1, -1) if first[n] != second[n])
                    if made.at(step, table, column) is None or (APART in example and not made.apart(step, table)):
                        line, sent = self._line(step, world, row, column, table, (one, two))
                        gone = Gone(step, table, column, f"{short(one)} and {short(two)}{example}", line, sent)
                        made.gone.append(gone)
        came_through = self._swapped(made, shape, column, values) or came_through
        if came_through and made.of(table, column) is None:
            made.told.add((table, column))

    def _swapped(self, made: Rehearsal, shape: Shape, column: str, values: tuple[Value, ...]) -> bool:
        """Find out whether it is still told which of two rows held which value."""
        ended: list[list[State]] = []
        for one, two in (values[:2], values[1::-1]):
            world = self._world(shape, 1, {})
            row, twin = self._last, {**self.samples.row(shape.name, 2), **self._fixed}
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

    def _line(
        self, step: int, world: World, row: Row, column: str, table: str, values: tuple[Value, Value]
    ) -> tuple[int, str]:
        """Return the line of played code that takes the difference away, with what it sends; 0 where it is none."""
        if step not in self.script.plays:
            return 0, ""
        seen = []
        for value in values:
            row[column] = value
            stage = Stage(self.script, watched=step)
            try:
                stage.play(world, table)
            finally:
                stage.close()
            seen.append(stage.seen)
        one, two = seen
        if len(one) != len(two):
            return next(((line, sent) for line, sent, _ in reversed(one)), (0, ""))
        return next(((a[0], a[1]) for a, b in zip(reversed(one), reversed(two), strict=True) if a[2] != b[2]), (0, ""))

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
        for missing in self._missing():
            yield {**self._world(shape, 1, {}), missing: []}, self._last, f", of which {missing} has nothing"
        for other in self._contexts(shape, column):
            choices: Iterable[Value] = self.samples.values(shape, other)[:3]
            for value in (*choices, *(() if other in shape.not_null or other in shape.primary else (None,))):
                said = f", where {other} is {short(value)}"
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
            for there in [
                c for c in target.columns if c.lower() in self.words and c not in (*target.primary, *key.targets)
            ][:4]:
                free = there not in target.not_null
                for value in (*self.samples.values(target, there)[:3], *((None,) if free else ())):
                    world = self._world(shape, 1, {})
                    for row in world.get(key.to, ()):
                        row[there] = value
                    yield world, self._last, f", where {key.to}.{there} is {short(value)}"
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
            if number == 1 and shape.counts():
                third = {**twin, shape.counts(): 3}
                yield {**world, shape.name: [row, twin, third]}, third, ", of three rows alike"
            for part in shape.primary if len(shape.primary) > 1 else ():
                world = {**world, shape.name: [row, {**twin, **{c: row[c] for c in shape.primary if c != part}}]}
                yield world, row, f", of two rows alike but for {part}"
        for unique in self.later.get(shape.name, ()):
            for part in unique:
                yield from self._apart(shape, column, unique, part)
        for key in shape.references:
            target = self.script.before.get(key.to)
            if target is None or key.to == shape.name or key.to not in self.dropping:
                continue
            for number in (2, 1):
                held = {}
                if self.samples.point(held, shape, key, number):
                    world = self._world(shape, 1, held)
                    first = self.samples.row(key.to, 1)
                    alike = {
                        c: v
                        for c, v in first.items()
                        if c not in target.primary and not any(c in u for u in target.unique)
                    }
                    world[key.to] = [first, {**self.samples.row(key.to, 2), **alike}]
                    yield world, self._last, f", of the {number}. of two rows of {key.to} alike"

    def _apart(self, shape: Shape, column: str, unique: tuple[str, ...], part: str) -> Iterator[tuple[World, Row, str]]:
        """Yield two rows that a uniqueness to come lets both stand: they differ in one of its columns."""
        if part in shape.primary or column in unique:
            return
        for number in (1, 2):
            world = self._world(shape, number, {})
            row = self._last
            other = self.samples.row(shape.name, 3 - number)
            twin = {c: (other[c] if c in (*shape.primary, part) else v) for c, v in row.items()}
            if twin.get(part) == row.get(part):
                others = [v for v in self.samples.values(shape, part) if v != row.get(part)]
                if not others:
                    return
                twin[part] = others[0]
            twin[column] = self.samples.values(shape, column)[:3][-1]
            world[shape.name] = [row, twin] if number == 1 else [twin, row]
            yield world, row, f"{APART}{part}"

    def _missing(self) -> list[str]:
        """Return the tables where rows may find nothing: brief or comments say so, or that nothing may be lost."""
        names = [n for n, s in self.script.before.items() if n.lower() in self.words and not s.references]
        without = r"\b(?:no|without(?: an?)?|no (?:matching|such)|unknown)\s+"
        said = self.samples.remarks
        if NOT_LOST.search(said):
            return names
        return [n for n in names if re.search(f"(?i){without}{re.escape(n.lower().rstrip('s'))}s?\\b", said)]

    def _contexts(self, shape: Shape, column: str) -> list[str]:
        keys = {c for k in shape.references for c in k.columns}
        named = [c for c in shape.columns if c.lower() in self.words and c != column and c not in shape.generated]
        if _is_flag(shape, column):  # what two flags say together may be one thing: paid is more than sent
            named = [c for c in named if not (_is_flag(shape, c) and (shape.name, c) in self.leaving)]
        return [c for c in named if c not in shape.primary and (c not in keys or c not in shape.not_null)][:6]

    def _apart_from_flags(self, shape: Shape, column: str) -> Row:
        """Return what the other flags that go hold where this one makes a difference: one may outweigh another."""
        others = [c for c in shape.columns if c != column and _is_flag(shape, c) and (shape.name, c) in self.leaving]
        self._fixed = {}
        if not others or not _is_flag(shape, column):
            return {}
        for number in range(1 << min(len(others), 4)):
            self._fixed = {c: number >> at & 1 for at, c in enumerate(others)}
            ended = []
            for value in (1, 0):
                states = self._run(self._world(shape, 1, {column: value}), shape.name)
                ended.append(states[-1] if states is not None else None)
            if None not in ended and ended[0] != ended[1]:
                return self._fixed
        return {}

    def _world(self, shape: Shape, number: int, given: Row) -> World:
        row = {**self.samples.row(shape.name, number), **self._fixed, **given}
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
        stage = Stage(replace(script, before={shape.name: alone}, named=(), copies=[], deeds=[], labels_after=[]))
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
