"""The other half of the model suite: what is paid once, kept first, and counted.

It is part of `ModelConformance`; nobody subclasses it alone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from squads.contracts.errors import AllowanceSpent, StorageUnavailable
from squads.contracts.finding import Usage
from squads.testing.model_script import (
    OTHER,
    SOON_SECONDS,
    Answer,
    ModelSuite,
    Pair,
    Says,
    Scene,
    WatchedJournal,
    WatchedMeter,
    fills,
)


class ModelPaid(ModelSuite):
    """The journal and the meter."""

    # What is paid once ------------------------------------------------------------------------------------------------

    async def test_what_was_paid_is_not_asked_again(self, tmp_path: Path) -> None:
        """A fresh call for the same request, as after a restart: the same reply, counted, and nobody is asked."""
        scene = Scene()
        async with self.held(tmp_path, Says("hm"), fills("plum")) as (model, name, script):
            first = await self.ask(model, name, scene.call())
            resumed = Scene(journal=scene.journal)
            again = await self.ask(model, name, resumed.call())

            assert first.form == again.form
            assert name == again.model
            assert paid(first.usage) == paid(again.usage) == paid(resumed.meter.usage)
            assert len(script.told) == 2
            assert "reserve" not in resumed.meter.events

    async def test_another_request_is_another_reply(self, tmp_path: Path) -> None:
        """The same words on behalf of another request, or other words on behalf of the same, are asked."""
        scene = Scene()
        async with self.held(tmp_path, fills("plum"), fills("pear"), fills("fig")) as (model, name, _):
            forms = [
                (await self.ask(model, name, scene.call())).form,
                (await self.ask(model, name, scene.call(OTHER))).form,
                (await self.ask(model, name, scene.call(), prompt="Another word, please.")).form,
            ]

            assert [Pair(word=word, number=7) for word in ("plum", "pear", "fig")] == forms

    async def test_what_is_asked_twice_within_a_request_has_two_replies(self, tmp_path: Path) -> None:
        """And a fresh call is given both in their order."""
        scene = Scene()
        async with self.held(tmp_path, fills("plum"), fills("pear")) as (model, name, _):
            call, resumed = scene.call(), scene.call()
            words = [(await self.ask(model, name, each)).form for each in (call, call, resumed, resumed)]

            assert [Pair(word=word, number=7) for word in ("plum", "pear", "plum", "pear")] == words

    async def test_a_reply_that_cannot_be_kept_is_not_returned(self, tmp_path: Path) -> None:
        """The journal comes first; what was paid counts all the same."""
        scene = Scene(journal=WatchedJournal(fails=True))
        async with self.held(tmp_path, fills("plum")) as (model, name, _):
            with pytest.raises(StorageUnavailable):
                await self.ask(model, name, scene.call())

            assert scene.meter.usage.calls == 1
            assert set() == scene.meter.open

    async def test_two_who_paid_for_the_same_go_on_with_one_reply(self, tmp_path: Path) -> None:
        """As two workers do: the reply that the journal kept is the one that both return."""
        if not self.live:
            return
        both = asyncio.Event()

        async def first(_: str) -> Answer:
            await both.wait()
            return fills("plum")

        def second(_: str) -> Answer:
            both.set()
            return fills("pear")

        scene = Scene()
        async with self.held(tmp_path, first, second) as (model, name, _):
            async with asyncio.timeout(SOON_SECONDS):
                one, other = await asyncio.gather(*(self.ask(model, name, scene.call()) for _ in range(2)))

            assert one.form == other.form

    # What it may cost -------------------------------------------------------------------------------------------------

    async def test_what_a_reply_may_cost_is_set_aside_first_and_settled_after(self, tmp_path: Path) -> None:
        """Reserved before anybody is asked; kept and settled before the call returns."""
        events: list[str] = []
        scene = Scene(journal=WatchedJournal(events), meter=WatchedMeter(events))
        async with self.held(tmp_path, fills("plum")) as (model, name, script):
            script.events = events
            reply = await self.ask(model, name, scene.call())

            if self.live:
                assert events[-4:-2] == ["reserve", "asked"]
            assert {"put", "settle"} == set(events[-2:])
            assert events.index("reserve") < events.index("settle")
            assert set() == scene.meter.open
            assert reply.usage == scene.meter.usage

    async def test_no_allowance_asks_nobody(self, tmp_path: Path) -> None:
        """What has too little is refused; who then comes with enough finds a model that was not asked."""
        async with self.held(tmp_path, fills("plum")) as (model, name, _):
            scene = Scene(meter=WatchedMeter(tokens_max=10))
            with pytest.raises(AllowanceSpent):
                await self.ask(model, name, scene.call())

            assert scene.meter.usage.calls == 0
            assert set() == scene.meter.open
            assert Pair(word="plum", number=7) == (await self.ask(model, name, Scene().call())).form

    async def test_an_allowance_that_ends_between_two_replies_loses_none(self, tmp_path: Path) -> None:
        """A reply that did not validate was paid; whoever comes back with more goes on from there."""
        poor = Scene(meter=WatchedMeter(calls_max=1))
        async with self.held(tmp_path, Says("hm"), fills("plum")) as (model, name, script):
            with pytest.raises(AllowanceSpent):
                await self.ask(model, name, poor.call())
            rich = Scene(journal=poor.journal)
            reply = await self.ask(model, name, rich.call())

            assert poor.meter.usage.calls == 1
            assert Pair(word="plum", number=7) == reply.form
            assert reply.usage == rich.meter.usage
            assert reply.usage.calls == 2
            assert len(script.told) == 2

    async def test_a_reply_out_of_the_journal_needs_no_allowance(self, tmp_path: Path) -> None:
        """It was paid; it counts and is never refused."""
        scene = Scene()
        async with self.held(tmp_path, fills("plum")) as (model, name, _):
            first = await self.ask(model, name, scene.call())
            poor = Scene(journal=scene.journal, meter=WatchedMeter(tokens_max=0))

            assert first.form == (await self.ask(model, name, poor.call())).form
            assert paid(first.usage) == paid(poor.meter.usage)


def paid(usage: Usage) -> Usage:
    """Return what was paid: a reply out of the journal need not say how long others were tried before it."""
    return usage.but(wait_ms=0)
