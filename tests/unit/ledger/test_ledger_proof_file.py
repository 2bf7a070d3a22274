"""Proof files: C2SP's tlog-proof to the letter, and nothing but it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.note import encode_vkey, parse_vkey, sign_note
from squads.ledger.proof import PROOF_HASHES_MAX, inclusion_proof
from squads.ledger.proof_file import (
    PROOF_EXTRA_BYTES_MAX,
    PROOF_FILE_CHARS_MAX,
    TlogProof,
    parse_tlog_proof,
    verify_tlog_proof,
    write_tlog_proof,
)

ORIGIN = "example.com/squads/test/0"
SIGNER = InProcessSigner(b"\7" * 32)
VKEY = parse_vkey(encode_vkey(ORIGIN, SIGNER.public_key))
SIZE = 12
HASHES = [leaf_hash(bytes([number])) for number in range(SIZE)]
EDGE = Edge()
STORED = {(level, index): digest for level, index, digest in EDGE.extend(HASHES)}
NOTE = sign_checkpoint(Checkpoint(ORIGIN, SIZE, EDGE.root()), SIGNER)


def proof_of(index: int, extra: bytes = b"") -> TlogProof:
    path = inclusion_proof(index, SIZE, lambda level, at: STORED.get((level, at)) if level else HASHES[at])
    return TlogProof(index, tuple(path), NOTE, extra)


TEXT = write_tlog_proof(proof_of(5, b"salt"))
HASH_LINE = b64encode(proof_of(5).path[0]).decode()


def test_a_proof_file_is_written_as_c2sp_says():
    """Written out, so that the format cannot drift."""
    hashes = "".join(b64encode(step).decode() + "\n" for step in proof_of(5).path)

    assert f"c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 5\n{hashes}\n{NOTE}" == TEXT
    assert f"c2sp.org/tlog-proof@v1\nindex 5\n{hashes}\n{NOTE}" == write_tlog_proof(proof_of(5))


@pytest.mark.parametrize("index", range(SIZE))
def test_every_leafs_file_is_read_and_verifies(index):
    """Reading is the inverse of writing, and what is read proves the leaf under the signed checkpoint."""
    found = parse_tlog_proof(write_tlog_proof(proof_of(index)))

    assert proof_of(index) == found
    assert Checkpoint(ORIGIN, SIZE, EDGE.root()) == verify_tlog_proof(found, HASHES[index], VKEY)


def test_a_tree_of_one_leaf_needs_no_hashes():
    """The index line is then the last before the empty one."""
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, HASHES[0]), SIGNER)
    text = f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"

    assert text == write_tlog_proof(parse_tlog_proof(text))
    assert verify_tlog_proof(parse_tlog_proof(text), HASHES[0], VKEY).size == 1


@given(st.binary(min_size=1, max_size=300))
def test_extra_data_comes_back_as_it_went_in(extra):
    """It is opaque, and nobody signed it: with other extra data the proof verifies just the same."""
    found = parse_tlog_proof(write_tlog_proof(proof_of(3, extra)))

    assert extra == found.extra
    assert verify_tlog_proof(replace(found, extra=b""), HASHES[3], VKEY).size == SIZE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n" + TEXT,
        "\ufeff" + TEXT,
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("@v1", "@v1 "),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("extra c2FsdA==", "extra c2FsdA"),
        TEXT.replace("extra c2FsdA==", "extra c2FsdB=="),
        TEXT.replace("extra c2FsdA==", "extra  c2FsdA=="),
        TEXT.replace("extra c2FsdA==", "extra "),
        TEXT.replace("extra c2FsdA==", "extra"),
        TEXT.replace("extra c2FsdA==", "extra c2FsdA==\nextra c2FsdA=="),
        TEXT.replace("extra c2FsdA==\nindex 5", "index 5\nextra c2FsdA=="),
        TEXT.replace("extra c2FsdA==", f"extra {b64encode(bytes(PROOF_EXTRA_BYTES_MAX + 1)).decode()}"),
        TEXT.replace("index 5", "index 05"),
        TEXT.replace("index 5", "index +5"),
        TEXT.replace("index 5", "index -5"),
        TEXT.replace("index 5", "index 5 "),
        TEXT.replace("index 5", "index  5"),
        TEXT.replace("index 5", "index 5.0"),
        TEXT.replace("index 5", "index \u0665"),
        TEXT.replace("index 5", "index 12"),
        TEXT.replace("index 5", f"index {2**63}"),
        TEXT.replace("index 5\n", ""),
        TEXT.replace("index 5", "index 5\nindex 5"),
        TEXT.replace(HASH_LINE, HASH_LINE[:-1]),
        TEXT.replace(HASH_LINE, HASH_LINE[:-4]),
        TEXT.replace(HASH_LINE, HASH_LINE + " "),
        TEXT.replace(HASH_LINE, HASH_LINE[:-2] + chr(ord(HASH_LINE[-2]) + 1) + "="),
        TEXT.replace(HASH_LINE, HASH_LINE.replace("=", "")),
        TEXT.replace(HASH_LINE, "\n".join([HASH_LINE] * (PROOF_HASHES_MAX + 1))),
        TEXT.replace(HASH_LINE, b64encode(bytes(33)).decode()),
        TEXT.replace(HASH_LINE + "\n", HASH_LINE + "\n\n"),
        TEXT.partition("\n\n")[0] + "\n",
        TEXT.partition("\n\n")[0] + "\n\n",
        TEXT + "\n",
        TEXT + "trailing\n",
        TEXT.rstrip("\n"),
        TEXT + "x" * PROOF_FILE_CHARS_MAX,
    ],
)
def test_only_one_form_of_a_proof_file_is_read(text):
    """Other numbers, other base64, other lines, more lines or fewer: no proof file."""
    with pytest.raises(Malformed):
        parse_tlog_proof(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT + "x" * PROOF_FILE_CHARS_MAX, "at most .* characters"),
        (TEXT.partition("\n\n")[0] + "\n", "an empty line and a checkpoint"),
        ("c2sp.org/tlog-proof@v2" + TEXT.removeprefix("c2sp.org/tlog-proof@v1"), "begins with the line"),
        (TEXT.replace("index 5", "index 12"), "covers 12 leaves"),
    ],
    ids=["too long", "no checkpoint", "another version", "beyond the checkpoint"],
)
def test_the_error_says_what_is_wrong_with_the_file(text, words):
    """Before any of it is decoded, where it is too long or something else altogether."""
    with pytest.raises(Malformed, match=words):
        parse_tlog_proof(text)


def test_what_the_file_says_is_not_believed():
    """Another leaf, another index, a shorter path, a key that is not the log's: each is refused."""
    good = proof_of(5)
    thief = InProcessSigner(b"\5" * 32)
    forged = sign_note(NOTE.split("\n\n")[0] + "\n", ORIGIN, thief.public_key, thief.sign)

    for proof, leaf in (
        (good, HASHES[4]),
        (replace(good, index=4), HASHES[5]),
        (replace(good, path=good.path[:-1]), HASHES[5]),
        (replace(good, checkpoint=forged), HASHES[5]),
        (replace(good, checkpoint=NOTE.replace("\n12\n", "\n13\n")), HASHES[5]),
    ):
        with pytest.raises(Malformed):
            verify_tlog_proof(proof, leaf, VKEY)


@pytest.mark.parametrize(
    "change",
    [
        {"index": -1},
        {"index": 2**63},
        {"path": (b"short",)},
        {"path": (bytes(32),) * (PROOF_HASHES_MAX + 1)},
        {"extra": bytes(PROOF_EXTRA_BYTES_MAX + 1)},
        {"checkpoint": "no note\n"},
    ],
    ids=["before 0", "index too large", "short hash", "too many hashes", "too much extra", "no checkpoint"],
)
def test_what_no_file_can_say_is_not_written(change):
    """The writer refuses what the reader would."""
    with pytest.raises(Malformed):
        write_tlog_proof(replace(proof_of(5), **change))
