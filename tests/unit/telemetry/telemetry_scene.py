"""Squads that are traced into memory, and ways to read what they exported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from squads import Builder, Coordinator, Finding, Gate, Location, Plan, Squad, Task
from squads.contracts.messages import BuildRequest
from squads.telemetry import Telemetry

COORDINATOR, BUILDER, GATE = "scripted:coordinator", "scripted:builder", "scripted:gate"
NULLABLE = "CREATE TABLE t (a int, b int, UNIQUE (a, b));\n"
MENDED = "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));\n"
FINDING = Finding(
    invariant="sql.unique-null",
    message="a and b may be NULL, so the rows repeat.",
    location=Location(path="t.sql", line=1),
    evidence="UNIQUE (a, b)",
)
CUT = Plan(tasks=(Task(name="table", brief="A table t with unique pairs.", builder="builder"),))


class Carpenter(Builder):
    """A builder of code: it mends what was refused."""

    def build(self, work: Any) -> Any:
        return work.artifact({"t.sql": MENDED if work.findings else NULLABLE})


class Schema(Gate):
    """A gate of code."""

    prior = "Keys."

    def review(self, work: Any) -> Any:
        return self.decide([] if "NOT NULL" in work.artifact.files[0].text else [FINDING], looked=1)


class Watched:
    """Providers that keep what they are told."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def telemetry(self, *, content: bool = False) -> Telemetry:
        return Telemetry(
            tracer_provider=self.tracer_provider, meter_provider=self.meter_provider, content=content, name="team"
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]

    def tree(self) -> list[str]:
        """Return the names of all spans as they began, each indented below its parent."""
        by_id = {span.context.span_id: span for span in self.spans}

        def depth(span: ReadableSpan) -> int:
            parent = by_id.get(span.parent.span_id) if span.parent else None
            return 0 if parent is None else 1 + depth(parent)

        return ["  " * depth(span) + span.name for span in self.spans]

    def points(self) -> dict[str, list[tuple[dict[str, Any], Any]]]:
        """Return every metric's points: attributes and sum."""
        found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = [(dict(p.attributes or {}), p) for p in metric.data.data_points]
        return found

    def text(self) -> str:
        """Return everything that was exported, as text."""
        metrics = self._reader.get_metrics_data()
        return "\n".join([*(span.to_json() for span in self.spans), metrics.to_json() if metrics else ""])


def events(spans: Iterable[ReadableSpan]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of spans, in order."""
    return [(event.name, dict(event.attributes or {})) for span in spans for event in span.events]


def squad_of_code(watched: Watched, **options: Any) -> Squad:
    """A builder and a gate of code."""
    given = {"builder": Carpenter(name="carpenter", prior="Wood."), "gates": [Schema()]}
    return Squad(**{**given, "telemetry": watched.telemetry(), **options})


def squad_of_minds(models: Any, telemetry: Telemetry | None, **options: Any) -> Squad:
    """Three roles with a model each."""
    given = {
        "coordinator": Coordinator(name="coordinator", prior="Thinks in arcs.", model=COORDINATOR),
        "builder": Builder(name="builder", prior="Thinks in objects.", model=BUILDER),
        "gates": [Gate(name="schema", prior="Thinks in invariants.", model=GATE)],
    }
    return Squad(**{**given, "models": models, "telemetry": telemetry, **options})


def build_request() -> BuildRequest:
    """A request to build the first task of a packet that nobody opened."""
    ids = {"packet": "0" * 32, "workspace": "0" * 32, "content": "0" * 64, "due_ms": 1}
    return BuildRequest.model_validate({**ids, "request": "1" * 64, "task": 1, "attempt": 1, "plan": "2" * 64})
