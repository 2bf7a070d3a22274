"""The ledger's own judgement of a world: what a stranger with a bundle would find, who never saw the kernel."""

from __future__ import annotations

from cast import registry
from world import Entry, World

from squads.ledger.approvals import Judged, judge
from squads.ledger.keys import Registry
from squads.ledger.offline import BUNDLE_CHECKS
from squads.ledger.packet import Story, Witnessed
from squads.ledger.report import Result, Tally
from squads.ledger.shapes import check_shape


def judged(world: World) -> tuple[Judged, dict[str, Result]]:
    """Return what became of the world's packet, and the result of every check, from its receipts alone."""
    keys, found = registry(), []
    for entry in world.entries:
        if entry.kind == "key-event":
            keys = keys.apply(entry.record, entry.seq, {bytes.fromhex(entry.key)})
        else:
            found.append(witnessed(entry, keys))
    tally = Tally(BUNDLE_CHECKS)
    receipts = [r._replace(suspect=not keys.keys[bytes.fromhex(r.key)].holds_at(r.seq)) for r in found if r.roles]
    judgement = judge(Story.told(receipts, world.packet, tally), tally)
    return judgement, {result.check: result for result in tally.results()}


def witnessed(entry: Entry, keys: Registry) -> Witnessed:
    """Return a world's entry as the offline verifier takes it: its signature is genuine, its form is checked."""
    said = entry.record.model_dump(mode="json")
    check_shape(entry.kind, said)
    held = keys.roles_of(bytes.fromhex(entry.key), entry.seq)
    return Witnessed(entry.seq, entry.time_ms, entry.kind, said, entry.digest, entry.key, held, "in-process")
