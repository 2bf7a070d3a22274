"""What workers without the ledger believe: who holds which key, and what is stopped; and the hint to look again.

The log's key signs a roster, so whoever carries it need not be trusted. It lives for seconds: a worker that gets no
newer one begins nothing.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from squads.contracts.base import Contract, Digest, Id

EVERYTHING: Final = "everything"
"""What stands among a roster's stops while the whole workspace is stopped."""
LIFETIME_MS_MAX: Final = 10 * 60_000
"""A roster that calls itself good for longer is refused: a stop would be unheard for so long."""
_NUMBER_MAX: Final = 2**53 - 1

RoleSpoken = Annotated[str, StringConstraints(pattern=r"^[a-z]+(:[a-z0-9][a-z0-9._-]{0,63})?$", max_length=80)]
"""A role as key events name it: `runner`, `gate:security`."""
Stopped = Id | Literal["everything"]
"""A packet's id, or `everything`."""


class RosterKey(Contract):
    """A key that may speak now, and as whom."""

    key: Digest
    """Its key id."""
    public_key: Digest
    """The raw Ed25519 public key, as 64 hex digits."""
    roles: tuple[RoleSpoken, ...] = Field(min_length=1, max_length=64)


class Roster(Contract):
    """One state of a workspace, as one of its runners saw it."""

    format: Literal[1] = 1
    workspace: Id
    number: int = Field(ge=1, le=_NUMBER_MAX)
    """Grows with every roster of a workspace, whoever publishes it."""
    index: int = Field(ge=0, le=_NUMBER_MAX)
    """How many receipts the log had when this was read off it; everything below is in it."""
    issued_ms: int = Field(ge=0, le=_NUMBER_MAX)
    expires_ms: int = Field(ge=0, le=_NUMBER_MAX)
    keys: tuple[RosterKey, ...]
    """Every key that holds a role now, by key id, each once."""
    stops: tuple[Stopped, ...] = ()
    """What is stopped: packets, or everything."""
    signing: Literal["shared", "own", ""] = ""
    """How messages of this workspace are signed, where they go over a server: what is signed otherwise is refused."""
    checkpoint: str = ""
    """The log's signed note of its size and root; empty where it was left out."""

    @model_validator(mode="after")
    def _agrees(self) -> Roster:
        if not 0 < self.expires_ms - self.issued_ms <= LIFETIME_MS_MAX:
            raise ValueError(f"a roster lives for at most {LIFETIME_MS_MAX} ms, and for more than none")
        if len({known.key for known in self.keys}) != len(self.keys):
            raise ValueError("a roster lists a key twice")
        return self

    @property
    def lifetime_ms(self) -> int:
        """For how long it is believed without a newer one."""
        return self.expires_ms - self.issued_ms

    def stopped(self, packet: str) -> bool:
        """Say whether this packet, or everything, is stopped."""
        return EVERYTHING in self.stops or packet in self.stops


class LookAgain(Contract):
    """Something was stopped, lifted or registered: whoever lives by the roster reads it now instead of soon."""

    kind: Literal["stop"] = "stop"
