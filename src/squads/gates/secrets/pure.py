"""What plain Python makes of plain values: the methods and operators of texts, lists, dicts and numbers.

The artifact's code is not run: only functions of this file are, on bounded values, and a pattern of the artifact only
where it cannot take long. What is not known is `UNKNOWN`; inside a text it is the letter of the same name.
"""

from __future__ import annotations

import binascii
import codecs
import re
import string
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from squads.gates.secrets import live
from squads.gates.words import word_set

GAP: Final = live.UNKNOWN
"""The letter that stands for what is not known of a text."""
CHARS_MAX = 20_000
ITEMS_MAX = 400
_SHOWN_MAX = 60
_PARTS_MAX = 4_000
"""How many parts of one value are looked at: lists in lists may hold more than any text."""


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""A value of which nothing is known."""


@dataclass(eq=False)
class Thing:
    """An object: what its text shows, and what is known of its parts."""

    kind: str = ""
    text: object = GAP
    parts: dict[str, object] = field(default_factory=dict)
    made_by: object = None
    """The artifact's class, where it has one."""


class Box(dict[object, object]):
    """A dict; `more` where other keys may be in it."""

    more: bool = False


_METHODS = word_set(
    "strip lstrip rstrip lower upper casefold title capitalize swapcase replace split rsplit splitlines partition "
    "rpartition encode decode startswith endswith isdigit isalpha isalnum isupper islower count find rfind index "
    "rindex zfill ljust rjust center removeprefix removesuffix hex translate keys values items copy expandtabs isspace"
)
ERRORS = (ValueError, TypeError, IndexError, KeyError, LookupError, AttributeError, OverflowError, binascii.Error)


def ordered(value: object) -> list[object]:
    """Return the elements of a value; those of a set in an order that is the same in every process."""
    parts = list(value) if isinstance(value, str | bytes | list | tuple | set | frozenset | dict) else []
    return sorted(parts, key=repr) if isinstance(value, set | frozenset) else parts


def written(value: object, depth: int = 0, left: list[int] | None = None) -> str:
    """Return the text of a value, as `str` gives it."""
    left = [_PARTS_MAX] if left is None else left
    left[0] -= 1
    if left[0] < 0:
        return GAP
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("latin-1")
    if isinstance(value, Thing):
        text = value.text() if callable(value.text) else value.text
        return written(text, depth + 1, left) if depth < 8 else GAP
    if value is UNKNOWN or callable(value) or depth > 6:
        return GAP
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{written(k, depth + 1, left)}: {written(v, depth + 1, left)}"
                for k, v in islice(value.items(), _SHOWN_MAX)
            )
            + "}"
        )
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(written(v, depth + 1, left) for v in ordered(value)[:_SHOWN_MAX]) + "]"
    return str(value)


def known(*values: object) -> bool:
    """Return whether all values are plain, and nothing in them is unknown."""
    waiting, left = list(values), _PARTS_MAX * 4
    while waiting:
        value, left = waiting.pop(), left - 1
        if left < 0:
            return False
        if value is UNKNOWN or isinstance(value, Thing) or callable(value) or (isinstance(value, str) and GAP in value):
            return False
        if isinstance(value, dict) and (isinstance(value, Box) and value.more):
            return False
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            waiting += value
    return True


def small(value: object) -> object:
    """Return a value, cut where it is too long to be worked with."""
    if isinstance(value, str | bytes) and len(value) > CHARS_MAX:
        return value[:CHARS_MAX]
    if isinstance(value, list | tuple) and len(value) > ITEMS_MAX:
        return value[:ITEMS_MAX]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 << 64:
        return UNKNOWN
    return value


def method(value: object, name: str, args: list[object], words: dict[str, object]) -> object:
    """Return what a method of a plain value gives; `UNKNOWN` where that is not known."""
    if isinstance(value, str | bytes) and name == "join" and len(args) == 1:
        return _joined(value, args[0])
    if isinstance(value, str) and name in ("format", "format_map"):
        return formatted(value, args, words)
    if isinstance(value, dict) and name in ("get", "pop", "setdefault") and args:
        key = args[0]
        if hashable(key) and key in value:
            return value.pop(key) if name == "pop" else value[key]
        return UNKNOWN if isinstance(value, Box) and value.more else args[1] if len(args) > 1 else None
    if isinstance(value, dict) and name == "update":
        for more in args:
            value.update(more) if isinstance(more, dict) else None
        value.update(words)
        return None
    if isinstance(value, dict) and name in ("clear",):
        value.clear()
        return None
    if (
        isinstance(value, list)
        and name in ("append", "extend", "insert", "reverse", "pop", "sort")
        and len(value) < ITEMS_MAX
    ):
        return _listed(value, name, args)
    if isinstance(value, set) and name in ("add", "update", "discard", "union") and args:
        return _set(value, name, args[0])
    if name not in _METHODS or not isinstance(value, str | bytes | dict | list | tuple):
        return UNKNOWN
    if isinstance(value, dict) and name in ("items", "values", "keys"):
        return list(value.items()) if name == "items" else list(value.values()) if name == "values" else list(value)
    if isinstance(value, dict | list):
        return copied(value) if name == "copy" else UNKNOWN
    if not known(*args, *words.values()):
        return value if isinstance(value, str | bytes) and name not in ("startswith", "endswith", "find") else UNKNOWN
    if any(isinstance(a, int) and abs(a) > CHARS_MAX for a in args):
        return UNKNOWN
    if name == "expandtabs" or _grows(value, name, args):
        return value
    if name in ("encode", "decode") and args[:1] and written(args[0]).lower().replace("-", "") not in (
        "utf8", "ascii", "latin1", "utf16", "iso88591"
    ):  # fmt: skip
        return codecs.decode(value, "rot13") if isinstance(value, str) and "rot" in written(args[0]) else UNKNOWN
    try:
        if name == "decode" and isinstance(value, bytes):
            return value.decode("utf-8") if not args else value.decode(written(args[0]), "replace")
        return small(getattr(value, name)(*args, **words))
    except UnicodeError:
        return value.decode("latin-1") if isinstance(value, bytes) else UNKNOWN
    except ERRORS:
        return UNKNOWN


def _grows(value: object, name: str, args: list[object]) -> bool:
    """Return whether a method would put long texts into a long one, again and again."""
    news = (
        args[1:2]
        if name == "replace"
        else args[0].values()
        if name == "translate" and isinstance(args[0], dict)
        else ()
    )
    longest = max((len(n) for n in news if isinstance(n, str | bytes)), default=0)
    return isinstance(value, str | bytes) and (len(value) + 1) * longest > CHARS_MAX * 50


def hashable(key: object, depth: int = 0) -> bool:
    """Return whether a value may be a key of a dict here."""
    return isinstance(key, str | bytes | int | float | bool | None) or (
        isinstance(key, tuple) and len(key) < 9 and depth < 4 and all(hashable(k, depth + 1) for k in key)
    )


def copied(value: object) -> object:
    """Return a value of its own, where it can be changed."""
    if isinstance(value, Box):
        box = Box(value)
        box.more = value.more
        return box
    return list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value


def _joined(between: str | bytes, parts: object) -> object:
    if isinstance(parts, str):
        return small(written(between).join(parts[: CHARS_MAX // (len(between) + 1) + 1]))
    if not isinstance(parts, list | tuple | set | dict):
        return GAP
    text = written(between).join(written(p) for p in ordered(parts)[:ITEMS_MAX])
    return small(text.encode("latin-1", "replace") if isinstance(between, bytes) else text)


def _listed(value: list[object], name: str, args: list[object]) -> object:
    if name == "append" and args:
        value.append(args[0])
    elif name == "extend" and args and isinstance(args[0], list | tuple):
        value.extend(args[0][:ITEMS_MAX])
    elif name == "insert" and len(args) == 2 and isinstance(args[0], int):
        value.insert(args[0], args[1])
    elif name == "reverse":
        value.reverse()
    elif name == "pop":
        return value.pop() if value and not args else UNKNOWN
    return None


def _set(value: set[object], name: str, other: object) -> object:
    others = list(other) if name in ("update", "union") and isinstance(other, list | tuple | set) else [other]
    others = [o for o in others if hashable(o)]
    if name == "union":
        return value | set(others)
    for one in others:
        value.discard(one) if name == "discard" else value.add(one)
    return None


def formatted(pattern: str, args: list[object], words: dict[str, object]) -> object:
    """Return what `pattern.format(...)` gives; widths are left out, so that nothing grows."""
    plain = re.sub(
        r"\{(\w*)(?:![rsa])?(?::[^{}.]*(\.\d{1,3})?[^{}]*)?\}",
        lambda m: "{" + m[1] + (":" + m[2] if m[2] else "") + "}",
        pattern,
    )
    try:
        if any(form and not re.fullmatch(r"\.\d{1,3}", form) for _, _, form, _ in string.Formatter().parse(plain)):
            raise ValueError(plain)  # a width that was not seen
        return small(plain.format(*map(written, args), **{k: written(v) for k, v in words.items()}))
    except ERRORS:
        return GAP.join([pattern, *map(written, args), *map(written, words.values())])


def percent(pattern: str, right: object) -> object:
    """Return what `pattern % right` gives."""
    if isinstance(right, dict):
        named = {k: written(v) for k, v in right.items()}
        return re.sub(r"%\((\w+)\)[^a-z]*([a-z])", lambda m: named.get(m[1], GAP), pattern)
    parts = list(right) if isinstance(right, tuple) else [right]
    text = re.split(r"%[-#0 +]*\d*(?:\.(\d+))?([a-zA-Z])", pattern)
    found = text[0]
    for number in range((len(text) - 1) // 3):
        cut, kind, after = text[1 + number * 3 : 4 + number * 3]
        part = GAP if kind in "dixXfeg" or number >= len(parts) else written(parts[number])
        found += (part[: int(cut)] if cut else part) + after
    return small(found)


def sliced(value: object, low: object, high: object, step: object) -> object:
    """Return `value[low:high:step]`; the whole where a bound is not known."""
    if not isinstance(value, str | bytes | list | tuple):
        return UNKNOWN
    parts = [p if isinstance(p, int) else None for p in (low, high, step)]
    if parts != [low, high, step] or step == 0:
        return value
    return value[slice(*parts)]


def operated(operator: str, left: object, right: object) -> object:
    """Return `left <operator> right` of plain values."""
    if operator == "Add":
        if isinstance(left, list | tuple) and isinstance(right, list | tuple):
            return small([*left, *right])
        if isinstance(left, bytes) and isinstance(right, bytes):
            return small(left + right)
        if isinstance(left, str | bytes | Thing) or isinstance(right, str | bytes | Thing):
            return small(written(left) + written(right))
    if operator == "Mod" and isinstance(left, str):
        return percent(left, right)
    if operator == "Mult" and isinstance(left, int) and isinstance(right, str | bytes):
        left, right = right, left
    if operator == "Mult" and isinstance(left, str | bytes | list):
        times = right if isinstance(right, int) else 1
        return small(left * max(0, min(times, 200))) if len(left) < CHARS_MAX // 100 else left
    if operator == "BitOr" and isinstance(left, dict) and isinstance(right, dict):
        box = Box({**left, **right})
        box.more = getattr(left, "more", False) or getattr(right, "more", False)
        return box
    if operator == "BitOr" and isinstance(left, set) and isinstance(right, set):
        return left | right
    if isinstance(left, int) and isinstance(right, int):
        return _number(operator, left, right)
    return UNKNOWN


def _number(operator: str, left: int, right: int) -> object:
    match operator:
        case "Add":
            return small(left + right)
        case "Sub":
            return small(left - right)
        case "Mult":
            return small(left * right)
        case "BitXor":
            return left ^ right
        case "BitAnd":
            return left & right
        case "BitOr":
            return left | right
        case "FloorDiv" if right:
            return left // right
        case "Mod" if right:
            return left % right
    return UNKNOWN
