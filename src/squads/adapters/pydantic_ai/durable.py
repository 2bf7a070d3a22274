"""Calls of tools that are kept: what a tool returned and changed is in the journal before any model sees it.

Through pydantic-ai's public durability interface, of which squads is one more engine: what other engines call a unit is
a step here, and their container is one request to a role. Calls go one after another, because what each has changed is
taken when it returns. A step of which the journal knows nothing may have run before: killed between a tool's end and
its step's write, a request that is resumed calls that tool once more, so a tool must bear being called twice.

Three things pass through unkept. Requests of models: `PaidModel` keeps them, below the agent. Lists of tools: they are
asked for anew, because a tool that is gone cannot be called; where they changed, the log says so. Operations of other
capabilities: they run again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Any, TypeVar

from pydantic_ai.capabilities import WrapModelRequestHandler
from pydantic_ai.durable_exec import (
    JSON_CODEC,
    BaseDurabilityCapability,
    BoundDurableOperation,
    DurabilityEngineSpec,
    DurableOperation,
    DurableOperationBackend,
    DynamicToolsetCallToolParams,
    ToolsetCallToolId,
    ToolsetCallToolParams,
    ToolsetGetToolsId,
    ToolsetValidateToolArgumentsId,
    durable_unit_scope,
    record_durable_unit,
)
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.tools import AgentDepsT, RunContext
from pydantic_ai.toolsets import AbstractToolset, DynamicToolset, ExternalToolset, FunctionToolset, WrapperToolset

from squads.adapters.pydantic_ai.tool_steps import changed_tools, read_step, tool_asked, tools_listed, write_step
from squads.adapters.pydantic_ai.words import words_given, words_returned
from squads.contracts.errors import InvalidInput, LedgerBroken
from squads.contracts.thinking import Effects, Progress, Step
from squads.kernel.model_ports import ModelCall

_ParamsT = TypeVar("_ParamsT")
_WireT = TypeVar("_WireT")
_ResultT = TypeVar("_ResultT")

log = logging.getLogger("squads.pydantic_ai")

_INSIDE: ContextVar[bool] = ContextVar("squads.inside_step", default=False)
"""True while a tool runs: what it calls in turn is part of its own step."""


def _unwritable(error: Exception) -> InvalidInput:
    return InvalidInput(
        f"a tool returned what cannot be kept: {error}; let it return text, numbers, lists, mappings or pydantic models"
    )


class SquadsDurability(BaseDurabilityCapability[AgentDepsT]):
    """Keeps the tool calls of one request's agent, and gives back what was kept instead of calling again.

        Agent(model, name="builder", toolsets=[...], capabilities=[SquadsDurability(call, effects)])

    One object serves one request: it counts how often each call was seen, to tell the second from the first. Toolsets
    need an `id`, and are given to the agent when it is made; one that is added to a run is refused, because its calls
    would not be kept. A tool's error that the model is told of is kept like a result; any other ends the run unkept.
    """

    engine_spec = DurabilityEngineSpec(
        engine_name="squads",
        durable_unit_noun="step",
        durable_container_noun="request",
        codec=JSON_CODEC,
        serialization_failure=_unwritable,
        wrapped_toolset_kinds=frozenset({"function", "mcp", "dynamic"}),
        # One session with an MCP server per run, opened by the first step that needs it.
        toolset_lifecycles={"function": "enter-always", "mcp": "enter-in-durable-unit", "dynamic": "enter-never"},
        journal_discovery=True,  # through our backend, which looks at the lists and keeps none
        sequential_tools_in_durable_context=True,
        unsupported_runtime_toolset_kinds=frozenset({"function", "mcp", "dynamic"}),
    )

    def __init__(self, call: ModelCall, effects: Effects | None = None) -> None:
        """Keep steps for one request.

        Args:
            call: Names the request and its journal.
            effects: Says what tools changed, and changes it again; None where tools leave no marks.
        """
        super().__init__(name="squads")
        self._steps = _Steps(call, effects)

    @property
    def in_durable_context(self) -> bool:
        """True: whatever runs an agent that has this is at work on a request."""
        return True

    def get_durable_operation_backend(self) -> DurableOperationBackend[None]:
        """Return what runs operations as steps."""
        return _Backend(self._steps)

    def get_wrapper_toolset(self, toolset: AbstractToolset[AgentDepsT]) -> AbstractToolset[AgentDepsT] | None:
        """Return the toolset with every leaf's calls kept. Raises `InvalidInput` for one whose calls cannot be."""
        toolset.apply(_check_kept)
        return super().get_wrapper_toolset(toolset)

    # Requests of models are kept below the agent, where retries, fallbacks and turns without an agent meet.

    async def wrap_model_request(
        self, ctx: RunContext[AgentDepsT], *, request_context: ModelRequestContext, handler: WrapModelRequestHandler
    ) -> ModelResponse:
        """Pass it through."""
        return await handler(request_context)

    async def before_model_request(
        self, ctx: RunContext[AgentDepsT], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Pass it through."""
        return request_context

    async def prepare_model_request(
        self, ctx: RunContext[AgentDepsT], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Pass it through."""
        return request_context


class _Steps:
    """The journal of one request's tools."""

    def __init__(self, call: ModelCall, effects: Effects | None) -> None:
        self._call = call
        self._effects = effects
        self._listed: set[str] = set()

    async def once(self, asked: bytes, tool: str, run: Callable[[], Awaitable[object]]) -> object:
        """Return what the call came to, from the journal or by calling. What it returns has been kept."""
        call = self._call
        digest = sha256(asked).hexdigest()
        turn = call.turn("tool", digest)
        step = await call.journal.get(call.about, "tool", digest, turn)
        if step is not None:
            record_durable_unit(executed=False)
            return self._again(step, tool)
        began = time.monotonic()
        with _step():
            result = await run()
        record_durable_unit(executed=True)
        fresh = Step(kind="tool", input=digest, turn=turn, payload=write_step(result, self._taken()))
        kept = await call.journal.put(call.about, fresh, packet=call.packet)
        self._tell(tool, round((time.monotonic() - began) * 1000))
        # Another process was first: its result is the one that counts, and its changes go over ours. Both paths read
        # what was written, so that a model is told the same whether a tool was called or not.
        return self._read(kept, tool)[0] if kept.payload == fresh.payload else self._again(kept, tool)

    async def called(self, asked: bytes, tool: str, run: Callable[[], Awaitable[object]]) -> object:
        """Do as `once` for what a model calls, and tell the trace whether the tool ran."""
        trace, ran = self._call.trace, False

        async def traced() -> object:
            nonlocal ran
            ran = True
            with trace.using(tool, lambda: words_given(asked)) as mark:
                result = await run()
                mark.returned(lambda: words_returned(result))
            return result

        kept = await self.once(asked, tool, traced)
        if not ran:
            trace.replayed(tool=tool)
        return kept

    async def saw(self, toolset: str, listed: Mapping[str, object]) -> None:
        """Remember the first list of tools that a toolset gave this request, and log where it is another one now."""
        if toolset in self._listed:
            return
        self._listed.add(toolset)
        call = self._call
        asked, list_now = tools_listed(toolset, listed)
        fresh = Step(kind="tool", input=sha256(asked).hexdigest(), turn=1, payload=write_step(list_now, b""))
        kept = await call.journal.put(call.about, fresh, packet=call.packet)
        difference = changed_tools(self._read(kept, toolset)[0], list_now)
        if difference:
            log.warning(
                "request %s: the tools of %r are not those that it was begun with (%s); replies that were paid for "
                "with the old list do not fit any more and are asked for again",
                call.about[:12],
                toolset,
                difference,
            )

    def _taken(self) -> bytes:
        return b"" if self._effects is None else self._effects.taken()

    def _again(self, step: Step, tool: str) -> object:
        result, changes = self._read(step, tool)
        if changes and self._effects is None:
            raise InvalidInput(
                f"the kept call of {tool!r} for request {self._call.about[:12]} changed something, but nothing was "
                f"given that could change it again; resume the request with the tools that it was begun with"
            )
        if self._effects is not None:
            self._effects.redo(changes)
            # What was made again is in the journal already; it does not belong to the next step.
            self._effects.taken()
        return result

    def _read(self, step: Step, tool: str) -> tuple[object, bytes]:
        try:
            return read_step(step.payload)
        except ValueError as error:
            raise self.unreadable(tool, str(error)) from error

    def unreadable(self, tool: str, why: str) -> LedgerBroken:
        """Return the error for a step that is not what a step must be."""
        return LedgerBroken(
            f"the journal's step for {tool!r} of request {self._call.about[:12]} cannot be read: {why}; erase the "
            f"request's steps to have everything asked and called anew"
        )

    def _tell(self, tool: str, wait_ms: int) -> None:
        call = self._call
        if call.watch is not None:
            call.watch(
                Progress(
                    packet=call.packet,
                    about=call.about,
                    role=call.role,
                    stage="tool",
                    tool=tool,
                    tokens=call.meter.usage.tokens,
                    wait_ms=max(0, wait_ms),
                )
            )


class _Backend(DurableOperationBackend[None]):
    """Runs each operation where it is called, as a step or straight through."""

    def __init__(self, steps: _Steps) -> None:
        self._steps = steps

    def bind(
        self, operation: DurableOperation[_ParamsT, _WireT, _ResultT]
    ) -> BoundDurableOperation[_ParamsT, _WireT, _ResultT]:
        return _Bound(operation, self._steps)

    def config_for_tool(
        self, operation: DurableOperation[_ParamsT, _WireT, _ResultT], *, tool: object | None, tool_name: str
    ) -> None:
        return None

    def registrations(self) -> Sequence[Callable[..., object]]:
        return ()


class _Bound(BoundDurableOperation[_ParamsT, _WireT, _ResultT]):
    """One operation of an agent, ready to be called."""

    def __init__(self, operation: DurableOperation[_ParamsT, _WireT, _ResultT], steps: _Steps) -> None:
        self._operation = operation
        self._steps = steps

    @property
    def operation(self) -> DurableOperation[_ParamsT, _WireT, _ResultT]:
        return self._operation

    async def __call__(self, params: _ParamsT, *, config: object | None = None) -> _ResultT:
        operation, identity = self._operation, self._operation.operation_id
        if _INSIDE.get():  # an agent that a tool runs: that whole run is the tool's one step
            return await operation.handler(params)
        codec = operation.result_codec
        if isinstance(identity, ToolsetCallToolId | ToolsetValidateToolArgumentsId):
            assert isinstance(params, ToolsetCallToolParams | DynamicToolsetCallToolParams)

            async def run() -> object:
                return codec.dump(await operation.handler(params))

            if isinstance(identity, ToolsetCallToolId):
                kept = await self._steps.called(tool_asked(identity, params), params.name, run)
            else:
                kept = await self._steps.once(tool_asked(identity, params), params.name, run)
            try:
                return codec.load(kept)
            except ValueError as error:
                raise self._steps.unreadable(params.name, "it holds no result of a tool") from error
        with durable_unit_scope():
            result = await operation.handler(params)
        if isinstance(identity, ToolsetGetToolsId):
            listed: Any = codec.dump(result)
            await self._steps.saw(
                identity.toolset_id, listed["tools"] if identity.toolset_kind == "dynamic" else listed
            )
        return result


@contextmanager
def _step() -> Iterator[None]:
    token = _INSIDE.set(True)
    try:
        with durable_unit_scope():
            yield
    finally:
        _INSIDE.reset(token)


def _check_kept(leaf: AbstractToolset[Any]) -> None:
    # A kind that pydantic-ai cannot wrap would be called past the journal without a word.
    if isinstance(leaf, FunctionToolset | DynamicToolset | ExternalToolset | WrapperToolset):
        return
    try:
        from pydantic_ai.mcp import MCPToolset
    except ImportError:  # then it cannot be one
        pass
    else:
        if isinstance(leaf, MCPToolset):
            return
    raise InvalidInput(
        f"the calls of the toolset {leaf.label} cannot be kept, because it is of a kind of its own; give it to the "
        f"agent as `DynamicToolset(lambda ctx: toolset, id=...)`"
    )
