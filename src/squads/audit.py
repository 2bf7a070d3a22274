"""The audit of a kept ledger: everything re-derived, nothing believed but `trust.json`.

Three readings of one moment of the store: the log itself (`squads.ledger.verify`), the kernel's rules replayed over
it with the outputs compared, and the content and indexes that stand beside the log. It needs no key and writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.contracts.base import Contract
from squads.contracts.errors import LedgerBroken, RollbackDetected, SquadsError, StorageUnavailable
from squads.kept import Keeping
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import Receipt, receipt_of
from squads.kernel.replay import Replay
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf, leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.report import OUTSIDE_CHECKS, ResultState
from squads.ledger.verify import verify_log
from squads.moments import Moment, moment_of
from squads.outside import ask_anchors, forks_in, keep_evidence
from squads.stores import CHECKPOINTS, StoreUrl, keys_of, placed, trust_in
from squads.suspects import SuspectPacket, suspect_packets, what_to_do

ERASED_SHOWN_MAX = 5
"""How many erased packets an audit names."""

LEVELS_MAX = 63
"""No log has subtrees of more levels."""


class Checked(Contract):
    """What one check of an audit found."""

    check: str
    state: ResultState
    message: str
    source: str = ""
    """The anchor that it speaks of, by name; empty for everything else."""


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
    suspects: tuple[SuspectPacket, ...] = ()
    """The packets that rest on keys which were revoked from before they signed there."""
    evidence: tuple[str, ...] = ()
    """Files that show that the log's key signed two histories, and where none could be written why."""

    @property
    def failed(self) -> tuple[Checked, ...]:
        """The checks that failed; the first is usually the cause of the others."""
        return tuple(r for r in self.results if r.state == "failed")


def audit(
    store: str | Path | StoreUrl,
    *,
    keys: Path | None = None,
    anchors: Sequence[str] = (),
    evidence: Path | None = None,
) -> Audit:
    """Audit the workspace kept in `store`. Raises `LedgerError` where there is nothing that could be audited.

    `keys` is where this machine keeps keys and checkpoint files (`keys_home()` when None). Without the workspace's
    checkpoint file the checks `rollback` and `fork` stay unchecked; without the keys of content in a database its
    content does. `anchors` are addresses of more anchors than those that the keys directory names. What proves a fork
    is written into `evidence`, or beside the store; of a database, beside the keys.
    """
    place = placed(store)
    trust = trust_in(place, keys)
    own = keys_of(trust, keys)
    outside = _outside(place, own)
    asked = ask_anchors(own, trust.origin, anchors)  # before the ledger is read, as everything outside
    # The file outside first, only as far as it goes now: what is appended later is not in this moment.
    notes = None if outside is None else _notes(outside)
    suspects: tuple[SuspectPacket, ...] = ()
    with moment_of(place, own) as moment:
        report = verify_log(
            moment.leaves(),
            trust=trust,
            checkpoints=moment.checkpoints(),
            outside=notes,
            anchors=asked.notes,
            threads=os.cpu_count() or 1,
        )
        results = [Checked(check=r.check, state=r.state, message=r.message, source=r.source) for r in report.results]
        results += [
            Checked(check=check, state="unchecked", message=why, source=name)
            for name, why in asked.silent.items()
            for check in OUTSIDE_CHECKS
        ]
        forks = forks_in(report, trust.log_key, (leaf_hash(leaf) for _, leaf, _ in moment.leaves()))
        keeping = Keeping(moment.content)
        replayed, packets, accounts = _replayed(moment, keeping)
        if any(r.check == "suspect" and r.state == "warned" for r in results):
            suspects = suspect_packets(lambda: _receipts(moment))
            results = [_with_suspects(r, suspects) for r in results]
        results += [replayed, _indexed(moment), _noded(moment), _content(moment, keeping), _booked(moment, accounts)]
    where = evidence or (place if isinstance(place, Path) else own)
    kept = [keep_evidence(where, data, size) for size, data in forks]
    return Audit(
        origin=trust.origin,
        size=report.size,
        root=report.root.hex(),
        packets=packets,
        results=tuple(results),
        suspects=suspects,
        evidence=tuple(kept),
    )


def _outside(place: Path | StoreUrl, own: Path) -> Path | None:
    """Return this machine's checkpoint file; None where it has none and needs none."""
    outside = own / CHECKPOINTS
    if outside.is_file():
        return outside
    if (own / "log.key").exists() and isinstance(place, Path):
        raise RollbackDetected(
            f"this machine writes the ledger in {place}, and its checkpoint file {outside} is gone: nothing shows "
            "that the ledger was not cut; restore the file from a backup"
        )
    return None


def _notes(outside: Path) -> Iterator[str]:
    try:
        return read_checkpoint_file(outside)
    except OSError as error:
        raise StorageUnavailable(f"the checkpoint file {outside} cannot be read: {error}; check the path") from error


def _with_suspects(result: Checked, suspects: Iterable[SuspectPacket]) -> Checked:
    """Return the warning of suspect keys with the packets that it is about."""
    todo = what_to_do(suspects) if result.check == "suspect" else ""
    return result.but(message=f"{result.message}; {todo}") if todo else result


def _receipts(moment: Moment) -> Iterator[Receipt]:
    for seq, leaf, _ in moment.leaves():
        try:
            decoded = decode_leaf(leaf)
        except Malformed as error:
            raise LedgerBroken(f"receipt {seq} cannot be read: {error}") from error
        keys = tuple(key for key, _ in decoded.signatures)
        yield receipt_of(seq, decoded.payload_type, decoded.payload, keys, decoded.time_ms)


def _replayed(moment: Moment, keeping: Keeping) -> tuple[Checked, int, Mapping[str, Spend] | None]:
    """Feed every input to the rules and demand the outputs that stand in the ledger.

    Return what was found, how many packets there are, and how the shared accounts stand then, None where it ended
    early.
    """
    replay = Replay(keeping.manifest, absent=True)
    packets = 0
    try:
        for receipt in _receipts(moment):
            packets += receipt.kind == "opened"
            replay.feed(receipt)
        replay.close()
    except SquadsError as error:
        return Checked(check="replay", state="failed", message=str(error)), packets, None
    erased = replay.view.erased if replay.view else {}
    gone = sorted(packet for packet in replay.blind if packet in erased)
    unread = len(replay.blind) - len(gone)
    said = f"; {_named(gone, erased)}" if gone else ""
    if unread:
        message = f"{unread} packets are replayed only up to an artifact whose manifest cannot be read{said}"
        return Checked(check="replay", state="unchecked", message=message), packets, None
    message = f"the rules give every output that the ledger has{said}"
    accounts = None if gone else replay.balances
    return Checked(check="replay", state="passed", message=message), packets, accounts


def _named(gone: list[str], erased: Mapping[str, int]) -> str:
    """Say which packets were replayed only as far as their content is not needed, because it was erased."""
    shown = ", ".join(f"{packet} (receipt {erased[packet]})" for packet in gone[:ERASED_SHOWN_MAX])
    more = f" and {len(gone) - ERASED_SHOWN_MAX} more" if len(gone) > ERASED_SHOWN_MAX else ""
    return f"erased, and replayed up to their first artifact: {shown}{more}"


def _indexed(moment: Moment) -> Checked:
    """Which stream a receipt is filed under is only an index: it must say what the receipt says itself."""
    lengths: dict[str, int] = {}
    try:
        for (seq, name, position), receipt in zip(moment.filed(), _receipts(moment), strict=True):
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


def _noded(moment: Moment) -> Checked:
    """Proofs are made from stored subtrees: each must have the hash that the receipts give, and there are no others."""
    edge, levels = Edge(), dict[int, Iterator[tuple[int, bytes]]]()
    for _, _, stored in moment.leaves():
        for level, index, digest in edge.append(bytes(stored)):
            rows = levels.get(level) or levels.setdefault(level, moment.nodes(level))
            found = next(rows, None)
            if found is None or tuple(found) != (index, digest):
                return _misnoded(level, index, "missing, or has another hash than the receipts below it give")
    for level in range(1, LEVELS_MAX):
        extra = next(levels.get(level) or moment.nodes(level), None)
        if extra is not None:
            return _misnoded(level, extra[0], "there, and there are no receipts for it yet: rows were added")
    return Checked(check="nodes", state="passed", message="every stored subtree has the hash that its receipts give")


def _misnoded(level: int, index: int, what: str) -> Checked:
    message = (
        f"the tree's node at level {level}, index {index} is {what}; no receipt is wrong for that, and no proof can be "
        "made: restore the ledger from a copy"
    )
    return Checked(check="nodes", state="failed", message=message)


def _booked(moment: Moment, derived: Mapping[str, Spend] | None) -> Checked:
    """What packets reserved and spent together must be what their receipts give."""
    if derived is None:
        return Checked(check="budget", state="unchecked", message="the rules could not be replayed over all receipts")
    stored = moment.balances()
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


def _content(moment: Moment, keeping: Keeping) -> Checked:
    """Content that receipts speak of is there and has its digest, or a receipt says that it was erased."""
    if not moment.readable:
        message = "the keys of its content are not on this machine; audit where they are, or bring them"
        return Checked(check="content", state="unchecked", message=message)
    try:
        for receipt in _receipts(moment):
            keeping.feed(receipt)
    except SquadsError as error:
        return Checked(check="content", state="unchecked", message=str(error))
    state, message = keeping.result()
    return Checked(check="content", state=state, message=message)
