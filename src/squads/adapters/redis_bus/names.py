"""Every key of the Redis bus, and nobody else spells one.

All keys of a workspace carry its id in braces, so that Cluster keeps them in one slot and a script may touch several.
Names of roles are quoted: what is written into a key or an access rule has no colon, no brace and no wildcard.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from squads.contracts.messages import RUNNER, Envelope

PREFIX = "sq"
LANE_MARK = "!"
ORIGIN_MARK = "#"


@dataclass(frozen=True, slots=True)
class Edge:
    """One direction between two parties: the keys of what waits on it."""

    sender: str
    """A role's name or `runner`, without a prior."""
    recipient: str
    """An address: `name@prior`, or a bare name."""
    key: str
    """The stream of what waits; its group is `recipient`. Signatures bind this."""
    lane: str
    """The stream of what was in the hands of a consumer that died: each is tried alone."""
    origin: str
    """Changes when the stream was lost and begun anew."""
    seen: str
    """What the keys of the ids that were accepted here begin with."""

    @property
    def keys(self) -> tuple[str, str, str]:
        """Stream, lane and origin, as the access rules and the scripts need them."""
        return self.key, self.lane, self.origin


@dataclass(frozen=True, slots=True)
class Names:
    """The keys of one workspace."""

    workspace: str

    def __post_init__(self) -> None:
        if not self.workspace or quoted(self.workspace) != self.workspace:
            raise ValueError(f"{self.workspace!r} is not a workspace's id: letters, digits, '-', '_' and '.' only")

    @property
    def root(self) -> str:
        """What every key of the workspace begins with."""
        return f"{PREFIX}:{{{self.workspace}}}:"

    def edge(self, sender: str, recipient: str) -> Edge:
        """Return the edge from a party (its name) to another (its address)."""
        key = f"{self.root}q:{quoted(sender)}:{quoted(recipient)}"
        return Edge(
            sender, recipient, key, key + LANE_MARK, key + ORIGIN_MARK, seen=self.seen_prefix(sender, recipient)
        )

    def edge_of(self, envelope: Envelope) -> Edge:
        """Return the edge that a message travels."""
        return self.edge(envelope.sender, envelope.address)

    def requests(self, address: str) -> Edge:
        """Return the edge from the runner to a role's address."""
        return self.edge(RUNNER, address)

    def replies(self, address: str) -> Edge:
        """Return the edge from a role to the runner: one for all versions of the role."""
        return self.edge(name_of(address), RUNNER)

    def edge_at(self, key: str) -> Edge | None:
        """Return the edge whose stream or lane has this key; None for any other key."""
        parts = key.removeprefix(f"{self.root}q:").removesuffix(LANE_MARK).split(":")
        edge = self.edge(unquote(parts[0]), unquote(parts[1])) if len(parts) == 2 else None
        return edge if edge is not None and key in (edge.key, edge.lane) else None

    def seen(self, edge: Edge, message: str) -> str:
        """Return the key that remembers a message id on an edge."""
        return edge.seen + message

    def seen_prefix(self, sender: str, recipient: str) -> str:
        """Return what the keys of remembered ids on an edge begin with."""
        return f"{self.root}seen:{quoted(sender)}:{quoted(recipient)}:"

    def heartbeat(self, consumer: str) -> str:
        """Return the key that is there while a consumer lives."""
        return f"{self.root}hb:{consumer}"

    def step(self, about: str) -> str:
        """Return the hash of what was paid for under a request's id."""
        return f"{self.root}step:{about}"

    def blob(self, digest: str) -> str:
        """Return the key of shared content."""
        return f"{self.root}blob:{digest}"

    @property
    def dead(self) -> str:
        """The stream of dead letters."""
        return f"{self.root}dead"

    @property
    def events(self) -> str:
        """The stream of hints for whoever watches."""
        return f"{self.root}ev"

    @property
    def meta(self) -> str:
        """The hash of what the workspace is: version of its keys, limits."""
        return f"{self.root}meta"

    @property
    def roster(self) -> str:
        """The signed roster."""
        return f"{self.root}roster"

    @property
    def everything(self) -> str:
        """A pattern for all keys of the workspace, and of no other."""
        return f"{self.root}*"


@lru_cache(maxsize=1_024)
def quoted(name: str) -> str:
    """Return a name as it stands in a key: letters, digits, and `-_.@`; everything else as percent and two digits."""
    return quote(name, safe="@").replace("~", "%7E")


def name_of(address: str) -> str:
    """Return the name in an address: what stands before the prior."""
    return address.partition("@")[0]


def consumer_prefix(address: str) -> str:
    """Return what the names of all consumers of a role begin with, whatever its version, and of no other role.

    A role's name may have dots; here they are quoted, or `a.` would also be the beginning of what `a.b` is called.
    """
    return quoted(name_of(address)).replace(".", "%2E") + "."


def consumer_name(address: str, host: str, process: int) -> str:
    """Return a name that no consumer had before: its role, where it runs, and chance."""
    return f"{consumer_prefix(address)}{quoted(host)}.{process}.{secrets.token_hex(3)}"
