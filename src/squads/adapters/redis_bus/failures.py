"""What went wrong between us and the server, each in one sentence: what, where, and what to do.

A sentence names the address without its password, and the command without its arguments.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from squads.adapters.redis_bus.address import BusAddress
from squads.contracts.errors import BusUnavailable, BusUnfit

UNKNOWN_CHARS_MAX = 200


class LinkUnavailable(BusUnavailable):
    """`BusUnavailable` with a code word: `refused`, `timeout`, `noperm`, `nogroup`, …

    A word of the server's own is its error's first word in small letters.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class LinkUnfit(BusUnfit):
    """`BusUnfit` with a code word: `old`, `cluster`, `replica`, …"""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


_NETWORK = {
    "dns": "its name is not known here; check the address, or the name server",
    "refused": "nobody listens there; start the server, or check host and port",
    "missing": "there is no such socket; start the server, or check the path",
    "denied": "this user may not open the socket; check its group and mode",
    "unreachable": "there is no way to that machine; check the network and the address",
    "certificate": "its certificate was not accepted; check ca=, and that the certificate names this host",
    "tls": "no TLS could be agreed on; use redis:// where the server speaks none, and check cert= and key=",
    "reset": "the connection was closed; the server restarted, was full, or something between cut it",
    "timeout": "no answer came in time; it may be overloaded, stopped, or cut off",
}

_SERVER: dict[str, str] = {
    "misconf": (
        "takes no writes, because it cannot save (MISCONF): its disk is full or not writable; make room, it goes on by "
        "itself"
    ),
    "oom": "is at its maxmemory and takes no more (OOM): raise maxmemory, or let workers empty the queues",
    "readonly": (
        "is a replica, which takes no writes (READONLY): give the primary's address, or a redis+sentinel:// one that "
        "finds it"
    ),
    "loading": "is still loading its data (LOADING): wait, it goes on by itself",
    "busy": "is held up by a long script (BUSY): wait, or end it there with SCRIPT KILL",
    "clusterdown": "is a cluster that is down (CLUSTERDOWN): start the nodes that hold the missing slots",
    "tryagain": "is moving this workspace's slot (TRYAGAIN): wait, it goes on by itself",
    "masterdown": "lost its primary (MASTERDOWN): wait for the failover, it goes on by itself",
    "noreplicas": "has too few replicas to take writes (NOREPLICAS): start them, or lower min-replicas-to-write",
    "clients": "takes no more connections: raise its maxclients, or run fewer workers",
}
_DENIED_IN_SCRIPT = ("The user executing the script can't", "ACL failure in script")
"""What Redis 7.0 says, and what newer servers do: inside of a script a missing right has no code word of its own."""
_PASSING = frozenset(
    {"reset", "refused", "timeout", "missing", "unreachable", "loading", "busy", "clusterdown", "tryagain"}
    | {"masterdown", "noreplicas", "clients", "dns"}
)


def passing(code: str) -> bool:
    """Say whether the same command may well succeed a moment later."""
    return code in _PASSING


def code_of(error: BaseException) -> str:
    """Return the code word of what redis-py, the network or the server said."""
    from redis import exceptions as said

    if isinstance(error, LinkUnavailable | LinkUnfit):
        return error.code
    text = str(error)
    if isinstance(error, said.AuthenticationError):
        return "noauth" if error.status_code == "NOAUTH" else "wrongpass"
    if isinstance(error, said.BusyLoadingError):
        return "loading"
    if "max number of clients" in text:
        return "clients"
    if isinstance(error, said.ConnectionError | said.TimeoutError | OSError | TimeoutError):
        return _network(error)
    if isinstance(error, said.MovedError | said.AskError):
        return "moved"
    if isinstance(error, said.ResponseError):
        if any(words in text for words in _DENIED_IN_SCRIPT):
            return "noperm"
        word = error.status_code or text.split(" ", 1)[0]
        return word.lower() if word.isalpha() and word.isupper() else "err"
    return "protocol"


def _network(error: BaseException) -> str:
    for link in _chain(error):
        for kinds, code in _NETWORK_KINDS:
            if isinstance(link, kinds):
                return code
    return "timeout" if "imeout" in type(error).__name__ else "reset"


_NETWORK_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    ((ConnectionResetError, BrokenPipeError), "reset"),
    (FileNotFoundError, "missing"),
    (PermissionError, "denied"),
    (TimeoutError, "timeout"),
    (OSError, "unreachable"),
)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1


def failure(
    error: BaseException, address: BusAddress, command: str, *, where: str = "", tries: int = 1
) -> LinkUnavailable | LinkUnfit:
    """Return what happened as one sentence, as the error that the bus raises."""
    if isinstance(error, LinkUnavailable | LinkUnfit):
        return error
    code = code_of(error)
    server = f"the bus at {address}" + (f" ({where})" if where and where not in str(address) else "")
    if code in _NETWORK:
        tried = f"{command}, tried {tries} times" if tries > 1 else command
        return LinkUnavailable(
            f"{server} cannot be reached ({tried}): {_NETWORK[code]}{_tls_hint(code, address)}", code
        )
    if code in _SERVER:
        return LinkUnavailable(f"{server} {_SERVER[code]}", code)
    if code in {"wrongpass", "noauth"}:
        return LinkUnavailable(f"{server} {_credentials(code, address)}", code)
    if code == "noperm":
        who = f"the user {address.user!r}" if address.user else "this user"
        return LinkUnavailable(
            f"{server} does not let {who} do {command} there (NOPERM); load the lines that `squads acl` prints", code
        )
    if code == "moved":
        return LinkUnfit(
            f"{server} is a node of a cluster, and this workspace is on another one (MOVED); "
            f"write the address as redis{'s' if address.tls else ''}+cluster://…",
            "cluster",
        )
    words = " ".join(str(error).split())[:UNKNOWN_CHARS_MAX]
    return LinkUnavailable(f"{server} answered {command} with an error: {words}", code)


def _tls_hint(code: str, address: BusAddress) -> str:
    """A server without TLS waits for more of what it takes for a command; one with TLS hangs up on plain text."""
    if code == "timeout" and address.tls:
        return ", or it speaks no TLS on this port (then redis://)"
    if code == "reset" and not address.tls and address.kind != "unix":
        return ", or it speaks only TLS on this port (then rediss://)"
    return ""


def _credentials(code: str, address: BusAddress) -> str:
    where = "set SQUADS_BUS_USER and SQUADS_BUS_PASSWORD, or SQUADS_BUS_PASSWORD_FILE"
    if not address.password:
        return f"wants a password, and none was given (NOAUTH); {where}"
    if code == "noauth":
        return f"wants another password than the one it got (NOAUTH); {where}"
    who = f"user {address.user!r}" if address.user else "default user"
    return f"does not accept this password for the {who} (WRONGPASS); {where}"
