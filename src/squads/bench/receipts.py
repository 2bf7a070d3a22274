"""From a run's ledger to its rows: everything a figure counts is read from receipts and the content that they name.

The kernel's rules are replayed over the receipts, and what a verdict decided is what the rules made of it. Run and
check both call this, so a row cannot be one thing when it is written and another when it is checked. Nothing here
verifies signatures or the log itself; an audit does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from squads.bench.case import Case
from squads.bench.folder import Taken
from squads.bench.judged import Judged, found_in
from squads.bench.manifest import Piece, RunManifest, brief_of, pieces_of, reference_in
from squads.contracts.artifact import Manifest
from squads.contracts.base import digest_of
from squads.contracts.errors import LedgerBroken, SquadsError
from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.records import DeadlineRecord, FaultRecord, VerdictRecord
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.handover import unseal
from squads.kernel.receipts import Receipt, receipt_of, record_of
from squads.kernel.replay import Replay
from squads.kernel.state import PacketState, Ticket
from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.moments import Moment, moment_of
from squads.stores import keys_of, trust_in


class Answered(NamedTuple):
    """What became of one ticket."""

    time_ms: int
    usage: Usage | None
    reason: str
    """Why there is no verdict; empty where there is one."""


@dataclass(slots=True)
class Derived:
    """What a ledger says of a run."""

    rows: dict[tuple[str, str], Judged] = field(default_factory=dict)
    """By the packet's reference and the gate's name; a later packet stands for an earlier one."""
    ended: set[str] = field(default_factory=set)
    """References of packets that have ended."""
    open: dict[str, str] = field(default_factory=dict)
    """Reference to the id of a packet that has not."""
    packets: int = 0
    spent: Usage = NO_USAGE
    size: int = 0
    problems: list[str] = field(default_factory=list)
    """Packets that do not belong to the run, or judged something else than they say."""


def derive(store: Path, keys: Path | None, manifest: RunManifest, cases: Iterable[Case]) -> Derived:
    """Return what the ledger in `store` says of the run. Raises `LedgerError` where it cannot be read or replayed."""
    own = keys_of(trust_in(store), keys)
    with moment_of(store, own) as moment:
        return _Deriving(moment, manifest, cases).done()


class _Deriving:
    def __init__(self, moment: Moment, manifest: RunManifest, cases: Iterable[Case]) -> None:
        self._moment = moment
        self._manifest = manifest
        self._cases = {case.id: case for case in cases}
        self._pieces: Mapping[str, Piece] = {p.reference: p for p in pieces_of(manifest)}
        self._asked: dict[str, int] = {}
        self._answered: dict[str, Answered] = {}
        self._found = Derived()

    def done(self) -> Derived:
        packets = [str(r.predicate["packet"]) for r in self._receipts() if r.kind == "opened"]
        replay = Replay(self._manifest_of, keep=packets)
        for receipt in self._receipts():
            self._found.size += 1
            self._note(receipt)
            replay.feed(receipt)
        for packet in packets:
            if packet in replay.blind:
                self._found.problems.append(f"packet {packet}: the content that it judged cannot be read")
            elif packet in replay.packets:
                self._packet(packet, replay.packets[packet])
        self._found.packets = len(packets)
        return self._found

    def _receipts(self) -> Iterator[Receipt]:
        for seq, leaf, _ in self._moment.leaves():
            try:
                decoded = decode_leaf(leaf)
            except Malformed as error:
                raise LedgerBroken(f"receipt {seq} cannot be read: {error}") from error
            keys = tuple(key for key, _ in decoded.signatures)
            yield receipt_of(seq, decoded.payload_type, decoded.payload, keys, decoded.time_ms)

    def _note(self, receipt: Receipt) -> None:
        """Remember when each ticket was asked, and when and how it was answered."""
        match receipt.kind:
            case "ticket":
                self._asked[str(receipt.predicate["ticket"])] = receipt.time_ms
            case "verdict" | "fault" | "deadline":
                record = record_of(receipt.kind, receipt.predicate)
                if isinstance(record, VerdictRecord):
                    self._answered[record.ticket] = Answered(receipt.time_ms, record.usage, "")
                elif isinstance(record, FaultRecord):
                    self._answered.setdefault(record.about, Answered(receipt.time_ms, record.usage, record.reason))
                elif isinstance(record, DeadlineRecord):
                    self._answered.setdefault(record.about, Answered(receipt.time_ms, None, "deadline"))

    def _content(self, digest: str) -> bytes:
        content = self._moment.content(digest)
        if content is None or digest_of(content) != digest:
            raise LedgerBroken(f"there is no content under {digest[:16]}, which a receipt names")
        return content

    def _manifest_of(self, digest: str) -> Manifest | None:
        try:
            return Manifest.parse(self._content(digest))
        except (SquadsError, ValueError):
            return None

    def _packet(self, packet: str, state: PacketState) -> None:
        found = self._found
        usage = state.spend.usage
        found.spent = found.spent.plus(usage)
        try:
            document, _ = unseal(self._content(state.opened.content))
        except (SquadsError, ValueError) as error:
            found.problems.append(f"packet {packet}: its brief cannot be read: {error}")
            return
        brief = document.brief if isinstance(document, Packet) else ""
        reference = reference_in(brief)
        piece = self._pieces.get(reference)
        case = None if piece is None else self._cases.get(piece.case)
        if piece is None or case is None:
            found.problems.append(f"packet {packet} belongs to no case of this run: its reference is {reference!r:.40}")
            return
        if not state.ended:
            found.open[reference] = packet
            return
        if said := self._other_than(state, case, piece, brief):
            found.problems.append(f"packet {packet}: {said}")
            return
        # Who was answered does not ask again: of two verdicts, the later one would be the one that was liked better.
        before = {gate: found.rows.get((reference, gate)) for gate in state.opened.gates}
        if twice := [gate for gate, row in before.items() if row and row.decision in ("approved", "refused")]:
            found.problems.append(f"packet {packet} asks {twice[0]!r} once more about {case.id}, which it had judged")
            return
        found.ended.add(reference)
        for gate in state.opened.gates:
            found.rows[reference, gate] = self._row(packet, state, piece, gate)

    def _other_than(self, state: PacketState, case: Case, piece: Piece, brief: str) -> str:
        """Return how a packet differs from what the manifest says it is; empty where it does not."""
        if brief != brief_of(case, self._manifest.context(piece.context), piece.reference):
            return f"its brief is not that of {case.id}"
        known = {gate.name: gate.prior for gate in self._manifest.gates}
        for gate in state.opened.gates:
            if state.roles[gate].prior != known.get(gate):
                return f"its gate {gate!r} is not the one that the manifest names"
        for key, attempt in state.attempts.items():
            if key[0] is not AttemptKind.ARTIFACT:
                continue
            judged = self._manifest_of(attempt.subject)
            if judged is None:
                return "what it judged cannot be read"
            if not _is_of(judged, case):
                return f"what it judged are not the files of {case.id}"
        return ""

    def _row(self, packet: str, state: PacketState, piece: Piece, gate: str) -> Judged:
        tickets = {d: t for d, t in state.tickets.items() if t.record.gate == gate}
        factors = self._manifest.factors(gate, piece.context)
        same = {"case": piece.case, "gate": gate, "prior": state.roles[gate].prior, "repeat": piece.repeat}
        if not tickets:
            why = state.finish.reason if state.finish else "nobody asked it"
            return Judged(**same, factors=factors, decision="error", reason=f"not asked: {why}", packet=packet)
        digest, ticket = list(tickets.items())[-1]  # what is asked once more stands behind
        if self._manifest.context(piece.context).author is not None:
            factors["author"] = ticket.record.independence
        usage = NO_USAGE
        for each, asked in tickets.items():
            usage = usage.plus(self._cost(each, asked))
        wait_ms = usage.wait_ms or max(0, self._answer(digest).time_ms - self._asked.get(digest, 0))
        same |= {
            "factors": factors,
            "tokens_in": usage.tokens,
            "cost_microusd": usage.cost_microusd,
            "wait_ms": wait_ms,
            "packet": packet,
        }
        if not ticket.verdict:
            return Judged(**same, decision="error", reason=self._answer(digest).reason or "silent")
        verdict, _ = unseal(self._content(ticket.verdict))
        if not isinstance(verdict, (Approved, Refused, Abstained)):
            raise LedgerBroken(f"packet {packet}: the content of a verdict is a {type(verdict).__name__}")
        refuse_at = state.roles[gate].refuse_at
        decision = ticket.decision
        return Judged(
            **same,
            decision=decision,
            reason=_why(verdict, decision),
            looked=ticket.looked,
            found=found_in(verdict, refuse_at=refuse_at)
            if isinstance(verdict, Refused) and decision == "refused"
            else (),
            receipt=ticket.receipt,
        )

    def _answer(self, ticket: str) -> Answered:
        return self._answered.get(ticket, Answered(0, None, "silent"))

    def _cost(self, ticket: str, asked: Ticket) -> Usage:
        """Return what a ticket cost; what nobody knows counts as all that was reserved for it."""
        usage = self._answer(ticket).usage
        if usage is not None:
            return usage
        record = asked.record
        return Usage(
            tokens=record.tokens_reserved,
            cost_microusd=record.microusd_reserved,
            calls=1 if record.tokens_reserved else 0,
            wait_ms=record.wait_ms_reserved,
        )


def _is_of(judged: Manifest, case: Case) -> bool:
    """Say whether a manifest lists exactly a case's files, removals and base."""
    files = {entry.path: entry.digest for entry in judged.files}
    return (
        files == {path: digest_of(text.encode()) for path, text in case.files.items()}
        and set(judged.removals) == set(case.removals)
        and judged.base == case.artifact.base
    )


def _why(verdict: Approved | Refused | Abstained, decision: str) -> str:
    if isinstance(verdict, Abstained):
        return verdict.reason
    return "the rules count it as an abstention" if decision == "abstained" else ""


def rows_of(manifest: RunManifest, derived: Derived, taken: Mapping[tuple[str, str], Taken]) -> list[Judged]:
    """Return a run's rows in the order of its manifest: by case, repeat, context and gate."""
    order = {p.reference: number for number, p in enumerate(sorted(pieces_of(manifest), key=lambda p: p[1:]))}
    gates = {gate.name: number for number, gate in enumerate(manifest.gates)}
    rows = {**{key: t.row for key, t in taken.items()}, **derived.rows}
    return [rows[key] for key in sorted(rows, key=lambda key: (order[key[0]], gates[key[1]]))]


def keyed(manifest: RunManifest, taken: Iterable[Taken]) -> dict[tuple[str, str], Taken]:
    """Return rows of other runs by the reference and the gate that they stand for; the first of each."""
    found: dict[tuple[str, str], Taken] = {}
    references = {p[1:]: p.reference for p in pieces_of(manifest)}
    only = manifest.contexts[0].name
    for each in taken:
        row = each.row
        reference = references.get((row.case, row.repeat, row.factors.get("context", only)))
        if reference is not None and any(gate.name == row.gate for gate in manifest.gates):
            found.setdefault((reference, row.gate), each)
    return found


def head_of(store: Path, keys: Path | None) -> tuple[str, int, str]:
    """Return the name, size and root of the ledger in `store`."""
    trust = trust_in(store)
    with moment_of(store, keys_of(trust, keys)) as moment:
        note = moment.newest_checkpoint()
    if note is None:
        raise LedgerBroken(f"the ledger in {store} has no checkpoint; restore it from a copy")
    try:
        checkpoint = parse_checkpoint(note)
    except Malformed as error:
        raise LedgerBroken(f"the newest checkpoint in {store} cannot be read: {error}") from error
    return trust.origin, checkpoint.size, checkpoint.root.hex()
