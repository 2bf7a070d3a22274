"""A way to a PostgreSQL server that is cut at a commit: before it hears of it, or before the client hears back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

Cut = Literal["before", "after"]
_COMMIT = b"COMMIT\0"


class CutLine:
    """Listens on a port of this machine and passes everything on, until `cut` is set and a commit comes by."""

    def __init__(self, port: int) -> None:
        self.cut: Cut | None = None
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = [self._listener]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in list(self._sockets):
            _end(one)
        for thread in list(self._threads):
            thread.join()

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                self._start(self._there, client, server)
                self._start(self._back, client, server)

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := client.recv(65_536):
                if self.cut is not None and _COMMIT in said:
                    cut, self.cut = self.cut, None
                    _end(client, also_close=False)  # an answer finds nobody
                    if cut == "after":
                        server.sendall(said)
                        server.shutdown(socket.SHUT_WR)  # it commits, and then finds that nobody is there
                        return
                    break
                server.sendall(said)
        _end(client)
        _end(server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := server.recv(65_536):
                client.sendall(said)
        _end(client)


def _end(one: socket.socket, *, also_close: bool = True) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    if also_close:
        one.close()
