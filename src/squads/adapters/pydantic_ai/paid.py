"""A model whose replies cost money: one wrapper around every provider's model, the same for all of them.

In this order, always: 1 a reply that was paid before comes out of the journal; 2 the most that the next one can cost is
set aside; 3 the provider's slot is waited for; 4 the request is made, and made again where only the transport failed,
for no longer than the answer may still take; 5 the reply goes into the journal before anything else happens; 6 what it
really cost is settled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic_ai.exceptions import FallbackExceptionGroup, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelResponse, PartDeltaEvent, PartStartEvent
from pydantic_ai.models import Model as WireModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from squads.adapters.pydantic_ai.asked import asked, digest_of_asked, read_reply, write_reply, written
from squads.adapters.pydantic_ai.prices import Prices, cost_of, price_of
from squads.adapters.pydantic_ai.retrying import Patience, Pause, retrying
from squads.adapters.pydantic_ai.unpaid import unpaid
from squads.adapters.pydantic_ai.words import exchange_of, words_asked, words_replied
from squads.contracts.errors import (
    AllowanceSpent,
    LedgerBroken,
    ModelError,
    ModelRejected,
    ModelUnreachable,
    RecordingMissed,
)
from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.thinking import Progress, Step, UnsafeText
from squads.kernel.model_ports import Mark, ModelCall

BYTES_PER_TOKEN = 3
"""How many bytes of a request are taken for one token when it is reserved: fewer than any provider's average."""
COUNT_MAX = 10**9
"""The most tokens that one reply is believed to have taken."""
FALLS_BACK = (ModelUnreachable, ModelRejected, RecordingMissed)
"""After these the next model of a list is asked."""

_OUT_OF_TIME = (
    "{name!r} has not answered in the time that was left for this answer; raise `call_ms_max`, or ask for less at once"
)


@dataclass(kw_only=True)
class Desk:
    """What all requests to one provider share on one event loop."""

    slots: asyncio.Semaphore
    patience: Patience
    prices: Prices


@dataclass(kw_only=True)
class Answered:
    """Which model gave the newest reply of one request, and what all of its replies cost."""

    model: str = ""
    usage: Usage = NO_USAGE


@dataclass(kw_only=True)
class Chain:
    """What the models of one list share: whether only the journal is looked at, and how often this was asked."""

    looking: bool = False
    turn: int = 0


class NotKept(ModelError):
    """The journal has no reply of this model; another one of its list may have given one. Never leaves this file."""


class PaidModel(WrapperModel):
    """One provider's model on behalf of one request.

    Args:
        wrapped: The provider's model.
        name: Its model string, as roles and receipts write it.
        call: For whom it is asked.
        desk: What it shares with others.
        answered: Told when it gave a reply.
        followed: True when another model is asked after this one has failed.
        chain: What it shares with the others of its list; None where it stands alone.
    """

    def __init__(
        self,
        wrapped: WireModel,
        *,
        name: str,
        call: ModelCall,
        desk: Desk,
        answered: Answered,
        followed: bool = False,
        chain: Chain | None = None,
    ) -> None:
        super().__init__(wrapped)
        self._name = name
        self._call = call
        self._desk = desk
        self._answered = answered
        self._followed = followed
        self._chain = chain

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the model's reply, paid once. Raises a `ModelError`."""
        told = asked(self._name, messages, model_settings, model_request_parameters)
        digest = digest_of_asked(told)
        turn = self._turn(digest)
        step = await self._call.journal.get(self._call.about, "model", digest, turn)  # 1
        if step is not None:
            response, before = self._read(step)
            self._count(before)
            self._call.trace.replayed(model=self._name)
            self._answered.model = self._name
            return response
        if self._chain is not None and self._chain.looking:
            raise NotKept(f"{self._name} gave no reply to this before")
        tokens = len(told) // BYTES_PER_TOKEN
        del told  # as long as the request, and a thousand requests may wait at once
        try:
            return await self._paid(tokens, digest, turn, messages, model_settings, model_request_parameters)
        except FALLS_BACK:
            if self._followed:
                self._tell("fallback")
            raise

    def request_stream(self, *args: Any, **options: Any) -> NoReturn:
        """Refuse: a streamed reply would be seen before it is kept."""
        raise ModelRejected("squads asks for whole replies; text on the way is told through `watch`")

    def _turn(self, digest: str) -> int:
        """Return how often this was asked within the request; all models of a list count together."""
        chain = self._chain
        if chain is None:
            return self._call.turn("model", digest)
        if not chain.turn:
            chain.turn = self._call.turn("model", digest)
        return chain.turn

    async def _paid(
        self,
        tokens: int,
        digest: str,
        turn: int,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        call = self._call
        output = int((settings or {}).get("max_tokens") or 0)
        most = Usage(tokens=tokens + output, cost_microusd=self._most(tokens, output), calls=1)
        mark = 0

        async def once() -> ModelResponse:
            nonlocal mark
            mark = call.meter.reserve(tokens=most.tokens, cost_microusd=most.cost_microusd)  # 2
            try:
                if call.text:
                    return await self._streamed(messages, settings, parameters)
                return await self.wrapped.request(messages, settings, parameters)
            except BaseException as error:  # whoever is cancelled here may have been served as well
                self._settle(mark, NO_USAGE if unpaid(error) else most)
                raise

        def again(pause: Pause) -> None:
            wait_ms = round(pause.wait_seconds * 1000)
            traced.retried(wait_ms)
            self._tell("retry", wait_ms=wait_ms)

        left_ms = call.meter.wait_ms_left
        if left_ms == 0:
            raise AllowanceSpent(_OUT_OF_TIME.format(name=self._name))
        self._tell("asked")
        began = time.monotonic()
        spent = most  # until we know better
        timer = asyncio.timeout(None if left_ms is None else left_ms / 1000)
        try:
            async with timer, self._desk.slots:  # 3
                with self._asking(messages, output) as traced:
                    response = await retrying(once, model=self._name, patience=self._desk.patience, on_retry=again)  # 4
                    try:
                        _clear(response)
                        response, said = written(response)
                        spent = self._usage(response, tokens, len(said), wait_ms=_since(began))
                        traced.answered(exchange_of(response, spent), lambda: words_replied(response))
                    except BaseException:
                        self._settle(mark, spent)
                        raise
        except BaseException as error:
            if spent is most:  # the time is gone, whatever came of it
                self._count(NO_USAGE.but(wait_ms=_since(began)))
            if isinstance(error, TimeoutError) and timer.expired():
                raise AllowanceSpent(_OUT_OF_TIME.format(name=self._name)) from error
            raise
        try:
            payload = write_reply(said, spent)
            fresh = Step(kind="model", input=digest, turn=turn, payload=payload)
            kept = await _to_its_end(call.journal.put(call.about, fresh, packet=call.packet))  # 5
        finally:
            self._settle(mark, spent)  # 6
        if kept.payload != payload:  # another process was first, and its reply is the one that counts
            response, _ = self._read(kept)
        self._answered.model = self._name
        self._tell("answered", wait_ms=spent.wait_ms)
        return response

    def _count(self, spent: Usage) -> None:
        self._call.meter.count(spent)
        self._answered.usage = self._answered.usage.plus(spent)

    def _settle(self, mark: int, spent: Usage) -> None:
        self._call.meter.settle(mark, spent)
        self._answered.usage = self._answered.usage.plus(spent)

    def _asking(self, messages: list[ModelMessage], output: int) -> AbstractContextManager[Mark]:
        return self._call.trace.asking(
            self._name,
            model=self.wrapped.model_name,
            provider=self.wrapped.system,
            output_tokens_max=output,
            said=lambda: words_asked(messages),
        )

    async def _streamed(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the whole reply, and tell who watches of its text as it arrives."""
        async with AsyncExitStack() as stack:
            try:
                stream = await stack.enter_async_context(self.wrapped.request_stream(messages, settings, parameters))
            except NotImplementedError:  # a model that cannot stream says all of it at once
                whole = await self.wrapped.request(messages, settings, parameters)
                for index, part in enumerate(whole.parts):
                    self._tell_text(PartStartEvent(index=index, part=part))
                return whole
            async for event in stream:
                self._tell_text(event)
            whole = stream.get()
        # A connection that ends early ends some providers' streams without an error, and what had come by then may
        # look like a whole reply: a form that was not begun to be filled in approves.
        # OpenAI's chat models make up why a stream ended that never said so, and remember that they did.
        said_why = whole.finish_reason is not None and getattr(stream, "_has_finish_reason", True)
        if whole.state != "complete" or not said_why:
            raise UnexpectedModelBehavior("the stream ended before it said that the reply was whole")
        return whole

    def _tell_text(self, event: Any) -> None:
        call = self._call
        text = _text_of(event)
        if text and call.watch is not None:
            text = text.encode(errors="replace").decode()
            call.watch(UnsafeText(packet=call.packet, about=call.about, role=call.role, text=text))

    def _read(self, step: Step) -> tuple[ModelResponse, Usage]:
        try:
            return read_reply(step.payload)
        except ValueError as error:
            raise LedgerBroken(
                f"the journal's reply to request {self._call.about[:12]} cannot be read: {error}; "
                "erase that step to have it asked and paid again"
            ) from error

    def _usage(self, response: ModelResponse, asked_tokens: int, reply_bytes: int, *, wait_ms: int) -> Usage:
        used = response.usage
        if not used.input_tokens and not used.output_tokens:  # nobody counted, and it was not free for that
            used = RequestUsage(input_tokens=asked_tokens, output_tokens=-(-reply_bytes // BYTES_PER_TOKEN))
        cost = min(cost_of(self._name, used, self._desk.prices) or 0, 2**53 - 1)
        return Usage(tokens=used.input_tokens + used.output_tokens, cost_microusd=cost, calls=1, wait_ms=wait_ms)

    def _most(self, tokens: int, output: int) -> int:
        """Return the most that a reply can cost, in millionths of a dollar; 0 for an unpriced model."""
        price = price_of(self._name, self._desk.prices)
        return 0 if price is None else -(-(tokens * price[0] + output * price[1]) // 1_000_000)

    def _tell(self, stage: Any, *, wait_ms: int = 0) -> None:
        call = self._call
        if call.watch is not None:
            call.watch(
                Progress(
                    packet=call.packet,
                    about=call.about,
                    role=call.role,
                    stage=stage,
                    model=self._name,
                    tokens=call.meter.usage.tokens,
                    wait_ms=wait_ms,
                )
            )


class PaidChain(FallbackModel):
    """Several models in order. A reply that any of them gave before is found before any of them is asked.

    Without that, a request whose first model had failed would ask it anew when it is resumed, and pay for a second
    reply to what the second model had answered.
    """

    def __init__(self, *models: WireModel, chain: Chain) -> None:
        super().__init__(*models, fallback_on=(*FALLS_BACK, NotKept))
        self._turns = chain

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the recorded reply of any model, else that of the first that can be asked."""
        self._turns.turn, self._turns.looking = 0, True
        try:
            return await super().request(messages, model_settings, model_request_parameters)
        except FallbackExceptionGroup:
            self._turns.looking = False
            return await super().request(messages, model_settings, model_request_parameters)
        finally:
            self._turns.looking = False


async def _to_its_end(putting: Coroutine[Any, Any, Step]) -> Step:
    """Return what is kept. Who is cancelled meanwhile waits for the write: the reply was paid for."""
    task = asyncio.ensure_future(putting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _clear(response: ModelResponse) -> None:
    """Drop what must not be kept or believed: an address that may hold a password, and counts that cannot be.

    A count below zero would give an allowance back, and one without end would cost us the reply that was paid for.
    """
    if any(mark in (response.provider_url or "") for mark in "@?"):
        response.provider_url = None
    used = response.usage
    counts = (used.input_tokens, used.output_tokens, used.cache_read_tokens, used.cache_write_tokens)
    if not all(type(count) is int and 0 <= count <= COUNT_MAX for count in counts):
        response.usage = RequestUsage()


def _since(began: float) -> int:
    return max(0, round((time.monotonic() - began) * 1000))


def _text_of(event: Any) -> str:
    """Return the text that an event of a streamed reply adds: words, or the arguments of a form."""
    if isinstance(event, PartStartEvent):
        part = event.part
        return str(getattr(part, "content", "") or "") or _arguments(getattr(part, "args", ""))
    if isinstance(event, PartDeltaEvent):
        delta = event.delta
        return str(getattr(delta, "content_delta", "") or "") or _arguments(getattr(delta, "args_delta", ""))
    return ""


def _arguments(given: object) -> str:
    return given if isinstance(given, str) else ""
