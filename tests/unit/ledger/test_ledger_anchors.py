"""Checkpoints in anchors beside a log: a result for each place, and junk that accuses nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.evidence import check_evidence
from squads.ledger.report import CHECKS, OUTSIDE_CHECKS, Report
from squads.outside import forks_in
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST

THIEF = InProcessSigner(b"\7" * 32)


def states(report: Report, source: str) -> dict[str, str]:
    return {r.check: r.state for r in report.results if r.check in OUTSIDE_CHECKS and r.source == source}


def signed(size: int, root: bytes = b"r" * 32, *, origin: str = ORIGIN, signer: Any = LOG_KEY) -> str:
    return sign_checkpoint(Checkpoint(origin, size, root), signer)


def test_every_place_has_results_of_its_own(log: Callable[[int], Any]) -> None:
    """Who reads them sees which anchor says what; the order of checks stays."""
    made = log(10)

    report = made.verify(anchors={"one": made.notes, "empty": []})

    assert dict.fromkeys(OUTSIDE_CHECKS, "passed") == states(report, "one") == states(report, "")
    assert dict.fromkeys(OUTSIDE_CHECKS, "unchecked") == states(report, "empty")
    assert list(CHECKS) == list(dict.fromkeys(result.check for result in report.results))
    assert () == report.failed
    assert made.notes[-1] == report.covering


def test_notes_out_of_order_and_more_than_once_are_no_fault(log: Callable[[int], Any]) -> None:
    """A bucket lists them as it likes, and several processes put the same."""
    made = log(10)

    report = made.verify(anchors={"s3": [*reversed(made.notes), *made.notes]})

    assert dict.fromkeys(OUTSIDE_CHECKS, "passed") == states(report, "s3")


@pytest.mark.parametrize(
    "junk",
    ["nonsense", signed(99, signer=THIEF), signed(3, signer=THIEF), signed(6).replace("\n6\n", "\n7\n")],
    ids=["no note", "a thief's, beyond", "a thief's, within", "changed"],
)
def test_junk_in_an_anchor_is_told_and_counts_for_nothing(log: Callable[[int], Any], junk: str) -> None:
    """Whoever may write there could otherwise make any ledger look forked."""
    made = log(10)

    report = made.verify(anchors={"s3": [junk, *made.notes, junk]})

    assert {"outside-signature": "warned", "rollback": "passed", "fork": "passed"} == states(report, "s3")
    assert () == report.failed == report.strays
    alone = made.verify(anchors={"s3": [junk]})
    assert {"outside-signature": "warned", "rollback": "unchecked", "fork": "unchecked"} == states(alone, "s3")


def test_notes_of_other_logs_in_a_shared_anchor_are_passed_over(log: Callable[[int], Any]) -> None:
    """One file can be the anchor of many workspaces."""
    made = log(10)
    others = [signed(99, origin="a.example/squads/other/0"), signed(0, bytes(32))]

    report = made.verify(anchors={"shared": [*others, *made.notes]})

    assert dict.fromkeys(OUTSIDE_CHECKS, "passed") == states(report, "shared")
    assert () == report.failed


def test_an_anchor_that_knows_more_shows_the_cut(log: Callable[[int], Any]) -> None:
    """Also where the file beside the keys was restored with the database; the place is named."""
    whole, cut = log(10), log(6)

    report = cut.verify(anchors={"s3": whole.notes, "old": cut.notes})

    assert ["rollback"] == [result.check for result in report.failed]
    assert "s3" == report["rollback"].source
    assert "a checkpoint in s3 covers 10" in report["rollback"].message
    assert dict.fromkeys(OUTSIDE_CHECKS, "passed") == states(report, "old")


def test_a_fork_is_named_by_its_place_and_proved(log: Callable[[int], Any]) -> None:
    """The log went on otherwise than it was anchored, signed by its own key."""
    made = log(10)
    stray = signed(4)

    report = made.verify(anchors={"s3": [made.notes[-1], stray], "fine": made.notes})
    ((size, data),) = forks_in(report, TRUST.log_key, (digest for _, _, digest in made.rows))

    assert [("fork", "s3")] == [(result.check, result.source) for result in report.failed]
    assert (4, 10) == (size, check_evidence(data, TRUST.log_key).newer.size)


def test_two_anchors_that_contradict_each_other_beyond_the_end_prove_a_fork(log: Callable[[int], Any]) -> None:
    """No tree of ours says which one is right; that both were signed is enough."""
    made = log(6)

    report = made.verify(anchors={"one": [signed(9)], "other": [signed(9, b"o" * 32)]})
    ((size, data),) = forks_in(report, TRUST.log_key, iter(()))

    assert {"rollback", "fork"} == {result.check for result in report.failed}
    assert "one and other hold" in report["fork"].message
    assert (9, b"o" * 32) == (size, check_evidence(data, TRUST.log_key).older_root)


def test_a_signed_note_of_the_ledgers_own_that_is_not_borne_out_is_evidence_too(log: Callable[[int], Any]) -> None:
    """A thief of the log's key signed the newest checkpoint anew, and forgot an older one."""
    made = log(10)
    made.notes[1] = signed(4)

    report = made.verify(outside=None)
    found = forks_in(report, TRUST.log_key, (digest for _, _, digest in made.rows))

    assert ["checkpoint-root"] == [result.check for result in report.failed]
    assert [4] == [size for size, _ in found]


def test_without_a_second_signature_nothing_is_called_evidence(log: Callable[[int], Any]) -> None:
    """Whoever rewrote the database without the log's key forked nothing: it is damage, and told as such."""
    made, honest = log(10), log(10)
    made.notes = []

    report = made.verify(outside=None, anchors={"s3": [signed(4)]})

    assert [] == forks_in(report, TRUST.log_key, (digest for _, _, digest in honest.rows))
    assert {"coverage", "fork"} == {result.check for result in report.failed}


def test_a_flood_of_signed_notes_that_are_not_borne_out_fills_no_memory(log: Callable[[int], Any]) -> None:
    """One is enough to prove it; all of them are counted."""
    made = log(4)

    report = made.verify(anchors={"s3": [signed(3, bytes([n]) * 32) for n in range(200)]})

    assert 64 == len(report.strays)
    assert 200 == report["fork"].count
