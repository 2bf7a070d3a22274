"""Who waits for which level: what the workspace's policy says, at the two places where somebody is told something.

It must never tell first and wait afterwards. Where an anchor stays away nobody is told: what is in the ledger stays
there, and whoever asks again waits again.
"""

from __future__ import annotations

from squads.contracts.errors import NotAnchored
from squads.lane import Lane
from squads.workspace import Workspace


async def before_telling_end(workspace: Workspace, packet: str) -> None:
    """Return once people may be told that a packet composed. Raises `NotAnchored`."""
    policy = workspace.view.policy
    if policy is None or policy.end_level != "anchored":
        return
    try:
        await workspace.anchoring.wait((await workspace.ledger.head()).size)
    except NotAnchored as error:
        raise NotAnchored(
            f"packet {packet} has composed, and by this workspace's policy nobody is told before that is anchored: "
            f"{error}; `squads resume {packet}` asks again"
        ) from error


async def before_asking_role(workspace: Workspace, lane: Lane) -> None:
    """Return once a role may be told what gates said of a packet. Raises `NotAnchored`."""
    policy = workspace.view.policy
    if policy is None or policy.refusal_level != "anchored" or lane.state is None:
        return
    refused = sum(ticket.decision == "refused" for ticket in lane.state.tickets.values())
    if refused > lane.refusals_anchored:
        try:
            await workspace.anchoring.wait((await workspace.ledger.head()).size)
        except NotAnchored as error:
            raise NotAnchored(
                f"packet {lane.packet} was refused, and by this workspace's policy its author is not told before that "
                f"is anchored: {error}; `squads resume {lane.packet}` goes on"
            ) from error
        lane.refusals_anchored = refused
