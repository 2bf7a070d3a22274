"""A call that leaves the artifact, and what is asked of the one who goes the ways when one is met."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from squads.gates.saml.values import (
    NONE,
    Callee,
    Const,
    Data,
    Object,
    Setting,
    State,
    Value,
    parts,
)

Forks = list[tuple[State, Value]]


@dataclass(slots=True)
class Call:
    """A call that no function of the artifact answers."""

    node: ast.Call
    names: frozenset[str]
    attribute: str
    """What is called: the method's or function's last name."""
    label: str
    base: Value | None
    args: list[Value]
    words: dict[str, Value] = field(default_factory=dict)

    @property
    def every(self) -> list[Value]:
        """All arguments."""
        return [*self.args, *self.words.values()]

    def argument(self, number: int, *names: str) -> Value | None:
        """Return an argument by position or by one of its names."""
        for name in names:
            if name in self.words:
                return self.words[name]
        return self.args[number] if len(self.args) > number >= 0 else None

    def named(self, pattern: re.Pattern[str]) -> bool:
        """Say whether one of the dotted names of what is called matches."""
        return any(pattern.search(name) for name in self.names)


class Walker(Protocol):
    """What the libraries need of the one who goes the ways."""

    def may_fail(self, state: State) -> None:
        """Note that a verification may raise here."""

    def leave(self, state: State) -> None:
        """Note that the way ends here with an exception."""

    def run(self, callee: Callee, args: list[Value], words: dict[str, Value], state: State) -> Forks:
        """Run a function of the artifact."""

    def read(self, node: ast.AST, data: Data, strings: list[str], state: State) -> Data:
        """Note a reading."""

    def use(self, values: list[Value], state: State) -> None:
        """Note that what was read is acted upon."""

    def hand_on(self, origins: frozenset[str]) -> None:
        """Note that messages are handed to somebody who verifies them."""

    def unread(self, node: ast.AST, data: Data, state: State) -> Data:
        """Note a reading out of a toolkit whose answer was not asked for."""

    def method(self, owner: Object, name: str) -> Callee | None:
        """Return a method of an object of the artifact."""


def origins_of(values: Sequence[Value | None], state: State) -> frozenset[str]:
    """Return where values came from that are neither signed nor this program's own."""
    data = [d for v in values if v is not None for d in parts(v, state) if d.form not in ("signed", "own")]
    return frozenset().union(*(d.origins for d in data)) if data else frozenset()


def came_along(value: Value | None, state: State, message: frozenset[str] = frozenset()) -> bool:
    """Say whether a key or certificate was taken from the message that it is to verify."""
    brought = [d for d in parts(value, state) if d.key] if value is not None else []
    # Metadata is a document of its own; its certificates are the message's only where it was come by through that.
    brought = [d for d in brought if d.form != "metadata" or not message or not message.isdisjoint(d.origins)]
    return any(not d.origins or any(pinned(o) not in state.trust for o in d.origins) for d in brought)


def pinned(origin: str) -> str:
    """Return under which name it is known that a message's certificate is the configured one."""
    return f"the certificate of {origin}"


def known_issuer(origin: str) -> str:
    """Return under which name it is known that a message names an issuer who is configured."""
    return f"the issuer of {origin}"


def nothing(value: Value | None) -> bool:
    """Say whether an argument is missing, None or empty."""
    return value is None or value == NONE or value == Setting(None) or value == Const("")


def message(call: Call, state: State) -> list[Data]:
    """Return the messages, or what was made of them, that a call is given or made on."""
    held = [d for v in ([call.base] if call.base is not None else []) + call.every for d in parts(v, state)]
    return [d for d in held if d.form in ("text", "tree", "unclear", "metadata")]
