"""What every ledger adapter does with entries and rows, whatever its medium.

It must never know a medium: the memory and the SQLite ledger are the same here, and a third one should be too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from squads.contracts.errors import Conflict, InvalidInput, LedgerBroken, Overdrawn
from squads.kernel.budget import Spend
from squads.kernel.funds import Reservation, Settlement, booked
from squads.kernel.ports import WORKSPACE, Entry, Stored
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf, encode_body, leaf_hash
from squads.ledger.proof import NodeReader, consistency_proof, inclusion_proof

STREAM_CHARS_MAX = 128
TIME_MS_MAX = 2**53 - 1
ENTRIES_MAX = 10_000
"""Entries in one append; it is one transaction and must fit in memory several times."""


def bodies_of(entries: Sequence[Entry], time_ms: int) -> list[bytes]:
    """Return the entries as leaf bodies, before anything is queued or locked.

    Raises `InvalidInput` for no entry, too many, one that no leaf can hold, or a time that none can.
    """
    if not 0 <= time_ms <= TIME_MS_MAX:
        raise InvalidInput(f"{time_ms} ms is no time since 1970; take it from the clock")
    if not 1 <= len(entries) <= ENTRIES_MAX:
        raise InvalidInput(f"an append takes 1 to {ENTRIES_MAX} entries, not {len(entries)}; content alone is a blob")
    for stream in {entry.stream for entry in entries}:
        if not 1 <= len(stream) <= STREAM_CHARS_MAX or not stream.isprintable():
            raise InvalidInput(f"{stream[:80]!r} names no stream: 1 to {STREAM_CHARS_MAX} printable characters")
    bodies = []
    for number, entry in enumerate(entries):
        try:
            bodies.append(encode_body(entry.payload_type, entry.payload, entry.signatures))
        except Malformed as error:
            raise InvalidInput(f"entry {number} of stream {entry.stream!r} fits in no leaf: {error}") from None
    return bodies


def check_expected(expect: Mapping[str, int], length_of: Callable[[str], int]) -> None:
    """Raise `Conflict` unless every named stream has the expected length."""
    for stream, expected in expect.items():
        length = length_of(stream)
        if length != expected:
            raise Conflict(
                f"stream {stream!r} has {length} receipts where {expected} were expected; fold it again and retry"
            )


def check_time(time_ms: int, newest_ms: int) -> None:
    """Raise `Conflict` where `time_ms` lies before the newest leaf's time."""
    if time_ms < newest_ms:
        raise Conflict(
            f"the ledger's newest receipt is of {newest_ms} ms, after the given {time_ms} ms; step again with a "
            f"time that is not before it"
        )


def check_subject(subject: str) -> None:
    """Raise `InvalidInput` for what nobody's content can be erased by."""
    if subject in ("", WORKSPACE):
        raise InvalidInput("what belongs to the workspace itself is not erased; name a packet, a person or a subject")


def accounts_after(
    reserve: Reservation | None, settle: Settlement | None, balance_of: Callable[[str], Spend]
) -> dict[str, Spend]:
    """Return the shared accounts that change, as they stand afterwards. Raises `Overdrawn`."""
    changed = booked(reserve, settle, balance_of)
    if changed is not None:
        return changed
    assert reserve is not None
    spend, limits = balance_of(reserve.account), reserve.allowance
    kinds = (
        ("tokens", limits.tokens_max, spend.tokens, spend.tokens_reserved, reserve.amount.tokens),
        ("microusd", limits.cost_microusd_max, spend.microusd, spend.microusd_reserved, reserve.amount.microusd),
        ("ms", limits.wait_ms_max, spend.wait_ms, spend.wait_ms_reserved, reserve.amount.wait_ms),
    )
    short = [
        f"{amount:,} {unit} do not fit, with {spent:,} spent and {held:,} reserved of {limit:,}"
        for unit, limit, spent, held, amount in kinds
        if limit is not None and spent + held + amount > limit
    ]
    raise Overdrawn(f"the account {reserve.account!r} has no room: {'; '.join(short)}; wait, or raise the limit")


def no_checkpoint(size: int) -> InvalidInput:
    """Return what to raise where no checkpoint of exactly the size that was asked for is stored."""
    return InvalidInput(f"no checkpoint was signed over exactly {size} receipts; ask for one that was, or for none")


def check_covered(indexes: Sequence[int], size: int) -> None:
    """Raise `InvalidInput` unless a checkpoint over `size` receipts covers every index."""
    for index in indexes:
        if not 0 <= index < size:
            covered = f"receipts 0 to {size - 1}" if size else "nothing yet"
            raise InvalidInput(f"the checkpoint covers {covered}, and {index} is no such receipt; ask for others")


def paths_of(indexes: Sequence[int], size: int, node: NodeReader) -> tuple[tuple[bytes, ...], ...]:
    """Return an inclusion path for each index. Raises `InvalidInput` for one outside, `LedgerBroken`."""
    check_covered(indexes, size)
    try:
        return tuple(tuple(inclusion_proof(index, size, node)) for index in indexes)
    except Malformed as error:
        raise LedgerBroken(f"no proof can be made: {error}; run `squads verify`") from None


def consistency_of(old: int, new: int, size: int, node: NodeReader) -> list[bytes]:
    """Return a consistency proof. Raises `InvalidInput` for sizes that the log does not have, `LedgerBroken`."""
    if not 0 < old <= new <= size:
        raise InvalidInput(f"the log has {size} receipts: no tree of {old} grew to one of {new}; 0 < old <= new")
    try:
        return consistency_proof(old, new, node)
    except Malformed as error:
        raise LedgerBroken(f"no proof can be made: {error}; run `squads verify`") from None


def stored_of(stream: str, leaf: bytes, stored_hash: bytes) -> Stored:
    """Return the receipt in a row. Raises `LedgerBroken` where bytes and stored hash do not agree."""
    if leaf_hash(leaf) != stored_hash:
        raise LedgerBroken(
            f"a receipt of stream {stream!r} was changed after it was written; run `squads verify` to see which"
        )
    try:
        found = decode_leaf(leaf)
    except Malformed as error:
        raise LedgerBroken(f"a receipt of stream {stream!r} cannot be read: {error}; run `squads verify`") from None
    return Stored(
        seq=found.seq,
        stream=stream,
        time_ms=found.time_ms,
        payload_type=found.payload_type,
        payload=found.payload,
        signatures=found.signatures,
        leaf_hash=stored_hash,
    )
