"""Spans and metrics of a session, through OpenTelemetry.

    invoke_workflow {squad}         one run or resume of a packet, until it ends or waits for people
      squads.role {role}            an answer of a role of code that is no gate
      invoke_agent {role}           an answer of a role with a model; for a gate inside of the gate's span
      squads.gate {gate}            a verdict, with one `gen_ai.evaluation.result` event per finding
        chat {model}                one paid request, transport retries included
        execute_tool {tool}         one call of a tool

A root span is never made current: whoever streams a packet would find it in their own context. Workers run in tasks
that were begun for somebody else, so a role's span is given its parent by hand; what is below it follows the context.

No span stays open while people are waited for. A packet that waits leaves the ids of that span, and nothing else, in
the journal, and each later run links to it. The journal is as durable as the receipts and no part of them; there is one
such step per packet, since the first that is put is kept, so all later runs link to the first one that waited. A run
whose process was killed leaves none: its root span was never exported, so there is nothing to link to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, TraceFlags

from squads.contracts.base import digest_of
from squads.contracts.errors import SquadsError
from squads.contracts.messages import ReviewRequest, RoleRequest
from squads.contracts.outcome import Outcome
from squads.contracts.records import RoleRecord
from squads.contracts.thinking import Step
from squads.kernel.model_ports import Journal
from squads.telemetry import Telemetry, names
from squads.telemetry.answers import AnswerSpan
from squads.telemetry.stretch import Instruments, Stretch

_LINK: Final = digest_of(b"squads.trace/v1")
"""The input under which the journal keeps where a packet's first run that waited is to be found."""
_IDS_BYTES: Final = 16 + 8 + 1
_WAITING: Final = ("awaiting-approval", "halted")


class OpenTelemetryTracing:
    """What a session tells of its packets, to OpenTelemetry."""

    def __init__(self, telemetry: Telemetry, roles: Mapping[str, RoleRecord], journal: Journal) -> None:
        self._name = telemetry.name
        self._roles = roles
        self._journal = journal
        self._instruments = Instruments(telemetry)
        self._roots: dict[str, list[Stretch]] = {}

    async def begin(self, packet: str, *, resumed: bool = False) -> None:
        """Open the root span of a stretch of work on a packet."""
        attributes = {
            names.OPERATION_NAME: names.INVOKE_WORKFLOW,
            names.WORKFLOW_NAME: self._name,
            names.PACKET: packet,
            names.RESUMED: resumed,
        }
        links = await self._links(packet) if resumed else ()
        root = self._instruments.begun(f"{names.INVOKE_WORKFLOW} {self._name}", attributes, links=links)
        self._roots.setdefault(packet, []).append(root)

    async def end(self, packet: str, outcome: Outcome) -> None:
        """End it with how the packet stands."""
        root = self._taken(packet)
        if root is None:
            return
        root.set({names.OUTCOME: outcome.kind, names.REASON: getattr(outcome, "reason", None)})
        root.end()
        if outcome.kind in _WAITING and (ids := root.ids()):
            try:
                await self._journal.put(packet, Step(kind="tool", input=_LINK, turn=1, payload=ids), packet=packet)
            except SquadsError as error:
                self._instruments.careful.say(error)

    def leave(self, packet: str, error: BaseException | None = None) -> None:
        """End it where nobody learned an outcome."""
        root = self._taken(packet)
        if root is not None:
            if error is not None:
                root.fail(type(error).__name__)
            root.end()

    @contextmanager
    def answer(self, role: str, about: str, request: RoleRequest) -> Iterator[AnswerSpan]:
        """Surround one answer of a role."""
        record = self._roles[role]
        review = isinstance(request, ReviewRequest)
        attributes: dict[str, Any] = {
            names.PACKET: request.packet,
            names.REQUEST: about,
            names.ROLE_NAME: role,
            names.ROLE_KIND: record.kind,
            names.WORK: request.kind,
            names.ATTEMPT: request.attempt,
        }
        if (task := getattr(request, "task", None)) is not None:
            attributes[names.TASK] = task
        if isinstance(request, ReviewRequest):
            attributes |= {names.READS: request.reads.value, names.INDEPENDENCE: request.independence}
        agent = {**attributes, names.OPERATION_NAME: names.INVOKE_AGENT, names.AGENT_NAME: role}
        context = self._context(request.packet)
        with ExitStack() as stack:
            outer = inner = None
            if review or not record.models:
                word = names.GATE if review else names.ROLE
                outer = stack.enter_context(self._instruments.current(f"{word} {role}", attributes, context=context))
            if record.models:
                # Below the gate's span the context is the current one.
                inner = stack.enter_context(
                    self._instruments.current(
                        f"{names.INVOKE_AGENT} {role}", agent, context=context if outer is None else None
                    )
                )
            both = [stretch for stretch in (outer, inner) if stretch is not None]
            yield AnswerSpan(self._instruments, record, both[0], both[-1])

    def _taken(self, packet: str) -> Stretch | None:
        roots = self._roots.get(packet)
        if not roots:
            return None
        root = roots.pop()
        if not roots:
            del self._roots[packet]
        return root

    def _context(self, packet: str) -> Context:
        """Return a context with nothing in it but the packet's root span: this task was begun for somebody else."""
        roots = self._roots.get(packet)
        return roots[-1].context(Context()) if roots else Context()

    async def _links(self, packet: str) -> tuple[Link, ...]:
        try:
            step = await self._journal.get(packet, "tool", _LINK, 1)
        except SquadsError as error:
            self._instruments.careful.say(error)
            return ()
        if step is None or len(step.payload) != _IDS_BYTES:
            return ()
        ids = step.payload
        earlier = SpanContext(
            trace_id=int.from_bytes(ids[:16], "big"),
            span_id=int.from_bytes(ids[16:24], "big"),
            is_remote=True,
            trace_flags=TraceFlags(ids[24]),
        )
        return (Link(earlier),)
