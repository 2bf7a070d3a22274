"""A role's answer as it is signed: here, by a daemon, or by a notary that answers a ticket once."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

import pytest

from squads.adapters.keys import InProcessSigner
from squads.adapters.memory_blobs import MemoryBlobs
from squads.attesting import signed
from squads.contracts.base import digest_of
from squads.contracts.errors import BlobMissing
from squads.contracts.finding import FindingCounts
from squads.contracts.records import ObjectionRecord, PacketRecord, VerdictRecord
from squads.handover import Reader
from squads.kernel.ports import Notary
from squads.kernel.receipts import payload_of
from squads.ledger.keys import verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae, parse_statement

D = "d" * 64
ABOUT: dict[str, Any] = {"workspace": "a" * 32, "packet": "b" * 32}


class Elsewhere(InProcessSigner):
    """A key that another process holds, and that it uses for whatever it is asked."""

    @property
    def custody(self) -> Literal["daemon"]:  # type: ignore[override]
        return "daemon"


@dataclass
class Counting:
    """A notary that remembers its answers."""

    key: InProcessSigner = field(default_factory=lambda: InProcessSigner(b"\1" * 32))
    custody: Literal["daemon"] = "daemon"
    said: dict[str, bytes] = field(default_factory=dict)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key

    @property
    def key_id(self) -> bytes:
        return self.key.key_id

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def attest(self, record: VerdictRecord) -> tuple[bytes, bytes]:
        numbered = record.but(actor_seq=0) if not self.said else record.but(actor_seq=len(self.said), prev_by_actor=D)
        payload = self.said.setdefault(record.ticket, payload_of(numbered))
        return payload, self.key.sign(pae(PAYLOAD_TYPE, payload))


def verdict(content: bytes, ticket: str = D) -> VerdictRecord:
    """Return a verdict whose words are these."""
    return VerdictRecord(
        **ABOUT,
        ticket=ticket,
        author="schema",
        decision="approved",
        subject=D,
        attempt=1,
        saw=D,
        independence="prior",
        content=digest_of(content),
        findings=FindingCounts(),
        looked=1,
    )


OBJECTION = ObjectionRecord(**ABOUT, request=D, author="carpenter", content=D)


@pytest.mark.parametrize("signer", [InProcessSigner(b"\1" * 32), Elsewhere(b"\1" * 32)], ids=["here", "elsewhere"])
@pytest.mark.parametrize("record", [verdict(b"x"), OBJECTION], ids=["verdict", "objection"])
async def test_a_signer_that_does_not_count_signs_the_record_as_it_is(
    signer: InProcessSigner, record: PacketRecord
) -> None:
    """Its counter stays empty."""
    answer = await signed(record, (b"x",), signer, Reader(MemoryBlobs()))

    assert (answer.payload, answer.key, answer.content) == (payload_of(record), signer.key_id, (b"x",))
    assert verify_signature(signer.public_key, answer.signature, pae(PAYLOAD_TYPE, answer.payload))


async def test_a_notary_puts_its_number_into_a_verdict() -> None:
    """And signs everything else as it is."""
    notary, reader = Counting(), Reader(MemoryBlobs())
    assert isinstance(notary, Notary)
    first = await signed(verdict(b"x"), (b"x",), notary, reader)
    other = await signed(OBJECTION, (), notary, reader)

    assert parse_statement(first.payload).predicate["actor_seq"] == 0
    assert verify_signature(notary.public_key, first.signature, pae(PAYLOAD_TYPE, first.payload))
    assert other.payload == payload_of(OBJECTION)


async def test_the_words_are_stored_before_the_notary_is_asked() -> None:
    """Should this process die with the answer under way, the next one finds them."""
    blobs = MemoryBlobs()

    class Dies(Counting):
        def attest(self, record: VerdictRecord) -> tuple[bytes, bytes]:
            super().attest(record)
            raise KeyboardInterrupt

    notary = Dies()
    with pytest.raises(KeyboardInterrupt):
        await signed(verdict(b"first"), (b"first",), notary, Reader(blobs))
    again = Counting(said=notary.said)
    answer = await signed(verdict(b"second"), (b"second",), again, Reader(blobs))

    assert answer.content == (b"first",), "what it read anew says nothing any more"
    assert parse_statement(answer.payload).predicate["content"] == sha256(b"first").hexdigest()


async def test_an_answer_whose_words_are_lost_is_no_answer() -> None:
    """A verdict is never handed in without what it speaks of."""
    notary = Counting()
    await signed(verdict(b"first"), (b"first",), notary, Reader(MemoryBlobs()))

    with pytest.raises(BlobMissing):
        await signed(verdict(b"second"), (b"second",), notary, Reader(MemoryBlobs()))
