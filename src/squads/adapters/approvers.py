"""People within reach of this process: a function that asks one, and a flag that stands for none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, InvalidSquad
from squads.contracts.records import Channel, QuestionRecord
from squads.contracts.work import Answer
from squads.kernel.ports import Approver

Decide = Callable[[Artifact], "bool | Awaitable[bool | None] | None"]


class CallableApprover:
    """Asks functions: one for each person, from the composition to True (yes), False (no) or None (not now).

    What a function says is recorded as said by a program, unless `channel` says how it reached the person.
    """

    def __init__(self, people: Mapping[str, Decide], *, channel: Channel = "program") -> None:
        self._people = dict(people)
        self._channel: Channel = channel

    async def ask(self, question: QuestionRecord, composition: Artifact) -> list[Answer]:
        """Return the answers of everybody who was asked and has a function here."""
        answers: list[Answer] = []
        for name in question.approvers:
            if name not in self._people:
                continue
            said = self._people[name](composition)
            if isawaitable(said):
                said = await said
            if said is not None and not isinstance(said, bool):
                raise InvalidInput(f"the approver for {name} returned {said!r:.60}; return True, False or None")
            if said is not None:
                answers.append(Answer(name=name, decision="approved" if said else "denied", channel=self._channel))
        return answers


class FlagApprover:
    """Says yes for everybody who was asked, because a flag said so; receipts record it as by flag, not as a person."""

    async def ask(self, question: QuestionRecord, composition: Artifact) -> list[Answer]:
        """Return one approval per named person, up to the quorum."""
        return [Answer(name=n, decision="approved", channel="flag") for n in question.approvers[: question.quorum]]


def approver_of(given: Any, people: tuple[str, ...]) -> Approver | None:
    """Return the approver that `Squad(approver=...)` was given in one of its forms. Raises `InvalidSquad`."""
    approver: Approver | None = given
    if given is None or hasattr(given, "ask"):
        return approver
    if isinstance(given, Mapping):
        return CallableApprover(given)
    if callable(given) and people:
        return CallableApprover({people[0]: given})
    raise InvalidSquad(
        f"{given!r} is no approver; give a function from the composition to True, False or None, "
        "one such function per name, or an object with `ask`"
    )
