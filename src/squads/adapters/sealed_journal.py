"""A journal in a store that nobody vouches for: a step that was not written by whom we believe is taken as not there.

A reply of a model carries no signature of its own, so whoever can write the store could plant an approval under a
ticket's id before the gate asks. Each step is therefore kept behind a mark, over where it stands and what it says. It
must never let through a step whose mark is wrong: that one is asked for again, and the log says so.

There are two kinds of seal. Who shares the workspace's private keys shares the key of a MAC. Workers that share no key
sign, and believe only who holds the very role that the journal belongs to: what a builder's key has signed is no reply
to a gate.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, Protocol, cast

from squads.contracts.thinking import Step
from squads.kernel.model_ports import Journal
from squads.kernel.ports import Signer
from squads.ledger.keys import verify_signature

MAC_BYTES: Final = 32
"""What stands before the payload of each step in the store: so much less fits into one."""
KEY_ID_BYTES: Final = 32
SIGNATURE_BYTES: Final = KEY_ID_BYTES + 64
"""The same, where steps are signed: the key's id and an Ed25519 signature."""
_MAC_VERSION: Final = "squads.step-mac/v1"
_SIGNATURE_VERSION: Final = "squads.step-signature/v1"

log = logging.getLogger("squads.journal")


class Seal(Protocol):
    """Marks what this process writes, and says which marks it believes. `where` names a step: no two have the same."""

    @property
    def size_bytes(self) -> int:
        """How long every mark is."""
        ...

    @property
    def version(self) -> str:
        """What is marked together with each step, so that no mark of another kind is ever one of this."""
        ...

    @property
    def believed(self) -> str:
        """Whose marks are believed, in words that end a sentence: "not written with ..."."""
        ...

    def mark(self, where: bytes, payload: bytes) -> bytes:
        """Return the mark of a step."""
        ...

    def holds(self, mark: bytes, where: bytes, payload: bytes) -> bool:
        """Say whether somebody who is believed has made this mark, of any length, for exactly this step."""
        ...


class MacSeal:
    """One key for everybody who may write: a MAC, with a key that is kept beside the private keys.

    Args:
        secret: Returns the key of which the MAC's is derived; asked once, when the first step is read or written.
    """

    size_bytes = MAC_BYTES
    version = _MAC_VERSION
    believed = "this workspace's key"

    def __init__(self, secret: Callable[[], Signer]) -> None:
        self._secret = secret
        self._key = b""

    def mark(self, where: bytes, payload: bytes) -> bytes:
        """Return HMAC-SHA256 of a step."""
        if not self._key:
            # An Ed25519 signature is deterministic, and only the key's holder can make it; see `squads.people.opaque`.
            self._key = sha256(self._secret().sign(_MAC_VERSION.encode())).digest()
        return hmac.digest(self._key, where + sha256(payload).digest(), "sha256")

    def holds(self, mark: bytes, where: bytes, payload: bytes) -> bool:
        """Say whether it is the MAC of exactly this step."""
        return hmac.compare_digest(mark, self.mark(where, payload))


class SignatureSeal:
    """A key for each worker: every step is signed, and believed where its key holds one role.

    Args:
        role: Whose journal it is, such as `gate:security`: nobody else's steps are believed.
        signer: The key of this worker.
        key_of: Returns a key's public key and the roles it holds now, by its 32-byte id; None for one not known.
    """

    size_bytes = SIGNATURE_BYTES
    version = _SIGNATURE_VERSION

    def __init__(
        self, role: str, signer: Signer, key_of: Callable[[bytes], tuple[bytes, frozenset[str]] | None]
    ) -> None:
        self.believed = f"a key that holds the role {role}"
        self._role = role
        self._signer = signer
        self._key_of = key_of

    def mark(self, where: bytes, payload: bytes) -> bytes:
        """Return the worker's key id and its signature of a step."""
        return self._signer.key_id + self._signer.sign(where + sha256(payload).digest())

    def holds(self, mark: bytes, where: bytes, payload: bytes) -> bool:
        """Say whether a key that holds the role now has signed exactly this step."""
        known = self._key_of(mark[:KEY_ID_BYTES])
        if known is None or self._role not in known[1]:
            return False
        return verify_signature(known[0], mark[KEY_ID_BYTES:], where + sha256(payload).digest())


class SealedJournal:
    """A `Journal` over another one.

    Args:
        kept: Where steps are kept.
        seal: Whose steps count. A function that returns a signer stands for a `MacSeal` of it.
    """

    def __init__(self, kept: Journal, seal: Seal | Callable[[], Signer]) -> None:
        self._kept = kept
        self._seal: Seal = MacSeal(seal) if callable(seal) else seal

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None: also for one that is not believed."""
        step = await self._kept.get(about, kind, digest, turn)
        if step is None:
            return None
        # What the store says it found decides nothing: the mark is over what was asked for.
        asked = Step.model_construct(kind=cast("Any", kind), input=digest, turn=turn, payload=step.payload)
        return self._opened(about, asked)

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step, and return the one that counts: ours, unless a genuine one stands there already."""
        mark = self._seal.mark(self._where(about, step), step.payload)
        sealed = step.but(payload=mark + step.payload)
        kept = await self._kept.put(about, sealed, packet=packet)
        if kept.payload == sealed.payload:
            return step
        return self._opened(about, step.but(payload=kept.payload)) or step

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        return await self._kept.erase(about)

    def _opened(self, about: str, step: Step) -> Step | None:
        size = self._seal.size_bytes
        mark, payload = step.payload[:size], step.payload[size:]
        if self._seal.holds(mark, self._where(about, step), payload):
            return step.but(payload=payload)
        log.warning(
            "a journalled step (%s, turn %d) of request %s was not written with %s and is ignored: "
            "somebody changed the database, or it came without its keys; it is asked for again, and may be paid again",
            step.kind,
            step.turn,
            about[:12],
            self._seal.believed,
        )
        return None

    def _where(self, about: str, step: Step) -> bytes:
        return json.dumps([self._seal.version, about, step.kind, step.input, step.turn]).encode()
