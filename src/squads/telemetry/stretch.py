"""One span at a time, through providers that may be broken: nothing here raises, and the first fault is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from opentelemetry import context as contexts
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode

from squads.kernel.model_ports import Words
from squads.telemetry import Telemetry, names

log = logging.getLogger("squads.telemetry")
T = TypeVar("T")


class Careful:
    """Calls what may be broken, and logs the first time that it is."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, act: Callable[[], T]) -> T | None:
        """Return what `act` returns, or None when it raises."""
        try:
            return act()
        except Exception as error:
            self.say(error)
            return None

    def say(self, error: Exception) -> None:
        """Log what is broken, once."""
        if not self._said:
            self._said = True
            log.warning("telemetry fails and work goes on without it: %s: %s", type(error).__name__, error)


class Instruments:
    """What every span is made with."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.careful = Careful()
        self.content = telemetry.content
        self._tracer: Any = self.careful(
            lambda: trace.get_tracer(names.SCOPE, tracer_provider=telemetry.tracer_provider)
        )
        self._tokens: Any = None
        self._seconds: Any = None
        self.careful(lambda: self._measure(metrics.get_meter(names.SCOPE, meter_provider=telemetry.meter_provider)))

    def _measure(self, meter: Any) -> None:
        self._tokens = meter.create_histogram(
            names.USAGE, unit=names.USAGE_UNIT, explicit_bucket_boundaries_advisory=names.USAGE_BOUNDS
        )
        self._seconds = meter.create_histogram(
            names.OPERATION_DURATION,
            unit=names.DURATION_UNIT,
            explicit_bucket_boundaries_advisory=names.DURATION_BOUNDS,
        )

    def begun(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        context: Context | None = None,
        links: Sequence[Link] = (),
    ) -> Stretch:
        """Return a span that has begun; `context` None begins it below the current one."""
        made = None
        if self._tracer is not None:
            made = self.careful(
                lambda: self._tracer.start_span(name, context=context, kind=kind, attributes=attributes, links=links)
            )
        return Stretch(made, self)

    @contextmanager
    def current(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        context: Context | None = None,
    ) -> Iterator[Stretch]:
        """Begin a span, make it current for a while, and end it, with the type of what was raised if something was."""
        stretch = self.begun(name, attributes, kind=kind, context=context)
        token = self.careful(lambda: contexts.attach(stretch.context(context)))
        try:
            yield stretch
        except BaseException as error:
            stretch.fail(type(error).__name__)
            raise
        finally:
            if token is not None:
                contexts.detach(token)  # logs by itself what goes wrong
            stretch.end()

    def count(self, tokens: Mapping[str, int], seconds: float, attributes: Mapping[str, Any]) -> None:
        """Record what one paid request took."""
        if self._tokens is not None and self._seconds is not None:
            self.careful(lambda: self._record(tokens, seconds, attributes))

    def _record(self, tokens: Mapping[str, int], seconds: float, attributes: Mapping[str, Any]) -> None:
        self._seconds.record(seconds, attributes)
        for kind, number in tokens.items():
            self._tokens.record(number, {**attributes, names.KIND_OF_TOKENS: kind})


class Stretch:
    """One span. Nothing that is done to it raises."""

    def __init__(self, span: Any, instruments: Instruments) -> None:
        self._span = span
        self._instruments = instruments
        self.failed = ""

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; those without a value are left out."""
        known = {name: value for name, value in attributes.items() if value not in (None, "", ())}
        self._do(lambda span: span.set_attributes(known))

    def content(self, said: Words, **attributes: str) -> None:
        """Set attributes from `said`, where content may leave: name in it to name of the attribute."""
        if self._instruments.content:
            words = self._instruments.careful(said) or {}
            self.set({attribute: words.get(name) for name, attribute in attributes.items()})

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event; attributes without a value are left out."""
        known = {key: value for key, value in attributes.items() if value not in (None, "")}
        self._do(lambda span: span.add_event(name, known))

    def fail(self, why: str) -> None:
        """Mark it as an error of this type."""
        self.failed = why
        self._do(lambda span: span.set_attribute(names.ERROR_TYPE, why))
        self._do(lambda span: span.set_status(Status(StatusCode.ERROR)))

    def end(self) -> None:
        """End it."""
        self._do(lambda span: span.end())

    def context(self, base: Context | None) -> Context:
        """Return `base`, or the current context, with this span in it."""
        around = contexts.get_current() if base is None else base
        return trace.set_span_in_context(self._span, around) if isinstance(self._span, Span) else around

    def ids(self) -> bytes:
        """Return trace, span and flags; empty where there is no span that could be found again."""
        found = self._instruments.careful(lambda: self._span.get_span_context()) if self._span is not None else None
        if not isinstance(found, SpanContext) or not found.is_valid:
            return b""
        return found.trace_id.to_bytes(16, "big") + found.span_id.to_bytes(8, "big") + bytes([found.trace_flags])

    def _do(self, act: Callable[[Any], object]) -> None:
        if self._span is not None:
            self._instruments.careful(lambda: act(self._span))
