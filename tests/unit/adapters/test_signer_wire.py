"""What goes over a signer's socket: bounded, versioned, and read in one way only."""

from __future__ import annotations

import struct

import pytest

from squads.adapters.signer_wire import (
    FRAME_BYTES_MAX,
    LENGTH_BYTES,
    MESSAGE_BYTES_MAX,
    VERSION,
    answer_in,
    base64_of,
    frame,
    length_of,
    question_in,
)
from squads.ledger.errors import Malformed
from squads.ledger.statement import canonical_json


def body(**fields: object) -> bytes:
    """Return what stands in a frame."""
    return canonical_json({"v": VERSION, **fields})


def test_a_frame_says_how_long_it_is() -> None:
    """Four bytes of length, then one object of this version."""
    made = frame({"do": "key", "role": "log"})

    assert length_of(made[:LENGTH_BYTES]) == len(made) - LENGTH_BYTES
    assert question_in(made[LENGTH_BYTES:]) == {"v": VERSION, "do": "key", "role": "log"}


@pytest.mark.parametrize("length", [0, 1, FRAME_BYTES_MAX + 1, 2**32 - 1])
def test_a_length_over_the_bound_is_refused_before_anything_is_read(length: int) -> None:
    """Nobody makes a daemon keep more than that."""
    with pytest.raises(Malformed, match="over the bound"):
        length_of(struct.pack(">I", length))


def test_the_longest_message_fits_and_a_longer_one_does_not() -> None:
    """The bound is on both sides."""
    longest = base64_of(b"x" * MESSAGE_BYTES_MAX)

    assert question_in(frame({"do": "sign", "role": "log", "message": longest})[4:])["message"]
    with pytest.raises(Malformed, match="over the bound"):
        question_in(body(do="sign", role="log", message=base64_of(b"x" * (MESSAGE_BYTES_MAX + 1))))
    with pytest.raises(Malformed, match="over the bound"):
        frame({"do": "sign", "role": "log", "message": "x" * FRAME_BYTES_MAX})


BAD_QUESTIONS = {
    "no JSON": b"{",
    "no object": b"[]",
    "no version": canonical_json({"do": "key", "role": "log"}),
    "another version": canonical_json({"v": "squads.signer/v2", "do": "key", "role": "log"}),
    "no verb": body(role="log"),
    "another verb": body(do="dump", role="log"),
    "a verb that is a list": body(do=["key"], role="log"),
    "a field too many": body(do="key", role="log", message=""),
    "a field too few": body(do="sign", role="log"),
    "no role": body(do="key", role=3),
    "a long role": body(do="key", role="gate:" + "x" * 80),
    "a message that is no base64": body(do="sign", role="log", message="@"),
    "a message in another base64": body(do="sign", role="log", message="QQ"),
    "a message that is a number": body(do="sign", role="log", message=3),
    "a predicate that is a list": body(do="attest", role="log", predicate=[]),
    "a key twice": b'{"v":"squads.signer/v1","do":"key","do":"sign","role":"log"}',
    "a float": b'{"v":"squads.signer/v1","do":"attest","role":"log","predicate":{"a":1.5}}',
    "no UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("name", BAD_QUESTIONS)
def test_a_question_that_reads_in_another_way_is_refused(name: str) -> None:
    """Nothing is guessed at."""
    with pytest.raises(Malformed):
        question_in(BAD_QUESTIONS[name])


BAD_ANSWERS = {
    "another field": body(public_key="a" * 64),
    "a short signature": body(signature="a" * 126),
    "upper case": body(signature="A" * 128),
    "no hex": body(signature="x" * 128),
    "a number": body(signature=1),
    "an unknown refusal": body(refused="maybe", why="x"),
    "a refusal without words": body(refused="denied", why=3),
    "a refusal and a signature": body(refused="denied", why="x", signature="a" * 128),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_that_is_none_is_refused(name: str) -> None:
    """A client believes no more than a daemon does."""
    with pytest.raises(Malformed):
        answer_in(BAD_ANSWERS[name], "signature")


def test_an_answer_gives_bytes() -> None:
    """Hex digits and base64 are for the wire only."""
    answer = body(payload=base64_of(b"said"), signature="ab" * 64)

    assert answer_in(answer, "payload", "signature") == {"payload": b"said", "signature": b"\xab" * 64}
    assert answer_in(body(refused="denied", why="no"), "signature") == {"refused": "denied", "why": "no"}
