"""Gates read: tickets, verdicts, abstentions, waivers, and what never counts."""

from __future__ import annotations

import pytest
from kernel_scene import (
    ARTIFACT,
    CARPENTER,
    COMPOSITION,
    COORD,
    EVERYBODY,
    SCHEMA,
    STYLE,
    WORKSPACE,
    Scene,
    digest,
    key,
    role,
    task,
    view_of,
)

from squads.contracts.packet import Limits
from squads.contracts.records import ArtifactRecord, GrantRecord, ModelRecord
from squads.kernel.effects import Ignore
from squads.kernel.lifecycle import Stage
from squads.kernel.view import View, admit

OTHER = digest("other bytes")
OPUS = ModelRecord(called="a:opus", name="opus", family="a")
HAIKU = ModelRecord(called="a:haiku", name="haiku", family="a")


@pytest.fixture
def read() -> Scene:
    """One artifact, out with two gates."""
    scene = Scene(SCHEMA, STYLE)
    scene.plan()
    scene.build()
    return scene


def granting(*people: str, view: View | None = None) -> View:
    view = view or view_of()
    for person in people:
        grant = GrantRecord(workspace=WORKSPACE, subject=f"human:{person}", scope="waiver")
        after = admit(view, grant, key=key("root"), time_ms=0)
        assert not isinstance(after, Ignore)
        view = after
    return view


def test_all_gates_must_approve(read: Scene) -> None:
    """One approval of two lets nothing through."""
    read.judge("schema")
    assert read.s.tasks[1].stage is Stage.REVIEWING

    read.judge("style")

    assert read.s.tasks[1].stage is Stage.APPROVED


def test_any_refusal_refuses_but_all_are_waited_for(read: Scene) -> None:
    """The builder gets every finding of the round at once."""
    read.judge("schema", "refused")
    assert read.effects == []

    read.judge("style", "approved")

    assert read.sent == ["carpenter"]


def test_a_refusal_outweighs_an_abstention(read: Scene) -> None:
    """Nothing is asked again where the attempt is refused anyway."""
    read.judge("schema", "abstained")

    read.judge("style", "refused")

    assert read.sent == ["carpenter"]


def test_an_abstention_is_asked_once_more(read: Scene) -> None:
    """With a new ticket, about the same bytes, without costing the author an attempt."""
    first = read.ticket("schema").record
    read.judge("schema", "abstained")

    read.judge("style")

    again = read.ticket("schema").record
    assert read.sent == ["schema"]
    assert (2, first.subject, first.attempt) == (again.ask, again.subject, again.attempt)
    assert first.ticket != again.ticket
    assert read.s.tasks[1].tries == 1


def test_the_second_answer_of_an_abstainer_counts(read: Scene) -> None:
    """It looked at last."""
    read.judge("schema", "abstained")
    read.judge("style")

    read.judge("schema")

    assert read.s.tasks[1].stage is Stage.APPROVED


def test_abstaining_twice_lets_nothing_through(read: Scene) -> None:
    """ "Could not look" is never "passed"; another attempt would meet the same silence."""
    read.judge("schema", "abstained")
    read.judge("style")

    read.judge("schema", "abstained")

    assert read.sent == ["coord"]


def test_abstaining_twice_without_an_amendment_left_ends_it() -> None:
    """And the reason says that nobody could look."""
    scene = Scene(limits=Limits(amendments_max=0))
    scene.plan()
    scene.build()
    scene.judge("schema", "abstained")
    scene.judge("schema", "abstained")

    assert scene.reason == "gate-abstained"


def test_a_silent_gate_counts_as_abstaining(read: Scene) -> None:
    """A crash and a deadline are the same silence."""
    read.fault(read.ticket("schema").record.ticket)
    read.judge("style")
    assert read.sent == ["schema"]

    read.deadline(read.ticket("schema").record.ticket, wait=Limits().reply_ms_max)

    assert read.sent == ["coord"]


def test_a_verdict_after_silence_is_too_late(read: Scene) -> None:
    """The first ticket is closed; the second one waits."""
    late = read.verdict("schema")
    read.fault(late.ticket)
    read.judge("style")

    read.say(late, "gate:schema")

    assert read.ignored == "too late"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ticket": digest("no ticket")}, "unknown ticket"),
        ({"subject": OTHER}, "another subject"),
        ({"attempt": 2}, "another attempt"),
        ({"saw": digest("something else")}, "another request than was asked"),
        ({"independence": "family"}, "another request than was asked"),
        ({"author": "style"}, "signed for somebody else"),
        ({"workspace": "f" * 32}, "another workspace"),
        ({"packet": "f" * 32}, "another packet"),
    ],
)
def test_a_verdict_about_anything_else_does_not_count(read: Scene, change: dict[str, object], reason: str) -> None:
    """An approval binds to ticket, bytes, attempt, request and independence."""
    read.judge("schema", **change)

    assert reason == read.ignored
    assert read.ticket("schema")


@pytest.mark.parametrize("who", ["gate:style", "builder:carpenter", "runner", "human:mara", "stranger"])
def test_only_the_gates_key_gives_its_verdict(read: Scene, who: str) -> None:
    """Whoever else signs, in the gate's name, is not heard."""
    read.judge("schema", who=who)

    assert read.ignored in ("not authorised", "signed for somebody else")


def test_another_gates_ticket_is_not_answered(read: Scene) -> None:
    """Style, as itself, on the ticket of schema."""
    record = read.verdict("schema", author="style")

    read.say(record, "gate:style")

    assert read.ignored == "another gate's ticket"


def test_the_same_verdict_twice_is_once(read: Scene) -> None:
    """The bus delivers at least once."""
    record = read.verdict("schema")
    read.say(record, "gate:schema")

    read.say(record, "gate:schema")

    assert read.ignored == "duplicate"


def test_two_different_answers_to_one_ticket_end_it(read: Scene) -> None:
    """We cannot know which of its two words the gate means; both stand in the ledger."""
    first, second = read.verdict("schema"), read.verdict("schema", "refused")
    read.say(first, "gate:schema")

    read.say(second, "gate:schema")

    assert read.recorded == ["equivocation", "finish"]
    assert read.reason == "equivocation"


def test_equivocation_about_an_attempt_that_is_over_is_only_recorded() -> None:
    """It was refused, so nothing rests on it; and it is recorded once."""
    scene = Scene()
    scene.plan()
    scene.build()
    first, second = scene.verdict("schema", "refused"), scene.verdict("schema")
    scene.say(first, "gate:schema")

    scene.say(second, "gate:schema")
    assert (scene.recorded, scene.reason) == (["equivocation"], "")

    scene.say(second.but(content=digest("a third")), "gate:schema")
    assert scene.ignored == "equivocation known"


TWO_HATS = {"two hats": ["builder:carpenter", "gate:schema"]}


def test_nobody_judges_with_the_key_that_made_it() -> None:
    """One key with both hats on."""
    scene = Scene(view=view_of(*EVERYBODY, **TWO_HATS))
    scene.plan()
    scene.build(who="two hats")

    scene.judge(who="two hats")

    assert scene.ignored == "own work"


def test_nobody_judges_their_own_role_s_work() -> None:
    """The artifact came from the builder's other key; the hat is the same."""
    scene = Scene(view=view_of(*EVERYBODY, **TWO_HATS))
    scene.plan()
    scene.build(who="builder:carpenter")

    scene.judge(who="two hats")

    assert scene.ignored == "own work"


def test_nobody_judges_what_was_made_from_their_work() -> None:
    """Mason's artifact is made from carpenter's: the whole lineage counts."""
    scene = Scene(view=view_of(*EVERYBODY, **TWO_HATS))
    scene.plan(task(1), task(2, 1, builder="mason"))
    scene.build(1, who="two hats")
    scene.judge()
    scene.build(2)

    scene.judge(number=2, who="two hats")

    assert scene.ignored == "own work"


def test_a_composition_is_everybody_s_work() -> None:
    """Whoever made a part does not judge the whole."""
    whole = role("whole", "gate", COMPOSITION)
    view = view_of(*EVERYBODY, **{"two hats": ["builder:carpenter", "gate:whole"], "whole": ["gate:whole"]})
    scene = Scene(SCHEMA, whole, view=view)
    scene.plan()
    scene.build(who="two hats")
    scene.judge()

    scene.judge("whole", who="two hats")

    assert scene.ignored == "own work"


def test_the_weakest_independence_is_recorded() -> None:
    """Between the gate and anybody in the lineage."""
    far = role("schema", "gate", ARTIFACT, models=(OPUS,))
    near = role("mason", "builder", models=(HAIKU,))
    scene = Scene(far, roles=(COORD, CARPENTER, near, far))
    scene.plan(task(1), task(2, 1, builder="mason"), task(3, 2))
    scene.build(1)
    assert scene.ticket("schema").record.independence == "family"

    scene.judge(model="a:opus")
    scene.build(2)

    assert scene.ticket("schema").record.independence == "model"


def thinking() -> Scene:
    """Return a scene in which a gate with a fallback reads a builder's artifact."""
    gate = role("schema", "gate", ARTIFACT, models=(OPUS, HAIKU))
    scene = Scene(gate, roles=(COORD, CARPENTER, gate))
    scene.plan()
    scene.build()
    return scene


@pytest.mark.parametrize("model", ["a:sonnet", "opus", "a:opus2"])
def test_a_verdict_of_another_model_is_ignored(model: str) -> None:
    """Its independence was reckoned for the gate's own models, by the names that they are called by."""
    scene = thinking()

    scene.judge(model=model)
    assert scene.ignored == "a model that is not this role's"

    scene.judge(model="a:haiku")
    assert scene.s.tasks[1].stage is Stage.APPROVED


def test_an_approval_by_no_model_of_a_gate_that_has_some_lets_nothing_through() -> None:
    """Something else has read; it is asked once more, as after an abstention."""
    scene = thinking()

    scene.judge()

    assert ["ticket"] == scene.recorded
    assert 2 == scene.ticket("schema").record.ask


@pytest.mark.parametrize(
    ("decision", "looked", "stage"), [("refused", 1, "refused"), ("approved", 0, "approved"), ("abstained", 0, None)]
)
def test_a_gate_need_not_ask_its_model_where_it_lets_nothing_pass(
    decision: str, looked: int, stage: str | None
) -> None:
    """A refusal counts whoever found it, and an approval without a look lets nothing compose."""
    scene = thinking()
    key = scene.ticket("schema").attempt

    scene.judge(decision=decision, looked=looked)

    assert scene.s.attempts[key].stage == (stage or "reviewing")


def test_code_that_says_a_model_answered_is_ignored() -> None:
    """It has none."""
    scene = Scene()
    scene.plan()
    scene.build()

    scene.judge(model="a:opus")

    assert scene.ignored == "a model that is not this role's"


def test_work_of_another_model_is_ignored() -> None:
    """A builder is whom its gates are independent of, and that was reckoned for its own models."""
    maker = role("carpenter", "builder", models=(HAIKU,))
    scene = Scene(roles=(COORD, maker, SCHEMA))
    scene.plan()
    manifest = scene.manifest()
    fields = {**scene.common("carpenter"), "request": scene.request("build"), "artifact": manifest.digest}

    scene.say(ArtifactRecord(**fields, model="a:opus"), "builder:carpenter", manifest=manifest)
    assert scene.ignored == "a model that is not this role's"

    scene.say(ArtifactRecord(**fields, model="a:haiku"), "builder:carpenter", manifest=manifest)
    assert ["schema"] == scene.sent


def test_a_waiver_is_shown_and_cited_once() -> None:
    """The gate still signs its own approval; the waiver is spent."""
    scene = Scene(view=granting("mara"))
    scene.plan()
    scene.build()
    waiver = scene.waive(scene.s.tasks[1].artifact)
    scene.judge("schema", "abstained")
    assert [waiver] == [w for w, _ in scene.ticket("schema").request.waivers]

    scene.judge("schema", waivers=(waiver,))

    assert scene.s.tasks[1].stage is Stage.APPROVED
    assert scene.s.waivers_used == {waiver}


@pytest.mark.parametrize("about", ["bytes", "gate", "nothing", "expired"])
def test_a_waiver_for_anything_else_makes_an_abstention(about: str) -> None:
    """Other bytes, another gate, no such waiver, or too late: the approval rests on nothing."""
    scene = Scene(SCHEMA, STYLE, view=granting("mara"))
    scene.plan()
    scene.build()
    subject = OTHER if about == "bytes" else scene.s.tasks[1].artifact
    waiver = scene.waive(subject, gate="style" if about == "gate" else "schema", lasts_ms=50)
    scene.now += 50 if about == "expired" else 49

    scene.judge("schema", waivers=(digest("none") if about == "nothing" else waiver,))

    ticket = next(t for t in scene.s.tickets.values() if t.record.gate == "schema")
    assert ticket.decision == "abstained"


def test_a_waiver_lasts_until_just_before_its_end() -> None:
    """At 49 of 50 milliseconds it still counts."""
    scene = Scene(view=granting("mara"))
    scene.plan()
    scene.build()
    waiver = scene.waive(scene.s.tasks[1].artifact, lasts_ms=50)
    scene.now += 49

    scene.judge("schema", waivers=(waiver,))

    assert scene.s.tasks[1].stage is Stage.APPROVED


def test_only_an_approval_can_rest_on_a_waiver(read: Scene) -> None:
    """A refusal that cites one has not understood the question."""
    read.judge("schema", "refused", waivers=(digest("any"),))

    ticket = next(t for t in read.s.tickets.values() if t.record.gate == "schema")
    assert ticket.decision == "abstained"


def test_a_waiver_needs_a_grant(read: Scene) -> None:
    """The root names first who may speak against a gate."""
    read.waive(read.s.tasks[1].artifact)

    assert read.ignored == "not authorised"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"gate": "carpenter"}, "no such gate"), ({"gate": "nobody"}, "no such gate"), ({"lasts_ms": 0}, "expired")],
)
def test_a_waiver_must_be_usable(change: dict[str, object], reason: str) -> None:
    """For a gate of the squad, and not over already."""
    scene = Scene(view=granting("mara"))

    scene.waive(OTHER, **change)  # type: ignore[arg-type]

    assert reason == scene.ignored


def test_the_same_waiver_twice_is_once() -> None:
    """The bus delivers at least once."""
    scene = Scene(view=granting("mara"))
    scene.waive(OTHER)

    scene.waive(OTHER)

    assert scene.ignored == "duplicate"


def test_an_author_waives_nothing() -> None:
    """Nobody speaks for their own work."""
    view = granting("mara", view=view_of(*EVERYBODY, maker=["builder:carpenter", "human:mara"]))
    scene = Scene(view=view)
    scene.plan()
    scene.build(who="builder:carpenter")

    scene.waive(scene.s.tasks[1].artifact, who="maker")

    assert scene.ignored == "own work"


def test_waivers_are_bounded() -> None:
    """No more of them than the packet may have messages; one more is ignored."""
    scene = Scene(view=granting("mara"), limits=Limits(messages_max=5))
    scene.plan()
    for number in range(5):
        scene.waive(f"{number:064x}")
        assert scene.ignored == ""

    scene.waive("9" * 64)

    assert scene.ignored == "too many waivers"
    assert len(scene.s.waivers) == 5
