"""What ALTER COLUMN ... TYPE does to stored values: whether the table is rewritten, and whether a value may be lost."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from squads.gates.words import word_set

_ALIASES = {
    "int": "integer",
    "int4": "integer",
    "serial": "integer",
    "int8": "bigint",
    "bigserial": "bigint",
    "int2": "smallint",
    "smallserial": "smallint",
    "character varying": "varchar",
    "character": "char",
    "bpchar": "char",
    "decimal": "numeric",
    "dec": "numeric",
    "bool": "boolean",
    "float": "double precision",
    "float8": "double precision",
    "float4": "real",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "bit varying": "varbit",
}
_WHOLE = ("smallint", "integer", "bigint")
_TEXTS = word_set("text varchar char citext")
_FRACTIONS = ("real", "double precision")
_TIMES = word_set("timestamp timestamptz")
_MEASURED = word_set("timestamp timestamptz time timetz varbit interval")
_LOSSY = re.compile(
    r"\b(left|right|substr|substring|split_part|round|trunc|floor|ceil|ceiling|date_trunc|md5|sha256|hashtext"
    r"|regexp_replace|extract|date_part)\s*\(|::\s*(date|smallint|int2|real|float4|time)\b"
    r"|::\s*(character\s+varying|varchar|char|character|bpchar)\s*\(\s*\d+\s*\)|"
    r"\bas\s+((character\s+varying|varchar|char|character)\s*\(\s*\d+\s*\)|date|smallint|real)\s*\)",
    re.IGNORECASE,
)


class Type(NamedTuple):
    """A type and its length or digits."""

    name: str
    digits: tuple[int, ...] = ()
    array: bool = False


@lru_cache(maxsize=2048)
def read(text: str) -> Type:
    """Return a type in one spelling."""
    digits = tuple(int(d) for d in re.findall(r"-?\d+", (re.search(r"\(([^)]*)\)", text) or ["", ""])[1]))
    bare = " ".join(re.sub(r"\([^)]*\)", " ", text.lower()).replace("[]", " ").replace('"', "").split())
    bare = bare.removeprefix("pg_catalog.")
    name = _ALIASES.get(bare, bare)
    if name == "double precision" and bare == "float" and digits and digits[0] <= 24:
        name = "real"
    return Type(name, digits, "[" in text or bare.endswith(" array"))


def is_float(text: str) -> bool:
    """Return whether a type is a binary fraction."""
    return read(text).name in (*_FRACTIONS, "double")


def rewrites(old: str, new: str, using: str, column: str) -> bool | None:
    """Return whether the change of type rewrites or scans the table; None where that is not known.

    Args:
        old: The type before, empty where it is not known.
        new: The type after.
        using: The expression behind USING, empty where there is none.
        column: The column, to tell `USING column::type` from an expression that computes.
    """
    after = read(new)
    plain = _is_plain(using, column)
    if not plain:
        return True
    if not old:
        return None if after.name in _TEXTS or after.name == "numeric" else True
    before = read(old)
    if before == after:
        return False
    if before.array or after.array:
        return before.name != after.name or before.array != after.array
    if before.name in ("varchar", "text", "citext") and after.name in ("varchar", "text", "citext"):
        return bool(after.digits) and (not before.digits or before.digits[0] > after.digits[0])
    if before.name == after.name == "numeric":
        if not after.digits:
            return False
        if not before.digits:
            return True
        scales = [(d[1] if len(d) > 1 else 0) for d in (before.digits, after.digits)]
        return scales[0] != scales[1] or after.digits[0] < before.digits[0]
    if before.name == after.name and before.name in (
        "timestamp",
        "timestamptz",
        "time",
        "timetz",
        "varbit",
        "interval",
    ):
        return bool(after.digits) and (not before.digits or before.digits[0] > after.digits[0])
    return (before.name, after.name) not in (("cidr", "inet"), ("char", "char"))


def _is_plain(using: str, column: str) -> bool:
    """Return whether USING only names the column, or casts it."""
    if not using:
        return True
    bare = using.replace('"', "").replace(" ", "").lower()
    name = re.escape(column.lower())
    return re.fullmatch(rf"\(?{name}\)?(::[\w.]+(\([\d,]*\))?(\[\])?)?", bare) is not None or (
        re.fullmatch(rf"cast\({name}as[\w.]+(\([\d,]*\))?\)", bare) is not None
    )


def narrows(old: str, new: str, using: str) -> bool | None:
    """Return whether a stored value may be lost or no longer fit; None where the type before is not known."""
    after = read(new)
    if using and "*" in using and after.name in _WHOLE:
        return False  # amount * 100, as cents
    if using and _LOSSY.search(using):
        return True
    if not old:
        return None
    before = read(old)
    if before.array or after.array:
        return before.array != after.array and before.array
    if before.name in _TEXTS and after.name in _TEXTS:
        return bool(after.digits) and (not before.digits or before.digits[0] > after.digits[0])
    if before.name in _WHOLE and after.name in _WHOLE:
        return _WHOLE.index(before.name) > _WHOLE.index(after.name)
    if before.name == "numeric" and after.name == "numeric":
        if not after.digits or not before.digits:
            return bool(after.digits)
        whole = [d[0] - (d[1] if len(d) > 1 else 0) for d in (before.digits, after.digits)]
        scales = [(d[1] if len(d) > 1 else 0) for d in (before.digits, after.digits)]
        return whole[0] > whole[1] or scales[0] > scales[1]
    if before.name in ("numeric", "money", *_FRACTIONS) and after.name in _WHOLE:
        return not (before.name == "numeric" and len(before.digits) == 1)
    if before.name in ("numeric", "bigint") and after.name in _FRACTIONS:
        return True
    if before.name == "double precision" and after.name == "real":
        return True
    if before.name in _WHOLE and after.name == "numeric":
        room = {"smallint": 5, "integer": 10, "bigint": 19}[before.name]
        scale = after.digits[1] if len(after.digits) > 1 else 0
        return bool(after.digits) and after.digits[0] - scale < room and "/" not in using
    if before.name in _TIMES and after.name in ("date", "time"):
        return True
    if before.name == after.name and before.name in _TIMES:
        return bool(after.digits) and (not before.digits or before.digits[0] > after.digits[0])
    return bool(before.name in ("jsonb", "json", "text", "varchar") and after.name == "boolean")
