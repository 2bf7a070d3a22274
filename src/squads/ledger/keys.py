"""Keys: their ids, how a signature is checked, and who was allowed to say what at which index of the log.

The registry is the replay of the log's own key events by index, never by clock. It must never be changed in
place, and an event that its signers may not make is refused, not skipped.

    log-open  {format: 1, origin, workspace, root_public_keys: [hex], log_public_key: hex}
    key-event {event: "register", key, public_key, alg, subject, roles, custody, not_before_index}
              {event: "rotate", old_key, key, public_key, alg, custody, not_before_index}
              {event: "revoke", key, reason, suspect_from_index}

All are signed by a root, a rotation also by the key it retires. Keys and ids are lower-case hex.
An event at index i takes effect at i + 1 or at its `not_before_index`, whichever is later;
`suspect_from_index` may lie in the past, and what the key signed from there on no longer counts.
A root is revoked like any other key, but never the last one: a log without a root could not say anything about keys
any more. What a root registered before it was revoked stays registered; it is revoked key by key.

Source: Ed25519 as in RFC 8032, cofactorless, as in OpenSSL; low-order points as listed by Cremers & Jackson
2019.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from squads.ledger.errors import Malformed, Unauthorised
from squads.ledger.types import BARE_ROLES, KINDS, NAMED_ROLES

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
