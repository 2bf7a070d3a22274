"""What a server is, by its own word: which, how old, and which newer commands it knows.

`HELLO` needs no right, so the least privileged user learns this too, and every new connection asks it. A command is
looked for by calling it without arguments: a server checks the name before the arguments, and those before the rights.
(`COMMAND INFO` would need a right, and redis-py 8.1 breaks on its answer to an unknown name.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from squads.adapters.redis_bus.failures import LinkUnfit

REDIS_MIN = (7, 0, 0)
VALKEY_MIN = (7, 2, 0)
OPTIONAL = ("waitaof", "xackdel", "xdelex", "xnack", "xcfgset")
"""Commands that only newer servers have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """How a server introduces itself."""

    brand: Literal["redis", "valkey"]
    version: tuple[int, int, int]
    mode: str
    """`standalone`, `cluster` or `sentinel`."""
    primary: bool

    @property
    def name(self) -> str:
        """As people write it: `Valkey 9.1.2`."""
        return f"{self.brand.capitalize()} {'.'.join(map(str, self.version))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a server is and can."""

    brand: Literal["redis", "valkey"]
    version: tuple[int, int, int]
    mode: str
    primary: bool
    commands: frozenset[str]
    """Which of `OPTIONAL` it has."""

    @property
    def name(self) -> str:
        """As people write it: `Valkey 9.1.2`."""
        return f"{self.brand.capitalize()} {'.'.join(map(str, self.version))}"


def greeting_of(answer: Any) -> Greeting:
    """Return what a server's answer to `HELLO` says. Raises `LinkUnfit` for anything else."""
    said = fields_of(answer)
    version = version_of(said.get("version", ""))
    if version is None:
        raise LinkUnfit("what answers there is no Redis and no Valkey; check host and port", "stranger")
    return Greeting(
        brand="valkey" if said.get("server") == "valkey" else "redis",
        version=version,
        mode=said.get("mode", "standalone"),
        primary=said.get("role", "master") == "master",
    )


def fields_of(answer: Any) -> Mapping[str, str]:
    """Return a flat list of names and values as a mapping of text."""
    if not isinstance(answer, list):
        return {}
    return {text_of(name): text_of(value) for name, value in zip(answer[::2], answer[1::2], strict=False)}


def text_of(value: Any) -> str:
    """Return bytes or a number as text; anything else as the empty string."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, int | str) else ""


def version_of(text: str) -> tuple[int, int, int] | None:
    """Return `7.0.15` as three numbers; None for anything else."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def too_old(greeting: Greeting) -> str:
    """Return what is wrong with a server's version and what to do; the empty string where nothing is."""
    floor = VALKEY_MIN if greeting.brand == "valkey" else REDIS_MIN
    if greeting.version >= floor:
        return ""
    return f"is {greeting.name}, and the bus needs Redis 7.0 or Valkey 7.2 at least: upgrade it"
