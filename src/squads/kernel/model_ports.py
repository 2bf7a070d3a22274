"""What thinking needs of its world: a model, a journal of what was paid, a meter of what may be spent, a sandbox.

Ports like those of `ports`, with no adapter in sight: a role asks its `Mind`, and only an adapter knows a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from squads.contracts.finding import Usage
from squads.contracts.thinking import ModelReply, ModelRequest, Progress, Step, UnsafeText
from squads.kernel.ports import BlobStore


class Journal(Protocol):
    """What was paid for: replies and results of tools by the request that they answer. Durable when `put` returns."""

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        ...

    async def put(self, about: str, step: Step) -> Step:
        """Keep a step, and return the one that is kept: the first that was put for its kind, input and turn.

        Raises `StorageUnavailable`.
        """
        ...

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were."""
        ...


class Meter(Protocol):
    """What one answer may still cost: reserved before each reply is asked for, settled with what it came to."""

    def reserve(self, *, tokens: int, cost_microusd: int) -> int:
        """Set the most that one reply can cost aside and return a mark for `settle`. Raises `AllowanceSpent`."""
        ...

    def settle(self, mark: int, usage: Usage | None) -> None:
        """Replace a reservation by what was spent; None spends all of it, for a reply that may have been paid."""
        ...

    def count(self, usage: Usage) -> None:
        """Count what was spent before and is not paid again: a reply out of the journal."""
        ...

    @property
    def usage(self) -> Usage:
        """What was settled and counted so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """For whom a model is asked, and where its replies are kept before anybody sees them."""

    about: str
    """The request's or ticket's id."""
    packet: str
    role: str
    journal: Journal
    meter: Meter
    blobs: BlobStore
    """Where the words of a reply that never validated are kept."""
    watch: Callable[[Progress | UnsafeText], None] | None = None
    """Told what happens; None tells nobody."""
    text: bool = False
    """True hands text to `watch` as it arrives, before any verdict on it."""


class Model(Protocol):
    """Typed request to typed reply with usage, or a typed failure. Cancellable; every paid reply is journalled first.

    One object serves every model string that it knows.
    """

    async def ask(self, request: ModelRequest, call: ModelCall) -> ModelReply:
        """Return a filled form of `request.forms`. Raises a `ModelError`."""
        ...

    def check(self, name: str) -> None:
        """Raise `InvalidModel` where a model string cannot be asked here; asks nobody and spends nothing."""
        ...

    def price(self, name: str) -> tuple[int, int] | None:
        """Return a model's price in millionths of a US dollar per million tokens (in, out); None where unpriced."""
        ...

    async def close(self) -> None:
        """Let go of connections. Closing twice is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command in a sandbox came to."""

    exit_code: int | None
    """None when it was ended: by a limit or a signal; `ended` says which."""
    output: bytes
    """Standard output and standard error as they came, cut at the limit."""
    ended: Literal["", "time", "memory", "output", "files", "signal"] = ""
    wait_ms: int = 0


Bound = Literal["time", "memory", "output", "files", "processes", "network"]


class Sandbox(Protocol):
    """Runs commands on a folder with limits, and says which of them it can enforce here."""

    @property
    def enforces(self) -> frozenset[Bound]:
        """The limits that hold on this machine; the others are wishes."""
        ...

    async def run(
        self,
        command: Sequence[str],
        *,
        folder: str,
        seconds_max: float,
        memory_bytes_max: int = ...,
        output_bytes_max: int = ...,
        file_bytes_max: int = ...,
        environment: Mapping[str, str] = ...,
        network: bool = False,
    ) -> Ran:
        """Run program and arguments, no shell, in `folder`, with nothing of this process's environment.

        Cancelling it ends everything that it started. Raises `InvalidInput` for a command that cannot be started.
        """
        ...
