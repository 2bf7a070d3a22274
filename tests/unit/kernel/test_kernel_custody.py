"""Custody: a policy says how a gate's key must be kept, and a verdict by a key that is kept worse does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kernel_scene import EVERYBODY, PACKET, SCHEMA, STYLE, WORKSPACE, Scene, key, task, view_of

from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import PolicyRecord
from squads.kernel.authority import CUSTODIES, suffices
from squads.kernel.view import View, admit


def view(demanded: str | None = None, **custodies: str) -> View:
    """Return a view with a policy, in which the keys of some gates are kept elsewhere."""
    found = view_of(*EVERYBODY, spare=("gate:schema",))
    keys = dict(found.registry.keys)
    for name, custody in custodies.items():
        known = bytes.fromhex(key(name if name == "spare" else f"gate:{name}"))
        keys[known] = replace(keys[known], custody=custody)
    found = replace(found, registry=replace(found.registry, keys=keys))
    return found if demanded is None else demanding(found, demanded)


def demanding(before: View, custody: str) -> View:
    """Return the view after the root has said what it demands."""
    policy = PolicyRecord(workspace=WORKSPACE, gate_custody=custody)  # type: ignore[arg-type]
    after = admit(before, policy, key=key("root"), time_ms=0)
    assert isinstance(after, View)
    return after


@pytest.mark.parametrize("demanded", CUSTODIES)
@pytest.mark.parametrize("custody", CUSTODIES)
def test_custodies_are_ordered_from_the_process_itself_to_hardware(custody: str, demanded: str) -> None:
    """A key that is kept better suffices as well."""
    assert suffices(custody, demanded) is (CUSTODIES.index(custody) >= CUSTODIES.index(demanded))


def test_an_unknown_custody_suffices_for_nothing() -> None:
    """What the rules do not know, they do not trust."""
    assert not suffices("in a drawer", "in-process")


@pytest.mark.parametrize(
    ("demanded", "custody", "reason"),
    [
        (None, "in-process", ""),
        ("in-process", "in-process", ""),
        ("daemon", "in-process", "weak-custody"),
        ("daemon", "daemon", ""),
        ("daemon", "kms", ""),
        ("kms", "daemon", "weak-custody"),
        ("hsm", "hsm", ""),
    ],
)
def test_a_packet_opens_only_where_each_required_gate_has_a_key_that_is_kept_well_enough(
    demanded: str | None, custody: str, reason: str
) -> None:
    """Else nothing could ever compose, and the receipt says so at once."""
    scene = Scene(view=view(demanded, schema=custody))

    assert reason == scene.reason


def test_one_holder_that_is_kept_well_enough_is_enough_to_open() -> None:
    """Who else holds the gate does not matter yet."""
    assert Scene(view=view("daemon", spare="daemon")).reason == ""


def test_a_gate_that_is_not_required_may_be_kept_worse() -> None:
    """Nothing rests on it."""
    assert Scene(SCHEMA, STYLE, view=view("daemon", schema="daemon"), gates=("schema",)).reason == ""


def test_every_required_gate_must_be_kept_well_enough() -> None:
    """One that is not holds up the packet."""
    assert Scene(SCHEMA, STYLE, view=view("daemon", schema="daemon")).reason == "weak-custody"


def test_a_verdict_by_a_key_that_is_kept_worse_is_ignored() -> None:
    """Its ticket stays open for the holder whose key is kept as the policy demands."""
    scene = Scene(view=view("daemon", spare="daemon"))
    scene.plan()
    scene.build()

    scene.judge()
    assert scene.ignored == "weaker custody than the policy demands"

    scene.judge(who="spare")
    assert scene.ignored == ""
    assert [job.record.work for job in scene.s.jobs.values() if not job.receipt] == ["accept"]


def test_a_verdict_counts_as_the_policy_stood_when_it_came_in() -> None:
    """A policy binds what comes after it: the same key, before and after."""
    scene = Scene(SCHEMA, STYLE, view=view(spare="daemon", style="daemon"))
    scene.plan(task(1), task(2))
    scene.build(1)
    scene.judge(number=1)
    assert scene.ignored == ""

    scene.build(2)
    scene.view = demanding(scene.view, "daemon")
    scene.judge(number=2)
    assert scene.ignored == "weaker custody than the policy demands"


def test_nobody_is_asked_whose_verdict_could_not_count() -> None:
    """A policy that comes in while a packet is open ends it at the next question, instead of waiting for silence."""
    scene = Scene()
    scene.plan()
    scene.view = demanding(scene.view, "daemon")

    scene.build()

    assert (scene.reason, scene.sent) == ("weak-custody", [])
    assert scene.s.finish is not None
    assert scene.s.finish.task == 1


def test_a_custody_that_the_policy_does_not_demand_any_more_counts_again() -> None:
    """Each policy replaces the one before."""
    lenient = demanding(view("hsm"), "in-process")

    assert Scene(view=lenient).to_acceptance().reason == ""


def test_a_packet_under_a_policy_replays() -> None:
    """The audit applies the same rule at the same place."""
    scene = Scene(view=view("daemon", schema="daemon")).to_acceptance()
    scene.accept()

    assert scene.reason == "composed"
    assert scene.replay().packets[PACKET].finish == scene.s.finish


def test_the_reason_says_what_to_do() -> None:
    """Whoever reads it learns where the key belongs."""
    assert "signer daemon" in EXPLAINED["weak-custody"]
