"""From a packet's receipts to its state: read, checked, replayed among the workspace's own.

Nothing in the ledger is believed: every signature is checked again, and the rules must give every output that stands
there.
"""

from __future__ import annotations

from squads.contracts.artifact import Manifest
from squads.contracts.errors import LedgerBroken, SubjectErased
from squads.handover import Reader
from squads.kernel.ports import WORKSPACE
from squads.kernel.replay import Replay
from squads.kernel.state import PacketState
from squads.signing import read_verified
from squads.workspace import Workspace


async def fold(workspace: Workspace, reader: Reader, packet: str) -> tuple[PacketState | None, int]:
    """Return a packet's state and the length of its stream; (None, 0) for a packet that is not there.

    The workspace's view is read on as well. Raises `LedgerBroken` when the receipts do not replay, and `SubjectErased`
    for a packet whose content was erased.
    """
    ledger = workspace.ledger
    await workspace.refresh()
    own = await ledger.read(packet) if packet != WORKSPACE else []
    workspace.saw_time((await ledger.head()).time_ms)
    if not own:
        return None, 0
    if (seq := workspace.view.erased.get(packet)) is not None:
        raise SubjectErased(
            f"packet {packet} was erased, as receipt {seq} of the ledger says: its receipts stand, and its content is "
            "gone; `squads verify` still verifies them"
        )
    manifests: dict[str, Manifest] = {}
    replay = Replay(manifests.get, keep={packet})
    for stored in sorted([*await ledger.read(WORKSPACE), *own], key=lambda s: s.seq):
        receipt = read_verified(stored, replay.view)
        if receipt.kind == "artifact":
            digest = str(receipt.predicate.get("artifact"))
            try:
                manifests[digest] = await reader.manifest(digest)
            except ValueError as error:
                raise LedgerBroken(f"the manifest of artifact {digest[:12]} cannot be read: {error}") from error
        replay.feed(receipt)
    replay.close()
    return replay.packets[packet], len(own)
