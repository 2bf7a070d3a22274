"""What rests on a key that was revoked from before it had signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Limits, Squad
from squads.audit import audit
from squads.kernel.receipts import Receipt
from squads.key_events import revoke_key
from squads.suspects import SuspectPacket, suspect_packets, what_to_do
from squads.testing import ScriptedBuilder, ScriptedGate

KEY, OTHER = bytes([1]) * 32, bytes([2]) * 32


def receipt(seq: int, kind: str, signer: bytes = KEY, /, **predicate: Any) -> Receipt:
    return Receipt(seq, kind, predicate, (signer,), "0" * 64, 0)


def revoked(seq: int, since: int, key: bytes = KEY) -> Receipt:
    said = {"event": "revoke", "key": key.hex(), "reason": "compromised", "suspect_from_index": since}
    return receipt(seq, "key-event", OTHER, **said)


LOG = [
    receipt(2, "verdict", packet="a"),
    receipt(3, "finish", OTHER, packet="a", outcome="composed"),
    receipt(4, "verdict", packet="b"),
    receipt(5, "verdict", OTHER, packet="c"),
    receipt(6, "finish", OTHER, packet="c", outcome="composed"),
    receipt(7, "verdict", packet="d"),
    receipt(8, "finish", OTHER, packet="b", outcome="composed"),
    receipt(9, "artifact", packet="e"),
    receipt(10, "finish", OTHER, packet="e", outcome="composed"),
]


def test_a_packet_is_suspect_where_the_key_signed_after_it_was_stolen() -> None:
    """By index: what it signed before stands, and what others signed is not touched."""
    found = suspect_packets(lambda: [*LOG, revoked(11, since=4)])

    assert [("b", "composed"), ("d", "open"), ("e", "composed")] == [(one.packet, one.outcome) for one in found]
    assert [True, False, False] == [one.composed_on_it for one in found], "an artifact alone lets nothing through"


def test_a_revocation_from_now_on_makes_nothing_suspect() -> None:
    """Nothing was signed where it does not count."""
    assert suspect_packets(lambda: [*LOG, revoked(11, since=11)]) == ()


def test_the_earliest_word_counts() -> None:
    """A later revocation of the same key gives nothing back."""
    found = suspect_packets(lambda: [*LOG, revoked(11, since=7), revoked(12, since=2), revoked(13, since=9)])

    assert {"a", "b", "d", "e"} == {one.packet for one in found}


def test_what_to_do_names_packets_and_stays_short() -> None:
    """A sentence that a person reads: what composed, what to stop, and how many more."""
    many = [
        SuspectPacket(packet=f"p{n}", outcome="composed", kinds=("verdict",), keys=("00",), first=n) for n in range(20)
    ]
    left = SuspectPacket(packet="q", outcome="open", kinds=("verdict",), keys=("00",), first=1)

    assert "and 12 more; have their compositions judged again" in what_to_do(many)
    assert "squads stop REASON --packet ID" in what_to_do([left])
    assert what_to_do([]) == ""


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """A store with one composed packet, whose gate's key was found to be stolen before."""
    async with Squad(
        builder=ScriptedBuilder({"a": "b"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=tmp_path / "s",
        limits=Limits(attempts_max=1),
    ) as squad:
        await squad.run("It.")
        await revoke_key(await squad.workspace(), "gate:style", reason="compromised", suspect_from=4)
    return tmp_path / "s"


async def test_an_audit_names_what_composed_on_a_suspect_verdict(store: Path) -> None:
    """The ledger verifies, and the warning says which packet to have judged again."""
    found = audit(store)
    (warned,) = [r for r in found.results if r.state == "warned"]

    assert found.failed == ()
    assert [("composed", ("verdict",))] == [(one.outcome, one.kinds) for one in found.suspects]
    assert warned.check == "suspect"
    assert found.suspects[0].packet in warned.message
    assert "have their compositions judged again" in warned.message
