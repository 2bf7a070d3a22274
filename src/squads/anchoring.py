"""Checkpoints on their way outside: how far each anchor is, who waits for it, and what it says when one starts.

Every anchor has a task of its own, so that one that is dead keeps no other from its checkpoints. The newest checkpoint
is put at most every interval, and at once where somebody waits. It must never call anything anchored that one of the
anchors does not hold yet, and never let anything be signed on a ledger that an anchor contradicts.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from squads.anchored_ledger import AnchoredLedger
from squads.comparing import Comparing
from squads.contracts.errors import (
    InvalidInput,
    LedgerBroken,
    LedgerError,
    NotAnchored,
    RollbackDetected,
    SquadsError,
)
from squads.kernel.ports import Anchor, Head, Ledger, Level
from squads.ledger.checkpoint import verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import VerifierKey

log = logging.getLogger("squads.anchors")

INTERVAL_SECONDS: Final = 10.0
"""How often the newest checkpoint goes outside: what is younger can be cut off unseen."""
WAIT_SECONDS: Final = 60.0
"""How long somebody waits until something is anchored."""
PUT_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 30.0
"""How long an anchor is asked what it holds."""
REST_SECONDS: Final = 5.0
"""How long the end of a process waits for its last checkpoint to be outside."""
BACKOFF_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far one anchor is behind the ledger, as far as this process knows."""

    name: str
    size: int
    """How many receipts its newest checkpoint covers."""
    entries: int
    """How many it does not cover yet; they could be cut off unseen."""
    milliseconds: int
    """For how long it has been behind; 0 where it is not."""
    compared: bool
    """True once what it holds was held against the ledger."""
    error: str
    """Why it could not be used the last time; empty where it could."""
    contradicts: bool = False
    """True where it holds a checkpoint that this ledger is behind, or of another history; nothing is signed then."""


@dataclass(slots=True)
class _Place:
    anchor: Anchor
    size: int = 0
    since: float | None = None
    """When the oldest receipt that it does not cover may have come; None where it covers all."""
    due: float = 0.0
    compared: bool = False
    error: str = ""
    contradicts: bool = False


@dataclass(slots=True)
class _Keeping:
    """What runs on one event loop."""

    loop: asyncio.AbstractEventLoop
    moved: list[asyncio.Event]
    hurry: list[asyncio.Event]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        before, self.changed = self.changed, asyncio.Event()
        before.set()


class Anchoring:
    """The anchors of one ledger.

    Args:
        ledger: The log whose checkpoints go outside.
        anchors: All of them have to hold what is called anchored. Without any nothing is, and nothing runs.
        log_key: Whose signature counts.
        interval_seconds: The least time between two checkpoints in an anchor, unless somebody waits.
        demanded: Says whether the workspace's policy lets nothing begin while an anchor cannot be asked.
        closes: Those of the anchors that nobody else closes.
        evidence: Keeps fork evidence, given its bytes and size, and returns where; None keeps none.
        monotonic: This process's own clock.
        sleep: How a failed attempt is waited after.
    """

    def __init__(
        self,
        ledger: Ledger,
        anchors: Sequence[Anchor] = (),
        *,
        log_key: VerifierKey,
        interval_seconds: float = INTERVAL_SECONDS,
        demanded: Callable[[], bool] = lambda: False,
        closes: Sequence[Anchor] = (),
        evidence: Callable[[bytes, int], str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inner = ledger
        self.anchors = tuple(anchors)
        self.ledger: Ledger = AnchoredLedger(ledger, before=self.compare, after=self.saw) if anchors else ledger
        """What is to be appended to: it takes nothing before it was compared with the anchors."""
        self._log_key = log_key
        self._interval = interval_seconds
        self._demanded = demanded
        self._closes = tuple(closes)
        self._comparing = Comparing(ledger, log_key, evidence)
        self._monotonic = monotonic
        self._sleep = sleep
        self._places = [_Place(anchor) for anchor in self.anchors]
        self._keeping: dict[int, _Keeping] = {}
        self._newest: Head | None = None
        """The newest checkpoint that this process signed."""
        self._size = 0
        """How long the ledger was when this process last saw it."""
        self._looked = False
        self._refusal: LedgerError | None = None
        """What an anchor says against this ledger: nothing is signed any more."""

    # What callers ask -------------------------------------------------------------------------------------------------

    def level_of(self, seq: int) -> Level:
        """Return how far the receipt at `seq` has come, one that stands in the ledger, as far as this process knows."""
        return "anchored" if self._places and all(place.size > seq for place in self._places) else "checkpointed"

    async def wait(self, size: int, *, timeout_seconds: float = WAIT_SECONDS) -> None:
        """Return when every anchor holds a checkpoint that covers the first `size` receipts.

        Raises `NotAnchored` where there is no anchor, or one stays away for so long; asking again is no error.
        """
        if not self._places:
            raise NotAnchored("this workspace has no anchor, and something waits for one: `squads anchors add URL`")
        if (length := (await self._inner.head()).size) < size:
            raise InvalidInput(f"the ledger has {length} receipts: no checkpoint covers {size}")
        keeping = self._here()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while any(place.size < size for place in self._places):
                    self._check()
                    changed = keeping.changed
                    for number, place in enumerate(self._places):
                        if place.size < size:
                            keeping.hurry[number].set()
                            keeping.moved[number].set()
                    await changed.wait()
                return
        late = [place for place in self._places if place.size < size]
        said = "; ".join(f"{place.anchor.name} ({place.error or 'no answer yet'})" for place in late)
        raise NotAnchored(
            f"{size} receipts are in the ledger, and not yet in every anchor after {timeout_seconds:g} s: {said}; "
            "nothing is lost: see to the anchor, and ask again"
        )

    def at_once(self) -> None:
        """Let the newest checkpoint go outside now, not at the end of the interval; nobody waits for it."""
        if self._places and self._newest is not None:
            keeping = self._here()
            for event in (*keeping.hurry, *keeping.moved):
                event.set()

    def saw(self, head: Head) -> None:
        """Take in that the ledger has grown; its newest checkpoint is on its way from here on."""
        # Two appends may be told of in another order than they happened.
        if self._newest is None or head.size > self._newest.size:
            self._newest = head
        self._size = max(self._size, head.size)
        if self._places:
            keeping, now = self._here(), self._monotonic()
            for place, moved in zip(self._places, keeping.moved, strict=True):
                if place.since is None:
                    place.since = now
                moved.set()

    def lag(self) -> tuple[Lag, ...]:
        """Return how far each anchor is behind."""
        now = self._monotonic()
        return tuple(
            Lag(
                name=place.anchor.name,
                size=place.size,
                entries=(entries := max(0, self._size - place.size)),
                milliseconds=round((now - place.since) * 1000) if entries and place.since is not None else 0,
                compared=place.compared,
                error=place.error,
                contradicts=place.contradicts,
            )
            for place in self._places
        )

    def metrics(self) -> str:
        """Return the lag as lines that a metrics server reads; nothing without anchors."""
        lags = [(lag.name.replace("\\", r"\\").replace('"', r"\""), lag) for lag in self.lag()]
        rows: tuple[tuple[str, str, Callable[[Lag], float]], ...] = (
            ("squads_anchor_lag_entries", "Receipts that no checkpoint in this anchor covers.", lambda a: a.entries),
            ("squads_anchor_lag_seconds", "For how long it has been behind.", lambda a: a.milliseconds / 1000),
            ("squads_anchor_reached", "1 where it could be used the last time.", lambda a: int(not a.error)),
        )
        lines = []
        for name, words, value in rows if lags else ():
            lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge"]
            lines += [f'{name}{{anchor="{label}"}} {value(lag)}' for label, lag in lags]
        return "".join(line + "\n" for line in lines)

    # What an anchor holds ---------------------------------------------------------------------------------------------

    async def compare(self) -> None:
        """Hold the ledger against the newest checkpoint in every anchor, once, before anything is signed.

        Raises `RollbackDetected` or `LedgerBroken`, then and for ever; and where an anchor cannot be asked
        `NotAnchored` if the policy demands it, else that anchor is compared as soon as it can be.
        """
        self._check()
        if self._looked or not self._places:
            return
        await asyncio.gather(*(self._try_compare(place) for place in self._places if not place.compared))
        self._check()
        missing = [place for place in self._places if not place.compared]
        if missing and self._demanded():
            said = "; ".join(f"{place.anchor.name} ({place.error})" for place in missing)
            raise NotAnchored(
                f"the ledger could not be compared with {said}, and this workspace's policy lets nothing begin "
                "without: see to the anchor, and start again"
            )
        for place in missing:
            log.warning("not compared with the anchor %s: %s", place.anchor.name, place.error)
        self._looked = True

    async def look(self) -> tuple[Lag, ...]:
        """Return how far each anchor is behind, after asking those that were not asked yet; raises nothing."""
        await asyncio.gather(*(self._try_compare(place) for place in self._places if not place.compared))
        return self.lag()

    async def notes(self, *, since: int = 0) -> dict[str, list[str]]:
        """Return the notes of this log in each anchor by its name, verified, fewest receipts first.

        Raises `StorageUnavailable` where one cannot be asked.
        """
        return {
            anchor.name: [note for note, _ in await self._comparing.genuine(anchor, since)] for anchor in self.anchors
        }

    async def _try_compare(self, place: _Place) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._compare(place)
        except (RollbackDetected, LedgerBroken) as error:
            self._refuse(place, error)
        except Exception as error:  # also what an anchor of somebody's own raises: it is only that anchor's
            place.error = _said(error)

    async def _compare(self, place: _Place) -> None:
        covered, size = await self._comparing.compared(place.anchor)
        place.size, self._size = max(place.size, covered), max(self._size, size)
        place.since = None if place.size >= size else self._monotonic()
        place.compared, place.error = True, ""

    # What goes outside ------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._refusal is not None:
            raise type(self._refusal)(str(self._refusal))

    def _refuse(self, place: _Place, error: LedgerError) -> None:
        self._refusal, place.error, place.contradicts = error, str(error), True

    def _here(self) -> _Keeping:
        """Return what runs on this event loop, started when it is first asked for."""
        loop = asyncio.get_running_loop()
        keeping = self._keeping.get(id(loop))
        if keeping is None or keeping.loop is not loop:
            count = len(self._places)
            keeping = _Keeping(loop, [asyncio.Event() for _ in range(count)], [asyncio.Event() for _ in range(count)])
            self._keeping = {key: k for key, k in self._keeping.items() if not k.loop.is_closed()}
            self._keeping[id(loop)] = keeping
            keeping.tasks = [
                loop.create_task(self._keep(keeping, place, keeping.moved[number], keeping.hurry[number]))
                for number, place in enumerate(self._places)
            ]
        return keeping

    async def _keep(self, keeping: _Keeping, place: _Place, moved: asyncio.Event, hurry: asyncio.Event) -> None:
        """Put what is newest into one anchor, for as long as there is somebody to do it for."""
        from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

        while self._refusal is None:
            await moved.wait()
            moved.clear()
            if (pause := place.due - self._monotonic()) > 0:
                # Not `wait_for`: where the event comes at the very moment of a cancellation, that would swallow it.
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await hurry.wait()
            hurry.clear()
            async for attempt in AsyncRetrying(
                wait=wait_random_exponential(multiplier=0.5, max=BACKOFF_SECONDS_MAX),
                retry=retry_if_exception_type(Exception),  # and never on a cancellation
                sleep=self._sleep,
                reraise=True,
            ):
                with attempt:
                    try:
                        await self._put(place)
                    except (RollbackDetected, LedgerBroken) as error:
                        self._refuse(place, error)
                        log.error("nothing more is signed: %s", error)
                        keeping.wake()
                        return
                    except Exception as error:
                        self._say_failed(place, error)
                        raise
            keeping.wake()

    async def _put(self, place: _Place) -> None:
        """Bring one anchor to the ledger's newest checkpoint."""
        async with asyncio.timeout(PUT_SECONDS + (0 if place.compared else LOOK_SECONDS)):
            if not place.compared:
                await self._compare(place)
            began = self._monotonic()
            head = await self._head()
            if head.size > place.size:
                await place.anchor.put(head.checkpoint)
                place.size = max(place.size, head.size)
        if place.error:
            log.warning("the anchor %s can be used again", place.anchor.name)
        place.error = ""
        place.due = self._monotonic() + self._interval
        place.since = began if self._size > place.size else None

    async def _head(self) -> Head:
        """Return the newest checkpoint that the log's key signed: the ledger's, else the last one of this process."""
        head = await self._inner.head()
        self._size = max(self._size, head.size)
        try:
            verify_checkpoint(head.checkpoint, self._log_key)
        except Malformed:
            return self._newest or head
        return head if self._newest is None or head.size >= self._newest.size else self._newest

    def _say_failed(self, place: _Place, error: Exception) -> None:
        said = _said(error)
        if said != place.error:
            log.warning("the anchor %s holds no newer checkpoint: %s", place.anchor.name, said)
        place.error = said

    # The end ----------------------------------------------------------------------------------------------------------

    async def rest(self, *, timeout_seconds: float = REST_SECONDS) -> None:
        """Let this process's last checkpoint out, for so long at most, and end what runs on this event loop."""
        try:
            if self._newest is not None and self._places and self._refusal is None:
                await self.wait(self._newest.size, timeout_seconds=timeout_seconds)
        except SquadsError as error:
            log.warning("%s", error)
        finally:
            keeping = self._keeping.pop(id(asyncio.get_running_loop()), None)
            if keeping is not None:
                for task in keeping.tasks:
                    task.cancel()
                await asyncio.gather(*keeping.tasks, return_exceptions=True)

    async def close(self) -> None:
        """Rest, and close the anchors that are this one's own. Closing twice is no error."""
        await self.rest()
        for anchor in self._closes:
            await anchor.close()


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return str(error) if isinstance(error, SquadsError) else f"{type(error).__name__}: {error}"
