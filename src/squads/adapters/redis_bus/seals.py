r"""How a message on the bus says who wrote it, and for which edge.

A mark covers the mode, the key, the edge and the raw bytes: what was marked for one edge is worth nothing on another,
and nothing has to be parsed before it is checked. A mark of one mode must never be accepted in the other: where every
role has a key of its own, whoever shares a key could speak for all of them.

    marked = b"squads.bus/v1\n" + key id + b"\n" + edge + b"\n" + raw bytes

Source: HMAC-SHA256 as in RFC 2104 and FIPS 180-4; Ed25519 as in RFC 8032.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol

from squads.contracts.messages import RUNNER
from squads.kernel.ports import Signer
from squads.ledger.keys import verify_signature

SHARED: Final = b"shared"
"""The key id of every message inside one trust domain."""
KEY_ID_BYTES: Final = 32
MARK_BYTES_MAX: Final = 64
_PREFIX: Final = b"squads.bus/v1"
_ROLE_KINDS: Final = ("coordinator", "builder", "gate")
"""The kinds of role that are reached over the bus; a person or a program of the same name never speaks as one."""

KnownKey = tuple[bytes, frozenset[str]]
"""A public key, and the roles it holds now, such as `runner` or `gate:security`."""


class Unacceptable(Exception):
    """A message that must not be shown to anybody: it becomes a dead letter at once, and `reason` is its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Seals(Protocol):
    """Marks messages, and checks marks. `edge` is the key of the stream that a message stands in."""

    def seal(self, sender: str, edge: str, raw: bytes) -> tuple[bytes, bytes]:
        """Return (key id, mark) of what `sender` writes to `edge`."""
        ...

    def check(self, sender: str, edge: str, key_id: bytes, mark: bytes, raw: bytes) -> None:
        """Raise `Unacceptable` unless `sender` made this mark of exactly these bytes for exactly this edge."""
        ...


def shared_key(signer: Signer) -> bytes:
    """Return the 32-byte key of a workspace's trust domain, derived from its `bus` key.

    Ed25519 signatures are deterministic, so every process that reads the workspace's keys gets the same one, and no
    mark tells anything about the key it came from.
    """
    # No marked message equals the prefix alone: each goes on with a line feed.
    return sha256(signer.sign(_PREFIX)).digest()


class SharedSeals:
    """HMAC-SHA256 with one key, for roles that share a trust domain: each of them could speak as any other.

    Args:
        key: 32 bytes, from `shared_key`.
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_ID_BYTES:
            raise ValueError(f"the bus's shared key has {KEY_ID_BYTES} bytes, this one {len(key)}; use shared_key()")
        self._keyed = hmac.new(key, b"\n".join((_PREFIX, SHARED, b"")), sha256)

    def seal(self, sender: str, edge: str, raw: bytes) -> tuple[bytes, bytes]:
        """Return (`shared`, mark): everybody here has the same key."""
        return SHARED, self._mark(edge, raw)

    def check(self, sender: str, edge: str, key_id: bytes, mark: bytes, raw: bytes) -> None:
        """Raise `Unacceptable` unless somebody of this trust domain marked these bytes for this edge."""
        if key_id != SHARED:
            raise Unacceptable("unknown-key")
        if not hmac.compare_digest(self._mark(edge, raw), mark):
            raise Unacceptable("forged")

    def _mark(self, edge: str, raw: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(edge.encode() + b"\n")
        keyed.update(raw)
        return keyed.digest()

    def __repr__(self) -> str:
        return "SharedSeals()"


class OwnSeals:
    """Ed25519 with one key per role: nobody can speak for anybody else, whoever can write to the server.

    Args:
        signer_of: Returns the signer of a role that this process hosts, or of `runner`.
        key_of: Returns what a 32-byte key id stands for now; None for one that is unknown or no longer valid.
    """

    __slots__ = ("_key_of", "_signer_of")

    def __init__(self, signer_of: Callable[[str], Signer], key_of: Callable[[bytes], KnownKey | None]) -> None:
        self._signer_of = signer_of
        self._key_of = key_of

    def seal(self, sender: str, edge: str, raw: bytes) -> tuple[bytes, bytes]:
        """Return (key id, signature) by the sender's own key. Raises whatever `signer_of` raises for a stranger."""
        signer = self._signer_of(sender)
        key_id = signer.key_id
        return key_id, signer.sign(_signed(key_id, edge, raw))

    def check(self, sender: str, edge: str, key_id: bytes, mark: bytes, raw: bytes) -> None:
        """Raise `Unacceptable` unless a key that holds the sender's role signed these bytes for this edge."""
        # The length first: `shared` is never looked up, so no table of keys can let the other mode in.
        known = self._key_of(key_id) if len(key_id) == KEY_ID_BYTES else None
        if known is None:
            raise Unacceptable("unknown-key")
        public_key, roles = known
        if not verify_signature(public_key, mark, _signed(key_id, edge, raw)):
            raise Unacceptable("forged")
        if not _speaks_as(sender, roles):
            raise Unacceptable("wrong-role")

    def __repr__(self) -> str:
        return "OwnSeals()"


def _signed(key_id: bytes, edge: str, raw: bytes) -> bytes:
    return b"\n".join((_PREFIX, key_id, edge.encode(), raw))


def _speaks_as(sender: str, roles: frozenset[str]) -> bool:
    if sender == RUNNER:
        return RUNNER in roles
    return any(f"{kind}:{sender}" in roles for kind in _ROLE_KINDS)
