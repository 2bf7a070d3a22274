"""A packet is opened: who may, with whom, and what is asked first."""

from __future__ import annotations

import pytest
from kernel_scene import (
    ARTIFACT,
    CARPENTER,
    COORD,
    EVERYBODY,
    PACKET,
    SCHEMA,
    START_MS,
    STYLE,
    Scene,
    digest,
    key,
    opened,
    role,
    task,
    view_of,
)

from squads.contracts.packet import ApprovalRule, Budget, Limits
from squads.contracts.records import FaultRecord, StopRecord
from squads.kernel.effects import Arm, Finish, Ignore, Send
from squads.kernel.identify import packet_deadline_id
from squads.kernel.lifecycle import Phase
from squads.kernel.pending import pending
from squads.kernel.state import Attested
from squads.kernel.step import step
from squads.kernel.view import View, admit

EVERYBODY_ELSE = ("runner", "root", "coordinator:coord", "builder:carpenter", "gate:schema", "stranger")


def event(record: object, who: str = "program", view: View | None = None, now: int = START_MS) -> Attested:
    view = view or view_of()
    return Attested(record, key(who), view.roles_of(key(who)), digest(record), now)  # type: ignore[arg-type]


def test_a_packet_begins_with_a_plan() -> None:
    """Its own deadline is armed, and the coordinator is asked."""
    scene = Scene()

    assert scene.s.phase is Phase.PLANNING
    assert scene.recorded == ["assignment"]
    assert scene.sent == ["coord"]
    assert Arm(packet_deadline_id("c" * 64), START_MS + Limits().packet_ms_max) in scene.effects


@pytest.mark.parametrize("who", ["program", "human:mara"])
def test_people_and_programs_open(who: str) -> None:
    """Whoever hands work over."""
    state, effects = step(view_of(), None, event(opened(), who))

    assert state is not None
    assert not isinstance(effects[0], Ignore)


@pytest.mark.parametrize("who", EVERYBODY_ELSE)
def test_nobody_else_opens(who: str) -> None:
    """Roles answer; they do not hand themselves work."""
    assert step(view_of(), None, event(opened(), who)) == (None, [Ignore("not authorised")])


def test_nothing_but_an_opening_begins_a_packet() -> None:
    """A receipt of a packet that nobody knows is ignored."""
    record = FaultRecord(workspace="a" * 32, packet=PACKET, about="0" * 64, reason="crashed")

    assert step(view_of(), None, event(record, "runner")) == (None, [Ignore("unknown packet")])


def test_nothing_begins_while_stopped() -> None:
    """A stop holds what is not open yet, too."""
    stop = StopRecord(workspace="a" * 32, author="mara", content=digest("why"))
    view = admit(view_of(), stop, key=key("human:mara"), time_ms=0)
    assert isinstance(view, View)

    assert step(view, None, event(opened(), view=view)) == (None, [Ignore("stopped")])


def test_another_workspaces_packet_does_not_begin() -> None:
    """Nothing crosses the boundary."""
    record = opened(workspace="f" * 32)

    assert step(view_of(), None, event(record)) == (None, [Ignore("another workspace")])


def test_a_faulty_squad_ends_at_once_with_its_reason() -> None:
    """The opening is recorded, and the refusal with it; nothing is sent."""
    state, effects = step(view_of(), None, event(opened(gates=())))

    assert state is not None
    assert Phase.NOT_COMPOSED is state.phase
    assert [Finish] == [type(e) for e in effects]
    assert (state.finish.reason, state.finish.outcome) == ("no-gates", "not-composed")  # type: ignore[union-attr]
    assert pending(state) == []


@pytest.mark.parametrize(
    ("gone", "reason"),
    [("gate:schema", "unheld-gate"), ("builder:mason", "no-builder"), ("coordinator:coord", "no-coordinator")],
)
def test_a_role_that_no_key_holds_is_not_there(gone: str, reason: str) -> None:
    """A gate that nobody holds is not a gate, and the same goes for everybody else."""
    view = view_of(*(n for n in EVERYBODY if n != gone))

    assert Scene(view=view).reason == reason


@pytest.mark.parametrize(
    ("approvers", "quorum", "reason"), [(("mara", "zoe"), 1, ""), (("mara", "zoe"), 2, "not-authorised")]
)
def test_a_quorum_must_have_keys(approvers: tuple[str, ...], quorum: int, reason: str) -> None:
    """Where too few of the named people have keys, the wait could only expire."""
    assert Scene(approval=ApprovalRule(approvers=approvers, quorum=quorum)).reason == reason


def test_a_packet_is_opened_once() -> None:
    """Its bounds and squad are frozen."""
    scene = Scene()

    scene.say(opened(gates=("schema",), limits=Limits(attempts_max=9)), "program")

    assert scene.ignored == "already open"


def test_a_first_message_over_budget_ends_it() -> None:
    """Nobody is asked for what cannot be paid."""
    roles = (role("coord", "coordinator", call_tokens_max=11), CARPENTER, SCHEMA)

    assert Scene(roles=roles, budget=Budget(tokens_max=10)).reason == "budget-spent"
    assert Scene(roles=roles, budget=Budget(tokens_max=11)).reason == ""


def test_an_extra_gate_that_is_not_required_is_not_asked() -> None:
    """Only a plan may call it in."""
    scene = Scene(SCHEMA, roles=(COORD, CARPENTER, SCHEMA, STYLE))
    scene.plan()
    scene.build()

    assert scene.sent == ["schema"]


def test_a_plan_may_call_in_a_gate() -> None:
    """A plan may add gates, never remove one."""
    scene = Scene(SCHEMA, roles=(COORD, CARPENTER, SCHEMA, STYLE))
    scene.plan(task(1, gates=("style",)))
    scene.build()

    assert scene.sent == ["schema", "style"]


def test_a_called_in_gate_must_be_independent_as_well() -> None:
    """It shares the builder's prior: the packet ends rather than let it judge."""
    twin = role("style", "gate", ARTIFACT, prior=CARPENTER.prior)
    scene = Scene(SCHEMA, roles=(COORD, CARPENTER, SCHEMA, twin))
    scene.plan(task(1, gates=("style",)))
    scene.build()

    assert scene.reason == "self-gate"
    assert not any(isinstance(e, Send) for e in scene.effects)
