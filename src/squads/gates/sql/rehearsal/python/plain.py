"""What Python makes of plain values: the methods and operators of texts, numbers, lists and dicts that are played."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from squads.gates.sql.rehearsal.python.things import ITEMS_MAX, Raised, Row, Thing, measured, pairs, texts, through
from squads.gates.sql.rehearsal.regexes import work
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.words import word_set

_CHARS_MAX = 20_000
_DIGITS_MAX = 80
_MARKS_MAX = 40
_TEXTS = word_set(
    "strip lstrip rstrip lower upper casefold title capitalize swapcase replace split rsplit splitlines partition "
    "rpartition startswith endswith isdigit isalpha isalnum isnumeric isdecimal isupper islower isspace count find "
    "rfind index rindex zfill removeprefix removesuffix"
)
_LISTS = word_set("append extend insert pop remove reverse index count copy clear")
_DICTS = word_set("get keys values items pop setdefault update copy clear popitem")
_SETS = word_set("add update discard remove union intersection difference copy clear issubset issuperset")
_MOMENTS = word_set("date time isoformat strftime replace year month day hour minute second weekday isocalendar")
_FORMAT = re.compile(r"\{(\w*)((?:\.\w+|\[\w+\])*)(?:![rs])?(?::([^{}]*))?\}")
_WIDE = re.compile(r"\d{3,}")


def guarded(do: Callable[[], Any]) -> Any:
    """Return what `do` gives; an error that Python raises is one of the played code."""
    try:
        return do()
    except (KeyError, IndexError, ValueError, ZeroDivisionError, AttributeError, TypeError, DecimalException) as error:
        kind = "InvalidOperation" if isinstance(error, DecimalException) else type(error).__name__
        raise Raised(kind) from None
    except OverflowError:
        raise NotKnown from None


def hashable(value: Any) -> Any:
    """Return a value that may be a key."""
    measured(value)
    if isinstance(value, tuple):
        return tuple(map(hashable, value))
    if isinstance(value, (list, dict, set)):
        raise Raised("TypeError")
    return value


def pairs_of(value: Any) -> dict[Any, Any]:
    """Return a mapping as a dict."""
    return pairs(value)


def small(value: Any) -> Any:
    """Return a value that is not too large."""
    if isinstance(value, (str, bytes)) and len(value) > _CHARS_MAX:
        raise NotKnown
    if isinstance(value, (list, tuple, dict, set)) and len(value) > ITEMS_MAX:
        raise NotKnown
    if isinstance(value, int) and abs(value) > 1 << 70:
        raise NotKnown
    if isinstance(value, Decimal) and value.is_finite() and value and abs(value.adjusted()) > _DIGITS_MAX:
        raise NotKnown
    return value


def operated(do: Callable[[Any, Any], Any] | None, left: Any, right: Any) -> Any:
    """Return `left <operator> right`."""
    if do is None or isinstance(left, Thing) or isinstance(right, Thing):
        raise NotKnown
    name = do.__name__
    if name == "mod" and isinstance(left, str):
        if _WIDE.search(left) or "*" in left or left.count("%") > _MARKS_MAX:
            raise NotKnown
        texts(right)
        return small(guarded(lambda: left % right))
    if name == "mul" and (isinstance(left, (str, list, tuple)) or isinstance(right, (str, list, tuple))):
        times, text = (left, right) if isinstance(left, int) else (right, left)
        if not isinstance(times, int) or times > 200 or len(text) > 200:
            raise NotKnown
    if {type(left), type(right)} == {float, Decimal}:
        left, right = Decimal(str(left)), Decimal(str(right))  # a column of a float's type is read as exact here
    if isinstance(left, str) and isinstance(right, timedelta):
        left = moment(left)
    return small(guarded(lambda: do(left, right)))


def compared(do: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Return `left <compare> right`."""
    measured(left, right)
    if isinstance(left, (date, datetime)) and isinstance(right, str):
        right = type(left).fromisoformat(right) if isinstance(left, datetime) else moment(right).date()
    elif isinstance(right, (date, datetime)) and isinstance(left, str):
        left = moment(left) if isinstance(right, datetime) else moment(left).date()
    if isinstance(left, Thing) or isinstance(right, Thing):
        one, two = (getattr(v, "key", lambda v=v: v)() for v in (left, right))
        if do.__name__ not in ("eq", "ne") or (isinstance(left, Thing) and one is left):
            raise NotKnown
        return do(one, two)
    return guarded(lambda: do(left, right))


def contains(things: Any, one: Any) -> bool:
    """Return whether something is in a collection."""
    measured(things, one)
    if isinstance(things, Row):
        return one in things.values
    if isinstance(things, Thing):
        return any(o == one for o in through(things))
    return bool(guarded(lambda: one in things))


def moment(text: str) -> datetime:
    """Return a text as a moment."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Raised("AttributeError") from None


def attribute(owner: Any, name: str) -> Any:
    """Return an attribute."""
    if isinstance(owner, Thing):
        return owner.attribute(name)
    if owner is None:
        raise Raised("AttributeError")
    if isinstance(owner, str) and name in _MOMENTS and owner[:4].isdigit():
        return getattr(moment(owner), name)
    if isinstance(owner, (date, datetime)) and name in _MOMENTS:
        return getattr(owner, name)
    if isinstance(owner, dict) and "__dict__" in owner:
        return owner[name]
    raise NotKnown


def item(owner: Any, key: Any) -> Any:
    """Return `owner[key]`."""
    measured(key)
    if isinstance(owner, Thing):
        if isinstance(key, slice):
            return through_slice(owner, key)
        return owner.item(key)
    if isinstance(owner, str) and isinstance(key, str):
        owner = document(owner)
    if owner is None:
        raise Raised("TypeError")
    if isinstance(owner, dict):
        found = getattr(owner, "default_factory", None)
        if callable(found) and key not in owner:
            owner[hashable(key)] = found()
    return guarded(lambda: owner[key])


def through_slice(owner: Thing, key: slice) -> Any:
    """Return a part of something that is gone through."""
    cut = getattr(owner, "cut", None)
    if callable(cut):
        return cut(key)
    return guarded(lambda: list(through(owner))[key])


def document(text: Any) -> Any:
    """Return a JSON document."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise Raised("JSONDecodeError") from None


def shown(value: Any, form: ast.expr | None, of: Callable[[ast.expr], Any]) -> str:
    """Return a value in an f-string."""
    spec = of(form) if form is not None else ""
    return formatted(value, spec)


def formatted(value: Any, spec: Any) -> str:
    """Return a value in a form."""
    texts(value)
    if not spec:
        return str(value)
    if _WIDE.search(str(spec)):
        raise NotKnown
    if isinstance(value, str) and "%" in spec:
        value = moment(value)
    found: str = guarded(lambda: format(value, spec))
    return found


def method(owner: Any, name: str, args: list[Any], words: dict[str, Any], apply: Callable[..., Any]) -> Any:
    """Return what a method of a plain value gives."""
    if owner is None:
        raise Raised("AttributeError")
    if isinstance(owner, str):
        return _of_text(owner, name, args, words)
    if name == "sort" and isinstance(owner, list):
        owner[:] = ordered(owner, words, apply)
        return None
    if isinstance(owner, dict) and name == "get" and args and not isinstance(args[0], (list, dict)):
        return owner.get(*args[:2])
    if isinstance(owner, dict) and name == "update":
        for more in args:
            owner.update(pairs(more) if isinstance(more, (Mapping, Row)) else dict(through(more)))
        owner.update(words)
        return small(owner) and None
    allowed: Collection[str] = _LISTS if isinstance(owner, list) else _DICTS if isinstance(owner, dict) else ()
    allowed = _SETS if isinstance(owner, set) else allowed
    if isinstance(owner, (date, datetime, time)):
        allowed = _MOMENTS
    if isinstance(owner, tuple):
        allowed = ("index", "count")
    if isinstance(owner, (Decimal, int, float)):
        allowed = ("quantize", "to_integral_value", "as_tuple", "normalize", "is_integer", "as_integer_ratio")
    if name not in allowed:
        raise NotKnown
    if name in ("extend", "union", "intersection", "difference") or (name == "update" and isinstance(owner, set)):
        args = [list(through(a)) for a in args]
    found = guarded(lambda: getattr(owner, name)(*args, **words))
    small(owner)
    return list(found) if isinstance(owner, dict) and name in ("keys", "values", "items") else found


def _of_text(owner: str, name: str, args: list[Any], words: dict[str, Any]) -> Any:
    if name == "join" and len(args) == 1:
        parts = list(through(args[0]))
        if not all(isinstance(p, str) for p in parts):
            raise Raised("TypeError")
        if sum(map(len, parts)) + len(owner) * len(parts) > _CHARS_MAX:
            raise NotKnown
        return small(owner.join(parts))
    if name == "format":
        return _filled(owner, args, words)
    if name in _TEXTS:
        if name == "replace" and not (len(args) > 1 and isinstance(args[1], str) and _fits(owner, args[1])):
            raise NotKnown
        if name == "zfill" and (not args or args[0] > 200):
            raise NotKnown
        if name in ("startswith", "endswith") and args and isinstance(args[0], list):
            raise Raised("TypeError")
        return small(guarded(lambda: getattr(owner, name)(*args, **words)))
    if name in ("ljust", "rjust", "center") and args and isinstance(args[0], int) and args[0] <= 200:
        return getattr(owner, name)(*args)
    if name == "translate" and args and isinstance(args[0], dict):
        if not all(_fits(owner, v) for v in args[0].values() if isinstance(v, str)):
            raise NotKnown
        return small(owner.translate(args[0]))
    if name in ("encode", "decode", "normalize"):
        return owner
    if name in _MOMENTS and owner[:4].isdigit():
        found = getattr(moment(owner), name)
        return guarded(lambda: found(*args, **words))
    if name in ("get", "items", "keys", "values"):
        held = document(owner)
        if isinstance(held, dict):
            return held.get(*args[:2]) if name == "get" else list(getattr(held, name)())
    if name == "hex" and not args:
        return owner.replace("-", "")
    raise NotKnown


def _fits(owner: str, new: str) -> bool:
    """Return whether a text may be put into another one again and again."""
    return (len(owner) + 1) * len(new) <= _CHARS_MAX * 4


def _filled(text: str, args: list[Any], words: dict[str, Any]) -> str:
    waiting = iter(args)
    if text.count("{") > _MARKS_MAX:
        raise NotKnown

    def fill(found: re.Match[str]) -> str:
        if found[2]:
            raise NotKnown
        key = found[1]
        value = guarded(lambda: args[int(key)] if key.isdigit() else words[key] if key else next(waiting))
        return formatted(value, found[3])

    made: str = small(_FORMAT.sub(fill, text))
    return made


def ordered(things: Any, words: dict[str, Any], apply: Callable[..., Any]) -> list[Any]:
    """Return what `sorted` gives."""
    key = words.get("key")
    found = list(through(things))
    measured(found)
    keys = [(apply(key, f) if key is not None else f) for f in found]
    measured(keys)
    order = guarded(lambda: sorted(range(len(found)), key=keys.__getitem__, reverse=bool(words.get("reverse"))))
    return [found[n] for n in order]


@dataclass(eq=False)
class Pattern(Thing):
    """A compiled pattern."""

    source: str
    flags: int
    spend: Callable[[int], None]

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name == "sub":
            by, text = args[0], args[1]
            if not isinstance(by, str) or not isinstance(text, str) or not _fits(text, by):
                raise NotKnown
            return small(self._compiled(text).sub(by, text, count=int(words.get("count", args[2] if args[2:] else 0))))
        text = args[0]
        if name in ("findall", "split"):
            return getattr(self._compiled(text), name)(text)
        if name == "finditer":
            return [Found(m) for m in self._compiled(text).finditer(text)]
        if name not in ("search", "match", "fullmatch"):
            raise NotKnown
        found = getattr(self._compiled(text), name)(text)
        return Found(found) if found else None

    def _compiled(self, text: Any) -> re.Pattern[str]:
        if not isinstance(text, str):
            raise Raised("TypeError")
        steps = work(self.source, len(text))
        if steps > 8_000_000:
            raise NotKnown
        self.spend(steps // 20_000)
        try:
            return re.compile(self.source, self.flags)
        except (re.error, OverflowError):
            raise NotKnown from None


@dataclass(eq=False)
class Found(Thing):
    """What a pattern found."""

    found: re.Match[str]

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name not in ("group", "groups", "groupdict", "start", "end", "span"):
            raise NotKnown
        return guarded(lambda: getattr(self.found, name)(*args, **words))

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        return guarded(lambda: self.found[key])
