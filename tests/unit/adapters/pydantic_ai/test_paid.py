"""What is paid once is kept first, counted exactly, and never asked for again."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from mind_scene import (
    ABOUT,
    NAME,
    OTHER,
    Journal,
    Meter,
    Raw,
    Streaming,
    Word,
    ask,
    call_of,
    request_of,
    response,
    says,
)
from pydantic_ai import messages as m
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models import Model as WireModel
from pydantic_ai.usage import RequestUsage

from squads.adapters.pydantic_ai.engine import Engine
from squads.adapters.pydantic_ai.retrying import Patience
from squads.adapters.pydantic_ai.unpaid import unpaid
from squads.contracts.errors import (
    AllowanceSpent,
    LedgerBroken,
    ModelRejected,
    ModelUnreachable,
    RecordingMissed,
    StorageUnavailable,
)
from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.thinking import Progress, UnsafeText
from squads.kernel.model_ports import Untraced
from squads.minds.meter import AnswerMeter
from squads.testing import ScriptedModel

ONE = Usage(tokens=120, calls=1)


def without_wait(usage: Usage) -> Usage:
    """How long something took is no part of what a test expects."""
    return usage.but(wait_ms=0)


class Waiting(ScriptedModel):
    """A model that never answers, and says when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def request(self, *_: Any) -> m.ModelResponse:
        """Wait without end."""
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_reply_is_kept_before_it_is_settled_or_told() -> None:
    """Killed anywhere after the write, the reply is there; killed before it, nobody was told of it."""
    journal = Journal()
    meter = Meter(journal.events, tokens_max=10_000)

    def watch(happened: Any) -> None:
        journal.events.append(happened.stage)

    reply = await ask(says(Word(text="yes")), call_of(journal, meter=meter, watch=watch))

    assert ["asked", "reserve", "put", "settle", "answered"] == journal.events
    assert ("yes", NAME, ONE) == (reply.form.text, reply.model, without_wait(reply.usage))  # type: ignore[attr-defined]


async def test_a_kept_reply_is_not_asked_for_again_and_is_counted_once() -> None:
    """After a restart the journal answers, nobody else is asked, and what it cost still counts."""
    journal = Journal()
    await ask(says(Word(text="yes")), call_of(journal))
    again = call_of(journal)

    reply = await ask(says(), again)

    assert Word(text="yes") == reply.form
    assert ONE == without_wait(again.meter.usage)
    assert ONE == without_wait(reply.usage)
    assert 1 == len(journal.rows)


async def test_the_same_question_twice_has_two_replies_in_order() -> None:
    """The second time is another turn, in the first run and in the one that is resumed."""
    journal = Journal()
    call, later = call_of(journal), call_of(journal)
    models = says(Word(text="one"), Word(text="two"))
    said = [(await ask(models, call)).form for _ in range(2)]

    resumed = [(await ask(says(), later)).form for _ in range(2)]

    assert [Word(text="one"), Word(text="two")] == said == resumed


async def test_the_first_reply_that_is_kept_counts() -> None:
    """Two processes that were paid at once give their role one and the same reply, and each counts what it spent."""
    journal = Journal()
    call = call_of(journal)

    async def meanwhile(_: Any) -> Word:
        await ask(says(Word(text="theirs")), call_of(journal))
        return Word(text="ours")

    reply = await ask(says(meanwhile), call)

    assert Word(text="theirs") == reply.form
    assert ONE == without_wait(call.meter.usage)


async def test_who_is_cancelled_while_asking_has_spent_all_that_was_reserved() -> None:
    """The provider may have served what nobody waits for any more; nothing is kept of it."""
    journal, model = Journal(), Waiting()
    call = call_of(journal)
    task = asyncio.create_task(ask({NAME: model}, call))
    await model.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert 100 < call.meter.usage.tokens
    assert 1 == call.meter.usage.calls
    assert [] == journal.rows


async def test_who_is_cancelled_while_the_reply_is_written_leaves_it_written() -> None:
    """A reply that has arrived is never lost: who is cancelled waits for the write, and counts what it cost."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Journal):
        async def put(self, about: str, step: Any, *, packet: str = "") -> Any:
            begun.set()
            await go_on.wait()
            return await super().put(about, step)

    journal = Slow()
    call = call_of(journal)
    task = asyncio.create_task(ask(says(Word(text="yes")), call))
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert 1 == len(journal.rows)
    assert ONE == without_wait(call.meter.usage)


async def test_a_journal_that_takes_nothing_ends_the_turn_and_is_not_asked_twice() -> None:
    """What could not be kept is shown to nobody. It was paid, so it is counted and not asked for again at once."""
    journal = Journal()
    journal.put_fails = StorageUnavailable("the disk is full")
    call = call_of(journal)
    with pytest.raises(StorageUnavailable):
        await ask(says(Word(text="yes")), call)

    assert ["put"] == journal.events
    assert ONE == without_wait(call.meter.usage)


async def test_a_journal_out_of_order_is_no_transport_error() -> None:
    """A connection that breaks under the journal must not be mended by paying for the reply once more."""
    journal, models = Journal(), says(Word(text="yes"), Word(text="no"))
    journal.put_fails = ConnectionError("the database is gone")
    with pytest.raises(ConnectionError):
        await ask(models, call_of(journal))

    assert 1 == len(models[NAME].asked)


async def test_a_kept_reply_that_is_damaged_is_no_reply() -> None:
    """Nobody is asked instead: who mends it decides whether to pay again."""
    journal = Journal()
    await ask(says(Word(text="yes")), call_of(journal))
    steps = journal._steps[ABOUT]
    steps.update({key: step.but(payload=b"{}\n[]") for key, step in steps.items()})
    with pytest.raises(LedgerBroken, match="erase that step"):
        await ask(says(), call_of(journal))


def refused_connection() -> Exception:
    """A failure as SDKs raise it when nobody listens."""
    error = ModelUnreachableBySdk("Connection error.")
    error.__cause__ = ConnectionRefusedError(111, "refused")
    return error


class ModelUnreachableBySdk(ConnectionError):
    """A vendor's word for a connection that failed."""


def http(status: int) -> Exception:
    """A provider's refusal."""
    return ModelHTTPError(status_code=status, model_name="m", body=None)


@pytest.mark.parametrize(
    ("error", "certainly"),
    [
        (http(429), True),
        (http(401), True),
        (http(400), True),
        (http(500), True),
        (http(502), False),
        (http(504), False),
        (TimeoutError(), False),
        (ConnectionResetError(), False),
        (refused_connection(), True),
        (asyncio.CancelledError(), False),
        (ValueError("nobody knows"), False),
        (RecordingMissed("none"), True),
    ],
    ids=repr,
)
def test_what_certainly_cost_nothing_was_turned_away_or_never_sent(error: BaseException, certainly: bool) -> None:
    """Whatever may have been served counts in full."""
    assert certainly == unpaid(error)


async def test_every_try_that_may_have_been_paid_counts() -> None:
    """A time-out, then an answer: two replies may have been paid, one of which never came."""
    call = call_of()

    reply = await ask(says(TimeoutError(), http(429), Word(text="yes")), call)

    lost = call.meter.usage.tokens - ONE.tokens
    assert Word(text="yes") == reply.form
    assert 100 < lost
    assert 2 == call.meter.usage.calls


async def test_tries_cannot_pass_the_allowance_together() -> None:
    """A provider that times out without end cannot make an answer cost more than was reserved for it."""
    call = call_of(tokens=500)
    models = says(*[TimeoutError()] * 3)
    with pytest.raises(AllowanceSpent):
        await ask(models, call)

    assert call.meter.usage.tokens <= 500
    assert len(models[NAME].asked) < 3


async def test_a_provider_that_turns_a_request_away_costs_nothing() -> None:
    """Nothing is settled, and the failure is named."""
    call = call_of()
    with pytest.raises(ModelRejected):
        await ask(says(http(401)), call)

    assert NO_USAGE == without_wait(call.meter.usage)


async def test_a_reply_without_a_count_is_not_free() -> None:
    """Some servers say nothing of tokens; an allowance that they cannot spend would be none."""
    call = call_of()
    await ask(says(Word(text="word " * 300), tokens=(0, 0)), call)

    assert 500 < call.meter.usage.tokens < 1_500


async def test_requests_of_one_answer_cannot_pass_its_allowance_together() -> None:
    """Eight at once, with room for fewer: each reserves before it asks, and the rest are refused unasked."""
    models = {NAME: ScriptedModel(*[Word(text="yes")] * 8, tokens=(50, 20))}
    call = call_of(tokens=700)

    said = await asyncio.gather(*(ask(models, call, prompt=f"Say {n}.") for n in range(8)), return_exceptions=True)

    answered = [reply for reply in said if not isinstance(reply, BaseException)]
    assert len(answered) == len(models[NAME].asked)
    assert 1 <= len(answered) < 8
    assert all(isinstance(reply, AllowanceSpent) for reply in said if isinstance(reply, BaseException))
    assert call.meter.usage.tokens <= 700


async def test_the_most_that_is_reserved_holds_the_prompt_and_the_longest_reply() -> None:
    """A reply that could be longer than what is left is not asked for."""
    models = says(Word(text="yes"))
    with pytest.raises(AllowanceSpent):
        await ask(models, call_of(tokens=100_000), output_tokens_max=100_000)

    assert [] == models[NAME].asked


# Time -----------------------------------------------------------------------------------------------------------------


class Hours:
    """A clock that only replies move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("squads.adapters.pydantic_ai.paid.time", SimpleNamespace(monotonic=lambda: self.now))

    def later(self, seconds: float, reply: Any) -> Any:
        """Return a reply that takes so long."""

        def reply_later(_: Any) -> Any:
            self.now += seconds
            if isinstance(reply, Exception):
                raise reply
            return reply

        return reply_later


def timed(wait_ms_max: int | None) -> AnswerMeter:
    """The meter of an answer that may take so long, and has tokens enough."""
    return AnswerMeter(tokens_max=1_000_000, wait_ms_max=wait_ms_max)


async def test_replies_of_one_answer_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes from what is left; where nothing is, nobody is asked, and nobody is told that somebody was."""
    hours, told = Hours(monkeypatch), list[Any]()
    models = says(*[hours.later(0.6, Word(text="yes"))] * 2, Word(text="no"))
    call = call_of(meter=timed(1_000), watch=told.append)
    for n in range(2):
        await ask(models, call, prompt=f"Say {n}.")
    told.clear()
    with pytest.raises(AllowanceSpent, match="raise `call_ms_max`"):
        await ask(models, call, prompt="Say 2.")

    assert 2 == len(models[NAME].asked)
    assert Usage(tokens=240, calls=2, wait_ms=1_200) == call.meter.usage
    assert [] == told


async def test_an_answer_without_a_limit_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it took is counted, and bounds nothing."""
    hours = Hours(monkeypatch)
    call = call_of(meter=timed(None))
    for _ in range(2):
        await ask(says(hours.later(10**6, Word(text="yes"))), call)

    assert 2 * 10**9 == call.meter.usage.wait_ms


async def test_a_kept_reply_takes_no_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed answer comes out of the journal as far as it was paid, whatever it took then."""
    hours, journal = Hours(monkeypatch), Journal()
    models = says(*[hours.later(0.6, Word(text="yes"))] * 2)
    for call in (call_of(journal, meter=timed(1_000)), call_of(journal, meter=timed(1_000))):
        said = [(await ask(models, call, prompt=f"Say {n}.")).form for n in range(2)]

    assert [Word(text="yes")] * 2 == said
    assert 2 == len(models[NAME].asked)
    assert 0 == call.meter.wait_ms_left


async def test_a_reply_that_does_not_come_in_time_ends_the_answer() -> None:
    """It may have been paid, so it counts in full; its time is counted, and a second model would have none."""
    journal, told = Journal(), list[Any]()
    models = {NAME: Waiting(), OTHER: ScriptedModel(Word(text="yes"))}
    call = call_of(journal, meter=timed(20), watch=told.append)
    with pytest.raises(AllowanceSpent, match=r"'scripted:first' has not answered in the time .* `call_ms_max`"):
        await ask(models, call, models=(NAME, OTHER))

    assert 0 == call.meter.wait_ms_left
    assert 20 <= call.meter.usage.wait_ms
    assert (1, True) == (call.meter.usage.calls, call.meter.usage.tokens > 100)
    assert ([], []) == (models[OTHER].asked, journal.rows)
    assert ["asked"] == [each.stage for each in told]


async def test_waiting_for_a_slot_is_waiting_for_the_answer() -> None:
    """A provider that is busy with others holds nobody longer than the answer may take; nothing was asked."""
    first = Waiting()
    models = {NAME: first, OTHER: ScriptedModel(Word(text="yes"))}
    engine = Engine(models.__getitem__, prices={}, patience=Patience(), slots={"scripted": 1}, slots_default=100)
    holds = asyncio.create_task(engine.ask(request_of(), call_of()))
    await first.reached.wait()
    call = call_of(meter=timed(20))
    with pytest.raises(AllowanceSpent):
        await engine.ask(request_of(models=(OTHER,)), call)
    holds.cancel()
    await asyncio.gather(holds, return_exceptions=True)

    assert [] == models[OTHER].asked
    assert (0, True) == (call.meter.usage.calls, call.meter.usage.wait_ms >= 20)


@pytest.mark.parametrize("failure", [http(401), TimeoutError(), ValueError("nobody knows")], ids=repr)
async def test_what_failed_has_taken_its_time(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all tries; a provider's own time-out is no limit of ours."""
    hours = Hours(monkeypatch)
    tries = 3 if isinstance(failure, TimeoutError) else 1
    call = call_of(meter=timed(1_000_000))
    with pytest.raises((ModelUnreachable, ModelRejected, ValueError)):
        await ask(says(*[hours.later(0.25, failure)] * tries), call)

    assert 250 * tries == call.meter.usage.wait_ms


async def test_a_reply_that_came_and_was_lost_has_taken_its_time_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is settled as what it was, whatever goes wrong before it is kept."""

    class Torn(Untraced):
        def asking(self, name: str, **_: Any) -> Any:
            return nullcontext(self)

        def answered(self, *_: Any) -> None:
            raise RuntimeError("the trace is torn")

    call = call_of(meter=timed(1_000_000), trace=Torn())
    with pytest.raises(RuntimeError, match="torn"):
        await ask(says(Hours(monkeypatch).later(0.25, Word(text="yes"))), call)

    assert Usage(tokens=120, calls=1, wait_ms=250) == call.meter.usage


async def test_the_time_of_all_tries_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reply that came in the end says how long it was waited for."""
    hours, call = Hours(monkeypatch), call_of(meter=timed(1_000_000))

    reply = await ask(says(hours.later(0.25, http(429)), hours.later(0.25, Word(text="yes"))), call)

    assert Usage(tokens=120, calls=1, wait_ms=500) == call.meter.usage == reply.usage


# Several models ------------------------------------------------------------------------------------------------------


async def test_the_next_model_is_asked_when_one_cannot_be() -> None:
    """Its reply is journalled under its own name, and those who watch see the change."""
    told: list[Any] = []
    models = {NAME: ScriptedModel(http(401)), OTHER: ScriptedModel(Word(text="yes"))}

    reply = await ask(models, call_of(watch=told.append), models=(NAME, OTHER))

    assert (OTHER, ONE) == (reply.model, without_wait(reply.usage))
    assert ["asked", "fallback", "asked", "answered"] == [p.stage for p in told]


async def test_a_reply_of_any_model_of_the_list_is_not_asked_for_again() -> None:
    """The first failed and the second answered before the crash; the first could answer now, and is not asked."""
    journal = Journal()
    before = {NAME: ScriptedModel(http(401)), OTHER: ScriptedModel(Word(text="kept"))}
    await ask(before, call_of(journal), models=(NAME, OTHER))
    now = {NAME: ScriptedModel(Word(text="new")), OTHER: ScriptedModel()}
    later = call_of(journal)

    reply = await ask(now, later, models=(NAME, OTHER))

    assert (Word(text="kept"), OTHER) == (reply.form, reply.model)
    assert [] == now[NAME].asked
    assert ONE == without_wait(later.meter.usage)


async def test_a_resumed_list_finds_each_reply_to_the_same_question() -> None:
    """First time the second model answered, second time the first: both are found, in their order."""
    journal = Journal()
    first = {NAME: ScriptedModel(http(401), Word(text="two")), OTHER: ScriptedModel(Word(text="one"))}
    call, later = call_of(journal), call_of(journal)
    for _ in range(2):
        await ask(first, call, models=(NAME, OTHER))
    now = {NAME: ScriptedModel(), OTHER: ScriptedModel()}

    said = [(await ask(now, later, models=(NAME, OTHER))).form for _ in range(2)]

    assert [Word(text="one"), Word(text="two")] == said


async def test_a_resumed_re_ask_after_a_fallback_is_the_same_request() -> None:
    """What failed on the way to a reply is no part of the conversation, so the next question has the same digest."""
    journal = Journal()
    before = {NAME: ScriptedModel(http(401), http(401)), OTHER: ScriptedModel("no form", Word(text="kept"))}
    await ask(before, call_of(journal), models=(NAME, OTHER))
    now = {NAME: ScriptedModel(), OTHER: ScriptedModel()}

    reply = await ask(now, call_of(journal), models=(NAME, OTHER))

    assert Word(text="kept") == reply.form


async def test_when_none_can_be_asked_all_are_named() -> None:
    """One error, with each model's own."""
    models = {NAME: ScriptedModel(http(401)), OTHER: ScriptedModel(http(404))}
    with pytest.raises(ModelUnreachable, match=r"none of 2 models.*scripted:first.*scripted:second"):
        await ask(models, call_of(), models=(NAME, OTHER))


async def test_an_empty_purse_asks_nobody_else() -> None:
    """A second model would cost as much: that is no reason to fall back."""
    models = {NAME: ScriptedModel(), OTHER: ScriptedModel(Word(text="yes"))}
    with pytest.raises(AllowanceSpent):
        await ask(models, call_of(tokens=10), models=(NAME, OTHER))

    assert [] == models[OTHER].asked


# Replies that cannot be written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [{"text": "half \ud800"}, '{"text": "half \\ud800"}'], ids=["object", "text"])
async def test_a_lone_surrogate_is_kept_and_asked_about(bad: Any) -> None:
    """It was paid for, so it is in the journal; it fills in no form, so the model is asked again."""
    journal = Journal()
    model = Raw(response(bad), response({"text": "whole"}))

    reply = await ask({NAME: model}, call_of(journal))
    resumed = await ask({NAME: Raw()}, call_of(journal))

    assert Word(text="whole") == reply.form == resumed.form
    assert 2 == len(journal.rows)


async def test_arguments_nested_without_end_are_kept_and_asked_about() -> None:
    """No reply is so odd that it ends the worker."""
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(3_000):
        inner["text"] = {}
        inner = inner["text"]

    reply = await ask({NAME: Raw(response(deep), response({"text": "flat"}))})

    assert Word(text="flat") == reply.form


@pytest.mark.parametrize(
    "used",
    [
        {"input_tokens": -100, "output_tokens": 100},
        {"input_tokens": 10**30, "output_tokens": 1},
        {"input_tokens": True, "output_tokens": 1},
        {"input_tokens": float("nan"), "output_tokens": 1},
        {"input_tokens": "7", "output_tokens": 1},
        {"input_tokens": 10, "output_tokens": 10, "cache_read_tokens": 10**40},
    ],
    ids=str,
)
async def test_a_count_that_cannot_be_is_no_count(used: dict[str, Any]) -> None:
    """The reply was paid for and is kept; it counts for about what was said, as where nobody counted."""
    call, silent = call_of(), call_of()
    options: dict[str, Any] = {"prices": {NAME: (10**6, 10**6)}}
    await ask({NAME: Raw(response({"text": "x"}))}, silent, **options)

    await ask({NAME: Raw(response({"text": "x"}, usage=RequestUsage(**used)))}, call, **options)

    said = silent.meter.usage
    assert said.tokens > 0
    assert said.cost_microusd > 0
    assert without_wait(said) == without_wait(call.meter.usage)


async def test_a_cost_without_end_is_counted_as_far_as_counts_go() -> None:
    """What a record cannot say costs nobody the reply, nor does what several of them come to."""
    call = call_of(tokens=10**12)
    used = RequestUsage(input_tokens=10**9, output_tokens=10**9)
    for _ in range(2):
        await ask({NAME: Raw(response({"text": "x"}, usage=used))}, call, prices={NAME: (10**14, 10**14)})

    assert 2**53 - 1 == call.meter.usage.cost_microusd
    assert 4 * 10**9 == call.meter.usage.tokens
    assert call.meter.usage == Usage(**call.meter.usage.model_dump())


@pytest.mark.parametrize("address", ["https://me:word-of-pass@example.com/v1", "https://example.com/?key=word-of-pass"])
async def test_an_address_with_a_password_is_not_kept(address: str) -> None:
    """The journal is read by whoever reads the store."""
    journal = Journal()
    await ask({NAME: Raw(response({"text": "x"}, provider_url=address))}, call_of(journal))

    assert 1 == len(journal.rows)
    assert b"word-of-pass" not in journal.rows[0].payload


# Text on the way ------------------------------------------------------------------------------------------------------


async def test_no_text_is_told_unless_it_was_asked_for() -> None:
    """And then the model is not even streamed from."""
    told: list[Any] = []
    model = Streaming("secret")
    with pytest.raises(AssertionError):  # the function model has only a stream, and is asked for a whole reply
        await ask({NAME: model}, call_of(watch=told.append))

    assert 0 == model.opened
    assert not any(isinstance(each, UnsafeText) for each in told)


async def test_text_that_was_asked_for_is_told_as_it_comes_and_kept_whole() -> None:
    """The journal has the whole reply, and a resumed request tells no text again."""
    told: list[Any] = []
    journal = Journal()

    reply = await ask({NAME: Streaming("hello")}, call_of(journal, watch=told.append, text=True))
    resumed = await ask(says(), call_of(journal, watch=told.append, text=True))

    assert Word(text="hello") == reply.form == resumed.form
    assert '{"text": "hello"}' == "".join(each.text for each in told if isinstance(each, UnsafeText))
    assert ["asked", "answered"] == [each.stage for each in told if isinstance(each, Progress)]


async def test_a_model_that_cannot_stream_tells_its_text_at_once() -> None:
    """Who wants to see text does not break models that have none on the way."""
    told: list[Any] = []

    reply = await ask(says(Word(text="all")), call_of(watch=told.append, text=True))

    assert Word(text="all") == reply.form
    assert '{"text":"all"}' == "".join(each.text for each in told if isinstance(each, UnsafeText))


async def test_a_stream_that_ends_early_is_no_reply() -> None:
    """Its empty form would be filled with defaults, and a form full of defaults may approve."""
    journal, model = Journal(), Streaming("", cut=True)
    call = call_of(journal, text=True, watch=lambda _: None)
    with pytest.raises(ModelUnreachable):
        await ask({NAME: model}, call)

    assert 3 == model.opened
    assert [] == journal.rows
    assert 3 == call.meter.usage.calls


async def test_requests_to_one_provider_wait_for_a_slot() -> None:
    """No more are under way at once than the provider bears."""
    under_way, most = 0, 0

    async def one(_: Any) -> Word:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _turn in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return Word(text="yes")

    engine = Engine(
        says(*[one] * 6).__getitem__, prices={}, patience=Patience(), slots={"scripted": 2}, slots_default=100
    )
    await asyncio.gather(*(engine.ask(request_of(f"Say {n}."), call_of()) for n in range(6)))

    assert 2 == most


def test_the_scene_is_a_model() -> None:
    """What the tests above ask is what pydantic-ai asks."""
    assert issubclass(Raw, WireModel)
