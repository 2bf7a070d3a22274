"""Traces and metrics for operators, through OpenTelemetry: what ran when, for how long, and what it cost.

Off unless a squad is given a `Telemetry`. This file imports no OpenTelemetry; `spans` does, and is imported when the
first packet of a squad that has one begins. Telemetry is never evidence: no receipt refers to it, no rule reads it, and
whatever goes wrong in it is logged once and stops nothing.

All spans are ours, also those around models and tools. pydantic-ai could make those two, but of a turn without tools it
never hears, it would make one for a reply that comes out of the journal and was not paid, and what a broken provider
raises in it ends the run. So its own instrumentation is switched off inside a role's turn, and no span appears twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from squads.contracts.messages import Failed, RoleRequest, Signed
from squads.contracts.outcome import Outcome
from squads.contracts.records import RoleRecord
from squads.kernel.model_ports import UNTRACED, Journal, Trace, Untraced

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a squad tells an operator's OpenTelemetry, and through which providers.

    Give it providers that export in the background, such as the SDK's `BatchSpanProcessor`: an exporter that is called
    when a span ends is called on the event loop.
    """

    name: str = "squad"
    """What traces call the squad: a name of yours, and no secret."""
    tracer_provider: TracerProvider | None = None
    """Where spans go; None is the global provider."""
    meter_provider: MeterProvider | None = None
    """Where metrics go; None is the global provider."""
    content: bool = False
    """True adds what models are told and reply, what tools are given and return, and the text of findings."""


class Answering(Trace, Protocol):
    """The span of one answer of a role."""

    def replied(self, reply: Any, spent: Any) -> None:
        """Note a usable reply, and what the answer cost together."""
        ...

    def ended(self, body: Signed | Failed) -> None:
        """Note what is sent back."""
        ...


class Tracing(Protocol):
    """What a session tells of its packets."""

    async def begin(self, packet: str, *, resumed: bool = False) -> None:
        """Open the root span of a stretch of work on a packet; its parent is the span that is current here."""
        ...

    async def end(self, packet: str, outcome: Outcome) -> None:
        """End it with how the packet stands. One that still waits is remembered, so that its next span links here."""
        ...

    def leave(self, packet: str, error: BaseException | None = None) -> None:
        """End it where nobody learned an outcome; without one that is open nothing happens."""
        ...

    def answer(self, role: str, about: str, request: RoleRequest) -> AbstractContextManager[Answering]:
        """Return the span of one answer, below the root span of its packet wherever this is called."""
        ...


class _UntracedAnswer(Untraced):
    def replied(self, reply: Any, spent: Any) -> None:
        pass

    def ended(self, body: Signed | Failed) -> None:
        pass


class _NoTracing:
    async def begin(self, packet: str, *, resumed: bool = False) -> None:
        pass

    async def end(self, packet: str, outcome: Outcome) -> None:
        pass

    def leave(self, packet: str, error: BaseException | None = None) -> None:
        pass

    def answer(self, role: str, about: str, request: RoleRequest) -> AbstractContextManager[Answering]:
        return _NO_ANSWER


_NO_ANSWER: Final[AbstractContextManager[Answering]] = nullcontext(_UntracedAnswer())
NO_TRACING: Final[Tracing] = _NoTracing()
"""What a squad without telemetry has: it does nothing."""


def tracing_of(telemetry: Telemetry | None, roles: Mapping[str, RoleRecord], journal: Journal) -> Tracing:
    """Return what a session tells of its packets, and to whom."""
    if telemetry is None:
        return NO_TRACING
    from squads.telemetry.spans import OpenTelemetryTracing

    return OpenTelemetryTracing(telemetry, roles, journal)


__all__ = ["NO_TRACING", "UNTRACED", "Answering", "Telemetry", "Tracing", "tracing_of"]
