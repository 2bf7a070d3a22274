"""Gives each request a mind of its own: the squad's models, the request's journal, and the allowance it was given.

A fresh one per request, so nothing that a role was told or has spent in one reading reaches another.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from squads.contracts.messages import RoleRequest
from squads.contracts.records import RoleRecord
from squads.contracts.thinking import Progress, UnsafeText
from squads.kernel.model_ports import UNTRACED, Journal, Model, ModelCall, Sandbox, Trace
from squads.kernel.ports import BlobStore
from squads.minds.meter import AnswerMeter
from squads.minds.mind import BoundMind

log = logging.getLogger("squads.minding")
Watch = Callable[[Progress | UnsafeText], None]


class Watchers:
    """Who watches which packet. Text goes to those alone who asked for it by its ugly name."""

    def __init__(self) -> None:
        self._progress: dict[str, Callable[[Progress], None]] = {}
        self._text: dict[str, Callable[[UnsafeText], None]] = {}

    def add(
        self, packet: str, watch: Callable[[Progress], None] | None, text: Callable[[UnsafeText], None] | None
    ) -> None:
        """Tell `watch` what happens inside the turns of a packet's roles, and `text` what their models write."""
        if watch is not None:
            self._progress[packet] = watch
        if text is not None:
            self._text[packet] = text

    def drop(self, packet: str) -> None:
        """Tell nobody of a packet any more."""
        self._progress.pop(packet, None)
        self._text.pop(packet, None)

    def any(self, packet: str) -> bool:
        """Say whether anybody watches a packet; who begins to later is told of requests that begin after that."""
        return packet in self._progress or packet in self._text

    def text(self, packet: str) -> bool:
        """Say whether anybody takes this packet's text before its verdicts."""
        return packet in self._text

    def tell(self, happened: Progress | UnsafeText) -> None:
        """Pass on what happened. What a watcher raises is logged: it watches, and must not end anybody's work."""
        try:
            if isinstance(happened, UnsafeText):
                if (text := self._text.get(happened.packet)) is not None:
                    text(happened)
            elif (watch := self._progress.get(happened.packet)) is not None:
                watch(happened)
        except Exception:
            log.warning("what watches packet %s failed", happened.packet, exc_info=True)


class Minding:
    """Makes minds for the roles of one worker.

    Args:
        model: Asks models; None where no role has one.
        roles: Each role's record by name: what one answer may cost stands there.
        journal: Where what was paid for is kept; a function returns it for a role's name.
        sandbox: Where commands of tools run; None runs none.
        watch: Told of progress.
        watched: Says of a packet whether anybody is told; where nobody is, nothing is put into words.
        text: Says of a packet whether text is handed to `watch` before any verdict on it.
    """

    def __init__(
        self,
        model: Model | None,
        roles: Mapping[str, RoleRecord],
        *,
        journal: Journal | Callable[[str], Journal],
        blobs: BlobStore,
        sandbox: Sandbox | None = None,
        watch: Watch | None = None,
        watched: Callable[[str], bool] = lambda _: True,
        text: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._model = model
        self._roles = roles
        self._journal = journal
        self._blobs = blobs
        self._sandbox = sandbox
        self._watch = watch
        self._watched = watched
        self._text = text

    def mind(self, name: str, about: str, request: RoleRequest, trace: Trace = UNTRACED) -> BoundMind:
        """Return the mind with which role `name` answers one request; `trace` is told what happens in it."""
        record = self._roles[name]
        meter = AnswerMeter(
            tokens_max=record.call_tokens_max,
            cost_microusd_max=record.call_microusd_max or None,
            wait_ms_max=record.call_ms_max or None,
        )
        call = ModelCall(
            about=about,
            packet=request.packet,
            role=name,
            journal=self._journal(name) if callable(self._journal) else self._journal,
            meter=meter,
            blobs=self._blobs,
            watch=self._watch if self._watched(request.packet) else None,
            text=self._text(request.packet),
            trace=trace,
        )
        return BoundMind(self._model, call, sandbox=self._sandbox)
