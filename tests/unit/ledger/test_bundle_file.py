"""The bundle's file at the border: one reading or none, bounded, and nothing in it ever raises."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import pytest
from bundle_scene import Line, again, composed, failed, states
from hypothesis import given, settings
from hypothesis import strategies as st

from squads.kernel import identify as kernels
from squads.ledger.bundle import BUNDLE_BYTES_MAX, RECEIPTS_MAX, Bundle
from squads.ledger.errors import Malformed
from squads.ledger.offline import BUNDLE_CHECKS, verify_bundle
from squads.ledger.packet import identify
from squads.ledger.shapes import SHAPES
from squads.ledger.types import KINDS


@lru_cache(maxsize=1)
def honest() -> bytes:
    """Return the file of an honest bundle with notes from elsewhere."""
    return composed().bundle(anchored=(7,)).to_json()


def test_a_bundle_is_read_as_it_was_written() -> None:
    """And it says what it is in its first lines, for a person."""
    bundle = Bundle.from_json(honest())

    assert honest() == bundle.to_json()
    assert "squads.bundle/v1" == json.loads(honest())["format"]
    assert 32 == len(bundle.receipts)


def unknown_field(value: dict[str, Any]) -> None:
    value["trust"] = {}


def missing_field(value: dict[str, Any]) -> None:
    del value["anchored"]


def another_format(value: dict[str, Any]) -> None:
    value["format"] = "squads.bundle/v2"


def another_origin(value: dict[str, Any]) -> None:
    value["origin"] = "example.com/squads/other/0"


def receipts_out_of_order(value: dict[str, Any]) -> None:
    value["receipts"].reverse()


def a_receipt_twice(value: dict[str, Any]) -> None:
    value["receipts"].insert(3, value["receipts"][3])


def a_believed_index(value: dict[str, Any]) -> None:
    value["receipts"][3]["seq"] = 3


def a_short_hash(value: dict[str, Any]) -> None:
    value["receipts"][3]["path"][0] = "AAAA"


def a_leaf_cut_off(value: dict[str, Any]) -> None:
    value["receipts"][3]["leaf"] = value["receipts"][3]["leaf"][:-8]


def base64_with_a_line_break(value: dict[str, Any]) -> None:
    value["receipts"][3]["leaf"] += "\n"


def base64_with_spare_bits(value: dict[str, Any]) -> None:
    value["receipts"][3]["path"][0] = value["receipts"][3]["path"][0][:-2] + "B="


def a_path_without_end(value: dict[str, Any]) -> None:
    value["receipts"][3]["path"] = ["A" * 43 + "="] * 127


def a_packet_that_is_no_id(value: dict[str, Any]) -> None:
    value["packet"] = "x" * 32


def content_under_no_digest(value: dict[str, Any]) -> None:
    value["content"] = {"brief": "AAAA"}


def a_list_instead_of_receipts(value: dict[str, Any]) -> None:
    value["receipts"] = {}


@pytest.mark.parametrize(
    "change",
    [
        unknown_field,
        missing_field,
        another_format,
        another_origin,
        receipts_out_of_order,
        a_receipt_twice,
        a_believed_index,
        a_short_hash,
        a_leaf_cut_off,
        base64_with_a_line_break,
        base64_with_spare_bits,
        a_path_without_end,
        a_packet_that_is_no_id,
        content_under_no_digest,
        a_list_instead_of_receipts,
    ],
    ids=lambda change: change.__name__,
)
def test_what_is_no_bundle_fails_the_first_check(change: Callable[[dict[str, Any]], None]) -> None:
    """Nothing is mended and nothing is skipped."""
    report = verify_bundle(again(honest(), change), composed().trust)

    assert ["framing"] == failed(report)
    assert 1 == report.exit_code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"null",
        b'{"format": "squads.bundle/v1", "format": "squads.bundle/v1"}',
        b'{"format": NaN}',
        b'{"format": 1.0}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"format":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
    ids=["empty", "no UTF-8", "list", "no fields", "null", "twice", "NaN", "float", "surrogate", "deep", "nested"],
)
def test_json_that_two_readers_could_read_differently_is_refused(data: bytes) -> None:
    """Strict at this border as at every other."""
    report = verify_bundle(data, composed().trust)

    assert ["framing"] == failed(report)
    assert {"failed", "unchecked"} == set(states(report).values())


def test_a_file_over_the_bound_is_not_read() -> None:
    """Sizes are compared before anything is parsed."""
    report = verify_bundle(b" " * (BUNDLE_BYTES_MAX + 1), composed().trust)

    assert str(BUNDLE_BYTES_MAX) in report["framing"].message


def test_more_receipts_than_the_bound_are_refused() -> None:
    """The list is measured before its items are looked at."""
    data = again(honest(), lambda value: value.update(receipts=[0] * (RECEIPTS_MAX + 1)))

    with pytest.raises(Malformed, match=str(RECEIPTS_MAX)):
        Bundle.from_json(data)


@given(st.data())
@settings(max_examples=30)
def test_a_single_changed_character_never_verifies(data: st.DataObject) -> None:
    """Wherever it stands, unless what is written still says the same."""
    text = honest().decode()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from('aZ09+/="{}[],: \n\x00é'))
    changed = (text[:place] + letter + text[place + 1 :]).encode()
    report = verify_bundle(changed, composed().trust)

    try:
        same = json.loads(changed) == json.loads(honest())
    except ValueError:
        same = False
    assert (report.exit_code == 0) == same


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**53 - 1) | st.sampled_from(["", "a", "a" * 64, "e" * 32, "gate:a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["task", "name", "a"]), inner),
    max_leaves=4,
)


@given(st.data())
@settings(max_examples=30)
def test_nothing_that_a_signed_receipt_says_raises(data: st.DataObject) -> None:
    """Whoever holds a key may write anything into a receipt: it fails a check, or means the same to every reader."""
    scene = composed()
    for place in data.draw(st.lists(st.integers(0, len(scene.lines) - 1), min_size=1, max_size=3)):
        line = scene.lines[place]
        field = data.draw(st.sampled_from(sorted(line.said)))
        said = {**line.said, field: data.draw(ANYTHING)}
        # The subject stays, so that what is looked at is what the receipt says.
        scene.lines[place] = Line(line.kind, said, line.subjects, line.roles, line.time_ms)
    report = scene.verify()

    assert set(BUNDLE_CHECKS) == {result.check for result in report.results}


def test_every_receipt_kind_has_a_shape() -> None:
    """A kind that nobody checks the form of would be read unchecked."""
    assert set(KINDS) == set(SHAPES)


def test_ids_are_the_kernels() -> None:
    """Stated twice, because neither side may import the other; they must never differ."""
    assert kernels.ticket_id("c" * 64, None, 2, "style", "d" * 64, 1) == identify(
        "c" * 64, "ticket", 0, 2, "style", "d" * 64, 1
    )
    assert kernels.identify("c" * 64, "question", 3) == identify("c" * 64, "question", 3)


# Content -------------------------------------------------------------------------------------------------------------


def test_content_with_another_digest_fails() -> None:
    """It was changed, wherever that happened."""
    scene = composed()
    scene.content = {scene.line("plan").said["content"]: b"another plan"}

    assert ["content"] == failed(scene.verify())


def test_content_that_no_receipt_names_is_a_warning() -> None:
    """It may be genuine bytes of something else, and proves nothing here."""
    scene = composed()
    scene.content = {sha256(b"praise").hexdigest(): b"praise"}
    report = scene.verify()

    assert "warned" == states(report)["content"]


@pytest.mark.parametrize("by", ["human", "builder:carpenter"])
def test_erased_content_is_told_from_lost_content(by: str) -> None:
    """Only a person's receipt says that content was erased; then nothing that is absent is missed."""
    scene = composed()
    person = scene.line("answer").said["author"]
    workspace = scene.line("opened").said["workspace"]
    said = {"workspace": workspace, "subject": "customer-17", "packets": [scene.packet], "author": person}
    signer = f"human:{person}" if by == "human" else by
    scene.lines.append(Line("erasure", said, (), (signer,), 0).saying())
    report = scene.verify()

    if by == "human":
        assert "passed" == states(report)["content"]
        assert "erased, as receipt 32 says" in report["content"].message
    else:
        assert ["role"] == failed(report)
        assert "unchecked" == states(report)["content"]


# Packets that did not compose ----------------------------------------------------------------------------------------


def test_a_packet_that_did_not_compose_verifies_and_says_why() -> None:
    """A refusal is a result: it is proved like any other."""
    scene = composed()
    del scene.lines[scene.at("assignment", attempt=2) :]
    finish = composed().line("finish").saying(outcome="not-composed", reason="task-refused", artifact=None)
    scene.lines.append(finish)
    report = scene.verify()

    assert [] == failed(report)
    assert ("not-composed", "task-refused", "", 0) == (
        report.outcome,
        report.reason,
        report.artifact,
        report.exit_code,
    )
    assert "did not compose, because of task-refused" in report.outcome_said
    assert "nothing composed" in report["gates"].message


def test_another_packets_bundle_is_not_this_packets() -> None:
    """What the file says that it is about is compared with what its receipts open."""
    data = again(honest(), lambda value: value.update(packet="d" * 32))
    report = verify_bundle(data, composed().trust)

    assert ["packet"] == failed(report)
    assert "unknown" == report.outcome


def test_rules_that_nobody_knows_are_not_judged() -> None:
    """Not finding out is never a pass."""
    scene = composed()
    scene.change(scene.at("opened"), rules=2)
    report = scene.verify()

    assert [] == failed(report)
    assert 2 == report.exit_code
    assert "newer verifier" in report.conclusion


# What the verifier holds itself --------------------------------------------------------------------------------------


def test_a_checkpoint_that_the_verifier_holds_is_compared() -> None:
    """It passes where the bundle proves it, and where it covers exactly as much."""
    scene = composed()
    bundle = scene.bundle(anchored=(7,))
    data = bundle.to_json()
    report = verify_bundle(data, scene.trust, seen=[bundle.anchored[0].note, bundle.checkpoint])

    assert "2 checkpoints that you hold" in report["anchored"].message
    assert "passed" == states(report)["anchored"]


def test_a_checkpoint_that_the_verifier_holds_and_nothing_proves_is_said() -> None:
    """It may be of this log; the bundle does not show it."""
    scene = composed()
    note = scene.bundle(anchored=(9,)).anchored[0].note
    report = verify_bundle(scene.bundle().to_json(), scene.trust, seen=[note])

    assert "unchecked" == states(report)["anchored"]
    assert 0 == report.exit_code


def test_a_checkpoint_that_the_verifier_holds_and_contradicts_is_a_fork() -> None:
    """Somebody with the log's key showed others another history."""
    scene, other = composed(), composed()
    other.change(other.at("answer"), channel="page")
    note = other.bundle().checkpoint
    report = verify_bundle(scene.bundle().to_json(), scene.trust, seen=[note])

    assert ["anchored"] == failed(report)
    assert [(note, scene.bundle().checkpoint)] == list(report.evidence)


def test_a_bundle_that_would_be_too_big_is_not_written() -> None:
    """Whoever makes it learns so at once, and not the stranger."""
    bundle = composed().bundle()
    content = {sha256(bytes([n])).hexdigest(): bytes(9 * 1024 * 1024) for n in range(6)}

    with pytest.raises(Malformed, match="leave content out"):
        replace(bundle, content=content).to_json()
