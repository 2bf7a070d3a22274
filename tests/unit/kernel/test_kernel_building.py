"""Tasks go out when they are ready; artifacts come in and are read."""

from __future__ import annotations

import pytest
from kernel_scene import SCHEMA, STYLE, Scene, digest, task

from squads.contracts.messages import BuildRequest
from squads.contracts.packet import Limits
from squads.contracts.records import ArtifactRecord
from squads.kernel.lifecycle import Stage


def asked(scene: Scene, number: int = 1) -> BuildRequest:
    body = scene.s.jobs[scene.request("build", number)].request
    assert isinstance(body, BuildRequest)
    return body


def test_a_task_waits_until_all_it_comes_after_is_approved() -> None:
    """Handed in is not approved."""
    scene = Scene()
    scene.plan(task(1), task(2), task(3, 1, 2))
    scene.build(1)
    scene.judge()
    scene.build(2)
    assert "carpenter" not in scene.sent

    scene.judge(number=2)

    assert scene.sent == ["carpenter"]
    assert [p.task for p in asked(scene, 3).inputs] == [1, 2]


def test_all_ready_tasks_go_out_together() -> None:
    """In the order of the plan, to whoever builds them."""
    scene = Scene()

    scene.plan(task(1), task(2, builder="mason"), task(3))

    assert scene.sent == ["carpenter", "mason", "carpenter"]


def test_an_artifact_goes_to_every_required_gate_at_once() -> None:
    """One round brings all findings."""
    scene = Scene(SCHEMA, STYLE)
    scene.plan()

    scene.build()

    assert scene.sent == ["schema", "style"]


def test_a_refusal_brings_the_next_attempt_with_every_verdict() -> None:
    """The builder sees the artifact it made and what each gate said of it."""
    scene = Scene(SCHEMA, STYLE)
    scene.plan()
    scene.build()
    subject = scene.s.tasks[1].artifact
    scene.judge("schema", "refused")
    assert scene.sent == []

    scene.judge("style", "refused")

    assert scene.sent == ["carpenter"]
    assert (2, subject, 2) == (asked(scene).attempt, asked(scene).previous, len(asked(scene).verdicts))


def test_an_attempt_is_tried_as_often_as_the_bound() -> None:
    """Two of two attempts are made; the third never goes out."""
    scene = Scene(limits=Limits(attempts_max=2, amendments_max=0))
    scene.plan()
    for _ in range(2):
        assert scene.reason == ""
        scene.build()
        scene.judge("schema", "refused")

    assert scene.reason == "task-refused"


def test_a_silent_builder_uses_up_its_attempts() -> None:
    """Silence refuses, and says so as what it was."""
    scene = Scene(limits=Limits(attempts_max=2, amendments_max=0))
    scene.plan()
    scene.fault(scene.request("build"))
    scene.fault(scene.request("build"))

    assert scene.reason == "role-failed"


def test_an_artifact_without_its_manifest_is_ignored() -> None:
    """The digest must name something that was read."""
    scene = Scene()
    scene.plan()
    record = ArtifactRecord(**scene.common("carpenter"), request=scene.request("build"), artifact=digest("nothing"))

    scene.say(record, "builder:carpenter")
    assert scene.ignored == "no manifest under this digest"

    scene.say(record, "builder:carpenter", manifest=scene.manifest())
    assert scene.ignored == "no manifest under this digest"


@pytest.mark.parametrize("change", [{"author": "mason"}, {"attempt": 2}, {"made_from": [digest("else")]}])
def test_a_manifest_that_claims_something_else_uses_up_the_attempt(change: dict[str, object]) -> None:
    """Another author, another attempt, or made from what was not approved."""
    scene = Scene()
    scene.plan()

    scene.build(**change)

    assert scene.sent == ["carpenter"]
    assert asked(scene).attempt == 2


def test_an_artifact_at_the_byte_bound_is_read() -> None:
    """Ten bytes of ten are allowed, eleven are not."""
    for size, to in ((10, ["schema"]), (11, ["carpenter"])):
        scene = Scene(limits=Limits(artifact_bytes_max=10))
        scene.plan()
        scene.build(1, {"a": "x" * size})

        assert scene.sent == to


def test_an_artifact_at_the_bound_of_files_is_read() -> None:
    """Removals count: two of two paths are allowed, three are not."""
    for removals, to in ((("c",), ["schema"]), (("c", "d"), ["carpenter"])):
        scene = Scene(limits=Limits(files_max=2))
        scene.plan()
        scene.build(1, {"a": "x"}, removals=removals, base=digest("base"))

        assert scene.sent == to


def test_only_the_builder_that_was_asked_answers() -> None:
    """Another builder's artifact for this request is another role's."""
    scene = Scene()
    scene.plan()
    manifest = scene.manifest()
    record = ArtifactRecord(**scene.common("mason"), request=scene.request("build"), artifact=manifest.digest)

    scene.say(record, "builder:mason", manifest=manifest)

    assert scene.ignored == "another role's request"


def test_a_second_artifact_does_not_replace_the_first() -> None:
    """The first answer stands, and the contradiction is recorded once."""
    scene = Scene()
    scene.plan()
    request, other, third = scene.request("build"), scene.manifest(1, {"a": "2"}), scene.manifest(1, {"a": "3"})
    scene.build(1, {"a": "1"})
    subject = scene.s.tasks[1].artifact

    second = ArtifactRecord(**scene.common("carpenter"), request=request, artifact=other.digest)
    scene.say(second, "builder:carpenter", manifest=other)
    assert (["equivocation"], subject) == (scene.recorded, scene.s.tasks[1].artifact)

    scene.say(second.but(artifact=third.digest), "builder:carpenter", manifest=third)
    assert scene.ignored == "equivocation known"


def test_the_same_artifact_twice_is_once() -> None:
    """The bus delivers at least once."""
    scene = Scene()
    scene.plan()
    manifest, request = scene.manifest(), scene.request("build")
    record = ArtifactRecord(**scene.common("carpenter"), request=request, artifact=manifest.digest)
    scene.say(record, "builder:carpenter", manifest=manifest)

    scene.say(record, "builder:carpenter", manifest=manifest)

    assert scene.ignored == "duplicate"


def test_an_artifact_after_its_deadline_is_too_late() -> None:
    """The attempt was given up; the next one is out."""
    scene = Scene()
    scene.plan()
    manifest, request = scene.manifest(), scene.request("build")
    scene.deadline(request, wait=Limits().reply_ms_max)
    assert scene.sent == ["carpenter"]

    record = ArtifactRecord(**scene.common("carpenter"), request=request, artifact=manifest.digest)
    scene.say(record, "builder:carpenter", manifest=manifest)

    assert scene.ignored == "too late"


def test_what_was_not_asked_for_is_ignored() -> None:
    """A coordinator cannot answer a request for a plan with its end-to-end check."""
    from squads.contracts.records import AcceptanceRecord

    scene = Scene()
    record = AcceptanceRecord(
        **scene.common("coord"), request=scene.request("plan"), subject=digest("x"), content=digest("y")
    )

    scene.say(record, "coordinator:coord")

    assert scene.ignored == "not what was asked for"


def test_a_stage_of_a_task_is_that_of_its_newest_attempt() -> None:
    """Reviewing while gates read, assigned again after a refusal."""
    scene = Scene()
    scene.plan()
    scene.build()
    assert scene.s.tasks[1].stage is Stage.REVIEWING

    scene.judge("schema", "refused")

    assert scene.s.tasks[1].stage is Stage.ASSIGNED
