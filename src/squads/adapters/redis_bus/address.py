"""Where a bus's server is, read from one URL, and how to say so without saying the password.

    redis://host:6379/0                    one server
    rediss://host:6380?ca=/etc/bus/ca.pem  the same over TLS
    redis+cluster://a:7000,b:7000          a cluster, by any of its nodes (rediss+cluster)
    redis+sentinel://a:26379,b/service     whoever Sentinel says serves now (rediss+sentinel)
    unix:///run/redis/redis.sock?db=0      a socket on this machine

User and password may stand in the URL, but there a list of processes or a log shows them: `SQUADS_BUS_USER` and
`SQUADS_BUS_PASSWORD`, or a file named by `SQUADS_BUS_PASSWORD_FILE`, serve better. Over TLS the certificate and the
host's name are always checked; there is no option that turns this off.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from squads.contracts.errors import InvalidInput, KeyUnavailable

Kind = Literal["single", "cluster", "sentinel", "unix"]

_SCHEMES: Mapping[str, tuple[Kind, bool]] = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "unix": ("unix", False),
}
_OPTIONS: Mapping[Kind, tuple[str, ...]] = {
    "single": ("db",),
    "cluster": (),
    "sentinel": ("db",),
    "unix": ("db",),
}
_TLS_OPTIONS = ("ca", "cert", "key")
_PORT = {"single": 6379, "cluster": 6379, "sentinel": 26379, "unix": 0}

USER = "SQUADS_BUS_USER"
PASSWORD = "SQUADS_BUS_PASSWORD"  # noqa: S105 - the name of a variable
PASSWORD_FILE = "SQUADS_BUS_PASSWORD_FILE"  # noqa: S105 - the name of a variable
SENTINEL_PASSWORD = "SQUADS_BUS_SENTINEL_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class BusAddress:
    """One bus's server or servers, and what to say to be let in."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...] = ()
    """The server; any nodes of the cluster; or the sentinels. Empty for a socket."""
    path: str = ""
    """The socket's path."""
    service: str = ""
    """What Sentinel calls the server."""
    database: int = 0
    tls: bool = False
    ca: str = ""
    """The file of the authority that signed the server's certificate; the system's authorities where it is empty."""
    cert: str = ""
    key: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    sentinel_password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, *, environ: Mapping[str, str] | None = None) -> BusAddress:
        """Return the address that a URL and the environment give.

        What the URL says of user and password goes before what the environment says. Raises `InvalidInput` for
        anything that is not understood completely, and `KeyUnavailable` for a password file that others may read.
        """
        environ = os.environ if environ is None else environ
        scheme, _, rest = url.partition("://")
        if not rest:  # all of it may be a password that lost its beginning: none of it is repeated
            _refuse("a bus address begins with its kind", near("", _SCHEMES, suffix="://"))
        if scheme not in _SCHEMES:
            _refuse(f"there is no bus address that begins with {scheme[:20]!r}", near(scheme, _SCHEMES, suffix="://"))
        kind, tls = _SCHEMES[scheme]
        parts = _split(rest)
        user, password, hosts = _authority(parts.netloc, kind)
        options = _options(parts.query, (*_OPTIONS[kind], *(_TLS_OPTIONS if tls else ())))
        if parts.fragment:
            _refuse("a bus address has no part after '#'", "write %23 for a '#' in a password")
        path = unquote(parts.path)
        service, database = "", _database(options.pop("db", None))
        if kind == "sentinel":
            service, _, number = path.strip("/").partition("/")
            database = _database(number or None, database)
            if not service:
                _refuse("a Sentinel address ends with the name of the service", "as in redis+sentinel://a,b/service")
        elif kind == "single":
            database = _database(path.strip("/") or None, database)
        elif kind == "cluster" and path.strip("/"):
            _refuse("a cluster has no numbered databases", "leave out what follows the hosts")
        elif kind == "unix" and (hosts or not path.strip("/")):
            _refuse("a socket's address holds its whole path", "as in unix:///run/redis/redis.sock")
        for name in _TLS_OPTIONS:
            if name in options and not Path(options[name]).is_file():
                _refuse(f"there is no file {options[name]!r}, which {name}= names", "give the path of a PEM file")
        return cls(
            kind=kind,
            hosts=hosts,
            path=path if kind == "unix" else "",
            service=service,
            database=database,
            tls=tls,
            ca=options.get("ca", ""),
            cert=options.get("cert", ""),
            key=options.get("key", ""),
            user=user or environ.get(USER, ""),
            password=password or environ.get(PASSWORD, "") or _from_file(environ.get(PASSWORD_FILE, "")),
            sentinel_password=environ.get(SENTINEL_PASSWORD, ""),
        )

    @property
    def loopback(self) -> bool:
        """Whether every host named here is this machine."""
        return all(is_loopback(host) for host, _ in self.hosts)

    def __str__(self) -> str:
        """The URL, without the password."""
        scheme = next(name for name, value in _SCHEMES.items() if value == (self.kind, self.tls))
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        tail = self.path if self.kind == "unix" else f"/{self.service}" if self.service else ""
        number = f"/{self.database}" if self.database and self.kind != "unix" else ""
        return f"{scheme}://{user}{hosts}{tail}{number}"


def near(word: str, known: Iterable[str], *, suffix: str = "") -> str:
    """Return a hint that names the known word nearest to this one, or all of them."""
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}{suffix}?"
    return f"known: {', '.join(f'{name}{suffix}' for name in words) or 'none'}"


def is_loopback(host: str) -> bool:
    """Say whether a host's name or number means this machine, as far as that can be said without asking anybody."""
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Parts:
    __slots__ = ("fragment", "netloc", "path", "query")

    def __init__(self, netloc: str, path: str, query: str, fragment: str) -> None:
        self.netloc, self.path, self.query, self.fragment = netloc, path, query, fragment


def _split(rest: str) -> _Parts:
    try:
        parts = urlsplit(f"//{rest}")
    except ValueError:  # its own words would repeat what it was given, and that may hold a password
        _refuse("this bus address cannot be read", "see that brackets around an IPv6 number are closed")
    return _Parts(parts.netloc, parts.path, parts.query, parts.fragment)


def _authority(netloc: str, kind: Kind) -> tuple[str, str, tuple[tuple[str, int], ...]]:
    before, _, after = netloc.rpartition("@")
    user, _, password = before.partition(":")
    if kind == "unix":
        return unquote(user), unquote(password), tuple((name, 0) for name in after.split(",") if name)
    hosts = tuple(_host(name, _PORT[kind]) for name in after.split(","))
    if kind == "single" and len(hosts) > 1:
        _refuse("one server has one host", "several hosts belong to redis+cluster:// or redis+sentinel://")
    return unquote(user), unquote(password), hosts


def _host(text: str, port: int) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, tail = text[1:].partition("]")
        number = tail.removeprefix(":") if closed else "?"
    else:
        host, _, number = text.partition(":")
    if not host:
        _refuse("a host in this bus address has no name", "as in redis://127.0.0.1:6379")
    if number and not (number.isascii() and number.isdecimal() and 0 < int(number) < 65536):
        _refuse(f"the port after {host!r} is no number from 1 to 65535", "as in redis://127.0.0.1:6379")
    return host, int(number or port)


def _options(query: str, known: tuple[str, ...]) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            _refuse(f"a bus address of this kind has no option {name!r}", near(name, known))
        if name in options:
            _refuse(f"the option {name!r} is given twice", "keep one")
        options[name] = value
    if "key" in options and "cert" not in options:
        _refuse("key= stands without cert=", "a client's key goes with its certificate")
    return options


def _database(text: str | None, default: int = 0) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 5:
        _refuse(f"{text[:20]!r} is no number of a database", "as in redis://127.0.0.1:6379/0")
    return int(text)


def _from_file(name: str) -> str:
    if not name:
        return ""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyUnavailable(
            f"the bus's password file {name} cannot be read: {error.strerror}; {PASSWORD_FILE} names it"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyUnavailable(f"the bus's password file {name} is open to others (mode {mode:04o}); chmod 600 it")
        content = file.read(4097)
    password = content.decode("utf-8", "replace").strip("\r\n")
    if not password or len(content) > 4096 or "\n" in password:
        raise KeyUnavailable(f"the bus's password file {name} must hold one line with the password and nothing else")
    return password


def _refuse(what: str, hint: str) -> NoReturn:
    raise InvalidInput(f"{what}; {hint}")
