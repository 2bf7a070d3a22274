"""A mind: what one role thinks with while it works on one request, bound to that request's journal and allowance."""

from __future__ import annotations

import asyncio

from squads.contracts.errors import InvalidModel
from squads.contracts.finding import Usage
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.kernel.model_ports import Model, ModelCall, Sandbox


class BoundMind:
    """Asks models on behalf of one request, and remembers which one answered.

    It ends with the answer. A role that keeps it gets nothing more out of it: what it spent then, nobody had reserved,
    and no record would say.
    """

    def __init__(self, model: Model | None, call: ModelCall, *, sandbox: Sandbox | None = None) -> None:
        self._model = model
        self._call = call
        self._sandbox = sandbox
        self._answered: set[str] = set()
        self._asking: set[asyncio.Task[ModelReply]] = set()
        self._ended = False

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Return the filled form.

        Raises a `ModelError`, or `InvalidModel` where this squad has no models or the request was answered already.
        """
        if self._ended:
            raise InvalidModel(
                f"{self._call.role!r} asks a model after it answered; a mind serves one piece of work, so ask before "
                "you return, and keep no `work.mind`"
            )
        if self._model is None:
            raise InvalidModel(f"{self._call.role!r} asks a model and its squad has none; give Squad(models=...)")
        asking = asyncio.ensure_future(self._model.ask(request, self._call))
        self._asking.add(asking)
        try:
            reply = await asking
        finally:
            self._asking.discard(asking)
        self._answered.add(reply.model)
        return reply

    async def end(self) -> None:
        """Refuse to ask from now on, and cancel what a role left behind: `usage` is final when this returns."""
        self._ended = True
        left = tuple(self._asking)
        for asking in left:
            asking.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def asking(self) -> int:
        """How many requests are under way now."""
        return len(self._asking)

    @property
    def answered_by(self) -> str | None:
        """The model that answered; None where none was asked, or several were."""
        return next(iter(self._answered)) if len(self._answered) == 1 else None

    @property
    def sandbox(self) -> Sandbox | None:
        """Where commands of tools run; None where there is none."""
        return self._sandbox

    @property
    def usage(self) -> Usage:
        """What was spent on this request so far."""
        return self._call.meter.usage
