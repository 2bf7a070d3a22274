"""How a runner puts a packet's question to people, where there is a way to reach one from this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from squads.contracts.base import SALT_BYTES
from squads.contracts.records import AnswerRecord
from squads.handover import Reader
from squads.kernel.effects import Ask, Ignore
from squads.kernel.ports import Approver
from squads.lane import Lane
from squads.workspace import Workspace

Say = Callable[[Lane, AnswerRecord, str, tuple[bytes, ...]], Awaitable[Ignore | None]]


class Asking:
    """Asks the approver of this process, and hands its answers in.

    Args:
        approver: None leaves every question waiting in the ledger.
        say: Hands in a record that this process signs.
        fail: Lets whoever waits for the packet hear of an error.
        spawn: Runs a coroutine beside everything else.
    """

    def __init__(
        self,
        workspace: Workspace,
        reader: Reader,
        approver: Approver | None,
        *,
        say: Say,
        fail: Callable[[Lane, Exception], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._workspace = workspace
        self._reader = reader
        self._approver = approver
        self._say = say
        self._fail = fail
        self._spawn = spawn

    def ask(self, lane: Lane, effect: Ask) -> None:
        """Put the question, unless it is being put already."""
        question = effect.question
        if self._approver is None:
            lane.unanswered = True
        elif lane.asked != question.question:
            lane.asked, lane.unanswered = question.question, False
            self._spawn(self._put(lane, self._approver, effect))

    async def _put(self, lane: Lane, approver: Approver, effect: Ask) -> None:
        question = effect.question
        try:
            composition = await self._reader.artifact(question.subject)
            for answer in await approver.ask(question, composition):
                content: tuple[bytes, ...] = ()
                digest = None
                if answer.statement:
                    digest, blob = answer.statement.seal(self._workspace.entropy(SALT_BYTES))
                    content = (blob,)
                record = AnswerRecord(
                    workspace=self._workspace.id,
                    packet=lane.packet,
                    question=question.question,
                    subject=question.subject,
                    author=answer.name,
                    decision=answer.decision,
                    channel=answer.channel,
                    content=digest,
                )
                await self._say(lane, record, f"human:{answer.name}", content)
        except Exception as error:
            self._fail(lane, error)
        finally:
            lane.asked, lane.unanswered = "", True
            lane.tell()
