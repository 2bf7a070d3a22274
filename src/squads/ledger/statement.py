"""Statements: what a receipt says, as the exact bytes its author signs.

DSSE v1 signs PAE(type, bytes); the bytes are an in-toto Statement v1. Writing is canonical so that equal
facts give equal bytes; reading never depends on it, but refuses everything that two readers could understand
differently: duplicate keys, floats, big integers, lone surrogates, deep nesting. This file must never repair
what it reads.

Source: DSSE protocol v1 (secure-systems-lab/dsse), in-toto Statement v1, RFC 7493 (I-JSON) for the number
bounds.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from squads.ledger.errors import Malformed
from squads.ledger.leaf import PAYLOAD_BYTES_MAX
from squads.ledger.types import KINDS

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
STATEMENT_VERSION: Final = 1
JSON_DEPTH_MAX: Final = 32
JSON_INTEGER_MAX: Final = 2**53 - 1
SUBJECTS_MAX: Final = 64
SUBJECT_NAME_CHARS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Statement:
    """What one receipt says about which bytes."""

    kind: str
    """A name of `squads.ledger.types.KINDS`."""
    version: int
    subjects: tuple[tuple[str, str], ...]
    """(name, SHA-256 as 64 hex digits), at least one, as in-toto demands."""
    predicate: dict[str, Any]
    """Digests, opaque ids, enums and integers. Frozen by agreement: readers never change it."""


def predicate_type(kind: str, version: int = STATEMENT_VERSION) -> str:
    """Return the in-toto predicateType of a receipt kind."""
    return f"urn:squads:{kind}:v{version}"


_KIND_BY_TYPE: Final = {predicate_type(kind): kind for kind in KINDS}
_SHA256_HEX: Final = re.compile(r"[0-9a-f]{64}")


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: the bytes that are signed for this type and payload."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def statement_bytes(kind: str, subjects: Iterable[tuple[str, str]], predicate: dict[str, Any]) -> bytes:
    """Return the payload that says `predicate` about `subjects`; equal facts give equal bytes.

    Args:
        kind: A name of `squads.ledger.types.KINDS`.
        subjects: (name, SHA-256 as 64 hex digits) pairs, 1 to 64, names unique. A receipt that is about no
            artifact names what it belongs to: the packet or the workspace, by the digest of what opened it.
        predicate: Strings, integers, booleans, null, lists and objects of them.

    Raises:
        Malformed: An unknown kind, a bad subject, a float, or more than 48 KiB.
    """
    if kind not in KINDS:
        raise Malformed(f"{kind!r} is no receipt kind; known: {', '.join(KINDS)}")
    pairs = tuple(subjects)
    _check_subjects(pairs)
    payload = canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in pairs],
            "predicateType": predicate_type(kind),
            "predicate": predicate,
        }
    )
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Malformed(f"a statement of {len(payload)} bytes is over {PAYLOAD_BYTES_MAX}; put prose in a blob")
    return payload


def parse_statement(payload: bytes) -> Statement:
    """Return the statement in `payload`.

    Raises `Malformed`, also for an unknown type, kind, version or field.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Malformed(f"a statement of {len(payload)} bytes is over the bound of {PAYLOAD_BYTES_MAX}")
    value = strict_json(payload)
    if type(value) is not dict or value.keys() != _STATEMENT_FIELDS:
        raise Malformed("a statement has exactly the fields _type, predicate, predicateType, subject")
    if value["_type"] != STATEMENT_TYPE:
        raise Malformed("the statement's _type is not in-toto Statement v1")
    named = value["predicateType"]
    kind = _KIND_BY_TYPE.get(named) if type(named) is str else None
    if kind is None:
        raise Malformed(f"unknown predicateType {str(named)[:80]!r}")
    predicate = value["predicate"]
    if type(predicate) is not dict:
        raise Malformed("the predicate is not an object")
    listed = value["subject"]
    if type(listed) is not list:
        raise Malformed("the subject is not a list")
    subjects = []
    for subject in listed:
        if type(subject) is not dict or subject.keys() != _SUBJECT_FIELDS:
            raise Malformed("a subject has exactly the fields digest and name")
        digest = subject["digest"]
        if type(digest) is not dict or digest.keys() != _DIGEST_FIELDS:
            raise Malformed("a subject's digest is one sha256")
        subjects.append((subject["name"], digest["sha256"]))
    pairs = tuple(subjects)
    _check_subjects(pairs)
    return Statement(kind, STATEMENT_VERSION, pairs, predicate)


_STATEMENT_FIELDS: Final = {"_type", "predicate", "predicateType", "subject"}
_SUBJECT_FIELDS: Final = {"digest", "name"}
_DIGEST_FIELDS: Final = {"sha256"}


def _check_subjects(subjects: tuple[tuple[Any, Any], ...]) -> None:
    if not 1 <= len(subjects) <= SUBJECTS_MAX:
        raise Malformed(f"a statement has 1 to {SUBJECTS_MAX} subjects, this one {len(subjects)}")
    for name, digest in subjects:
        if not isinstance(name, str) or not 1 <= len(name) <= SUBJECT_NAME_CHARS_MAX:
            raise Malformed(f"a subject's name has 1 to {SUBJECT_NAME_CHARS_MAX} characters")
        if not isinstance(digest, str) or _SHA256_HEX.fullmatch(digest) is None:
            raise Malformed("a subject's digest is 64 lower-case hex digits")
    if len(subjects) > 1 and len({name for name, _ in subjects}) != len(subjects):
        raise Malformed("two subjects have one name")


# Writing ---------------------------------------------------------------------------------------------------

_ENCODE: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical_json(value: object) -> bytes:
    """Return `value` as JSON with sorted keys and no spaces.

    Raises `Malformed` for what `strict_json` would refuse.
    """
    _check_value(value, 1)
    try:
        return _ENCODE(value).encode()
    except UnicodeEncodeError:
        raise Malformed("a lone surrogate cannot be written as UTF-8") from None


def _check_value(value: object, depth: int) -> None:
    """Refuse what has no exact or no single JSON form. It bounds the depth, so it also ends on a circle."""
    if isinstance(value, dict):
        if depth > JSON_DEPTH_MAX:
            raise Malformed(f"nested deeper than {JSON_DEPTH_MAX}")
        for key, item in value.items():
            if type(key) is not str or not (key.isascii() or unicodedata.is_normalized("NFC", key)):
                raise Malformed(f"an object's keys are NFC strings, not {key!r:.40}")
            if type(item) is not str:
                _check_value(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        if depth > JSON_DEPTH_MAX:
            raise Malformed(f"nested deeper than {JSON_DEPTH_MAX}")
        for item in value:
            if type(item) is not str:
                _check_value(item, depth + 1)
    elif isinstance(value, int):
        if not -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
            raise Malformed("an integer beyond 2^53 - 1 is not the same number everywhere; write it as a string")
    elif isinstance(value, float):
        raise Malformed("a float has no exact form; use an integer with its unit in the name")
    elif value is not None and not isinstance(value, str):
        raise Malformed(f"{type(value).__name__} has no JSON form")


# Reading ---------------------------------------------------------------------------------------------------


def strict_json(data: bytes) -> Any:
    """Return the JSON value in `data`; raise `Malformed` for all that two readers could read differently."""
    try:
        text = data.decode()
        value, end = _DECODER.raw_decode(text) if text.startswith("{") else (None, -1)
        if end != len(text):
            value = _DECODER.decode(text)
    except Malformed:
        raise
    except UnicodeDecodeError:
        raise Malformed("not valid UTF-8") from None
    except RecursionError:
        raise Malformed(f"nested deeper than {JSON_DEPTH_MAX}") from None
    except ValueError as error:
        raise Malformed(f"not JSON: {error}") from None
    # Few brackets cannot nest deeply, and ASCII without escapes has neither surrogates nor unnormalised keys:
    # the second walk is for the rare document only.
    exotic = "\\" in text or not text.isascii()
    if exotic or text.count("{") + text.count("[") > JSON_DEPTH_MAX:
        _check_value(value, 1)
        if exotic:
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise Malformed("a lone surrogate is no character") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("an object has a key twice")
    return found


def _exact(digits: str) -> int:
    # Sixteen digits and a sign are the most that can lie within the bound; longer ones are not even
    # converted.
    value = int(digits) if len(digits) <= 17 else JSON_INTEGER_MAX + 1
    if not -JSON_INTEGER_MAX <= value <= JSON_INTEGER_MAX:
        raise Malformed("an integer lies beyond 2^53 - 1")
    return value


def _no_float(literal: str) -> NoReturn:
    raise Malformed(f"{literal[:20]} is a float or no number; only integers are exact")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_exact, parse_float=_no_float, parse_constant=_no_float
)
