"""Calibration: a policy says how good a gate's record must be, and a verdict without such a record does not count."""

from __future__ import annotations

import pytest
from kernel_scene import EVERYBODY, PACKET, SCHEMA, WORKSPACE, Scene, key, view_of

from squads.contracts.errors import LedgerBroken
from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import CalibrationRate, CalibrationRecord, PolicyRecord, Record
from squads.kernel.effects import Ignore
from squads.kernel.receipts import record_of
from squads.kernel.view import View, admit


def rate(invariant: str = "sql.quokka", *, held: bool = True, **counts: int) -> CalibrationRate:
    """Return a rate, of ten defects and ten others unless it says otherwise."""
    known = {"defects": 10, "caught": 9, "clean": 10, "refused": 0, **counts}
    bounds = {"caught_low_ppm": 0, "caught_high_ppm": 10**6, "refused_low_ppm": 0, "refused_high_ppm": 10**6}
    return CalibrationRate(invariant=invariant, held=held, **known, **bounds)


def record(*rates: CalibrationRate, prior: str = SCHEMA.prior) -> CalibrationRecord:
    """Return a record of the gate `schema`."""
    digests = {"cases": "1" * 64, "run": "2" * 64, "ledger_root": "3" * 64}
    return CalibrationRecord(
        workspace=WORKSPACE,
        gate="schema",
        prior=prior,
        version="1+a",
        rates=rates or (rate(),),
        ledger_size=1,
        **digests,
    )


def demand(catch: int = 900_000, refusals: int = 20_000) -> PolicyRecord:
    """Return a policy that demands a record."""
    return PolicyRecord(workspace=WORKSPACE, catch_ppm_min=catch, false_refusals_ppm_max=refusals)


def after(*said: Record, view: View | None = None) -> View:
    """Return the view after the root has said these things."""
    found = view or view_of(*EVERYBODY)
    for each in said:
        admitted = admit(found, each, key=key("root"), time_ms=0)
        assert isinstance(admitted, View)
        found = admitted
    return found


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((), ""),
        ((demand(),), "uncalibrated"),
        ((demand(), record()), ""),
        ((record(), demand()), ""),
        ((demand(), record(prior="9" * 64)), "uncalibrated"),
        ((demand(), record(rate(caught=8))), "uncalibrated"),
        ((demand(), record(rate(refused=1))), "uncalibrated"),
        ((demand(), record(rate(defects=0, caught=0))), "uncalibrated"),
        ((demand(), record(rate(clean=0))), "uncalibrated"),
        ((demand(), record(rate(), rate("sql.emu", held=False, caught=0))), ""),
        ((demand(), record(rate(), rate("sql.emu", held=False, refused=9))), "uncalibrated"),
        ((demand(), record(), record(rate(caught=1))), "uncalibrated"),
        ((demand(), demand(0, 1_000_000)), ""),
    ],
    ids=[
        "no-policy", "no-record", "record", "record-first", "other-prior", "catches-less", "refuses-more", "no-defects",
        "no-clean", "not-held", "refuses-others", "newer-is-worse", "demand-lifted",
    ],
)  # fmt: skip
def test_a_packet_opens_only_where_each_required_gate_has_the_record(said: tuple[Record, ...], reason: str) -> None:
    """The newest record of the gate's very prior counts, over the invariants it holds and everything right."""
    assert reason == Scene(view=after(*said)).reason


def test_a_verdict_counts_as_the_policy_stood_when_it_came_in() -> None:
    """A demand that comes in while a gate reads is met by a record that comes in after it."""
    scene = Scene()
    scene.plan()
    scene.build()
    scene.view = after(demand(), view=scene.view)

    scene.judge()
    assert scene.ignored == "no record such as the policy demands"

    scene.view = after(record(), view=scene.view)
    scene.judge()
    assert scene.ignored == ""


def test_nobody_is_asked_whose_verdict_could_not_count() -> None:
    """The packet ends at the next question, instead of waiting for silence."""
    scene = Scene()
    scene.plan()
    scene.view = after(demand(), view=scene.view)

    scene.build()

    assert (scene.reason, scene.sent) == ("uncalibrated", [])


def test_a_packet_under_a_policy_with_a_record_replays() -> None:
    """The audit applies the same rule at the same place."""
    scene = Scene(view=after(demand(), record())).to_acceptance()
    scene.accept()

    assert scene.reason == "composed"
    assert scene.replay().packets[PACKET].finish == scene.s.finish


@pytest.mark.parametrize("name", ["root", "human:mara"])
def test_the_root_and_people_record_and_no_gate_does(name: str) -> None:
    """No one judges their own work, nor says how good they are at it."""
    assert isinstance(admit(view_of(*EVERYBODY), record(), key=key(name), time_ms=0), View)
    assert isinstance(admit(view_of(*EVERYBODY), record(), key=key("gate:schema"), time_ms=0), Ignore)


def test_policies_from_before_read_as_they_were_signed() -> None:
    """What demands no record is written as ever, and nothing can be written in two ways."""
    before = {"workspace": WORKSPACE, "gate_custody": "daemon", "end_level": "checkpointed"}
    before["refusal_level"] = "checkpointed"

    assert before == PolicyRecord(workspace=WORKSPACE, gate_custody="daemon").model_dump(mode="json")
    assert PolicyRecord(workspace=WORKSPACE, gate_custody="daemon") == record_of("policy", before)
    assert demand() == record_of("policy", demand().model_dump(mode="json"))
    with pytest.raises(LedgerBroken, match="in another way"):
        record_of("policy", {**before, "catch_ppm_min": 0})


def test_more_cannot_be_caught_than_there_is() -> None:
    """Such a record cannot be written down."""
    with pytest.raises(ValueError, match="more is caught or refused"):
        rate(caught=11)


def test_the_reason_says_what_to_do() -> None:
    """Whoever reads it learns how a gate gets a record."""
    assert "squads bench record" in EXPLAINED["uncalibrated"]
