"""Events in the wrong place, time, state or order: ignored with a reason, never acted on."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from kernel_scene import EVERYBODY, PACKET, START_MS, WORKSPACE, Scene, digest, key, role, task, view_of

from squads.contracts.finding import Usage
from squads.contracts.packet import AttemptKind, Budget, Limits
from squads.contracts.records import (
    AssignmentRecord,
    CompositionRecord,
    FinishRecord,
    GrantRecord,
    LiftRecord,
    ObjectionRecord,
    PacketRecord,
    StopRecord,
)
from squads.kernel.effects import Arm, Ignore, Send
from squads.kernel.identify import identify, packet_deadline_id, ticket_id
from squads.kernel.pending import pending
from squads.kernel.view import View, admit, keyed


def stopped(view: View, packet: str | None = None) -> View:
    after = admit(
        view,
        StopRecord(workspace=WORKSPACE, packet=packet, author="mara", content=digest("why")),
        key=key("human:mara"),
        time_ms=0,
    )
    assert not isinstance(after, Ignore)
    return after


@pytest.mark.parametrize("packet", [None, PACKET])
def test_nothing_is_acted_on_while_stopped(packet: str | None) -> None:
    """Not even a deadline; and after the lift everything goes on where it was."""
    scene = Scene()
    scene.plan()
    manifest_state, view = scene.state, scene.view
    scene.view = stopped(view, packet)
    for say in (scene.build, scene.object, scene.deadline):
        say()
        assert scene.ignored == "stopped"
    assert scene.state is manifest_state

    lift = LiftRecord(workspace=WORKSPACE, packet=packet, author="nils", content=digest("done"))
    lifted = admit(scene.view, lift, key=key("human:nils"), time_ms=0)
    assert not isinstance(lifted, Ignore)
    scene.view = lifted
    scene.build()

    assert scene.sent == ["schema"]


def test_another_packets_stop_does_not_hold_this_one() -> None:
    """Each packet has its own."""
    scene = Scene()
    scene.view = stopped(scene.view, "d" * 32)

    scene.plan()

    assert scene.ignored == ""


def test_a_key_that_was_revoked_is_not_heard() -> None:
    """From the revocation on; what it said before stands."""
    scene = Scene()
    scene.plan()
    scene.build()
    event = {"event": "revoke", "key": key("gate:schema"), "reason": "compromised", "suspect_from_index": 31}
    scene.view = keyed(scene.view, event, index=30, signers=[sha256(b"root").digest()])

    scene.judge()

    assert scene.ignored == "not authorised"


def test_a_scope_that_was_taken_back_is_not_held_under_another_name() -> None:
    """The key also holds another gate's role, whose scope does not help this one."""
    view = view_of(*EVERYBODY, both=["gate:schema", "gate:style"])
    grant = GrantRecord(workspace=WORKSPACE, subject="gate:schema", scope="verdict", revoked=True)
    narrowed = admit(view, grant, key=key("root"), time_ms=0)
    assert not isinstance(narrowed, Ignore)
    scene = Scene(view=narrowed)
    scene.plan()
    scene.build()

    scene.judge("schema", who="both")

    assert scene.ignored == "signed for somebody else"


def test_a_namesake_of_another_kind_is_somebody_else() -> None:
    """A coordinator called carpenter is not the builder called carpenter."""
    scene = Scene(view=view_of(*EVERYBODY, "coordinator:carpenter"))
    scene.plan()
    record = ObjectionRecord(**scene.common("carpenter"), request=scene.request("build"), content=digest("no"))

    scene.say(record, "coordinator:carpenter")

    assert scene.ignored == "signed for somebody else"


def test_after_the_end_nothing_counts() -> None:
    """Whatever still arrives."""
    scene = Scene()
    scene.plan()
    late = scene.manifest()
    scene.deadline(wait=Limits().packet_ms_max)
    assert scene.reason == "packet-expired"

    for say in (scene.deadline, lambda: scene.fault(digest("x")), lambda: scene.waive(late.digest)):
        say()
        assert scene.ignored == "ended"


OUTPUTS: list[PacketRecord] = [
    FinishRecord(workspace=WORKSPACE, packet=PACKET, outcome="composed", reason="composed", artifact=digest("x")),
    CompositionRecord(workspace=WORKSPACE, packet=PACKET, artifact=digest("x"), attempt=1, parts=()),
    AssignmentRecord(
        workspace=WORKSPACE,
        packet=PACKET,
        request=digest("r"),
        work="plan",
        role="coord",
        attempt=1,
        subject=digest("s"),
        due_ms=1,
    ),
]


@pytest.mark.parametrize("record", OUTPUTS, ids=lambda r: r.kind)
def test_an_output_is_never_an_input(record: PacketRecord) -> None:
    """Not even with the runner's signature: what follows is derived, never believed."""
    scene = Scene()

    scene.say(record, "runner")

    assert scene.ignored == "an output is never an input"


@pytest.mark.parametrize("say", ["fault", "deadline"])
def test_silence_about_nothing_is_ignored(say: str) -> None:
    """Neither a fault nor a deadline invents a request."""
    scene = Scene()

    getattr(scene, say)(digest("nothing"))

    assert scene.ignored == "unknown request"


@pytest.mark.parametrize("say", ["fault", "deadline"])
def test_silence_about_what_was_answered_is_ignored(say: str) -> None:
    """The answer came first."""
    scene = Scene()
    scene.plan()
    request = scene.request("build")
    scene.build()
    ticket = scene.ticket("schema").record.ticket
    scene.judge()
    scene.now += Limits().reply_ms_max

    for about in (request, ticket):
        getattr(scene, say)(about)
        assert scene.ignored == "already answered"


def test_only_the_runner_speaks_of_silence() -> None:
    """A gate cannot say that another one was late."""
    scene = Scene()
    from squads.contracts.records import DeadlineRecord

    scene.say(DeadlineRecord(workspace=WORKSPACE, packet=PACKET, about=scene.request("plan")), "gate:schema")

    assert scene.ignored == "not authorised"


def test_a_deadline_counts_from_its_very_millisecond() -> None:
    """One before is early."""
    scene = Scene(limits=Limits(reply_ms_max=100))
    request = scene.request("plan")
    scene.deadline(request, wait=99)
    assert scene.ignored == "early"

    scene.deadline(request, wait=1)

    assert scene.sent == ["coord"]


def test_the_packets_deadline_ends_it_wherever_it_stands() -> None:
    """Waits for people included; a millisecond before is early."""
    scene = Scene(limits=Limits(packet_ms_max=100))
    scene.plan()
    scene.deadline(wait=99)
    assert scene.ignored == "early"

    scene.deadline(wait=1)

    assert scene.reason == "packet-expired"


def test_time_never_goes_backwards() -> None:
    """A leaf of an earlier time is taken as no later than what is known."""
    scene = Scene()
    scene.now += 500
    scene.plan()
    scene.now -= 400

    scene.build()

    assert scene.s.time_ms == START_MS + 500


def test_an_ignored_event_leaves_the_very_same_state() -> None:
    """Nothing is half done."""
    scene = Scene()
    before = scene.state

    scene.say(scene.s.opened, "program")

    assert before is scene.state


def test_a_step_never_changes_the_state_it_was_given() -> None:
    """Whoever lost the race to append still holds what was true."""
    scene = Scene()
    scene.plan(task(1), task(2))
    before = scene.s.fork()
    held = scene.state

    scene.build(1)

    assert before == held
    assert held != scene.state


def test_all_that_is_open_is_pending() -> None:
    """Requests, tickets and deadlines with the same ids as the first time; answered ones are gone."""
    scene = Scene()
    scene.plan(task(1), task(2, builder="mason"))
    scene.build(1)

    out = pending(scene.s)

    assert [e.recipient for e in out if isinstance(e, Send)] == ["mason", "schema"]
    assert {scene.request("build", 2), scene.ticket("schema").record.ticket, packet_deadline_id("c" * 64)} == {
        e.about for e in out if isinstance(e, Arm)
    }


def test_what_a_step_sends_is_what_is_pending_after_it() -> None:
    """The outbox is read off the state, so nothing can be sent that a restart would not find."""
    scene = Scene()
    scene.plan(task(1), task(2))

    sent = [e for e in scene.effects if isinstance(e, Send)]

    assert [e for e in pending(scene.s) if isinstance(e, Send)] == sent


def test_ids_follow_from_what_they_name() -> None:
    """Another nonce, task, attempt, gate, subject or ask is another ticket."""
    parts = ["c" * 64, 1, 2, "schema", digest("x"), 1]
    changed = [
        [*parts[:i], other, *parts[i + 1 :]] for i, other in enumerate(["d" * 64, 3, 3, "style", digest("y"), 2])
    ]

    ids = {ticket_id(*p) for p in [parts, *changed]}  # type: ignore[arg-type]

    assert len(ids) == 7
    assert identify("n", "a", "bc") != identify("n", "a", "b", "c")


def test_spending_is_settled_and_bounded() -> None:
    """What is reserved counts; what was not used is free again; the next step that could pass the limit ends it."""
    cost = {"call_tokens_max": 10}
    roles = (
        role("coord", "coordinator", **cost),
        role("carpenter", "builder", **cost),
        role("schema", "gate", AttemptKind.ARTIFACT, **cost),
    )
    scene = Scene(roles=roles, budget=Budget(tokens_max=25))
    scene.plan(usage=Usage(tokens=4, calls=1))
    assert (scene.s.spend.tokens, scene.s.spend.tokens_reserved) == (4, 10)
    scene.build(usage=Usage(tokens=11, calls=1))
    assert (scene.s.spend.tokens, scene.s.spend.tokens_reserved) == (15, 10)

    scene.judge(usage=Usage(tokens=1, calls=1))

    assert scene.reason == "budget-spent"


def test_a_reply_that_overspends_ends_it() -> None:
    """The money is gone, and no more of it goes."""
    scene = Scene(budget=Budget(cost_microusd_max=10))

    scene.plan(usage=Usage(cost_microusd=11, calls=1))

    assert scene.reason == "budget-spent"
    assert scene.sent == []


def test_a_finish_sends_nothing_more() -> None:
    """What was asked for in the same step is recorded, and never sent."""
    scene = Scene(limits=Limits(messages_max=2))

    scene.plan(task(1), task(2))

    assert scene.reason == "over-bound"
    assert scene.recorded == ["assignment", "finish"]
    assert not any(isinstance(e, (Send, Arm)) for e in scene.effects)


def test_the_kernel_reads_no_clock() -> None:
    """The same events give the same state, now and in a year."""
    one, two = Scene(), Scene()
    for scene in (one, two):
        scene.plan()
        scene.build()
        scene.judge()

    assert one.state == two.state
    assert replace(one.s, time_ms=0) != two.s
