"""Every way to ask a model, held to the one suite: a model that is given, recorded, replayed, in a chain, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.models import Models
from squads.contracts.errors import SquadsError
from squads.contracts.thinking import ModelReply, ModelRequest, Tool
from squads.kernel.model_ports import Model, ModelCall
from squads.minds.meter import AnswerMeter
from squads.testing import Asked, Call, Fault, ModelConformance, ModelServer, ScriptedModel, ServerRequest
from squads.testing.model_script import Fills, ModelScript, Says, Several, Unreachable
from squads.testing.served import Reply

NAME, DOWN = "scripted:model", "scripted:down"
ASKS_MAX = 10


def look(path: str) -> str:
    """Return what stands in a file."""
    raise AssertionError(f"nobody calls this, and somebody looked for {path!r}")


TOOLS = (Tool(function=look, name="look", reads_only=True),)


def scripted(script: ModelScript) -> ScriptedModel:
    """Return a model that answers what the script does."""

    async def reply(asked: Asked) -> Any:
        told = "\n".join([asked.instructions, asked.prompt, *asked.answers])
        match await script.answer(told, asked.forms):
            case Fills(form, arguments):
                return Call(form, arguments)
            case Several(every):
                return [Call(each.form, each.arguments) for each in every]
            case Says(text):
                return text
            case Unreachable():
                raise unavailable()

    return ScriptedModel(*[reply] * ASKS_MAX)


def unavailable() -> ModelHTTPError:
    return ModelHTTPError(503, "down")


class TestGiven(ModelConformance):
    """A pydantic-ai model of the user's own."""

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        models = Models({NAME: scripted(script)}, attempts_max=1)
        yield models, NAME
        await models.close()


class TestGivenWithTools(TestGiven):
    """A request with tools goes through an agent, and keeps the same promises."""

    tools = TOOLS


class TestRecorded(ModelConformance):
    """Recording changes nothing of what a model does."""

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        models = Models({NAME: scripted(script)}, attempts_max=1, record=where)
        yield models, NAME
        await models.close()


class TestReplayed(ModelConformance):
    """What was recorded comes back, and the network behind it is none."""

    live = False

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        models = RecordedFirst(script, where)
        yield models, NAME
        await models.close()


class TestChain(ModelConformance):
    """The second model answers for a first that cannot be reached."""

    before = (DOWN,)

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        down = ScriptedModel(*[unavailable()] * ASKS_MAX)
        models = Models({DOWN: down, NAME: scripted(script)}, attempts_max=1)
        yield models, NAME
        await models.close()


class TestChainWithTools(TestChain):
    tools = TOOLS


class TestReplayedWithTools(TestReplayed):
    tools = TOOLS


class RecordedFirst:
    """Replays a request right after it was recorded, for a worker that knows nothing of the recording."""

    def __init__(self, script: ModelScript, folder: Path) -> None:
        self._recording = Models({NAME: scripted(script)}, record=folder)
        self._replaying = Models(replay=folder)
        self._journal = MemoryJournal()
        self._calls: list[tuple[ModelCall, ModelCall]] = []

    async def ask(self, request: ModelRequest, call: ModelCall) -> ModelReply:
        with suppress(SquadsError):  # a reply that never validates is recorded too
            await self._recording.ask(request, self._twin(call))
        return await self._replaying.ask(request, call)

    def _twin(self, call: ModelCall) -> ModelCall:
        """Return a call of the recording worker's own, the same for the same call."""
        for known, twin in self._calls:
            if known is call:
                return twin
        own: dict[str, Any] = {"journal": self._journal, "meter": AnswerMeter(tokens_max=10**9), "blobs": MemoryBlobs()}
        self._calls.append((call, replace(call, **own, watch=None, text=False, asked=Counter())))
        return self._calls[-1][1]

    def check(self, name: str) -> None:
        self._replaying.check(name)

    def price(self, name: str) -> tuple[int, int] | None:
        return self._replaying.price(name)

    async def close(self) -> None:
        await self._recording.close()
        await self._replaying.close()


# Over HTTP ------------------------------------------------------------------------------------------------------------


class OverHttp(ModelConformance):
    """The vendors' own clients in front of a server on this machine."""

    name: str

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        async def reply(request: ServerRequest) -> Reply:
            match await script.answer(request.text, [each.name for each in request.tools]):
                case Fills(form, arguments):
                    return Call(form, arguments)
                case Several(every):
                    return [Call(each.form, each.arguments) for each in every]
                case Says(text):
                    return text
                case Unreachable():
                    return Fault.failed(503)

        async with ModelServer(reply=reply) as server:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OPENAI_BASE_URL", server.openai_url)
                patch.setenv("ANTHROPIC_BASE_URL", server.url)
                models = Models(attempts_max=1)
                try:
                    yield models, self.name
                finally:
                    await models.close()


class TestAnthropic(OverHttp):
    name = "anthropic:claude-sonnet-5-5"


class TestAnthropicWithTools(TestAnthropic):
    tools = TOOLS


class TestOpenAIResponses(OverHttp):
    name = "openai:gpt-6-luna"


class TestOpenAIResponsesWithTools(TestOpenAIResponses):
    tools = TOOLS


class TestOpenAIChat(OverHttp):
    name = "openai-chat:gpt-6-luna"


class TestChainOverHttp(OverHttp):
    """Nobody listens where the first model of the list is looked for, and the second is another vendor's."""

    before = ("openai:gpt-6-luna",)
    name = "anthropic:claude-sonnet-5-5"

    @asynccontextmanager
    async def opened(self, script: ModelScript, where: Path) -> AsyncIterator[tuple[Model, str]]:
        async with super().opened(script, where) as opened:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
                yield opened


@pytest.fixture(scope="module")
def litellm_is_there() -> None:
    """Importing it takes seconds, and no test has them."""
    from squads.adapters.pydantic_ai.litellm_model import load_litellm

    load_litellm()


@pytest.mark.usefixtures("litellm_is_there")
class TestLiteLLM(OverHttp):
    name = "litellm:openai/gpt-6-luna"
