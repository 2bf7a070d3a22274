"""Plans: read by gates, amended within bounds, and what an amendment keeps."""

from __future__ import annotations

from kernel_scene import ARTIFACT, PLAN, SCHEMA, Scene, digest, role, task

from squads.contracts.packet import Limits
from squads.kernel.lifecycle import Phase, Stage

SPEC = role("spec", "gate", PLAN)


def stages(scene: Scene) -> dict[int, Stage | None]:
    return {n: t.stage for n, t in scene.s.tasks.items()}


def test_without_a_gate_for_plans_work_begins_at_once() -> None:
    """Ready tasks go out with the plan's receipt."""
    scene = Scene()

    scene.plan(task(1), task(2, builder="mason"), task(3, 1))

    assert scene.sent == ["carpenter", "mason"]
    assert scene.s.phase is Phase.BUILDING


def test_a_gate_that_reads_plans_reads_before_anybody_builds() -> None:
    """Many faults stand in the spec."""
    scene = Scene(SCHEMA, SPEC)

    scene.plan()
    assert scene.sent == ["spec"]

    scene.judge("spec")
    assert scene.sent == ["carpenter"]


def test_a_refused_plan_goes_back_with_its_verdict() -> None:
    """The coordinator sees what was found, and tries again."""
    scene = Scene(SCHEMA, SPEC)
    scene.plan()

    scene.judge("spec", "refused")

    request = scene.s.jobs[scene.request("plan")].request
    assert scene.sent == ["coord"]
    assert (request.grievances[0].cause, request.attempt) == ("plan-refused", 2)  # type: ignore[union-attr]
    assert len(request.grievances[0].documents) == 1  # type: ignore[union-attr]


def test_plans_are_tried_as_often_as_the_bound() -> None:
    """Two of two are tried, and then the packet ends refused."""
    scene = Scene(SCHEMA, SPEC, limits=Limits(attempts_max=2))
    for _ in range(2):
        assert scene.reason == ""
        scene.plan()
        scene.judge("spec", "refused")

    assert scene.reason == "plan-refused"


def test_an_abstaining_gate_for_plans_ends_it() -> None:
    """Asked once more, and then nobody could look."""
    scene = Scene(SCHEMA, SPEC)
    scene.plan()
    scene.judge("spec", "abstained")
    assert scene.sent == ["spec"]

    scene.judge("spec", "abstained")

    assert scene.reason == "gate-abstained"


def test_a_plan_that_cannot_be_run_is_never_read() -> None:
    """The kernel says what is wrong, in its own words."""
    scene = Scene(SCHEMA, SPEC)

    scene.plan(task(1, 2), task(2, 1))

    request = scene.s.jobs[scene.request("plan")].request
    assert scene.sent == ["coord"]
    assert "cyclic" in request.grievances[0].detail  # type: ignore[union-attr]


def test_plans_that_cannot_be_run_are_tried_as_often_as_the_bound() -> None:
    """Then it ends without anybody having refused."""
    scene = Scene(limits=Limits(attempts_max=2))
    scene.plan(task(9))
    scene.plan(task(9))

    assert scene.reason == "plan-invalid"


def test_a_silent_coordinator_ends_it() -> None:
    """Silence refuses."""
    scene = Scene(limits=Limits(attempts_max=2))
    scene.fault(scene.request("plan"))
    scene.fault(scene.request("plan"))

    assert scene.reason == "role-failed"


def test_a_coordinator_may_refuse_the_packet() -> None:
    """Every role may refuse bad input."""
    scene = Scene()

    scene.object("coord")

    assert scene.reason == "packet-objected"
    assert scene.s.finish.outcome == "not-composed"  # type: ignore[union-attr]


def test_a_builders_objection_goes_back_to_the_coordinator() -> None:
    """With the previous plan, and with the words."""
    scene = Scene()
    scene.plan(task(1), task(2, builder="mason"))

    scene.object("carpenter", 1)

    request = scene.s.jobs[scene.request("plan")].request
    assert (request.grievances[0].cause, request.grievances[0].task) == ("objection", 1)  # type: ignore[union-attr]
    assert (request.numbers, request.next_task) == ((1, 2), 3)  # type: ignore[union-attr]


def test_an_amended_plan_keeps_what_it_does_not_touch() -> None:
    """Task 2 stays approved; task 1 starts over with the next attempt's number."""
    scene = Scene()
    scene.plan(task(1), task(2, builder="mason"))
    scene.build(2)
    scene.judge()
    scene.object("carpenter", 1)

    scene.plan(task(1, brief=digest("clearer")), task(2, builder="mason"))

    assert stages(scene) == {1: Stage.ASSIGNED, 2: Stage.APPROVED}
    assert scene.s.tasks[1].attempt == 2


def test_an_amended_plan_voids_what_builds_on_a_change() -> None:
    """Task 2 builds on task 1, whose brief is another now."""
    scene = Scene(limits=Limits(attempts_max=1))
    scene.plan(task(1), task(2, 1), task(3))
    scene.build(1)
    scene.judge()
    scene.build(2)
    scene.judge(number=2)
    scene.object("carpenter", 3)

    scene.plan(task(1, brief=digest("other")), task(2, 1), task(3, brief=digest("clearer")))

    assert stages(scene) == {1: Stage.ASSIGNED, 2: None, 3: Stage.ASSIGNED}


def test_the_voided_attempt_takes_no_answer_any_more() -> None:
    """Its ticket was closed, so a late verdict is too late."""
    scene = Scene()
    scene.plan(task(1), task(2))
    scene.build(1)
    late = scene.verdict(number=1)
    scene.object("carpenter", 2)
    scene.plan(task(1, brief=digest("other")), task(2, brief=digest("clearer")))

    scene.say(late, "gate:schema")

    assert scene.ignored == "too late"


def test_a_task_kept_as_it_was_after_an_objection_is_tried_again() -> None:
    """The coordinator insists, which the bound on objections ends."""
    scene = Scene(limits=Limits(objections_max=1))
    scene.plan()
    scene.object()
    scene.plan()
    assert scene.sent == ["carpenter"]

    scene.object()

    assert scene.reason == "task-objected"


def test_work_goes_on_while_a_plan_is_amended() -> None:
    """Other tasks are built and read; only new ones wait for the new plan."""
    scene = Scene()
    scene.plan(task(1), task(2), task(3, 2))
    scene.object("carpenter", 1)
    scene.build(2)
    scene.judge()
    assert stages(scene) == {1: Stage.OBJECTED, 2: Stage.APPROVED, 3: None}

    scene.plan(task(1, brief=digest("clearer")), task(2), task(3, 2))

    assert stages(scene) == {1: Stage.ASSIGNED, 2: Stage.APPROVED, 3: Stage.ASSIGNED}


def test_a_second_objection_waits_for_the_plan_that_is_being_made() -> None:
    """It is answered by another amendment where the new plan has not touched its task."""
    scene = Scene()
    scene.plan(task(1), task(2))
    scene.object("carpenter", 1)
    scene.object("carpenter", 2)
    assert scene.sent == []

    scene.plan(task(1, brief=digest("clearer")), task(2))

    request = scene.s.jobs[scene.request("plan")].request
    assert [g.task for g in request.grievances] == [2]  # type: ignore[union-attr]
    assert scene.s.phase is Phase.PLANNING


def test_an_exhausted_task_is_amended_once() -> None:
    """One plan amendment if one is left, else the packet ends refused."""
    scene = Scene(limits=Limits(attempts_max=1, amendments_max=1))
    scene.plan()
    scene.build()
    scene.judge("schema", "refused")
    assert scene.sent == ["coord"]
    scene.plan(task(1, brief=digest("clearer")))
    scene.build()

    scene.judge("schema", "refused")

    assert (scene.reason, scene.s.finish.task) == ("task-refused", 1)  # type: ignore[union-attr]


def test_numbers_of_attempts_are_never_used_again() -> None:
    """Also not after an amendment: a ticket's id is one question for ever."""
    scene = Scene(limits=Limits(attempts_max=1, amendments_max=1))
    scene.plan()
    scene.build()
    scene.judge("schema", "refused")

    scene.plan(task(1, brief=digest("clearer")))

    assert scene.s.jobs[scene.request("build")].record.attempt == 2


def test_a_dropped_tasks_number_is_not_given_out_again() -> None:
    """New tasks count on."""
    scene = Scene()
    scene.plan(task(1), task(2))
    scene.object("carpenter", 2)
    scene.plan(task(1))
    assert set(scene.s.tasks) == {1}
    scene.object("carpenter", 1)

    scene.plan(task(2))

    assert "was not given out" in scene.s.jobs[scene.request("plan")].request.grievances[0].detail  # type: ignore[union-attr]


def test_the_amended_plan_may_add_a_gate_to_a_task() -> None:
    """A task whose gates changed is another task: it starts over."""
    style = role("style", "gate", ARTIFACT)
    scene = Scene(SCHEMA, roles=(*Scene().s.opened.roles, style))
    scene.plan(task(1), task(2))
    scene.build(1)
    scene.judge()
    scene.object("carpenter", 2)

    scene.plan(task(1, gates=("style",)), task(2, brief=digest("clearer")))

    assert scene.s.tasks[1].stage is Stage.ASSIGNED
