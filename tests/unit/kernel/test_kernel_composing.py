"""The composition: made, read, checked end to end, re-opened."""

from __future__ import annotations

import pytest
from kernel_scene import ARTIFACT, COMPOSITION, EVERYBODY, SCHEMA, Scene, digest, role, task, view_of

from squads.contracts.messages import AcceptRequest, BuildRequest
from squads.contracts.packet import Limits
from squads.kernel.lifecycle import Phase, Stage

WHOLE = role("whole", "gate", COMPOSITION)


def with_whole(**change: object) -> Scene:
    return Scene(SCHEMA, WHOLE, view=view_of(*EVERYBODY, "gate:whole"), **change)  # type: ignore[arg-type]


def test_approved_tasks_compose_to_their_union() -> None:
    """In the same step as the last approval, with the coordinator asked to check it."""
    scene = Scene()
    scene.plan(task(1), task(2))
    scene.build(1)
    scene.judge()
    scene.build(2)

    scene.judge(number=2)

    assert scene.recorded == ["composition", "assignment"]
    made = scene.s.manifests[scene.s.composition]
    assert [e.path for e in made.files] == ["t1.sql", "t2.sql"]


def test_accepted_is_composed() -> None:
    """The coordinator found nothing against it, and no person has to be asked."""
    scene = Scene().to_acceptance()

    scene.accept()

    assert (scene.reason, scene.s.finish.artifact) == ("composed", scene.s.composition)  # type: ignore[union-attr]
    assert scene.s.phase is Phase.COMPOSED


def test_gates_read_the_composition_before_the_coordinator_does() -> None:
    """It is an attempt like any other."""
    scene = with_whole().to_acceptance()
    assert scene.sent == ["coord"]

    tickets = [t.record for t in scene.s.tickets.values() if t.record.gate == "whole"]

    assert [(COMPOSITION, scene.s.composition)] == [(t.reads, t.subject) for t in tickets]


def composed_and_refused(**change: object) -> Scene:
    scene = with_whole(**change)
    scene.plan(task(1), task(2, 1), task(3))
    for number in (1, 2, 3):
        scene.build(number)
        scene.judge(number=number)
    scene.judge("whole", "refused")
    return scene


def test_a_refused_composition_is_shown_to_the_coordinator_as_refused() -> None:
    """Only the tasks to re-open are asked for."""
    scene = composed_and_refused()

    body = scene.s.jobs[scene.request("accept")].request
    assert isinstance(body, AcceptRequest)
    assert body.refused


def test_the_coordinator_cannot_overrule_a_refused_composition() -> None:
    """Its word can only refuse."""
    scene = composed_and_refused()

    scene.accept()

    assert scene.reason == "composition-refused"


def test_re_opening_voids_the_task_and_what_builds_on_it() -> None:
    """Task 3 keeps its approval; task 2 waits for task 1 again."""
    scene = composed_and_refused()

    scene.accept(reopen=(1,))

    assert [t.stage for t in scene.s.tasks.values()] == [Stage.ASSIGNED, Stage.VOIDED, Stage.APPROVED]
    assert scene.sent == ["carpenter"]


def test_a_re_opened_task_gets_a_new_attempt_with_the_reasons() -> None:
    """The verdicts on the composition, and the coordinator's words."""
    scene = composed_and_refused()
    scene.accept(reopen=(1,))

    body = scene.s.jobs[scene.request("build", 1)].request

    assert isinstance(body, BuildRequest)
    assert (body.attempt, len(body.verdicts), len(body.reasons)) == (2, 1, 1)


def test_what_builds_on_a_re_opened_task_is_made_from_the_new_one() -> None:
    """Its new attempt lists the new input."""
    scene = composed_and_refused()
    scene.accept(reopen=(1,))
    scene.build(1)
    scene.judge(number=1)
    new = scene.s.tasks[1].artifact

    body = scene.s.jobs[scene.request("build", 2)].request

    assert isinstance(body, BuildRequest)
    assert [new] == [p.artifact for p in body.inputs]


def test_a_re_opened_packet_composes_again() -> None:
    """The second composition is another one, with verdicts of its own."""
    scene = composed_and_refused()
    first = scene.s.composition
    scene.accept(reopen=(3,))
    scene.build(3)
    scene.judge(number=3)
    assert scene.sent == ["whole"]
    scene.judge("whole")

    scene.accept()

    assert scene.reason == "composed"
    assert first != scene.s.composition


def test_an_approved_composition_can_be_re_opened() -> None:
    """The coordinator may refuse what gates let through."""
    scene = Scene().to_acceptance()

    scene.accept(reopen=(1,))

    assert scene.s.phase is Phase.BUILDING


@pytest.mark.parametrize("reopen", [(9,), (1, 9)])
def test_re_opening_what_is_not_there_refuses(reopen: tuple[int, ...]) -> None:
    """An unknown task is refused, and refusing without a task ends the packet."""
    scene = Scene().to_acceptance()

    scene.accept(reopen=reopen)

    assert scene.reason == "not-accepted"


def test_a_task_without_tries_left_is_amended_or_refused() -> None:
    """The bound on attempts holds for re-opened tasks too, and the reason says whose word it was."""
    for refusing, reason in ((False, "not-accepted"), (True, "composition-refused")):
        scene = with_whole(limits=Limits(attempts_max=1, amendments_max=0))
        scene.plan()
        scene.build()
        scene.judge()
        scene.judge("whole", "refused" if refusing else "approved")

        scene.accept(reopen=(1,))

        assert scene.reason == reason


def test_compositions_are_bounded() -> None:
    """Two of two are made; the third ends it."""
    scene = Scene(limits=Limits(compositions_max=2, attempts_max=9)).to_acceptance()
    scene.accept(reopen=(1,))
    scene.build()
    scene.judge()
    assert scene.s.composition_attempt == 2
    scene.accept(reopen=(1,))
    scene.build()

    scene.judge()

    assert scene.reason == "over-bound"


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ({"done": True, "safe": True}, "composed"),
        ({"done": True}, "not-accepted"),
        ({"done": True, "safe": False}, "not-accepted"),
        ({}, "not-accepted"),
        ({"done": True, "safe": True, "more": True}, "composed"),
    ],
)
def test_every_line_of_done_when_must_hold(held: dict[str, bool], reason: str) -> None:
    """A missing answer counts as not holding."""
    scene = Scene(predicates=("done", "safe")).to_acceptance()

    scene.accept(held=held)

    assert scene.reason == reason


def test_a_silent_check_is_asked_again_and_then_refuses() -> None:
    """The coordinator's silence composes nothing."""
    scene = Scene(limits=Limits(attempts_max=2)).to_acceptance()
    scene.fault(scene.request("accept"))
    assert scene.sent == ["coord"]

    scene.fault(scene.request("accept"))

    assert scene.reason == "role-failed"


def test_an_abstaining_gate_of_the_composition_ends_it() -> None:
    """Asked once more, then nobody could look."""
    scene = with_whole()
    scene.plan()
    scene.build()
    scene.judge()
    scene.judge("whole", "abstained")

    scene.judge("whole", "abstained")

    assert scene.reason == "gate-abstained"


def meet(**limits: int) -> Scene:
    scene = Scene(limits=Limits(**limits))
    scene.plan(task(1), task(2))
    for number in (1, 2):
        scene.build(number, {"shared.sql": str(number)})
        scene.judge(number=number)
    return scene


def test_where_paths_meet_the_plan_is_amended() -> None:
    """A task that builds on both writes the meeting place; both keep their approval."""
    scene = meet()
    request = scene.s.jobs[scene.request("plan")].request
    assert request.grievances[0].cause == "paths-meet"  # type: ignore[union-attr]
    scene.plan(task(1), task(2), task(3, 1, 2))
    scene.build(3, {"shared.sql": "both"})

    scene.judge(number=3)

    assert scene.recorded == ["composition", "assignment"]


def test_where_paths_meet_without_an_amendment_nothing_composes() -> None:
    """And the reason says so."""
    assert meet(amendments_max=0).reason == "paths-meet"


def test_nobody_looked_composes_nothing() -> None:
    """A gate that found nothing of its kind approves without having looked; when all of them did, nobody looked."""
    scene = Scene()
    scene.plan()
    scene.build()

    scene.judge(looked=0)

    assert (scene.reason, scene.s.finish.task) == ("no-applicable-gate", 1)  # type: ignore[union-attr]


def test_every_part_must_have_been_looked_at() -> None:
    """One part that nobody read is one too many, and the reason names it."""
    scene = Scene()
    scene.plan(task(1), task(2))
    scene.build(1)
    scene.judge()
    scene.build(2)

    scene.judge(number=2, looked=0)

    assert (scene.reason, scene.s.finish.task) == ("no-applicable-gate", 2)  # type: ignore[union-attr]


def test_looking_at_the_composition_looks_at_every_part() -> None:
    """A gate of the composition read what no gate of artifacts did."""
    scene = with_whole()
    scene.plan()
    scene.build()
    scene.judge(looked=0)

    scene.judge("whole")

    assert scene.reason == ""


def test_the_way_out_has_an_ugly_name() -> None:
    """`UnsafeNoGate` lets through without looking, and its record says so."""
    unsafe = role("schema", "gate", ARTIFACT, unsafe=True)
    scene = Scene(unsafe)
    scene.plan()
    scene.build()

    scene.judge(looked=0)

    assert scene.reason == ""


def test_only_the_composition_that_was_asked_about_is_accepted() -> None:
    """An answer about yesterday's bytes does not count."""
    from squads.contracts.records import AcceptanceRecord

    scene = Scene().to_acceptance()
    record = AcceptanceRecord(
        **scene.common("coord"), request=scene.request("accept"), subject=digest("old"), content=digest("y")
    )

    scene.say(record, "coordinator:coord")

    assert scene.ignored == "another subject"


def test_an_objection_to_the_check_refuses_the_packet() -> None:
    """Every role may refuse bad input, at the end as well."""
    from squads.contracts.records import ObjectionRecord

    scene = Scene().to_acceptance()
    record = ObjectionRecord(**scene.common("coord"), request=scene.request("accept"), content=digest("no"))

    scene.say(record, "coordinator:coord")

    assert scene.reason == "packet-objected"
