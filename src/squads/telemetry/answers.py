"""The spans of one answer of a role, of the requests that it pays for, and of the tools that it calls."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind

from squads.contracts.messages import Failed, Signed
from squads.contracts.records import RoleRecord
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.kernel.model_ports import Exchange, Words
from squads.telemetry import names
from squads.telemetry.stretch import Instruments, Stretch


class ChatMark:
    """A `Mark` of one paid request."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self.tokens: dict[str, int] = {}
        self.model = ""

    def retried(self, wait_ms: int) -> None:
        """Note that the transport failed and is tried again."""
        self._stretch.event(names.RETRIED, {names.WAIT_MS: wait_ms})

    def answered(self, exchange: Exchange, said: Words) -> None:
        """Note the reply."""
        self.tokens = {"input": exchange.tokens_in, "output": exchange.tokens_out}
        self.model = exchange.model
        self._stretch.set(
            {
                names.RESPONSE_MODEL: exchange.model,
                names.RESPONSE_ID: exchange.reply,
                names.RESPONSE_FINISH_REASONS: (exchange.ended,) if exchange.ended else (),
                names.INPUT_TOKENS: exchange.tokens_in,
                names.OUTPUT_TOKENS: exchange.tokens_out,
                names.COST_MICROUSD: exchange.cost_microusd,
            }
        )
        self._stretch.content(said, output=names.OUTPUT_MESSAGES)

    def returned(self, said: Words) -> None:
        """No tool."""


class ToolMark:
    """A `Mark` of one call of a tool."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch

    def retried(self, wait_ms: int) -> None:
        """No request."""

    def answered(self, exchange: Exchange, said: Words) -> None:
        """No request."""

    def returned(self, said: Words) -> None:
        """Note what it returned."""
        self._stretch.content(said, result=names.TOOL_RESULT)


class AnswerSpan:
    """The spans of one answer: the outer one of the role, and for a gate with a model another inside it."""

    def __init__(self, instruments: Instruments, role: RoleRecord, outer: Stretch, inner: Stretch) -> None:
        self._instruments = instruments
        self._role = role
        self._outer = outer
        self._inner = inner

    @contextmanager
    def asking(
        self, name: str, *, model: str, provider: str, output_tokens_max: int, said: Words
    ) -> Iterator[ChatMark]:
        """Surround one paid request."""
        known = {
            names.OPERATION_NAME: names.CHAT,
            names.PROVIDER_NAME: provider,
            names.REQUEST_MODEL: model,
        }
        attributes = {**known, names.MODEL: name, names.REQUEST_MAX_TOKENS: output_tokens_max}
        began = time.monotonic()
        with self._instruments.current(f"{names.CHAT} {model}", attributes, kind=SpanKind.CLIENT) as stretch:
            stretch.content(said, instructions=names.SYSTEM_INSTRUCTIONS, input=names.INPUT_MESSAGES)
            mark = ChatMark(stretch)
            error = ""
            try:
                yield mark
            except BaseException as raised:
                error = type(raised).__name__
                raise
            finally:
                more = {names.RESPONSE_MODEL: mark.model, names.ERROR_TYPE: error}
                measured = {**known, **{key: value for key, value in more.items() if value}}
                self._instruments.count(mark.tokens, time.monotonic() - began, measured)

    @contextmanager
    def using(self, tool: str, said: Words) -> Iterator[ToolMark]:
        """Surround one call of a tool."""
        attributes = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: tool}
        with self._instruments.current(f"{names.EXECUTE_TOOL} {tool}", attributes) as stretch:
            stretch.content(said, arguments=names.TOOL_ARGUMENTS)
            yield ToolMark(stretch)

    def replayed(self, *, model: str = "", tool: str = "") -> None:
        """Note what came out of the journal."""
        self._inner.event(names.REPLAYED, {names.MODEL: model, names.TOOL_NAME: tool})

    def replied(self, reply: Any, spent: Any) -> None:
        """Note a usable reply, and what the answer cost together, replies out of the journal included."""
        if spent is not None and spent.calls:
            cost = {names.TOKENS: spent.tokens, names.COST_MICROUSD: spent.cost_microusd, names.CALLS: spent.calls}
            self._outer.set(cost)
        if isinstance(reply, Approved | Refused | Abstained):
            self._outer.set({names.DECISION: reply.kind, names.LOOKED: reply.looked})
            for result in evaluations(reply, self._role, content=self._instruments.content):
                self._outer.event(names.EVALUATION, result)

    def ended(self, body: Signed | Failed) -> None:
        """Mark an answer that was none: with a reason that we wrote, never with what was raised."""
        if isinstance(body, Failed):
            self._outer.fail(body.reason)
            if self._inner is not self._outer:
                self._inner.fail(body.reason)


def evaluations(
    verdict: Approved | Refused | Abstained, gate: RoleRecord, *, content: bool
) -> Iterator[Mapping[str, Any]]:
    """Yield what a verdict says of each invariant; one without findings that approves passes as a whole.

    An abstention has none: nobody looked. Where a model may have written a finding, the name of the invariant is its
    word too, and without content the gate's name stands instead.
    """
    thinks = bool(gate.models) or any(member.models for member in gate.members)
    refused = isinstance(verdict, Refused)
    # A panel weighs its members' verdicts and not their findings: there, every finding of a refusal speaks against it.
    weighed = any(f.severity >= gate.refuse_at for f in verdict.findings)
    for finding in verdict.findings:
        against = refused and (finding.severity >= gate.refuse_at or not weighed)
        yield {
            names.EVALUATION_NAME: gate.name if thinks and not content else finding.invariant,
            names.EVALUATION_LABEL: "refuse" if against else "pass",
            names.SEVERITY: finding.severity.value,
            names.UNANCHORED: True if finding.unanchored else None,
            names.EVALUATION_EXPLANATION: finding.message if content else None,
        }
    if isinstance(verdict, Approved) and not verdict.findings:
        yield {names.EVALUATION_NAME: gate.name, names.EVALUATION_LABEL: "pass"}
