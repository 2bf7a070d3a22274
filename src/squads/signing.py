"""Receipts as they are signed and as they are read back: their keys, the exact bytes, and the keys in force there."""

from __future__ import annotations

from squads.contracts.errors import LedgerBroken
from squads.kernel import view as views
from squads.kernel.ports import Entry, Signer, Stored
from squads.kernel.receipts import Receipt, receipt_of
from squads.kernel.view import View
from squads.ledger.errors import Malformed
from squads.ledger.keys import verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae


def signed_entry(stream: str, payload: bytes, *signers: Signer) -> Entry:
    """Return a payload with its signatures, one of each key, ready to append."""
    message = pae(PAYLOAD_TYPE, payload)
    signed = {signer.key_id: signer.sign(message) for signer in signers}
    return Entry(stream=stream, payload_type=PAYLOAD_TYPE, payload=payload, signatures=tuple(sorted(signed.items())))


def read_verified(stored: Stored, view: View | None) -> Receipt:
    """Return what a stored receipt says, its signatures checked against the keys in force there.

    Raises `LedgerBroken`. Entry 0 brings its own keys and is checked against them; whose keys they are is for
    `trust.json` to say.
    """
    keys = tuple(key for key, _ in stored.signatures)
    receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, keys, stored.time_ms)
    try:
        registry = view.registry if view else views.opened(receipt.predicate, keys).registry
    except Malformed as error:
        raise LedgerBroken(f"the ledger does not begin with a log-open receipt: {error}") from error
    message = pae(stored.payload_type, stored.payload)
    for key, signature in stored.signatures:
        public = registry.public_key(key)
        if public is None or not verify_signature(public, signature, message):
            raise LedgerBroken(f"receipt {stored.seq}: the signature of key {key.hex()[:16]} does not verify")
    return receipt
