"""When a consumer counts as dead: by two looks, by the looker's own clock, and never because the server was away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.reclaim import OWNERS_MAX, PAGES_MAX, Reclaimer

DEAD_AFTER = 10.0
NO_KEY, FOR_EVER = -2, -1


class FakeLink:
    """A server with consumers and heartbeats that a test sets, and a reclaim script that says what it was asked."""

    def __init__(self) -> None:
        self.left_ms: dict[str, int] = {}
        self.reclaimed: list[str] = []
        self.answers: list[list[Any]] = []

    async def calls(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        return [self._answer(command) for command in commands]

    def _answer(self, command: Sequence[Any]) -> Any:
        if command[0] == "PTTL":
            return self.left_ms[str(command[1]).rsplit(":", 1)[1]]
        return [[b"name", name.encode(), b"pending", 1, b"idle", 5] for name in self.left_ms]

    async def script(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> list[Any]:
        assert name == "reclaim"
        self.reclaimed.append(str(args[1]))
        return self.answers.pop(0) if self.answers else [b"dead", 1, 0, 0]


class Looker:
    def __init__(self) -> None:
        self.link = FakeLink()
        names = Names("ab12")
        self.edges = [names.requests("carpenter")]
        self.reclaimer = Reclaimer(
            cast("Link", self.link), names, "carpenter", dead_after_seconds=DEAD_AFTER, deliveries_max=3
        )

    async def look(self, now: float, ours: set[str] | None = None, **left_ms: int) -> list[str]:
        """Look once; return who was taken to be dead."""
        self.link.left_ms = left_ms
        self.link.reclaimed.clear()
        await self.reclaimer.look(self.edges, ours or set(), now)
        return self.link.reclaimed


@pytest.fixture
def looker() -> Looker:
    return Looker()


async def test_one_look_buries_nobody(looker: Looker) -> None:
    """Only what is missing at every look for the whole time is dead."""
    assert await looker.look(100, mason=NO_KEY) == []
    assert await looker.look(105, mason=NO_KEY) == []
    assert await looker.look(109.9, mason=NO_KEY) == []
    assert await looker.look(110, mason=NO_KEY) == ["mason"]


async def test_a_beat_in_between_is_life(looker: Looker) -> None:
    """A server's clock that jumped made every key expire; the next beat ends the suspicion."""
    await looker.look(100, mason=NO_KEY)
    await looker.look(105, mason=9_000)

    assert await looker.look(110, mason=NO_KEY) == []
    assert await looker.look(115, mason=NO_KEY) == []
    assert await looker.look(120, mason=NO_KEY) == ["mason"]


@pytest.mark.parametrize("left_ms", [FOR_EVER, 101_000], ids=["for-ever", "hours"])
async def test_a_heartbeat_that_nobody_can_have_set_is_none(looker: Looker, left_ms: int) -> None:
    """A clock that was set back would have the dead live on for as long."""
    await looker.look(100, mason=left_ms)
    await looker.look(105, mason=left_ms)

    assert await looker.look(110, mason=left_ms) == ["mason"]


async def test_a_looker_that_stood_still_begins_anew(looker: Looker) -> None:
    """Frozen between two looks, it knows nothing about the time in between."""
    await looker.look(100, mason=NO_KEY)

    assert await looker.look(200, mason=NO_KEY) == []
    assert await looker.look(205, mason=NO_KEY) == []
    assert await looker.look(210, mason=NO_KEY) == ["mason"]


async def test_an_outage_begins_everything_anew(looker: Looker) -> None:
    """While the server could not be asked, others could not beat."""
    await looker.look(100, mason=NO_KEY)
    await looker.look(105, mason=NO_KEY)
    looker.reclaimer.begin_anew()

    assert await looker.look(110, mason=NO_KEY) == []


async def test_nobody_buries_himself_or_the_living(looker: Looker) -> None:
    """The consumers of this very bus are not looked at, and each other one by itself."""
    for now in (100, 105, 110):
        dead = await looker.look(now, ours={"me"}, me=NO_KEY, mason=NO_KEY, plumber=5_000)

    assert dead == ["mason"]


async def test_who_beats_at_the_last_moment_is_spared(looker: Looker) -> None:
    """The script looks once more; who lives then has to be missing for the whole time again."""
    await looker.look(100, mason=NO_KEY)
    await looker.look(105, mason=NO_KEY)
    looker.link.answers = [[b"alive", 0, 0, 0]]
    assert await looker.look(110, mason=NO_KEY) == ["mason"]

    assert await looker.look(111, mason=NO_KEY) == []


async def test_a_look_is_bounded(looker: Looker) -> None:
    """So many pages of one, and so many of all; the rest waits for the next look."""
    await looker.look(100, mason=NO_KEY)
    await looker.look(105, mason=NO_KEY)
    looker.link.answers = [[b"dead", 100, 0, 1]] * 1_000

    assert len(await looker.look(110, mason=NO_KEY)) == PAGES_MAX
    many = {f"m{n}": NO_KEY for n in range(OWNERS_MAX + 50)}
    for now in (110, 115, 120):
        dead = await looker.look(now, None, **many)
    assert len(set(dead)) == OWNERS_MAX


async def test_a_name_that_is_no_text_is_left_alone(looker: Looker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody with access to the group can read under any name."""
    monkeypatch.setattr(looker.link, "_answer", lambda _: [[b"name", b"\xff\xfe"], [b"odd"], []])

    assert await looker.reclaimer.look(looker.edges, set(), 100) == 0
