"""Checkpoints: the log's size and root, signed by the log's key, in the form that witnesses and tools speak.

One checkpoint binds every receipt below its size. This file must never sign what its caller did not
recompute, and never trust a size or a root from an unverified note.

    <origin>                     `<domain>/squads/<log>/<epoch>`; never used for two logs
    <size in decimal>
    <root in base64>
                                 (an empty line)
    — <origin> <base64 of 4-byte key hash and Ed25519 signature>

Source: C2SP tlog-checkpoint v1; the log's key is named like its origin.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final, NamedTuple, Protocol

from squads.ledger.errors import Malformed
from squads.ledger.note import VerifierKey, check_note_name, parse_note, sign_note, strict_base64, verify_note

CHECKPOINT_SIZE_MAX: Final = 2**63 - 1

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_ORIGIN: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}/squads/[a-z0-9][a-z0-9._-]{0,63}/(0|[1-9][0-9]{0,9})", re.ASCII)


class CheckpointSigner(Protocol):
    """What signs checkpoints: one Ed25519 key."""

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""
        ...


class Checkpoint(NamedTuple):
    """A log's name, size and root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def make_origin(domain: str, log: str, epoch: int = 0) -> str:
    """Return `<domain>/squads/<log>/<epoch>`. Raises `Malformed` for names that cannot stand in an origin."""
    origin = f"{domain}/squads/{log}/{epoch}"
    check_origin(origin)
    return origin


def check_origin(origin: str) -> None:
    """Raise `Malformed` unless `origin` has the form `<domain>/squads/<log>/<epoch>`."""
    if _ORIGIN.fullmatch(origin) is None:
        raise Malformed(f"{origin[:80]!r} is no origin of the form <domain>/squads/<log>/<epoch>, in lower case")


def sign_checkpoint(checkpoint: Checkpoint, signer: CheckpointSigner) -> str:
    """Return the signed note for `checkpoint`. The caller has recomputed size and root."""
    if len(checkpoint.root) != 32 or not 0 <= checkpoint.size <= CHECKPOINT_SIZE_MAX:
        raise Malformed("a checkpoint has a size of at most 2^63 - 1 and a root of 32 bytes")
    return sign_note(checkpoint.text, checkpoint.origin, signer.public_key, signer.sign)


def parse_checkpoint(note: str) -> Checkpoint:
    """Return what `note` claims, unverified.

    Good for messages and for finding the newest, never for trust.
    """
    return parse_checkpoint_text(parse_note(note).text)


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
