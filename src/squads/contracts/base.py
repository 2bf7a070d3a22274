"""What every contract has in common: frozen, keyword-only, unknown fields forbidden, no I/O.

Content (prose, bytes) and records (digests, opaque ids, enums, integers) are both contracts. Content is sealed: it
goes into a blob as canonical JSON with a random salt, so that its digest says nothing about it once it is erased.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from squads.contracts.errors import InvalidInput, SquadsError

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 as 64 lower-case hex digits."""

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""128 random bits as 32 lower-case hex digits; it carries no meaning."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]{0,63}$")]
"""What a person configured: a role, a gate, an invariant. Never free text, never written by a model."""

SALT_BYTES = 32


class Contract(BaseModel):
    """The base of all nouns: immutable, keyword-only, and strict about unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True, validate_default=False
    )

    def canonical(self) -> bytes:
        """Return the contract as canonical JSON. No contract has a float field; a test looks."""
        return _written(self.model_dump(mode="json"))

    def but(self, **changes: Any) -> Self:
        """Return a copy with `changes`, checked like a new one."""
        return type(self)(**{**{f: getattr(self, f) for f in type(self).model_fields}, **changes})


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of `content` as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def canonical(value: object) -> bytes:
    """Return `value` as JSON with sorted keys and no spaces. Floats are refused: what is signed is exact.

    Raises `InvalidInput` for text that is no text: a lone surrogate, as models write them, has no UTF-8.
    """
    if _has_float(value):
        raise TypeError("a float cannot be written canonically; use an integer with its unit in the name")
    return _written(value)


def _written(value: object) -> bytes:
    try:
        return _ENCODE(value).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"a lone surrogate (U+{ord(error.object[error.start]):04X}) cannot be written as UTF-8; leave it out"
        ) from None


_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_float(v) for v in value.values())
    if isinstance(value, (list, tuple)):
        return any(_has_float(v) for v in value)
    return isinstance(value, float)


class Content(Contract):
    """The base of what people and roles write by hand: a mistake raises `InvalidInput` as one readable sentence."""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise readable(error, type(self).__name__) from error


def readable(error: ValidationError, noun: str) -> SquadsError:
    """Return the error of ours that stands behind pydantic's, or an `InvalidInput` that names field and value."""
    lines = []
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, SquadsError):
            return cause
        where = ".".join(str(part) for part in (noun, *item["loc"]))
        got = repr(item["input"])
        lines.append(f"{where}: {item['msg']}" + ("" if item["type"] == "missing" else f" (got {got[:80]})"))
    return InvalidInput("; ".join(lines))


class Document(Content):
    """Content that receipts point at. Subclasses add a `kind` literal and their fields."""

    def seal(self, salt: bytes) -> tuple[str, bytes]:
        """Return (digest, blob): the document with its salt as canonical JSON, and what names it.

        The salt makes the digest a commitment: short prose cannot be guessed from it after erasure.
        """
        blob = _written({**self.model_dump(mode="json"), "salt": salt.hex()})
        return digest_of(blob), blob

    @classmethod
    def unseal(cls, blob: bytes) -> Self:
        """Return the document that `blob` holds. Raises `ValueError` when it is not one of this class."""
        fields = json_in(blob)
        if not isinstance(fields, dict):
            raise ValueError(f"not a sealed {cls.__name__}: the blob holds a {type(fields).__name__}")
        fields.pop("salt", None)
        return cls.model_validate(fields)


def json_in(blob: bytes) -> Any:
    """Return the JSON value in a blob, which comes from anybody. Raises `ValueError`, also for an ambiguous one.

    Of a key that stands twice, one reader takes the first value and another the last; a float is no integer.
    """
    try:
        return _DECODER.decode(blob.decode())
    except RecursionError:
        raise ValueError("the blob is nested without end") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object in the blob has a key twice")
    return found


def _no_float(literal: str) -> NoReturn:
    raise ValueError(f"{literal[:20]} in the blob is no integer")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
