"""The server's access rules: a user for the runner, one for each role, and one for whoever only watches.

A role reads and writes the two edges that it is an end of, and nothing of any other role: what it may not do it cannot
do from a script either, for the server checks every command of a script against the same rules. Rules guard one role
from another. They cannot guard an edge from its own two ends, nor dead letters from being trimmed by whoever lays one
down; signatures and the ledger do.

A key that is handed to a script in KEYS must be readable and writable for its caller, so what a role may only write
(`dead`) or only read (`roster`) is never handed over that way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from squads.adapters.redis_bus.names import LANE_MARK, ORIGIN_MARK, Names, consumer_prefix, quoted
from squads.contracts.errors import InvalidInput
from squads.contracts.messages import PRIOR_CHARS, RUNNER

WATCH: Final = "watch"
"""Who reads everything and writes nothing: for `squads status` and `squads dead list`."""
PLACEHOLDER: Final = "#fill-in-the-sha256-of-this-users-password"
"""No server loads a line with it: a user without a password would let everybody in."""
DEFAULT_OFF: Final = "user default off resetpass resetchannels resetkeys -@all"
"""A file that does not speak of the default user gives it back everything, and without a password."""
USERS_MAX: Final = 1_000

_SCRIPTS: Final = ("eval", "evalsha")
_EDGE: Final = ("xadd", "xlen", "xrange", "xack", "xdel", "xpending", "xreadgroup", "xgroup|create", "xinfo|consumers")
_RECLAIM: Final = ("xgroup|delconsumer",)
_SEEN_AND_HEARTBEAT: Final = ("get", "set", "del", "exists", "pttl")
_CONTENT: Final = ("getrange", "expire", "hsetnx", "hget", "hstrlen")
_HINTS: Final = ("xread", "xrevrange")

ROLE_COMMANDS: Final = ("ping", *_SCRIPTS, *_EDGE, *_RECLAIM, *_SEEN_AND_HEARTBEAT, *_CONTENT, *_HINTS)
"""What the code of a worker calls, by itself and in its scripts. AUTH and HELLO need no right."""
RUNNER_COMMANDS: Final = (*ROLE_COMMANDS, "xinfo|groups", "hlen", "unlink", "info", "time", "scan")
"""`info` for the look at the server at the start, `time`, `scan` and `xinfo|groups` for `squads status`, `hlen` and
`unlink` to erase what was shared."""
WATCH_COMMANDS: Final = (
    *("ping", "info", "time", "scan", "get", "pttl", "exists", "xlen", "xrange", "xrevrange", "xread"),
    *("getrange", "xpending", "xinfo|consumers", "xinfo|groups"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusUser:
    """One user of the server."""

    role: str
    """`runner`, `watch`, or a role's name."""
    name: str
    """How it logs in."""
    line: str
    """Its line of the ACL file."""


def users(workspace: str, roles: Sequence[str], *, passwords: Mapping[str, str] | None = None) -> list[BusUser]:
    """Return the users of a workspace: the runner's, the watcher's, then one for each role.

    `passwords` gives each role's own; of it only the SHA-256 is in a line. Without it a line holds a placeholder that
    no server accepts.
    """
    names = Names(workspace)
    wanted = [RUNNER, WATCH, *dict.fromkeys(role for role in roles if role not in {RUNNER, WATCH})]
    if len(wanted) > USERS_MAX:
        raise InvalidInput(f"{len(wanted)} users are over the {USERS_MAX} that one list holds; name them with --role")
    return [_user(names, role, (passwords or {}).get(role)) for role in wanted]


def new_passwords(roles: Sequence[str]) -> dict[str, str]:
    """Return a new password of 256 random bits for each role, and for `runner` and `watch`."""
    return {role: token_urlsafe(32) for role in (RUNNER, WATCH, *roles)}


def user_name(workspace: str, role: str) -> str:
    """Return how a role of a workspace logs in."""
    return f"squads-{workspace[:12]}-{quoted(role)}"


def _user(names: Names, role: str, password: str | None) -> BusUser:
    secret = PLACEHOLDER if password is None else "#" + sha256(password.encode()).hexdigest()
    name = user_name(names.workspace, role)
    rules = ["on", "sanitize-payload", secret, "resetchannels", "resetkeys", "clearselectors", *_rights(names, role)]
    return BusUser(role=role, name=name, line=" ".join(["user", name, *rules]))


def _rights(names: Names, role: str) -> list[str]:
    if role == RUNNER:
        return [f"%RW~{names.everything}", "-@all", *(f"+{command}" for command in RUNNER_COMMANDS)]
    if role == WATCH:
        return [f"%R~{names.everything}", "-@all", *(f"+{command}" for command in WATCH_COMMANDS)]
    return selectors_of(names, role)


def selectors_of(names: Names, role: str) -> list[str]:
    """Return what a role may do with which keys, whichever version of it runs: each command where it belongs alone.

    So nobody can put anything but a stream in a stream's place, nor delete one: not even a role its own.
    """
    version = "?" * PRIOR_CHARS
    requests, replies = names.requests(f"{role}@").key + version, names.replies(role)
    streams = [requests, requests + LANE_MARK, replies.key, replies.lane]
    origins, seen = [requests + ORIGIN_MARK, replies.origin], f"{names.seen_prefix(role, RUNNER)}*"
    heartbeats, blobs = f"{names.heartbeat(consumer_prefix(role))}*", names.blob("*")
    rights: list[tuple[str, Sequence[str], Sequence[str]]] = [
        ("%RW", _EDGE + _RECLAIM, streams),
        ("%R", ("exists",), [*streams, *origins]),
        ("%RW", ("get", "set"), [*origins, seen]),
        ("%RW", ("set", "del", "pttl"), [heartbeats]),
        ("%RW", ("hsetnx", "hget", "hstrlen", "expire"), [f"{names.step(f'{quoted(role)}:')}*"]),
        # Content is named by its digest and hashed again by whoever reads it.
        ("%RW", ("set", "getrange", "exists", "expire", "pttl"), [blobs]),
        ("%W", ("xadd",), [names.dead]),
        ("%RW", ("xadd", *_HINTS), [names.events]),  # hints, which decide nothing
        ("%R", ("get",), [names.roster]),
    ]
    # What a script is given in KEYS must be in reach of who runs it; what it then does with it is looked at by itself.
    handed = " ".join(f"%RW~{key}" for key in (*streams, *origins, seen, heartbeats))
    return [
        handed,
        "-@all +ping " + " ".join(f"+{command}" for command in _SCRIPTS),
        *(
            f"({' '.join([*(f'{way}~{key}' for key in keys), '-@all', *(f'+{command}' for command in commands)])})"
            for way, commands, keys in rights
        ),
    ]


def text_of(found: Sequence[BusUser]) -> str:
    """Return the server's ACL file: these users, and nobody without a name."""
    return "".join(f"{line}\n" for line in (DEFAULT_OFF, *(user.line for user in found)))
