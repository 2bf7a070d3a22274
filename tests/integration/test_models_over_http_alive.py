"""Roles that think over real HTTP while something else goes on: tools, an allowance that is raced for, text on its way,
a stop in the middle of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from http_team import (
    APPROVES,
    BUILT,
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

from squads import Approved, Artifact, Builder, Halted, Squad
from squads.adapters.models import Models
from squads.adapters.process_sandbox import ProcessSandbox
from squads.audit import audit
from squads.contracts.errors import AllowanceSpent
from squads.contracts.thinking import ModelRequest, Progress, UnsafeText
from squads.contracts.work import BuildWork
from squads.minds import forms
from squads.testing import Call, Fault, ModelServer, ScriptedGate, ServerReply


@pytest.fixture(scope="module", autouse=True)
def vendors_are_there() -> None:
    warm_up()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    short_waits(monkeypatch)


class Watched(ModelServer):
    """A server that says when a request arrived that it does not answer, and when its client hung up."""

    @asynccontextmanager
    async def hung_up_within(self, seconds: float) -> AsyncIterator[None]:
        """Fail unless the block ends in time, and every connection that is open now is closed by its client."""
        open_now = tuple(self._connections)
        assert open_now
        async with asyncio.timeout(seconds):
            yield
            for connection in open_now:
                await connection._lost.wait()

    async def has_asked(self, model: str, times: int = 1) -> None:
        """Return once a model was asked this often."""
        async with asyncio.timeout(10):
            while self.asked[model] < times:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a server for a script, with every SDK pointed at it once it is open."""

    class Served(Watched):
        async def open(self) -> None:
            await super().open()
            point(monkeypatch, self)

    return Served


# Tools ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_builder_works_with_tools_over_http(served: Any, provider: str) -> None:
    """It writes, runs a program that reads what it wrote, mends it, and hands in the folder; results come in fences."""
    code = (
        "import pathlib; print('pairs may be NULL' if 'NOT NULL' not in pathlib.Path('t.sql').read_text() else 'fine')"
    )
    run = Call("run_command", {"program": "python", "arguments": ["-c", code]})
    turns = [
        Call("write_file", {"path": "t.sql", "text": NULLABLE}),
        run,
        [Call("replace_text", {"path": "t.sql", "old": NULLABLE, "new": MENDED}), run],
        BUILT,
    ]
    told = {"builder": {"tools": ("read", "write", "run"), "run": ("python",)}}
    async with served(script(maker=turns, reader=[APPROVES])) as server:
        squad = team(provider, provider, provider, roles=told, sandbox=ProcessSandbox())
        receipts, outcome = await followed(squad)

        assert {"t.sql": MENDED} == files_of(outcome)
        assert 4 == next(r.usage.calls for r in receipts if r.kind == "artifact")
        results = [result.text for result in [r for r in server.requests if r.model == MAKER][-1].results]
        assert 4 == len(results)
        assert all(text.startswith("<data ") for text in results)
        assert ["pairs may be NULL" in results[1], "fine" in results[3]] == [True, True]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_gate_reads_the_attempt_with_tools_over_http(served: Any, provider: str) -> None:
    """A gate has tools that read, and no other; it has to open what it approves."""
    looks = [APPROVES, Call("read_file", {"path": "t.sql"}), APPROVES]
    told = {"schema": {"tools": ("read", "search")}}
    async with served(script(maker=[hands_in(MENDED)], reader=looks)) as server:
        outcome = await ran(team(provider, provider, provider, roles=told))

        assert {"t.sql": MENDED} == files_of(outcome)
        offered = {tool.name for r in server.requests if r.model == READER for tool in r.tools}
        assert {"read_file", "list_files", "search", "approve", "refuse", "abstain"} == offered


# An allowance that is raced for ---------------------------------------------------------------------------------------


class Racing(Builder):
    """Asks its model eight times at once, and makes a file of what came back."""

    def __init__(self, model: str, **options: Any) -> None:
        super().__init__(name="racer", prior="Races.", model=model, **options)
        self.refused = 0

    async def build(self, work: BuildWork) -> Artifact:
        mind = work.mind
        assert mind is not None

        async def ask(number: int) -> str:
            request = ModelRequest(
                models=(str(self.model),),
                instructions="Answer.",
                prompt=f"Number {number}.",
                forms=(forms.BuiltForm,),
                output_tokens_max=1_000,
            )
            return str(getattr((await mind.ask(request)).form, "summary"))  # noqa: B009

        answers = await asyncio.gather(*map(ask, range(8)), return_exceptions=True)
        self.refused = sum(isinstance(answer, AllowanceSpent) for answer in answers)
        return work.artifact({"said.txt": "\n".join(a for a in answers if isinstance(a, str))})


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_eight_asks_at_once_cannot_pass_an_allowance_of_three(served: Any, provider: str) -> None:
    """Each sets aside what it can cost before it is sent: three are sent, five are refused, counted at the server."""
    racer = Racing(spoken(provider, MAKER), call_tokens_max=3 * 1_300)
    gate = ScriptedGate("schema", Approved(), prior="g")
    slow = ServerReply(calls=(Call("hand_in", {"summary": "said"}),), wait_ms=150)
    async with served({MAKER: [slow] * 3}) as server:
        outcome = await ran(Squad(builder=racer, gates=[gate]))

        assert {"said.txt": "said\nsaid\nsaid"} == files_of(outcome)
        assert 3 == server.asked[MAKER]
        assert 5 == racer.refused


# Text on its way ------------------------------------------------------------------------------------------------------


async def told_of(squad: Squad, **watchers: Any) -> tuple[list[Any], list[Any]]:
    """Return the receipts of a run, and in one list all that watchers and receipts were told, in order."""
    happened: list[Any] = []
    given = dict.fromkeys(watchers, happened.append)
    async with squad:
        async for record in squad.stream("A table of pairs.", **given):
            happened.append(record)  # noqa: PERF401
    return happened[:-1], happened


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_no_text_of_an_artifact_is_told_before_its_verdict(served: Any, provider: str) -> None:
    """Whatever a watcher gets, no line of what a role wrote is in it; nothing is streamed at all."""
    async with served(REVISED) as server:
        told, happened = await told_of(team(provider, provider, provider), watch=True)

        assert {"t.sql": MENDED} == files_of(happened[-1])
        assert any(isinstance(each, Progress) for each in told)
        everything = "\n".join(repr(each) + each.model_dump_json() for each in told)
        for text in ("CREATE", "UNIQUE", "may be NULL", "unique pairs", "A table"):
            assert text not in everything
        assert not any(request.stream for request in server.requests)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_who_asks_by_the_ugly_name_gets_text_before_the_verdict(served: Any, provider: str) -> None:
    """It arrives in pieces while the builder's model writes, before the gate was even asked."""
    async with served(STRAIGHT) as server:
        told, happened = await told_of(team(provider, provider, provider), unsafe_text_before_verdict=True)

        assert {"t.sql": MENDED} == files_of(happened[-1])
        verdict = next(place for place, each in enumerate(told) if getattr(each, "kind", "") == "verdict")
        texts = [each for each in told[:verdict] if isinstance(each, UnsafeText) and each.role == "builder"]
        assert len(texts) > 1
        assert "UNIQUE (a, b)" in "".join(each.text for each in texts)
        assert all(request.stream for request in server.requests)
        assert {PLANNER: 1, MAKER: 1, READER: 1} == dict(server.asked)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("after_headers", [False, True], ids=["truncated", "reset"])
async def test_half_a_stream_is_no_reply(served: Any, provider: str, after_headers: bool) -> None:
    """A verdict and an artifact whose stream broke off count for nothing, whatever a SDK makes of them."""
    faulty = {
        MAKER: [_broken(hands_in(MENDED), after_headers), hands_in(MENDED)],
        READER: [_broken(APPROVES, after_headers), REFUSES, APPROVES],
    }
    faulty[MAKER].append(hands_in(MENDED + "-- again\n"))
    async with served({**script(), **faulty}) as server:
        _, happened = await told_of(team(provider, provider, provider), unsafe_text_before_verdict=True)

        assert {"t.sql": MENDED + "-- again\n"} == files_of(happened[-1])
        assert {PLANNER: 1, MAKER: 3, READER: 3} == dict(server.asked)


def _broken(reply: Call, after_headers: bool) -> Fault:
    return Fault.reset(after_headers=True, reply=reply) if after_headers else Fault.truncated(reply)


# A stop in the middle of a request ------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_cancelling_a_run_hangs_up_on_the_provider(served: Any, provider: str, tmp_path: Path) -> None:
    """Nobody goes on paying for an answer that nobody waits for; the packet is resumed later, and composes."""
    silent = ServerReply(calls=(hands_in(MENDED),), wait_ms=60_000)
    models = Models()  # ours, so closing the squad closes no connection
    async with served(script(maker=[silent, hands_in(MENDED)], reader=[APPROVES])) as server:
        running = asyncio.create_task(ran(team(provider, provider, provider, store=tmp_path / "s", models=models)))
        await server.has_asked(MAKER)
        async with server.hung_up_within(10):
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

        again = team(provider, provider, provider, store=tmp_path / "s", models=models)
        async with again:
            (packet,) = [s for s in await (await again.workspace()).ledger.streams() if s != "workspace"]
            outcome = await again.resume(packet)
        await models.close()

        assert {"t.sql": MENDED} == files_of(outcome)
        assert {PLANNER: 1, MAKER: 2, READER: 1} == dict(server.asked)
        assert {PLANNER: 1, MAKER: 1, READER: 1} == dict(server.answered)
    assert () == audit(tmp_path / "s").failed


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_stop_reaches_a_running_request(served: Any, provider: str, tmp_path: Path) -> None:
    """The run is halted at once, and who stops does not pay on: the connection is closed; lifted, it composes."""
    silent = ServerReply(calls=(hands_in(MENDED),), wait_ms=60_000)
    async with served(script(maker=[silent, hands_in(MENDED)], reader=[APPROVES])) as server:
        squad = team(provider, provider, provider, store=tmp_path / "s")
        async with squad:
            running = asyncio.create_task(squad.run("A table of pairs."))
            await server.has_asked(MAKER)
            async with server.hung_up_within(10):
                await squad.stop("It costs too much.")
                outcome = await running

            assert isinstance(outcome, Halted)
            assert 0 == server.asked[READER]
            await squad.lift("It does not.", person="owner")
            outcome = await squad.resume(outcome.packet)

        assert {"t.sql": MENDED} == files_of(outcome)
        assert {PLANNER: 1, MAKER: 2, READER: 1} == dict(server.asked)
    assert () == audit(tmp_path / "s").failed


async def test_a_stop_from_another_process_reaches_a_running_request(served: Any, tmp_path: Path) -> None:
    """Nothing happens in this process that would tell it; it looks by itself, and hangs up within a second or two."""
    silent = ServerReply(calls=(hands_in(MENDED),), wait_ms=60_000)
    async with served(script(maker=[silent])) as server:
        running = asyncio.create_task(ran(team(store=tmp_path / "s")))
        await server.has_asked(MAKER)
        async with server.hung_up_within(15), team(store=tmp_path / "s") as elsewhere:
            await elsewhere.stop("It costs too much.")
            outcome = await running

        assert isinstance(outcome, Halted)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_squad_that_is_closed_keeps_no_connection(served: Any, provider: str) -> None:
    """Nobody was given the models that it made, so nobody else could close them."""
    async with served(STRAIGHT) as server:
        assert {"t.sql": MENDED} == files_of(await ran(team(provider, provider, provider)))

        async with asyncio.timeout(10):
            for connection in tuple(server._connections):
                await connection._lost.wait()
