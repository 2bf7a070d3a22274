"""Fork evidence: two notes of one key that no log could have given, shown to a stranger with that key alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.evidence import FORK_FORMAT, Forked, check_evidence, evidence_of
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.statement import canonical_json
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST

KEY = TRUST.log_key
OTHER = InProcessSigner(b"\7" * 32)


def hashes(count: int, *, until: int = 0) -> list[bytes]:
    """The leaves of one history, or from `until` on of another one."""
    return [leaf_hash(b"%d" % n if n < (until or count) else b"other %d" % n) for n in range(count)]


def note(leaves: list[bytes], signer: InProcessSigner = LOG_KEY) -> str:
    edge = Edge()
    edge.extend(leaves)
    return sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), signer)


@given(st.integers(1, 70), st.integers(0, 70), st.data())
def test_two_histories_of_any_lengths_are_shown(older: int, more: int, data: st.DataObject) -> None:
    """The older note covers a receipt that the newer one's log has otherwise."""
    until = data.draw(st.integers(0, older - 1))
    ours, theirs = hashes(older), hashes(older + more, until=until or -1)
    made = evidence_of(note(ours), note(theirs), KEY, theirs)

    shown = check_evidence(made, KEY)

    assert (older, older + more) == (shown.older.size, shown.newer.size)
    assert shown.older_root != shown.older.root


@given(st.integers(1, 70), st.integers(0, 70))
def test_a_log_that_only_grew_is_no_fork(older: int, more: int) -> None:
    """Whatever it was fed with."""
    leaves = hashes(older + more)
    with pytest.raises(Malformed, match="no fork"):
        evidence_of(note(leaves[:older]), note(leaves), KEY, leaves)


def test_two_notes_over_equally_many_receipts_need_no_log() -> None:
    """Their roots differ, and that is all."""
    shown = check_evidence(evidence_of(note(hashes(5)), note(hashes(5, until=3)), KEY), KEY)

    assert (5, 5) == (shown.older.size, shown.newer.size)


def test_feeding_in_pieces_and_too_much_changes_nothing() -> None:
    """A log of any length streams by, and has grown since its newest note."""
    theirs = hashes(33, until=4)
    forked = Forked(note(hashes(9)), note(theirs[:21]), KEY)
    for at in range(0, 33, 5):
        forked.feed(theirs[at : at + 5])

    assert evidence_of(note(hashes(9)), note(theirs[:21]), KEY, theirs[:21]) == forked.evidence()


def test_another_log_than_the_newer_notes_gives_no_evidence() -> None:
    """What is made is checked before anybody sees it."""
    with pytest.raises(Malformed):
        evidence_of(note(hashes(9)), note(hashes(21, until=4)), KEY, hashes(21, until=6))
    with pytest.raises(Malformed):
        evidence_of(note(hashes(9)), note(hashes(21, until=4)), KEY, hashes(20, until=4))


def test_notes_that_the_logs_key_did_not_sign_accuse_nobody() -> None:
    """Anybody could write them."""
    theirs = hashes(8, until=2)
    for older, newer in ((note(hashes(5), OTHER), note(theirs)), (note(hashes(5)), note(theirs, OTHER))):
        with pytest.raises(Malformed):
            evidence_of(older, newer, KEY, theirs)


def evidence() -> dict[str, object]:
    theirs = hashes(11, until=2)
    value: dict[str, object] = json.loads(evidence_of(note(hashes(6)), note(theirs), KEY, theirs))
    return value


@pytest.mark.parametrize(
    "change",
    [
        {"format": "squads.fork/v2"},
        {"older": note(hashes(6, until=2))},
        {"older": note(hashes(6), OTHER)},
        {"newer": note(hashes(11))},
        {"older": note(hashes(12))},
        {"older_root": "00" * 32},
        {"older_root": "AB" * 32},
        {"older_root": "ab"},
        {"older_root": 7},
        {"path": []},
        {"path": "ab"},
        {"path": [7]},
        {"path": ["00" * 32] * 65},
        {"more": "x"},
    ],
    ids=lambda change: "-".join(f"{name}={str(value)[:6].strip()}" for name, value in change.items()),
)
def test_evidence_that_was_changed_shows_nothing(change: dict[str, object]) -> None:
    """Each field counts, and none beside them is let in."""
    with pytest.raises(Malformed):
        check_evidence(canonical_json({**evidence(), **change}), KEY)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b'{"format":1}', b"\xff"], ids=repr)
def test_what_is_no_evidence_is_malformed(data: bytes) -> None:
    """Whoever checks it reads a stranger's file."""
    with pytest.raises(Malformed):
        check_evidence(data, KEY)


def test_the_file_says_what_it_is() -> None:
    """A reader years from now finds the format in it."""
    assert FORK_FORMAT == evidence()["format"]
