"""Who can appear in a world: one workspace's keys, with the roles they hold before anything happens."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from squads.ledger.keys import RegisteredKey, Registry

WORKSPACE_ID = "a" * 32
OTHER_WORKSPACE = "b" * 32


def key(name: str) -> str:
    """Return the hex key id of somebody."""
    return sha256(name.encode()).hexdigest()


_CAST = {
    "root": ("root",),
    "runner": ("runner",),
    "program": ("program",),
    "coord": ("coordinator:coord",),
    "b1": ("builder:b1",),
    "b1 again": ("builder:b1",),
    "b2": ("builder:b2",),
    "b3": ("builder:b3",),
    "g1": ("gate:g1",),
    "g1 again": ("gate:g1",),
    "g2": ("gate:g2",),
    "g3": ("gate:g3",),
    "g4": ("gate:g4",),
    "h1": ("human:h1",),
    "h1 again": ("human:h1",),
    "h2": ("human:h2",),
    "h3": ("human:h3",),
    # two hats on one head: what they may do with the one, they may not judge with the other
    "b1 and g1": ("builder:b1", "gate:g1"),
    "b2 and g2": ("builder:b2", "gate:g2"),
    "b1 and h2": ("builder:b1", "human:h2"),
    "h1 and h3": ("human:h1", "human:h3"),
    # namesakes: another kind of role under somebody's name
    "coord b1": ("coordinator:b1",),
    "b coord": ("builder:coord",),
}
ROLES: dict[str, frozenset[str]] = {key(name): frozenset(roles) for name, roles in _CAST.items()}
"""Key id to roles. `g9`, `b9` and `h9` are names that nobody holds; any other key is a stranger's."""

NAMES: dict[str, str] = {key(name): name for name in (*_CAST, "stranger")}
RUNNER, ROOT, PROGRAM, STRANGER = key("runner"), key("root"), key("program"), key("stranger")
START = 64
"""How many receipts the workspace's stream has before a world begins."""


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Return the registry in which exactly `ROLES` hold."""
    keys = {
        bytes.fromhex(k): RegisteredKey(
            public_key=bytes.fromhex(k),
            subject=NAMES[k].split()[0],
            roles=roles,
            custody="in-process",
            from_index=0,
            kinds=frozenset(),
        )
        for k, roles in ROLES.items()
    }
    return Registry("sim.invalid/squads/0", WORKSPACE_ID, b"\0" * 32, keys)


def base_view(kernel: SimpleNamespace) -> Any:
    """Return the view that every world starts from."""
    return kernel.View(WORKSPACE_ID, registry(), index=START, length=START)
