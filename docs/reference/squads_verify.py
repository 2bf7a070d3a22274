"""Verify a bundle of one packet offline: one file that needs only Python 3.11 and the package `cryptography`.

    python squads_verify.py BUNDLE --trust trust.json [--seen NOTE ...] [--json]

Exit code 0: no check failed. 1: one did. 2: it could not be found out.
`trust.json` must come from somebody you believe, by another way than the bundle; a bundle never brings its own.
The checks are named in `BUNDLE_CHECKS` below, and each is reported for itself.

This file is joined from src/squads/ledger by docs/build_verifier.py: change those and build it again.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import unicodedata
from argparse import ArgumentParser
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, NoReturn

# --- errors -----------------------------------------------------------------------------------------------------------
# The ledger's own errors, so that these files work alone, far from the rest of squads. They must never carry content: a
# message names positions, sizes, key ids and digests, nothing a person wrote.


class Malformed(ValueError):
    """A frame, statement, note or key that is not what its place demands. Nothing was accepted."""


class Unauthorised(Malformed):
    """A well-formed receipt signed by a key that may not say this, or not at this index."""


# --- types ------------------------------------------------------------------------------------------------------------
# The one table of receipt kinds: in which stream each stands, which way it goes, and whose key may sign it. Kernel,
# verifier, diagrams and documents read this table; nothing may keep a second one. It must never grow logic: a rule that
# needs more than a role's kind belongs to the kernel.

StreamKind = Literal["workspace", "packet"]
Direction = Literal["input", "output"]

BARE_ROLES: Final = frozenset({"root", "runner", "program"})
"""Role kinds that stand alone: a workspace has them once, by key and not by name."""
NAMED_ROLES: Final = frozenset({"coordinator", "builder", "gate", "human"})
"""Role kinds that are written `<kind>:<name>`."""
ROLE_KINDS: Final = BARE_ROLES | NAMED_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the table."""

    name: str
    stream: StreamKind
    """Whose history it belongs to."""
    direction: Direction
    """An input is signed by its author and fed to replay;

    An output is signed by the runner and demanded of it.
    """
    signers: frozenset[str]
    """The role kinds that may sign it."""


_TABLE: Final[tuple[tuple[str, StreamKind, Direction, frozenset[str]], ...]] = (
    # The workspace's own stream. All are inputs: authority comes from outside the rules.
    ("log-open", "workspace", "input", frozenset({"root"})),
    ("key-event", "workspace", "input", frozenset({"root"})),
    ("grant", "workspace", "input", frozenset({"root"})),
    ("policy", "workspace", "input", frozenset({"root"})),
    ("calibration", "workspace", "input", frozenset({"root", "human"})),
    # Only a person decides that somebody's content goes.
    ("erasure", "workspace", "input", frozenset({"human"})),
    # Anyone may stop, only a person lifts.
    ("stop", "workspace", "input", ROLE_KINDS),
    ("lift", "workspace", "input", frozenset({"human"})),
    # A packet's stream, inputs.
    ("opened", "packet", "input", frozenset({"human", "program"})),
    ("plan", "packet", "input", frozenset({"coordinator"})),
    ("objection", "packet", "input", frozenset({"coordinator", "builder"})),
    ("artifact", "packet", "input", frozenset({"builder"})),
    ("verdict", "packet", "input", frozenset({"gate"})),
    ("acceptance", "packet", "input", frozenset({"coordinator"})),
    ("answer", "packet", "input", frozenset({"human"})),
    ("waiver", "packet", "input", frozenset({"human"})),
    # What only the runner can observe, and replay cannot derive.
    ("fault", "packet", "input", frozenset({"runner"})),
    ("deadline", "packet", "input", frozenset({"runner"})),
    # A packet's stream, outputs: replay must produce the same.
    ("assignment", "packet", "output", frozenset({"runner"})),
    ("ticket", "packet", "output", frozenset({"runner"})),
    ("question", "packet", "output", frozenset({"runner"})),
    ("composition", "packet", "output", frozenset({"runner"})),
    ("equivocation", "packet", "output", frozenset({"runner"})),
    ("finish", "packet", "output", frozenset({"runner"})),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        name: Kind(name=name, stream=stream, direction=direction, signers=signers)
        for name, stream, direction, signers in _TABLE
    }
)
"""Every receipt kind by name. A kind that is not here is refused everywhere."""


# --- leaf -------------------------------------------------------------------------------------------------------------
# The leaf: the bytes of one receipt as the tree hashes them, and the only frame that is ever hashed. The signed bytes
# stand inside unchanged, so nothing is ever canonicalised again to be verified. Decoding is strict: for each leaf there
# is exactly one sequence of bytes. This file must never read JSON or look at a clock.

LEAF_MAGIC: Final = b"squads.receipt/v1\n"
LEAF_BYTES_MAX: Final = 65_535
PAYLOAD_BYTES_MAX: Final = 48 * 1024
PAYLOAD_TYPE_BYTES_MAX: Final = 255
SIGNATURE_BYTES_MAX: Final = 8_192
"""Room for ML-DSA; an Ed25519 signature has 64."""
ZERO_HASH: Final = bytes(32)
"""`prev` of the first leaf."""

_LEAF_HEAD: Final = struct.Struct(">18sQ32sQH")
_U32: Final = struct.Struct(">I")
_U16: Final = struct.Struct(">H")


class Leaf(NamedTuple):
    """One decoded leaf."""

    seq: int
    prev: bytes
    time_ms: int
    payload_type: str
    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]
    """(32-byte key id, signature), sorted by key id."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the RFC 6962 leaf hash: SHA-256 of a zero byte and the leaf."""
    return sha256(b"\0" + leaf).digest()


def decode_leaf(data: bytes) -> Leaf:
    """Return the leaf that `data` frames, or raise `Malformed`; `encode_leaf` of it gives `data` again."""
    size = len(data)
    # 1. The head, and with it the version.
    if size > LEAF_BYTES_MAX:
        raise Malformed(f"{size} bytes are over the bound of {LEAF_BYTES_MAX}")
    if size < _LEAF_HEAD.size:
        raise Malformed(f"{size} bytes are too few for a leaf")
    magic, seq, prev, time_ms, length = _LEAF_HEAD.unpack_from(data)
    if magic != LEAF_MAGIC:
        raise Malformed("does not begin as a squads receipt of version 1")
    if (prev == ZERO_HASH) != (seq == 0):
        raise Malformed("prev is zero at seq 0 and nowhere else")
    # 2. Type and payload, each within its bound and within the bytes that are there.
    at = _LEAF_HEAD.size + length
    if not 1 <= length <= PAYLOAD_TYPE_BYTES_MAX or at + 4 > size:
        raise Malformed(f"payload type: {length} bytes are out of bounds")
    name = data[_LEAF_HEAD.size : at]
    if name != _COMMON_TYPE and not _is_payload_type(name):
        raise Malformed("payload type: only printable ASCII without spaces")
    (length,) = _U32.unpack_from(data, at)
    start = at + 4
    at = start + length
    if length > PAYLOAD_BYTES_MAX or at + 1 > size:
        raise Malformed(f"payload: {length} bytes are out of bounds")
    payload = data[start:at]
    # 3. Signatures, ascending, and not one byte after the last.
    count = data[at]
    at += 1
    if count == 0:
        raise Malformed("no signature")
    signatures = []
    before = b""
    for number in range(count):
        start = at + 34
        if start > size:
            raise Malformed(f"signature {number} is cut off")
        key = data[at : at + 32]
        (length,) = _U16.unpack_from(data, at + 32)
        at = start + length
        if not 1 <= length <= SIGNATURE_BYTES_MAX or at > size:
            raise Malformed(f"signature {number}: {length} bytes are out of bounds")
        if key <= before:
            raise Malformed(f"signature {number}: key ids must ascend, each at most once")
        signatures.append((key, data[start:at]))
        before = key
    if at != size:
        raise Malformed(f"{size - at} bytes stand after the last signature")
    return Leaf(seq, prev, time_ms, name.decode("ascii"), payload, tuple(signatures))


_COMMON_TYPE: Final = b"application/vnd.in-toto+json"


def _is_payload_type(name: bytes) -> bool:
    return all(0x21 <= byte <= 0x7E for byte in name)


# --- merkle -----------------------------------------------------------------------------------------------------------
# The Merkle tree of RFC 6962, as the few hashes at its right edge. Only full subtrees are kept; whoever stores the
# nodes that `extend` returns can later make every inclusion and consistency proof without reading a leaf. This file
# must never touch a leaf's content.

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of the tree without leaves."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of a one byte and both children."""
    return sha256(b"\1" + left + right).digest()


# --- statement --------------------------------------------------------------------------------------------------------
# Statements: what a receipt says, as the exact bytes its author signs. DSSE v1 signs PAE(type, bytes); the bytes are an
# in-toto Statement v1. Writing is canonical so that equal facts give equal bytes; reading never depends on it, but
# refuses everything that two readers could understand differently: duplicate keys, floats, big integers, lone
# surrogates, deep nesting. This file must never repair what it reads.

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


# --- keys -------------------------------------------------------------------------------------------------------------
# Keys: their ids, how a signature is checked, and who was allowed to say what at which index of the log. The registry
# is the replay of the log's own key events by index, never by clock. It must never be changed in place, and an event
# that its signers may not make is refused, not skipped.

ALGORITHM: Final = "ed25519"
ALGORITHM_BYTE: Final = b"\x01"
LOG_FORMAT: Final = 1
CUSTODIES: Final = frozenset({"in-process", "daemon", "kms", "hsm"})
REVOCATION_REASONS: Final = frozenset({"compromised", "lost", "retired", "superseded"})
KEYS_MAX: Final = 65_536
ROLES_MAX: Final = 64
INDEX_MAX: Final = 2**53 - 1

_PRIME: Final = 2**255 - 19
_CURVE_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
_LOW_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
_ROLE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SUBJECT_ID: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,127}", re.ASCII)
_KEY_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def key_id(public_key: bytes) -> bytes:
    """Return the 32-byte id of an Ed25519 public key."""
    return sha256(b"squads.key/v1\n" + ALGORITHM_BYTE + public_key).digest()


def check_public_key(public_key: bytes) -> None:
    """Raise `Malformed` unless this is the canonical form of an Ed25519 point that is not of low order."""
    if len(public_key) != 32:
        raise Malformed(f"an Ed25519 public key has 32 bytes, this one {len(public_key)}")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _PRIME:
        raise Malformed("the public key is not in its canonical encoding")
    if y in _LOW_ORDER_Y:
        raise Malformed("the public key is of low order: it would verify signatures nobody made")
    # On the curve, (y^2 - 1) / (d y^2 + 1) is the square of x; Euler's criterion says whether it is a square.
    square = (y * y - 1) * pow(_CURVE_D * y * y + 1, -1, _PRIME) % _PRIME
    if pow(square, (_PRIME - 1) // 2, _PRIME) != 1:
        raise Malformed("the public key is no point of the curve")


def verify_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether `signature` is `public_key`'s over `message`: RFC 8032, cofactorless, as in OpenSSL.

    The key was checked when it was registered; a malformed one verifies nothing.
    """
    verifier = _verifier(public_key)
    if verifier is None or len(signature) != 64:
        return False
    try:
        verifier[0](signature, message)
    except verifier[1]:
        return False
    return True


@lru_cache(maxsize=4096)
def _verifier(public_key: bytes) -> tuple[Any, type[Exception]] | None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(public_key).verify, InvalidSignature
    except ValueError:
        return None


def parse_role(role: str) -> tuple[str, str]:
    """Return (kind, name) of a role such as `runner` or `gate:security`.

    The name is empty for a bare role. Raises `Malformed`.
    """
    kind, colon, name = role.partition(":")
    if (kind in BARE_ROLES and not colon) or (kind in NAMED_ROLES and _ROLE_NAME.fullmatch(name)):
        return kind, name
    bare, named = ", ".join(sorted(BARE_ROLES)), ", ".join(sorted(f"{kind}:NAME" for kind in NAMED_ROLES))
    raise Malformed(f"{role[:80]!r} is no role; roles are {bare} and {named}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """One key and where in the log it may speak."""

    public_key: bytes
    subject: str
    """The opaque id of who holds it."""
    roles: frozenset[str]
    custody: str
    from_index: int
    """The first index at which it may sign."""
    until_index: int | None = None
    """The first index at which it may no longer: rotated away, or suspect from here on."""
    kinds: frozenset[str]
    """The receipt kinds its roles may sign."""
    successor: bytes | None = None
    """The key id that it was rotated to."""
    revoked: str = ""
    """Why it was revoked, by the newest event that says so; empty while it was not."""
    ended_by: int | None = None
    """The index of the newest event that rotated or revoked it."""

    def holds_at(self, index: int) -> bool:
        """Say whether it may speak at `index`."""
        return self.from_index <= index and (self.until_index is None or index < self.until_index)


@dataclass(frozen=True, slots=True)
class Registry:
    """Who may sign what, as of one index of the log. Immutable: an event gives a new registry."""

    origin: str
    workspace: str
    log_public_key: bytes
    keys: Mapping[bytes, RegisteredKey]
    """By key id. Read only."""

    @classmethod
    def open(cls, predicate: Mapping[str, Any], signers: Collection[bytes]) -> Registry:
        """Return the registry after entry 0. Raises `Malformed` or, unless only its roots signed, `Unauthorised`.

        That the roots are the right ones is for the caller to know: compare with `trust.json`.
        """
        if predicate.get("format") != LOG_FORMAT or type(predicate.get("format")) is not int:
            raise Malformed(f"log-open: format {predicate.get('format')!r} is not {LOG_FORMAT}")
        roots = predicate.get("root_public_keys")
        if not isinstance(roots, list) or not 1 <= len(roots) <= 16:
            raise Malformed("log-open: root_public_keys lists 1 to 16 keys")
        log_key = _public_key_in(predicate, "log_public_key")
        keys: dict[bytes, RegisteredKey] = {}
        for number, _ in enumerate(roots):
            public = _public_key_in({"root_public_keys": roots[number]}, "root_public_keys")
            if public == log_key or key_id(public) in keys:
                raise Malformed("log-open: roots and log key must all differ")
            keys[key_id(public)] = RegisteredKey(
                public_key=public,
                subject="root",
                roles=frozenset({"root"}),
                custody="in-process",
                from_index=0,
                kinds=_kinds_of({"root"}),
            )
        if not signers or not keys.keys() >= set(signers):
            raise Unauthorised("log-open: must be signed by the roots it names, and by nobody else")
        return cls(_text_in(predicate, "origin"), _text_in(predicate, "workspace"), log_key, keys)

    def apply(self, predicate: Mapping[str, Any], index: int, signers: Collection[bytes]) -> Registry:
        """Return the registry after the key event at `index`. Raises `Malformed` or `Unauthorised`.

        Args:
            predicate: The statement's predicate.
            index: The receipt's seq.
            signers: The key ids whose signatures were verified.
        """
        roots = {signer for signer in signers if "root" in self.roles_of(signer, index)}
        if not roots:
            raise Unauthorised(f"key event {index}: not signed by a root")
        event = predicate.get("event")
        if event == "register":
            return self._register(predicate, index, set(signers), roots)
        if event == "rotate":
            return self._rotate(predicate, index, set(signers), roots)
        if event == "revoke":
            return self._revoke(predicate, index, set(signers), roots)
        raise Malformed(f"key event {index}: {event!r:.40} is none of register, rotate, revoke")

    def roles_of(self, key: bytes, index: int) -> frozenset[str]:
        """Return the roles that `key` held at `index`; none for an unknown, rotated or suspect key."""
        found = self.keys.get(key)
        return found.roles if found is not None and found.holds_at(index) else frozenset()

    def public_key(self, key: bytes) -> bytes | None:
        """Return the public key of a key id, whether or not it still holds a role.

        None for a key id that was never registered.
        """
        found = self.keys.get(key)
        return None if found is None else found.public_key

    def authorised(self, key: bytes, kind: str, index: int) -> bool:
        """Say whether `key` could sign a receipt of `kind` at `index`, by the table in `types`."""
        found = self.keys.get(key)
        return found is not None and kind in found.kinds and found.holds_at(index)

    def may_sign(self, signers: Collection[bytes], kind: str, index: int, predicate: Mapping[str, Any]) -> bool:
        """Say whether exactly these keys could sign such a receipt at `index`: each of them, not just one.

        The one exception: a rotation is also signed by the key it retires, which need not be a root.
        """
        extra = predicate.get("old_key") if kind == "key-event" and predicate.get("event") == "rotate" else None
        return bool(signers) and all(
            self.authorised(key, kind, index) or (key.hex() == extra and self.roles_of(key, index) != frozenset())
            for key in signers
        )

    def _register(self, predicate: Mapping[str, Any], index: int, signers: set[bytes], roots: set[bytes]) -> Registry:
        _only_fields(predicate, index, _REGISTER_FIELDS)
        if signers != roots:
            raise Unauthorised(f"key event {index}: a registration is signed by roots only")
        roles = predicate["roles"]
        if not isinstance(roles, list) or not 1 <= len(roles) <= ROLES_MAX or len(set(map(str, roles))) != len(roles):
            raise Malformed(f"key event {index}: roles lists 1 to {ROLES_MAX} different roles")
        role_kinds = {parse_role(str(role))[0] for role in roles}
        subject = _text_in(predicate, "subject")
        return self._with(
            predicate,
            index,
            RegisteredKey(
                public_key=_public_key_in(predicate, "public_key"),
                subject=subject,
                roles=frozenset(map(str, roles)),
                custody=_custody_in(predicate),
                from_index=max(index + 1, _index_in(predicate, "not_before_index")),
                kinds=_kinds_of(role_kinds),
            ),
        )

    def _rotate(self, predicate: Mapping[str, Any], index: int, signers: set[bytes], roots: set[bytes]) -> Registry:
        _only_fields(predicate, index, _ROTATE_FIELDS)
        old = _key_in(predicate, "old_key")
        found = self.keys.get(old)
        if found is None or not found.holds_at(index):
            raise Malformed(f"key event {index}: the key to rotate holds no role at this index")
        if signers != roots | {old}:
            raise Unauthorised(f"key event {index}: a rotation is signed by the old key and a root, nobody else")
        # A second rotation before the first one took effect would give two successors.
        if found.until_index is not None:
            raise Malformed(f"key event {index}: the key to rotate already has an end")
        fresh = replace(
            found,
            public_key=_public_key_in(predicate, "public_key"),
            custody=_custody_in(predicate),
            from_index=max(index + 1, _index_in(predicate, "not_before_index")),
        )
        grown = self._with(predicate, index, fresh)
        ended = replace(found, until_index=fresh.from_index, successor=key_id(fresh.public_key), ended_by=index)
        return replace(grown, keys={**grown.keys, old: ended})

    def _revoke(self, predicate: Mapping[str, Any], index: int, signers: set[bytes], roots: set[bytes]) -> Registry:
        _only_fields(predicate, index, _REVOKE_FIELDS)
        if signers != roots:
            raise Unauthorised(f"key event {index}: a revocation is signed by roots only")
        if predicate["reason"] not in REVOCATION_REASONS:
            raise Malformed(f"key event {index}: the reason is one of {', '.join(sorted(REVOCATION_REASONS))}")
        key = _key_in(predicate, "key")
        found = self.keys.get(key)
        if found is None:
            raise Malformed(f"key event {index}: the key to revoke was never registered")
        # Never later than now: a revocation takes effect at once, or reaches back.
        since = _index_in(predicate, "suspect_from_index")
        if since > index + 1:
            raise Malformed(f"key event {index}: suspect_from_index lies ahead; revoke at the latest from {index + 1}")
        if "root" in found.roles and not any(
            "root" in other.roles and other.until_index is None for known, other in self.keys.items() if known != key
        ):
            raise Malformed(f"key event {index}: the last root is not revoked, or nobody could speak of keys any more")
        until = since if found.until_index is None else min(since, found.until_index)
        ended = replace(found, until_index=until, revoked=predicate["reason"], ended_by=index)
        return replace(self, keys={**self.keys, key: ended})

    def _with(self, predicate: Mapping[str, Any], index: int, fresh: RegisteredKey) -> Registry:
        key = _key_in(predicate, "key")
        if predicate["alg"] != ALGORITHM:
            raise Malformed(f"key event {index}: alg is {ALGORITHM!r}")
        if key != key_id(fresh.public_key):
            raise Malformed(f"key event {index}: the key id does not belong to the public key")
        if key in self.keys or fresh.public_key == self.log_public_key:
            raise Malformed(f"key event {index}: this key is already in use; a key is registered once, for one thing")
        if len(self.keys) >= KEYS_MAX:
            raise Malformed(f"key event {index}: a log holds at most {KEYS_MAX} keys")
        return replace(self, keys={**self.keys, key: fresh})


_REGISTER_FIELDS: Final = frozenset(
    {"event", "key", "public_key", "alg", "subject", "roles", "custody", "not_before_index"}
)
_ROTATE_FIELDS: Final = frozenset({"event", "old_key", "key", "public_key", "alg", "custody", "not_before_index"})
_REVOKE_FIELDS: Final = frozenset({"event", "key", "reason", "suspect_from_index"})


def _kinds_of(role_kinds: Collection[str]) -> frozenset[str]:
    return frozenset(kind.name for kind in KINDS.values() if not kind.signers.isdisjoint(role_kinds))


def _only_fields(predicate: Mapping[str, Any], index: int, fields: frozenset[str]) -> None:
    if predicate.keys() != fields:
        odd = ", ".join(sorted(predicate.keys() ^ fields))
        raise Malformed(f"key event {index}: missing or unknown fields: {odd[:200]}")


def public_key_of(said: object, what: str) -> bytes:
    """Return the public key that 64 lower-case hex digits name; `what` begins the error. Raises `Malformed`."""
    public = _hex_of(said, what)
    check_public_key(public)
    return public


def _public_key_in(predicate: Mapping[str, Any], field: str) -> bytes:
    return public_key_of(predicate.get(field), field)


def _key_in(predicate: Mapping[str, Any], field: str) -> bytes:
    return _hex_in(predicate, field)


def _hex_in(predicate: Mapping[str, Any], field: str) -> bytes:
    return _hex_of(predicate.get(field), field)


def _hex_of(said: object, what: str) -> bytes:
    # `bytes.fromhex` passes over spaces and takes capitals: one key would have many spellings.
    if not isinstance(said, str) or _KEY_HEX.fullmatch(said) is None:
        raise Malformed(f"{what} is 64 lower-case hex digits")
    return bytes.fromhex(said)


def _text_in(predicate: Mapping[str, Any], field: str) -> str:
    value = predicate.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isprintable():
        raise Malformed(f"{field} is a string of 1 to 255 printable characters")
    if field == "subject" and _SUBJECT_ID.fullmatch(value) is None:
        raise Malformed("subject is an opaque id: lower-case letters, digits and . _ : -")
    return value


def _custody_in(predicate: Mapping[str, Any]) -> str:
    custody = predicate["custody"]
    if not isinstance(custody, str) or custody not in CUSTODIES:
        raise Malformed(f"custody is one of {', '.join(sorted(CUSTODIES))}")
    return custody


def _index_in(predicate: Mapping[str, Any], field: str) -> int:
    value = predicate.get(field)
    if type(value) is not int or not 0 <= value <= INDEX_MAX:
        raise Malformed(f"{field} is an index of the log, an integer from 0")
    return value


# --- note -------------------------------------------------------------------------------------------------------------
# Signed notes: lines of text with signatures under them, as Go's checksum database and C2SP write them. It must never
# accept a note on the word of a name: only a signature by a key that the caller already trusts counts. Signatures by
# other keys, witnesses for instance, are allowed and not judged here.

NOTE_ED25519: Final = b"\x01"
"""The signature type of a plain Ed25519 signature over the note's text."""
NOTE_BYTES_MAX: Final = 128 * 1024
"""Room for sixteen signatures of the largest kind that notes carry, as C2SP asks."""
NOTE_SIGNATURES_MAX: Final = 64

_NAME: Final = re.compile(r"[^\s+]{1,255}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH: Final = "\u2014 "


class VerifierKey(NamedTuple):
    """What a vkey says: whose signature counts, and with which key."""

    name: str
    public_key: bytes
    """The raw 32-byte Ed25519 public key."""


class Note(NamedTuple):
    """A note that was read but not verified."""

    text: str
    """What is signed; ends with a newline."""
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """(key name, 4-byte key hash, signature)."""


@lru_cache(maxsize=256)
def note_key_hash(name: str, public_key: bytes) -> bytes:
    """Return the 4 bytes by which a note's signature line names its Ed25519 key."""
    return sha256(name.encode() + b"\n" + NOTE_ED25519 + public_key).digest()[:4]


def encode_vkey(name: str, public_key: bytes) -> str:
    """Return `<name>+<hash>+<base64 key>`, the form in which a verifier is told a key. Raises `Malformed`."""
    check_note_name(name)
    check_public_key(public_key)
    key = b64encode(NOTE_ED25519 + public_key).decode()
    return f"{name}+{note_key_hash(name, public_key).hex()}+{key}"


def parse_vkey(vkey: str) -> VerifierKey:
    """Return the key that `vkey` names. Raises `Malformed` for anything but a whole Ed25519 vkey."""
    # The base64 may itself hold a plus sign; the name and the hash never do.
    parts = vkey.split("+", 2)
    if len(parts) != 3:
        raise Malformed("a vkey has the form <name>+<hash>+<base64 key>")
    name, key_hash, encoded = parts
    check_note_name(name)
    key = strict_base64(encoded)
    if len(key) != 33 or key[:1] != NOTE_ED25519:
        raise Malformed("the vkey is not of an Ed25519 key (type 1)")
    check_public_key(key[1:])
    if key_hash != note_key_hash(name, key[1:]).hex():
        raise Malformed("the vkey's hash does not belong to its name and key")
    return VerifierKey(name, key[1:])


def parse_note(note: str) -> Note:
    """Return the note's text and signature lines, unverified. Raises `Malformed`."""
    if len(note) > NOTE_BYTES_MAX or len(note.encode(errors="replace")) > NOTE_BYTES_MAX:
        raise Malformed(f"a note is at most {NOTE_BYTES_MAX} bytes")
    text, blank, below = note.rpartition("\n\n")
    if not blank or not below.endswith("\n"):
        raise Malformed("a note is text, an empty line, and signature lines that end with a newline")
    text += "\n"
    _check_note_text(text)
    lines = below[:-1].split("\n")
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise Malformed(f"a note has at most {NOTE_SIGNATURES_MAX} signatures")
    signatures = []
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise Malformed("a signature line is an em dash, a name and base64")
        check_note_name(name)
        raw = strict_base64(encoded)
        if len(raw) < 5:
            raise Malformed("a signature line is too short")
        signatures.append((name, raw[:4], raw[4:]))
    return Note(text, tuple(signatures))


def verify_note(note: str, vkey: VerifierKey) -> str:
    """Return the text of `note` if the key signed it.

    Raises `Malformed` if it did not, or signed something else.
    """
    text, signatures = parse_note(note)
    wanted = (vkey.name, note_key_hash(vkey.name, vkey.public_key))
    found = [signature for name, key_hash, signature in signatures if (name, key_hash) == wanted]
    if not found:
        raise Malformed(f"the note carries no signature by {vkey.name}")
    for signature in found:
        if not verify_signature(vkey.public_key, signature, text.encode()):
            raise Malformed(f"the note's signature by {vkey.name} does not match its text")
    return text


@lru_cache(maxsize=256)
def check_note_name(name: str) -> None:
    """Raise `Malformed` unless `name` can name a note's key: not empty, printable, no spaces, no plus sign."""
    if _NAME.fullmatch(name) is None or not name.isprintable():
        raise Malformed(f"{name[:40]!r} cannot name a note's key: 1 to 255 characters, no spaces, no plus sign")


def strict_base64(encoded: str) -> bytes:
    """Return what `encoded` stands for; raise `Malformed` unless it is its one standard padded form."""
    try:
        raw = b64decode(encoded, validate=True)
    except (Base64Error, ValueError):
        raise Malformed("not base64") from None
    if b64encode(raw).decode() != encoded:
        raise Malformed("base64 in another than its one standard form")
    return raw


def _check_note_text(text: str) -> None:
    if not text.endswith("\n") or len(text) < 2:
        raise Malformed("a note's text is not empty and ends with a newline")
    if _CONTROL.search(text) is not None:
        raise Malformed("a note's text holds no control characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Malformed("a note's text is valid Unicode") from None


# --- checkpoint -------------------------------------------------------------------------------------------------------
# Checkpoints: the log's size and root, signed by the log's key, in the form that witnesses and tools speak. One
# checkpoint binds every receipt below its size. This file must never sign what its caller did not recompute, and never
# trust a size or a root from an unverified note.

CHECKPOINT_SIZE_MAX: Final = 2**63 - 1

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_ORIGIN: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}/squads/[a-z0-9][a-z0-9._-]{0,63}/(0|[1-9][0-9]{0,9})", re.ASCII)


class Checkpoint(NamedTuple):
    """A log's name, size and root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def check_origin(origin: str) -> None:
    """Raise `Malformed` unless `origin` has the form `<domain>/squads/<log>/<epoch>`."""
    if _ORIGIN.fullmatch(origin) is None:
        raise Malformed(f"{origin[:80]!r} is no origin of the form <domain>/squads/<log>/<epoch>, in lower case")


def verify_checkpoint(note: str, vkey: VerifierKey) -> Checkpoint:
    """Return the checkpoint if the log's key signed it and it is this log's. Raises `Malformed`."""
    checkpoint = parse_checkpoint_text(verify_note(note, vkey))
    if checkpoint.origin != vkey.name:
        raise Malformed(f"the checkpoint is of {checkpoint.origin}, not of {vkey.name}")
    return checkpoint


def parse_checkpoint_text(text: str) -> Checkpoint:
    """Return what the three lines under a checkpoint's signature say. Raises `Malformed`."""
    lines = text.split("\n")
    # Extension lines are legal in C2SP and not recommended; nobody here writes them, so nobody here accepts
    # them.
    if len(lines) != 4:
        raise Malformed("a checkpoint has exactly three lines: origin, size, root")
    origin, size, encoded, _ = lines
    check_note_name(origin)
    if _DECIMAL.fullmatch(size) is None or int(size) > CHECKPOINT_SIZE_MAX:
        raise Malformed("a checkpoint's size is a decimal number of at most 2^63 - 1, without leading zeros")
    root = strict_base64(encoded)
    if len(root) != 32:
        raise Malformed("a checkpoint's root has 32 bytes")
    return Checkpoint(origin, int(size), root)


# --- trust ------------------------------------------------------------------------------------------------------------
# What a verifier must know beforehand: three values, small enough to be printed or read out. Everything else is derived
# from the log and checked against these. It must never be filled from the log itself.

TRUST_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The content of `trust.json`."""

    origin: str
    """The log's name, `<domain>/squads/<log>/<epoch>`."""
    root_public_key: bytes
    """The raw Ed25519 key of a root that signed entry 0."""
    log_vkey: str
    """The key that signs checkpoints, as a C2SP vkey; its name is the origin."""

    def __post_init__(self) -> None:
        check_origin(self.origin)
        check_public_key(self.root_public_key)
        if self.log_key.name != self.origin:
            raise Malformed(f"the log's vkey is named {self.log_key.name[:80]!r}, not like its origin")

    @classmethod
    def of(cls, origin: str, root_public_key: bytes, log_public_key: bytes) -> Trust:
        """Return the trust in a log by its name and its two raw public keys. Raises `Malformed`."""
        return cls(origin=origin, root_public_key=root_public_key, log_vkey=encode_vkey(origin, log_public_key))

    @property
    def log_key(self) -> VerifierKey:
        """The parsed log key."""
        return parse_vkey(self.log_vkey)

    def to_json(self) -> bytes:
        """Return the bytes of `trust.json`."""
        return canonical_json(
            {
                "format": TRUST_FORMAT,
                "log_vkey": self.log_vkey,
                "origin": self.origin,
                "root_public_key": self.root_public_key.hex(),
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> Trust:
        """Return what `trust.json` says. Raises `Malformed`, also for unknown fields."""
        value = strict_json(data)
        if type(value) is not dict or value.keys() != {"format", "log_vkey", "origin", "root_public_key"}:
            raise Malformed("trust.json has exactly the fields format, log_vkey, origin, root_public_key")
        if value["format"] != TRUST_FORMAT or not all(
            isinstance(value[name], str) for name in ("log_vkey", "origin", "root_public_key")
        ):
            raise Malformed(f"trust.json is of format {TRUST_FORMAT}, and all else in it are strings")
        root = public_key_of(value["root_public_key"], "trust.json: root_public_key")
        return cls(origin=value["origin"], root_public_key=root, log_vkey=value["log_vkey"])


# --- report -----------------------------------------------------------------------------------------------------------
# What a verification found: one named result per check, and never one boolean. A reader decides what each result means
# for them: an auditor minds an unchecked signature, a start-up does not. A check that could not be made must never read
# as one that passed.

ResultState = Literal["passed", "failed", "warned", "unchecked"]

CHECKS: Final[dict[str, str]] = {
    "framing": "every row holds exactly one leaf",
    "sequence": "no receipt is missing, none stands in another's place",
    "leaf-hash": "every row's bytes have the hash that was stored with them",
    "link": "every receipt names the one before it",
    "time": "time never runs backwards",
    "opening": "entry 0 opens this log and is signed by the trusted root",
    "statement": "every receipt says something known, in one reading",
    "signature": "every receipt's signatures are genuine",
    "role": "every signer held a role that may say this, at this index",
    "suspect": "nothing was signed by a key that was later declared suspect from there on",
    "actor": "every verdict is here that a gate's own counter numbers, and none has another's number",
    "tree-head": "every log head that a verdict was signed over is this log's",
    "checkpoint-signature": "the stored checkpoints are signed by the log's key",
    "checkpoint-root": "the receipts have the root that each checkpoint signed",
    "coverage": "the newest checkpoint covers every receipt, and no more",
    "outside-signature": "the checkpoints kept outside are signed by the log's key",
    "rollback": "the log is not behind a checkpoint kept outside",
    "fork": "the log agrees with the checkpoints kept outside",
}
"""Every check by name, with what it shows when it passes; reports list them in this order."""

OUTSIDE_CHECKS: Final = ("outside-signature", "rollback", "fork")
"""The checks that are made for each place outside that holds checkpoints, and have a result for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one check over the whole log."""

    check: str
    """A name of `CHECKS`, or of the checks of a bundle."""
    state: ResultState
    message: str
    """A sentence: what, where, and what to do."""
    seq: int | None = None
    """The first receipt it speaks of, or a checkpoint's size; None where it speaks of the whole."""
    count: int = 0
    """How many rows or checkpoints fared like the first."""
    source: str = ""
    """The anchor that it speaks of, by name; empty for the ledger and for the checkpoint file beside its keys."""

    @property
    def ok(self) -> bool:
        """True only for a check that was made and passed."""
        return self.state == "passed"


class Tally:
    """Collects outcomes while a log streams by: the first of each check, and how many more."""

    __slots__ = ("_checks", "_found")

    def __init__(self, checks: Mapping[str, str] = CHECKS) -> None:
        """Start with nothing found; `checks` are all there are, each with what it shows when it passes."""
        self._checks = checks
        self._found: dict[tuple[str, str], tuple[ResultState, str, int | None, int]] = {}

    def note(self, check: str, state: ResultState, message: str, seq: int | None = None, *, source: str = "") -> None:
        """Keep the outcome if it is the first or the worst of its check; count it if it is like the first."""
        before = self._found.get((check, source))
        if before is None or _WORSE[state] > _WORSE[before[0]]:
            self._found[check, source] = (state, message, seq, 1)
        elif state == before[0]:
            self._found[check, source] = (*before[:3], before[3] + 1)

    def fail(self, check: str, message: str, seq: int | None = None, *, source: str = "") -> None:
        """Keep a failure."""
        self.note(check, "failed", message, seq, source=source)

    def results(self, sources: Iterable[str] = ()) -> tuple[Result, ...]:
        """Return one result per check, and of those outside one per named source; what nobody minded has passed."""
        out = []
        names = ("", *sources)
        for check, shows in self._checks.items():
            for source in names if check in OUTSIDE_CHECKS else ("",):
                shown = f"{shows} ({source})" if source else shows
                state, message, seq, count = self._found.get((check, source), ("passed", shown, None, 0))
                if count > 1:
                    message = f"{message} ({count - 1} more like this)"
                out.append(Result(check=check, state=state, message=message, seq=seq, count=count, source=source))
        return tuple(out)


_WORSE: Final[dict[ResultState, int]] = {"passed": 0, "unchecked": 1, "warned": 2, "failed": 3}


# --- proof ------------------------------------------------------------------------------------------------------------
# Proofs about the Merkle tree: this leaf is in it, and this tree grew out of that one. A proof is a short list of
# hashes and nothing else: what it proves, index, sizes and roots, comes from elsewhere, and roots only from checkpoints
# that were verified. It must never be judged by what stands beside it in the same file.

TREE_SIZE_MAX: Final = 2**63 - 1
PROOF_HASHES_MAX: Final = 126
"""More than any proof has in a tree of 2^63 - 1 leaves: twice its height."""


def check_inclusion(leaf_hash: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Raise `Malformed` unless `path` leads from the leaf at `index` to `root` over `size` leaves."""
    inner = _inner_of(index, size)
    expected = inner + (index >> inner).bit_count()
    if len(path) != expected:
        raise Malformed(f"the inclusion proof of leaf {index} of {size} has {expected} hashes, this one {len(path)}")
    _check_hashes((leaf_hash, root, *path))
    # Written out, not through `node_hash`: these twenty hashes are all that checking a receipt costs.
    digest, found, way = sha256, leaf_hash, index
    for step in path[:inner]:
        found = digest(b"\1" + step + found if way & 1 else b"\1" + found + step).digest()
        way >>= 1
    for step in path[inner:]:
        found = digest(b"\1" + step + found).digest()
    if not compare_digest(found, root):
        raise Malformed(f"the inclusion proof of leaf {index} does not lead to the root over {size} leaves")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise `Malformed` unless `path` shows that the tree of size `old` is the beginning of the one of size `new`."""
    _check_sizes(old, new)
    _check_hashes((old_root, new_root, *path))
    if old == new:
        if path or not compare_digest(old_root, new_root):
            raise Malformed(f"two roots over {old} leaves differ, or a proof says more than that they are equal")
        return
    # The way begins at the highest full subtree that ends where the older tree ends. If that is the whole older tree,
    # its root is known, and the proof does not repeat it.
    shift = (old & -old).bit_length() - 1
    whole = old == 1 << shift
    inner = _inner_of(old - 1, new) - shift
    way = old - 1 >> shift
    expected = inner + (way >> inner).bit_count() + (not whole)
    if len(path) != expected:
        raise Malformed(f"the consistency proof from {old} to {new} has {expected} hashes, this one {len(path)}")
    before = after = old_root if whole else path[0]
    steps = path if whole else path[1:]
    for step in steps[:inner]:
        if way & 1:
            before, after = node_hash(step, before), node_hash(step, after)
        else:
            after = node_hash(after, step)
        way >>= 1
    for step in steps[inner:]:
        before, after = node_hash(step, before), node_hash(step, after)
    if not (compare_digest(before, old_root) and compare_digest(after, new_root)):
        raise Malformed(f"the tree of {new} leaves does not begin with the one of {old}")


def _inner_of(index: int, size: int) -> int:
    """Return how many levels up the leaf's way meets that of the tree's last leaf. Raises `Malformed`."""
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise Malformed(f"no leaf {index} is in a tree of {size}")
    return (index ^ size - 1).bit_length()


def _check_sizes(old: int, new: int) -> None:
    if not 0 < old <= new <= TREE_SIZE_MAX:
        raise Malformed(f"there is no consistency proof from size {old} to size {new}; 0 < old <= new")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if not {32}.issuperset(map(len, hashes)):
        raise Malformed("the hashes of a proof, of leaves and of roots have 32 bytes each")


# --- shapes -----------------------------------------------------------------------------------------------------------
# What stands in which receipt: the fields that a bundle is judged by, and of what form each must be. A predicate is
# signed and still anybody's: whoever holds a key may write into a receipt what they like, so nothing is read from one
# that was not checked here. Fields that no check reads are not listed, and do no harm. This file must never say who may
# sign what; that is `types`.

DIGEST, ID, NAME, TEXT, COUNT, FLAG = "digest", "id", "name", "text", "count", "flag"
_PATTERNS: Final = {
    DIGEST: re.compile(r"[0-9a-f]{64}", re.ASCII),
    ID: re.compile(r"[0-9a-f]{32}", re.ASCII),
    NAME: re.compile(r"[a-z][a-z0-9._-]{0,63}", re.ASCII),
    TEXT: re.compile(r"[!-~]{1,255}", re.ASCII),
}
ITEMS_MAX: Final = 4_096


class Maybe:
    """A field that may be null."""

    def __init__(self, shape: Any) -> None:
        """Take what stands there where it is not null."""
        self.shape = shape


class Later:
    """A field that receipts from before it do not have."""

    def __init__(self, shape: Any) -> None:
        """Take what stands there where the field is there."""
        self.shape = shape


LEVELS: Final = ("identity", "prior", "model", "family")
"""How far apart a gate and an author read, weakest first."""
READS: Final = frozenset({"plan", "artifact", "composition"})
CUSTODY_ORDER: Final = ("in-process", "daemon", "kms", "hsm")
"""Where a private key may live, weakest first."""

_ONE_LEVEL: Final = frozenset(LEVELS)
_MODEL: Final = {"called": TEXT, "name": TEXT, "family": Maybe(TEXT)}
_MEMBER: Final = {"name": NAME, "prior": DIGEST, "models": [_MODEL]}
_ROLE: Final = {
    **_MEMBER,
    "kind": frozenset({"coordinator", "builder", "gate"}),
    "reads": [READS],
    "members": [_MEMBER],
    "unsafe": FLAG,
}
_APPROVAL: Final = {"approvers": [NAME], "quorum": COUNT, "person_required": FLAG}
_TASK: Final = {"task": COUNT, "builder": NAME, "after": [COUNT], "gates": [NAME], "brief": DIGEST}
_HELD: Final = {"predicate": NAME, "holds": FLAG}
_PART: Final = {"task": COUNT, "artifact": DIGEST}

_RATE: Final = {"invariant": NAME, "held": FLAG, "defects": COUNT, "caught": COUNT, "clean": COUNT, "refused": COUNT}

_PACKET_SHAPES: Final[dict[str, dict[str, Any]]] = {
    "opened": {
        "nonce": DIGEST,
        "rules": COUNT,
        "content": DIGEST,
        "gates": [NAME],
        "roles": [_ROLE],
        "approval": Maybe(_APPROVAL),
        "independence": _ONE_LEVEL,
        "policy": DIGEST,
        "predicates": [NAME],
        "memory": [{"role": NAME, "content": DIGEST}],
    },
    "plan": {"request": DIGEST, "author": NAME, "content": DIGEST, "tasks": [_TASK], "model": Maybe(TEXT)},
    "objection": {"request": DIGEST, "author": NAME, "content": DIGEST},
    "artifact": {"request": DIGEST, "author": NAME, "artifact": DIGEST, "model": Maybe(TEXT)},
    "verdict": {
        "ticket": DIGEST,
        "author": NAME,
        "decision": frozenset({"approved", "refused", "abstained"}),
        "subject": DIGEST,
        "attempt": COUNT,
        "independence": _ONE_LEVEL,
        "content": DIGEST,
        "looked": COUNT,
        "waivers": [DIGEST],
        "model": Maybe(TEXT),
        "tree_head": Maybe({"size": COUNT, "root": DIGEST}),
    },
    "acceptance": {
        "request": DIGEST,
        "author": NAME,
        "subject": DIGEST,
        "held": [_HELD],
        "reopen": [COUNT],
        "content": DIGEST,
    },
    "answer": {
        "question": DIGEST,
        "subject": DIGEST,
        "author": NAME,
        "decision": frozenset({"approved", "denied"}),
        "channel": NAME,
        "content": Maybe(DIGEST),
    },
    "waiver": {"subject": DIGEST, "author": NAME, "gate": NAME, "expires_ms": COUNT, "content": DIGEST},
    "fault": {"about": DIGEST},
    "deadline": {"about": DIGEST},
    "assignment": {
        "request": DIGEST,
        "work": frozenset({"plan", "build", "accept"}),
        "role": NAME,
        "task": Maybe(COUNT),
        "attempt": COUNT,
        "subject": DIGEST,
    },
    "ticket": {
        "ticket": DIGEST,
        "gate": NAME,
        "reads": READS,
        "task": Maybe(COUNT),
        "attempt": COUNT,
        "ask": COUNT,
        "subject": DIGEST,
        "independence": _ONE_LEVEL,
    },
    "question": {
        "question": DIGEST,
        "subject": DIGEST,
        "approvers": [NAME],
        "quorum": COUNT,
        "expires_ms": COUNT,
    },
    "composition": {"artifact": DIGEST, "attempt": COUNT, "parts": [_PART]},
    "equivocation": {"about": DIGEST, "author": NAME, "first": DIGEST, "second": DIGEST},
    "finish": {
        "outcome": frozenset({"composed", "not-composed"}),
        "reason": NAME,
        "artifact": Maybe(DIGEST),
    },
}
_WORKSPACE_SHAPES: Final[dict[str, dict[str, Any]]] = {
    # The registry of keys reads these two itself, and stricter.
    "log-open": {},
    "key-event": {},
    "grant": {"workspace": ID, "subject": TEXT, "scope": TEXT, "expires_ms": Maybe(COUNT), "revoked": FLAG},
    "policy": {
        "workspace": ID,
        "gate_custody": CUSTODIES,
        "catch_ppm_min": Later(COUNT),
        "false_refusals_ppm_max": Later(COUNT),
    },
    "calibration": {"workspace": ID, "gate": NAME, "prior": DIGEST, "rates": [_RATE]},
    "erasure": {"workspace": ID, "subject": TEXT, "packets": [ID], "author": NAME},
    "stop": {"workspace": ID, "packet": Maybe(ID), "author": NAME, "content": DIGEST},
    "lift": {"workspace": ID, "packet": Maybe(ID), "author": NAME, "content": DIGEST},
}
SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    **{kind: {"workspace": ID, "packet": ID, **fields} for kind, fields in _PACKET_SHAPES.items()},
    **_WORKSPACE_SHAPES,
}
"""The fields of every receipt kind that a check reads, and their forms."""


def check_shape(kind: str, predicate: Mapping[str, Any]) -> None:
    """Raise `Malformed` unless every field that a check reads is there and of its form."""
    _check_value_of(predicate, SHAPES[kind], kind)


def _check_value_of(value: object, shape: Any, where: str) -> None:
    if isinstance(shape, Maybe):
        if value is not None:
            _check_value_of(value, shape.shape, where)
    elif isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            raise Malformed(f"{where} is not an object")
        for field, inner in shape.items():
            if isinstance(inner, Later):
                if field in value:
                    _check_value_of(value[field], inner.shape, f"{where}.{field}")
                continue
            if field not in value:
                raise Malformed(f"{where} has no {field}")
            _check_value_of(value[field], inner, f"{where}.{field}")
    elif isinstance(shape, list):
        if type(value) is not list or len(value) > ITEMS_MAX:
            raise Malformed(f"{where} is not a list of at most {ITEMS_MAX}")
        for item in value:
            _check_value_of(item, shape[0], where)
    elif isinstance(shape, frozenset):
        if type(value) is not str or value not in shape:
            raise Malformed(f"{where} is none of {', '.join(sorted(shape))}")
    elif shape == FLAG:
        if type(value) is not bool:
            raise Malformed(f"{where} is neither true nor false")
    elif shape == COUNT:
        if type(value) is not int or not 0 <= value <= JSON_INTEGER_MAX:
            raise Malformed(f"{where} is no count")
    elif type(value) is not str or _PATTERNS[shape].fullmatch(value) is None:
        raise Malformed(f"{where} is no {shape}")


# --- bundle -----------------------------------------------------------------------------------------------------------
# The bundle: what one file holds so that a stranger can check one packet with `trust.json` and nothing else. It is
# strict JSON that a person can read: receipts as the exact bytes that were hashed, each with its way to the root, one
# signed checkpoint, and notes that were kept elsewhere. A bundle brings proofs and no claims: which packet and which
# log it is about are written in it for people only, and `offline` compares both with what the proofs say. It must never
# carry trust; that comes another way.

BUNDLE_FORMAT: Final = "squads.bundle/v1"
BUNDLE_BYTES_MAX: Final = 64 * 1024 * 1024
RECEIPTS_MAX: Final = 100_000
ANCHORED_MAX: Final = 1_000
HEADS_MAX: Final = 10_000
CONTENTS_MAX: Final = 10_000

_PACKET_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CONTENT_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BUNDLE_FIELDS: Final = frozenset({"anchored", "checkpoint", "format", "heads", "origin", "packet", "receipts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """One receipt and its way to the checkpoint's root."""

    data: bytes
    """The leaf's exact bytes."""
    path: tuple[bytes, ...]
    """The inclusion path; its index is the one that the leaf itself says."""
    leaf: Leaf
    """The same bytes, decoded."""

    @classmethod
    def of(cls, data: bytes, path: tuple[bytes, ...]) -> Included:
        """Return the receipt that `data` frames. Raises `Malformed`."""
        return cls(data=data, path=path, leaf=decode_leaf(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A signed checkpoint that was kept where the ledger's writer cannot rewrite it."""

    note: str
    path: tuple[bytes, ...] = ()
    """The consistency path between it and the bundle's checkpoint, from the smaller size to the larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One bundle as it was written or read: nothing in it has been verified."""

    origin: str
    """Which log it says it is from."""
    packet: str
    """Which packet it says it is about."""
    receipts: tuple[Included, ...]
    """The workspace's own receipts and the packet's, by ascending index."""
    checkpoint: str
    anchored: tuple[Anchored, ...] = ()
    heads: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    """By size, the consistency path from a log head that a verdict names to the checkpoint."""
    content: Mapping[str, bytes] = field(default_factory=dict)
    """Content by the digest it is said to have."""

    def to_json(self) -> bytes:
        """Return the bundle's file. Raises `Malformed` where it is over a bound."""
        receipts: list[object] = [
            {"leaf": _in_base64(receipt.data), "path": [_in_base64(step) for step in receipt.path]}
            for receipt in self.receipts
        ]
        value: dict[str, Any] = {
            "format": BUNDLE_FORMAT,
            "origin": self.origin,
            "packet": self.packet,
            "receipts": receipts,
            "checkpoint": self.checkpoint,
            "anchored": [{"note": one.note, "path": [_in_base64(step) for step in one.path]} for one in self.anchored],
            "heads": [
                {"size": size, "path": [_in_base64(step) for step in self.heads[size]]} for size in sorted(self.heads)
            ],
        }
        if self.content:
            value["content"] = {digest: _in_base64(content) for digest, content in self.content.items()}
        canonical_json(value)  # refuses what a strict reader would refuse
        written = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
        if len(written) > BUNDLE_BYTES_MAX:
            raise Malformed(
                f"a bundle has at most {BUNDLE_BYTES_MAX} bytes, this one {len(written)}; leave content out"
            )
        Bundle.from_json(written)
        return written

    @classmethod
    def from_json(cls, data: bytes) -> Bundle:
        """Return what a bundle's file holds. Raises `Malformed`, also for unknown fields and for a wrong order."""
        if len(data) > BUNDLE_BYTES_MAX:
            raise Malformed(f"a bundle has at most {BUNDLE_BYTES_MAX} bytes, this one {len(data)}")
        value = strict_json(data)
        if type(value) is not dict or value.get("format") != BUNDLE_FORMAT:
            raise Malformed(f"the file does not say that it is of format {BUNDLE_FORMAT}")
        if value.keys() - {"content"} != _BUNDLE_FIELDS:
            raise Malformed(
                f"a bundle has exactly the fields {', '.join(sorted(_BUNDLE_FIELDS))}, and content where it has any"
            )
        packet = _bounded_string(value["packet"], "packet", 32)
        if _PACKET_ID.fullmatch(packet) is None:
            raise Malformed("packet: an id is 32 lower-case hex digits")
        receipts = tuple(
            _read_included(one, number)
            for number, one in enumerate(_bounded_list(value["receipts"], "receipts", RECEIPTS_MAX))
        )
        for before, after in pairwise(receipts):
            if after.leaf.seq <= before.leaf.seq:
                raise Malformed(
                    f"receipts: {after.leaf.seq} stands after {before.leaf.seq}; they ascend, and none stands twice"
                )
        return cls(
            origin=_bounded_string(value["origin"], "origin", 255),
            packet=packet,
            receipts=receipts,
            checkpoint=_bounded_string(value["checkpoint"], "checkpoint", NOTE_BYTES_MAX),
            anchored=tuple(
                _read_anchored(one, number)
                for number, one in enumerate(_bounded_list(value["anchored"], "anchored", ANCHORED_MAX))
            ),
            heads=_read_heads(value["heads"]),
            content=_read_content(value.get("content", {})),
        )


def _in_base64(data: bytes) -> str:
    return b64encode(data).decode()


def _read_included(value: object, number: int) -> Included:
    where = f"receipts[{number}]"
    if type(value) is not dict or value.keys() != {"leaf", "path"}:
        raise Malformed(f"{where}: a receipt has exactly the fields leaf, path")
    try:
        data = strict_base64(_bounded_string(value["leaf"], "leaf", LEAF_BYTES_MAX * 2))
        return Included.of(data, _read_path(value["path"]))
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def _read_anchored(value: object, number: int) -> Anchored:
    where = f"anchored[{number}]"
    if type(value) is not dict or value.keys() != {"note", "path"}:
        raise Malformed(f"{where}: an anchored checkpoint has exactly the fields note, path")
    try:
        return Anchored(note=_bounded_string(value["note"], "note", NOTE_BYTES_MAX), path=_read_path(value["path"]))
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def _read_heads(value: object) -> dict[int, tuple[bytes, ...]]:
    heads: dict[int, tuple[bytes, ...]] = {}
    for number, one in enumerate(_bounded_list(value, "heads", HEADS_MAX)):
        if type(one) is not dict or one.keys() != {"path", "size"} or type(one["size"]) is not int:
            raise Malformed(f"heads[{number}]: a log head has exactly the fields path, size")
        if one["size"] <= max(heads, default=0):
            raise Malformed(f"heads[{number}]: sizes ascend from 1, and none stands twice")
        heads[one["size"]] = _read_path(one["path"])
    return heads


def _read_content(value: object) -> dict[str, bytes]:
    if type(value) is not dict or len(value) > CONTENTS_MAX:
        raise Malformed(f"content is an object with at most {CONTENTS_MAX} entries")
    content = {}
    for digest, encoded in value.items():
        if _CONTENT_KEY.fullmatch(digest) is None:
            raise Malformed("content: every key is 64 lower-case hex digits")
        try:
            content[digest] = strict_base64(_bounded_string(encoded, digest[:16], BUNDLE_BYTES_MAX))
        except Malformed as error:
            raise Malformed(f"content: {error}") from None
    return content


def _read_path(value: object) -> tuple[bytes, ...]:
    path = tuple(
        strict_base64(_bounded_string(step, f"path[{number}]", 44))
        for number, step in enumerate(_bounded_list(value, "path", PROOF_HASHES_MAX))
    )
    if any(len(step) != 32 for step in path):
        raise Malformed("path: every step is a hash of 32 bytes")
    return path


def _bounded_list(value: object, what: str, count_max: int) -> list[Any]:
    if type(value) is not list or len(value) > count_max:
        raise Malformed(f"{what}: a list of at most {count_max}")
    return value


def _bounded_string(value: object, what: str, chars_max: int) -> str:
    if type(value) is not str or len(value) > chars_max:
        raise Malformed(f"{what}: a string of at most {chars_max} characters")
    return value


# --- packet -----------------------------------------------------------------------------------------------------------
# One packet as its receipts tell it: what began it, what was asked, what the first answer was, how it ended. It takes
# receipts that are known to stand in the log, with genuine signatures, and leaves out those whose signer was not the
# one they speak for. It must never judge whether the packet was right to compose; that is `approvals`.

Fields = Mapping[str, Any]

Asked = tuple[str, str, int | None, int]
"""(gate, what is read, task, attempt)."""


class Witnessed(NamedTuple):
    """A receipt that stands in the log at `seq`, its signatures genuine, its signers allowed to sign this kind there.

    Its fields have the forms of `shapes`.
    """

    seq: int
    time_ms: int
    kind: str
    said: Fields
    """The predicate."""
    digest: str
    """SHA-256 of the signed payload."""
    key: str
    """The key id of its one signer; of several, the first."""
    roles: frozenset[str]
    """What that key held at this index."""
    custody: str
    """Where that key is kept, as it was registered."""
    suspect: bool = False
    """True where the log says later that this key was not to be believed here."""


def identify(nonce: str, noun: str, *parts: object) -> str:
    """Return the id of `noun` with these parts in the packet of `nonce`: the kernel gives no other."""
    return sha256("\x1f".join((nonce, noun, *map(str, parts))).encode()).hexdigest()


@dataclass
class Story:
    """What a packet's receipts say, by kind and in order."""

    packet: str
    opened: Witnessed | None = None
    finish: Witnessed | None = None
    roles: dict[str, Fields] = field(default_factory=dict)
    """The squad that the opening froze, by name."""
    receipts: list[Witnessed] = field(default_factory=list)
    by_kind: dict[str, list[Witnessed]] = field(default_factory=dict)
    answers: dict[str, Witnessed] = field(default_factory=dict)
    """The first answer to each ticket and request; a fault or deadline where nothing came in time."""
    second: list[tuple[Witnessed, Witnessed]] = field(default_factory=list)
    """(first, other) where one ticket or request has two different signed answers."""
    tickets: dict[Asked, list[Witnessed]] = field(default_factory=dict)
    """Tickets by what they ask: gate, what is read, task, attempt."""
    builds: dict[int | None, list[Witnessed]] = field(default_factory=dict)
    """Assignments to build, by task."""
    policies: list[Witnessed] = field(default_factory=list)
    calibrations: list[Witnessed] = field(default_factory=list)
    erasures: list[Witnessed] = field(default_factory=list)

    def of(self, kind: str) -> list[Witnessed]:
        """Return the packet's receipts of one kind, in order."""
        return self.by_kind.get(kind, [])

    def built(self, receipt: Witnessed) -> bool:
        """Say whether whoever signed a receipt had built anything of this packet before it, under another hat."""
        made = (artifact.said["author"] for artifact in self.of("artifact") if artifact.seq < receipt.seq)
        return any(f"builder:{author}" in receipt.roles for author in made)

    @classmethod
    def told(cls, receipts: Sequence[Witnessed], packet: str, tally: Tally) -> Story:
        """Return the packet's story; `tally` is told of receipts by whoever may not speak there."""
        story = cls(packet)
        grants: dict[tuple[str, str], Fields] = {}
        stopped: set[str | None] = set()
        for receipt in receipts:
            if KINDS[receipt.kind].stream == "packet" and receipt.said["packet"] != packet:
                continue
            if receipt.kind == "opened" and story.opened is None:
                story.roles = {role["name"]: role for role in receipt.said["roles"]}
            if not _may_speak(receipt, story.roles, grants):
                tally.fail(
                    "role",
                    f"receipt {receipt.seq}: this {receipt.kind} speaks for somebody whose role its key did not hold "
                    "there, or whom no grant lets speak; do not rely on it",
                    receipt.seq,
                )
                continue
            match receipt.kind:
                case "grant":
                    grants[receipt.said["subject"], receipt.said["scope"]] = receipt.said
                case "policy":
                    story.policies.append(receipt)
                case "calibration":
                    story.calibrations.append(receipt)
                case "erasure":
                    story.erasures.append(receipt)
                case "stop":
                    stopped.add(receipt.said["packet"])
                case "lift":
                    stopped.discard(receipt.said["packet"])
                case _ if KINDS[receipt.kind].stream == "packet":
                    if stopped & {None, packet}:
                        message = f"receipt {receipt.seq} was recorded while the packet was stopped"
                        tally.fail("packet", f"{message}; nothing may happen then", receipt.seq)
                    story._add(receipt, tally)
        return story

    def _add(self, receipt: Witnessed, tally: Tally) -> None:
        if receipt.kind == "opened":
            if self.opened is not None:
                message = f"receipt {receipt.seq} opens the packet a second time; do not rely on this bundle"
                tally.fail("packet", message, receipt.seq)
                return
            self.opened = receipt
        elif self.opened is None:
            tally.fail("packet", f"receipt {receipt.seq} stands before the packet was opened", receipt.seq)
            return
        elif self.finish is not None:
            message = f"receipt {receipt.seq} stands after the packet's end; nothing is recorded there"
            tally.fail("packet", message, receipt.seq)
            return
        elif receipt.kind == "finish":
            self.finish = receipt
        self.receipts.append(receipt)
        self.by_kind.setdefault(receipt.kind, []).append(receipt)
        said = receipt.said
        if receipt.kind == "ticket":
            about = (said["gate"], said["reads"], said["task"], said["attempt"])
            self.tickets.setdefault(about, []).append(receipt)
        elif receipt.kind == "assignment" and said["work"] == "build":
            self.builds.setdefault(said["task"], []).append(receipt)
        answered = said.get(_ANSWERS.get(receipt.kind, ""))
        if answered is None:
            return
        first = self.answers.setdefault(answered, receipt)
        if first.digest != receipt.digest and receipt.kind not in ("fault", "deadline"):
            self.second.append((first, receipt))


_ANSWERS: Mapping[str, str] = {
    "verdict": "ticket",
    "plan": "request",
    "objection": "request",
    "artifact": "request",
    "acceptance": "request",
    "fault": "about",
    "deadline": "about",
}
"""Which field of an answer names what it answers."""
_PEOPLE = ("answer", "waiver", "lift", "erasure")


def _may_speak(receipt: Witnessed, roles: Mapping[str, Fields], grants: Mapping[tuple[str, str], Fields]) -> bool:
    """Say whether the signer held the role that the receipt speaks as, and no grant takes it from that role.

    What a key may do under another hat does not help it.
    """
    row = KINDS[receipt.kind]
    if receipt.kind in ("log-open", "key-event"):
        return True
    author = receipt.said.get("author") if receipt.kind != "equivocation" else None
    held = {role for role in receipt.roles if role.partition(":")[0] in row.signers}
    if row.direction == "output":
        return "runner" in held
    if author is not None:
        if receipt.kind == "stop":
            held = {role for role in held if role.rpartition(":")[2] == author}
        elif receipt.kind in _PEOPLE:
            held &= {f"human:{author}"}
        else:
            kind = roles[author]["kind"] if author in roles else "unknown"
            held &= {f"{kind}:{author}"}
    return any(_granted(receipt, role, grants) for role in held)


def _granted(receipt: Witnessed, role: str, grants: Mapping[tuple[str, str], Fields]) -> bool:
    grant = grants.get((role, receipt.kind))
    if grant is None:
        # A waiver speaks against a gate, so nobody may give one by default.
        return receipt.kind != "waiver"
    return not grant["revoked"] and (grant["expires_ms"] is None or receipt.time_ms < grant["expires_ms"])


# --- content ----------------------------------------------------------------------------------------------------------
# Content that receipts name: what a bundle may bring along, and whether it is what was named. Receipts hold digests and
# never content, so content may be absent, erased or here; only what is here and has another digest speaks against a
# bundle. It must never read more of a document than which digests it lists.

NO_POLICY = "0" * 64
"""Stands in an opening that was made under the built-in policy: there is no such content."""


def named_by(kind: str, said: Mapping[str, Any]) -> list[str]:
    """Return the digests of the content that a receipt of `kind` names, in a fixed order."""
    found = [said.get("content"), said.get("artifact") if kind in ("artifact", "composition") else None]
    if kind == "opened":
        found += [said["policy"], *(recalled["content"] for recalled in said["memory"])]
    return [digest for digest in found if isinstance(digest, str) and digest != NO_POLICY]


def listed_in(manifest: bytes) -> list[str]:
    """Return the digests of the files that an artifact's manifest lists; none where it is no manifest."""
    try:
        value = strict_json(manifest)
        files = value["files"] if type(value) is dict and value.get("kind") == "manifest" else []
        return [str(entry["digest"]) for entry in files]
    except (Malformed, TypeError, KeyError):
        return []


def check_content(content: Mapping[str, bytes], story: Story, tally: Tally) -> None:
    """Tell `tally` whether the content is what the packet's receipts name, and why some of it is not here."""
    named = dict.fromkeys(digest for receipt in story.receipts for digest in named_by(receipt.kind, receipt.said))
    for digest in [*named]:
        named.update(dict.fromkeys(listed_in(content.get(digest, b""))))
    for digest, found in content.items():
        if sha256(found).hexdigest() != digest:
            tally.fail("content", f"the content given as {digest[:16]} has another digest: it was changed")
        elif digest not in named:
            tally.note(
                "content", "warned", f"no receipt of this packet names the content {digest[:16]}: leave it aside"
            )
    absent = [digest for digest in named if digest not in content]
    if not absent:
        return
    message = f"{len(named) - len(absent)} of {len(named)} pieces of content are here"
    erased = _erased(story)
    if erased is not None:
        tally.note("content", "passed", f"{message}; the packet's content was erased, as receipt {erased} says", erased)
    elif content:
        tally.note("content", "unchecked", f"{message}; the others were lost, or left out of the bundle")
    else:
        tally.note("content", "unchecked", f"{message}; a bundle is made without content unless it is asked for")


def _erased(story: Story) -> int | None:
    """Return the receipt that says that this packet's content was erased, or None."""
    return next((r.seq for r in story.erasures if story.packet in (r.said["subject"], *r.said["packets"])), None)


# --- independence -----------------------------------------------------------------------------------------------------
# How far apart a gate and the makers of what it reads are, derived from the squad that the opening froze. No one judges
# their own work: not the maker, nor anyone whose work it is made of, nor a role with the same prior. It must never read
# what a receipt claims about this; tickets and verdicts are compared with what comes out here.


def weakest(gate: Fields, authors: Iterable[Fields]) -> str | None:
    """Return the weakest independence between a gate and several authors; None where one of them rules it out."""
    # A panel is as independent as the least independent of its members, and of itself where it asks a model.
    readers = (gate, *gate["members"]) if gate["models"] or not gate["members"] else gate["members"]
    reached = []
    for author in authors:
        levels = [None if _apart(gate, author) is None else _apart(reader, author) for reader in readers]
        if None in levels:
            return None
        reached += [level for level in levels if level is not None]
    return min(reached, key=LEVELS.index, default="family")


def may_have_answered(role: Fields, model: str | None) -> bool:
    """Say whether an answer may name this model: independence was reckoned for the role's models and no others."""
    readers = (role, *role["members"])
    return model is None or any(model == known["called"] for reader in readers for known in reader["models"])


def too_near(reached: str, demanded: str) -> bool:
    """Say whether two roles are nearer to each other than the packet demands."""
    return LEVELS.index(reached) < LEVELS.index(demanded)


def _apart(reader: Fields, author: Fields) -> str | None:
    if reader["name"] == author["name"] or reader["prior"] == author["prior"]:
        return None
    if not reader["models"] and not author["models"]:
        return "prior"
    if not reader["models"] or not author["models"]:
        return "family"
    # Any model of a role may answer for it, so the nearest two count.
    return min((_models_apart(one, other) for one in reader["models"] for other in author["models"]), key=LEVELS.index)


def _models_apart(one: Fields, other: Fields) -> str:
    if one["name"] == other["name"]:
        return "prior"
    return "family" if one["family"] and other["family"] and one["family"] != other["family"] else "model"


# --- calibration ------------------------------------------------------------------------------------------------------
# Whether a gate's recorded figures are what a workspace's policy demands. A record counts cases, a policy demands
# shares, and both are integers: nothing is rounded, and kernel and verifier come to the same answer. It must never take
# a case that was not there for one that went well.

PPM: Final = 1_000_000
"""Parts per million: what a share of 1 is written as."""


def demands_record(policy: Mapping[str, Any]) -> bool:
    """Say whether a policy lets only gates count that have a record; one that says nothing of it does not."""
    return _demanded(policy) != (0, PPM)


def meets(rates: Iterable[Mapping[str, Any]], policy: Mapping[str, Any]) -> bool:
    """Say whether a record's rates are as good as a policy demands.

    The catch is counted over the defects of the invariants that the gate holds, false refusals over everything right
    that it was shown. Without a single case nothing is met.
    """
    catch_min, refusals_max = _demanded(policy)
    listed = list(rates)
    held = [rate for rate in listed if rate["held"]]
    defects, caught = (sum(rate[name] for rate in held) for name in ("defects", "caught"))
    clean, refused = (sum(rate[name] for rate in listed) for name in ("clean", "refused"))
    if catch_min > 0 and (not defects or caught * PPM < catch_min * defects):
        return False
    return refusals_max >= PPM or (clean > 0 and refused * PPM <= refusals_max * clean)


def check_calibration(story: Story, counted: Iterable[tuple[str, int]], tally: Tally) -> None:
    """Tell `tally` of gates that were counted without the record that the policy in force demanded.

    `counted` are the verdicts that count: (gate, index in the log).
    """
    demanding = 0
    for gate, seq in counted:
        policy = next((p.said for p in reversed(story.policies) if p.seq < seq), {})
        if not demands_record(policy):
            continue
        demanding += 1
        prior = story.roles[gate]["prior"]
        record = next((c for c in reversed(story.calibrations) if c.seq < seq and c.said["prior"] == prior), None)
        if record is None:
            what = "no receipt says how good it is"
        elif not meets(record.said["rates"], policy):
            what = f"the record in receipt {record.seq} is not as good"
        else:
            continue
        message = f"receipt {seq}: the policy in force demands a record of {gate}, and {what}; it must not count"
        tally.fail("calibration", message, seq)
    said = "every gate that counts has the record that the policy demands" if demanding else "the policy demands none"
    tally.note("calibration", "passed", said)


def _demanded(policy: Mapping[str, Any]) -> tuple[int, int]:
    return policy.get("catch_ppm_min", 0), policy.get("false_refusals_ppm_max", PPM)


# --- lineup -----------------------------------------------------------------------------------------------------------
# What composed, attempt by attempt: the plan in force, the newest attempt at each of its tasks, the composition. An
# edit voids, so the only attempts that count are the newest ones, with exactly the bytes that were composed. This file
# must never ask whether anybody approved them; it says what they are.


@dataclass
class Attempt:
    """One try at something that gates read."""

    reads: str
    """`plan`, `artifact` or `composition`."""
    task: int | None
    number: int
    subject: str
    since: int
    """The index at which it was handed in."""
    authors: tuple[str, ...]
    """Everybody whose work it is made of."""
    added: tuple[str, ...] = ()
    """Gates that the plan added."""
    asked: int = 0
    """The index at which a builder was asked for it."""
    after: tuple[int, ...] = ()
    """The tasks that it builds on, directly."""
    approvals: list[Witnessed] = field(default_factory=list)
    """The verdicts that let it through, as they are found."""

    def __str__(self) -> str:
        of = f" of task {self.task}" if self.task is not None else ""
        return f"{self.reads}{of}, attempt {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUp:
    """Everything that a composition rests on."""

    composition: Witnessed
    attempts: tuple[Attempt, ...]


def line_up(story: Story, finish: Witnessed, tally: Tally) -> LineUp | None:
    """Return what the packet's end rests on, or None where no receipt tells; `tally` is told of every breach.

    The checks, in order: 1 the newest composition is what the packet ended with; 2 the plan in force was asked for, by
    the one coordinator, before; 3 it is made of exactly that plan's tasks; 4 each part is what the task's newest
    attempt handed in, built by whom and to the brief that the plan says.
    """
    fail, artifact = tally.fail, str(finish.said["artifact"])
    composition = next(iter(story.of("composition")[-1:]), None)
    # A second answer to one request is a contradiction that is kept, and never a plan.
    plan = next((p for p in reversed(story.of("plan")) if story.answers[p.said["request"]] is p), None)
    if composition is None or plan is None or composition.said["artifact"] != artifact:  # 1
        fail("composition", f"receipt {finish.seq} says that something composed of which no receipt tells how")
        return None
    asked = next((a for a in story.of("assignment") if a.said["request"] == plan.said["request"]), None)
    if plan.seq > composition.seq or asked is None or asked.seq > plan.seq or asked.said["work"] != "plan":  # 2
        fail("composition", f"receipt {plan.seq}: the plan in force was not asked for, or came after it composed")
        return None
    coordinators = tuple(name for name, role in story.roles.items() if role["kind"] == "coordinator")
    if (plan.said["author"],) != coordinators or asked.said["role"] != plan.said["author"]:
        fail("composition", f"receipt {plan.seq}: the plan is not by the squad's one coordinator", plan.seq)
    _check_model(story, plan, tally)
    tasks: dict[int, Fields] = {task["task"]: task for task in plan.said["tasks"]}
    parts: dict[int, str] = {part["task"]: part["artifact"] for part in composition.said["parts"]}
    if not parts or parts.keys() != tasks.keys() or len(parts) != len(composition.said["parts"]):  # 3
        fail("composition", f"receipt {composition.seq} is not made of exactly the tasks of the plan in force")
        return None
    attempts = [Attempt("plan", None, asked.said["attempt"], plan.said["content"], plan.seq, coordinators)]
    for number in sorted(tasks):
        part = _newest(story, number, tasks, parts[number], composition, tally)
        if part is None:
            return None
        attempts.append(part)
    builders = tuple(sorted({str(task["builder"]) for task in tasks.values()}))
    attempts.append(Attempt("composition", None, composition.said["attempt"], artifact, composition.seq, builders))
    return LineUp(composition=composition, attempts=tuple(attempts))


def _newest(
    story: Story, number: int, tasks: Mapping[int, Fields], part: str, composition: Witnessed, tally: Tally
) -> Attempt | None:
    """Return the newest attempt at a task, if it is what was composed of it."""
    task = tasks[number]
    asked = next(iter(story.builds.get(number, [])[-1:]), None)
    made = story.answers.get(asked.said["request"]) if asked else None
    if asked is None or made is None or made.kind != "artifact" or not asked.seq < made.seq < composition.seq:
        message = f"task {number}: no receipt hands in what was composed of it, as the newest attempt"
        tally.fail("composition", message, composition.seq)
        return None
    if not asked.said["role"] == made.said["author"] == task["builder"] or asked.said["subject"] != task["brief"]:
        message = f"task {number} was built by another, or to another brief, than the plan in force says"
        tally.fail("composition", message, made.seq)
    if made.said["artifact"] != part:
        tally.fail(
            "composition",
            f"task {number}: what composed ({part[:16]}) is not what its newest attempt handed in "
            f"({made.said['artifact'][:16]}, receipt {made.seq}); an edit voids every approval",
            made.seq,
        )
    _check_model(story, made, tally)
    authors = sorted({str(tasks[before]["builder"]) for before in _builds_on(number, tasks)})
    return Attempt(
        reads="artifact",
        task=number,
        number=asked.said["attempt"],
        subject=part,
        since=made.seq,
        authors=tuple(authors),
        added=tuple(task["gates"]),
        asked=asked.seq,
        after=tuple(task["after"]),
    )


def _check_model(story: Story, made: Witnessed, tally: Tally) -> None:
    """Whoever made it must have been one of the models that gates were held to be independent of."""
    author = made.said["author"]
    if author in story.roles and not may_have_answered(story.roles[author], made.said["model"]):
        message = f"receipt {made.seq} was made by {made.said['model']}, which is no model of {author}"
        tally.fail("independence", f"{message}: nobody reckoned how far the gates are from it", made.seq)


def _builds_on(number: int, tasks: Mapping[int, Fields]) -> set[int]:
    """Return a task and all that it builds on, directly or not; a circle ends too."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        task = waiting.pop()
        if task not in found and task in tasks:
            found.add(task)
            waiting.extend(tasks[task]["after"])
    return found


# --- consent ----------------------------------------------------------------------------------------------------------
# Who had to say yes besides the gates: the coordinator, end to end, and the people whom the packet names. Both say it
# about exactly the bytes that composed. Neither can say it in a gate's place.

NOT_A_PERSON = frozenset({"flag", "program"})
"""Channels by which no person answers."""


def check_acceptance(story: Story, composition: Witnessed, end: Witnessed, read_by: int, tally: Tally) -> None:
    """Tell `tally` unless the coordinator accepted exactly what composed, asked after the last gate had answered.

    `read_by` is the index of the last verdict that counts.
    """
    opened = story.opened
    asked = [a for a in story.of("assignment") if a.said["work"] == "accept" and composition.seq < a.seq < end.seq]
    accepted = story.answers.get(asked[-1].said["request"]) if asked else None
    fault = ""
    if opened is None or accepted is None or accepted.kind != "acceptance" or accepted.seq < asked[-1].seq:
        fault = "no receipt says that the coordinator accepted what composed"
    elif accepted.said["author"] != asked[-1].said["role"]:
        fault = f"receipt {accepted.seq} accepts in another's place"
    elif {accepted.said["subject"], asked[-1].said["subject"]} != {composition.said["artifact"]}:
        fault = f"receipt {accepted.seq} accepts other bytes than those that composed"
    elif accepted.said["reopen"]:
        fault = f"receipt {accepted.seq} re-opens tasks"
    elif missing := set(opened.said["predicates"]) - _holding(accepted):
        fault = f"receipt {accepted.seq} does not say that {', '.join(sorted(missing))} of done_when holds"
    elif read_by > asked[-1].seq:
        fault = "the coordinator was asked before every gate had answered"
    elif accepted.suspect:
        message = f"receipt {accepted.seq} accepts with a key that was later declared suspect from before it"
        tally.fail("suspect", message, accepted.seq)
    if fault:
        tally.fail("acceptance", f"{fault}; what composed must not be used")


def check_people(story: Story, composition: Witnessed, end: Witnessed, tally: Tally) -> None:
    """Tell `tally` whether as many people as the packet demands approved exactly what composed, in time."""
    opened = story.opened
    rule = opened.said["approval"] if opened else None
    if opened is None or rule is None:
        tally.note("people", "passed", "the packet asked for nobody's approval")
        return
    subject = composition.said["artifact"]
    wanted = identify(opened.said["nonce"], "question", composition.said["attempt"], subject)
    question = next((q for q in story.of("question") if q.said["question"] == wanted), None)
    if question is None or question.seq < composition.seq:
        tally.fail("people", "the packet asks for people's approval, and no question about what composed was put")
        return
    said = question.said
    if (said["subject"], said["approvers"], said["quorum"]) != (subject, rule["approvers"], rule["quorum"]):
        tally.fail("people", f"receipt {question.seq} asks others, or fewer, than the packet demands", question.seq)
    yes: dict[str, Witnessed] = {}
    for answer in story.of("answer"):
        given = answer.said
        if given["question"] != wanted or given["subject"] != subject or not question.seq < answer.seq < end.seq:
            continue
        if given["author"] not in rule["approvers"] or answer.time_ms >= said["expires_ms"]:
            continue
        if given["decision"] == "denied":
            tally.fail("people", f"receipt {answer.seq} denies what composed all the same", answer.seq)
        elif not (
            (rule["person_required"] and given["channel"] in NOT_A_PERSON)
            or story.built(answer)
            or any(answer.key == other.key for other in yes.values())
        ):
            yes.setdefault(given["author"], answer)
    for answer in yes.values():
        if answer.suspect:
            message = f"receipt {answer.seq} approves with a key that was later declared suspect from before it"
            tally.fail("suspect", message, answer.seq)
    quorum = max(1, rule["quorum"])
    if len(yes) < quorum:
        tally.fail("people", f"{len(yes)} of the people who were asked approved exactly these bytes, {quorum} must")
    else:
        tally.note("people", "passed", f"{len(yes)} of the people who were asked approved exactly these bytes")


def _holding(accepted: Witnessed) -> set[str]:
    held = accepted.said["held"]
    return {h["predicate"] for h in held if h["holds"]} - {h["predicate"] for h in held if not h["holds"]}


# --- decisions --------------------------------------------------------------------------------------------------------
# What each answer counts as, which is not always what it says. Silence abstains; so does an approval that something
# else than the gate's own models gave, or that rests on a waiver which was not given for it. It must never make an
# approval of anything else.


def decisions_of(story: Story) -> dict[str, str]:
    """Return what the first answer to each ticket counts as: `approved`, `refused` or `abstained`, by the ticket's id.

    A waiver counts once: the first approval that cites it uses it up.
    """
    used: set[str] = set()
    decisions: dict[str, str] = {}
    tickets = {t.said["ticket"]: t for t in story.of("ticket")}
    for asked, answer in story.answers.items():
        if asked not in tickets:
            continue
        if answer.kind != "verdict":
            decisions[asked] = "abstained"
            continue
        said, decision = answer.said, str(answer.said["decision"])
        role = story.roles[said["author"]]
        strange = not may_have_answered(role, said["model"])
        if said["model"] is None and decision == "approved":
            strange = said["looked"] > 0 and bool(role["models"])
        cited = said["waivers"]
        dead = any(w in used or not _is_live(story, w, answer, tickets[asked].said) for w in cited)
        if strange or dead or (cited and decision != "approved"):
            decision = "abstained"
        if decision == "approved":
            used |= set(cited)
        decisions[asked] = decision
    return decisions


def _is_live(story: Story, digest: str, verdict: Witnessed, ticket: Fields) -> bool:
    """Say whether a waiver that a verdict cites was given for it, before it, by somebody who built nothing."""
    return any(
        waiver.digest == digest
        and waiver.seq < verdict.seq
        and waiver.said["subject"] == ticket["subject"]
        and waiver.said["gate"] == ticket["gate"]
        and verdict.time_ms < waiver.said["expires_ms"]
        and not story.built(waiver)
        for waiver in story.of("waiver")
    )


# --- approvals --------------------------------------------------------------------------------------------------------
# Was it right to compose? The first rule, judged again from a packet's receipts and nothing else. Nothing composes
# unless every required gate has a signed approval of exactly these bytes, for this attempt, answering a ticket that was
# logged before, by a key that held that gate's role there. It must never take the runner's word for it: that a packet
# composed is what the runner says, and here it is held against what the gates signed.

RULES: Final = 1
"""The version of the rules that these checks know."""
ASKS_MAX: Final = 2
"""A gate that abstained is asked once more."""
OF_WHAT_COMPOSED: Final = (
    "composition",
    "gates",
    "independence",
    "custody",
    "calibration",
    "acceptance",
    "people",
)
"""The checks that only a packet that composed needs."""
OF_ANY_PACKET: Final = ("packet", "binding", "ticket", "equivocation", *OF_WHAT_COMPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One verdict that the composition rests on."""

    gate: str
    reads: str
    """`plan`, `artifact` or `composition`."""
    task: int | None
    attempt: int
    subject: str
    """The digest of what it approved."""
    ticket_seq: int
    verdict_seq: int
    custody: str
    """Where the gate's key was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a packet, as far as its receipts show it."""

    outcome: str
    """`composed`, `not-composed`, `open`, or `unknown` where nothing can be said."""
    reason: str = ""
    artifact: str = ""
    gates: tuple[str, ...] = ()
    """The gates that the packet required."""
    approvals: tuple[Approval, ...] = ()
    refusals: tuple[int, ...] = ()
    """Where in the log the verdicts stand that refused something on the way."""


def judge(story: Story, tally: Tally) -> Judged:
    """Return what became of the packet, and tell `tally` of everything that should not be so."""
    opened, finish = story.opened, story.finish
    if opened is None:
        tally.fail("packet", "no sound receipt opens this packet, so nothing about it can be judged")
        _unjudged(tally, OF_ANY_PACKET, "the packet's opening was not shown")
        return Judged(outcome="unknown")
    if opened.said["rules"] != RULES:
        message = f"the packet was opened under version {opened.said['rules']} of the rules; take a newer verifier"
        _unjudged(tally, OF_ANY_PACKET, message)
        return Judged(outcome="unknown")
    gates = tuple(opened.said["gates"])
    refusals = tuple(v.seq for v in story.of("verdict") if v.said["decision"] == "refused")
    _check_ids(story, opened, tally)  # 1
    _check_tickets(story, tally)  # 2
    if finish is None:
        _check_equivocation(story, (), tally)
        message = "the bundle shows no end of this packet: it was still open, or receipts were left out"
        _unjudged(tally, ("packet", *OF_WHAT_COMPOSED), message)
        return Judged(outcome="open", gates=gates, refusals=refusals)
    reason, artifact = str(finish.said["reason"]), finish.said["artifact"]
    composed = finish.said["outcome"] == "composed"
    if composed != (reason == "composed") or composed != (artifact is not None):
        tally.fail("packet", f"receipt {finish.seq} ends the packet in two ways at once", finish.seq)
    if not composed or artifact is None:
        _check_equivocation(story, (), tally)
        for check in OF_WHAT_COMPOSED:
            tally.note(check, "passed", f"nothing composed ({reason}), so nothing had to be let through")
        return Judged(outcome="not-composed", reason=reason, gates=gates, refusals=refusals)
    approvals = _check_composed(story, opened, finish, tally)
    return Judged(
        outcome="composed",
        reason=reason,
        artifact=artifact,
        gates=gates,
        approvals=approvals,
        refusals=refusals,
    )


def _check_composed(story: Story, opened: Witnessed, finish: Witnessed, tally: Tally) -> tuple[Approval, ...]:
    _check_squad(story, opened, tally)  # 3
    found = line_up(story, finish, tally)  # 4
    if found is None:
        _check_equivocation(story, (), tally)
        _unjudged(tally, OF_WHAT_COMPOSED, "no receipt tells how this end came about")
        return ()
    decisions = decisions_of(story)
    approvals: list[Approval] = []
    for attempt in found.attempts:  # 5
        before = finish.seq if attempt.reads == "composition" else found.composition.seq
        for gate in _readers(story, opened, attempt):
            given = _read_by(story, gate, attempt, before, decisions)
            if isinstance(given, str):
                tally.fail("gates", f"{gate} did not approve {attempt}: {given}; what composed must not be used")
            else:
                ticket, verdict = given
                approvals.append(_count(story, opened, attempt, ticket, verdict, tally))
    _check_looked(story, found.attempts, tally)
    _check_inputs(found.attempts, tally)
    for receipt in (opened, found.composition, finish, *story.of("ticket")):
        if receipt.suspect:
            message = f"receipt {receipt.seq}, a {receipt.kind}, was signed by a key that was later declared suspect"
            tally.fail("suspect", f"{message} from before it on; have this packet judged again", receipt.seq)
    _check_custody(story, approvals, tally)  # 6
    check_calibration(story, [(given.gate, given.verdict_seq) for given in approvals], tally)
    read_by = max((given.verdict_seq for given in approvals), default=0)
    check_acceptance(story, found.composition, finish, read_by, tally)  # 7
    check_people(story, found.composition, finish, tally)
    _check_equivocation(story, found.attempts, tally)  # 8
    return tuple(approvals)


def _check_ids(story: Story, opened: Witnessed, tally: Tally) -> None:
    """What is asked has an id that follows from the packet's nonce: nothing can be carried over from elsewhere."""
    nonce = str(opened.said["nonce"])
    for receipt in story.receipts:
        said = receipt.said
        if receipt.kind == "ticket":
            parts = (said["task"] or 0, said["attempt"], said["gate"], said["subject"], said["ask"])
            right = said["ticket"] == identify(nonce, "ticket", *parts)
        elif receipt.kind == "assignment":
            right = said["request"] == identify(nonce, "assignment", said["work"], said["task"] or 0, said["attempt"])
        else:
            continue
        if not right:
            tally.fail(
                "binding",
                f"receipt {receipt.seq}: the {receipt.kind}'s id does not follow from this packet's nonce and what it "
                "asks; it was made for something else",
                receipt.seq,
            )


def _check_tickets(story: Story, tally: Tally) -> None:
    tickets = {t.said["ticket"]: t for t in reversed(story.of("ticket"))}
    for verdict in story.of("verdict"):
        said, ticket = verdict.said, tickets.get(verdict.said["ticket"])
        if story.answers[said["ticket"]] is not verdict:
            continue  # too late, or a contradiction: `equivocation` speaks of those
        if ticket is None or ticket.seq > verdict.seq:
            message = "answers no ticket that was logged before it"
        elif ticket.said["gate"] != said["author"]:
            message = "answers a ticket that was for another gate"
        elif ticket.said["subject"] != said["subject"] or ticket.said["attempt"] != said["attempt"]:
            message = "judges other bytes, or another attempt, than its ticket asked about"
        elif ticket.said["independence"] != said["independence"]:
            message = "claims another independence than its ticket"
        else:
            continue
        tally.fail("ticket", f"receipt {verdict.seq}, a verdict, {message}; it counts for nothing", verdict.seq)


def _check_squad(story: Story, opened: Witnessed, tally: Tally) -> None:
    """A squad in which nothing could have been refused lets nothing through."""
    fail, roles, gates = tally.fail, story.roles, opened.said["gates"]
    if len(roles) != len(opened.said["roles"]) or "runner" in roles:
        fail("gates", "two roles of the squad have one name, so that author and gate cannot be told apart")
    if not gates:
        fail("gates", "the packet required no gate, and without a gate nothing may compose")
    for gate in gates:
        if gate not in roles or roles[gate]["kind"] != "gate" or not roles[gate]["reads"]:
            fail("gates", f"the packet required the gate {gate!r}, which is no gate of its squad")
    if not any({"artifact", "composition"} & set(roles[gate]["reads"]) for gate in gates if gate in roles):
        fail("gates", "no required gate reads what composes")
    for gate in gates:
        if gate in roles and roles[gate]["unsafe"]:
            tally.note("gates", "warned", f"{gate} approves without reading: what it let through nobody has looked at")


def _readers(story: Story, opened: Witnessed, attempt: Attempt) -> list[str]:
    """Return the gates that must read an attempt: the packet's, then those that the plan added."""
    named = dict.fromkeys((*opened.said["gates"], *attempt.added))
    return [g for g in named if g not in story.roles or attempt.reads in story.roles[g]["reads"]]


def _read_by(
    story: Story, gate: str, attempt: Attempt, before: int, decisions: dict[str, str]
) -> tuple[Witnessed, Witnessed] | str:
    """Return the ticket and the verdict by which a gate approved an attempt, or why it did not.

    The checks, in order: 1 it is a gate of this squad; 2 it was asked about exactly this attempt and these bytes, after
    they were handed in; 3 it was asked again only where it had abstained; 4 its answer counts as an approval, follows
    the ticket, and speaks of the same; 5 it came before the attempt was let through.
    """
    if gate not in story.roles or story.roles[gate]["kind"] != "gate":
        return "it is no gate of this squad"  # 1
    asked = story.tickets.get((gate, attempt.reads, attempt.task, attempt.number), [])
    if not asked:
        return "no ticket asked it"
    if [t.said["ask"] for t in asked] != list(range(1, len(asked) + 1)) or len(asked) > ASKS_MAX:
        return "it was asked in another order, or more often, than the rules allow"
    if any(t.said["subject"] != attempt.subject or t.seq < attempt.since for t in asked):
        return "a ticket asked it about other bytes, or before they were handed in"  # 2
    ticket = asked[-1]
    for earlier in asked[:-1]:
        first = story.answers.get(earlier.said["ticket"])
        if (
            first is None
            or not earlier.seq < first.seq < ticket.seq
            or decisions[earlier.said["ticket"]] != "abstained"
        ):
            return "it was asked again though it had not abstained"  # 3
    verdict = story.answers.get(ticket.said["ticket"])
    if verdict is None or verdict.seq < ticket.seq:
        return f"no answer follows its ticket, receipt {ticket.seq}"
    decision = decisions[ticket.said["ticket"]]
    if decision != "approved":
        return f"receipt {verdict.seq} counts as {decision}"  # 4
    said = verdict.said
    if (said["author"], said["subject"], said["attempt"]) != (gate, attempt.subject, attempt.number):
        return f"receipt {verdict.seq} speaks of other bytes, of another attempt, or for another gate"
    if verdict.seq > before:
        return f"receipt {verdict.seq} came after the attempt had been let through"  # 5
    return ticket, verdict


def _count(
    story: Story, opened: Witnessed, attempt: Attempt, ticket: Witnessed, verdict: Witnessed, tally: Tally
) -> Approval:
    """Count an approval, and say what speaks against whoever gave it."""
    attempt.approvals.append(verdict)
    gate, roles, fail = str(verdict.said["author"]), story.roles, tally.fail
    authors = [roles[name] for name in attempt.authors if name in roles]
    # A key is registered once, with all its roles: whoever made something holds its maker's role for good.
    if any(f"{author['kind']}:{author['name']}" in verdict.roles for author in authors):
        fail("independence", f"receipt {verdict.seq}: {gate} approved {attempt} with its maker's key", verdict.seq)
    reached = weakest(roles[gate], authors)
    if reached is None or too_near(reached, opened.said["independence"]):
        message = (
            f"{gate} reads too near to the makers of {attempt}: {reached or 'as one of them, or with their prior'}"
        )
        fail("independence", message, verdict.seq)
    elif reached != ticket.said["independence"]:
        message = f"the ticket at {ticket.seq} says {ticket.said['independence']}, and the squad gives {reached}"
        fail("independence", message, ticket.seq)
    if verdict.suspect:
        fail(
            "suspect",
            f"receipt {verdict.seq}: the key with which {gate} approved {attempt} was later declared suspect from "
            "before this verdict on; have it judged again",
            verdict.seq,
        )
    return Approval(
        gate=gate,
        reads=attempt.reads,
        task=attempt.task,
        attempt=attempt.number,
        subject=attempt.subject,
        ticket_seq=ticket.seq,
        verdict_seq=verdict.seq,
        custody=verdict.custody,
    )


def _check_looked(story: Story, attempts: Iterable[Attempt], tally: Tally) -> None:
    """Somebody must have read a file of what composes; a gate that found nothing of its kind approves without."""

    def looked(attempt: Attempt) -> bool:
        return any(v.said["looked"] > 0 or story.roles[v.said["author"]]["unsafe"] for v in attempt.approvals)

    attempts = list(attempts)
    if not any(looked(attempt) for attempt in attempts if attempt.reads == "composition"):
        for attempt in attempts:
            if attempt.reads == "artifact" and not looked(attempt):
                tally.fail("gates", f"no gate has read a single file of {attempt}; what composed must not be used")


def _check_inputs(attempts: Iterable[Attempt], tally: Tally) -> None:
    """Nothing is built on what was not approved: a task is asked for after the last word on all that it builds on."""
    parts = {attempt.task: attempt for attempt in attempts if attempt.reads == "artifact"}
    for attempt in parts.values():
        for before in attempt.after:
            if before in parts and any(verdict.seq > attempt.asked for verdict in parts[before].approvals):
                message = f"task {attempt.task} was asked for before task {before}, on which it builds, was approved"
                tally.fail("composition", message, attempt.asked)


def _check_custody(story: Story, approvals: list[Approval], tally: Tally) -> None:
    """Say where the gates' keys were kept, and whether the policy in force was content with that."""
    rank = CUSTODY_ORDER.index
    for given in approvals:
        in_force = [p.said["gate_custody"] for p in story.policies if p.seq < given.verdict_seq]
        if in_force and rank(given.custody) < rank(in_force[-1]):
            tally.fail(
                "custody",
                f"receipt {given.verdict_seq}: the key of {given.gate} was kept {given.custody}, and the policy in "
                f"force demands {in_force[-1]}; its verdict must not count",
                given.verdict_seq,
            )
    if not approvals:
        tally.note("custody", "unchecked", "no approval could be counted")
        return
    least = min(approvals, key=lambda given: rank(given.custody))
    message = f"at the weakest, a gate's key was kept {least.custody}: {least.gate}, receipt {least.verdict_seq}"
    if least.custody == "in-process":
        message += "; that guards against mistakes, not against hostile code in the same process"
        tally.note("custody", "warned", message, least.verdict_seq)
    else:
        tally.note("custody", "passed", message)


def _check_equivocation(story: Story, attempts: Iterable[Attempt], tally: Tally) -> None:
    counted = {verdict.said["ticket"] for attempt in attempts for verdict in attempt.approvals}
    for told in story.of("equivocation"):
        if told.said["about"] in counted:
            message = f"receipt {told.seq} says that {told.said['author']} gave two answers to a ticket that counts"
            tally.fail("equivocation", f"{message}: nobody can know which it means", told.seq)
    for first, other in story.second:
        who = f"receipts {first.seq} and {other.seq} are different answers to one question"
        if first.kind == "verdict" and first.said["ticket"] in counted:
            message = f"{who}, by {first.said['author']}: nobody can know which it means; keep both, they are the proof"
            tally.fail("equivocation", message, first.seq)
        else:
            message = f"{who}; nothing that composed rests on them, but ask whoever signed them"
            tally.note("equivocation", "warned", message, first.seq)


def _unjudged(tally: Tally, checks: Iterable[str], message: str) -> None:
    for check in checks:
        tally.note(check, "unchecked", message)


# --- reader -----------------------------------------------------------------------------------------------------------
# Receipts of a bundle, one by one: is it in the log, what does it say, who signed it, and were they allowed to? It
# replays the key registry as the log replays it, by index, so that a key speaks only from where it was registered to
# where it was rotated away. It must never hand on a receipt of which any of this is not shown.


class Reader:
    """Goes through the receipts in order and keeps those that can be relied on."""

    def __init__(self, trust: Trust, checkpoint: Checkpoint, tally: Tally) -> None:
        self._trust = trust
        self._checkpoint = checkpoint
        self._tally = tally
        self._found: list[Witnessed] = []
        self._changed: list[tuple[int, list[bytes]]] = []
        self.registry: Registry | None = None

    def witnessed(self) -> list[Witnessed]:
        """Return the receipts that stand in the log and were signed by whoever may say so, in order."""
        registry = self.registry
        if registry is None:
            return []
        for seq, signers in self._changed:
            if not any(registry.keys[key].holds_at(seq) and "root" in registry.keys[key].roles for key in signers):
                message = (
                    f"receipt {seq} changes keys by the word of a root that was later declared suspect from before it"
                )
                self._tally.note("suspect", "warned", f"{message}: ask whether those keys are the right ones", seq)
        found = []
        for receipt in self._found:
            # A revocation reaches back: what the key signed from `suspect_from_index` on no longer counts.
            still = registry.keys[bytes.fromhex(receipt.key)].holds_at(receipt.seq)
            if not still:
                message = f"receipt {receipt.seq} was signed by a key that was later declared suspect from before it"
                self._tally.note("suspect", "warned", message, receipt.seq)
            found.append(receipt._replace(suspect=not still))
        return found

    def read(self, receipt: Included) -> None:
        """Check one receipt; keep it if it is sound."""
        leaf, seq = receipt.leaf, receipt.leaf.seq
        try:
            check_inclusion(leaf_hash(receipt.data), seq, self._checkpoint.size, self._checkpoint.root, receipt.path)
        except Malformed as error:
            self._tally.fail("inclusion", f"receipt {seq} is not shown to be in the log: {error}", seq)
            return
        try:
            statement = self._statement(receipt)
        except Malformed as error:
            self._tally.fail("statement", f"receipt {seq} cannot be read in one way only: {error}", seq)
            return
        if seq == 0:
            self._open(receipt, statement)
            return
        registry = self.registry
        if registry is None:
            return
        # Every signature is genuine, and by a key that may say this here.
        signers = [key for key, _ in leaf.signatures]
        message = pae(leaf.payload_type, leaf.payload)
        for key, signature in leaf.signatures:
            public = registry.public_key(key)
            if public is None or not verify_signature(public, signature, message):
                text = f"receipt {seq}: a signature is not over these bytes, or by a key that the log does not know"
                self._tally.fail("signature", f"{text}; do not rely on this receipt", seq)
                return
        if not registry.may_sign(signers, statement.kind, seq, statement.predicate) or (
            len(signers) != 1 and statement.kind != "key-event"
        ):
            self._tally.fail(
                "role",
                f"receipt {seq}: its signer held no role that may sign a {statement.kind!r} at this index; do not "
                "rely on this receipt",
                seq,
            )
            return
        if statement.kind == "key-event":
            try:
                self.registry = registry.apply(statement.predicate, seq, signers)
                self._changed.append((seq, signers))
            except Malformed as error:
                self._tally.fail("role", f"receipt {seq} changes keys as nobody may: {error}", seq)
            return
        if statement.subjects != (_subject_of(statement),):
            self._tally.fail("binding", f"receipt {seq}: its subject is another than its predicate speaks of", seq)
            return
        if statement.predicate["workspace"] != registry.workspace:
            self._tally.fail("binding", f"receipt {seq} belongs to another workspace than this log", seq)
            return
        key = signers[0]
        self._found.append(
            Witnessed(
                seq=seq,
                time_ms=leaf.time_ms,
                kind=statement.kind,
                said=statement.predicate,
                digest=sha256(leaf.payload).hexdigest(),
                key=key.hex(),
                roles=registry.roles_of(key, seq),
                custody=registry.keys[key].custody,
            )
        )

    def _statement(self, receipt: Included) -> Statement:
        leaf = receipt.leaf
        if leaf.payload_type != PAYLOAD_TYPE:
            raise Malformed(f"the payload type {leaf.payload_type[:60]!r} is unknown")
        statement = parse_statement(leaf.payload)
        if (statement.kind == "log-open") != (leaf.seq == 0):
            raise Malformed("a log is opened by entry 0, and only there")
        check_shape(statement.kind, statement.predicate)
        return statement

    def _open(self, receipt: Included, statement: Statement) -> None:
        fail, leaf = self._tally.fail, receipt.leaf
        root = key_id(self._trust.root_public_key)
        message = pae(leaf.payload_type, leaf.payload)
        try:
            registry = Registry.open(statement.predicate, [key for key, _ in leaf.signatures])
        except Malformed as error:
            fail("opening", f"entry 0 does not open the log as it must: {error}", 0)
            return
        if not any(
            key == root and verify_signature(self._trust.root_public_key, signature, message)
            for key, signature in leaf.signatures
        ):
            fail("opening", "entry 0 is not signed by the trusted root; is trust.json of another workspace?", 0)
        elif not all(
            verify_signature(registry.keys[key].public_key, signature, message) for key, signature in leaf.signatures
        ):
            self._tally.fail("signature", "entry 0: another root's signature is not over these bytes", 0)
        elif registry.origin != self._trust.origin or registry.log_public_key != self._trust.log_key.public_key:
            fail("opening", "entry 0 opens a log of another origin or log key than trust.json names", 0)
        else:
            self.registry = registry


def _subject_of(statement: Statement) -> tuple[str, str]:
    """Return the subject that a statement with this predicate must name."""
    said: Mapping[str, Any] = statement.predicate
    if statement.kind not in ("grant", "erasure"):  # their `subject` is no digest
        for field in ("subject", "artifact", "content", "about"):
            if isinstance(said.get(field), str):
                return field, said[field]
    named = "packet" if statement.kind not in _OF_THE_WORKSPACE else "workspace"
    return named, sha256(said[named].encode()).hexdigest()


_OF_THE_WORKSPACE: Final = frozenset({"grant", "policy", "calibration", "erasure", "stop", "lift"})


# --- offline ----------------------------------------------------------------------------------------------------------
# Verify a bundle with nothing but `trust.json`: no network, no clock, no file, no key. It believes the trust that it is
# given. Size and root come from the checkpoint that the trusted key signed, indexes from receipts that lead to that
# root, and keys from the log's own registry, replayed by index under the trusted root. It must never stop at the first
# fault, call unchecked passed, or add the checks up to one answer.

BUNDLE_CHECKS: Final[dict[str, str]] = {
    "framing": "the file is one bundle, and every receipt in it one leaf",
    "checkpoint": "the checkpoint is signed by the log's key",
    "inclusion": "every receipt stands in the log, at the index that it says",
    "opening": "entry 0 opens this log and is signed by the trusted root",
    "statement": "every receipt says something known, in one reading",
    "signature": "every receipt's signatures are genuine",
    "role": "every signer held a role that may say this, at this index",
    "suspect": "nothing that counts was signed by a key that was later declared suspect",
    "binding": "every receipt is about what it names, and every id follows from the packet's nonce",
    "packet": "the packet was opened once and ended once",
    "ticket": "every verdict answers a ticket that was logged before it, about the same bytes and attempt",
    "equivocation": "nobody gave two answers to one question",
    "composition": "what composed is made of the newest attempts of the plan in force",
    "gates": "every required gate approved every attempt that it reads",
    "independence": "no gate approved its own work, and each is as far from the makers as the packet demands",
    "custody": "every gate's key was kept as the policy in force demands",
    "calibration": "every gate was measured to be as good as the policy in force demands",
    "acceptance": "the coordinator accepted exactly what composed",
    "people": "the people who had to be asked approved exactly what composed",
    "tree-head": "every log head that a verdict names is of this log",
    "anchored": "the checkpoints kept elsewhere are of the same log",
    "content": "all content that is here has the digest that receipts name",
    "completeness": "no receipt of the log is left out",
}
"""Every check of a bundle by name, with what it shows when it passes; reports list them in this order."""
BEYOND_A_BUNDLE: Final = frozenset({"tree-head", "anchored", "content", "completeness"})
"""Checks that a sound bundle may leave unchecked: it need not bring what they look at."""
_ALL_BUT_FRAMING: Final = tuple(check for check in BUNDLE_CHECKS if check != "framing")
_NEED_A_ROOT: Final = tuple(c for c in _ALL_BUT_FRAMING if c not in ("checkpoint", "opening", "anchored"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """Everything that was found in a bundle: one result per check, and never one boolean."""

    origin: str
    """The log that is trusted."""
    packet: str
    """The packet that was judged; empty where there was none."""
    size: int | None
    """How many receipts the checkpoint covers; None unless its signature was genuine."""
    root: bytes | None
    receipts: int
    """How many of them the bundle brings."""
    outcome: str
    """`composed`, `not-composed`, `open`, or `unknown`; worth what the checks say."""
    reason: str
    artifact: str
    """The digest of what composed; empty unless something did."""
    gates: tuple[str, ...]
    """The gates that the packet required. Whether they were the right ones is for the reader to say."""
    approvals: tuple[Approval, ...]
    """Every verdict that what composed rests on."""
    refusals: tuple[int, ...]
    """Where in the log the verdicts stand that refused something on the way."""
    evidence: tuple[tuple[str, str], ...]
    """Pairs of signed notes that cannot both be of one log: whoever holds a pair can prove a fork to anybody."""
    results: tuple[Result, ...]
    """One per check, in the order of `BUNDLE_CHECKS`."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that failed; the first is usually the cause of the later ones."""
        return tuple(result for result in self.results if result.state == "failed")

    @property
    def warned(self) -> tuple[Result, ...]:
        """The checks whose outcome a person must weigh."""
        return tuple(result for result in self.results if result.state == "warned")

    @property
    def unchecked(self) -> tuple[Result, ...]:
        """The checks that were not made, or not to the end."""
        return tuple(result for result in self.results if result.state == "unchecked")

    @property
    def exit_code(self) -> int:
        """1 where a check failed, 2 where one that a bundle must be able to show was not made, else 0."""
        if self.failed:
            return 1
        return 2 if any(result.check not in BEYOND_A_BUNDLE for result in self.unchecked) else 0

    def __getitem__(self, check: str) -> Result:
        """Return the result of one check by name."""
        return next(result for result in self.results if result.check == check)

    @property
    def outcome_said(self) -> str:
        """What became of the packet, as one sentence."""
        if self.outcome == "composed":
            return f"It composed {self.artifact}, and required {', '.join(self.gates) or 'no gate'}."
        if self.outcome == "not-composed":
            return f"It did not compose, because of {self.reason}; it required {', '.join(self.gates) or 'no gate'}."
        if self.outcome == "open":
            return "It has not ended, as far as this bundle shows, so nothing composed."
        return "Nothing can be said about what became of it."

    @property
    def conclusion(self) -> str:
        """What the checks come to, as one sentence that leaves none of them out of sight."""
        if self.failed:
            return f"Broken: {self.failed[0].message}"
        if self.exit_code:
            missing = next(result for result in self.unchecked if result.check not in BEYOND_A_BUNDLE)
            return f"Could not find out: {missing.message}"
        root = "" if self.root is None else self.root.hex()[:16]
        more = [*(r.check for r in self.warned), *(r.check for r in self.unchecked)]
        weigh = f"; weigh what is said of {', '.join(more)}" if more else ""
        return f"Verified: {self.receipts} receipts under the checkpoint over {self.size}, root {root}…{weigh}"

    def as_json(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold, with its exit code."""
        return {
            "origin": self.origin,
            "packet": self.packet,
            "size": self.size,
            "root": None if self.root is None else self.root.hex(),
            "receipts": self.receipts,
            "outcome": self.outcome,
            "reason": self.reason,
            "artifact": self.artifact,
            "gates": list(self.gates),
            "approvals": [
                {name: getattr(given, name) for name in given.__dataclass_fields__} for given in self.approvals
            ],
            "refusals": list(self.refusals),
            "evidence": [list(pair) for pair in self.evidence],
            "results": [{"check": r.check, "state": r.state, "message": r.message} for r in self.results],
            "exit_code": self.exit_code,
        }


def verify_bundle(data: bytes, trust: Trust, *, seen: Iterable[str] = ()) -> BundleReport:
    """Return what was found in a bundle's file; raises nothing, whatever the file holds.

    Args:
        data: The file.
        trust: Must have come another way than the bundle, or all of this shows nothing.
        seen: Signed checkpoints of this log that the verifier holds or fetched: what shows a rewritten log.
    """
    tally = Tally(BUNDLE_CHECKS)
    # 1
    try:
        bundle = Bundle.from_json(data)
    except Malformed as error:
        tally.fail("framing", f"this is no bundle that can be read in one way: {error}")
        _left_open(tally, _ALL_BUT_FRAMING, "the bundle could not be read")
        return _reported(trust, None, None, Judged(outcome="unknown"), (), tally)
    if bundle.origin != trust.origin:
        tally.fail("framing", "the bundle says that it is from another log than trust.json names")
    # 2
    checkpoint = _genuine(bundle, trust, tally)
    evidence: tuple[tuple[str, str], ...] = ()
    judged = Judged(outcome="unknown")
    if checkpoint is None:
        _left_open(
            tally, _NEED_A_ROOT, "without a genuine checkpoint no receipt has a place, and nothing can be judged"
        )
        _left_open(tally, ("opening", "anchored"), "there is no genuine checkpoint to compare with")
        return _reported(trust, bundle, None, judged, evidence, tally)
    # 3
    reader = Reader(trust, checkpoint, tally)
    for receipt in bundle.receipts:
        reader.read(receipt)
    receipts = reader.witnessed()
    # 4
    if reader.registry is None:
        if not bundle.receipts or bundle.receipts[0].leaf.seq != 0:
            tally.fail("opening", "the bundle does not bring entry 0, so no key is known; ask for a whole bundle")
        _left_open(
            tally, [c for c in _NEED_A_ROOT if c != "inclusion"], "no sound entry 0 was read, so no key is known"
        )
    else:
        story = Story.told(receipts, bundle.packet, tally)
        judged = judge(story, tally)
        check_content(bundle.content, story, tally)
        _check_heads(bundle, checkpoint, story, tally)
        _check_complete(bundle, checkpoint, tally)
    # 5
    evidence = _compare(bundle, checkpoint, trust, seen, tally)
    return _reported(trust, bundle, checkpoint, judged, evidence, tally)


def _genuine(bundle: Bundle, trust: Trust, tally: Tally) -> Checkpoint | None:
    try:
        return verify_checkpoint(bundle.checkpoint, trust.log_key)
    except Malformed as error:
        tally.fail("checkpoint", f"the bundle's checkpoint is not the log's: {error}; is trust.json of another log?")
        return None


def _compare(
    bundle: Bundle, checkpoint: Checkpoint, trust: Trust, seen: Iterable[str], tally: Tally
) -> tuple[tuple[str, str], ...]:
    """Compare the checkpoint with every note that was kept elsewhere; return the pairs that prove a fork."""
    evidence: list[tuple[str, str]] = []
    known = {checkpoint.size: (checkpoint.root, bundle.checkpoint)}

    def differs(other: Checkpoint, note: str) -> bool:
        root, ours = known.get(other.size, (other.root, note))
        if other.root == root:
            return False
        tally.fail(
            "anchored",
            f"two checkpoints over {other.size} receipts, both signed by the log's key, have different roots: the log "
            "was forked; keep both notes, together they are the proof",
            other.size,
        )
        evidence.append((note, ours))
        return True

    # 1. Notes that the bundle brings, each with its proof.
    for one in bundle.anchored:
        try:
            other = verify_checkpoint(one.note, trust.log_key)
        except Malformed as error:
            tally.fail("anchored", f"a checkpoint from elsewhere is not the log's: {error}")
            continue
        if differs(other, one.note):
            continue
        old, new = sorted((other, checkpoint), key=lambda note: note.size)
        try:
            if old.size > 0:
                check_consistency(old.size, old.root, new.size, new.root, one.path)
            elif old.root != EMPTY_ROOT or one.path:
                raise Malformed("a checkpoint over no receipts has the root of the empty tree, and no path")
        except Malformed as error:
            tally.fail(
                "anchored",
                f"the checkpoint over {other.size} receipts that was kept elsewhere is not shown to be of this log: "
                f"{error}; ask for the bundle again, and if it stays so, the log was rewritten",
                other.size,
            )
            continue
        known.setdefault(other.size, (other.root, one.note))
    # 2. Notes that the verifier holds, compared with those that are proved.
    compared = 0
    for note in seen:
        try:
            other = verify_checkpoint(note, trust.log_key)
        except Malformed as error:
            tally.fail("anchored", f"a checkpoint that you gave is not the log's: {error}")
            continue
        if other.size not in known:
            message = f"nothing proves that your checkpoint over {other.size} receipts is of this log"
            tally.note("anchored", "unchecked", f"{message}; ask for a bundle that brings that note", other.size)
        elif not differs(other, note):
            compared += 1
    if compared:
        tally.note("anchored", "passed", f"{compared} checkpoints that you hold are of the same log")
    elif bundle.anchored:
        message = f"{len(bundle.anchored)} checkpoints from elsewhere are of the same log; they came with the bundle"
        tally.note("anchored", "passed", f"{message}, so compare with one that you hold")
    else:
        message = "no checkpoint from elsewhere was given; compare with one that you or others keep"
        tally.note("anchored", "unchecked", message)
    return tuple(evidence)


def _check_heads(bundle: Bundle, checkpoint: Checkpoint, story: Story, tally: Tally) -> None:
    """Compare the log with the heads that verdicts name: a gate signed them, and whoever writes the log cannot."""
    named = [v for v in story.of("verdict") if v.said["tree_head"] is not None]
    if not named:
        tally.note("tree-head", "unchecked", "no verdict of this packet names a log head")
    for verdict in named:
        size, root = verdict.said["tree_head"]["size"], bytes.fromhex(verdict.said["tree_head"]["root"])
        try:
            if size > verdict.seq:
                raise Malformed("it covers more than stood before the verdict: the log was cut and written anew")
            if size > 0:
                check_consistency(size, root, checkpoint.size, checkpoint.root, bundle.heads.get(size, ()))
            elif root != EMPTY_ROOT:
                raise Malformed("it covers nothing and has another root than the empty tree")
        except Malformed as error:
            tally.fail(
                "tree-head",
                f"receipt {verdict.seq}: the log head over {size} receipts that its verdict names is not shown to be "
                f"of this log: {error}; ask for the bundle again, and if it stays so, the log was rewritten",
                verdict.seq,
            )


def _check_complete(bundle: Bundle, checkpoint: Checkpoint, tally: Tally) -> None:
    size, count = checkpoint.size, len(bundle.receipts)
    # They ascend and each stands below the size, or `inclusion` has failed: as many as the size are all.
    if count != size:
        tally.note(
            "completeness",
            "unchecked",
            f"{count} of the log's {size} receipts are here; what is left out, such as a key that was revoked later or "
            "a second answer, no bundle can show: verify the whole ledger, or ask for its revocations",
        )


def _left_open(tally: Tally, checks: tuple[str, ...] | list[str], message: str) -> None:
    for check in checks:
        tally.note(check, "unchecked", message)


def _reported(
    trust: Trust,
    bundle: Bundle | None,
    checkpoint: Checkpoint | None,
    judged: Judged,
    evidence: tuple[tuple[str, str], ...],
    tally: Tally,
) -> BundleReport:
    return BundleReport(
        origin=trust.origin,
        packet=bundle.packet if bundle else "",
        size=checkpoint.size if checkpoint else None,
        root=checkpoint.root if checkpoint else None,
        receipts=len(bundle.receipts) if bundle else 0,
        outcome=judged.outcome,
        reason=judged.reason,
        artifact=judged.artifact,
        gates=judged.gates,
        approvals=judged.approvals,
        refusals=judged.refusals,
        evidence=evidence,
        results=tally.results(),
    )


# --- main -------------------------------------------------------------------------------------------------------------
# The last part of the verifier that is one file: it reads two files and prints what was found. `build_verifier.py` puts
# the ledger's own files before it; nothing here checks anything.

MARKS = {"passed": "✓", "failed": "✗", "warned": "!", "unchecked": "–"}


def main(arguments: list[str] | None = None) -> int:
    """Verify a bundle and return 0 when every check passed, 1 when one failed, 2 when it could not be found out."""
    parser = ArgumentParser(description="Verify a bundle of one packet offline, with nothing but trust.json.")
    parser.add_argument("bundle", type=Path, help="the file that `squads bundle` wrote")
    parser.add_argument("--trust", type=Path, required=True, help="trust.json, from somebody you believe")
    parser.add_argument(
        "--seen", type=Path, action="append", default=[], help="a signed checkpoint that you hold; may be repeated"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the report as JSON")
    asked = parser.parse_args(arguments)
    if find_spec("cryptography") is None:
        return _give_up("the Python package cryptography is missing; install it")
    try:
        with asked.trust.open("rb") as file:
            trust = Trust.from_json(file.read(65_536))
        with asked.bundle.open("rb") as file:
            data = file.read(BUNDLE_BYTES_MAX + 1)
        seen = [path.read_text("utf-8") for path in asked.seen]
    except OSError as error:
        return _give_up(f"cannot read {error.filename}: {error.strerror}")
    except UnicodeDecodeError:
        return _give_up("a file given with --seen is no text, so no signed checkpoint")
    except Malformed as error:
        return _give_up(f"{asked.trust} is no trust.json: {error}")
    report = verify_bundle(data, trust, seen=seen)
    for line in [json.dumps(report.as_json())] if asked.as_json else _lines(report):
        print(line)
    return report.exit_code


def _lines(report: BundleReport) -> list[str]:
    lines = [f"Packet {report.packet or '?'} of {report.origin}", report.outcome_said]
    for found in report.results:
        left_open = "not checked: " if found.state == "unchecked" else ""
        lines.append(f"  {MARKS[found.state]} {found.check:<14}{left_open}{found.message}")
    return [_visible(line) for line in [*lines, report.conclusion]]


def _visible(text: str) -> str:
    """Return text in which nothing is a command to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _give_up(sentence: str) -> int:
    sys.stderr.write(f"squads_verify: {_visible(sentence)}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
