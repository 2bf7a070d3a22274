"""What a verifier must know beforehand: three values, small enough to be printed or read out.

Everything else is derived from the log and checked against these. It must never be filled from the log
itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from squads.ledger.checkpoint import check_origin
from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, public_key_of
from squads.ledger.note import VerifierKey, encode_vkey, parse_vkey
from squads.ledger.statement import canonical_json, strict_json

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
