"""A role's answer as it is signed: by its own key here, or by a notary that numbers a gate's verdicts.

A notary answers a ticket once and for good. So the words of a verdict are stored before it is asked: should this
process die before its answer arrives, whoever reads the ticket next gets that answer back, and must find its words.
"""

from __future__ import annotations

import asyncio

from squads.contracts.messages import Signed
from squads.contracts.records import PacketRecord, VerdictRecord
from squads.handover import Reader
from squads.kernel.ports import Notary, Signer
from squads.kernel.receipts import payload_of, receipt_of, record_in
from squads.ledger.statement import PAYLOAD_TYPE, pae


async def signed(record: PacketRecord, content: tuple[bytes, ...], signer: Signer, reader: Reader) -> Signed:
    """Return a role's answer, signed. Raises `KeyUnavailable`, `Denied`, `BlobError`, `StorageUnavailable`."""
    if isinstance(record, VerdictRecord) and signer.custody != "in-process" and isinstance(signer, Notary):
        return await _attested(record, content, signer, reader)
    payload = payload_of(record)
    message = pae(PAYLOAD_TYPE, payload)
    # Another process may take its time; the key in this one does not.
    signature = (
        signer.sign(message) if signer.custody == "in-process" else await asyncio.to_thread(signer.sign, message)
    )
    return Signed(payload=payload, key=signer.key_id, signature=signature, content=content)


async def _attested(record: VerdictRecord, content: tuple[bytes, ...], notary: Notary, reader: Reader) -> Signed:
    await reader.keep(content, subject=record.packet)
    payload, signature = await asyncio.to_thread(notary.attest, record)
    said = record_in(receipt_of(0, PAYLOAD_TYPE, payload, (), 0))
    assert isinstance(said, VerdictRecord)
    if said.content != record.content:  # the ticket was answered before
        content = (await reader.blob(said.content),)
    return Signed(payload=payload, key=notary.key_id, signature=signature, content=content)
