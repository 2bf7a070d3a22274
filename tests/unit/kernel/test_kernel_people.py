"""People are asked: quorum, denial, expiry, and nobody twice."""

from __future__ import annotations

import pytest
from kernel_scene import EVERYBODY, Scene, digest, view_of

from squads.contracts.finding import Usage
from squads.contracts.packet import ApprovalRule, Budget, Limits
from squads.kernel.effects import Arm, Ask
from squads.kernel.lifecycle import Phase
from squads.kernel.pending import pending

RULE = ApprovalRule(approvers=("mara", "nils", "olga"), quorum=2, wait_ms_max=1_000)


def asking(**change: object) -> Scene:
    scene = Scene(**{"approval": RULE, **change})  # type: ignore[arg-type]
    scene.to_acceptance()
    scene.accept()
    return scene


def test_people_are_asked_about_exactly_these_bytes() -> None:
    """After everything else said yes; the wait is durable."""
    scene = asking()

    question = scene.s.question
    assert question is not None
    assert scene.recorded == ["question"]
    assert (scene.s.composition, 2, scene.now + 1_000) == (question.subject, question.quorum, question.expires_ms)
    assert scene.s.phase is Phase.ASKING
    assert {Ask(question), Arm(question.question, question.expires_ms)} <= set(pending(scene.s))


def test_a_quorum_composes() -> None:
    """Two of three distinct people; one is not enough."""
    scene = asking()
    scene.answer("mara")
    assert scene.reason == ""

    scene.answer("olga")

    assert (scene.reason, scene.s.finish.artifact) == ("composed", scene.s.composition)  # type: ignore[union-attr]


def test_one_denial_refuses() -> None:
    """Also after somebody approved, and whatever the quorum."""
    scene = asking()
    scene.answer("mara")

    scene.answer("nils", "denied")

    assert scene.reason == "approval-denied"


def test_a_person_may_take_an_approval_back_by_denying() -> None:
    """Until the quorum is met, no is no."""
    scene = asking()
    scene.answer("mara")

    scene.answer("mara", "denied")

    assert scene.reason == "approval-denied"


def test_nobody_counts_twice() -> None:
    """Neither by saying it again, nor through another channel."""
    scene = asking()
    scene.answer("mara")

    scene.answer("mara", channel="page")

    assert (scene.ignored, scene.reason) == ("already answered", "")


def test_one_key_is_one_person() -> None:
    """Whoever answers for two people still said it once."""
    scene = asking(view=view_of(*EVERYBODY, both=["human:mara", "human:nils"]))
    scene.answer("mara", who="both")

    scene.answer("nils", who="both")

    assert scene.ignored == "already answered"


def test_somebody_who_was_not_asked_does_not_count() -> None:
    """Approving and denying alike."""
    scene = asking(approval=ApprovalRule(approvers=("mara",), wait_ms_max=1_000))

    for decision in ("approved", "denied"):
        scene.answer("nils", decision)
        assert scene.ignored == "not asked"


def test_nobody_answers_for_somebody_else() -> None:
    """The key must be the person's own."""
    scene = asking()

    scene.answer("mara", who="human:nils")

    assert scene.ignored == "signed for somebody else"


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"question": digest("other")}, "unknown question"), ({"subject": digest("other")}, "another subject")],
)
def test_an_answer_is_bound_to_its_question_and_bytes(change: dict[str, object], reason: str) -> None:
    """An answer to anything else is no answer."""
    scene = asking()

    scene.answer("mara", **change)  # type: ignore[arg-type]

    assert reason == scene.ignored


def test_an_answer_before_there_is_a_question_is_ignored() -> None:
    """Nobody approves in advance."""
    scene = asking()
    question = scene.s.question
    early = Scene(approval=RULE)
    early.s.question = question

    early.answer("mara")

    assert early.ignored == "unknown question"


def test_an_answer_just_in_time_counts() -> None:
    """At 999 of 1,000 milliseconds; at 1,000 it is too late."""
    for wait, ignored in ((999, ""), (1_000, "too late")):
        scene = asking()
        scene.answer("mara", wait=wait)

        assert ignored == scene.ignored


def test_expiry_refuses() -> None:
    """Not a millisecond early, and then for good."""
    scene = asking()
    question = scene.s.question
    assert question is not None
    scene.answer("mara")
    scene.deadline(question.question, wait=999)
    assert scene.ignored == "early"

    scene.deadline(question.question, wait=1)

    assert scene.reason == "approval-expired"


@pytest.mark.parametrize("channel", ["flag", "program"])
def test_where_a_person_is_required_a_flag_is_none(channel: str) -> None:
    """It may deny, but not approve."""
    rule = RULE.but(person_required=True, quorum=1)
    scene = asking(approval=rule)
    scene.answer("mara", channel=channel)
    assert scene.ignored == "not answered by a person"

    scene.answer("mara", "denied", channel=channel)

    assert scene.reason == "approval-denied"


@pytest.mark.parametrize("channel", ["flag", "program", "terminal", "page", "chat"])
def test_where_nobody_minds_every_channel_counts(channel: str) -> None:
    """The receipt says which it was."""
    scene = asking(approval=RULE.but(quorum=1))

    scene.answer("mara", channel=channel)

    assert scene.reason == "composed"


@pytest.mark.parametrize("who", ["maker", "human:mara's other key"])
def test_nobody_approves_their_own_work(who: str) -> None:
    """Neither with the key that made it, nor with another key that holds the maker's role."""
    view = view_of(*EVERYBODY, **{who: ["builder:carpenter", "human:mara"]})
    scene = Scene(approval=RULE, view=view)
    scene.plan()
    scene.build(who="maker" if who == "maker" else "builder:carpenter")
    scene.judge()
    scene.accept()

    scene.answer("mara", who=who)

    assert scene.ignored == "own work"


def test_a_question_is_a_message() -> None:
    """It counts against the bound like every other."""
    for bound, reason in ((5, ""), (4, "over-bound")):
        scene = asking(limits=Limits(messages_max=bound))

        assert scene.reason == reason


def test_nobody_is_asked_in_a_step_that_ends_the_packet() -> None:
    """The check overspent the budget: the question is recorded, and not put to anybody."""
    scene = Scene(approval=RULE, budget=Budget(tokens_max=5)).to_acceptance()

    scene.accept(usage=Usage(tokens=6, calls=1))

    assert scene.reason == "budget-spent"
    assert scene.asked == []


def test_an_acceptance_that_overspends_composes_nothing() -> None:
    """The last reply is bounded like every other one, also where nobody is asked after it."""
    usage = Usage(tokens=11, calls=1)
    scene = Scene(budget=Budget(tokens_max=10)).to_acceptance()

    scene.accept(usage=usage)

    assert scene.reason == "budget-spent"
