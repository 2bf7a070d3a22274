"""Asking again when a provider was busy, slow or cut off: a few times, with growing random pauses, under a ceiling.

The wait before try n is drawn evenly from nothing to `first_wait_seconds * 2**(n-1)` (full jitter: Marc Brooker,
"Exponential Backoff And Jitter", 2015), so that callers who failed together do not come back together. A provider
that says when to come back is taken at its word, as long as the word fits under the ceiling. Cancelling passes
straight through, while waiting as while asking.
"""

from __future__ import annotations

import asyncio
import random as chance
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from squads.adapters.pydantic_ai.failures import Failure, understood
from squads.contracts.errors import ModelUnreachable

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, and for how long, a model is asked again."""

    attempts_max: int = 5
    """Tries in all, the first one included."""
    seconds_max: float = 120.0
    """The ceiling of all tries and waits together: no try begins after it."""
    first_wait_seconds: float = 0.5
    """The longest wait before the second try; it doubles for each further one."""
    wait_seconds_max: float = 30.0
    """The longest wait that is chosen here."""
    retry_after_seconds_max: float = 90.0
    """The longest wait that a provider may ask for; beyond it nothing is gained by holding a worker."""

    def __post_init__(self) -> None:
        if self.attempts_max < 1 or min(self.seconds_max, self.first_wait_seconds, self.wait_seconds_max) < 0:
            raise ValueError(f"patience needs at least one try and no negative seconds: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A wait before the next try, for those who watch."""

    attempt: int
    """The try that failed: 1 for the first."""
    wait_seconds: float
    error: Exception
    """Our words for what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The clock, the sleep and the chance that retrying uses, so that a test can bring its own."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = chance.random
    """Between 0 and 1."""


async def retrying(
    call: Callable[[], Awaitable[Answer]],
    *,
    model: str,
    patience: Patience = Patience(),
    on_retry: Callable[[Pause], None] | None = None,
    world: World = World(),
) -> Answer:
    """Return what `call` returns, asking again where that can help.

    Raises `ModelUnreachable` after the last try, or at once when the provider asks for a longer wait than is allowed;
    it then says when to come back. Raises `ModelRejected` and its siblings at once for what trying cannot help.
    Whatever is no vendor's failure, cancellation above all, goes on as it is.

    Args:
        call: One try. Called again from the start for each further one.
        model: The model string, for messages.
        patience: How often and how long.
        on_retry: Told before each wait. What it raises ends the retrying.
        world: Clock, sleep and chance.
    """
    began = world.clock()
    failure: Failure | None = None
    first: Exception | None = None
    attempt = 0

    async def once() -> Answer:
        nonlocal failure, attempt, first
        if first is not None:
            error, first = first, None
            raise error
        attempt += 1
        try:
            return await call()
        except Exception as error:
            failure = understood(error, model=model)
            if failure is None:
                raise
            raise failure.error from error

    def wait(state: RetryCallState) -> float:
        if failure is not None and failure.retry_after_seconds is not None:
            return failure.retry_after_seconds + world.random() * patience.first_wait_seconds
        longest = min(patience.wait_seconds_max, patience.first_wait_seconds * 2.0 ** (state.attempt_number - 1))
        return world.random() * longest

    def stop(state: RetryCallState) -> bool:
        return (
            state.attempt_number >= patience.attempts_max
            or _too_late(failure, patience.retry_after_seconds_max)
            or world.clock() - began + state.upcoming_sleep > patience.seconds_max
        )

    def tell(state: RetryCallState) -> None:
        if on_retry is not None and failure is not None:
            on_retry(Pause(attempt=attempt, wait_seconds=state.upcoming_sleep, error=failure.error))

    # Nearly every call succeeds, and the machinery of trying again costs more than the rest of this: it is set up for a
    # call that failed, and told of that failure as its first try.
    try:
        return await once()
    except Exception as error:
        if failure is None:
            raise
        first = error
    tries = AsyncRetrying(
        sleep=world.sleep,
        wait=wait,
        stop=stop,
        retry=retry_if_exception(lambda _: failure is not None and failure.retry),
        before_sleep=tell,
        reraise=True,
    )
    try:
        answer: Answer = await tries(once)
        return answer
    except ModelUnreachable as error:
        raise _told(error, failure, attempt, patience) from error.__cause__


def _told(error: ModelUnreachable, failure: Failure | None, attempt: int, patience: Patience) -> ModelUnreachable:
    """Return the last failure with how often it was tried, or when the provider wants to be asked again."""
    tries = f"{attempt} {'try' if attempt == 1 else 'tries'}"
    told = f"{error}; given up after {tries}"
    if failure and _too_late(failure, min(patience.retry_after_seconds_max, patience.seconds_max)):
        later = ceil(failure.retry_after_seconds or 0)
        told = f"{error}; it asks to come back in {later} seconds, which is longer than is waited here"
    return ModelUnreachable(told)


def _too_late(failure: Failure | None, seconds_max: float) -> bool:
    return failure is not None and (failure.retry_after_seconds or 0) > seconds_max
