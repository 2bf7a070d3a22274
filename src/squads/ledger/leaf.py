r"""The leaf: the bytes of one receipt as the tree hashes them, and the only frame that is ever hashed.

The signed bytes stand inside unchanged, so nothing is ever canonicalised again to be verified. Decoding is
strict: for each leaf there is exactly one sequence of bytes. This file must never read JSON or look at a
clock.

    leaf :=  "squads.receipt/v1\n"      18 bytes: domain separation and version
             u64be seq                   its index in the tree, gapless from 0
             32B   prev                  the leaf hash of seq - 1; zeros at seq 0
             u64be time_ms               the sequencer's clock, never backwards; a claim, not evidence
             u16be n, payload type       ASCII
             u32be n, payload            the exact bytes that were signed
             u8 k, k x (32B key id, u16be n, signature)      k >= 1, sorted by key id, no key twice

A leaf is at most 65,535 bytes because the entry bundles of C2SP tlog-tiles carry a 16-bit length.

Source: the framing rules follow RFC 6962 section 2.1 (leaf hash) and C2SP tlog-tiles (entry bundles).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from squads.ledger.errors import Malformed

LEAF_MAGIC: Final = b"squads.receipt/v1\n"
LEAF_BYTES_MAX: Final = 65_535
PAYLOAD_BYTES_MAX: Final = 48 * 1024
PAYLOAD_TYPE_BYTES_MAX: Final = 255
SIGNATURE_BYTES_MAX: Final = 8_192
"""Room for ML-DSA; an Ed25519 signature has 64."""
SIGNATURES_MAX: Final = 255
KEY_ID_BYTES: Final = 32
ZERO_HASH: Final = bytes(32)
"""`prev` of the first leaf."""
U64_MAX: Final = 2**64 - 1

_LEAF_HEAD: Final = struct.Struct(">18sQ32sQH")
_PLACE: Final = struct.Struct(">18sQ32sQ")
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


def encode_body(payload_type: str, payload: bytes, signatures: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the part of a leaf that its author decides: type, payload, signatures. Raises `Malformed`.

    It can be built, and refused, before the leaf's place in the log is known.
    """
    name = _payload_type_bytes(payload_type)
    size = len(payload)
    if size > PAYLOAD_BYTES_MAX:
        raise Malformed(f"a payload of {size} bytes is over the bound of {PAYLOAD_BYTES_MAX}; put it in a blob")
    signed = b""
    before = b""
    count = 0
    for key, signature in signatures:
        if len(key) != KEY_ID_BYTES:
            raise Malformed(f"signature {count}: a key id has {KEY_ID_BYTES} bytes, this one {len(key)}")
        if key <= before:
            raise Malformed(f"signature {count}: key ids must ascend, each at most once")
        if not 1 <= len(signature) <= SIGNATURE_BYTES_MAX:
            raise Malformed(f"signature {count}: {len(signature)} bytes are outside 1..{SIGNATURE_BYTES_MAX}")
        signed += b"%b%b%b" % (key, _U16.pack(len(signature)), signature)
        before = key
        count += 1
    if not 1 <= count <= SIGNATURES_MAX:
        raise Malformed(f"a leaf carries 1 to {SIGNATURES_MAX} signatures, this one {count}")
    body = b"%b%b%b%b%c%b" % (_U16.pack(len(name)), name, _U32.pack(size), payload, count, signed)
    # The head's own two length bytes are already part of the body.
    if _LEAF_HEAD.size - 2 + len(body) > LEAF_BYTES_MAX:
        raise Malformed(f"the leaf would be over {LEAF_BYTES_MAX} bytes; put content in a blob")
    return body


def frame_leaf(seq: int, prev: bytes, time_ms: int, body: bytes) -> bytes:
    """Return the whole leaf for a `body` from `encode_body`. Raises `Malformed` for a place out of range."""
    if len(prev) != 32 or not 0 <= seq <= U64_MAX or not 0 <= time_ms <= U64_MAX:
        raise Malformed(f"leaf {seq}: seq and time_ms are unsigned 64-bit numbers, prev has 32 bytes")
    if (prev == ZERO_HASH) != (seq == 0):
        raise Malformed(f"leaf {seq}: prev is zero at seq 0 and nowhere else")
    return _PLACE.pack(LEAF_MAGIC, seq, prev, time_ms) + body


def encode_leaf(leaf: Leaf) -> bytes:
    """Return the one sequence of bytes that stands for `leaf`. Raises `Malformed`."""
    body = encode_body(leaf.payload_type, leaf.payload, leaf.signatures)
    return frame_leaf(leaf.seq, leaf.prev, leaf.time_ms, body)


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


def _payload_type_bytes(payload_type: str) -> bytes:
    if payload_type == "application/vnd.in-toto+json":
        return _COMMON_TYPE
    name = payload_type.encode("ascii", "replace")
    if not payload_type.isascii() or not 1 <= len(name) <= PAYLOAD_TYPE_BYTES_MAX or not _is_payload_type(name):
        raise Malformed(
            f"payload type: 1 to {PAYLOAD_TYPE_BYTES_MAX} printable ASCII characters without spaces, "
            f"not {payload_type[:40]!r}"
        )
    return name
