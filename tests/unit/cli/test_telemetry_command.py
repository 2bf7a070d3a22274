"""Telemetry on the command line: what the environment asks for, and what is said where it cannot be had."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from project_scene import CLEAN, commit, git, squads, write

from squads.cli.telemetry import telemetry_here
from squads.telemetry import Telemetry

OTLP = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
OFF: dict[str, dict[str, str]] = {
    "nothing": {},
    "no exporter": {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", **OTLP},
    "switched off": {"OTEL_SDK_DISABLED": "True", "OTEL_TRACES_EXPORTER": "console"},
    "an empty name": {"OTEL_TRACES_EXPORTER": ""},
}


@pytest.mark.parametrize("environment", OFF.values(), ids=OFF)
def test_it_is_off_unless_the_environment_asks(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """And then nothing is said either."""
    assert telemetry_here(environment) is None
    assert "" == capsys.readouterr().err


def test_an_exporter_that_is_not_installed_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What to install, and the run goes on without."""
    assert telemetry_here({"OTEL_TRACES_EXPORTER": "zipkin"}) is None
    said = capsys.readouterr().err
    assert "no installed package brings the traces exporter 'zipkin'" in said
    assert 1 == said.count("\n")


def test_a_missing_sdk_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    assert telemetry_here(OTLP) is None
    assert "squads: no telemetry is sent: the OpenTelemetry SDK is not installed; pip install 'squads[otel]'\n" == (
        capsys.readouterr().err
    )


class Exporter:
    """Stands for the package of an exporter."""

    def __init__(self, made: list[str], name: str) -> None:
        self._made, self._name = made, name

    def load(self) -> Any:
        def make() -> Any:
            from opentelemetry.sdk.metrics.export import InMemoryMetricReader
            from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

            self._made.append(self._name)
            return InMemoryMetricReader() if "metrics" in self._name else InMemorySpanExporter()

        return make


ASKED: dict[str, tuple[dict[str, str], list[str]]] = {
    "an endpoint is for both": (OTLP, ["traces otlp_proto_http", "metrics otlp_proto_http"]),
    "by grpc": (
        {**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        ["traces otlp_proto_grpc", "metrics otlp_proto_grpc"],
    ),
    "one signal by its own endpoint": (
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9"},
        ["traces otlp_proto_http"],
    ),
    "several": ({"OTEL_TRACES_EXPORTER": "zipkin, jaeger"}, ["traces zipkin", "traces jaeger"]),
    "no metrics": ({**OTLP, "OTEL_METRICS_EXPORTER": "none"}, ["traces otlp_proto_http"]),
}


@pytest.mark.parametrize(("environment", "expected"), ASKED.values(), ids=ASKED)
def test_the_environment_says_where_to(
    environment: dict[str, str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With OpenTelemetry's own variables."""
    made: list[str] = []

    def found(*, group: str, name: str) -> list[Exporter]:
        return [Exporter(made, f"{group.split('_')[1]} {name}")]

    monkeypatch.setattr("squads.cli.telemetry.entry_points", found)

    telemetry = telemetry_here(environment)

    assert isinstance(telemetry, Telemetry)
    assert expected == made
    assert telemetry.content is False
    assert telemetry.tracer_provider is not None
    assert telemetry.meter_provider is not None
    telemetry.tracer_provider.shutdown()  # type: ignore[attr-defined]
    telemetry.meter_provider.shutdown()  # type: ignore[attr-defined]


def test_a_provider_of_the_program_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under `opentelemetry-instrument`, which has set one before we begin."""
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)

    assert Telemetry() == telemetry_here({})


def test_a_run_is_told_on_standard_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results stay alone on standard output, whatever is exported."""
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "gates/schema.md", "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n")
    write(top, "roles/change.md", "---\nextends: squads:change\n---\nThe change.\n")
    commit(top, "cards")
    write(top, "t.sql", CLEAN)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")

    ran = squads("gate", "--format", "json", cwd=top)

    assert json.loads(ran.stdout)
    assert '"name": "squads.gate schema"' in ran.stderr
