"""PostgreSQL's functions and casts over a few plain values, as far as a rehearsal of a migration needs them.

Values are None, int, float and str; true and false are 1 and 0, JSON and arrays are text. A function that is not known
gives a text that names it and its arguments, so that different arguments stay different.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

from squads.gates.sql.rehearsal.regexes import matches, parted, replaced, swapped
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value
from squads.gates.sql.steps.types import read

_RANGES = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?(?:\.\d+)?))?.*")
_TRUE = ("t", "true", "yes", "on", "1", "y")
_FALSE = ("f", "false", "no", "off", "0", "n")
_UNITS = {"year": 4, "month": 7, "day": 10, "hour": 13, "minute": 16, "second": 19}
_SPAN = re.compile(r"(\d+)'? *(year|month|week|day|hour|minute)")
_DAYS = {"year": 365.25, "month": 30.5, "week": 7.0, "day": 1.0, "hour": 1 / 24, "minute": 1 / 1440}
_TEXT_MAX = 4_000


def stored(value: Value, type_name: str, labels: Sequence[str] = ()) -> Value:
    """Return what a column of a type holds after `value` was stored in it. Raises `Stops` where it does not fit."""
    kind = read(type_name)
    if value is not None and kind.name in ("varchar", "char") and kind.digits and not kind.array:
        text = _text(value)
        if len(text.rstrip()) > kind.digits[0]:
            raise Stops
        return text[: kind.digits[0]]
    return cast(value, type_name, labels)


def cast(value: Value, type_name: str, labels: Sequence[str] = ()) -> Value:
    """Return `value` as an explicit cast to a type gives it."""
    kind = read(type_name)
    if value is None or kind.array:
        return value
    if labels:
        if value not in labels:
            raise Stops
        return value
    match kind.name:
        case "smallint" | "integer" | "bigint":
            number = _number(value, whole=isinstance(value, str)).quantize(Decimal(1), ROUND_HALF_UP)
            if abs(number) >= _RANGES[kind.name]:
                raise Stops
            return int(number)
        case "numeric" | "real" | "double precision" | "money":
            number = _number(value)
            if kind.digits and kind.name == "numeric":
                scale = kind.digits[1] if len(kind.digits) > 1 else 0
                number = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
                if abs(number) >= Decimal(10) ** (kind.digits[0] - scale):
                    raise Stops
            return float(number)
        case "boolean":
            return _boolean(value)
        case "date" | "time" | "timestamp" | "timestamptz":
            return _moment(value, kind.name)
        case "varchar" | "char" | "name":
            text = _text(value)
            return text[: kind.digits[0]] if kind.digits else text
        case "text" | "citext":
            return _text(value)
    return value


def _text(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:_TEXT_MAX]


def _number(value: Value, *, whole: bool = False) -> Decimal:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Stops from None
    if not number.is_finite() or (whole and number != number.to_integral_value()) or abs(number) > Decimal(10) ** 30:
        raise Stops
    return number


def _boolean(value: Value) -> int:
    if isinstance(value, str):
        if value.strip().lower() in _TRUE:
            return 1
        if value.strip().lower() in _FALSE:
            return 0
        raise Stops
    return int(bool(value))


def _moment(value: Value, kind: str) -> Value:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if (
        found is None
        and isinstance(value, str)
        and re.fullmatch(r"\d\d:\d\d(:\d\d)?(\.\d+)?", value)
        and kind == "time"
    ):
        return value
    if found is None and isinstance(value, str) and "(" not in value:
        raise Stops
    if found is None:
        return value  # something that was computed in a way that is not known
    if kind == "date":
        return found[1]
    if kind == "time":
        return found[2] or "00:00:00"
    return value if found[2] else f"{found[1]} 00:00:00"


def _plain(number: Decimal, *, whole: bool = False) -> Value:
    if not number.is_finite() or abs(number) > Decimal(10) ** 40:
        raise Stops
    return int(number) if whole else float(number)


def operate(sign: str, left: Value, right: Value) -> Value:
    """Return `left sign right` for + - * / %."""
    if left is None or right is None:
        return None
    if isinstance(left, str) or isinstance(right, str):
        moved = _later(sign, left, right)
        if moved is not None:
            return moved
        held = _json(left)
        if sign == "-" and isinstance(held, dict):
            return _written({k: v for k, v in held.items() if k != right})
        return f"({left} {sign} {right})"[:_TEXT_MAX]
    one, two, whole = Decimal(str(left)), Decimal(str(right)), isinstance(left, int) and isinstance(right, int)
    match sign:
        case "+":
            return _plain(one + two, whole=whole)
        case "-":
            return _plain(one - two, whole=whole)
        case "*":
            return _plain(one * two, whole=whole)
    if not two:
        raise Stops
    if sign == "%":
        return _plain(one % two, whole=whole)
    made = one / two
    return int(made.to_integral_value(ROUND_DOWN)) if whole else _plain(made)


def _later(sign: str, left: Value, right: Value) -> str | None:
    """Return a moment some days before or after another: an interval that is written out, or a number of days."""
    found = _DATE.fullmatch(left) if isinstance(left, str) and sign in "+-" else None
    if found is None:
        return None
    span = _SPAN.search(str(right).lower()) if isinstance(right, str) else None
    days = float(right) if isinstance(right, int) else float(span[1]) * _DAYS[span[2]] if span else None
    if days is None or abs(days) > 40_000:
        return None
    start = datetime.fromisoformat(f"{found[1]} {found[2] or '00:00:00'}")
    made = start + timedelta(days=days if sign == "+" else -days)
    return made.strftime("%Y-%m-%d" if len(str(left)) == 10 and days == int(days) else "%Y-%m-%d %H:%M:%S")


def joined(left: Value, right: Value) -> Value:
    """Return `left || right`: texts, JSON objects, arrays."""
    if left is None or right is None:
        return None
    one, two = _json(left), _json(right)
    if isinstance(one, dict) and isinstance(two, dict):
        return _written({**one, **two})
    if isinstance(one, list):
        return _written([*one, *(two if isinstance(two, list) else [right])])
    return (_text(left) + _text(right))[:_TEXT_MAX]


def _json(value: Value) -> object:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return None


def _written(value: object) -> str:
    return json.dumps(value, sort_keys=True)[:_TEXT_MAX]


def _from_json(value: object, *, text: bool) -> Value:
    if value is None or (text and isinstance(value, str)):
        return value
    return _written(value)


def member(value: Value, key: Value, text: Value = 1) -> Value:
    """Return `value -> key`, or `value ->> key` with `text`."""
    held = _json(value)
    if isinstance(held, dict):
        return _from_json(held.get(str(key)), text=bool(text))
    if isinstance(held, list) and isinstance(key, int) and -len(held) <= key < len(held):
        return _from_json(held[key], text=bool(text))
    return None


def item(value: Value, place: Value) -> Value:
    """Return `value[place]` of an array."""
    held = _json(value)
    if isinstance(held, list) and isinstance(place, int) and 0 < place <= len(held):
        return _from_json(held[place - 1], text=True)
    return None


def _built(*given: Value) -> str:
    pairs = zip(given[::2], given[1::2], strict=False)
    return _written({str(k): v if _json(v) is None else _json(v) for k, v in pairs})


def _trim(value: str, chars: Value = None, where: Value = "BOTH") -> str:
    signs = " " if chars is None else str(chars)
    if where == "LEADING":
        return value.lstrip(signs)
    return value.rstrip(signs) if where == "TRAILING" else value.strip(signs)


def _part(value: str, mark: Value, number: Value) -> str:
    parts = value.split(str(mark)) if mark else [value]
    at = int(number or 0)
    at = at - 1 if at > 0 else len(parts) + at
    return parts[at] if 0 <= at < len(parts) else ""


def _substring(value: str, start: Value = 1, length: Value = None) -> str:
    if isinstance(start, str):
        return f"substring({value} {start})"  # a pattern
    first = int(start or 1) - 1
    last = len(value) if length is None else first + int(length)
    return value[max(first, 0) : max(last, 0)]


def _rounded(value: Value, digits: Value, way: str) -> Value:
    if isinstance(value, str):
        return f"{way}({value})"
    unit = Decimal(1).scaleb(-int(digits or 0))
    made = Decimal(str(value)).quantize(unit, way)
    return _plain(made)


def _truncated(value: Value, unit: Value) -> Value:
    size = _UNITS.get(str(unit).lower())
    if size is None or not isinstance(value, str):
        return f"trunc({value}, {unit})"
    return value[:size] + "-01-01 00:00:00"[size - 4 :] if size < 10 else f"{value[:size]} 00:00:00"[:19]


def _extracted(unit: Value, value: Value) -> Value:
    spans = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16)}
    span = spans.get(str(unit).lower())
    if span is None or not isinstance(value, str) or not value[span[0] : span[1]].isdigit():
        return f"{unit} of {value}"
    return int(value[span[0] : span[1]])


def _shown(value: Value, form: Value) -> Value:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return f"to_char({value})"
    parts = (("YYYY", 0, 4), ("MM", 5, 7), ("DD", 8, 10), ("HH24", 11, 13), ("MI", 14, 16), ("SS", 17, 19))
    made = str(form).upper()
    for mark, start, end in parts:
        made = made.replace(mark, value[start:end])
    return made


def _together(value: Value, mark: Value) -> Value:
    held = _json(value)
    return str(mark)[:_TEXT_MAX].join(str(h) for h in held[:_TEXT_MAX]) if isinstance(held, list) else value


def _nothing_but_hash(*_: Value) -> str:
    return "a hash"  # nobody gets a value back out of it


def _least(*given: Value) -> Value:
    known = [g for g in given if g is not None]
    return min(known, key=_order) if known else None


def _greatest(*given: Value) -> Value:
    known = [g for g in given if g is not None]
    return max(known, key=_order) if known else None


def _order(value: Value) -> tuple[bool, object]:
    return isinstance(value, str), value


STRICT: dict[str, Callable[..., Value]] = {
    "left": lambda s, n: str(s)[: int(n)],
    "right": lambda s, n: str(s)[-int(n) :] if n else "",
    "trim": lambda s, c=None, w="BOTH": _trim(str(s), c, w),
    "btrim": lambda s, c=None: _trim(str(s), c),
    "ltrim": lambda s, c=None: _trim(str(s), c, "LEADING"),
    "rtrim": lambda s, c=None: _trim(str(s), c, "TRAILING"),
    "lower": lambda s: str(s).lower(),
    "upper": lambda s: str(s).upper(),
    "initcap": lambda s, *_: str(s).title(),
    "length": lambda s: len(str(s)),
    "char_length": lambda s: len(str(s)),
    "splitpart": lambda s, d, n: _part(str(s), d, n),
    "split_part": lambda s, d, n: _part(str(s), d, n),
    "strposition": lambda s, t: str(s).find(str(t)) + 1,
    "substring": lambda s, a=1, n=None: _substring(str(s), a, n),
    "substr": lambda s, a=1, n=None: _substring(str(s), a, n),
    "replace": lambda s, a, b="": swapped(str(s), str(a), str(b)) if a else s,
    "reverse": lambda s: str(s)[::-1],
    "regexpreplace": lambda s, p, b="", f="": replaced(str(s), p, b, f),
    "regexp_replace": lambda s, p, b="", f="": replaced(str(s), p, b, f),
    "regexplike": lambda s, p: matches(str(s), p),
    "regexpilike": lambda s, p: matches(str(s).lower(), str(p).lower()),
    "round": lambda x, d=0: _rounded(x, d, ROUND_HALF_UP),
    "trunc": lambda x, d=0: _rounded(x, d, ROUND_DOWN),
    "floor": lambda x: _rounded(x, 0, ROUND_FLOOR),
    "ceil": lambda x: _rounded(x, 0, ROUND_CEILING),
    "abs": lambda x: abs(x) if not isinstance(x, str) else f"abs({x})",
    "sign": lambda x: math.copysign(1, x) if x and not isinstance(x, str) else 0,
    "timestamptrunc": _truncated,
    "date_trunc": lambda u, v: _truncated(v, u),
    "extract": _extracted,
    "date_part": _extracted,
    "to_char": _shown,
    "timetostr": _shown,
    "cardinality": lambda a: len(_json(a)) if isinstance(_json(a), list) else 0,  # type: ignore[arg-type]
    "arraysize": lambda a, *_: len(_json(a)) if isinstance(_json(a), list) else 0,  # type: ignore[arg-type]
    "array_length": lambda a, *_: len(_json(a)) or None if isinstance(_json(a), list) else None,  # type: ignore[arg-type]
    "stringtoarray": lambda s, m=None, *_: _written(str(s).split(str(m)) if m else list(str(s))),
    "string_to_array": lambda s, m=None, *_: _written(str(s).split(str(m)) if m else list(str(s))),
    "regexp_split_to_array": lambda s, p, *_: _written(parted(str(s), p)),
    "array_to_string": lambda a, m="", *_: _together(a, m),
    "arraytostring": lambda a, m="", *_: _together(a, m),
    "member": member,
    "item": item,
    **dict.fromkeys(("md5", "md5digest", "sha", "sha1digest", "sha2", "sha2digest",
                     "sha224", "sha256", "sha384", "sha512", "digest", "crypt", "hmac", "hashtext"),
                    _nothing_but_hash),
}  # fmt: skip
"""What is NULL where its first argument is."""
FREE: dict[str, Callable[..., Value]] = {
    "op": operate,  # called with its sign first
    "joined": joined,
    "concat": lambda *a: "".join(_text(x) for x in a if x is not None),
    "concatws": lambda m, *a: str(m).join(_text(x) for x in a if x is not None),
    "least": _least,
    "greatest": _greatest,
    "num_nonnulls": lambda *a: sum(x is not None for x in a),
    "num_nulls": lambda *a: sum(x is None for x in a),
    "jsonb_build_object": _built,
    "json_build_object": _built,
    "jsonobject": _built,
    "array": lambda *a: _written(list(a)),
    "jsonb_build_array": lambda *a: _written(list(a)),
    "currenttimestamp": lambda *_: "2031-01-02 03:04:05",
    "currentdate": lambda *_: "2031-01-02",
    "now": lambda *_: "2031-01-02 03:04:05",
    "clock_timestamp": lambda *_: "2031-01-02 03:04:05",
    "localtimestamp": lambda *_: "2031-01-02 03:04:05",
    "set_config": lambda *a: a[1] if len(a) > 1 else None,
}


def known(function: str) -> bool:
    """Return whether a function is computed as PostgreSQL computes it."""
    return function in STRICT or function in FREE or function == "cast"


def call(function: str, given: Sequence[Value], labels: dict[str, tuple[str, ...]]) -> Value:
    """Return what a function gives. Raises `Stops`, `NotKnown`."""
    if function == "cast":
        return cast(given[0], str(given[1]), labels.get(str(given[1]).rsplit(".", 1)[-1], ()))
    try:
        if function in STRICT:
            if given and given[0] is None:
                return None
            return _flat(STRICT[function](*given))
        if function in FREE:
            return _flat(FREE[function](*given))
    except (TypeError, ValueError, ArithmeticError, OverflowError):
        raise NotKnown from None
    if given and all(g is None for g in given):
        return None
    return f"{function}({', '.join(map(repr, given))})"[:_TEXT_MAX]


def _flat(value: Value) -> Value:
    return value[:_TEXT_MAX] if isinstance(value, str) else value
