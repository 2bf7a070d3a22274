"""What a traced squad tells: which spans, below which, with what on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from telemetry_scene import (
    BUILDER,
    COORDINATOR,
    CUT,
    FINDING,
    GATE,
    MENDED,
    NULLABLE,
    Carpenter,
    Schema,
    Watched,
    build_request,
    events,
    squad_of_code,
    squad_of_minds,
)

from squads import (
    ApprovalRule,
    Approved,
    AwaitingApproval,
    Builder,
    Composed,
    Gate,
    Halted,
    NotComposed,
    Panel,
    Refused,
    Severity,
)
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.models import Models
from squads.contracts.errors import ModelUnreachable, StorageUnavailable, UnknownPacket
from squads.contracts.thinking import ModelRequest, Tool
from squads.kernel.model_ports import Exchange, ModelCall
from squads.minds import forms
from squads.minds.meter import AnswerMeter
from squads.telemetry import names, tracing_of
from squads.testing import Call, ScriptedModel


@pytest.fixture
def watched() -> Watched:
    return Watched()


def minds(**replies: ScriptedModel) -> dict[str, ScriptedModel]:
    """Three models that get along, with some of them replaced."""
    return {
        COORDINATOR: replies.get("coordinator") or ScriptedModel(CUT),
        BUILDER: replies.get("builder") or ScriptedModel({"t.sql": MENDED}),
        GATE: replies.get("gate") or ScriptedModel(Approved()),
    }


async def test_a_packet_is_one_tree_below_its_workflow(watched: Watched) -> None:
    """Plan, build with a tool, refusal, revision, approval, acceptance: every answer and every paid request once."""
    writes = Builder(name="builder", prior="Thinks in objects.", model=BUILDER, tools=("write",))
    hands_in = forms.BuiltForm(summary="A table.")
    files = [Call("write_file", {"path": "t.sql", "text": text}) for text in (NULLABLE, MENDED)]
    builder = ScriptedModel(files[0], hands_in, files[1], hands_in)
    gate = ScriptedModel(Refused(findings=(FINDING,)), Approved())
    models = minds(builder=builder, gate=gate)

    outcome = await squad_of_minds(models, watched.telemetry(), builder=writes).run("Pairs.")

    assert isinstance(outcome, Composed), outcome
    build = ["  invoke_agent builder", "    chat scripted", "    execute_tool write_file", "    chat scripted"]
    review = ["  squads.gate schema", "    invoke_agent schema", "      chat scripted"]
    assert [
        "invoke_workflow team",
        *("  invoke_agent coordinator", "    chat scripted"),
        *build,
        *review,
        *build,
        *review,
        "  invoke_agent coordinator",
    ] == watched.tree()
    assert 1 == len({span.context.trace_id for span in watched.spans})


async def test_roles_of_code_have_spans_of_their_own(watched: Watched) -> None:
    """Nobody who only runs code is called an agent."""
    await squad_of_code(watched).run("Pairs.")

    assert [
        "invoke_workflow team",
        "  squads.role one-task",
        *("  squads.role carpenter", "  squads.gate schema") * 2,
        "  squads.role one-task",
    ] == watched.tree()


async def test_a_gate_tells_one_evaluation_per_finding(watched: Watched) -> None:
    """A refusal names its invariants, an approval without notes passes as a whole."""
    outcome = await squad_of_code(watched).run("Pairs.")

    first, second = watched.named("squads.gate schema")
    assert [
        (
            names.EVALUATION,
            {names.EVALUATION_NAME: "sql.unique-null", names.EVALUATION_LABEL: "refuse", names.SEVERITY: "major"},
        )
    ] == events([first])
    assert [(names.EVALUATION, {names.EVALUATION_NAME: "schema", names.EVALUATION_LABEL: "pass"})] == events([second])
    known = dict(first.attributes or {})
    assert 64 == len(str(known.pop(names.REQUEST)))
    assert {
        names.PACKET: outcome.packet,
        names.ROLE_NAME: "schema",
        names.ROLE_KIND: "gate",
        names.WORK: "review",
        names.READS: "artifact",
        names.ATTEMPT: 1,
        names.TASK: 1,
        names.INDEPENDENCE: "prior",
        names.DECISION: "refused",
        names.LOOKED: 1,
    } == known


async def test_a_finding_below_the_bound_passes(watched: Watched) -> None:
    """What a refusal says besides its reason is told as what it is."""

    class Strict(Schema):
        def review(self, work: Any) -> Any:
            return self.decide([FINDING, FINDING.but(invariant="sql.name", severity=Severity.MINOR)], looked=1)

    await squad_of_code(watched, gates=[Strict(name="strict")]).run("Pairs.")

    told = [attributes for _, attributes in events(watched.named("squads.gate strict")[:1])]
    assert [("sql.unique-null", "refuse"), ("sql.name", "pass")] == [
        (t[names.EVALUATION_NAME], t[names.EVALUATION_LABEL]) for t in told
    ]


async def test_a_panel_refuses_with_its_members_findings(watched: Watched) -> None:
    """A panel weighs verdicts, so none of its findings reaches a bound of its own, and all of them refuse."""
    panel = Panel(Schema(name="one"), Schema(name="two"), name="both")

    await squad_of_code(watched, gates=[panel]).run("Pairs.")

    first = events(watched.named("squads.gate both")[:1])
    assert ["refuse"] == [told[names.EVALUATION_LABEL] for _, told in first]


async def test_an_abstention_is_no_evaluation(watched: Watched) -> None:
    """Nobody looked, so nothing passed and nothing was refused."""

    class Blind(Gate):
        prior = "Sees nothing."

        def review(self, work: Any) -> Any:
            return work.abstain("no light")

    await squad_of_code(watched, gates=[Blind(name="blind")]).run("Pairs.")

    (span, *_) = watched.named("squads.gate blind")
    assert [] == events([span])
    assert "abstained" == (span.attributes or {})[names.DECISION]


async def test_a_paid_request_says_what_it_took(watched: Watched) -> None:
    """Model, limits, tokens and why it ended, by the names of the conventions; the model string under ours."""
    await squad_of_minds(minds(), watched.telemetry()).run("Pairs.")

    chat = watched.named("chat scripted")[1]
    assert {
        names.OPERATION_NAME: "chat",
        names.PROVIDER_NAME: "scripted",
        names.REQUEST_MODEL: "scripted",
        names.REQUEST_MAX_TOKENS: 16_000,
        names.RESPONSE_MODEL: "scripted",
        names.RESPONSE_FINISH_REASONS: ("stop",),
        names.INPUT_TOKENS: 100,
        names.OUTPUT_TOKENS: 20,
        names.MODEL: BUILDER,
        names.COST_MICROUSD: 0,
    } == dict(chat.attributes or {})
    assert trace.SpanKind.CLIENT == chat.kind


async def test_tokens_and_seconds_are_measured(watched: Watched) -> None:
    """Both metrics of the conventions, told apart by model and kind of token, and by nothing that grows without end."""
    await squad_of_minds(minds(), watched.telemetry()).run("Pairs.")

    points = watched.points()
    same = {
        names.OPERATION_NAME: "chat",
        names.PROVIDER_NAME: "scripted",
        names.REQUEST_MODEL: "scripted",
        names.RESPONSE_MODEL: "scripted",
    }
    tokens = {known[names.KIND_OF_TOKENS]: point.sum for known, point in points[names.USAGE]}
    assert {"input": 300, "output": 60} == tokens
    assert [{**same, names.KIND_OF_TOKENS: k} for k in ("input", "output")] == [k for k, _ in points[names.USAGE]]
    assert [(same, 3)] == [(known, point.count) for known, point in points[names.OPERATION_DURATION]]


def request_of(**options: Any) -> ModelRequest:
    return ModelRequest(models=(BUILDER,), instructions="Build.", prompt="Pairs.", forms=(forms.BuiltForm,), **options)


async def test_what_comes_out_of_the_journal_is_an_event_and_no_span(watched: Watched) -> None:
    """A reply that was paid before, and a call that was made before, took no time and no money now."""
    journal, called = MemoryJournal(), []

    def measure() -> str:
        """Measure."""
        called.append("once")
        return "long"

    record = squad_of_minds(minds(), None)._roles["builder"][1]
    tracing = tracing_of(watched.telemetry(), {"builder": record}, journal)
    models = Models({BUILDER: ScriptedModel(Call("measure", {}), forms.BuiltForm(summary="done"))})
    request = request_of(tools=(Tool(function=measure, name="measure"),))
    for _ in range(2):
        with tracing.answer("builder", "1" * 64, build_request()) as span:
            meter = AnswerMeter(tokens_max=100_000)
            call = ModelCall(
                about="1" * 64,
                packet="0" * 32,
                role="builder",
                journal=journal,
                meter=meter,
                blobs=MemoryBlobs(),
                trace=span,
            )
            await models.ask(request, call)
            span.replied(None, meter.usage)

    first, second = watched.named("invoke_agent builder")
    assert ["once"] == called
    assert ["chat scripted", "execute_tool measure", "chat scripted"] == [
        span.name for span in watched.spans if span.parent and span.parent.span_id == first.context.span_id
    ]
    assert [] == [s for s in watched.spans if s.parent and s.parent.span_id == second.context.span_id]
    assert [
        (names.REPLAYED, {names.MODEL: BUILDER}),
        (names.REPLAYED, {names.TOOL_NAME: "measure"}),
        (names.REPLAYED, {names.MODEL: BUILDER}),
    ] == events([second])
    assert {240} == {(span.attributes or {})[names.TOKENS] for span in (first, second)}


def test_a_retry_is_an_event_of_its_request(watched: Watched) -> None:
    """One paid request is one span, however often the transport fails; a reply's id is on it."""
    record = squad_of_minds(minds(), None)._roles["builder"][1]
    tracing = tracing_of(watched.telemetry(), {"builder": record}, MemoryJournal())
    exchange = Exchange(model="m-1", reply="r-1", ended="", tokens_in=1, tokens_out=2, cost_microusd=3)

    with (
        tracing.answer("builder", "1" * 64, build_request()) as span,
        span.asking("x:m", model="m", provider="x", output_tokens_max=9, said=dict) as mark,
    ):
        mark.retried(250)
        mark.answered(exchange, dict)

    (chat,) = watched.named("chat m")
    assert [(names.RETRIED, {names.WAIT_MS: 250})] == events([chat])
    assert ("m-1", "r-1") == ((chat.attributes or {})[names.RESPONSE_MODEL], (chat.attributes or {})[names.RESPONSE_ID])
    assert names.RESPONSE_FINISH_REASONS not in (chat.attributes or {})


async def test_a_request_that_fails_says_of_what_type(watched: Watched) -> None:
    """The type is told, on the span and in the metric, and never the sentence."""
    gate = ScriptedModel(*[ModelUnreachable("no answer from CANARY")] * 3)

    await squad_of_minds(minds(gate=gate), watched.telemetry(), coordinator=None).run("Pairs.")

    failed = [span for span in watched.named("chat scripted") if not span.status.is_ok]
    assert {"ModelUnreachable"} == {(span.attributes or {})[names.ERROR_TYPE] for span in failed}
    assert "ModelUnreachable" in [
        known.get(names.ERROR_TYPE) for known, _ in watched.points()[names.OPERATION_DURATION]
    ]
    assert "CANARY" not in watched.text()


async def test_a_role_that_crashes_is_an_error_without_its_words(watched: Watched) -> None:
    """What somebody's code raises may hold a key."""

    class Torn(Gate):
        prior = "Breaks."

        def review(self, work: Any) -> Any:
            raise RuntimeError("CANARY")

    outcome = await squad_of_code(watched, gates=[Torn(name="torn")]).run("Pairs.")

    assert isinstance(outcome, NotComposed)
    assert {"crashed"} == {(s.attributes or {})[names.ERROR_TYPE] for s in watched.named("squads.gate torn")}
    assert "CANARY" not in watched.text()


async def test_the_workflow_says_how_the_packet_ended(watched: Watched) -> None:
    """A refusal is a result and no error."""

    class Stubborn(Carpenter):
        def build(self, work: Any) -> Any:
            return work.artifact({"t.sql": NULLABLE})

    outcome = await squad_of_code(watched, builder=Stubborn(name="stubborn", prior="Stone.")).run("Pairs.")

    (root,) = watched.named("invoke_workflow team")
    known = dict(root.attributes or {})
    assert isinstance(outcome, NotComposed)
    assert ("not-composed", outcome.reason, outcome.packet, False) == (
        known[names.OUTCOME],
        known[names.REASON],
        known[names.PACKET],
        known[names.RESUMED],
    )
    assert root.status.status_code is trace.StatusCode.UNSET


async def test_no_span_is_held_open_while_people_are_waited_for(watched: Watched, tmp_path: Path) -> None:
    """The span ends with the wait; a later run, of another program too, has a span of its own that links to it."""
    places = {"store": tmp_path / "ledger", "keys": tmp_path / "keys"}
    rule = {"approval": ApprovalRule(approvers=("owner",))}
    waits = await squad_of_code(watched, **places, **rule).run("Pairs.")
    before = watched.named("invoke_workflow team")

    again = await squad_of_code(watched, **places, **rule).resume(waits.packet)
    done = await squad_of_code(watched, **places, **rule).answer(waits.packet, person="owner", approve=True)

    assert isinstance(waits, AwaitingApproval)
    assert isinstance(again, AwaitingApproval)
    assert isinstance(done, Composed)
    assert ["awaiting-approval"] == [(span.attributes or {})[names.OUTCOME] for span in before]
    first, second, third = watched.named("invoke_workflow team")
    assert [[], [first.context.span_id], [first.context.span_id]] == [
        [link.context.span_id for link in span.links] for span in (first, second, third)
    ]
    assert [first.context.trace_id] == [link.context.trace_id for link in third.links]
    assert 3 == len({span.context.trace_id for span in (first, second, third)})
    assert [False, True, True] == [(s.attributes or {})[names.RESUMED] for s in (first, second, third)]


async def test_a_stop_ends_the_span(watched: Watched) -> None:
    """A packet that was stopped waits for people as well."""

    class Slow(Carpenter):
        async def build(self, work: Any) -> Any:
            await squad.stop("enough")
            return super().build(work)

    squad = squad_of_code(watched, builder=Slow(name="slow", prior="Stone."))
    async with squad:
        outcome = await squad.run("Pairs.")

        assert isinstance(outcome, Halted)
        (root,) = watched.named("invoke_workflow team")
        assert "halted" == (root.attributes or {})[names.OUTCOME]


async def test_a_run_that_is_cancelled_ends_its_span(watched: Watched) -> None:
    """Nobody learned an outcome, and the span says why."""
    begun = asyncio.Event()

    class Slow(Carpenter):
        async def build(self, work: Any) -> Any:
            begun.set()
            await asyncio.Event().wait()

    async with squad_of_code(watched, builder=Slow(name="slow", prior="Stone.")) as squad:
        run = asyncio.create_task(squad.run("Pairs."))
        await begun.wait()
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

        (root,) = watched.named("invoke_workflow team")
        assert "CancelledError" == (root.attributes or {})[names.ERROR_TYPE]
    assert "CancelledError" == (watched.named("squads.role slow")[0].attributes or {})[names.ERROR_TYPE]


async def test_a_packet_that_is_not_there_ends_its_span(watched: Watched) -> None:
    """An error is no outcome."""
    async with squad_of_code(watched) as squad:
        with pytest.raises(UnknownPacket):
            await squad.resume("0" * 32)

        (root,) = watched.named("invoke_workflow team")
        assert "UnknownPacket" == (root.attributes or {})[names.ERROR_TYPE]


async def test_a_packet_that_cannot_be_opened_ends_its_span(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the caller's; its type is the span's."""

    async def full(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("the disk is full")

    async with squad_of_code(watched) as squad:
        monkeypatch.setattr((await squad.workspace()).ledger, "append", full)
        with pytest.raises(StorageUnavailable):
            await squad.run("Pairs.")

        (root,) = watched.named("invoke_workflow team")
        assert "StorageUnavailable" == (root.attributes or {})[names.ERROR_TYPE]


async def test_a_stream_leaves_nothing_in_its_readers_context(watched: Watched) -> None:
    """Whoever reads a stream keeps their own current span, and may stop reading."""
    async with squad_of_code(watched) as squad:
        stream = squad.stream("Pairs.")
        assert isinstance(stream, AsyncIterator)
        await anext(stream)

        assert not trace.get_current_span().get_span_context().is_valid
        assert [] == watched.named("invoke_workflow team")
        await stream.aclose()  # type: ignore[attr-defined]
        assert 1 == len(watched.named("invoke_workflow team"))


async def test_spans_of_concurrent_runs_do_not_mix(watched: Watched) -> None:
    """Workers serve every packet; each span stands below its own packet's workflow, and that below its caller."""
    tracer = watched.tracer_provider.get_tracer("test")

    async def one(squad: Any, number: int) -> tuple[int, str]:
        with tracer.start_as_current_span(f"caller {number}") as caller:
            outcome = await squad.run(f"Pairs {number}.")
            return caller.get_span_context().trace_id, outcome.packet

    async with squad_of_code(watched) as squad:
        ran = await asyncio.gather(*(one(squad, number) for number in range(8)))

    ours = [span for span in watched.spans if not span.name.startswith("caller")]
    assert dict(ran) == {s.context.trace_id: (s.attributes or {})[names.PACKET] for s in ours}
    assert 8 * 7 == len(ours)
    assert all(span.parent is not None for span in ours)


async def test_instrumentation_of_all_agents_makes_no_second_span(watched: Watched) -> None:
    """A program that has pydantic-ai tell of its own agents hears of a role's turn once, and without its content."""
    Agent.instrument_all(InstrumentationSettings(tracer_provider=watched.tracer_provider))
    try:
        builder = ScriptedModel(
            Call("write_file", {"path": "t.sql", "text": MENDED}), forms.BuiltForm(summary="A table.")
        )
        writes = Builder(name="builder", prior="b", model=BUILDER, tools=("write",))
        await squad_of_minds(minds(builder=builder), watched.telemetry(), builder=writes).run("Pairs.")
    finally:
        Agent.instrument_all(False)

    assert {names.SCOPE} == {span.instrumentation_scope.name for span in watched.spans if span.instrumentation_scope}
    assert 4 == len(watched.named("chat scripted"))
