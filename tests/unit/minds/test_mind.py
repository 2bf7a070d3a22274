"""A mind serves one piece of work, remembers who answered, and ends with the answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from work_scene import packet, review_work

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.errors import InvalidModel, ModelUnreachable
from squads.contracts.finding import NO_USAGE
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.kernel.model_ports import ModelCall
from squads.minds.forms import AbstainForm
from squads.minds.meter import AnswerMeter
from squads.minds.mind import BoundMind

REQUEST = ModelRequest(models=("a:1",), instructions="i", prompt="p", forms=(AbstainForm,))


class Model:
    """Answers under the names that it is given, or waits, or fails."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.reached = asyncio.Event()
        self.cancelled = 0

    async def ask(self, request: ModelRequest, call: ModelCall) -> ModelReply:
        """Return a form, by the next name."""
        answer = self.answers.pop(0)
        if answer is None:
            self.reached.set()
            mark = call.meter.reserve(tokens=10, cost_microusd=0)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                self.cancelled += 1
                call.meter.settle(mark, None)
                raise
        if isinstance(answer, Exception):
            raise answer
        return ModelReply(form=AbstainForm(reason="r"), model=answer, usage=NO_USAGE)


def mind_of(*answers: Any) -> tuple[BoundMind, Any]:
    """A mind over a model of ours."""
    model: Any = Model(*answers)
    call = ModelCall(
        about="a" * 64,
        packet="p" * 32,
        role="gate",
        journal=MemoryJournal(),
        meter=AnswerMeter(tokens_max=100),
        blobs=MemoryBlobs(),
    )
    return BoundMind(model, call), model


@pytest.mark.parametrize(
    ("answers", "said"), [([], None), (["a:1"], "a:1"), (["a:1", "a:1"], "a:1"), (["a:1", "b:1"], None)], ids=str
)
async def test_it_says_who_answered_where_one_did(answers: list[str], said: str | None) -> None:
    """Of several nobody is the one, and where none was asked none answered."""
    mind, _ = mind_of(*answers)
    for _ in answers:
        await mind.ask(REQUEST)

    assert said == mind.answered_by


async def test_who_failed_has_not_answered() -> None:
    """The next may."""
    mind, _ = mind_of(ModelUnreachable("no"), "b:1")
    with pytest.raises(ModelUnreachable):
        await mind.ask(REQUEST)
    await mind.ask(REQUEST)

    assert "b:1" == mind.answered_by


async def test_a_mind_that_is_kept_gives_nothing_more() -> None:
    """What a role asked after its answer nobody had reserved, and no record would say."""
    mind, model = mind_of("a:1")
    await mind.end()
    with pytest.raises(InvalidModel, match="after it answered"):
        await mind.ask(REQUEST)

    assert ["a:1"] == model.answers


async def test_what_is_still_asked_when_the_answer_is_given_is_cancelled_and_counted() -> None:
    """`usage` is final when the mind has ended: it may have been paid."""
    mind, model = mind_of(None)
    left = asyncio.create_task(mind.ask(REQUEST))
    await model.reached.wait()

    await mind.end()
    await mind.end()

    assert 1 == model.cancelled
    assert 10 == mind.usage.tokens
    assert (await asyncio.gather(left, return_exceptions=True))[0].__class__ is asyncio.CancelledError


async def test_who_is_cancelled_while_asking_cancels_the_request() -> None:
    """A deadline reaches the provider."""
    mind, model = mind_of(None)
    asking = asyncio.create_task(mind.ask(REQUEST))
    await model.reached.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert 1 == model.cancelled


async def test_a_squad_without_models_says_so() -> None:
    """With the argument to give."""
    mind, _ = mind_of()
    mind._model = None
    with pytest.raises(InvalidModel, match="models="):
        await mind.ask(REQUEST)


def test_work_is_shown_compared_and_pickled_without_its_mind() -> None:
    """It belongs to one request, and may hold keys and connections."""
    import copy
    import pickle

    mind: Any = object()
    work = review_work(mind=mind)

    assert "mind" not in repr(work)
    assert review_work() == work
    assert review_work() == pickle.loads(pickle.dumps(work)) == copy.copy(work)
    assert pickle.loads(pickle.dumps(work)).mind is None
    assert packet() == pickle.loads(pickle.dumps(work)).packet
