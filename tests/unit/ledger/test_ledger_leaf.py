"""The leaf's frame: one sequence of bytes per leaf, and nothing else decodes."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.ledger.errors import Malformed
from squads.ledger.leaf import (
    LEAF_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    SIGNATURE_BYTES_MAX,
    U64_MAX,
    ZERO_HASH,
    Leaf,
    decode_leaf,
    encode_leaf,
    leaf_hash,
)

LEAF = Leaf(1, b"p" * 32, 2, "text/plain", b"payload", ((b"a" * 32, b"s" * 64), (b"b" * 32, b"t" * 64)))

payload_types = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
signatures = st.dictionaries(
    st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=100), min_size=1, max_size=4
).map(lambda found: tuple(sorted(found.items())))
leaves = st.builds(
    Leaf,
    st.integers(1, U64_MAX),
    st.binary(min_size=32, max_size=32).filter(lambda prev: prev != ZERO_HASH),
    st.integers(0, U64_MAX),
    payload_types,
    st.binary(max_size=200),
    signatures,
)


def test_the_frame_is_the_documented_one():
    """Written out by hand once, so that the format cannot drift with the code."""
    expected = (
        b"squads.receipt/v1\n"
        + (1).to_bytes(8, "big")
        + b"p" * 32
        + (2).to_bytes(8, "big")
        + b"\x00\x0atext/plain"
        + b"\x00\x00\x00\x07payload"
        + b"\x02"
        + b"a" * 32
        + b"\x00\x40"
        + b"s" * 64
        + b"b" * 32
        + b"\x00\x40"
        + b"t" * 64
    )

    assert expected == encode_leaf(LEAF)
    assert sha256(b"\0" + expected).digest() == leaf_hash(expected)


@given(leaves)
def test_every_leaf_comes_back(leaf):
    """Encoding and decoding are inverse."""
    assert leaf == decode_leaf(encode_leaf(leaf))


@given(leaves, st.data())
def test_a_mutated_leaf_is_refused_or_another_leaf(leaf, data):
    """No two sequences of bytes stand for one leaf: whatever still decodes encodes to exactly itself."""
    raw = bytearray(encode_leaf(leaf))
    at = data.draw(st.integers(0, len(raw) - 1))
    how = data.draw(st.sampled_from(["flip", "drop", "double", "cut", "grow"]))
    if how == "flip":
        raw[at] ^= data.draw(st.integers(1, 255))
    elif how == "drop":
        del raw[at]
    elif how == "double":
        raw.insert(at, raw[at])
    elif how == "cut":
        del raw[at:]
    else:
        raw += data.draw(st.binary(min_size=1, max_size=5))
    mutated = bytes(raw)
    try:
        decoded = decode_leaf(mutated)
    except Malformed:
        return
    assert mutated == encode_leaf(decoded)
    assert (mutated == encode_leaf(leaf)) == (decoded == leaf)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"signatures": ()}, "1 to 255 signatures"),
        ({"signatures": LEAF.signatures[::-1]}, "ascend"),
        ({"signatures": (LEAF.signatures[0],) * 2}, "ascend"),
        ({"signatures": ((b"a" * 31, b"s"),)}, "32 bytes"),
        ({"signatures": ((b"a" * 32, b""),)}, "outside 1.."),
        ({"signatures": ((b"a" * 32, bytes(SIGNATURE_BYTES_MAX + 1)),)}, "outside 1.."),
        ({"payload": bytes(PAYLOAD_BYTES_MAX + 1)}, "put it in a blob"),
        ({"payload_type": ""}, "payload type"),
        ({"payload_type": "with space"}, "payload type"),
        ({"payload_type": "ümlaut"}, "payload type"),
        ({"payload_type": "x" * 256}, "payload type"),
        ({"prev": ZERO_HASH}, "zero at seq 0"),
        ({"seq": 0}, "zero at seq 0"),
        ({"prev": b"short"}, "32 bytes"),
        ({"time_ms": -1}, "64-bit"),
        ({"time_ms": U64_MAX + 1}, "64-bit"),
    ],
)
def test_what_no_frame_can_hold_is_not_encoded(change, words):
    """Each bound is checked where the leaf is made."""
    with pytest.raises(Malformed, match=words):
        encode_leaf(LEAF._replace(**change))


def test_the_bounds_themselves_are_allowed():
    """The largest payload, signature and type stand in a leaf."""
    for leaf in (
        LEAF._replace(payload=bytes(PAYLOAD_BYTES_MAX)),
        LEAF._replace(signatures=((b"a" * 32, bytes(SIGNATURE_BYTES_MAX)),)),
        LEAF._replace(payload_type="x" * 255, seq=U64_MAX, time_ms=U64_MAX),
        LEAF._replace(seq=0, prev=ZERO_HASH, payload=b""),
        LEAF._replace(signatures=tuple((bytes([n]) * 32, b"s") for n in range(255))),
    ):
        assert leaf == decode_leaf(encode_leaf(leaf))


def test_a_leaf_never_exceeds_a_16_bit_length():
    """Each part within its own bound is not enough: C2SP entry bundles carry two bytes of length."""
    signatures = tuple((bytes([n]) * 32, bytes(SIGNATURE_BYTES_MAX)) for n in range(3))
    leaf = LEAF._replace(payload=bytes(PAYLOAD_BYTES_MAX), signatures=signatures)

    with pytest.raises(Malformed, match="65535"):
        encode_leaf(leaf)
    with pytest.raises(Malformed, match="65535"):
        decode_leaf(bytes(LEAF_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("at", "new", "words"),
    [
        (0, b"S", "version 1"),
        (16, b"2", "version 1"),
        (66, b"\xff\xff", "payload type"),
        (66, b"\0\0", "payload type"),
        (78, b"\xff\xff\xff\xff", "payload"),
        (78, b"\x00\x00\xc0\x01", "payload"),
        (89, b"\0", "no signature"),
        (89, b"\1", "after the last"),
        (89, b"\3", "cut off"),
        (122, b"\0\0", "out of bounds"),
        (122, b"\xff\xff", "out of bounds"),
        (90, b"c", "ascend"),
        (188, b"a" * 32, "ascend"),
        (70, b"\n", "ASCII"),
    ],
)
def test_a_damaged_field_is_named(at, new, words):
    """Framing faults say which part is wrong."""
    raw = bytearray(encode_leaf(LEAF))
    raw[at : at + len(new)] = new

    with pytest.raises(Malformed, match=words):
        decode_leaf(bytes(raw))
