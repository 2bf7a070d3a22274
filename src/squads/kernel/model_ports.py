"""What thinking needs of its world: a model, a journal of what was paid, a meter of what may be spent, a sandbox.

Ports like those of `ports`, with no adapter in sight: a role asks its `Mind`, and only an adapter knows a vendor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

from squads.contracts.finding import Usage
from squads.contracts.thinking import ModelReply, ModelRequest, Progress, Step, UnsafeText
from squads.kernel.ports import BlobStore

STEP_BYTES_MAX: Final = 64 * 1024 * 1024
"""The most that the payload of one step may have."""


class Journal(Protocol):
    """What was paid for: replies and results of tools by the request that they answer. Durable when `put` returns.

    Several processes may use it at once. What it keeps is prose: it is erasable, and no part of the signed log.
    """

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        ...

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step, and return the one that is kept: the first that was put for its kind, input and turn.

        `packet` is the packet of the request: its steps go with its content when that is erased. It is kept even if
        who waits for it is cancelled: it was paid for. Raises `InvalidInput` for a payload over
        `STEP_BYTES_MAX` or an `about` that names nothing, and `StorageUnavailable`; then nothing was acknowledged.
        """
        ...

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were. Erasing twice is no error."""
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
    def wait_ms_left(self) -> int | None:
        """Milliseconds that the replies of this answer may still take; None where no limit applies."""
        ...

    @property
    def usage(self) -> Usage:
        """What was settled and counted so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One whole reply of a model, as a trace may tell of it."""

    model: str
    """The model that the provider says has answered."""
    reply: str
    """The provider's id of the reply; empty where it gave none."""
    ended: str
    """Why the reply ended, such as `stop`."""
    tokens_in: int
    tokens_out: int
    cost_microusd: int


Words = Callable[[], Mapping[str, str]]
"""Makes texts that only a trace with content asks for."""


class Mark(Protocol):
    """One paid request or one call of a tool, on the way."""

    def retried(self, wait_ms: int) -> None:
        """Note that the transport failed and is tried again."""
        ...

    def answered(self, exchange: Exchange, said: Words) -> None:
        """Note the reply; `said` has it as `output`."""
        ...

    def returned(self, said: Words) -> None:
        """Note that a tool returned; `said` has it as `result`."""
        ...


class Trace(Protocol):
    """What one answer tells of its inside, for operators. It never raises, waits for nothing and decides nothing."""

    def asking(
        self, name: str, *, model: str, provider: str, output_tokens_max: int, said: Words
    ) -> AbstractContextManager[Mark]:
        """Return what surrounds one paid request to the model of this string.

        `model` is what the provider calls it; `said` has what it is told as `instructions` and `input`.
        """
        ...

    def using(self, tool: str, said: Words) -> AbstractContextManager[Mark]:
        """Return what surrounds one call of a tool; `said` has what it is given as `arguments`."""
        ...

    def replayed(self, *, model: str = "", tool: str = "") -> None:
        """Note that something came out of the journal, and was not asked or called again."""
        ...


class Untraced:
    """A trace, and a mark, that tell nobody."""

    def asking(self, name: str, **_: Any) -> AbstractContextManager[Mark]:
        """Tell nobody."""
        return _NO_MARK

    def using(self, tool: str, said: Words) -> AbstractContextManager[Mark]:
        """Tell nobody."""
        return _NO_MARK

    def replayed(self, *, model: str = "", tool: str = "") -> None:
        """Tell nobody."""

    def retried(self, wait_ms: int) -> None:
        """Tell nobody."""

    def answered(self, exchange: Exchange, said: Words) -> None:
        """Tell nobody."""

    def returned(self, said: Words) -> None:
        """Tell nobody."""


UNTRACED: Final = Untraced()
_NO_MARK: Final = nullcontext(UNTRACED)


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
    trace: Trace = UNTRACED
    """Told what happens, for operators."""
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each input was asked for so far, by kind and digest."""

    def turn(self, kind: str, digest: str) -> int:
        """Return 1 for the first time that exactly this is asked within the request, then 2, and so on."""
        self.asked[kind, digest] += 1
        return self.asked[kind, digest]


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
    ended: Literal["", "time", "memory", "output", "files", "processes", "signal"] = ""
    """A program that is told of a limit by a failing call may end in a way of its own, and then it has an exit code."""
    wait_ms: int = 0


Bound = Literal["time", "memory", "output", "files", "processes", "network"]
"""What a sandbox may be able to hold a command to:

- `time`: it ends at `seconds_max`, and so does what it started.
- `memory`: no process gets more than `memory_bytes_max`, nor all of them together for longer than a moment.
- `output`: no more than `output_bytes_max` is read, and who writes more is ended.
- `files`: no file grows over `file_bytes_max`, and nothing outside of the folder is written, made, moved or removed.
- `processes`: their number is bounded, none outlives the run however it hides, and none sees a process outside.
- `network`: without `network=True` no address outside of the sandbox is reached.
"""


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
        memory_bytes_max: int = 2 * 1024**3,
        output_bytes_max: int = 1024**2,
        file_bytes_max: int = 64 * 1024**2,
        environment: Mapping[str, str] = MappingProxyType({}),
        network: bool = False,
    ) -> Ran:
        """Run program and arguments, no shell, in `folder`; return when it, and all that it started, has ended.

        It has no input, and nothing of this process's environment but where programs are found: PATH, LANG, HOME (the
        folder), TMPDIR (below the folder, empty, removed afterwards) and what `environment` says. Cancelling ends
        everything that it started. Raises `InvalidInput` for a command that cannot be started, and
        `SandboxUnavailable` where what `enforces` names cannot be put up this time; then nothing was started.
        """
        ...
