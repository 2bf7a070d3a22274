"""Replay: feed the inputs of a ledger to the rules and demand the outputs that stand in it.

Restart, audit and every screen are this one function. Memory does not grow with the ledger: a packet's state is
dropped when it ends, unless its id is in `keep`.

A packet whose content was erased is replayed up to its first artifact: what came of that cannot be derived without the
manifest. From there on only signatures and authority are demanded, and the log must say later that it was erased.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from squads.contracts.artifact import Manifest
from squads.contracts.errors import LedgerBroken
from squads.contracts.records import ArtifactRecord, FinishRecord, PacketRecord
from squads.kernel import view as views
from squads.kernel.authority import may_sign
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.effects import Effect, Finish, Ignore, Record
from squads.kernel.funds import booked, reservation_of, settlement_of
from squads.kernel.receipts import Receipt, record_in
from squads.kernel.state import Attested, PacketState
from squads.kernel.step import step
from squads.kernel.view import View
from squads.ledger.errors import Malformed
from squads.ledger.types import KINDS


class Diverged(LedgerBroken):
    """The rules say something else than the ledger: a receipt was removed, added or moved."""


class Replay:
    """Folds receipts in the order of the log. `view` and `packets` are what is true behind the newest one."""

    def __init__(
        self, manifests: Callable[[str], Manifest | None], *, keep: Collection[str] = (), absent: bool = False
    ) -> None:
        """`manifests` gives manifests by digest; with `absent`, none is missed that nobody said was erased."""
        self.view: View | None = None
        self.packets: dict[str, PacketState] = {}
        self.balances: dict[str, Spend] = {}
        """How the accounts stand that packets share, as far as their packets were fed."""
        self.blind: dict[str, int] = {}
        """Packets that could not be replayed to their end, and the receipt whose manifest is not there."""
        self._absent = absent
        self._manifests = manifests
        self._keep = frozenset(keep)
        self._ended: set[bytes] = set()
        self._due: dict[str, list[PacketRecord]] = {}

    def feed(self, receipt: Receipt) -> None:
        """Fold one receipt. Raises `Diverged` or `LedgerBroken` with its index and what is wrong."""
        row = KINDS[receipt.kind]
        if row.stream == "workspace":
            self._workspace(receipt)
            return
        record = record_in(receipt)
        assert isinstance(record, PacketRecord)
        if record.packet in self.blind:
            self._unseen(receipt, record)
            return
        due = self._due.get(record.packet)
        if row.direction == "output":
            if not due or due[0] != record:
                expected = f"{due[0].kind!r}" if due else "nothing"
                raise Diverged(
                    f"receipt {receipt.seq} of packet {record.packet}: the rules give {expected} here, the ledger says "
                    f"{record.kind!r}; a receipt was removed, added or moved"
                )
            self._signed_by_runner(receipt)
            due.pop(0)
            if not due:
                del self._due[record.packet]
            return
        if due:
            raise Diverged(
                f"receipt {receipt.seq} of packet {record.packet}: the rules give a {due[0].kind!r} before it, "
                "which the ledger does not have"
            )
        self._input(receipt, record)

    def close(self) -> None:
        """Say that no receipt follows. Raises `Diverged` when outputs are missing at the end."""
        for packet, due in self._due.items():
            if due:
                raise Diverged(f"packet {packet}: the ledger ends before the {due[0].kind!r} that the rules give")
        for packet, seq in self.blind.items():
            if not self._absent and (self.view is None or packet not in self.view.erased):
                raise Diverged(
                    f"receipt {seq} of packet {packet}: there is no manifest under the digest that it names, and no "
                    "receipt says that the packet was erased: its content is lost, or something was removed"
                )

    def _workspace(self, receipt: Receipt) -> None:
        try:
            if receipt.kind == "log-open":
                if self.view is not None:
                    raise Diverged(f"receipt {receipt.seq} opens the log a second time")
                self.view = views.opened(receipt.predicate, receipt.keys)
                return
            view = self._current(receipt)
            if receipt.kind == "key-event":
                self.view = views.keyed(view, receipt.predicate, index=receipt.seq, signers=receipt.keys)
                return
        except Malformed as error:
            raise Diverged(f"receipt {receipt.seq} is no valid {receipt.kind}: {error}") from error
        record = record_in(receipt)
        after = views.admit(view, record, key=receipt.keys[0].hex(), time_ms=receipt.time_ms, index=receipt.seq)
        if isinstance(after, Ignore):
            raise Diverged(f"receipt {receipt.seq}: the rules ignore this {receipt.kind} ({after.reason})")
        self.view = after

    def _current(self, receipt: Receipt) -> View:
        if self.view is None:
            raise Diverged(f"receipt {receipt.seq} stands before the log was opened")
        return self.view

    def _signed_by_runner(self, receipt: Receipt) -> None:
        roles = self._current(receipt).roles_of(receipt.keys[0].hex())
        if len(receipt.keys) != 1 or "runner" not in roles:
            raise Diverged(f"receipt {receipt.seq}: an output that the runner did not sign")

    def _input(self, receipt: Receipt, record: PacketRecord) -> None:
        view = self._current(receipt)
        packet = bytes.fromhex(record.packet)
        if packet in self._ended:
            raise Diverged(f"receipt {receipt.seq}: packet {record.packet} had already ended")
        if len(receipt.keys) != 1:
            raise Diverged(f"receipt {receipt.seq}: an input is signed by exactly one key")
        event = self.attest(view, receipt, record)
        state, effects = step(view, self.packets.get(record.packet), event)
        # The rules need no manifest to see that a second answer contradicts the first one.
        lacking = isinstance(record, ArtifactRecord) and event.manifest is None
        if lacking and any(isinstance(effect, Ignore) for effect in effects):
            self.blind[record.packet] = receipt.seq
            self.packets.pop(record.packet, None)
            self._unseen(receipt, record)
            return
        for effect in effects:
            if isinstance(effect, Ignore):
                raise Diverged(
                    f"receipt {receipt.seq} of packet {record.packet}: the rules ignore this {record.kind} "
                    f"({effect.reason}); something before it was removed or moved"
                )
        assert state is not None
        before = self.packets.get(record.packet)
        reservation, settlement = reservation_of(before, state), settlement_of(before, state)
        changed = booked(reservation, settlement, lambda account: self.balances.get(account, NOTHING_SPENT))
        if changed is None:
            raise Diverged(f"receipt {receipt.seq}: packet {record.packet} was funded past the workspace's budget")
        self.balances.update(changed)
        self.packets[record.packet] = state
        if due := outputs(effects):
            self._due[record.packet] = due
        if state.ended and record.packet not in self._keep:
            del self.packets[record.packet]
            self._ended.add(packet)

    def _unseen(self, receipt: Receipt, record: PacketRecord) -> None:
        """Take a receipt that the rules cannot be asked about: who signed it had to be allowed to, and none follows."""
        view = self._current(receipt)
        packet = bytes.fromhex(record.packet)
        if packet in self._ended:
            raise Diverged(f"receipt {receipt.seq}: packet {record.packet} had already ended")
        if KINDS[receipt.kind].direction == "output":
            self._signed_by_runner(receipt)
        elif len(receipt.keys) != 1 or not may_sign(
            record.kind, view.roles_of(receipt.keys[0].hex()), view.grants, now_ms=receipt.time_ms
        ):
            raise Diverged(f"receipt {receipt.seq}: no authority to sign a {record.kind}")
        if isinstance(record, FinishRecord):
            self._ended.add(packet)

    def attest(self, view: View, receipt: Receipt, record: PacketRecord) -> Attested:
        """Return the event that a stored input was."""
        key = receipt.keys[0].hex()
        manifest = self._manifests(record.artifact) if isinstance(record, ArtifactRecord) else None
        return Attested(record, key, view.roles_of(key), receipt.digest, receipt.time_ms, manifest)


def outputs(effects: list[Effect]) -> list[PacketRecord]:
    """Return what a step has the runner append, in order."""
    return [e.record for e in effects if isinstance(e, (Record, Finish))]
