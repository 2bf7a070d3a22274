"""Telemetry on the command line: on when the environment asks for it, with the variables that OpenTelemetry defines.

Under `opentelemetry-instrument` the program's own provider is used. Else `OTEL_TRACES_EXPORTER`,
`OTEL_METRICS_EXPORTER` and `OTEL_EXPORTER_OTLP_ENDPOINT` say where to, and everything is sent in the background. What
cannot be sent costs one line on standard error and never the run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from squads.telemetry import Telemetry

_PROTOCOLS = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}


def telemetry_here(environment: Mapping[str, str] | None = None) -> Telemetry | None:
    """Return what a squad of this command tells operators; None where nobody asked for it."""
    said = os.environ if environment is None else environment
    if said.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if _is_provided():
        return Telemetry()
    spans, numbers = _exporters(said, "TRACES"), _exporters(said, "METRICS")
    if not spans and not numbers:
        return None
    try:
        return Telemetry(tracer_provider=_spans_to(spans, said), meter_provider=_numbers_to(numbers, said))
    except Exception as error:  # somebody else's exporter may raise anything
        sys.stderr.write(f"squads: no telemetry is sent: {_why(error)}\n")
        return None


def _is_provided() -> bool:
    """Say whether this program was started with a provider of its own; whoever set one has imported the module."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return False
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


def _exporters(said: Mapping[str, str], signal: str) -> list[str]:
    endpoint = said.get("OTEL_EXPORTER_OTLP_ENDPOINT") or said.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    named = said.get(f"OTEL_{signal}_EXPORTER") or ("otlp" if endpoint else "")
    return [name for name in (part.strip() for part in named.split(",")) if name and name != "none"]


def _spans_to(exporters: list[str], said: Mapping[str, str]) -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=_resource(said))
    for name in exporters:
        provider.add_span_processor(BatchSpanProcessor(_made("traces", name, said)))
    return provider


def _numbers_to(exporters: list[str], said: Mapping[str, str]) -> Any:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader

    made = [_made("metrics", name, said) for name in exporters]
    readers = [m if isinstance(m, MetricReader) else PeriodicExportingMetricReader(m) for m in made]
    return MeterProvider(readers, resource=_resource(said))


def _resource(said: Mapping[str, str]) -> Any:
    from opentelemetry.sdk.resources import Resource

    named = said.get("OTEL_SERVICE_NAME") or "service.name=" in said.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create({} if named else {"service.name": "squads"})


def _made(signal: str, name: str, said: Mapping[str, str]) -> Any:
    """Return an exporter by the name that the environment gives it, from whichever package brings it."""
    protocol = said.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL") or said.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    wanted = _PROTOCOLS.get(protocol or "http/protobuf", name) if name == "otlp" else name
    found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=wanted))
    if not found:
        raise LookupError(
            f"no installed package brings the {signal} exporter {name!r}"
            + ("; pip install opentelemetry-exporter-otlp" if name == "otlp" else "; check its name")
        )
    exporter: Any = found[0].load()
    return exporter(out=sys.stderr) if name == "console" else exporter()  # standard output is for results


def _why(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "the OpenTelemetry SDK is not installed; pip install 'squads[otel]'"
    return str(error) if isinstance(error, LookupError) else f"{type(error).__name__}: {error}"
