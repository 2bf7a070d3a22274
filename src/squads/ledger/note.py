"""Signed notes: lines of text with signatures under them, as Go's checksum database and C2SP write them.

It must never accept a note on the word of a name: only a signature by a key that the caller already trusts
counts. Signatures by other keys, witnesses for instance, are allowed and not judged here.

Source: C2SP signed-note v1.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, verify_signature

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


def sign_note(text: str, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return `text` as a note with one Ed25519 signature line.

    Raises `Malformed` for a text no note can hold.
    """
    check_note_name(name)
    _check_note_text(text)
    line = b64encode(note_key_hash(name, public_key) + sign(text.encode())).decode()
    return f"{text}\n{_DASH}{name} {line}\n"


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
