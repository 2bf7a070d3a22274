"""What the model suite is written with: a provider that follows a script, and a call that is watched from all sides."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, Field

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.errors import AllowanceSpent, StorageUnavailable
from squads.contracts.finding import Usage
from squads.contracts.thinking import ModelReply, ModelRequest, Progress, Step, Tool, UnsafeText
from squads.kernel.model_ports import Model, ModelCall
from squads.minds.forms import name_of
from squads.minds.meter import AnswerMeter
from squads.testing.scripted import UnexpectedWork, UnusedReplies

ABOUT, OTHER = "a" * 64, "b" * 64
UNSEEN: Final = "marzipan"
"""A word of a model that who only watches must not see."""
SOON_SECONDS: Final = 30.0
"""How long what waits for nobody may take, on a busy machine where the first call imports a vendor."""
TOKENS_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Fills:
    """The model fills in a form, by the name under which it was offered; it may be none of those that were."""

    form: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Says:
    """The model answers with text and fills in nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The provider cannot be reached, or says that it cannot answer now; it says so however often it is asked."""


@dataclass(frozen=True, slots=True)
class Several:
    """The model fills in several forms in one reply."""

    forms: tuple[Fills, ...]


Answer: TypeAlias = Fills | Several | Says | Unreachable
Turn: TypeAlias = Answer | Callable[[str], Answer | Awaitable[Answer]]
"""An answer, or a function of everything that the model was told."""


class ModelScript:
    """What the provider answers, in order. It is strict: more or less than it has is a failure of the test."""

    def __init__(self, *turns: Turn) -> None:
        self._left = deque(turns)
        self._unexpected: list[UnexpectedWork] = []
        self.told: list[str] = []
        """Everything that the model was told, by request."""
        self.offered: list[set[str]] = []
        """The names of the forms that it might fill in, by request."""
        self.events: list[str] = []

    async def answer(self, told: str, forms: Sequence[str]) -> Answer:
        """Return how the provider answers a request; may never return, and then it never answers.

        Args:
            told: Instructions, messages and what came back to the model since, as one text.
            forms: The names of the forms that it may fill in.
        """
        self.events.append("asked")
        self.told.append(told)
        self.offered.append(set(forms))
        if not self._left:
            unexpected = UnexpectedWork(
                f"the provider was asked once too often, for the {len(self.told)}. time; it was told: {told[-400:]}"
            )
            self._unexpected.append(unexpected)
            raise unexpected
        turn = self._left.popleft()
        if not callable(turn):
            return turn
        answer = turn(told)
        return await answer if isawaitable(answer) else answer

    def done(self) -> None:
        """Raise `UnexpectedWork` or `UnusedReplies` unless it was asked for exactly what it has."""
        if self._unexpected:
            raise self._unexpected[0]
        if self._left:
            raise UnusedReplies(
                f"the provider has {len(self._left)} answers left, and was asked {len(self.told)} times"
            )


class Pair(BaseModel):
    """A word and a number."""

    word: str
    number: int = Field(ge=0)


class Nothing(BaseModel):
    """There is nothing to say."""

    why: str


PAIR, NOTHING = name_of(Pair), name_of(Nothing)


def fills(word: str, number: int = 7) -> Fills:
    """Return a `Pair` that is filled in as it should be."""
    return Fills(PAIR, {"word": word, "number": number})


def request_of(*models: str, prompt: str = "A word and a number, please.", **options: Any) -> ModelRequest:
    """Return a request for a `Pair` or for `Nothing`."""
    return ModelRequest(
        models=models, instructions="Thinks in pairs.", prompt=prompt, forms=(Pair, Nothing), **options
    )  # fmt: skip


class WatchedJournal(MemoryJournal):
    """A journal that says when it is put something, and can be told to fail."""

    def __init__(self, events: list[str] | None = None, *, fails: bool = False) -> None:
        super().__init__()
        self.events = [] if events is None else events
        self.fails = fails

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep it, or fail."""
        if self.fails:
            raise StorageUnavailable("the disk is full")
        kept = await super().put(about, step, packet=packet)
        self.events.append("put")
        return kept


class WatchedMeter(AnswerMeter):
    """An allowance that says when it is used, and what is still set aside."""

    def __init__(
        self, events: list[str] | None = None, *, tokens_max: int = TOKENS_MAX, calls_max: int = 1_000
    ) -> None:
        super().__init__(tokens_max=tokens_max)
        self.calls_max = calls_max
        self.events = [] if events is None else events
        self.open: set[int] = set()

    def reserve(self, *, tokens: int, cost_microusd: int) -> int:
        """Set aside, and remember it."""
        if self.usage.calls >= self.calls_max:
            raise AllowanceSpent(f"{self.calls_max} replies were allowed")
        mark = super().reserve(tokens=tokens, cost_microusd=cost_microusd)
        self.events.append("reserve")
        self.open.add(mark)
        return mark

    def settle(self, mark: int, usage: Usage | None) -> None:
        """Settle, and forget it."""
        super().settle(mark, usage)
        self.events.append("settle")
        self.open.discard(mark)


@dataclass(kw_only=True)
class Scene:
    """What one call is made with."""

    journal: WatchedJournal = field(default_factory=WatchedJournal)
    meter: WatchedMeter = field(default_factory=WatchedMeter)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    seen: list[Progress | UnsafeText] = field(default_factory=list)

    def call(self, about: str = ABOUT, **options: Any) -> ModelCall:
        """Return a fresh call, as after a restart."""
        return ModelCall(
            about=about,
            packet="p" * 32,
            role="builder",
            journal=self.journal,
            meter=self.meter,
            blobs=self.blobs,
            watch=self.seen.append,
            **options,
        )


class ModelSuite:
    """What every part of the suite needs."""

    live = True
    """False for a model that gives back what was recorded: nobody can be unreachable or silent behind it, and it takes
    any model string. What is asked of a live provider is then not tried."""
    before: tuple[str, ...] = ()
    """Model strings that are asked before the one that is opened, and that nobody can reach."""
    tools: tuple[Tool, ...] = ()
    """Tools that are offered with every request and that nobody calls: for an adapter that then goes another way."""

    def opened(self, script: ModelScript, where: Path) -> AbstractAsyncContextManager[tuple[Model, str]]:
        """Open a model and say its model string; whatever its provider is asked, `script.answer` answers.

        It must ask once and not again where its provider cannot be reached. `where` is an empty folder.
        """
        raise TypeError("a subclass says how to open one")

    @asynccontextmanager
    async def held(self, where: Path, *turns: Turn) -> AsyncIterator[tuple[Model, str, ModelScript]]:
        """Open a model whose provider answers these turns, and hold both to exactly them."""
        script = ModelScript(*turns)
        async with self.opened(script, where) as (model, name):
            yield model, name, script
        script.done()

    async def ask(self, model: Model, name: str, call: ModelCall, **options: Any) -> ModelReply:
        """Ask for a `Pair` or for `Nothing`."""
        return await model.ask(request_of(*self.before, name, tools=self.tools, **options), call)
