"""Asking models through pydantic-ai: one turn without tools by hand, a turn with tools by its `Agent`.

A turn without tools is one request to the provider's model with our forms as its output tools, which costs a fraction
of an agent's run; what does not validate goes back to the model with why, a bounded number of times.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_ai import Agent, ModelRequestNode, ModelRetry, RunContext, ToolOutput
from pydantic_ai import messages as m
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import FallbackExceptionGroup, UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.models import Model as WireModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import UsageLimits

from squads.adapters.pydantic_ai.durable import SquadsDurability
from squads.adapters.pydantic_ai.lean import OfferedForms
from squads.adapters.pydantic_ai.paid import Answered, Chain, Desk, PaidChain, PaidModel
from squads.adapters.pydantic_ai.prices import Prices
from squads.adapters.pydantic_ai.recorded import Recorder
from squads.adapters.pydantic_ai.retrying import Patience
from squads.adapters.pydantic_ai.toolsets import toolsets_for
from squads.contracts.base import readable
from squads.contracts.errors import AllowanceSpent, InvalidReply, ModelError, ModelUnreachable, RecordingMissed
from squads.contracts.thinking import ModelReply, ModelRequest, Progress
from squads.kernel.model_ports import ModelCall
from squads.minds.forms import name_of

WireOf = Callable[[str], WireModel]
"""Returns the provider's model for a model string, on this event loop."""


class Engine:
    """Asks models. One serves every squad of a process.

    Args:
        wire_of: Makes the provider's model of a model string.
        prices: Prices of the user's, by model string.
        patience: How often and how long a transport error is tried again.
        slots: How many requests to one provider may be under way at once, by provider; `slots_default` for others.
        record: A folder for every reply, written once it is in the journal; None records nothing.
    """

    def __init__(
        self,
        wire_of: WireOf,
        *,
        prices: Prices,
        patience: Patience,
        slots: Mapping[str, int],
        slots_default: int,
        record: Path | None = None,
    ) -> None:
        self._wire_of = wire_of
        self._prices = prices
        self._patience = patience
        self._slots = slots
        self._slots_default = slots_default
        self._record = record
        self._desks: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Desk]] = weakref.WeakKeyDictionary()

    async def ask(self, request: ModelRequest, call: ModelCall) -> ModelReply:
        """Return a filled form. Raises a `ModelError`."""
        answered = Answered()
        wire = self._paid(request.models, call, answered)
        try:
            if request.tools or request.servers:
                form = await _with_tools(wire, request, call)
            else:
                form = await _without_tools(wire, request, call)
        except FallbackExceptionGroup as group:
            raise _joined(group) from group
        return ModelReply(form=form, model=answered.model, usage=answered.usage)

    def _paid(self, names: tuple[str, ...], call: ModelCall, answered: Answered) -> WireModel:
        chain = Chain() if len(names) > 1 else None
        paid: list[WireModel] = []
        for place, name in enumerate(names, 1):
            one: WireModel = PaidModel(
                self._wire_of(name),
                name=name,
                call=call,
                desk=self._desk(name.partition(":")[0]),
                answered=answered,
                followed=place < len(names),
                chain=chain,
            )
            paid.append(one if self._record is None else Recorder(one, name, self._record))
        return paid[0] if chain is None else PaidChain(*paid, chain=chain)

    def _desk(self, provider: str) -> Desk:
        desks = self._desks.setdefault(asyncio.get_running_loop(), {})
        if provider not in desks:
            slots = asyncio.Semaphore(self._slots.get(provider, self._slots_default))
            desks[provider] = Desk(slots=slots, patience=self._patience, prices=self._prices)
        return desks[provider]


async def _without_tools(wire: WireModel, request: ModelRequest, call: ModelCall) -> BaseModel:
    settings = ModelSettings(max_tokens=request.output_tokens_max)
    parameters = _parameters(request.forms, request.instructions)
    messages: list[m.ModelMessage] = [
        m.ModelRequest(parts=[m.UserPromptPart(request.prompt)], instructions=request.instructions)
    ]
    why = ""
    words = b""
    for _ in range(min(request.reasks_max + 1, request.turns_max)):
        # `direct` breaks special tokens of chat templates in others' text before it goes out.
        response = await model_request(
            wire, messages, model_settings=settings, model_request_parameters=parameters, instrument=False
        )
        try:
            form = _filled(response, request.forms)
            if request.accepts is not None:
                request.accepts(form)
        except ValueError as error:
            why = _why(error)
        else:
            return form
        words = m.ModelMessagesTypeAdapter.dump_json([response])
        _tell_again(call)
        messages = [
            *messages,
            response,
            m.ModelRequest(parts=_feedback(response, why), instructions=request.instructions),
        ]
    raise InvalidReply(
        f"no reply of {call.role!r} validated in {request.reasks_max + 1} tries; the last time: {why}"[:2_000],
        await call.blobs.put(words, subject=call.packet),
    )


async def _with_tools(wire: WireModel, request: ModelRequest, call: ModelCall) -> BaseModel:
    durability = SquadsDurability(call=call, effects=request.effects)
    words: list[m.ModelMessage] = []
    async with toolsets_for(request, call) as toolsets:
        agent: Agent[None, Any] = Agent(
            wire,
            name=call.role,
            instructions=request.instructions,
            output_type=[ToolOutput(form, name=name_of(form), description=_said(form)) for form in request.forms],
            toolsets=toolsets,
            capabilities=[durability],
            retries=request.reasks_max,
            end_strategy="early",
        )
        agent.instrument = False  # also where a program has switched it on for all agents: see `squads.telemetry`

        @agent.output_validator
        def accepted(ctx: RunContext[None], form: BaseModel) -> BaseModel:
            try:
                _check_alone(ctx.messages[-1])
                if request.accepts is not None:
                    request.accepts(form)
            except ValueError as error:
                raise ModelRetry(_why(error)) from error
            return form

        try:
            async with agent.iter(
                request.prompt,
                model_settings=ModelSettings(max_tokens=request.output_tokens_max),
                usage_limits=UsageLimits(request_limit=request.turns_max),
            ) as run:
                async for node in run:
                    words = run.all_messages()
                    if isinstance(node, ModelRequestNode) and _asks_again(node.request, request.forms):
                        _tell_again(call)
            assert run.result is not None
            return run.result.output  # type: ignore[no-any-return]
        except UsageLimitExceeded as error:
            raise AllowanceSpent(
                f"{call.role!r} took {request.turns_max} replies and has not answered; cut the work into smaller tasks"
            ) from error
        except UnexpectedModelBehavior as error:
            _tell_again(call)
            kept = await call.blobs.put(m.ModelMessagesTypeAdapter.dump_json(words[-2:]), subject=call.packet)
            raise InvalidReply(
                f"no reply of {call.role!r} validated: {error}; the last time: {_last_why(error)}"[:2_000], kept
            ) from error


def _filled(response: m.ModelResponse, forms: tuple[type[BaseModel], ...]) -> BaseModel:
    """Return the form that a reply fills in. Raises `ValueError` with why it fills none."""
    by_name = {name_of(form): form for form in forms}
    calls = [part for part in response.parts if isinstance(part, m.ToolCallPart)]
    _check_whole(response)
    if not any(part.tool_name in by_name for part in calls):
        raise ValueError(f"answer with exactly one of: {', '.join(by_name)}")
    if len(calls) > 1:
        raise ValueError(f"you answered {len(calls)} times; answer once")
    form = by_name[calls[0].tool_name]
    try:
        given = calls[0].args_as_dict(raise_if_invalid=True)
    except AssertionError:
        raise ValueError(f"what {calls[0].tool_name} is given must be one JSON object") from None
    return form.model_validate(given)


def _check_whole(response: m.ModelResponse) -> None:
    """Raise `ValueError` for a reply that was broken off: what it left empty is not what it meant to say."""
    ended = response.finish_reason if response.state == "complete" else response.state
    if ended in ("length", "content_filter", "error") or response.state != "complete":
        cut = "at its length" if ended == "length" else f"({ended})"
        raise ValueError(f"your reply was cut off {cut}; answer again, and in fewer words")
    # An approval has no field that must be filled in, and nothing at all must not read as one.
    if any(isinstance(part, m.ToolCallPart) and part.args in (None, "") for part in response.parts):
        raise ValueError("you sent a form without anything in it; send a JSON object, `{}` where it may stay empty")


def _check_alone(response: m.ModelMessage) -> None:
    """Raise `ValueError` unless a form stands alone in a whole reply: a tool beside it would be called too late."""
    assert isinstance(response, m.ModelResponse)
    _check_whole(response)
    if sum(isinstance(part, m.ToolCallPart) for part in response.parts) > 1:
        raise ValueError(
            "answer alone: look at what your other calls came to first, and then answer in a reply of its own"
        )


def _asks_again(request: m.ModelRequest, forms: tuple[type[BaseModel], ...]) -> bool:
    """Whether a request goes back with why a reply could not be used; that a tool failed is no fault of a reply's."""
    names = {name_of(form) for form in forms}
    for part in request.parts:
        if isinstance(part, m.RetryFeedbackPart):
            return True
        if isinstance(part, m.ToolReturnPart) and part.outcome == "retried":
            by_tool = part.retry is not None and part.retry.cause == "model_retry"
            if part.tool_name in names or not by_tool:
                return True
    return False


def _last_why(error: UnexpectedModelBehavior) -> str:
    """Return what was wrong with the last reply: the vendor's own sentence only says how often it was tried."""
    cause = error.__cause__
    return _why(cause) if isinstance(cause, ValueError) else str(cause or "it could not be read")


def _feedback(response: m.ModelResponse, why: str) -> list[m.ModelRequestPart]:
    calls = [part for part in response.parts if isinstance(part, m.ToolCallPart)]
    if not calls:
        return [m.UserPromptPart(f"That could not be used: {why}")]
    return [
        m.ToolReturnPart(tool_name=part.tool_name, content=why, tool_call_id=part.tool_call_id, outcome="retried")
        for part in calls
    ]


@lru_cache(maxsize=256)
def _offered(forms: tuple[type[BaseModel], ...]) -> OfferedForms:
    return OfferedForms(
        [
            ToolDefinition(
                name=name_of(form),
                description=_said(form),
                parameters_json_schema=form.model_json_schema(),
                kind="output",
            )
            for form in forms
        ]
    )


def _parameters(forms: tuple[type[BaseModel], ...], instructions: str) -> ModelRequestParameters:
    return ModelRequestParameters(
        output_mode="tool",
        output_tools=_offered(forms),
        allow_text_output=False,
        instruction_parts=[m.InstructionPart(content=instructions)],
    )


def _said(form: type[BaseModel]) -> str:
    return (form.__doc__ or name_of(form)).strip()


def _why(error: ValueError) -> str:
    """Return what is wrong with a reply as one sentence for the model."""
    why = str(readable(error, "reply") if isinstance(error, ValidationError) else error)[:4_000]
    return why.encode(errors="replace").decode()  # it may quote halves of characters that the model wrote


def _tell_again(call: ModelCall) -> None:
    if call.watch is not None:
        call.watch(
            Progress(
                packet=call.packet, about=call.about, role=call.role, stage="again", tokens=call.meter.usage.tokens
            )
        )


def _joined(group: FallbackExceptionGroup) -> ModelError:
    """Return one error for several models, none of which could be asked."""
    said = "; ".join(str(error) for error in group.exceptions)
    kind = RecordingMissed if any(isinstance(each, RecordingMissed) for each in group.exceptions) else ModelUnreachable
    return kind(f"none of {len(group.exceptions)} models could be asked: {said}"[:2_000])
