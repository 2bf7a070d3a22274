"""Notes and checkpoints: C2SP's forms to the letter, and nothing but them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import (
    Checkpoint,
    check_origin,
    make_origin,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from squads.ledger.errors import Malformed
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.note import NOTE_BYTES_MAX, encode_vkey, parse_note, parse_vkey, sign_note, verify_note

ORIGIN = "example.com/squads/test/0"
SIGNER = InProcessSigner(b"\7" * 32)
VKEY = parse_vkey(encode_vkey(ORIGIN, SIGNER.public_key))
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 12, EMPTY_ROOT), SIGNER)

# The example of golang.org/x/mod/sumdb/note, where the format comes from.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_signed_by_go_verifies():
    """The public vector: a vkey and a note that another implementation made."""
    assert verify_note(GO_NOTE, parse_vkey(GO_VKEY)) == GO_NOTE.split("\n\n")[0] + "\n"
    assert parse_vkey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").name == "sum.golang.org"


def test_a_checkpoint_is_three_lines_and_a_signature():
    """Written out, so that the format cannot drift."""
    text, below = NOTE.split("\n\n")

    assert text == f"{ORIGIN}\n12\n{b64encode(EMPTY_ROOT).decode()}"
    assert below.startswith(f"\u2014 {ORIGIN} ")
    assert below.endswith("\n")
    assert verify_checkpoint(NOTE, VKEY) == Checkpoint(ORIGIN, 12, EMPTY_ROOT) == parse_checkpoint(NOTE)


def test_signatures_of_witnesses_are_allowed_and_do_not_count():
    """A cosigned note stays valid, but only the log's own key makes it so."""
    other = InProcessSigner(b"\6" * 32)
    text = NOTE.split("\n\n")[0] + "\n"
    cosigned = NOTE + sign_note(text, "witness", other.public_key, other.sign).split("\n\n")[1]

    assert verify_checkpoint(cosigned, VKEY).size == 12
    with pytest.raises(Malformed, match="carries no signature"):
        verify_note(sign_note(text, "witness", other.public_key, other.sign), VKEY)


def test_a_key_of_the_same_name_is_not_the_key():
    """The name is chosen by whoever signs; the key is what is trusted."""
    thief = InProcessSigner(b"\5" * 32)

    with pytest.raises(Malformed, match="carries no signature"):
        verify_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 12, EMPTY_ROOT), thief), VKEY)


@pytest.mark.parametrize("change", [("\n12\n", "\n13\n"), ("47DEQ", "57DEQ")])
def test_a_changed_checkpoint_does_not_verify(change):
    """Size and root are what is signed."""
    with pytest.raises(Malformed, match="does not match"):
        verify_checkpoint(NOTE.replace(*change), VKEY)


def test_another_logs_checkpoint_is_not_this_logs():
    """One key signing for two origins must not let one log's checkpoint pass for the other's."""
    text = Checkpoint("example.com/squads/other/0", 12, EMPTY_ROOT).text
    crossed = sign_note(text, ORIGIN, SIGNER.public_key, SIGNER.sign)

    with pytest.raises(Malformed, match="not of"):
        verify_checkpoint(crossed, VKEY)


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n012\n{b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n-1\n{b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n１２\n{b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n{2**63}\n{b64encode(EMPTY_ROOT).decode()}\n",
        f"{ORIGIN}\n12\n{b64encode(EMPTY_ROOT[:-1]).decode()}\n",
        f"{ORIGIN}\n12\n{b64encode(EMPTY_ROOT).decode()[:-1]}\n",
        f"{ORIGIN}\n12\n{b64encode(EMPTY_ROOT).decode().replace('U=', 'V=')}\n",
        f"{ORIGIN}\n12\n{b64encode(EMPTY_ROOT).decode()}\nextension\n",
        f"with space\n12\n{b64encode(EMPTY_ROOT).decode()}\n",
    ],
)
def test_only_one_form_of_a_checkpoint_is_accepted(body):
    """No extension lines, no leading zeros, no other base64, however well signed."""
    with pytest.raises(Malformed):
        verify_checkpoint(sign_note(body, ORIGIN, SIGNER.public_key, SIGNER.sign), VKEY)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text only\n",
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\n12\n", "\n12\r\n"),
        NOTE + "\u2014 short AAAA\n",
        NOTE + "\u2014 bad-base64 AAAAAAA\n",
        NOTE + "\u2014 nothing\n",
        "x" * NOTE_BYTES_MAX + NOTE,
        "\u00fc" * (NOTE_BYTES_MAX // 2) + NOTE,
        NOTE + f"\u2014 w {b64encode(bytes(20)).decode()}\n" * 64,
    ],
)
def test_what_is_no_note_is_refused(note):
    """A note has one reading."""
    with pytest.raises(Malformed):
        parse_note(note)


def test_sixteen_signatures_of_the_largest_kind_fit():
    """C2SP asks verifiers to accept them, and the larger signatures of ML-DSA have 4,627 bytes."""
    line = f"\u2014 witness.example/w {b64encode(bytes(4 + 8 + 4_627)).decode()}\n"

    assert len(parse_note(NOTE + line * 15).signatures) == 16
    assert verify_checkpoint(NOTE + line * 15, VKEY).size == 12


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("PeterNeumann", "Peter Neumann"),
        GO_VKEY[:-4],
        GO_VKEY.replace("ARpc", "Ahpc"),
        encode_vkey(ORIGIN, SIGNER.public_key).replace("test", "tost"),
    ],
)
def test_what_is_no_vkey_is_refused(vkey):
    """A name, hash and key that do not belong together are no vkey."""
    with pytest.raises(Malformed):
        parse_vkey(vkey)


def test_an_origin_has_one_form():
    """`<domain>/squads/<log>/<epoch>`, so that two logs never share a name by spelling."""
    assert make_origin("example.com", "main", 3) == "example.com/squads/main/3"
    for origin in (
        "example.com/squads/main",
        "Example.com/squads/main/0",
        "a/squads/b/01",
        "a/other/b/0",
        "a/squads//0",
    ):
        with pytest.raises(Malformed, match="origin"):
            check_origin(origin)
