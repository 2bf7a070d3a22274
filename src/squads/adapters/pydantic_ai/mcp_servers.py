"""MCP servers for one role: checked before work begins, started with its turn, ended with it.

Every turn has a process or a session of its own. Nothing is kept between turns and nothing is shared between roles, so
that no server can carry what the author told it to the gate that judges the author. No vendor is imported before the
first server is started, because the package that speaks MCP is an extra.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from squads.contracts.errors import InvalidModel, ModelError, ModelUnreachable
from squads.contracts.thinking import ToolServer

if TYPE_CHECKING:
    from pydantic_ai.toolsets import AbstractToolset

    from squads.adapters.pydantic_ai.mcp_process import Child

START_SECONDS_MAX: Final = 30.0
"""How long a server may take from its start until it has listed its tools."""
_LEAVE_SECONDS_MAX: Final = 5.0
_SECRET_CHARS_MIN: Final = 4
"""Shorter values are no secrets, and would be found in any word."""

log = logging.getLogger("squads.pydantic_ai")


@asynccontextmanager
async def server_toolset(
    server: ToolServer, *, role: str, reads_only: bool, show: Callable[[str, str], str]
) -> AsyncIterator[AbstractToolset[Any]]:
    """Start a server or open a session with it, and yield its tools for one turn of one role.

    The server is given the variables it names and `PATH`, and starts in an empty folder that vanishes afterwards. Its
    tools are called `server_tool`. What they return reaches the model through `show(name, text)`, as text of at most
    60,000 characters; the error of a tool goes back to the model in the same way, five times in a row.

    Args:
        server: Which one; `server.tools` bounds what is offered, empty offers all.
        role: For whom: named in messages only.
        reads_only: For a gate. Only tools that their server declares as reading are offered. That is the server's word
            and nothing enforces it: give a gate no server that you would not believe.
        show: Makes data of a tool's name and its text.

    Raises:
        InvalidModel: It cannot be used as it is written, and will not be usable the next time.
        ModelUnreachable: It did not start, did not answer in 30 seconds, or was gone before a call returned.
    """
    check_servers([server])
    async with AsyncExitStack() as stack:
        child: Child | None = None
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                from squads.adapters.pydantic_ai.mcp_toolset import ServerToolset

                if server.command:
                    child, transport = await _started(server, stack)
                else:
                    transport = _remote(server)
                toolset = ServerToolset(transport, server=server, role=role, show=show, start_seconds=START_SECONDS_MAX)
                await toolset.__aenter__()
                stack.push_async_callback(_leave, toolset, server)
                await toolset.choose(reads_only=reads_only)
        except (InvalidModel, ModelError):
            raise
        except ImportError as error:
            raise _not_installed(server) from error
        except TimeoutError as error:
            why = f"it did not answer within {START_SECONDS_MAX:g} seconds"
            raise _not_started(server, role, why, child) from error
        except Exception as error:
            raise _not_started(server, role, _reason(error), child) from error
        yield toolset


def check_servers(servers: Sequence[ToolServer]) -> None:
    """Raise `InvalidModel` for servers that cannot be used from here; starts none and asks nobody."""
    if servers and (find_spec("mcp") is None or find_spec("fastmcp") is None):
        raise _not_installed(servers[0])
    names: list[str] = []
    for server in servers:
        if server.name in names:
            raise InvalidModel(f"two MCP servers are named {server.name!r}; their tools could not be told apart")
        names.append(server.name)
        _check(server)
    for first in names:
        for second in names:
            if second.startswith(f"{first}_"):
                raise InvalidModel(
                    f"the MCP servers {first!r} and {second!r} could have tools of one name, because a tool's name "
                    f"begins with its server's; rename one"
                )


def _not_installed(server: ToolServer) -> InvalidModel:
    return InvalidModel(
        f'the MCP server {server.name!r} needs a package that is not installed: pip install "squads[mcp]"'
    )


def _check(server: ToolServer) -> None:
    where = f"the MCP server {server.name!r}"
    if bool(server.command) == bool(server.url):
        both = "has both a command and a URL" if server.url else "has neither a command nor a URL"
        raise InvalidModel(f"{where} {both}; give it exactly one")
    if server.url:
        if server.environment:
            raise InvalidModel(f"{where} has a URL, and `environment` is for commands; leave it out")
        _check_url(server.url, where)
        return
    if shutil.which(server.command[0]) is None:
        raise InvalidModel(
            f"{where} is started by {server.command[0]!r}, and there is no such program on PATH; install it, or give "
            f"its absolute path"
        )
    for variable in server.environment:
        if variable not in os.environ:
            raise InvalidModel(f"{where} is given the environment variable {variable}, which is not set; set it")


def _check_url(url: str, where: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidModel(f"{where} has a URL that cannot be read: {error}") from error
    if parts.username is not None or parts.password is not None:
        # Not repeated in the message: it would be written wherever errors are.
        raise InvalidModel(f"{where} has a name or a password in its URL, where everybody reads it; take it out")
    if not host or parts.scheme not in {"https", "http"}:
        raise InvalidModel(f"{where} has the URL {url!r}; it must begin with https:// and name a host")
    if parts.scheme == "http" and not _is_loopback(host):
        raise InvalidModel(
            f"{where} would be reached by http at {host!r}, where others can read and change what is said; use https "
            f"(http is for this machine only)"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _started(server: ToolServer, stack: AsyncExitStack) -> tuple[Child, Any]:
    from squads.adapters.pydantic_ai.mcp_process import PipeTransport, running

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="squads-mcp-", ignore_cleanup_errors=True))
    names = ("PATH", *server.environment)
    environment = {name: os.environ[name] for name in names if name in os.environ}
    command = (_program(server.command[0]), *server.command[1:])
    child = await stack.enter_async_context(running(command, environment=environment, folder=folder))
    return child, PipeTransport(child)


def _program(name: str) -> str:
    """Return where a program is, from here, because its server does not start in this folder."""
    return str(Path(shutil.which(name) or name).absolute())


def _remote(server: ToolServer) -> Any:
    import httpx2
    from fastmcp.client.transports import StreamableHttpTransport

    # The client follows redirects within the server's own origin and no others.
    if not _is_loopback(urlsplit(server.url).hostname or ""):
        return StreamableHttpTransport(server.url)

    def direct(**given: Any) -> httpx2.AsyncClient:
        # A proxy out of the environment would carry off what is meant to stay on this machine.
        return httpx2.AsyncClient(**given, trust_env=False)

    factory: Any = direct  # its protocol knows fewer arguments than the transport gives
    return StreamableHttpTransport(server.url, httpx_client_factory=factory)


async def _leave(toolset: AbstractToolset[Any], server: ToolServer) -> None:
    try:
        async with asyncio.timeout(_LEAVE_SECONDS_MAX):
            await toolset.__aexit__(None, None, None)
    except Exception as error:  # the turn is over: how its server took leave changes nothing any more
        log.debug("the MCP server %r did not take leave: %s", server.name, type(error).__name__)


def _not_started(server: ToolServer, role: str, why: str, child: Child | None) -> ModelUnreachable:
    from squads.adapters.pydantic_ai.mcp_toolset import visible

    said = _without_secrets(child.said, server) if child is not None else ""
    said = f"; it wrote: {visible(said[-500:], 500)}" if said else ""
    why = _without_secrets(why, server)
    do = f"run {server.command[0]!r} by hand" if server.command else f"see that {server.url.partition('?')[0]} answers"
    return ModelUnreachable(
        f"the MCP server {server.name!r} of {role!r} could not be used: {visible(why, 500)}{said}; {do}, then resume"
    )


def _without_secrets(text: str, server: ToolServer) -> str:
    """Return a text without the values of a server's variables and its URL's query: either may be a key."""
    secrets = [(f"[{name}]", os.environ.get(name, "")) for name in server.environment]
    for shown, value in (*secrets, ("[query]", server.url.partition("?")[2])):
        if len(value) >= _SECRET_CHARS_MIN:
            text = text.replace(value, shown)
    return text


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
