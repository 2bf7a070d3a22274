"""What rests on a key that was revoked after it had signed: which packets, and how they ended.

A revocation reaches back by index. The receipts stay what they are and still verify; whether what rests on them shall
stand is for people to say, and this tells them where to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from squads.contracts.base import Contract
from squads.kernel.receipts import Receipt

JUDGING = frozenset({"verdict", "acceptance", "answer", "waiver"})
"""The kinds whose word lets something through."""


class SuspectPacket(Contract):
    """One packet with receipts that a key signed where it is suspect."""

    packet: str
    outcome: Literal["composed", "not-composed", "open"]
    kinds: tuple[str, ...]
    """What those receipts are."""
    keys: tuple[str, ...]
    """The ids of the keys, 64 hex digits."""
    first: int
    """The first of those receipts."""

    @property
    def composed_on_it(self) -> bool:
        """Whether a suspect word helped to let it through."""
        return self.outcome == "composed" and not JUDGING.isdisjoint(self.kinds)


def suspect_packets(receipts: Callable[[], Iterable[Receipt]]) -> tuple[SuspectPacket, ...]:
    """Return the packets that rest on suspect keys, in the order in which they came to; `receipts` reads the log.

    It is read twice, once for the revocations and once for what was signed, so that memory grows only with what is
    suspect.
    """
    ranges: dict[bytes, tuple[int, int]] = {}
    for receipt in receipts():
        if receipt.kind == "key-event" and receipt.predicate.get("event") == "revoke":
            key = bytes.fromhex(str(receipt.predicate["key"]))
            since, until = ranges.get(key, (receipt.seq, receipt.seq))
            ranges[key] = min(since, int(receipt.predicate["suspect_from_index"])), max(until, receipt.seq)
    ranges = {key: (since, until) for key, (since, until) in ranges.items() if since < until}
    found: dict[str, SuspectPacket] = {}
    if not ranges:
        return ()
    for receipt in receipts():
        packet = str(receipt.predicate.get("packet") or "")
        keys = [key for key in receipt.keys if key in ranges and ranges[key][0] <= receipt.seq < ranges[key][1]]
        if packet and keys:
            before = found.get(packet)
            found[packet] = SuspectPacket(
                packet=packet,
                outcome=before.outcome if before else "open",
                kinds=tuple(sorted({receipt.kind, *(before.kinds if before else ())})),
                keys=tuple(sorted({*(key.hex() for key in keys), *(before.keys if before else ())})),
                first=before.first if before else receipt.seq,
            )
        if receipt.kind == "finish" and packet in found:
            composed = receipt.predicate.get("outcome") == "composed"
            found[packet] = found[packet].but(outcome="composed" if composed else "not-composed")
    return tuple(found.values())


def what_to_do(suspects: Iterable[SuspectPacket]) -> str:
    """Return a sentence that names what composed on a suspect word, and what is open; empty where nothing is."""
    suspects = list(suspects)
    composed = [one.packet for one in suspects if one.composed_on_it]
    still_open = [one.packet for one in suspects if one.outcome == "open"]
    said = []
    if composed:
        said.append(f"composed on what it said: {_few(composed)}; have their compositions judged again")
    if still_open:
        said.append(f"open with what it said: {_few(still_open)}; stop each with `squads stop REASON --packet ID`")
    return "; ".join(said)


def _few(packets: list[str]) -> str:
    more = f" and {len(packets) - 8} more" if len(packets) > 8 else ""
    return ", ".join(packets[:8]) + more
