"""Keeps a worker's sign of life fresh from a thread, on a plain connection that the event loop cannot hold up.

A loop that is busy for a minute must not make others believe that its worker died. This connects by itself, knows what
the link last learned about where the server is, and follows a cluster's `MOVED`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable, failure
from squads.adapters.redis_bus.lines import Argument, Place, arguments

if TYPE_CHECKING:
    from squads.adapters.redis_bus.routes import Routes


class Heart:
    """Sets and removes keys that expire. For one thread at a time."""

    def __init__(self, address: BusAddress, routes: Routes, *, seconds: float) -> None:
        self._address = address
        self._routes = routes
        self._seconds = seconds
        self._connection: Any = None  # redis-py's plain connection, whose methods have no types
        self._place: Place | None = None

    def beat(self, keys: Sequence[str], ttl_ms: int) -> None:
        """Set every key, to be gone after `ttl_ms` without a further beat. Raises as `Link.call`."""
        self._send([("SET", key, b"1", "PX", ttl_ms) for key in keys])

    def drop(self, keys: Sequence[str]) -> None:
        """Remove the keys now."""
        self._send([("DEL", key) for key in keys])

    def close(self) -> None:
        """Close the connection. Closing twice is no error."""
        connection, self._connection, self._place = self._connection, None, None
        if connection is not None:
            connection.disconnect()

    def _send(self, commands: Sequence[Sequence[Argument]]) -> None:
        from redis.exceptions import AskError

        from squads.adapters.redis_bus.link import slot_of

        if not commands:
            return
        slot = slot_of(commands[0])
        for last in (False, True):  # the second try is for a connection that was cut, and for a slot that moved
            place = self._routes.place(slot)
            if place is None:
                raise LinkUnavailable(f"no sentinel of {self._address} was asked yet where the server is", "unasked")
            try:
                self._exchange(place, commands)
                return
            except Exception as error:
                self.close()
                if isinstance(error, AskError) and self._address.kind == "cluster":
                    self._routes.moved(error, place)
                if last:
                    raise failure(error, self._address, str(commands[0][0]), tries=2) from error

    def _exchange(self, place: Place, commands: Sequence[Sequence[Argument]]) -> None:
        if place != self._place:
            self.close()
        if self._connection is None:
            self._connection, self._place = self._new(place), place
        connection = self._connection
        connection.send_packed_command(connection.pack_commands(commands))
        failed: Exception | None = None
        for _ in commands:
            try:
                connection.read_response()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _new(self, place: Place) -> Any:
        from redis import connection

        kind: Any = connection.Connection
        if self._address.kind == "unix":
            kind = connection.UnixDomainSocketConnection
        elif self._address.tls:
            kind = connection.SSLConnection
        values = arguments(self._address, place, connect_seconds=self._seconds)
        return kind(**values | {"socket_timeout": self._seconds})
