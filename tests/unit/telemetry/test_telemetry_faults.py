"""Telemetry that is broken, missing or off: work goes on as if there were none."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import NoOpTracerProvider, Tracer
from telemetry_scene import (
    BUILDER,
    COORDINATOR,
    CUT,
    GATE,
    MENDED,
    Carpenter,
    Schema,
    Watched,
    build_request,
    squad_of_minds,
)

from squads import Approved, AwaitingApproval, Builder, Composed, Halted, Squad
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.errors import StorageUnavailable
from squads.contracts.thinking import Step
from squads.kernel.model_ports import UNTRACED
from squads.minds import forms
from squads.telemetry import NO_TRACING, Telemetry, tracing_of
from squads.telemetry.spans import _LINK, _WAITING
from squads.testing import Call, ScriptedModel


class Broken:
    """An object of which every use raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is broken")


class BrokenSpans:
    """A provider whose spans raise whatever is done to them."""

    def get_tracer(self, *_: Any, **__: Any) -> Any:
        return self

    def start_span(self, *_: Any, **__: Any) -> Any:
        return Broken()


class BrokenTracers(TracerProvider):
    """A provider whose tracers begin no span."""

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return Broken()  # type: ignore[return-value]


class BrokenProcessor(SpanProcessor):
    """Raises at the beginning and at the end of every span."""

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("no beginning")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("no end")


class BrokenExporter(SpanExporter):
    """Raises for every span that it is given."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError("no way out")


class BrokenMeters(NoOpMeterProvider):
    """A provider whose instruments raise."""

    def get_meter(self, *_: Any, **__: Any) -> Any:
        return self

    def create_histogram(self, *_: Any, **__: Any) -> Any:
        return Broken()


def processing(processor: SpanProcessor) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


BROKEN: dict[str, Any] = {
    "a provider": {"tracer_provider": Broken(), "meter_provider": Broken()},
    "a tracer": {"tracer_provider": BrokenTracers(shutdown_on_exit=False)},
    "a span": {"tracer_provider": BrokenSpans()},
    "a processor": {"tracer_provider": processing(BrokenProcessor())},
    "a metric": {"meter_provider": BrokenMeters()},
}


def thinking(telemetry: Telemetry | None) -> Squad:
    write = Call("write_file", {"path": "t.sql", "text": MENDED})
    models = {
        COORDINATOR: ScriptedModel(CUT),
        BUILDER: ScriptedModel(write, forms.BuiltForm(summary="A table.")),
        GATE: ScriptedModel(Approved()),
    }
    writes = Builder(name="builder", prior="b", model=BUILDER, tools=("write",))
    return squad_of_minds(models, telemetry, builder=writes)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_what_is_broken_is_logged_once_and_the_run_goes_on(
    broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An operator hears that telemetry fails, and a packet composes as it would without."""
    given = {"tracer_provider": NoOpTracerProvider(), "meter_provider": NoOpMeterProvider(), **broken}
    with caplog.at_level(logging.WARNING):
        outcome = await thinking(Telemetry(**given)).run("Pairs.")

    assert isinstance(outcome, Composed), outcome
    said = [record.getMessage() for record in caplog.records if record.name.startswith("squads")]
    assert 1 == len(said), said
    assert "work goes on without it" in said[0]


async def test_an_exporter_that_raises_stops_nothing() -> None:
    """The SDK logs it; the packet composes."""
    provider = processing(SimpleSpanProcessor(BrokenExporter()))

    outcome = await thinking(Telemetry(tracer_provider=provider, meter_provider=NoOpMeterProvider())).run("Pairs.")

    assert isinstance(outcome, Composed), outcome


async def test_a_processor_that_is_broken_loses_no_failure_of_a_role() -> None:
    """What a role raises stays what it raised."""
    telemetry = Telemetry(tracer_provider=processing(BrokenProcessor()), meter_provider=NoOpMeterProvider())
    record = thinking(None)._roles["builder"][1]
    tracing = tracing_of(telemetry, {"builder": record}, MemoryJournal())
    with pytest.raises(KeyError, match="mine"), tracing.answer("builder", "1" * 64, build_request()):
        raise KeyError("mine")


class FullJournal(MemoryJournal):
    """A journal on a full disk."""

    async def get(self, *_: Any) -> Any:
        raise StorageUnavailable("cannot read")

    async def put(self, *_: Any, **__: Any) -> Any:
        raise StorageUnavailable("the disk is full")


async def test_a_journal_that_keeps_nothing_loses_the_link_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """Where a packet's earlier span was is worth a line in the log, and no run."""
    watched, journal = Watched(), FullJournal()
    tracing = tracing_of(watched.telemetry(), {}, journal)
    fields = {"question": "1" * 64, "subject": "2" * 64, "approvers": ("owner",), "quorum": 1, "expires_ms": 1}
    waits = AwaitingApproval(packet="0" * 32, **fields)  # type: ignore[arg-type]

    for resumed in (False, True):
        await tracing.begin("0" * 32, resumed=resumed)
        await tracing.end("0" * 32, waits)

    assert [(), ()] == [tuple(span.links) for span in watched.named("invoke_workflow team")]
    assert 1 == len([r for r in caplog.records if r.name == "squads.telemetry"])


@pytest.mark.parametrize("payload", [b"", b"short", b"x" * 26])
async def test_a_link_that_cannot_be_read_is_none(payload: bytes) -> None:
    """The journal's rows are signed by nobody."""
    watched, journal = Watched(), MemoryJournal()
    tracing = tracing_of(watched.telemetry(), {}, journal)
    await journal.put("0" * 32, Step(kind="tool", input=_LINK, turn=1, payload=payload))
    await tracing.begin("0" * 32, resumed=True)
    tracing.leave("0" * 32)

    (span,) = watched.named("invoke_workflow team")
    assert [] == list(span.links)


async def test_two_callers_of_one_packet_end_a_span_each() -> None:
    """And nothing is held of a packet that nobody runs any more."""
    watched = Watched()
    tracing: Any = tracing_of(watched.telemetry(), {}, MemoryJournal())
    for _ in range(2):
        await tracing.begin("0" * 32)

    for _ in range(3):
        tracing.leave("0" * 32)

    assert 2 == len(watched.spans)
    assert {} == tracing._roots


def test_without_telemetry_there_is_one_object_that_does_nothing() -> None:
    """Nothing is made per packet, per answer or per request."""
    tracing = tracing_of(None, {}, MemoryJournal())

    assert NO_TRACING is tracing
    assert tracing.answer("a", "b", None) is tracing.answer("c", "d", None)  # type: ignore[arg-type]
    asking = UNTRACED.asking("m", model="m", provider="p", output_tokens_max=1, said=dict)
    assert asking is UNTRACED.using("t", dict)


PROGRAM = """
import sys
from squads import Builder, Gate, Squad
import squads.squad, squads.telemetry, squads.cli.telemetry

class Carpenter(Builder):
    def build(self, work):
        return work.artifact({"a.txt": "a"})

class Reader(Gate):
    prior = "Reads."
    def review(self, work):
        return work.approve(looked=1)

outcome = Squad(builder=Carpenter(), gates=[Reader()]).run_sync("A file.")
assert squads.cli.telemetry.telemetry_here({}) is None
print(outcome.kind, sorted(m for m in sys.modules if m.startswith("opentelemetry")))
"""


def test_without_telemetry_opentelemetry_is_never_imported() -> None:
    """A squad of code, run to its end."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert "composed []\n" == ran.stdout


async def test_a_squad_without_telemetry_tells_global_providers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off is off, also where a program has a provider for other things."""
    watched = Watched()
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: watched.tracer_provider)

    outcome = await thinking(None).run("Pairs.")

    assert isinstance(outcome, Composed)
    assert [] == [s.name for s in watched.spans]


async def test_the_global_provider_is_used_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Telemetry()` alone is for programs that have configured OpenTelemetry once for everything."""
    watched = Watched()
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: watched.tracer_provider)

    await Squad(builder=Carpenter(), gates=[Schema()], telemetry=Telemetry()).run("Pairs.")

    assert "invoke_workflow squad" in watched.tree()


def test_every_outcome_that_leaves_a_packet_open_is_linked_to() -> None:
    """The words are those of the outcomes."""
    assert {AwaitingApproval.model_fields["kind"].default, Halted.model_fields["kind"].default} == set(_WAITING)
