"""What Python's own functions make of plain values: those that wrap and unwrap texts, count, sort and replace."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
import textwrap
import urllib.parse
from collections.abc import Callable, Iterable

from squads.gates.secrets.pure import (
    ERRORS,
    GAP,
    ITEMS_MAX,
    UNKNOWN,
    Box,
    Thing,
    copied,
    hashable,
    known,
    operated,
    ordered,
    small,
    written,
)

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64.b64decode": lambda b: base64.b64decode(b),
    "base64.standard_b64decode": lambda b: base64.b64decode(b),
    "base64.decodebytes": lambda b: base64.b64decode(b),
    "base64.urlsafe_b64decode": lambda b: base64.urlsafe_b64decode(b + b"=" * (-len(b) % 4)),
    "base64.b32decode": lambda b: base64.b32decode(b),
    "base64.b16decode": lambda b: base64.b16decode(b, casefold=True),
    "base64.a85decode": lambda b: base64.a85decode(b),
    "base64.b85decode": lambda b: base64.b85decode(b),
    "binascii.a2b_base64": lambda b: binascii.a2b_base64(b),
    "binascii.unhexlify": lambda b: binascii.unhexlify(b),
    "binascii.a2b_hex": lambda b: binascii.unhexlify(b),
    "bytes.fromhex": lambda b: bytes.fromhex(b.decode()),
    "bytearray.fromhex": lambda b: bytes.fromhex(b.decode()),
}
"""Functions that make plain bytes of encoded ones."""

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64.b64encode": base64.b64encode,
    "base64.standard_b64encode": base64.b64encode,
    "base64.urlsafe_b64encode": base64.urlsafe_b64encode,
    "base64.b32encode": base64.b32encode,
    "base64.b16encode": base64.b16encode,
    "base64.b85encode": base64.b85encode,
    "base64.a85encode": base64.a85encode,
    "binascii.hexlify": lambda b: binascii.hexlify(b),
}
"""Functions that anybody can turn round."""


def called(names: Iterable[str], args: list[object], words: dict[str, object]) -> object:
    """Return what a function of Python's own gives for plain values."""
    for name in sorted(names):
        first = args[0] if args else None
        if name in DECODERS and args:
            text = written(first)
            try:
                return DECODERS[name](text.encode("latin-1")) if GAP not in text else UNKNOWN
            except ERRORS:
                return UNKNOWN
        if name in ENCODERS and args:
            text = written(first)
            return ENCODERS[name](text.encode("latin-1", "replace")) if GAP not in text else first
        if name in ("codecs.decode", "codecs.encode") and len(args) > 1:
            text, how = written(first), written(args[1])
            return codecs.decode(text, "rot13") if "rot" in how else _packed(text, how)
        try:
            found = _builtin(name, args, words)
        except (*ERRORS, re.error, RecursionError):
            found = UNKNOWN
        if found is not UNKNOWN:
            return small(found)
    return UNKNOWN


def _packed(text: str, how: str) -> object:
    try:
        return base64.b64decode(text) if "64" in how else bytes.fromhex(text) if "hex" in how else text
    except ERRORS:
        return UNKNOWN


def _builtin(name: str, args: list[object], words: dict[str, object]) -> object:
    first = args[0] if args else None
    listed = ordered(first)[:ITEMS_MAX] if isinstance(first, str | bytes | list | tuple | set | dict) else None
    match name:
        case "str" | "repr" | "ascii" | "pprint.pformat" | "json.dumps" | "textwrap.dedent" | "orjson.dumps" if args:
            return textwrap.dedent(written(first)) if "dedent" in name else written(first)
        case "bytes" | "bytearray" if isinstance(first, list | tuple) and known(first):
            return bytes(b for b in first if isinstance(b, int))
        case "bytes" | "bytearray" | "memoryview" if isinstance(first, str | bytes):
            return first
        case "len" if isinstance(first, str | bytes | list | tuple | set) and GAP not in written(first):
            return len(first)
        case "ord" if isinstance(first, str | bytes) and len(first) == 1:
            return ord(first)
        case "chr" if isinstance(first, int) and 0 <= first < 0x110000:
            return chr(first)
        case "int" if isinstance(first, str | int) and known(first) and len(str(first)) < 20:
            return int(first, *(a for a in args[1:2] if isinstance(a, int))) if isinstance(first, str) else first
        case "list" | "tuple" | "sorted" | "iter" if listed is not None:
            return (
                sorted(listed, key=written)
                if name == "sorted" and not words
                else tuple(listed)
                if name == "tuple"
                else listed
            )
        case "set" | "frozenset" if not args or listed is not None:
            return {e for e in listed or () if hashable(e)}
        case "reversed" if listed is not None:
            return list(reversed(listed))
        case "dict" | "collections.OrderedDict" | "copy.copy" | "copy.deepcopy":
            if isinstance(first, dict):
                return operated("BitOr", copied(first), Box(words))
            pairs = (
                listed
                if listed is not None and all(isinstance(p, tuple | list) and len(p) == 2 for p in listed)
                else []
            )
            return (
                Box({**{p[0]: p[1] for p in pairs if isinstance(p, tuple | list) and hashable(p[0])}, **words})
                if not args or pairs
                else UNKNOWN
            )
        case "zip" if args and all(isinstance(a, str | bytes | list | tuple) for a in args):
            return list(zip(*args, strict=False))
        case "enumerate" if listed is not None:
            return list(enumerate(listed))
        case "range" if args and all(isinstance(a, int) and abs(a) < 5_000 for a in args):
            numbers = [a for a in args if isinstance(a, int)]
            return list(range(*numbers))[:ITEMS_MAX]
        case "itertools.cycle" if listed:
            return (listed * ITEMS_MAX)[:ITEMS_MAX]
        case "itertools.chain" if args and all(isinstance(a, list | tuple | str) for a in args):
            return [e for a in args for e in a]  # type: ignore[attr-defined]  # all are sequences
        case "str.maketrans" if len(args) == 2 and known(*args):
            return str.maketrans(written(first), written(args[1]))
        case "urllib.parse.quote" | "urllib.parse.quote_plus" | "urllib.parse.unquote" if args:
            return written(first)
        case "urllib.parse.urlencode" if isinstance(first, dict):
            return "&".join(f"{written(k)}={written(v)}" for k, v in first.items())
        case "json.loads" if isinstance(first, str | bytes) and known(first) and first:
            return json.loads(first)
        case "re.search" | "re.match" | "re.fullmatch" if len(args) >= 2:
            return searched(first, args[1], name.rpartition(".")[2], folded=len(args) > 2 or bool(words))
        case "re.sub" if len(args) >= 3:
            return replaced(args[0], args[1], written(args[2]))
        case "shlex.join" if listed is not None:
            return " ".join(map(written, listed))
        case "shlex.quote":
            return written(first)
        case "os.path.join" | "posixpath.join":
            return "/".join(map(written, args))
    return UNKNOWN


def replaced(pattern: object, new: object, text: str) -> object:
    """Return `re.sub(pattern, new, text)`, where the pattern cannot take long; else what is not changed, the text."""
    source = pattern.text if isinstance(pattern, Thing) and pattern.kind == "pattern" else pattern
    if not isinstance(source, str) or GAP in source:
        return GAP  # it may well take the secret out
    if not quick(source) or len(text) > _letters_max(source):
        return GAP
    instead = new if isinstance(new, str) else "***"
    return re.sub(
        source, instead, text, flags=re.IGNORECASE if "(?i)" in source or getattr(pattern, "made_by", None) else 0
    )


def searched(pattern: object, text: object, how: str, *, folded: bool = False) -> object:
    """Return whether a pattern is found in a text; `UNKNOWN` where it could take long, or the text is not known."""
    source = pattern.text if isinstance(pattern, Thing) else pattern
    if not isinstance(source, str) or not isinstance(text, str) or not known(source, text) or not quick(source):
        return UNKNOWN
    if len(text) > _letters_max(source):
        return UNKNOWN
    folds = folded or bool(getattr(pattern, "made_by", None))
    try:
        return getattr(re, how)(source, text, re.IGNORECASE if folds else 0) is not None
    except re.error:
        return UNKNOWN


def quick(pattern: str) -> bool:
    """Return whether a pattern has no repetition within a repetition, and few of them."""
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern)
    if len(pattern) > 300 or re.search(r"\)(?:[*+]|\{\d+,)|\\\d|\(\?P=", bare):
        return False
    return len(re.findall(r"[*+]|\{\d+,", bare)) <= 5


def _letters_max(pattern: str) -> int:
    """Return how long a text may be for a pattern: each repetition may go through all of it once more."""
    return (2_000, 2_000, 800, 220, 110, 70)[min(len(re.findall(r"[*+]|\{\d+,", pattern)), 5)]


def address_of(text: str) -> Thing:
    """Return the parts of an address, by the names that libraries give them."""
    found = Thing("address", text)
    try:
        parts = urllib.parse.urlsplit(text)
        found.parts = {
            "scheme": parts.scheme, "drivername": parts.scheme, "netloc": parts.netloc, "path": parts.path,
            "query": parts.query, "hostname": parts.hostname or GAP, "host": parts.hostname or GAP,
            "port": parts.port, "username": parts.username or GAP, "user": parts.username or GAP,
            "password": parts.password or GAP, "database": parts.path.lstrip("/"), "fragment": "",
        }  # fmt: skip
    except ValueError:
        pass
    return found
