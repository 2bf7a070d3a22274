"""A model is asked again only where that can help, a few times, under a ceiling, and cancelling always passes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError

from squads.adapters.pydantic_ai.retrying import Patience, Pause, World, retrying
from squads.contracts.errors import AllowanceSpent, ModelRejected, ModelUnreachable

NAME = "anthropic:claude-sonnet-5-5"


@dataclass
class Clock:
    """A world in which sleeping is instant and chance always says the same."""

    now: float = 0.0
    chance: float = 1.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def world(self) -> World:
        return World(sleep=self.sleep, clock=lambda: self.now, random=lambda: self.chance)


@dataclass
class Provider:
    """Raises what it is told, then answers."""

    raises: list[BaseException]
    asked: int = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.raises:
            raise self.raises.pop(0)
        return "answer"


def http(status: int, **headers: str) -> ModelHTTPError:
    return ModelHTTPError(status, "m", headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_an_answer_is_returned_without_waiting():
    """The usual case costs one try and no sleep."""
    clock, provider = Clock(), Provider([])

    assert "answer" == await retrying(provider, model=NAME, world=clock.world)
    assert (1, []) == (provider.asked, clock.slept)


async def test_busy_providers_are_asked_again_with_growing_waits():
    """With full jitter: chance 1 waits the longest, and that doubles."""
    clock, provider = Clock(), Provider([http(500), http(529), ModelConnectionError("m", "reset")])

    assert "answer" == await retrying(provider, model=NAME, world=clock.world)
    assert [0.5, 1.0, 2.0] == clock.slept


async def test_the_wait_is_drawn_from_nothing_to_the_longest():
    """Callers who failed together do not come back together."""
    clock, provider = Clock(chance=0.0), Provider([http(500), http(500)])

    await retrying(provider, model=NAME, world=clock.world)

    assert [0.0, 0.0] == clock.slept


async def test_no_wait_of_ours_passes_its_ceiling():
    """Doubling ends somewhere."""
    clock, provider = Clock(), Provider([http(500)] * 4)

    await retrying(provider, model=NAME, patience=Patience(wait_seconds_max=1.5), world=clock.world)

    assert [0.5, 1.0, 1.5, 1.5] == clock.slept


async def test_tries_are_bounded():
    """The last failure is told with how often it was tried."""
    provider = Provider([http(500)] * 9)

    with pytest.raises(ModelUnreachable, match="given up after 5 tries") as caught:
        await retrying(provider, model=NAME, world=Clock().world)

    assert 5 == provider.asked
    assert NAME in str(caught.value)
    assert isinstance(caught.value.__cause__, ModelHTTPError)


async def test_the_time_of_all_tries_is_bounded():
    """A try that would begin after the ceiling is not made."""
    clock, provider = Clock(), Provider([http(500)] * 9)
    patience = Patience(attempts_max=9, seconds_max=10, first_wait_seconds=4)

    with pytest.raises(ModelUnreachable, match="given up after 2 tries"):
        await retrying(provider, model=NAME, patience=patience, world=clock.world)

    assert 2 == provider.asked
    assert clock.now <= 10


async def test_retry_after_is_honoured():
    """The provider knows best, and jitter keeps its callers apart."""
    clock, provider = Clock(chance=0.5), Provider([http(429, retry_after="7")])

    await retrying(provider, model=NAME, world=clock.world)

    assert [7.25] == clock.slept


async def test_a_longer_retry_after_than_allowed_gives_up_at_once():
    """Holding a worker for an hour helps nobody; the message says when to come back."""
    clock, provider = Clock(), Provider([http(429, retry_after="3600")])

    with pytest.raises(ModelUnreachable, match="asks to come back in 3600 seconds"):
        await retrying(provider, model=NAME, world=clock.world)

    assert (1, []) == (provider.asked, clock.slept)


async def test_a_wait_within_the_time_of_all_tries_may_still_be_too_long():
    """Two bounds, and the nearer one decides."""
    provider = Provider([http(429, retry_after="100")])

    with pytest.raises(ModelUnreachable, match="asks to come back in 100 seconds"):
        await retrying(provider, model=NAME, patience=Patience(seconds_max=1_000), world=Clock().world)

    assert 1 == provider.asked


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
async def test_what_trying_cannot_help_is_told_at_once(status):
    """A refusal of the request itself stays one."""
    provider = Provider([http(status)])

    with pytest.raises(ModelRejected):
        await retrying(provider, model=NAME, world=Clock().world)

    assert 1 == provider.asked


@pytest.mark.parametrize("error", [AllowanceSpent("spent"), ZeroDivisionError("a fault of ours")])
async def test_what_is_no_vendors_failure_goes_on_as_it_is(error):
    """Neither our own words nor our own faults are translated or tried again."""
    provider = Provider([error])

    with pytest.raises(type(error)) as caught:
        await retrying(provider, model=NAME, world=Clock().world)

    assert error is caught.value
    assert 1 == provider.asked


async def test_cancelling_passes_while_asking():
    """It is not a failure of the provider."""
    provider = Provider([asyncio.CancelledError()])

    with pytest.raises(asyncio.CancelledError):
        await retrying(provider, model=NAME, world=Clock().world)

    assert 1 == provider.asked


async def test_cancelling_passes_while_waiting():
    """A wait does not hold up a stop."""
    waiting = asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    provider = Provider([http(500)])
    task = asyncio.create_task(retrying(provider, model=NAME, world=World(sleep=sleep)))
    await waiting.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert 1 == provider.asked


async def test_each_wait_is_told_before_it_begins():
    """Watchers see which try failed, how long is waited, and why."""
    clock, told = Clock(), list[Pause]()

    await retrying(Provider([http(503), http(500)]), model=NAME, on_retry=told.append, world=clock.world)

    assert [(1, 0.5), (2, 1.0)] == [(each.attempt, each.wait_seconds) for each in told]
    assert all(isinstance(each.error, ModelUnreachable) for each in told)


def test_impatience_below_one_try_is_refused():
    """Zero tries is no way to ask."""
    with pytest.raises(ValueError, match="at least one try"):
        Patience(attempts_max=0)
