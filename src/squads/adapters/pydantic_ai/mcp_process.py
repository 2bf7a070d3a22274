"""An MCP server as a child process: its pipes, its messages, and its certain end.

The process belongs to whoever opened it and not to the client that speaks through it: clients end their sessions in
tasks that a second cancellation interrupts, and a server that outlives its role would keep what the role told it.
Whatever it started dies with it, unless it left its process group. No shell reads the command.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio
from fastmcp.client.transports.base import ClientTransport, SessionKwargs, TransportOptions
from mcp import ClientSession
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter
from typing_extensions import Unpack

MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""The longest message that a server may write; a longer one ends the session."""
GRACE_SECONDS: Final = 2.0
"""How long a server has to leave by itself once its input is closed, and again once it was told to."""
_SAID_BYTES_MAX: Final = 2_000
_LOOK_SECONDS: Final = 0.01


@asynccontextmanager
async def running(command: Sequence[str], *, environment: Mapping[str, str], folder: str) -> AsyncIterator[Child]:
    """Start a server, and end it with all that it started when the block is left, however often that is cancelled.

    Raises `OSError` where it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
        limit=MESSAGE_BYTES_MAX,
    )
    child = Child(process)
    try:
        yield child
    finally:
        await to_the_end(child.end())


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await bounded work although this task is cancelled meanwhile; the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


class Child:
    """A running server: messages from it, messages to it, and what else it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process
        self._said = bytearray()
        self._inbox, self.incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self.outgoing, self._outbox = anyio.create_memory_object_stream[SessionMessage](0)
        self._pumps = [asyncio.ensure_future(pump()) for pump in (self._read, self._write, self._listen)]

    @property
    def ended(self) -> bool:
        """True once the process is gone."""
        return self._process.returncode is not None

    @property
    def said(self) -> str:
        """The last that it wrote beside its messages."""
        return self._said.decode(errors="replace").strip()

    async def end(self) -> None:
        """Close its input, then end whatever is left of its process group; at most three times `GRACE_SECONDS`."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        if not await self._gone():
            self._signal(signal.SIGTERM)
            await self._gone()
        # Also where it left by itself: what it started may not have. A signal is no end yet, so the group is awaited.
        self._signal(signal.SIGKILL)
        await self._gone(group=True)
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for stream in (self._inbox, self.incoming, self.outgoing, self._outbox):
            stream.close()
        # A descendant that left the group may hold a pipe open, and asyncio offers no public way to let go of it.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()

    def _signal(self, number: int) -> bool:
        """Send a signal to whatever is left of its group; False where nothing is. Signal 0 only looks."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # something is left that is not ours to end
            pass
        return True

    async def _gone(self, *, group: bool = False) -> bool:
        # Not `process.wait()`: it also waits for pipes that a descendant may hold.
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while not self.ended or (group and self._signal(0)):  # noqa: ASYNC110 - nobody tells of these ends
                    await asyncio.sleep(_LOOK_SECONDS)
        return self.ended

    async def _read(self) -> None:
        """Pass messages on; lines that are none are kept with what it said, as many servers greet on this pipe."""
        stdout = self._process.stdout
        assert stdout is not None
        with suppress(OSError, ValueError):  # ValueError: a line over the bound
            try:
                while line := await stdout.readline():
                    try:
                        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError:
                        self._keep(line)
                        continue
                    await self._inbox.send(SessionMessage(message))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                # Nobody listens any more. Read on, or the server would hang in a write instead of leaving.
                while await stdout.read(65_536):
                    pass
        self._inbox.close()

    async def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with suppress(OSError, ValueError):  # ValueError: a message that JSON cannot hold
            async for item in self._outbox:
                stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                await stdin.drain()
        self._inbox.close()

    async def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        with suppress(OSError):
            while chunk := await stderr.read(4_096):
                self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        self._said += chunk[-_SAID_BYTES_MAX:]
        del self._said[:-_SAID_BYTES_MAX]


class PipeTransport(ClientTransport):
    """Speaks MCP with a child that somebody else started and ends."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_kwargs: Unpack[SessionKwargs]
    ) -> AsyncGenerator[ClientSession, None]:
        """Open the one session that a child has."""
        options = transport_options or TransportOptions()
        async with options.session_class(self._child.incoming, self._child.outgoing, **session_kwargs) as session:
            yield session
