"""Records as the exact bytes that are signed, and back. What cannot be read back exactly is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from squads.contracts.base import digest_of
from squads.contracts.errors import LedgerBroken
from squads.contracts.records import PACKET_RECORDS, WORKSPACE_RECORDS, ErasureRecord, GrantRecord, PacketRecord, Record
from squads.ledger.errors import Malformed
from squads.ledger.statement import PAYLOAD_TYPE, parse_statement, statement_bytes

RECORDS: Mapping[str, type[Record]] = {**PACKET_RECORDS, **WORKSPACE_RECORDS}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt as it was read from the ledger: what it says, who signed, where it stands."""

    seq: int
    kind: str
    predicate: Mapping[str, Any]
    keys: tuple[bytes, ...]
    """The key ids that signed; signatures are checked by whoever reads the ledger."""
    digest: str
    """SHA-256 of the signed payload."""
    time_ms: int
    subjects: tuple[tuple[str, str], ...] = ()
    """What the statement names as its subject, (name, SHA-256)."""


def payload_of(record: Record) -> bytes:
    """Return the statement that says `record`: the bytes its author signs."""
    return statement_bytes(record.kind, (_subject(record),), record.model_dump(mode="json"))


def _subject(record: Record) -> tuple[str, str]:
    """A record about no bytes names what it belongs to."""
    named = subject_of(record)
    if named is not None:
        return named
    if isinstance(record, PacketRecord):
        return "packet", digest_of(record.packet.encode())
    return "workspace", digest_of(record.workspace.encode())


def subject_of(record: Record) -> tuple[str, str] | None:
    """Return (name, digest) of what a record is about, for the statement's subject; None where there is none."""
    if isinstance(record, GrantRecord | ErasureRecord):  # their `subject` is no digest
        return None
    for field in ("subject", "artifact", "content", "about"):
        value: Any = getattr(record, field, None)
        if isinstance(value, str):
            return field, value
    return None


def receipt_of(seq: int, payload_type: str, payload: bytes, keys: tuple[bytes, ...], time_ms: int) -> Receipt:
    """Return what a stored payload says. Raises `LedgerBroken` for what is not a statement of ours."""
    if payload_type != PAYLOAD_TYPE:
        raise LedgerBroken(f"receipt {seq}: unknown payload type {payload_type!r}")
    try:
        statement = parse_statement(payload)
    except Malformed as error:
        raise LedgerBroken(f"receipt {seq} is not a statement: {error}") from error
    digest = digest_of(payload)
    return Receipt(seq, statement.kind, statement.predicate, keys, digest, time_ms, statement.subjects)


def record_in(receipt: Receipt) -> Record:
    """Return the record that a receipt says. Raises `LedgerBroken`, also when its subject says another thing.

    Whoever reads only the statement's subject must not be told of other bytes than the rules were.
    """
    record = record_of(receipt.kind, receipt.predicate)
    if receipt.subjects != (_subject(record),):
        raise LedgerBroken(f"receipt {receipt.seq}: its subject and its predicate speak of different things")
    return record


def record_of(kind: str, predicate: Mapping[str, Any]) -> Record:
    """Return the record that a predicate says. Raises `LedgerBroken` unless writing it again gives the same fields."""
    model = RECORDS.get(kind)
    if model is None:
        raise LedgerBroken(f"a receipt of kind {kind!r} has no record")
    try:
        record = model.model_validate(predicate)
    except ValidationError as error:
        raise LedgerBroken(f"a {kind} receipt does not read as one: {error.errors()[0]['msg']}") from error
    if not _exactly(record.model_dump(mode="json"), predicate):
        raise LedgerBroken(f"a {kind} receipt says its fields in another way than ours; nothing may be read twice")
    return record


def _exactly(ours: object, theirs: object) -> bool:
    """Say whether two JSON values are written alike; Python holds `True == 1`, and a signed format must not."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_exactly(value, theirs[key]) for key, value in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_exactly, ours, theirs))
    return ours == theirs
