"""The tools of one turn: functions over its scratch workspace, and this role's MCP servers in sessions of its own.

Whatever a tool returns, and why it could not do what it was asked, may hold somebody else's text: names of files, lines
of them. So the model sees both fenced, with the tool's name as their provenance.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import wraps
from typing import Any

from pydantic_ai import ModelRetry
from pydantic_ai.tools import Tool as WireTool
from pydantic_ai.toolsets import AbstractToolset, FunctionToolset

from squads.adapters.pydantic_ai.mcp_servers import server_toolset
from squads.contracts.thinking import ModelRequest, Tool
from squads.kernel.model_ports import ModelCall
from squads.minds.fence import fenced

RESULT_CHARS_MAX = 60_000
"""Characters of a tool's result that a model is shown."""


@asynccontextmanager
async def toolsets_for(request: ModelRequest, call: ModelCall) -> AsyncIterator[list[AbstractToolset[Any]]]:
    """Yield the toolsets of one request; servers are started with it and ended after it."""
    sets: list[AbstractToolset[Any]] = []
    if request.tools:
        sets.append(FunctionToolset([_wired(tool) for tool in request.tools], id="squads"))
    async with AsyncExitStack() as stack:
        for server in request.servers:
            opened = server_toolset(server, role=call.role, reads_only=request.reads_only, show=fence_result)
            sets.append(await stack.enter_async_context(opened))
        yield sets


def _wired(tool: Tool) -> WireTool[Any]:
    function: Callable[..., Any] = tool.function

    @wraps(function)
    async def shown(*args: Any, **given: Any) -> str:
        try:
            result = function(*args, **given)
            if inspect.isawaitable(result):
                result = await result
        except ValueError as error:  # what the model asked for cannot be done: it is told why and may ask otherwise
            raise ModelRetry(f"{tool.name} could not do that.\n{fence_result(tool.name, str(error))}") from error
        return fence_result(tool.name, str(result))

    return WireTool(shown, name=tool.name, takes_ctx=False, sequential=True, max_retries=5)


def fence_result(name: str, text: str) -> str:
    """Return a tool's result as a model is shown it: fenced, bounded, and text that every provider takes."""
    text = text.encode(errors="replace").decode()
    if len(text) > RESULT_CHARS_MAX:
        text = f"{text[:RESULT_CHARS_MAX]}\n(cut at {RESULT_CHARS_MAX:,} of {len(text):,} characters)"
    return fenced(text, f"the tool {name}")
