"""A journal in a store that nobody vouches for: what this workspace did not write itself is taken as not there.

A reply of a model carries no signature, so whoever can write the store could plant an approval under a ticket's id
before the gate asks. Each step is therefore kept behind a MAC, over where it stands and what it says, with a key that
is kept with the workspace's private keys and never in the store. It must never let through a step whose MAC is wrong:
that one is asked for again, and the log says so.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, cast

from squads.contracts.thinking import Step
from squads.kernel.model_ports import Journal
from squads.kernel.ports import Signer

MAC_BYTES: Final = 32
"""What stands before the payload of each step in the store: so much less fits into one."""
_VERSION: Final = "squads.step-mac/v1"

log = logging.getLogger("squads.journal")


class SealedJournal:
    """A `Journal` over another one.

    Args:
        kept: Where steps are kept.
        secret: Returns the key of which the MAC's is derived; asked once, when the first step is read or written.
    """

    def __init__(self, kept: Journal, secret: Callable[[], Signer]) -> None:
        self._kept = kept
        self._secret = secret
        self._key = b""

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None: also for one that is not ours."""
        step = await self._kept.get(about, kind, digest, turn)
        if step is None:
            return None
        # What the store says it found decides nothing: the MAC is over what was asked for.
        asked = Step.model_construct(kind=cast("Any", kind), input=digest, turn=turn, payload=step.payload)
        return self._opened(about, asked)

    async def put(self, about: str, step: Step) -> Step:
        """Keep a step, and return the one that counts: ours, unless a genuine one stands there already."""
        sealed = step.but(payload=self._mac(about, step, step.payload) + step.payload)
        kept = await self._kept.put(about, sealed)
        if kept.payload == sealed.payload:
            return step
        return self._opened(about, step.but(payload=kept.payload)) or step

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        return await self._kept.erase(about)

    def _opened(self, about: str, step: Step) -> Step | None:
        mac, payload = step.payload[:MAC_BYTES], step.payload[MAC_BYTES:]
        if hmac.compare_digest(mac, self._mac(about, step, payload)):
            return step.but(payload=payload)
        log.warning(
            "a journalled step (%s, turn %d) of request %s was not written with this workspace's key and is ignored: "
            "somebody changed the database, or it came without its keys; it is asked for again, and may be paid again",
            step.kind,
            step.turn,
            about[:12],
        )
        return None

    def _mac(self, about: str, step: Step, payload: bytes) -> bytes:
        if not self._key:
            # An Ed25519 signature is deterministic, and only the key's holder can make it; see `squads.people.opaque`.
            self._key = sha256(self._secret().sign(_VERSION.encode())).digest()
        where = json.dumps([_VERSION, about, step.kind, step.input, step.turn]).encode()
        return hmac.digest(self._key, where + sha256(payload).digest(), "sha256")
