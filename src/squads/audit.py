"""The audit of a kept ledger: everything re-derived, nothing believed but `trust.json`.

Three readings of one moment of the database: the log itself (`squads.ledger.verify`), the kernel's rules replayed over
it with the outputs compared, and the content and indexes that stand beside the log. It needs no key and writes nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from squads.adapters.sqlite_schema import balances_in, open_reader, translated
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.contracts.artifact import Manifest
from squads.contracts.base import Contract, digest_of
from squads.contracts.errors import LedgerBroken, RollbackDetected, SquadsError, StorageUnavailable
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import Receipt, receipt_of
from squads.kernel.replay import Replay
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.ledger.report import ResultState
from squads.ledger.trust import Trust
from squads.ledger.verify import verify_log
from squads.workspace import CHECKPOINTS, keys_of


class Checked(Contract):
    """What one check of an audit found."""

    check: str
    state: ResultState
    message: str


class Audit(Contract):
    """What an audit found: one result per check, never one boolean."""

    origin: str
    size: int
    """Receipts read."""
    root: str
    """The Merkle root over them, recomputed, in hex."""
    packets: int
    """Packets replayed."""
    results: tuple[Checked, ...]

    @property
    def failed(self) -> tuple[Checked, ...]:
        """The checks that failed; the first is usually the cause of the others."""
        return tuple(r for r in self.results if r.state == "failed")


def audit(store: str | Path, *, keys: Path | None = None) -> Audit:
    """Audit the workspace kept in `store`. Raises `LedgerError` where there is nothing that could be audited.

    `keys` is where this machine keeps keys and checkpoint files (`keys_home()` when None). Without the workspace's
    checkpoint file the checks `rollback` and `fork` stay unchecked.
    """
    store = Path(store)
    trust = trust_in(store)
    own = keys_of(trust, keys)
    outside: Path | None = own / CHECKPOINTS
    if not (own / CHECKPOINTS).is_file():
        if (own / "log.key").exists():
            raise RollbackDetected(
                f"this machine writes the ledger in {store}, and its checkpoint file {outside} is gone: nothing shows "
                "that the ledger was not cut; restore the file from a backup"
            )
        outside = None
    database = store / "ledger.db"
    with sqlite_snapshot(database, outside=outside) as moment:
        report = verify_log(
            moment.leaves,
            trust=trust,
            checkpoints=moment.checkpoints,
            outside=moment.outside,
            threads=os.cpu_count() or 1,
        )
    results = [Checked(check=r.check, state=r.state, message=r.message) for r in report.results]
    packets = 0
    connection = open_reader(database)
    try:
        connection.execute("BEGIN")
        replayed, packets, accounts = _replayed(connection)
        results += [replayed, _indexed(connection), _content(connection), _booked(connection, accounts)]
    except sqlite3.Error as error:
        raise translated(error, database) from error
    finally:
        connection.close()
    return Audit(origin=trust.origin, size=report.size, root=report.root.hex(), packets=packets, results=tuple(results))


def trust_in(store: Path) -> Trust:
    """Return what a store's `trust.json` says; nothing is made. Raises `StorageUnavailable`, `LedgerBroken`."""
    path = store / "trust.json"
    try:
        return Trust.from_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageUnavailable(f"there is no ledger in {store}; run `squads gate` or name another --store") from None
    except (OSError, Malformed) as error:
        raise LedgerBroken(f"{path} cannot be read: {error}; restore it from a backup") from error


def _receipts(connection: sqlite3.Connection) -> Iterator[Receipt]:
    for seq, leaf in connection.execute("SELECT seq, leaf FROM entry ORDER BY seq"):
        try:
            decoded = decode_leaf(leaf)
        except Malformed as error:
            raise LedgerBroken(f"receipt {seq} cannot be read: {error}") from error
        keys = tuple(key for key, _ in decoded.signatures)
        yield receipt_of(seq, decoded.payload_type, decoded.payload, keys, decoded.time_ms)


def _replayed(connection: sqlite3.Connection) -> tuple[Checked, int, Mapping[str, Spend] | None]:
    """Feed every input to the rules and demand the outputs that stand in the ledger.

    Return what was found, how many packets there are, and how the shared accounts stand then, None where it ended
    early.
    """

    def manifest(digest: str) -> Manifest | None:
        row = connection.execute("SELECT content FROM blob WHERE digest = ?", (bytes.fromhex(digest),)).fetchone()
        if row is None or digest_of(row[0]) != digest:
            return None
        try:
            return Manifest.parse(row[0])
        except ValueError:
            return None

    replay = Replay(manifest)
    packets = 0
    try:
        for receipt in _receipts(connection):
            packets += receipt.kind == "opened"
            replay.feed(receipt)
        replay.close()
    except SquadsError as error:
        return Checked(check="replay", state="failed", message=str(error)), packets, None
    passed = Checked(check="replay", state="passed", message="the rules give every output that the ledger has")
    return passed, packets, replay.balances


def _indexed(connection: sqlite3.Connection) -> Checked:
    """Which stream a receipt is filed under is only an index: it must say what the receipt says itself."""
    filed = connection.execute(
        "SELECT entry.seq, stream.name, entry.position FROM entry JOIN stream ON stream.id = entry.stream ORDER BY seq"
    )
    lengths: dict[str, int] = {}
    try:
        for (seq, name, position), receipt in zip(filed, _receipts(connection), strict=True):
            own = str(receipt.predicate.get("packet") or WORKSPACE)
            if receipt.kind in ("stop", "lift"):
                own = WORKSPACE
            if seq != receipt.seq or name != own or position != lengths.get(own, 0):
                message = (
                    f"receipt {seq} is filed as number {position} of {name}, and says itself that it is number "
                    f"{lengths.get(own, 0)} of {own}: the index was edited; restore the ledger from a copy"
                )
                return Checked(check="index", state="failed", message=message)
            lengths[own] = position + 1
    except ValueError:
        return Checked(
            check="index",
            state="failed",
            message="a receipt is filed under no stream: the index was edited; restore the ledger from a copy",
        )
    except SquadsError as error:
        return Checked(check="index", state="unchecked", message=str(error))
    return Checked(check="index", state="passed", message="every receipt is filed where it belongs")


def _booked(connection: sqlite3.Connection, derived: Mapping[str, Spend] | None) -> Checked:
    """What packets reserved and spent together must be what their receipts give."""
    if derived is None:
        return Checked(check="budget", state="unchecked", message="the rules could not be replayed over all receipts")
    stored = balances_in(connection)
    for name in sorted({*derived, *stored}):
        ours, theirs = derived.get(name, NOTHING_SPENT), stored.get(name, NOTHING_SPENT)
        if ours != theirs:
            message = (
                f"the account {name!r} stands at {_balance(theirs)}, and the receipts give {_balance(ours)}: its row "
                "was edited; restore the ledger from a copy"
            )
            return Checked(check="budget", state="failed", message=message)
    return Checked(check="budget", state="passed", message="shared accounts stand where the receipts leave them")


def _balance(spend: Spend) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in spend._asdict().items() if value) or "nothing"


def _content(connection: sqlite3.Connection) -> Checked:
    """Content must have the digest it is stored under; what is missing was erased or lost."""
    for digest, content in connection.execute("SELECT digest, content FROM blob"):
        if digest_of(content) != digest.hex():
            message = f"the content stored as {digest.hex()[:16]} has another digest: it was changed; do not rely on it"
            return Checked(check="content", state="failed", message=message)
    return Checked(check="content", state="passed", message="all stored content has the digest it is stored under")
