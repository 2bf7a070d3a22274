"""What is still out, read off the state: the outbox, the open questions and the armed deadlines.

After a crash, or after the bus lost everything, whoever holds the packet sends all of this again with the same ids.
"""

from __future__ import annotations

from squads.kernel.effects import Arm, Ask, Send
from squads.kernel.identify import packet_deadline_id
from squads.kernel.lifecycle import Phase
from squads.kernel.state import PacketState


def pending(state: PacketState) -> list[Send | Ask | Arm]:
    """Return every effect of this packet that has not been answered; nothing once it has ended."""
    if state.ended:
        return []
    out: list[Send | Ask | Arm] = [Arm(packet_deadline_id(state.opened.nonce), state.due_ms)]
    for request, job in state.jobs.items():
        if not job.receipt:
            out.append(Send(job.record.role, request, job.request))
            out.append(Arm(request, job.record.due_ms))
    for ticket_id, ticket in state.tickets.items():
        if not ticket.decision:
            out.append(Send(ticket.record.gate, ticket_id, ticket.request))
            out.append(Arm(ticket_id, ticket.record.due_ms))
    if state.phase is Phase.ASKING and state.question:
        out.append(Ask(state.question))
        out.append(Arm(state.question.question, state.question.expires_ms))
    return out
