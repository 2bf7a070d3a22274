"""Models, journals and requests for tests of what stands between a role and a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel
from pydantic_ai import messages as m
from pydantic_ai.models import StreamedResponse
from pydantic_ai.models.function import DeltaToolCall, FunctionModel

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.pydantic_ai.engine import Engine
from squads.adapters.pydantic_ai.retrying import Patience
from squads.contracts.finding import Usage
from squads.contracts.thinking import ModelReply, ModelRequest, Step
from squads.kernel.model_ports import ModelCall
from squads.minds.meter import AnswerMeter
from squads.testing import ScriptedModel

ABOUT = "a" * 64
NAME, OTHER = "scripted:first", "scripted:second"


class Word(BaseModel):
    """One word."""

    text: str = "nothing"


class Journal(MemoryJournal):
    """A journal that tells what it is asked, and can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.put_fails: Exception | None = None

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep it, or fail."""
        self.events.append("put")
        if self.put_fails is not None:
            raise self.put_fails
        return await super().put(about, step)

    @property
    def rows(self) -> list[Step]:
        """Every step, in the order of keeping."""
        return [step for steps in self._steps.values() for step in steps.values()]


class Meter(AnswerMeter):
    """An allowance that tells in which order it is used."""

    def __init__(self, events: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.events = events

    def reserve(self, *, tokens: int, cost_microusd: int) -> int:
        """Reserve."""
        self.events.append("reserve")
        return super().reserve(tokens=tokens, cost_microusd=cost_microusd)

    def settle(self, mark: int, usage: Usage | None) -> None:
        """Settle."""
        self.events.append("settle")
        super().settle(mark, usage)


def call_of(journal: MemoryJournal | None = None, *, tokens: int = 1_000_000, **options: Any) -> ModelCall:
    """For whom a model is asked: a fresh call, as after a restart."""
    options.setdefault("meter", AnswerMeter(tokens_max=tokens))
    options.setdefault("blobs", MemoryBlobs())
    return ModelCall(about=ABOUT, packet="p" * 32, role="builder", journal=journal or MemoryJournal(), **options)


def request_of(prompt: str = "Say a word.", **options: Any) -> ModelRequest:
    """One request for one word."""
    options.setdefault("models", (NAME,))
    options.setdefault("forms", (Word,))
    options.setdefault("output_tokens_max", 100)
    return ModelRequest(instructions="You speak.", prompt=prompt, **options)


async def ask(known: Any, call: ModelCall | None = None, **options: Any) -> ModelReply:
    """Ask models of ours by the strings under which they are given. Nobody waits between two tries."""
    engine = Engine(
        known.__getitem__,
        prices=options.pop("prices", {}),
        patience=Patience(attempts_max=3, first_wait_seconds=0, retry_after_seconds_max=0),
        slots=options.pop("slots", {}),
        slots_default=100,
        record=options.pop("record", None),
    )
    return await engine.ask(request_of(**options), call or call_of())


def says(*replies: Any, **options: Any) -> dict[str, ScriptedModel]:
    """One scripted model under the usual name."""
    return {NAME: ScriptedModel(*replies, **options)}


class Raw(ScriptedModel):
    """A model that gives whole responses of pydantic-ai's."""

    def __init__(self, *responses: m.ModelResponse) -> None:
        super().__init__()
        self.responses = list(responses)
        self.seen: list[list[m.ModelMessage]] = []

    async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> m.ModelResponse:
        """Return the next one."""
        self.seen.append(list(messages))
        return self.responses.pop(0)


def response(args: Any, *, name: str = "word", **options: Any) -> m.ModelResponse:
    """A reply that fills in one form."""
    options.setdefault("finish_reason", "stop")
    return m.ModelResponse(parts=[m.ToolCallPart(name, args, tool_call_id="1")], **options)


class Streaming(FunctionModel):
    """A model that streams one filled form, and says why it ended unless it is cut off."""

    def __init__(self, text: str, *, cut: bool = False) -> None:
        self.opened = 0
        self._cut = cut

        async def deltas(_: Any, info: Any) -> AsyncIterator[dict[int, DeltaToolCall]]:
            yield {0: DeltaToolCall(name=info.output_tools[0].name, json_args="")}
            if not cut:
                yield {0: DeltaToolCall(json_args='{"text": "')}
                yield {0: DeltaToolCall(json_args=f'{text}"}}')}

        super().__init__(stream_function=deltas)

    @asynccontextmanager
    async def request_stream(self, *args: Any, **options: Any) -> AsyncIterator[StreamedResponse]:
        """Stream."""
        self.opened += 1
        async with super().request_stream(*args, **options) as stream:
            if not self._cut:
                stream.finish_reason = "stop"
            yield stream
