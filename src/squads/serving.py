"""Serving a workspace: every open packet that fits this squad and that nobody holds is taken up, until it has ended.

A packet that was opened with other roles than this squad has is left alone: its roles would be asked of nobody here.
So is one that a living process holds; should that die, its packets are taken up from here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from squads.contracts.errors import LedgerBroken, LedgerError, SquadsError
from squads.contracts.records import Opened, RoleRecord
from squads.kernel.receipts import receipt_of, record_in
from squads.lane import Lane, Listener
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.session import Session

log = logging.getLogger("squads.serve")
SERVE_SECONDS = 2.0
"""How often a serving squad looks for packets to take up."""


class Serving:
    """Takes up the packets of one workspace.

    Args:
        roles: What each role of this squad brings, by name: the packets that were opened with exactly those fit.
    """

    def __init__(
        self, session: Session, roles: Mapping[str, RoleRecord], *, look_seconds: float = SERVE_SECONDS
    ) -> None:
        self._session = session
        self._roles = roles
        self._look_seconds = look_seconds
        self._read = 0
        """How many receipts of the log were read."""
        self._open: set[str] = set()
        """Open packets that fit."""
        self._lanes: dict[str, Lane] = {}
        """Those that are held, or followed, here."""
        self._happened = asyncio.Event()
        self._failed: dict[str, str] = {}
        """What was last said of a packet that failed, so that it is said once."""
        self._halted: set[str] = set()
        """Packets held here that were stopped when last looked at."""

    async def until(self, end: asyncio.Event | None = None) -> None:
        """Serve until the event is set, or for ever."""
        ended = asyncio.create_task(end.wait()) if end is not None else None
        try:
            while end is None or not end.is_set():
                try:
                    await self.look()
                except LedgerError as error:
                    log.warning("cannot look for packets: %s", error)
                await self._pause(ended)
        finally:
            if ended is not None:
                ended.cancel()
                await asyncio.gather(ended, return_exceptions=True)

    async def look(self) -> None:
        """Take up what nobody holds, and say what has ended."""
        self._happened.clear()
        await self._read_on()
        workspace, holding = self._session.workspace, self._session.runner.holding
        await workspace.refresh()
        for packet in sorted(self._open):
            lane = self._lanes.get(packet)
            if lane is not None and lane.state is not None and lane.state.finish is not None:
                self._done(packet, lane.state.finish.reason)
            elif workspace.view.stopped(packet):
                self._halted.add(packet)
            elif lane and not lane.failure and packet not in self._halted:
                continue
            elif await holding.other(packet) is None:  # resuming asks as well, and folds the packet each time
                self._halted.discard(packet)
                await self._take_up(packet)

    async def _take_up(self, packet: str) -> None:
        try:
            lane = await self._session.runner.resume(packet, listener=self._listener(packet))
        except SquadsError as error:
            self._say_failed(packet, error)
            return
        if lane.failure is not None:
            self._say_failed(packet, lane.failure)
        if lane.lease is not None and packet not in self._lanes:
            log.info("packet %s: taken up", packet)
        if lane.lease is not None or (lane.state is not None and lane.state.ended):
            self._lanes[packet] = lane

    def _listener(self, packet: str) -> Listener | None:
        return None if packet in self._lanes else lambda record: self._happened.set() if record is None else None

    def _done(self, packet: str, reason: str) -> None:
        log.info("packet %s: ended: %s", packet, reason)
        self._session.runner.forget(self._lanes.pop(packet))
        self._open.discard(packet)
        self._failed.pop(packet, None)

    def _say_failed(self, packet: str, error: Exception) -> None:
        if self._failed.get(packet) != str(error):
            self._failed[packet] = str(error)
            log.warning("packet %s: %s", packet, error)

    async def _read_on(self) -> None:
        """Read what was added to the log: which packets were opened, with which roles, and which have ended."""
        strange: dict[str, str] = {}
        async for seq, leaf, _ in self._session.workspace.ledger.scan(start=self._read):
            try:
                decoded = decode_leaf(leaf)
            except Malformed as error:
                raise LedgerBroken(f"receipt {seq} cannot be read: {error}; run `squads verify`") from error
            receipt = receipt_of(seq, decoded.payload_type, decoded.payload, (), decoded.time_ms)
            packet = str(receipt.predicate.get("packet") or "")
            if receipt.kind == "opened":
                opened = record_in(receipt)
                assert isinstance(opened, Opened)
                others = [role.name for role in opened.roles if self._roles.get(role.name) != role]
                if others:
                    strange[packet] = others[0]
                else:
                    self._open.add(packet)
            elif receipt.kind == "finish":
                strange.pop(packet, None)
                if packet not in self._lanes:
                    self._open.discard(packet)
            self._read = seq + 1
        for packet, role in strange.items():
            log.info("packet %s: left alone: it was opened with another %s than this squad has", packet, role)

    async def _pause(self, ended: asyncio.Task[bool] | None) -> None:
        """Wait for the next look: a while, or until something has happened to a packet here."""
        happened = asyncio.create_task(self._happened.wait())
        try:
            watched = [task for task in (happened, ended) if task is not None]
            await asyncio.wait(watched, timeout=self._look_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            happened.cancel()
            await asyncio.gather(happened, return_exceptions=True)
