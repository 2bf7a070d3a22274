"""A workspace's own stream: keys, grants, policies and stops, read as one view and written to.

Every signature is checked when it is read, every receipt is folded once, and what the rules would refuse is never
appended: the log keeps for ever what it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from squads.contracts.errors import Conflict, Denied, InvalidInput, LedgerBroken
from squads.contracts.records import Record
from squads.kernel import view as views
from squads.kernel.effects import Ignore
from squads.kernel.ports import WORKSPACE, Clock, Entry, Ledger, Signer
from squads.kernel.receipts import Receipt, payload_of, record_in
from squads.kernel.view import View
from squads.ledger.errors import Malformed
from squads.ledger.statement import parse_statement
from squads.ledger.trust import Trust
from squads.signing import read_verified, signed_entry

FRESH_SECONDS = 0.1
"""How old the view may be when a role begins to work."""


class OwnStream:
    """The fold of one workspace's own stream, and the only way to add to it."""

    def __init__(self, ledger: Ledger, trust: Trust, clock: Clock) -> None:
        self.ledger = ledger
        self.trust = trust
        self.clock = clock
        self.id = trust.origin.split("/")[2]
        self._view: View | None = None
        self._time_floor = 0
        self._confirmed = 0.0

    @property
    def view(self) -> View:
        """What is true of the workspace as far as it was read. `refresh` reads on."""
        if self._view is None:
            raise LedgerBroken("the workspace was not opened; await workspace.found(...) first")
        return self._view

    def now_ms(self) -> int:
        """Return the time for the next leaf: the clock's, never before the newest leaf that was seen."""
        self._time_floor = max(self._time_floor, self.clock.now_ms())
        return self._time_floor

    def saw_time(self, time_ms: int) -> None:
        """Remember that the ledger holds a leaf of this time."""
        self._time_floor = max(self._time_floor, time_ms)

    async def confirm(self) -> None:
        """Make sure that the view was true within the last `FRESH_SECONDS`: stops of other processes are seen.

        Raises `LedgerError` when it cannot be read; whoever asks must take that for stopped.
        """
        if time.monotonic() - self._confirmed >= FRESH_SECONDS:
            await self.refresh()

    def confirmed(self) -> None:
        """Say that the ledger has just agreed to the view: an append that compares with it went through."""
        self._confirmed = time.monotonic()

    async def refresh(self) -> View | None:
        """Fold what was added to the workspace's stream; every signature is checked. None while the log is empty."""
        start = self._view.length if self._view else 0
        found = await self.ledger.read(WORKSPACE, start=start)
        for place, stored in enumerate(found, start):
            # Others may have read on while we waited: every receipt is folded once.
            if place == (self._view.length if self._view else 0):
                self._fold(read_verified(stored, self._view))
                self.saw_time(stored.time_ms)
        self.confirmed()
        return self._view

    async def append(self, said: Record | Callable[[], Record | None], signer: Signer, *content: bytes) -> bool:
        """Append a stop, lift, grant or policy; False where it says nothing new.

        What is said may be a function, asked with the view read on: None says nothing. Raises `Denied` for what the
        rules do not admit.
        """
        while True:
            await self.refresh()
            record = said() if callable(said) else said
            if record is None:
                return False
            entry = signed_entry(WORKSPACE, payload_of(record), signer)
            now = self.now_ms()
            after = views.admit(self.view, record, key=signer.key_id.hex(), time_ms=now)
            if isinstance(after, Ignore):
                if after.reason in ("already stopped", "nothing to lift"):
                    return False
                raise Denied(f"this {record.kind} has no effect: {after.reason}")
            if await self._appended([entry], now, content):
                return True

    async def append_events(self, events: Callable[[int], Sequence[Entry]]) -> int:
        """Append what `events` returns for the index that comes next, and return the size of the log behind it.

        It is asked again after somebody else wrote, with the view read on; an empty answer appends nothing. Raises
        `InvalidInput` for a key event that the log's own rules refuse.
        """
        while True:
            await self.refresh()
            index = (await self.ledger.head()).size
            entries = events(index)
            if not entries:
                return index
            self._check(entries, index)
            if await self._appended(entries, self.now_ms()):
                return self.view.index

    async def _appended(self, entries: Sequence[Entry], now: int, content: Sequence[bytes] = ()) -> bool:
        """Append and read on; False where somebody else was faster."""
        length = self._view.length if self._view else 0
        try:
            await self.ledger.append(entries, expect={WORKSPACE: length}, time_ms=now, content=content)
        except Conflict:
            self.saw_time((await self.ledger.head()).time_ms)
            return False
        await self.refresh()
        return True

    def _check(self, entries: Sequence[Entry], index: int) -> None:
        """Try key events on the view: what is appended can never be taken back."""
        view = self._view
        for seq, entry in enumerate(entries, index):
            predicate = parse_statement(entry.payload).predicate
            keys = tuple(key for key, _ in entry.signatures)
            try:
                view = (
                    views.opened(predicate, keys)
                    if view is None
                    else views.keyed(view, predicate, index=seq, signers=keys)
                )
            except Malformed as error:
                raise InvalidInput(f"the log would refuse this: {error}") from error

    def _fold(self, receipt: Receipt) -> None:
        try:
            if receipt.kind == "log-open":
                self._check_founder(receipt.predicate)
                self._view = views.opened(receipt.predicate, receipt.keys)
                return
            if receipt.kind == "key-event":
                self._view = views.keyed(self.view, receipt.predicate, index=receipt.seq, signers=receipt.keys)
                self._keys_changed(self._view)
                return
        except Malformed as error:
            raise LedgerBroken(f"receipt {receipt.seq} is no valid {receipt.kind}: {error}") from error
        record = record_in(receipt)
        after = views.admit(self.view, record, key=receipt.keys[0].hex(), time_ms=receipt.time_ms, index=receipt.seq)
        if isinstance(after, Ignore):
            raise LedgerBroken(f"receipt {receipt.seq}: the rules ignore this {receipt.kind} ({after.reason})")
        self._view = after

    def _keys_changed(self, view: View) -> None:
        """Notice that keys have begun or ended; whoever holds private keys looks at them again."""

    def _check_founder(self, predicate: Mapping[str, Any]) -> None:
        if self.trust.root_public_key.hex() not in predicate.get("root_public_keys", ()):
            raise LedgerBroken("this ledger was opened by another root than trust.json names; do not use it")
