"""Guards that make an escaped call fail the test: only this machine can be reached, and no key can be found.

    with only_loopback(), without_keys():
        ...

A guard must fail the test even where somebody catches its error: a SDK may turn whatever happens below it into an
error of its own and try again. So what escaped is remembered, and raised when the block is left.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from typing import Any
from unittest import mock

KEY_ENDINGS = ("_API_KEY", "_AUTH_TOKEN")
"""Variables whose names end so are taken for keys of providers."""


_SENDING: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "connect": lambda args: args[0],
    "connect_ex": lambda args: args[0],
    "sendto": lambda args: args[-1],
    "sendmsg": lambda args: args[3] if len(args) > 3 else None,
}
"""What a socket sends through, and where its arguments hold the address."""
_RESOLVING = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")


class EscapedCall(AssertionError):
    """A test tried to reach something else than this machine."""


class NetworkGuard:
    """What `only_loopback` yields: the calls that tried to escape."""

    def __init__(self) -> None:
        self.escapes: list[EscapedCall] = []
        """In order. A test that escapes on purpose clears it before the block ends."""

    def check(self, host: object, port: object = None) -> None:
        """Raise `EscapedCall` unless the host is this machine."""
        if is_loopback(host):
            return
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        place = f"{name}:{port}" if port else name
        escape = EscapedCall(
            f"a test tried to reach {place!r}, and only this machine may be reached; point the client at a "
            f"squads.testing.ModelServer, give it the client of the `wire` fixture, or script the model"
        )
        self.escapes.append(escape)
        raise escape


def is_loopback(host: object) -> bool:
    """Say whether a host, by name or address, is this machine. Nothing is resolved."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, (bytes, bytearray)) else str(host)
    name = name.lower().rstrip(".")
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    # The unspecified address is what servers bind to; connecting to it stays on this machine.
    return bool(mapped.is_loopback or mapped.is_unspecified)


@contextmanager
def only_loopback() -> Iterator[NetworkGuard]:
    """Let sockets of this process reach this machine only; Unix sockets stay as they are.

    Names are refused before they are resolved, so that the error names the host. Raises the first `EscapedCall` when
    the block is left, also where somebody caught it. Other processes, and libraries that open sockets in C, are not
    watched.
    """
    guard = NetworkGuard()

    def watched(real: Callable[..., Any], address_of: Callable[[tuple[Any, ...]], Any]) -> Callable[..., Any]:
        def call(self: socket.socket, *args: Any) -> Any:
            address = address_of(args)
            if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
                guard.check(*address[:2])
            return real(self, *args)

        return call

    def resolving(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(host: Any, *args: Any, **kwargs: Any) -> Any:
            guard.check(host, args[0] if args else kwargs.get("port"))
            return real(host, *args, **kwargs)

        return call

    with ExitStack() as patched:
        for name, address_of in _SENDING.items():
            new = watched(getattr(socket.socket, name), address_of)
            patched.enter_context(mock.patch.object(socket.socket, name, new))
        for name in _RESOLVING:
            patched.enter_context(mock.patch.object(socket, name, resolving(getattr(socket, name))))
        try:
            yield guard
        except EscapedCall:
            raise
        except BaseException as error:
            if guard.escapes:
                raise guard.escapes[0] from error
            raise
    if guard.escapes:
        raise guard.escapes[0]


@contextmanager
def without_keys() -> Iterator[tuple[str, ...]]:
    """Take every provider's key out of the environment, and put it back; yields the names of what was taken."""
    taken = {name: value for name, value in os.environ.items() if name.upper().endswith(KEY_ENDINGS)}
    for name in taken:
        del os.environ[name]
    try:
        yield tuple(sorted(taken))
    finally:
        os.environ.update(taken)
