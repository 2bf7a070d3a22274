"""Packets, plans, findings, verdicts: bad states cannot be written down."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from squads.contracts.base import Content, Document, canonical, digest_of
from squads.contracts.errors import BriefTooLong, InvalidInput
from squads.contracts.finding import Finding, FindingCounts, Location, Severity, Usage
from squads.contracts.packet import ApprovalRule, Budget, Limits, Packet, Predicate
from squads.contracts.plan import Acceptance, Held, Objection, Plan, Statement, Task
from squads.contracts.reasons import EXPLAINED, REFUSALS, Reason
from squads.contracts.verdict import Abstained, Approved, Refused

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NOUNS: tuple[type[Content], ...] = (
    *(Packet, Limits, Budget, ApprovalRule, Predicate, Task, Plan, Objection, Held, Acceptance, Statement),
    *(Finding, Location, Usage, Approved, Refused, Abstained),
)
FOUND = Finding(invariant="sql.unique-null", message="a unique column may hold null twice")


@given(st.data())
def test_bad_input_is_always_an_invalid_input(data: st.DataObject) -> None:
    """Any noun, any fields, any values: it is made, or refused as one readable sentence."""
    noun = data.draw(st.sampled_from(NOUNS))
    names = st.sampled_from([*noun.model_fields, "more"])
    fields = data.draw(st.dictionaries(names, ANYTHING, max_size=4))

    made, refused = None, ""
    try:
        made = noun(**fields)
    except InvalidInput as error:
        refused = str(error)

    assert made is not None or len(refused) > 10
    assert "pydantic" not in refused


@pytest.mark.parametrize("noun", NOUNS, ids=lambda n: n.__name__)
def test_unknown_fields_are_forbidden(noun: type[Content]) -> None:
    """Unknown is refused."""
    with pytest.raises(InvalidInput, match="more"):
        noun(more=1)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda n: n.__name__)
def test_nothing_is_positional(noun: type[Content]) -> None:
    """Every value is said by name."""
    with pytest.raises(TypeError):
        noun("x")


@pytest.mark.parametrize("value", [FOUND, Packet(brief="x"), Limits(), Approved()])
def test_nouns_never_change(value: Content) -> None:
    """A copy with changes is checked like a new one."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(value, next(iter(type(value).model_fields)), "x")


def test_a_changed_copy_is_checked() -> None:
    """In the same words as a new one."""
    assert Packet(brief="x").but(brief="y").brief == "y"
    with pytest.raises(BriefTooLong):
        Packet(brief="x").but(brief="y" * 4_001)
    with pytest.raises(InvalidInput):
        Limits().but(tasks_max=0)


DOCUMENTS = st.one_of(
    st.builds(Packet, brief=st.text(min_size=1, max_size=50)),
    st.builds(Statement, text=st.text(min_size=1, max_size=50)),
    st.builds(
        Objection,
        reasons=st.lists(st.text(max_size=9), min_size=1).map(tuple),
        proposal=st.text(min_size=1, max_size=9),
    ),
    st.builds(Refused, findings=st.just((FOUND,)), looked=st.integers(0, 9)),
    st.builds(Abstained, reason=st.text(min_size=1, max_size=9)),
    st.builds(
        Plan,
        tasks=st.lists(
            st.builds(Task, name=st.just("a"), brief=st.text(min_size=1, max_size=9), builder=st.just("b")), min_size=1
        ).map(tuple),
    ),
)


@given(DOCUMENTS, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_document_comes_back_from_its_blob(document: Document, salt: bytes, other: bytes) -> None:
    """Named by its digest, which another salt changes."""
    digest, blob = document.seal(salt)

    assert document == type(document).unseal(blob)
    assert digest_of(blob) == digest
    assert (digest == document.seal(other)[0]) == (salt == other)


@given(st.sampled_from([Packet, Plan, Refused]), st.binary(max_size=40))
@example(Packet, b"[" * 100_000)
@example(Packet, b"[]")
@example(Packet, b'{"brief": "x", "brief2": 1}')
def test_a_blob_that_is_no_document_is_a_value_error(noun: type[Document], blob: bytes) -> None:
    """Blobs come from anybody."""
    with pytest.raises(ValueError, match=r".+"):
        noun.unseal(blob)


def test_a_sealed_document_is_canonical() -> None:
    """Sorted keys, no spaces, UTF-8."""
    blob = Packet(brief="ä").seal(b"\0" * 32)[1]

    assert canonical(json.loads(blob)) == blob


@pytest.mark.parametrize("value", [1.5, {"a": 1.0}, [[float("nan")]], (float("inf"),)])
def test_a_float_is_never_written(value: object) -> None:
    """What is signed is exact."""
    with pytest.raises(TypeError, match="use an integer with its unit"):
        canonical(value)


def test_a_lone_surrogate_is_no_text() -> None:
    """Models write them; nothing can be signed over one."""
    with pytest.raises(InvalidInput, match=r"U\+D800"):
        Objection(reasons=("\ud800",), proposal="x").seal(b"")


# --- packets ----------------------------------------------------------------------------------------------------------


def test_a_brief_at_the_bound_fits() -> None:
    """4,000 characters fit, 4,001 do not, and a packet may set its own bound."""
    assert Packet(brief="ä" * 4_000)
    with pytest.raises(BriefTooLong, match="has 4,001 characters and the limit is 4,000"):
        Packet(brief="ä" * 4_001)
    assert Packet(brief="x" * 5_000, limits=Limits(brief_chars_max=5_000))


@pytest.mark.parametrize(
    "fields",
    [
        {"brief": ""},
        {"brief": "x", "gates": ("a", "a")},
        {"brief": "x", "gates": ("Not A Name",)},
        {"brief": "x", "done_when": (Predicate(id="a", sentence="s"), Predicate(id="a", sentence="t"))},
        {"brief": "x", "follows": "not an id"},
        {"brief": "x", "limits": {"tasks_max": 0}},
        {"brief": "x", "approval": {"approvers": ()}},
        {"brief": "x", "approval": {"approvers": ("a", "a")}},
        {"brief": "x", "approval": {"approvers": ("a",), "quorum": 2}},
    ],
)
def test_a_packet_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    """Where it is written, not when it is run."""
    with pytest.raises(InvalidInput):
        Packet(**fields)


@pytest.mark.parametrize("name", ["tokens_max", "cost_microusd_max"])
def test_a_budget_is_a_number_that_can_be_signed(name: str) -> None:
    """Up to 2^53 - 1, the largest integer that is the same everywhere."""
    assert Budget(**{name: 2**53 - 1})
    with pytest.raises(InvalidInput):
        Budget(**{name: 2**53})
    with pytest.raises(InvalidInput):
        Budget(**{name: -1})


def test_a_wait_for_people_is_bounded() -> None:
    """A year and a day at the most."""
    assert ApprovalRule(approvers=("a",), wait_ms_max=366 * 86_400_000)
    with pytest.raises(InvalidInput):
        ApprovalRule(approvers=("a",), wait_ms_max=366 * 86_400_000 + 1)


# --- findings and verdicts ------------------------------------------------------------------------------------------


def test_severities_compare_by_weight() -> None:
    """Not by the alphabet."""
    assert sorted(Severity, key=lambda s: s.weight) == [Severity.NOTE, Severity.MINOR, Severity.MAJOR, Severity.BLOCKER]
    assert Severity.MAJOR > Severity.MINOR
    assert Severity.NOTE < Severity.BLOCKER
    assert Severity.MAJOR >= "major"
    assert Severity.MAJOR <= Severity.MAJOR
    assert max(Severity) is Severity.BLOCKER


def test_a_refusal_needs_a_finding() -> None:
    """A refusal without findings does not construct."""
    with pytest.raises(InvalidInput, match="findings"):
        Refused(findings=())


def test_an_abstention_needs_a_reason() -> None:
    """ "Could not look" says why."""
    with pytest.raises(InvalidInput, match="reason"):
        Abstained(reason="")


def test_verdicts_share_their_words() -> None:
    """Every verdict has findings, waivers and how much was read."""
    approved, refused, abstained = Approved(notes=(FOUND,)), Refused(findings=(FOUND,)), Abstained(reason="no parser")

    assert [v.findings for v in (approved, refused, abstained)] == [(FOUND,), (FOUND,), ()]
    assert [v.looked for v in (approved, refused, abstained)] == [1, 1, 0]
    assert [v.waivers for v in (approved, refused, abstained)] == [(), (), ()]


@given(st.lists(st.sampled_from(Severity)))
def test_findings_are_counted_by_severity(severities: list[Severity]) -> None:
    """What a record may say of them."""
    counts = FindingCounts.of(tuple(FOUND.but(severity=s) for s in severities))

    assert len(severities) == counts.total
    assert [severities.count(s) for s in Severity] == [getattr(counts, s.value) for s in Severity]


@pytest.mark.parametrize(
    ("fields", "shown"), [({}, "a.sql"), ({"line": 3}, "a.sql:3"), ({"line": 3, "column": 5}, "a.sql:3:5")]
)
def test_a_place_reads_as_editors_read_it(fields: dict[str, int], shown: str) -> None:
    """Path, line and column."""
    assert shown == str(Location(path="a.sql", **fields))


@pytest.mark.parametrize("fields", [{"line": 0}, {"column": 0}, {"line": -1}])
def test_lines_count_from_one(fields: dict[str, int]) -> None:
    """There is no line 0."""
    with pytest.raises(InvalidInput):
        Location(path="a", **fields)


def test_tokens_come_from_calls() -> None:
    """A cost without a call is a mistake."""
    with pytest.raises(InvalidInput, match="set `calls`"):
        Usage(tokens=1)


@pytest.mark.parametrize("invariant", ["", "Unique", "sql unique", "1st", "a" * 65, "ä"])
def test_names_are_configured_never_free_text(invariant: str) -> None:
    """A name stands in receipts, so it is never written by a model."""
    with pytest.raises(InvalidInput):
        FOUND.but(invariant=invariant)


# --- reasons ----------------------------------------------------------------------------------------------------------


def test_every_reason_is_explained() -> None:
    """What it means and what to do next."""
    assert set(get_args(Reason)) == set(EXPLAINED)
    assert set(get_args(Reason)) >= REFUSALS
    assert all(len(sentence) > 20 for sentence in EXPLAINED.values())
