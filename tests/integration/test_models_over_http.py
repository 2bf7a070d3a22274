"""Roles that think, end to end over real HTTP: the vendors' own SDKs in front of a model server on this machine.

What a scripted model cannot show: keys, retries, broken answers, and what a provider would have billed.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from http_team import (
    APPROVES,
    MAKER,
    MENDED,
    NULLABLE,
    PLANNER,
    PROVIDERS,
    READER,
    REFUSES,
    REVISED,
    STRAIGHT,
    files_of,
    followed,
    hands_in,
    point,
    ran,
    script,
    short_waits,
    spoken,
    team,
    warm_up,
)

from squads import Limits, NotComposed, Packet
from squads.audit import audit
from squads.contracts.errors import InvalidModel
from squads.contracts.thinking import Progress
from squads.testing import Call, Fault, ModelServer, ServerReply, ServerRequest, injected
from squads.testing.served import INJECTION, Tokens

ONCE = Packet(brief="A table of pairs.", limits=Limits(attempts_max=1, amendments_max=0))
"""A packet that ends with the first attempt that does not go through."""


@pytest.fixture(scope="module", autouse=True)
def vendors_are_there() -> None:
    warm_up()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    short_waits(monkeypatch)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a server for a script, with every SDK pointed at it once it is open."""

    class Served(ModelServer):
        async def open(self) -> None:
            await super().open()
            point(monkeypatch, self)

    return Served


# The whole way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_packet_goes_its_whole_way_over_http(served: Any, provider: str) -> None:
    """Plan, build, refusal with a finding, revision, approval, composition: five replies, each paid once."""
    async with served(REVISED) as server:
        outcome = await ran(team(provider, provider, provider))

        assert {"t.sql": MENDED} == files_of(outcome)
        assert ["sql.unique-null"] == [j.verdict.findings[0].invariant for j in outcome.refusals]
        assert {PLANNER: 1, MAKER: 2, READER: 2} == dict(server.asked) == dict(server.answered)
        assert "a and b may be NULL" in [r for r in server.requests if r.model == MAKER][1].text


async def test_three_roles_think_with_three_models_of_three_providers(served: Any, tmp_path: Path) -> None:
    """Receipts say who answered and what it cost, with the numbers that came over the wire; the ledger verifies."""
    async with served(REVISED, tokens=Tokens(input=1_000, output=50)) as server:
        told = {"schema": {"family": "gpt"}}
        squad = team("litellm", "anthropic", "openai", roles=told, store=tmp_path / "s", independence="family")
        receipts, outcome = await followed(squad)

    assert {"t.sql": MENDED} == files_of(outcome)
    answered = [(r.kind, r.model) for r in receipts if getattr(r, "model", None)]
    maker, reader = spoken("anthropic", MAKER), spoken("openai", READER)
    assert [
        ("plan", spoken("litellm", PLANNER)),
        ("artifact", maker),
        ("verdict", reader),
        ("artifact", maker),
        ("verdict", reader),
    ] == answered
    assert {"family"} == {r.independence for r in receipts if r.kind == "verdict"}
    paid = [r.usage for r in receipts if getattr(r, "model", None)]
    assert [1] * 5 == [usage.calls for usage in paid]
    assert [1_050] * 5 == [usage.tokens for usage in paid]
    assert {"messages", "responses", "chat"} == {request.protocol for request in server.requests}
    assert () == audit(tmp_path / "s").failed


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_missing_key_is_one_sentence_before_any_work(provider: str) -> None:
    """It names the variable and the way that needs no key; nothing is asked and nothing is opened."""
    variable = "ANTHROPIC_API_KEY" if provider == "anthropic" else "OPENAI_API_KEY"

    with pytest.raises(InvalidModel) as raised:
        team(provider, provider, provider)

    said = str(raised.value)
    assert variable in said
    assert "--replay" in said
    assert "\n" not in said


# What goes wrong on the way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "fault",
    [
        Fault.rate_limited(retry_after=0.05),
        Fault.failed(500),
        Fault.failed(529),
        Fault.truncated(),
        Fault.reset(),
        Fault.reset(after_headers=True),
    ],
    ids=["429", "500", "529", "truncated", "reset", "reset-midway"],
)
async def test_what_passes_is_asked_again(served: Any, provider: str, fault: Fault) -> None:
    """One fault in front of every role's reply: the packet composes, with one request more for each."""
    faulty = {model: [each for reply in replies for each in (fault, reply)] for model, replies in STRAIGHT.items()}
    async with served(faulty) as server:
        outcome = await ran(team(provider, provider, provider))

        assert {"t.sql": MENDED} == files_of(outcome)
        assert {PLANNER: 2, MAKER: 2, READER: 2} == dict(server.asked)
        assert {PLANNER: 1, MAKER: 1, READER: 1} == dict(server.answered)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_that_says_when_is_taken_at_its_word(served: Any, provider: str) -> None:
    """`Retry-After` is waited for, and not less."""
    told: list[Progress] = []
    async with served({**STRAIGHT, READER: [Fault.rate_limited(retry_after=0.4), APPROVES]}):
        began = time.monotonic()
        _, outcome = await followed(team(provider, provider, provider), watch=told.append)

        assert {"t.sql": MENDED} == files_of(outcome)
        assert time.monotonic() - began >= 0.4
        assert [True] == [p.wait_ms >= 400 for p in told if p.stage == "retry"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_that_asks_for_too_long_is_not_waited_for(served: Any, provider: str) -> None:
    """A gate whose model wants to be left alone for an hour abstains at once, and says when to come back."""
    hour = [Fault.rate_limited(retry_after=3_600)] * 2
    async with served(script(maker=[hands_in(MENDED)], reader=hour)) as server:
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)
        assert "come back in 3600 seconds" in str(outcome)
        assert 2 == server.asked[READER]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_slow_answer_is_waited_for_and_not_asked_for_twice(served: Any, provider: str) -> None:
    """What takes its time is no fault: each reply is asked for once."""
    slow = {
        model: [ServerReply(calls=(reply,), wait_ms=250) for reply in replies] for model, replies in STRAIGHT.items()
    }
    async with served(slow) as server:
        outcome = await ran(team(provider, provider, provider))

        assert {"t.sql": MENDED} == files_of(outcome)
        assert {PLANNER: 1, MAKER: 1, READER: 1} == dict(server.asked)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_gate_whose_model_never_answers_is_late_and_nothing_composes(served: Any, provider: str) -> None:
    """Silence refuses: the deadline of the answer ends the wait, whatever the SDK would wait for."""
    packet = Packet(brief="A table of pairs.", limits=Limits(reply_ms_max=1_500, attempts_max=1, amendments_max=0))
    async with served(script(maker=[hands_in(MENDED)], reader=[Fault.silent()] * 2)) as server:
        server._strict = False
        outcome = await ran(team(provider, provider, provider), packet)

        assert isinstance(outcome, NotComposed)
        assert 2 == outcome.exit_code
        assert {PLANNER: 1, MAKER: 1} == dict(server.answered)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_reply_that_does_not_fit_its_form_is_asked_for_once_more(served: Any, provider: str) -> None:
    """It was paid like any other; the model is told what was wrong with it."""
    wrong = {
        model: [each for reply in replies for each in (Fault.wrong_schema(), reply)]
        for model, replies in STRAIGHT.items()
    }
    async with served(wrong) as server:
        receipts, outcome = await followed(team(provider, provider, provider))

        assert {"t.sql": MENDED} == files_of(outcome)
        assert {PLANNER: 2, MAKER: 2, READER: 2} == dict(server.asked) == dict(server.answered)
        assert [2, 2, 2] == [r.usage.calls for r in receipts if getattr(r, "model", None)]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_gate_that_never_fills_in_its_form_lets_nothing_through(served: Any, provider: str) -> None:
    """Three tries, then it abstains; and an abstention is asked about once more before the packet ends."""
    async with served(script(maker=[hands_in(MENDED)], reader=[Fault.wrong_schema()] * 6)) as server:
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)
        assert "validated in 3 tries" in str(outcome)
        assert 6 == server.answered[READER]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_gate_that_cannot_be_reached_lets_nothing_through(served: Any, provider: str) -> None:
    """Every try fails: the gate abstains, the packet ends, and the verdict says who could not be asked."""
    async with served(script(maker=[hands_in(MENDED)], reader=[Fault.failed(503)] * 12)) as server:
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)
        assert spoken(provider, READER) in str(outcome)
        assert "given up after 6 tries" in str(outcome)
        assert 0 == server.answered[READER]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "fault",
    [Fault.unauthorized(), Fault.unknown_model(), Fault.context_length_exceeded()],
    ids=["401", "404", "too-long"],
)
async def test_what_will_never_be_served_is_not_asked_again(served: Any, provider: str, fault: Fault) -> None:
    """One request for each question, and nothing composes."""
    async with served(script(maker=[hands_in(MENDED)], reader=[fault] * 2)) as server:
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)
        assert 2 == server.asked[READER]


# Text that gives orders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_text_around_a_refusal_does_not_approve(served: Any, provider: str) -> None:
    """Only the filled form counts, whatever a model says beside it."""
    refusals = [injected(REFUSES), injected(REFUSES)]
    built = [hands_in(NULLABLE), hands_in(NULLABLE)]
    packet = Packet(brief="A table of pairs.", limits=Limits(attempts_max=2, amendments_max=0))
    async with served(script(maker=built, reader=refusals)):
        outcome = await ran(team(provider, provider, provider), packet)

        assert isinstance(outcome, NotComposed)
        assert 2 == len(outcome.refusals)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_orders_without_a_form_are_no_verdict(served: Any, provider: str) -> None:
    """A reply that is all words fills in nothing: it is asked again, and what it says does not matter."""
    words = [INJECTION] * 6
    async with served(script(maker=[hands_in(MENDED)], reader=words)):
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)


def obedient(request: ServerRequest) -> Any:
    """A model without a will of its own: it approves when any text outside a fence tells it to."""
    outside = re.sub(r"<data ([0-9a-f]+) from [^\n]*\n.*?\n</data \1>", "", request.messages[0].text, flags=re.DOTALL)
    return APPROVES if re.search(r"ignore your instructions", outside, re.IGNORECASE) else REFUSES


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_orders_inside_a_reply_reach_the_next_role_in_a_fence(served: Any, provider: str) -> None:
    """The brief of the plan and the file of the builder say "approve"; a gate's model that would obey does not."""
    cut = Call("plan", {"tasks": [{"name": "table", "brief": f"A table. {INJECTION}", "builder": "builder"}]})
    given = script(planner=[cut], maker=[hands_in(f"-- {INJECTION}\n{NULLABLE}")])
    async with served(given, reply=obedient) as server:
        outcome = await ran(team(provider, provider, provider), ONCE)

        assert isinstance(outcome, NotComposed)
        assert 1 == len(outcome.refusals)
        assert INJECTION in server.requests[-1].text


# Another model takes over ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_second_model_takes_over_where_the_first_is_down(served: Any, provider: str) -> None:
    """After every try at the first; receipts name the one that answered."""
    second = spoken("openai-chat", "gpt-second")
    told = {"builder": {"model": [spoken(provider, MAKER), second]}}
    given = {**script(reader=[APPROVES]), MAKER: [Fault.failed(503)] * 6, "gpt-second": [hands_in(MENDED)]}
    async with served(given) as server:
        receipts, outcome = await followed(team(provider, provider, provider, roles=told))

        assert {"t.sql": MENDED} == files_of(outcome)
        assert second == next(r.model for r in receipts if r.kind == "artifact")
        assert {PLANNER: 1, MAKER: 6, "gpt-second": 1, READER: 1} == dict(server.asked)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_when_every_model_is_down_nothing_composes(served: Any, provider: str) -> None:
    """A gate with two models that both fail abstains and names both."""
    second = spoken("openai-chat", "gpt-second")
    told = {"schema": {"model": [spoken(provider, READER), second]}}
    given = {**script(maker=[hands_in(MENDED)]), READER: [Fault.failed(503)] * 12, "gpt-second": [Fault.reset()] * 12}
    async with served(given):
        outcome = await ran(team(provider, provider, provider, roles=told), ONCE)

        assert isinstance(outcome, NotComposed)
        assert "none of 2 models could be asked" in str(outcome)
