"""A few pages for probes: whether a process lives, whether it is ready, and its numbers.

Small on purpose: GET and HEAD of the pages that it was given, one request per connection, and bounds on its size, its
time and how many there are at once. It must never serve anything that a page did not return, nor take anything in.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from squads.contracts.errors import InvalidInput

REQUEST_BYTES_MAX: Final = 8 * 1024
REQUEST_SECONDS_MAX: Final = 5.0
CONNECTIONS_MAX: Final = 32
LOOPBACK: Final = "127.0.0.1"
_LINE: Final = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,255}) HTTP/1\.[01]")
_PLACE: Final = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.%]+\]|[^\[\]:]*):)?(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one path answers now."""

    status: int = 200
    text: str = "ok\n"
    media_type: str = "text/plain; charset=utf-8"


class HealthServer:
    """Serves pages until it is closed.

    Args:
        place: `HOST:PORT`, or a port alone for this machine only. Port 0 takes a free one.
        pages: What each path answers, asked anew for every request.
    """

    def __init__(
        self, place: str, pages: Mapping[str, Callable[[], Page]], *, seconds_max: float = REQUEST_SECONDS_MAX
    ) -> None:
        self._host, self._port = place_of(place)
        self._pages = pages
        self._seconds_max = seconds_max
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to listen. Raises `InvalidInput` where that is not possible."""
        try:
            self._server = await asyncio.start_server(
                self._accept, self._host, self._port, limit=REQUEST_BYTES_MAX, backlog=CONNECTIONS_MAX
            )
        except OSError as error:
            raise InvalidInput(
                f"cannot listen on {self._host}:{self._port}: {error.strerror or error}; "
                "name another place with --health"
            ) from error

    async def close(self) -> None:
        """Stop listening and end what is being answered. Closing twice is no error."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for task in list(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._serving) >= CONNECTIONS_MAX:
            writer.close()  # whoever probes comes again
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(self._seconds_max):
                    bodiless, page = await self._answered(reader)
                    writer.write(_written(page, bodiless=bodiless))
                    await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._seconds_max):
                    await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader) -> tuple[bool, Page]:
        """Return whether only the head is wanted, and the page for one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return False, Page(status=431, text="too long\n")
        except asyncio.IncompleteReadError:
            return False, Page(status=400, text="not a request\n")
        line = _LINE.fullmatch(head.partition(b"\r\n")[0])
        if line is None:
            return False, Page(status=400, text="not a request\n")
        method, path = line[1].decode(), line[2].decode().partition("?")[0]
        if method not in ("GET", "HEAD"):
            return False, Page(status=405, text="GET and HEAD only\n")
        found = self._pages.get(path)
        if found is None:
            return method == "HEAD", Page(status=404, text=f"there are {', '.join(sorted(self._pages))}\n")
        try:
            return method == "HEAD", found()
        except Exception as error:  # a page that breaks is bad news, and told as such
            return method == "HEAD", Page(status=500, text=f"{type(error).__name__}\n")


def place_of(place: str) -> tuple[str, int]:
    """Return host and port of `HOST:PORT` or `PORT`; without a host this machine alone. Raises `InvalidInput`."""
    found = _PLACE.fullmatch(place)
    if found is None or int(found["port"]) > 65_535:
        raise InvalidInput(f"{place!r:.80} is no HOST:PORT; write 9100 for this machine only, or 0.0.0.0:9100")
    return (found["host"] or LOOPBACK).strip("[]"), int(found["port"])


def _written(page: Page, *, bodiless: bool) -> bytes:
    body = page.text.encode()
    allow = "Allow: GET, HEAD\r\n" if page.status == 405 else ""
    head = (
        f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}\r\nContent-Type: {page.media_type}\r\n"
        f"Content-Length: {len(body)}\r\n{allow}Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if bodiless else body)
