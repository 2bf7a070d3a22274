"""People within reach: functions that are asked by name, and a flag."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Artifact, InvalidInput
from squads.adapters.approvers import CallableApprover, FlagApprover
from squads.contracts.records import QuestionRecord
from squads.contracts.work import Answer

COMPOSITION = Artifact.of({"a": "x"})


def question(*approvers: str, quorum: int = 1) -> QuestionRecord:
    return QuestionRecord(
        workspace="ab" * 16,
        packet="cd" * 16,
        question="11" * 32,
        subject=COMPOSITION.digest,
        approvers=approvers,
        quorum=quorum,
        expires_ms=1,
    )


async def test_everybody_with_a_function_is_asked() -> None:
    """In the order of the question; who has none, or says None, gives no answer."""
    seen: list[Any] = []
    approver = CallableApprover(
        {"noor": lambda c: seen.append(c) or True, "mara": lambda c: False, "owner": lambda c: None}
    )
    answers = await approver.ask(question("mara", "ghost", "owner", "noor"), COMPOSITION)

    assert answers == [
        Answer(name="mara", decision="denied", channel="program"),
        Answer(name="noor", decision="approved", channel="program"),
    ]
    assert seen == [COMPOSITION]


async def test_nobody_is_asked_who_was_not_named() -> None:
    """A function for somebody else stays silent."""

    def never(_: Artifact) -> bool:
        raise AssertionError

    assert await CallableApprover({"stranger": never}).ask(question("owner"), COMPOSITION) == []


async def test_functions_may_be_asynchronous() -> None:
    """And may come in over another channel."""

    async def yes(_: Artifact) -> bool:
        return True

    answers = await CallableApprover({"owner": yes}, channel="terminal").ask(question("owner"), COMPOSITION)
    assert [(a.decision, a.channel) for a in answers] == [("approved", "terminal")]


@pytest.mark.parametrize("said", ["no", "yes", 1, 0, [], object()], ids=lambda value: repr(value).split(" at 0x")[0])
async def test_only_true_is_yes(said: Any) -> None:
    """Python holds `"no"` for true; a person's word is not guessed."""
    with pytest.raises(InvalidInput, match="the approver for owner returned"):
        await CallableApprover({"owner": lambda _: said}).ask(question("owner"), COMPOSITION)


async def test_a_flag_speaks_for_no_more_than_are_needed() -> None:
    """One approval per named person, up to the quorum, each as by flag."""
    answers = await FlagApprover().ask(question("a", "b", "c", quorum=2), COMPOSITION)

    assert [(a.name, a.decision, a.channel) for a in answers] == [("a", "approved", "flag"), ("b", "approved", "flag")]
