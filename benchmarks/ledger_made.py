"""Makes what the ledger's benchmark measures: receipts of the usual size, and packets without end for the replay."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from common import Kind, Scripted, Strict

from squads import Squad
from squads.contracts.artifact import Manifest
from squads.contracts.messages import ReviewRequest
from squads.contracts.records import PacketRecord, VerdictRecord
from squads.kernel.effects import Send
from squads.kernel.ports import WORKSPACE, Entry, Stored
from squads.kernel.receipts import Receipt, payload_of, receipt_of, record_in
from squads.kernel.replay import Replay, outputs
from squads.kernel.step import step
from squads.ledger.statement import PAYLOAD_TYPE
from squads.ledger.types import KINDS
from squads.testing.conformance_ledger import RUNNER_KEY, signed_entry

PACKET_RECEIPTS = 19
"""How many receipts a governed run with one refusal leaves; so many stand in one stream."""
DIFFERENT = 512
"""Signed receipts that are used over and over: signing a million would take longer than all that is measured."""


def entries_from(start: int) -> Iterator[Entry]:
    """Yield entries without end, as they stand from `start` on: genuine receipts of the runner, 19 to a stream."""
    number, made = start, signed_once()
    while True:
        one = made[number % DIFFERENT]
        stream = f"packet-{number // PACKET_RECEIPTS}"
        yield Entry(stream=stream, payload_type=one.payload_type, payload=one.payload, signatures=one.signatures)
        number += 1


@cache
def signed_once() -> list[Entry]:
    """Return the receipts that are used over and over."""
    return [
        signed_entry("", "ticket", {f"field_{part}": digest(f"{number} {part}") for part in range(4)}, RUNNER_KEY)
        for number in range(DIFFERENT)
    ]


def digest(text: str) -> str:
    """Return 64 hex digits, of which receipts are full."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Recorded:
    """One packet that was really run: a plan, an artifact refused, a better one, a composition."""

    workspace: list[Receipt]
    inputs: list[Receipt]
    packet: str
    manifests: dict[str, Manifest]


async def recorded() -> Recorded:
    """Run one packet in memory and return its receipts."""
    squad = Squad(builder=Scripted(), gates=[Strict(), Kind()])
    outcome = await squad.run("A treasury table.")
    workspace = await squad.workspace()
    own = [read(item) for item in await workspace.ledger.read(WORKSPACE)]
    about = [read(item) for item in await workspace.ledger.read(outcome.packet)]
    manifests = {}
    for receipt in about:
        if receipt.kind == "artifact":
            named = receipt.predicate["artifact"]
            manifests[named] = Manifest.parse(await workspace.blobs.get(named))
    return Recorded(own, [r for r in about if KINDS[r.kind].direction == "input"], outcome.packet, manifests)


def read(item: Stored) -> Receipt:
    """Return what a stored receipt says, as an auditor reads it once its signatures were verified."""
    keys = tuple(key for key, _ in item.signatures)
    return receipt_of(item.seq, item.payload_type, item.payload, keys, item.time_ms)


Line = tuple[int, str, bytes, tuple[bytes, ...], int]
"""What `receipt_of` takes: seq, payload type, payload, key ids, time."""


def copies(of: Recorded, count: int) -> Iterator[list[Line]]:
    """Yield the receipts of so many packets that went the same way, each under an id of its own.

    The rules give the outputs, as they gave those of the packet that was run; what a gate saw names the packet, so it
    is taken from the request that the rules made.
    """
    rules = Replay(of.manifests.get)
    for receipt in of.workspace:
        rules.feed(receipt)
    view = rules.view
    assert view is not None
    runner = next(key for key, known in view.registry.keys.items() if "runner" in known.roles)
    seq = len(of.workspace)
    for number in range(count):
        packet, state, saw = f"{number:032x}", None, dict[str, str]()
        lines: list[Line] = []
        for receipt in of.inputs:
            record = record_in(receipt)
            assert isinstance(record, PacketRecord)
            record = record.but(packet=packet)
            if isinstance(record, VerdictRecord):
                record = record.but(saw=saw[record.ticket])
            lines.append((seq + len(lines), PAYLOAD_TYPE, payload_of(record), receipt.keys, receipt.time_ms))
            state, effects = step(view, state, rules.attest(view, receipt_of(*lines[-1]), record))
            for output in outputs(effects):
                lines.append((seq + len(lines), PAYLOAD_TYPE, payload_of(output), (runner,), receipt.time_ms))
            for effect in effects:
                if isinstance(effect, Send) and isinstance(effect.body, ReviewRequest):
                    saw[effect.body.ticket] = effect.body.saw
        seq += len(lines)
        yield lines
