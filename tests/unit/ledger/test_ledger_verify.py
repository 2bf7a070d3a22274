"""The verifier: a sound log passes every check, and each kind of damage has its own name and sentence."""

from __future__ import annotations

import pytest

from squads.adapters.keys import InProcessSigner
from squads.kernel.ports import WORKSPACE
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import Leaf, decode_leaf, encode_body, encode_leaf, leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.report import CHECKS
from squads.ledger.statement import pae
from squads.ledger.trust import Trust
from squads.ledger.verify import ROWS_PER_STEP
from squads.testing.conformance_ledger import (
    LOG_KEY,
    ORIGIN,
    ROOT_KEY,
    RUNNER_KEY,
    TRUST,
    registration,
    signed_entry,
    ticket,
)

GATE_KEY = InProcessSigner(b"\4" * 32)


def found(report):
    """The failed checks, in order."""
    return [result.check for result in report.failed]


def altered(log, at, **change):
    """Put other bytes into row `at`, with the hash that fits them."""
    leaf = decode_leaf(log.rows[at][1])._replace(**change)
    raw = encode_leaf(leaf)
    log.rows[at] = (at, raw, leaf_hash(raw))


def rechain(log, since):
    """Do what a thief with the database but without keys can do: make every later link and hash fit again."""
    for at in range(since, len(log.rows)):
        altered(log, at, prev=log.rows[at - 1][2])


def resign(log, every=2):
    """Do what a thief with the log's key can do: sign new checkpoints over what is there now."""
    edge, log.notes = Edge(), []
    for seq, _, digest in log.rows:
        edge.append(digest)
        if (seq + 1) % every == 0 or seq + 1 == len(log.rows):
            log.notes.append(sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), LOG_KEY))


@pytest.mark.parametrize(
    ("size", "threads"),
    [(2, 1), (3, 2), (10, 1), (10, 3), (ROWS_PER_STEP - 1, 2), (ROWS_PER_STEP, 2), (ROWS_PER_STEP + 3, 2)],
)
def test_a_sound_log_passes_every_check(log, size, threads):
    """Every check is made, whatever the length, and the root is the tree's."""
    made = log(size)
    report = made.verify(threads=threads)

    assert list(CHECKS) == [result.check for result in report.results]
    assert {"passed"} == {result.state for result in report.results}, report.failed
    assert (size, made.tail.edge.root(), ORIGIN) == (report.size, report.root, report.origin)


def test_what_was_not_checked_is_never_called_passed(log):
    """Without signatures and without outside checkpoints the report says which checks were not made."""
    report = log(10).verify(signatures=False, outside=None)

    assert report.failed == ()
    assert [result.check for result in report.unchecked] == [
        "statement",
        "signature",
        "role",
        "suspect",
        "actor",
        "tree-head",
        "outside-signature",
        "rollback",
        "fork",
    ]
    assert not report["signature"].ok
    assert report["opening"].ok, "entry 0 is always verified"


def test_an_empty_place_outside_leaves_rollback_unchecked(log):
    """A new file outside shows nothing yet."""
    report = log(4).verify(outside=[])

    assert [result.check for result in report.unchecked] == ["outside-signature", "rollback", "fork"]


def test_a_changed_row_is_named(log):
    """One bit in one row, nothing made to fit."""
    made = log(10)
    seq, raw, digest = made.rows[5]
    made.rows[5] = (seq, raw[:-1] + bytes([raw[-1] ^ 1]), digest)
    report = made.verify()

    assert found(report) == ["leaf-hash", "signature", "checkpoint-root", "fork"]
    assert report["leaf-hash"].seq == 5
    assert "receipt 5 was changed after it was written" in report["leaf-hash"].message
    assert found(made.verify(signatures=False)) == ["leaf-hash", "checkpoint-root", "fork"]


def test_a_replaced_row_breaks_the_link_of_the_next(log):
    """Bytes and stored hash fit each other, but the next receipt was written after another one."""
    made = log(10)
    altered(made, 5, payload=made.rows[5][1][70:80])
    report = made.verify(signatures=False)

    assert found(report) == ["link", "checkpoint-root", "fork"]
    assert report["link"].seq == 6
    assert "another receipt 5" in report["link"].message


def test_a_row_replaced_and_rechained_does_not_have_the_signed_root(log):
    """A thief who makes all links fit still lacks the log's key."""
    made = log(10)
    altered(made, 5, time_ms=decode_leaf(made.rows[5][1]).time_ms + 0, payload=b"{}")
    rechain(made, 6)
    report = made.verify(signatures=False)

    assert found(report) == ["checkpoint-root", "fork"]
    assert report["checkpoint-root"].seq == 10, "without signatures only the newest checkpoint is looked at"

    report = made.verify()
    assert report["checkpoint-root"].seq == 6, "the first checkpoint over the changed row"
    assert report["checkpoint-root"].count == 3


def test_a_stolen_log_key_shows_only_outside_and_by_signatures(log):
    """Rewritten and signed again, the log looks whole from inside; the note kept outside does not fit."""
    made = log(10)
    outside = list(made.notes)
    altered(made, 5, payload=b"{}")
    rechain(made, 6)
    resign(made)

    assert found(made.verify(signatures=False, outside=None)) == []
    assert found(made.verify(signatures=False, outside=outside)) == ["fork"]
    assert found(made.verify(outside=None)) == ["statement", "signature"]
    assert "together they are the proof" in made.verify(outside=outside)["fork"].message


def test_a_dropped_row_is_named_as_missing(log):
    """The numbers have a hole; roots beyond it cannot be computed and are not called wrong."""
    made = log(10)
    del made.rows[5]
    report = made.verify()

    assert found(report) == ["sequence"]
    assert "receipt 5 is missing" in report["sequence"].message
    assert [result.check for result in report.unchecked] == ["checkpoint-root", "fork"]


def test_several_dropped_rows_are_named_as_a_range(log):
    """From where to where."""
    made = log(10)
    del made.rows[3:6]

    assert "receipt 3 to 5 are missing" in made.verify()["sequence"].message


def test_a_dropped_row_with_the_later_ones_renumbered_is_named(log):
    """The leaf itself knows its number, so moving rows up does not hide the hole."""
    made = log(10)
    del made.rows[5]
    made.rows = [(seq, raw, digest) for seq, (_, raw, digest) in enumerate(made.rows)]
    report = made.verify()

    assert found(report) == ["sequence", "coverage", "rollback"]
    assert "row 5 holds the receipt that was written as number 6" in report["sequence"].message


def test_reordered_rows_are_named(log):
    """Two rows that changed places."""
    made = log(10)
    (a, *first), (b, *second) = made.rows[4], made.rows[7]
    made.rows[4], made.rows[7] = (a, *second), (b, *first)
    report = made.verify()

    assert found(report) == ["sequence"]
    assert "row 4 holds the receipt that was written as number 7" in report["sequence"].message
    assert report["sequence"].count == 2


def test_a_row_put_in_twice_is_named(log):
    """A doubled row comes again."""
    made = log(10)
    made.rows.insert(6, made.rows[5])

    assert "receipt 5 comes again" in made.verify()["sequence"].message


def test_a_cut_tail_contradicts_the_ledgers_own_checkpoint(log):
    """Rows were removed, the checkpoints were forgotten."""
    made = log(10)
    del made.rows[8:]
    report = made.verify(outside=None)

    assert found(report) == ["coverage"]
    assert "covers 10 receipts, but only 8 are there" in report["coverage"].message


def test_a_tail_cut_with_its_checkpoints_shows_only_outside(log):
    """From inside the shorter log is perfect; what is kept outside says that there was more."""
    made = log(10)
    outside = list(made.notes)
    del made.rows[8:]
    del made.notes[-1]
    report = made.verify(outside=outside)

    assert found(made.verify(outside=None)) == []
    assert found(report) == ["rollback"]
    assert "the last 2 were cut off together with their checkpoints" in report["rollback"].message


def test_rows_after_the_newest_checkpoint_are_not_covered(log):
    """Nobody signed that they belong to the log."""
    made = log(10)
    del made.notes[-1]
    report = made.verify(outside=None)

    assert found(report) == ["coverage"]
    assert "receipts 8 to 9 stand under no checkpoint" in report["coverage"].message


def test_time_may_stand_still_but_not_run_back(log):
    """The leaf's time is a claim, and at least it is in order."""
    made = log(6)
    altered(made, 4, time_ms=1)
    rechain(made, 5)
    resign(made)

    assert found(made.verify(outside=None, signatures=False)) == ["time"]


def test_a_row_that_is_no_leaf_is_named(log):
    """Framing faults do not stop the walk."""
    made = log(6)
    made.rows[3] = (3, b"not a leaf", leaf_hash(b"not a leaf"))
    report = made.verify()

    assert found(report) == ["framing", "link", "checkpoint-root", "fork"]
    assert "receipt 3 is not a whole leaf" in report["framing"].message


@pytest.mark.parametrize("count", [0, 2])
def test_a_leaf_whose_signatures_are_miscounted_is_named(log, count):
    """Also where everything around it was made to fit with a stolen log key."""
    made = log(6)
    raw = bytearray(made.rows[3][1])
    raw[-99] = count
    made.rows[3] = (3, bytes(raw), leaf_hash(bytes(raw)))
    rechain(made, 4)
    resign(made)

    assert found(made.verify(outside=None, signatures=False)) == ["framing"]


@pytest.mark.parametrize("signatures", [True, False])
def test_a_forged_checkpoint_is_named_and_does_not_count(log, signatures):
    """Signed by another key: not this log's, whatever it says."""
    made = log(6)
    made.notes[-1] = sign_checkpoint(Checkpoint(ORIGIN, 6, made.tail.edge.root()), RUNNER_KEY)

    assert found(made.verify(outside=None, signatures=signatures)) == ["checkpoint-signature"]


def test_the_root_in_a_forged_checkpoint_is_not_compared(log):
    """What the log's key did not sign says nothing about the receipts, for or against."""
    made = log(6)
    made.notes[1] = sign_checkpoint(Checkpoint(ORIGIN, 4, bytes(32)), RUNNER_KEY)

    assert found(made.verify(outside=made.notes)) == ["checkpoint-signature", "outside-signature"]


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("at", [2, 6, 11])
def test_threads_share_the_work_and_change_no_word(log, threads, at):
    """A forged signature is found wherever it stands, and the report is the same."""
    made = log(12)
    altered(made, at, signatures=((RUNNER_KEY.key_id, bytes(64)),))
    rechain(made, at + 1)
    resign(made)
    report = made.verify(outside=None, threads=threads)

    assert found(report) == ["signature"]
    assert report["signature"].seq == at
    assert report == made.verify(outside=None, threads=1)


@pytest.mark.parametrize("signatures", [True, False])
def test_a_forged_note_outside_cries_no_rollback(log, signatures):
    """Anyone can write a file; only what the log's key signed is held against the log."""
    made = log(6)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 60, bytes(32)), RUNNER_KEY)

    assert found(made.verify(outside=[*made.notes, forged], signatures=signatures)) == ["outside-signature"]


def test_notes_that_cannot_be_compared_are_named(log):
    """Garbage, another log's note, and notes out of order are faults of the place they are kept in."""
    made = log(6)
    other = sign_checkpoint(Checkpoint("example.com/squads/other/0", 6, bytes(32)), LOG_KEY)
    report = made.verify(outside=["garbage", other, made.notes[2], made.notes[0]])

    assert found(report) == ["outside-signature"]
    assert report["outside-signature"].count == 3
    assert "is of another log" in made.verify(outside=[other])["outside-signature"].message


def test_one_checkpoint_may_be_kept_twice(log):
    """Copies of one note agree."""
    made = log(6)

    assert found(made.verify(outside=[note for note in made.notes for _ in range(2)])) == []


def test_an_unknown_signer_and_a_wrong_role_are_named(log):
    """A genuine signature says who, not that they may."""
    made = log(4)
    made.append(signed_entry("a", "ticket", {}, GATE_KEY))
    report = made.verify()

    assert found(report) == ["role"]
    assert "unknown key" in report["role"].message

    made = log(4)
    made.append(signed_entry(WORKSPACE, "key-event", registration(GATE_KEY, "gate:g"), ROOT_KEY))
    made.append(signed_entry("a", "verdict", {}, GATE_KEY), signed_entry("a", "ticket", {}, GATE_KEY))
    report = made.verify()

    assert found(report) == ["role"]
    assert report["role"].seq == 6
    assert "'ticket'" in report["role"].message


def test_a_key_does_not_speak_before_it_is_registered(log):
    """Authority is read along the log: the same receipt counts after, and not before."""
    made = log(4)
    made.append(signed_entry("a", "verdict", {}, GATE_KEY))
    made.append(signed_entry(WORKSPACE, "key-event", registration(GATE_KEY, "gate:g"), ROOT_KEY))
    made.append(signed_entry("a", "verdict", {}, GATE_KEY))
    report = made.verify()

    assert report["role"].seq == 4
    assert {"role"} == set(found(report))


def test_a_key_event_by_anyone_but_a_root_registers_nobody(log):
    """The runner cannot make a gate, and what the would-be gate says does not count."""
    made = log(4)
    made.append(signed_entry(WORKSPACE, "key-event", registration(GATE_KEY, "gate:g"), RUNNER_KEY))
    made.append(signed_entry("a", "verdict", {}, GATE_KEY))
    report = made.verify()

    assert (report["role"].seq, report["role"].count) == (4, 3)


def test_a_forged_key_event_registers_nobody(log):
    """The root's key id without the root's signature."""
    made = log(4)
    event = signed_entry(WORKSPACE, "key-event", registration(GATE_KEY, "gate:g"), ROOT_KEY)
    forged = encode_body(event.payload_type, event.payload, ((ROOT_KEY.key_id, bytes(64)),))
    made.append_bodies([forged])
    made.append(signed_entry("a", "verdict", {}, GATE_KEY))
    report = made.verify()

    assert found(report) == ["signature", "role"]
    assert (report["signature"].seq, report["role"].seq) == (4, 5)


def test_receipts_of_a_key_that_is_later_suspect_are_pointed_out(log):
    """They were allowed when they were written, so the log is whole; whether to rely on them is for people."""
    made = log(6)
    revocation = {"event": "revoke", "key": RUNNER_KEY.key_id.hex(), "reason": "compromised", "suspect_from_index": 4}
    made.append(signed_entry(WORKSPACE, "key-event", revocation, ROOT_KEY))
    report = made.verify()

    assert found(report) == []
    assert [result.check for result in report.warned] == ["suspect"]
    assert "between 4 and 5" in report["suspect"].message

    made.append(ticket("a"))
    assert found(made.verify()) == ["role"]


def test_a_statement_that_nobody_knows_is_named(log):
    """Unknown payload types and unreadable statements are refused, and their signature is still checked."""
    made = log(4)
    entry = ticket("a")
    made.append_bodies([encode_body("text/plain", entry.payload, entry.signatures)])
    made.append_bodies([encode_body(entry.payload_type, b'{"a":1,"a":2}', entry.signatures)])
    report = made.verify()

    assert found(report) == ["statement", "signature"]
    assert (report["statement"].seq, report["statement"].count) == (4, 2)


def test_only_the_trusted_root_opens_the_log(log):
    """Trust comes from outside: another root, origin or log key is another log."""
    made = log(4)
    for other in (
        Trust.of(ORIGIN, GATE_KEY.public_key, LOG_KEY.public_key),
        Trust.of("example.com/squads/other/0", ROOT_KEY.public_key, LOG_KEY.public_key),
        Trust.of(ORIGIN, ROOT_KEY.public_key, GATE_KEY.public_key),
    ):
        report = made.verify(trust=other)

        assert "opening" in found(report)
        assert {"signature", "role"} <= {result.check for result in report.unchecked}


def test_the_trusted_root_must_be_named_in_the_opening(log):
    """The root's signature under another key's id opens nothing."""
    made = log(4)
    leaf = decode_leaf(made.rows[0][1])
    payload = leaf.payload.replace(ROOT_KEY.public_key.hex().encode(), GATE_KEY.public_key.hex().encode())
    signature = ROOT_KEY.sign(pae(leaf.payload_type, payload))
    altered(made, 0, payload=payload, signatures=((GATE_KEY.key_id, signature),))
    rechain(made, 1)
    resign(made)

    assert found(made.verify(outside=None, signatures=False)) == ["opening"]


def test_a_log_is_opened_once_and_first(log):
    """A second log-open would be a second root of trust."""
    made = log(4)
    made.append_bodies([encode_body(*_parts(decode_leaf(made.rows[0][1])))])

    assert found(made.verify()) == ["statement"]

    headless = log(6)
    headless.rows = headless.rows[1:]
    report = headless.verify()
    assert found(report)[0] == "sequence"
    assert {"signature", "role"} <= {result.check for result in report.unchecked}


def _parts(leaf: Leaf):
    return leaf.payload_type, leaf.payload, leaf.signatures


def test_an_empty_log_is_no_proof(log):
    """Nothing was shown, so nothing passed that needed a receipt."""
    made = log(2)
    made.rows, made.notes = [], []

    assert found(made.verify(outside=None)) == ["opening"]


@pytest.mark.parametrize("at", range(12))
def test_any_single_damage_is_found(log, at):
    """Change, drop, double or swap any row: some check fails, and none raises."""
    for damage in ("change", "drop", "double", "swap"):
        made = log(12)
        if damage == "change":
            seq, raw, digest = made.rows[at]
            made.rows[at] = (seq, raw[:100] + bytes([raw[100] ^ 255]) + raw[101:], digest)
        elif damage == "drop":
            del made.rows[at]
        elif damage == "double":
            made.rows.insert(at, made.rows[at])
        else:
            other = (at + 1) % 12
            made.rows[at], made.rows[other] = made.rows[other], made.rows[at]
        for signatures in (True, False):
            assert found(made.verify(signatures=signatures)), (damage, at, signatures)


def test_a_report_is_found_by_name_and_counts_what_is_alike(log):
    """The first of each kind is told, the others are counted."""
    made = log(10)
    for at in (4, 6, 8):
        seq, raw, _ = made.rows[at]
        made.rows[at] = (seq, raw, bytes(32))
    result = made.verify()["leaf-hash"]

    assert (result.state, result.seq, result.count) == ("failed", 4, 3)
    assert result.message.endswith("(2 more like this)")


def test_trust_survives_json_and_refuses_what_it_does_not_know():
    """Three values and a format; nothing more, nothing less."""
    raw = TRUST.to_json()

    assert Trust.from_json(raw) == TRUST
    for bad in (b"{}", b"[]", raw.replace(b'"format":1', b'"format":2'), raw.replace(b"conformance", b"other")):
        with pytest.raises(ValueError):
            Trust.from_json(bad)
    with pytest.raises(ValueError):
        Trust.from_json(raw.replace(b'"format"', b'"extra":1,"format"'))


@pytest.mark.parametrize(
    "spell",
    [str.upper, " {}".format, "{}\\n".format, lambda key: f"{key[:8]} {key[8:]}", lambda key: key[2:]],
    ids=["capitals", "a space before", "a line end", "a space inside", "a byte less"],
)
def test_trust_names_its_root_in_one_spelling(spell):
    """Capitals and spaces would be the same key to one reader and no key to another."""
    key = TRUST.root_public_key.hex()

    with pytest.raises(Malformed, match="64 lower-case hex digits"):
        Trust.from_json(TRUST.to_json().replace(key.encode(), spell(key).encode()))
