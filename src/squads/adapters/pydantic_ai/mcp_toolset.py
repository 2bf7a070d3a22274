"""The tools of one MCP server as a leaf that pydantic-ai knows: offered as they were at the start, told as data.

It is an `MCPToolset`, so that durability wraps its calls like those of any other; all that squads adds happens inside,
below the journal. What is kept of a call is therefore the very text that the model was shown, bounded and fenced, and a
resumed turn reads the same text without the server.

What a server says about its tools goes to the model unfenced, because a provider takes names, descriptions and
parameters as definitions and not as conversation: there is no place in them that a fence could close. So they are
bounded, freed of characters that nobody sees, marked as the server's own words, and read once: a server that rewrites
them later is not heard. Its instructions are never passed on, and it can ask neither the model nor a person anything.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastmcp.client.transports import ClientTransport
from fastmcp.exceptions import McpError
from mcp import types as wire
from pydantic_ai import ModelRetry
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.tools import RunContext, ToolDefinition
from pydantic_ai.toolsets import ToolsetTool

from squads.contracts.errors import InvalidModel, ModelUnreachable
from squads.contracts.thinking import ToolServer

RESULT_CHARS_MAX: Final = 60_000
"""Characters of a tool's result that a model is shown."""
DESCRIPTION_CHARS_MAX: Final = 1_000
"""Characters of each text in which a server describes a tool or a parameter."""
SCHEMA_CHARS_MAX: Final = 20_000
"""Characters of a tool's parameters; a tool with more is not offered."""
TOOLS_MAX: Final = 100
"""Tools that one server may offer to one role."""
NAME_CHARS_MAX: Final = 64
"""Characters of a tool's name with its server's before it: what providers take."""
CALL_SECONDS_MAX: Final = 120.0
"""How long one call of a tool may take."""
RETRIES_MAX: Final = 5
"""How often one tool may answer with an error in a row before the turn ends."""

log = logging.getLogger("squads.pydantic_ai")


class ServerToolset(MCPToolset[Any]):
    """The chosen tools of one server, for one role, over one session.

    Args:
        transport: How the server is reached.
        server: Whose tools they are.
        role: For whom, in messages.
        show: Makes data of a tool's name and its text.
        start_seconds: How long the first handshake may take.
    """

    def __init__(
        self,
        transport: ClientTransport,
        *,
        server: ToolServer,
        role: str,
        show: Callable[[str, str], str],
        start_seconds: float,
    ) -> None:
        super().__init__(
            transport,
            # The same in every process, because the journal finds calls by it.
            id=f"server-{server.name}",
            max_retries=RETRIES_MAX,
            include_instructions=False,
            init_timeout=start_seconds,
            read_timeout=CALL_SECONDS_MAX,
            log_handler=_unheard,
        )
        self._server = server
        self._role = role
        self._show = show
        self._offered: dict[str, wire.Tool] = {}

    async def choose(self, *, reads_only: bool) -> None:
        """Ask the server once what it has, and fix what is offered. Raises `InvalidModel`."""
        listed = await self.client.list_tools()
        self._offered = chosen(self._server, listed, role=self._role, reads_only=reads_only)

    async def list_tools(self) -> list[wire.Tool]:
        """Return what is offered, as it was at the start."""
        return list(self._offered.values())

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return what is offered, by the names that the model is told."""
        return {
            name: self.tool_for_tool_def(
                ToolDefinition(
                    name=name,
                    description=_described(self._server, tool),
                    parameters_json_schema=_bounded(tool.input_schema),
                ),
                ctx=ctx,
            )
            for name, tool in self._offered.items()
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> str:
        """Return a tool's result as the model is shown it.

        Raises `ModelRetry` with the tool's error, shown alike, and `ModelUnreachable` where the server is gone.
        """
        own = self._offered[name].name
        try:
            json.dumps(tool_args, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ModelRetry(f"the arguments of {name} hold characters that are no text; leave them out") from None
        try:
            result = await self.client.call_tool_mcp(own, tool_args)
        except McpError as error:
            if error.error.code == wire.CONNECTION_CLOSED:
                raise self._gone(name, error) from error
            raise self._told(name, error.error.message) from error
        except Exception as error:
            # The client speaks in many exceptions: of its sockets, of a session that ended, of a result that does not
            # fit the tool's own schema. Only the last leaves a session to ask again.
            if isinstance(error, RuntimeError | ValueError) and self.client.is_connected():
                raise self._told(name, str(error)) from error
            raise self._gone(name, error) from error
        text = text_of(result)
        if result.is_error:
            raise self._told(name, text or "it said nothing more")
        return self._show(name, text or "(nothing)")

    def _told(self, name: str, text: str) -> ModelRetry:
        return ModelRetry(f"the tool answered with an error.\n{self._show(name, cut(text))}")

    def _gone(self, name: str, error: Exception) -> ModelUnreachable:
        return ModelUnreachable(
            f"the MCP server {self._server.name!r} of {self._role!r} was gone before {name} returned "
            f"({type(error).__name__}: {visible(str(error), 300)}); look at the server's own log, then resume"
        )


async def _unheard(message: object) -> None:
    """Drop what a server wants logged: it is somebody else's text, and may hold anything."""


def chosen(server: ToolServer, listed: Sequence[wire.Tool], *, role: str, reads_only: bool) -> dict[str, wire.Tool]:
    """Return the tools of `server` that are offered, by the names that the model is told. Raises `InvalidModel`."""
    have = {tool.name: tool for tool in listed}
    where = f"the MCP server {server.name!r} of {role!r}"
    for name in server.tools:
        if name not in have:
            raise InvalidModel(f"{where} has no tool {name!r}; {_nearest(name, have)}")
        if reads_only and not _reads_only(have[name]):
            raise InvalidModel(
                f"{where} does not say of its tool {name!r} that it only reads (`readOnlyHint`), and a gate only "
                f"reads; leave it out of `tools`"
            )
    offered: dict[str, wire.Tool] = {}
    for tool in [have[name] for name in server.tools] if server.tools else have.values():
        if reads_only and not _reads_only(tool):
            continue
        told = f"{server.name}_{re.sub(r'[^A-Za-z0-9_-]', '_', tool.name)}"
        why = _unusable(told, tool, offered)
        if why and server.tools:
            raise InvalidModel(
                f"{where} has a tool {tool.name!r} that cannot be offered: {why}; leave it out of `tools`"
            )
        if why:
            log.warning("%s has a tool %s that is not offered: %s", where, visible(repr(tool.name), 80), why)
            continue
        offered[told] = tool
    if not offered:
        lack = "no tool that says it only reads (`readOnlyHint`), and a gate only reads" if reads_only else "no tool"
        raise InvalidModel(f"{where} offers {lack}; leave the server out of the role")
    if len(offered) > TOOLS_MAX:
        raise InvalidModel(f"{where} offers {len(offered)} tools, at most {TOOLS_MAX} can be; name those under `tools`")
    return offered


def _unusable(told: str, tool: wire.Tool, offered: Mapping[str, wire.Tool]) -> str:
    if len(told) > NAME_CHARS_MAX:
        return f"its name with the server's before it has {len(told)} characters, at most {NAME_CHARS_MAX} may be"
    if told in offered:
        return f"{offered[told].name!r} is called {told} already"
    size = len(json.dumps(_bounded(tool.input_schema)))
    if size > SCHEMA_CHARS_MAX:
        return f"its parameters take {size:,} characters, at most {SCHEMA_CHARS_MAX:,} may be"
    return ""


def _reads_only(tool: wire.Tool) -> bool:
    return tool.annotations is not None and tool.annotations.read_only_hint is True


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {visible(close[0], 80)!r}?"
    return f"it has: {visible(', '.join(sorted(known)), 500) or 'none'}"


def _described(server: ToolServer, tool: wire.Tool) -> str:
    said = visible(tool.description or tool.title or "", DESCRIPTION_CHARS_MAX)
    return f"A tool of the server {server.name}, in the server's own words: {said or '(it says nothing)'}"


def _bounded(schema: Any) -> Any:
    """Return a JSON schema with each text in it that is written for a reader bounded and visible."""
    if isinstance(schema, dict):
        return {
            key: visible(value, DESCRIPTION_CHARS_MAX)
            if key in {"description", "title", "$comment"} and isinstance(value, str)
            else _bounded(value)
            for key, value in schema.items()
        }
    return [_bounded(item) for item in schema] if isinstance(schema, list) else schema


def visible(text: str, chars_max: int) -> str:
    """Return text without characters that nobody sees: controls, marks of direction, tags, halves of pairs."""
    seen = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})
    return seen if len(seen) <= chars_max else f"{seen[: chars_max - 1]}…"


def text_of(result: wire.CallToolResult) -> str:
    """Return what a tool returned as one text: words as they are, anything else in a line that says what it was."""
    if not result.content and result.structured_content is not None:
        return cut(json.dumps(result.structured_content, ensure_ascii=False))
    return cut("\n".join(_said(block) for block in result.content))


def _said(block: wire.ContentBlock) -> str:
    match block:
        case wire.TextContent():
            return block.text
        case wire.ImageContent() | wire.AudioContent():
            return _left_out(block.type, block.mime_type, block.data)
        case wire.EmbeddedResource(resource=wire.TextResourceContents() as held):
            return held.text
        case wire.EmbeddedResource(resource=wire.BlobResourceContents() as held):
            return _left_out(f"resource {visible(held.uri, 200)}", held.mime_type, held.blob)
        case wire.ResourceLink():
            return f"(a link to {visible(block.uri, 200)}, which was not followed)"
        case _:
            return "(something of a kind that is not shown)"


def _left_out(what: str, media_type: str | None, encoded: str) -> str:
    return f"({what} of {visible(media_type or 'no media type', 80)}, about {len(encoded) * 3 // 4:,} bytes, not shown)"


def cut(text: str) -> str:
    """Return text that is UTF-8 and no longer than a result may be; where it was longer, it says so."""
    text = text.encode(errors="replace").decode()
    if len(text) <= RESULT_CHARS_MAX:
        return text
    note = f"\n(cut; it had {len(text):,} characters)"
    return text[: RESULT_CHARS_MAX - len(note)] + note
