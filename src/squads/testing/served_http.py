"""HTTP/1.1 for the model server: just enough of it, and quick, so that a benchmark measures the client.

One connection answers one request after another. What cannot wait is written at once; a task is made only for an
answer that takes time. Broken endings are part of the trade: half a body, a reset, or nothing at all.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
RESET_AFTER_SECONDS = 0.02
"""A reset throws away what the client has not read yet, so what was sent gets this long to arrive."""
_PHRASES = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
_PHRASES |= {411: "Length Required", 413: "Content Too Large", 500: "Internal Server Error", 529: "Overloaded"}


@dataclass(slots=True)
class Outgoing:
    """What goes back to the client, and how it ends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    events: list[bytes] | None = None
    """A stream, instead of a body."""
    wait_ms: int = 0
    chunk_wait_ms: int = 0
    ending: Literal["whole", "truncated", "reset-before-headers", "reset-after-headers", "silent"] = "whole"
    sent: Callable[[], None] | None = None
    """Called when all of it was handed to a connection that is still open."""


Respond = Callable[[str, str, Mapping[str, str], bytes], "Outgoing | Awaitable[Outgoing]"]


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, respond: Respond, connections: set[Connection]) -> None:
        self._respond = respond
        self._connections = connections
        self._buffer = bytearray()
        self._busy = False
        self._last = False
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it, so that closing the server closes it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop working on an answer that nobody waits for."""
        self._connections.discard(self)
        self._lost.set()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        if not self._busy:
            self._advance()

    async def abort(self) -> None:
        """Close without another word."""
        self._transport.abort()
        await self._lost.wait()

    def _advance(self) -> None:
        while not self._busy and not self._transport.is_closing():
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > HEAD_BYTES_MAX:
                    self._refuse(413)
                return
            try:
                line, *fields = self._buffer[:end].decode("latin-1").split("\r\n")
                method, target, _ = line.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
                size = int(headers.get("content-length", "0"))
            except ValueError:
                self._refuse(400)
                return
            if "transfer-encoding" in headers or size > BODY_BYTES_MAX or size < 0:
                self._refuse(411 if "transfer-encoding" in headers else 413)
                return
            if len(self._buffer) < end + 4 + size:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + size])
            del self._buffer[: end + 4 + size]
            self._last = headers.get("connection", "").lower() == "close"
            self._answer(self._respond(method, target.partition("?")[0], headers, body))

    def _refuse(self, status: int) -> None:
        self._last = True
        self._write(Outgoing(status, body=b'{"error":{"message":"the model server cannot read this HTTP request"}}'))

    def _answer(self, outgoing: Outgoing | Awaitable[Outgoing]) -> None:
        if isinstance(outgoing, Outgoing) and not outgoing.wait_ms and not outgoing.chunk_wait_ms:
            self._write(outgoing)
            return
        self._busy = True
        self._task = asyncio.ensure_future(self._answer_later(outgoing))

    async def _answer_later(self, outgoing: Outgoing | Awaitable[Outgoing]) -> None:
        if not isinstance(outgoing, Outgoing):
            outgoing = await outgoing
        if outgoing.wait_ms:
            await asyncio.sleep(outgoing.wait_ms / 1000)
        if outgoing.chunk_wait_ms and outgoing.events is not None and outgoing.ending == "whole":
            self._transport.write(_head(outgoing))
            for event in outgoing.events:
                self._transport.write(_chunk(event))
                await asyncio.sleep(outgoing.chunk_wait_ms / 1000)
            self._transport.write(b"0\r\n\r\n")
            self._finish(outgoing)
        else:
            self._write(outgoing)
        self._task = None
        if self._busy and outgoing.ending != "silent":
            self._busy = False
            self._advance()

    def _write(self, outgoing: Outgoing) -> None:
        match outgoing.ending:
            case "silent":
                self._busy = True
                return
            case "reset-before-headers":
                self._reset()
                return
            case "reset-after-headers":
                body = outgoing.body if outgoing.events is None else _chunk(b"".join(outgoing.events))
                self._transport.write(_head(outgoing) + body[: len(body) // 2])
                self._busy = True
                asyncio.get_running_loop().call_later(RESET_AFTER_SECONDS, self._reset)
                return
            case "truncated" if outgoing.events is None:
                outgoing.body = _half(outgoing.body)
            case "truncated":
                outgoing.events = [_half(b"".join(outgoing.events or ()))]
        if outgoing.events is None:
            self._transport.write(_head(outgoing) + outgoing.body)
        else:
            self._transport.write(_head(outgoing) + b"".join(map(_chunk, outgoing.events)) + b"0\r\n\r\n")
        self._finish(outgoing)

    def _finish(self, outgoing: Outgoing) -> None:
        if outgoing.sent is not None and not self._transport.is_closing():
            outgoing.sent()
        if self._last:
            self._transport.close()

    def _reset(self) -> None:
        # Lingering for zero seconds turns the closing handshake into a reset, as a dying proxy sends it.
        plug: socket.socket | None = self._transport.get_extra_info("socket")
        if plug is not None and not self._transport.is_closing():
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _head(outgoing: Outgoing) -> bytes:
    if outgoing.events is None:
        framing = f"content-type: application/json\r\ncontent-length: {len(outgoing.body)}\r\n"
    else:
        framing = "content-type: text/event-stream\r\ncache-control: no-store\r\ntransfer-encoding: chunked\r\n"
    more = "".join(f"{name}: {value}\r\n" for name, value in outgoing.headers.items())
    return f"HTTP/1.1 {outgoing.status} {_PHRASES.get(outgoing.status, 'Status')}\r\n{framing}{more}\r\n".encode()


def _half(text: bytes) -> bytes:
    """Return the first half, without half of a character: it is the JSON that is broken."""
    return text[: len(text) // 2].decode("utf-8", "ignore").encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
