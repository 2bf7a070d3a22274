"""What every `Model` must do, as tests: subclass, say how to open one that is answered by a script, let pytest collect.

    from squads.testing import ModelConformance

    class TestMyModel(ModelConformance):
        @asynccontextmanager
        async def opened(self, script, where):
            async def answered(told, forms):    # whenever your provider is asked, by whatever means
                match await script.answer(told, forms):
                    case Fills(form, arguments): ...    # these stand in squads.testing.model_script
                    case Several(forms): ...
                    case Says(text): ...
                    case Unreachable(): ...
            model = MyModel(...)
            yield model, "mine:model"
            await model.close()

It needs pytest-asyncio in auto mode. The suite stands on both sides of a model, as the role that asks and as the
provider that answers, and must never look inside.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import BaseModel

from squads.contracts.errors import InvalidModel, InvalidReply, ModelUnreachable
from squads.contracts.finding import NO_USAGE
from squads.contracts.thinking import Progress, UnsafeText
from squads.testing.conformance_models_paid import ModelPaid
from squads.testing.model_script import (
    ABOUT,
    NOTHING,
    OTHER,
    PAIR,
    SOON_SECONDS,
    UNSEEN,
    Answer,
    Fills,
    Nothing,
    Pair,
    Says,
    Scene,
    Several,
    Unreachable,
    fills,
)


class ModelConformance(ModelPaid):
    """The suite. `opened` is all that a subclass must give."""

    # What comes back --------------------------------------------------------------------------------------------------

    async def test_a_filled_form_comes_back_with_who_filled_it_and_what_it_cost(self, tmp_path: Path) -> None:
        """Either form may be filled in; the model sees who it is, its work and the forms."""
        scene = Scene()
        async with self.held(tmp_path, fills("Grüße ☂", 3), Fills(NOTHING, {"why": "It is late."})) as opened:
            model, name, script = opened
            pair = await self.ask(model, name, scene.call())
            before = scene.meter.usage
            nothing = await self.ask(model, name, scene.call(OTHER))

            assert Pair(word="Grüße ☂", number=3) == pair.form
            assert Nothing(why="It is late.") == nothing.form
            assert [name, name] == [pair.model, nothing.model]
            assert [pair.usage.calls, nothing.usage.calls] == [1, 1]
            assert pair.usage.tokens > 0
            assert before == pair.usage
            assert scene.meter.usage == pair.usage.plus(nothing.usage)
            assert all({PAIR, NOTHING} <= offered for offered in script.offered)
            assert "Thinks in pairs." in script.told[0]
            assert "A word and a number, please." in script.told[0]

    @pytest.mark.parametrize(
        "unfit",
        [
            Says(f"{UNSEEN} and 7"),
            Fills(PAIR, {"word": UNSEEN, "number": -7}),
            Fills(PAIR, {"word": UNSEEN}),
            Fills("approve", {"word": UNSEEN, "number": 7}),
            Several((fills(UNSEEN), Fills(NOTHING, {"why": "It is late."}))),
        ],
        ids=["text", "unfit", "incomplete", "no form of ours", "two at once"],
    )
    async def test_what_does_not_validate_is_asked_again(self, unfit: Answer, tmp_path: Path) -> None:
        """In the same conversation, and both replies were paid."""
        scene = Scene()
        async with self.held(tmp_path, unfit, fills("plum")) as (model, name, script):
            reply = await self.ask(model, name, scene.call())

            assert Pair(word="plum", number=7) == reply.form
            assert reply.usage.calls == 2
            assert reply.usage == scene.meter.usage
            assert len(script.told[0]) < len(script.told[1])
            assert [told.stage for told in scene.seen if isinstance(told, Progress) and told.model in (name, "")] == [
                "asked",
                "answered",
                "again",
                "asked",
                "answered",
            ]

    @pytest.mark.parametrize("reasks_max", [0, 2])
    async def test_asking_again_is_bounded_and_the_last_words_are_kept(self, reasks_max: int, tmp_path: Path) -> None:
        """Not once more than `reasks_max`; then the error's `kept` is where the last words stand."""
        scene = Scene()
        words = [f"no form {number}" for number in range(reasks_max + 1)]
        async with self.held(tmp_path, *map(Says, words)) as (model, name, _):
            with pytest.raises(InvalidReply) as raised:
                await self.ask(model, name, scene.call(), reasks_max=reasks_max)

            assert words[-1].encode() in await scene.blobs.get(raised.value.kept)
            assert scene.meter.usage.calls == reasks_max + 1
            assert [told.stage for told in scene.seen if isinstance(told, Progress)].count("again") == reasks_max + 1
            assert set() == scene.meter.open

    async def test_what_a_role_cannot_accept_goes_back_to_the_model_in_its_words(self, tmp_path: Path) -> None:
        """The sentence of `accepts` is what the model is told, and what it then fills in is looked at again."""
        looked: list[BaseModel] = []

        def accepts(form: BaseModel) -> None:
            looked.append(form)
            if form == Pair(word="plum", number=7):
                raise ValueError("plums are out of season; take another fruit")

        async with self.held(tmp_path, fills("plum"), fills("pear")) as (model, name, script):
            reply = await self.ask(model, name, Scene().call(), accepts=accepts)

            assert Pair(word="pear", number=7) == reply.form == looked[-1]
            assert "plums are out of season; take another fruit" not in script.told[0]
            assert "plums are out of season; take another fruit" in script.told[1]

    async def test_what_is_never_accepted_is_no_reply(self, tmp_path: Path) -> None:
        """A form that its role refuses counts as one that does not validate."""

        def accepts(form: BaseModel) -> None:
            raise ValueError("not this one")

        async with self.held(tmp_path, fills("plum"), fills(UNSEEN)) as (model, name, _):
            scene = Scene()
            with pytest.raises(InvalidReply, match="not this one") as raised:
                await self.ask(model, name, scene.call(), accepts=accepts, reasks_max=1)

            assert UNSEEN.encode() in await scene.blobs.get(raised.value.kept)

    # What goes wrong --------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("text", [False, True], ids=["whole", "text"])
    async def test_nobody_there_is_said_and_nothing_is_kept(self, text: bool, tmp_path: Path) -> None:
        """Nothing is journalled, nothing stays set aside, and the same request may be asked again."""
        if not self.live:
            return
        scene = Scene()
        async with self.held(tmp_path, Unreachable(), fills("plum")) as (model, name, _):
            with pytest.raises(ModelUnreachable):
                await self.ask(model, name, scene.call(text=text))

            assert "put" not in scene.journal.events
            assert set() == scene.meter.open
            assert scene.meter.usage.but(wait_ms=0) == NO_USAGE
            assert "answered" not in [told.stage for told in scene.seen if isinstance(told, Progress)]
            assert Pair(word="plum", number=7) == (await self.ask(model, name, scene.call(text=text))).form

    @pytest.mark.parametrize("text", [False, True], ids=["whole", "text"])
    async def test_cancelling_ends_a_call_and_no_later_one(self, text: bool, tmp_path: Path) -> None:
        """A provider that never answers is let go at once; what may have been paid counts."""
        if not self.live:
            return
        reached = asyncio.Event()

        async def never(_: str) -> Answer:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

        scene = Scene()
        async with self.held(tmp_path, never, fills("plum")) as (model, name, _):
            async with asyncio.timeout(SOON_SECONDS):
                asking = asyncio.ensure_future(self.ask(model, name, scene.call(text=text)))
                await reached.wait()
                asking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking

            assert "put" not in scene.journal.events
            assert set() == scene.meter.open
            assert Pair(word="plum", number=7) == (await self.ask(model, name, scene.call(text=text))).form

    async def test_two_calls_at_once_do_not_mix(self, tmp_path: Path) -> None:
        """The first is answered after the second, and each has its own reply, usage and steps."""
        second_came = asyncio.Event()

        def word_of(told: str) -> Answer:
            return fills("plum" if "plum, please" in told else "pear")

        async def first(told: str) -> Answer:
            await second_came.wait()
            return word_of(told)

        def second(told: str) -> Answer:
            second_came.set()
            return word_of(told)

        scenes = {"plum": Scene(), "pear": Scene()}
        async with self.held(tmp_path, first, second) as (model, name, _):
            async with asyncio.timeout(SOON_SECONDS):
                replies = await asyncio.gather(
                    *(
                        self.ask(model, name, scene.call(), prompt=f"A {word}, please.")
                        for word, scene in scenes.items()
                    )
                )

            assert [Pair(word=word, number=7) for word in scenes] == [reply.form for reply in replies]
            assert [reply.usage.calls for reply in replies] == [1, 1]
            assert [reply.usage for reply in replies] == [scene.meter.usage for scene in scenes.values()]
            assert [scene.journal.events for scene in scenes.values()] == [["put"], ["put"]]

    # Who watches ------------------------------------------------------------------------------------------------------

    async def test_who_watches_is_told_names_and_numbers_and_no_text(self, tmp_path: Path) -> None:
        """That it is asked and that it answered, by which model, for whom; never what was said."""
        scene = Scene()
        async with self.held(tmp_path, fills(UNSEEN)) as (model, name, _):
            reply = await self.ask(model, name, scene.call(), prompt=f"Say {UNSEEN}.")

            told = [each for each in scene.seen if isinstance(each, Progress)]
            assert told == scene.seen
            assert UNSEEN not in repr(told)
            assert [each.stage for each in told if each.model == name] == ["asked", "answered"]
            assert {(ABOUT, "p" * 32, "builder")} == {(each.about, each.packet, each.role) for each in told}
            assert reply.usage.tokens == told[-1].tokens

    async def test_text_on_the_way_is_for_who_asks_for_it(self, tmp_path: Path) -> None:
        """With `text=True` what the model writes is told, and the reply is the same."""
        scene = Scene()
        async with self.held(tmp_path, fills(UNSEEN)) as (model, name, _):
            reply = await self.ask(model, name, scene.call(text=True))

            texts = [each for each in scene.seen if isinstance(each, UnsafeText)]
            assert Pair(word=UNSEEN, number=7) == reply.form
            assert UNSEEN in "".join(each.text for each in texts)
            assert {(ABOUT, "p" * 32, "builder")} == {(each.about, each.packet, each.role) for each in texts}
            assert UNSEEN not in repr([each for each in scene.seen if isinstance(each, Progress)])

    async def test_a_reply_out_of_the_journal_is_no_news(self, tmp_path: Path) -> None:
        """Who watches a resumed request is not told that somebody was asked, nor is any text told twice."""
        scene = Scene()
        async with self.held(tmp_path, fills(UNSEEN)) as (model, name, _):
            await self.ask(model, name, scene.call())
            scene.seen.clear()
            await self.ask(model, name, scene.call(text=True))

            assert scene.seen == []

    # Before and after -------------------------------------------------------------------------------------------------

    async def test_a_model_string_is_judged_without_asking(self, tmp_path: Path) -> None:
        """A string that can be asked passes; a provider that nobody knows is `InvalidModel`."""
        async with self.held(tmp_path) as (model, name, _):
            model.check(name)
            if self.live:
                with pytest.raises(InvalidModel):
                    model.check("no-such-provider:model")

    async def test_a_price_is_two_whole_numbers_or_nothing(self, tmp_path: Path) -> None:
        """An unknown model has none; looking asks nobody."""
        async with self.held(tmp_path) as (model, name, _):
            price = model.price(name)

            assert price is None or all(isinstance(each, int) and each >= 0 for each in price)
            assert price is None or len(price) == 2
            assert model.price("no-such-provider:model") is None

    async def test_closing_twice_is_no_error(self, tmp_path: Path) -> None:
        """Neither after a call nor before any."""
        async with self.held(tmp_path, fills("plum")) as (model, name, _):
            await self.ask(model, name, Scene().call())
            await model.close()
            await model.close()
        (tmp_path / "unasked").mkdir()
        async with self.held(tmp_path / "unasked") as (model, _, _):
            await model.close()
            await model.close()
