"""Every bound of `Limits` has a test at the bound; this file knows where each stands."""

from __future__ import annotations

import pytest
from kernel_scene import Scene, task

from squads.contracts.packet import Limits

AT_THE_BOUND = {
    "brief_chars_max": "test_a_brief_at_the_bound_goes_out",
    "tasks_max": "test_tasks_at_the_bound_go_out",
    "attempts_max": "test_kernel_building.test_an_attempt_is_tried_as_often_as_the_bound",
    "objections_max": "test_objections_up_to_the_bound_are_amended",
    "amendments_max": "test_amendments_up_to_the_bound_are_asked_for",
    "compositions_max": "test_kernel_composing.test_compositions_are_bounded",
    "messages_max": "test_messages_up_to_the_bound_are_sent",
    "files_max": "test_kernel_building.test_an_artifact_at_the_bound_of_files_is_read",
    "artifact_bytes_max": "test_kernel_building.test_an_artifact_at_the_byte_bound_is_read",
    "reply_ms_max": "test_kernel_events.test_a_deadline_counts_from_its_very_millisecond",
    "packet_ms_max": "test_kernel_events.test_the_packets_deadline_ends_it_wherever_it_stands",
}


def test_every_bound_has_a_test_at_the_bound() -> None:
    """A new bound is not done without one, and the tests named here exist."""
    import importlib

    assert set(Limits.model_fields) == set(AT_THE_BOUND)
    for named in AT_THE_BOUND.values():
        module, _, name = named.rpartition(".")
        assert hasattr(importlib.import_module(module or "test_kernel_limits"), name)


def test_every_bound_has_a_default_and_a_unit() -> None:
    """Numbers are recorded with their unit in the name."""
    for name, field in Limits.model_fields.items():
        assert field.default > 0
        assert name.endswith("_max")


@pytest.mark.parametrize("name", sorted(Limits.model_fields))
def test_no_bound_is_open_upwards(name: str) -> None:
    """Everything is bounded, the bounds too."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 10**12})


@pytest.mark.parametrize(("chars", "to"), [(20, ["carpenter"]), (21, ["coord"])])
def test_a_brief_at_the_bound_goes_out(chars: int, to: list[str]) -> None:
    """20 of 20 characters are allowed, 21 are not."""
    scene = Scene(limits=Limits(brief_chars_max=20))

    scene.plan(task(1, brief_chars=chars))

    assert to == scene.sent


@pytest.mark.parametrize(("count", "to"), [(2, ["carpenter", "carpenter"]), (3, ["coord"])])
def test_tasks_at_the_bound_go_out(count: int, to: list[str]) -> None:
    """Two of two tasks are allowed, three are not."""
    scene = Scene(limits=Limits(tasks_max=2))

    scene.plan(*(task(n) for n in range(1, count + 1)))

    assert to == scene.sent


@pytest.mark.parametrize("bound", [0, 1, 3])
def test_objections_up_to_the_bound_are_amended(bound: int) -> None:
    """One more ends the packet, refused."""
    scene = Scene(limits=Limits(objections_max=bound))
    scene.plan()
    for _ in range(bound):
        scene.object()
        assert scene.sent == ["coord"]
        scene.plan()

    scene.object()

    assert scene.reason == "task-objected"


@pytest.mark.parametrize("bound", [0, 1, 3])
def test_amendments_up_to_the_bound_are_asked_for(bound: int) -> None:
    """One more exhausted task ends the packet, refused."""
    scene = Scene(limits=Limits(amendments_max=bound, attempts_max=1))
    scene.plan()
    for _ in range(bound):
        scene.build()
        scene.judge("schema", "refused")
        assert scene.sent == ["coord"]
        scene.plan()
    scene.build()

    scene.judge("schema", "refused")

    assert scene.reason == "task-refused"


@pytest.mark.parametrize("bound", [1, 2, 3, 4])
def test_messages_up_to_the_bound_are_sent(bound: int) -> None:
    """A plan, a build, a ticket, a check: the one past the bound is not sent and ends the packet."""
    scene = Scene(limits=Limits(messages_max=bound))
    said = (scene.plan, scene.build, scene.judge, scene.accept)
    for say in said[: bound - 1]:
        say()
        assert scene.reason == ""

    said[bound - 1]()

    assert scene.reason == ("over-bound" if bound < 4 else "composed")
    assert scene.s.messages == bound
