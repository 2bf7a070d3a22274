"""What the names of Python and of libraries give when a migration is played: built-ins, SQLAlchemy, Alembic, Django."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, groupby, islice, zip_longest
from typing import Any

from squads.gates.sql.rehearsal.python import alchemy, asking, mapped, plain, tables
from squads.gates.sql.rehearsal.python.machine import Machine
from squads.gates.sql.rehearsal.python.things import (
    ITEMS_MAX,
    NOT_OURS,
    Named,
    Piece,
    Row,
    Silent,
    Suppress,
    Thing,
    bound,
    measured,
    pairs,
    texts,
    through,
    true,
)
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.words import word_set

_DIGITS_MAX = 80
_SILENT = word_set("print getLogger tqdm echo secho pprint warn track time perf_counter monotonic sleep")
_KINDS = {"str": str, "int": (int,), "float": (float, Decimal), "dict": (dict, Row), "list": list, "tuple": tuple,
          "set": set, "Decimal": Decimal, "bool": bool, "datetime": datetime, "date": date}  # fmt: skip


class Libraries:
    """What names give; `stage` knows the rows, `models` is what Django knows of its tables."""

    def __init__(self, stage: alchemy.Rows, models: asking.Models, spend: Callable[[int], None]) -> None:
        self.stage = stage
        self.models = models
        self._spend = spend

    def joined(self, sign: str, left: Any, right: Any) -> Any:
        """Return what an operator gives of which one side is SQL."""
        if isinstance(left, asking.Q):
            return left.combined(sign, right)
        return tables.joined(sign, left, right)

    def named(self, name: Named, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        """Return what a call of a name from elsewhere gives."""
        path, last = name.path, name.path[-1]
        if last in _SILENT or path[0] in ("logging", "sys", "warnings", "logger", "log", "click", "context"):
            return Silent()
        if path[0] in ("op", "alembic") and last in ("bulk_insert", "execute"):
            return self._operation(last, args)
        if last in ("atomic", "begin_nested", "nullcontext"):
            return Silent()
        if last == "suppress":
            return Suppress([a.path[-1] for a in args if isinstance(a, Named)])
        if path[0] in ("op", "alembic") and last == "create_table":
            return alchemy.call("table", path, [a for a in args if isinstance(a, (str, tables.Column))], {}, list)
        if path[0] in ("op", "alembic") and last not in ("get_bind", "get_context", "inline_literal"):
            raise NotKnown
        if len(path) == 1 or path[0] in ("builtins", "collections", "decimal", "itertools", "datetime", "json", "re"):
            found = self._plain(path, last, args, words, machine)
            if found is not NOT_OURS:
                return found
        if last == "cursor" or path[-1] == "connection":
            return alchemy.Connection(self.stage)
        if last in ("select", "update", "insert", "delete"):
            found = mapped.mapped_call(last, args, self.stage)
            if found is not NOT_OURS:
                return found
        found = asking.expression(last, args, words) if path[0] != "sqlalchemy" else NOT_OURS
        if found is NOT_OURS:
            found = alchemy.call(last, path, args, words, lambda: mapped.Session(self.stage))
        if found is NOT_OURS:
            raise NotKnown
        return found

    def _operation(self, called: str, args: list[Any]) -> None:
        connection = alchemy.Connection(self.stage)
        if called == "execute":
            connection.run(args[0])
            return
        table, rows = args[0], [pairs(r) for r in through(args[1])]
        if not isinstance(table, tables.Table):
            raise NotKnown
        if rows:
            connection.run(tables.Change("insert", table), rows)

    def _plain(self, path: tuple[str, ...], last: str, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        made = getattr(self, f"_{last.lower()}", None) if last in _OWN else None
        if made is not None:
            return made(args, words, machine)
        if path[0] == "re" and last in (
            "compile",
            "match",
            "search",
            "fullmatch",
            "sub",
            "findall",
            "split",
            "finditer",
        ):
            flags = words.get("flags", 0)
            pattern = plain.Pattern(args[0], flags if isinstance(flags, int) else 2, self._spend)
            if last == "compile":
                pattern.flags = 2 if args[1:] else pattern.flags
                return pattern
            return pattern.method(last, args[1:], {k: v for k, v in words.items() if k != "flags"})
        if path[:-1] == ("json",):
            return plain.document(args[0]) if last == "loads" else bound(args[0]) if last == "dumps" else NOT_OURS
        if last in ("namedtuple", "open", "eval", "exec", "getattr", "input", "__import__"):
            raise NotKnown
        if path[0] == "datetime" or last in ("timedelta", "date", "datetime"):
            return self._moment(path, last, args, words)
        simple = _SIMPLE.get(last)
        if simple is None:
            return NOT_OURS
        measured(*args)
        given = [list(through(a)) if isinstance(a, Thing) and not isinstance(a, Piece) else a for a in args]
        return plain.small(plain.guarded(lambda: simple(*given, **words)))

    def _moment(self, path: tuple[str, ...], last: str, args: list[Any], words: dict[str, Any]) -> Any:
        if last in ("now", "utcnow", "today"):
            return datetime(2031, 1, 1, 12)
        kinds = {"timedelta": timedelta, "date": date, "datetime": datetime, "time": time}
        if last in ("fromisoformat", "strptime") and args and isinstance(args[0], str):
            kind = date if path[-2] == "date" else datetime
            given = args[0][:10] if kind is date else args[0]
            if last == "fromisoformat":
                return plain.guarded(lambda: kind.fromisoformat(given))
            return plain.guarded(lambda: datetime.strptime(args[0], args[1]))
        if last in kinds:
            return plain.guarded(lambda: kinds[last](*args, **words))
        return NOT_OURS

    def _map(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        return [machine.apply(args[0], *given) for given in zip(*map(through, args[1:]), strict=False)]

    def _filter(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        return [a for a in through(args[1]) if true(a if args[0] is None else machine.apply(args[0], a))]

    def _sorted(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        return plain.ordered(args[0], words, machine.apply)

    def _min(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        found = plain.ordered(args[0] if len(args) == 1 else args, words, machine.apply)
        return found[0] if found else words["default"] if "default" in words else plain.guarded(lambda: min([]))

    def _max(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        found = plain.ordered(args[0] if len(args) == 1 else args, words, machine.apply)
        return found[-1] if found else words["default"] if "default" in words else plain.guarded(lambda: max([]))

    def _next(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        found = list(through(args[0]))
        return found[0] if found else args[1] if len(args) > 1 else plain.guarded(lambda: [][0])

    def _defaultdict(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        kind = args[0] if args else None
        return defaultdict(lambda: machine.apply(kind))

    def _isinstance(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
        known: list[Any] = [_KINDS.get(k.path[-1]) for k in kinds if isinstance(k, Named)]
        if len(known) != len(kinds) or None in known:
            raise NotKnown
        return any(isinstance(args[0], k) for k in known)

    def _groupby(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        key = words.get("key", args[1] if len(args) > 1 else None)
        found = [(machine.apply(key, v) if key else v, v) for v in through(args[0])]
        measured([k for k, _ in found])
        return [(k, [v for _, v in g]) for k, g in groupby(found, lambda pair: pair[0])]

    def _itemgetter(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        return _Getter(args)

    def _attrgetter(self, args: list[Any], words: dict[str, Any], machine: Machine) -> Any:
        return _Getter(args, attributes=True)


@dataclass
class _Getter(Thing):
    keys: list[Any]
    attributes: bool = False

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        get = plain.attribute if self.attributes else plain.item
        found = tuple(get(args[0], k) for k in self.keys)
        return found[0] if len(found) == 1 else found


_OWN = word_set("map filter sorted min max next defaultdict isinstance groupby itemgetter attrgetter")


def _whole(value: Any = 0, *more: Any) -> int:
    if isinstance(value, str) and len(value) > 60:
        raise NotKnown
    plain.small(value)
    return int(value, *more)


def _range(*given: Any) -> list[int]:
    found = range(*given)
    if len(found) > ITEMS_MAX:
        raise NotKnown
    return list(found)


def _text(value: Any = "", *_: Any) -> str:
    texts(value)
    if isinstance(value, Decimal) and value == value.to_integral_value() and "E" in str(value):
        return str(int(value))
    return str(value)


def _round(value: Any, digits: Any = None) -> Any:
    if digits is not None and not (isinstance(digits, int) and abs(digits) < _DIGITS_MAX):
        raise NotKnown  # ten is raised to it
    return round(value, digits)


def _dict(*given: Any, **words: Any) -> dict[Any, Any]:
    if given and isinstance(given[0], (dict, Row)):
        return {**pairs(given[0]), **words}
    return dict(*(map(tuple, map(through, given[0])) for _ in given[:1]), **words)


_SIMPLE: dict[str, Callable[..., Any]] = {
    "str": _text,
    "int": _whole,
    "float": lambda v=0: Decimal(str(v)),
    "bool": lambda v=False: true(v),
    "len": lambda v: len(list(through(v))) if not isinstance(v, str) else len(v),
    "list": lambda v=(): list(through(v)),
    "tuple": lambda v=(): tuple(through(v)),
    "set": lambda v=(): {plain.hashable(x) for x in through(v)},
    "frozenset": lambda v=(): set(through(v)),
    "dict": _dict,
    "OrderedDict": lambda v=(): OrderedDict(map(tuple, v)),
    "range": _range,
    "enumerate": lambda v, start=0: list(enumerate(through(v), start)),
    "zip": lambda *v, **_: list(zip(*map(through, v), strict=False)),
    "zip_longest": lambda *v, **k: list(zip_longest(*map(through, v), **k)),
    "reversed": lambda v: list(through(v))[::-1],
    "sum": lambda v, start=0: sum(through(v), start),
    "abs": abs,
    "round": _round,
    "any": lambda v: any(map(true, through(v))),
    "all": lambda v: all(map(true, through(v))),
    "divmod": divmod,
    "iter": lambda v: list(through(v)),
    "Decimal": lambda v="0": Decimal(str(v)) if isinstance(v, float) else Decimal(v),
    "Counter": lambda v=(): Counter(through(v)),
    "chain": lambda *v: list(chain(*map(through, v))),
    "from_iterable": lambda v: list(chain(*map(through, through(v)))),
    "islice": lambda v, *n: list(islice(through(v), *n)),
    "deepcopy": lambda v: json.loads(json.dumps(v)),
    "copy": lambda v: json.loads(json.dumps(v)),
    "ord": ord,
    "chr": chr,
    "dumps": lambda v, **_: bound(v),
    "loads": plain.document,
    "cast": lambda _, v: v,
    "dedent": lambda v: v,
    "uuid4": lambda: "id made",
    "slugify": lambda v: _text(v).lower().replace(" ", "-"),
}
