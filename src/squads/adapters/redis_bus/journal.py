"""What was paid for, where every host of a role finds it: steps in a hash for each request, on the bus's server.

A role's steps lie under its name, so that the access rules can keep other roles out. That is no proof of who wrote
them: put a `SealedJournal` on top. It must never replace a step: what was
put first is what everybody gets, also when two hosts answer the same request at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from squads.adapters.journal_rows import TURN_MAX, is_name, key_of
from squads.adapters.redis_bus.lines import Argument
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names, quoted
from squads.contracts.errors import BusError, InvalidInput, StorageUnavailable
from squads.contracts.thinking import Step
from squads.kernel.model_ports import STEP_BYTES_MAX

_TRIES_MAX: Final = 5


class RedisJournal:
    """A `Journal` under `step:<role>:<request>` of one workspace; as durable as the server is told to be.

    Args:
        link: The server.
        workspace: The workspace's id.
        role: The name of the role whose requests they are.
        keep_seconds: How long a request's steps stay after the last of them was put; None keeps them until they are
            erased. `squads.adapters.redis_bus.blobs.KEEP_SECONDS` is long enough for any request.
    """

    def __init__(self, link: Link, workspace: str, role: str, *, keep_seconds: int | None = None) -> None:
        if keep_seconds is not None and keep_seconds < 1:
            raise InvalidInput(f"steps cannot be kept for {keep_seconds} s; give at least 1, or None")
        self._link = link
        self._names = Names(workspace)
        self._role = quoted(role)
        self._keep_seconds = keep_seconds
        self._putting: dict[asyncio.Task[Step], str] = {}
        """What is being written, and for which request."""

    async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
        """Return the step of request `about` for exactly this input, or None. Raises `StorageUnavailable`."""
        if not (is_name(about) and 1 <= turn <= TURN_MAX):
            return None
        if writing := [task for task, request in self._putting.items() if request == about]:
            await asyncio.wait(writing)  # by somebody who was cancelled, perhaps: it was paid for
        payload = await self._payload(about, _field(kind, digest, turn))
        if payload is None:
            return None
        # Kind and input are what was asked for: what stands in the field decides nothing but the payload.
        return Step.model_construct(kind=cast("Any", kind), input=digest, turn=turn, payload=payload)

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        """Keep a step unless there is one for its kind, input and turn; return the one that is kept.

        It is written also when who waits for it is cancelled. Raises `InvalidInput` and `StorageUnavailable`.
        """
        key_of(about, step)
        task = asyncio.create_task(self._put(about, step))
        self._putting[task] = about
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def erase(self, about: str) -> int:
        """Remove a request's steps; return how many there were. Raises `StorageUnavailable`."""
        if not is_name(about):
            return 0
        key = self._key(about)
        with _translated(about):
            return int((await self._link.calls([("HLEN", key), ("UNLINK", key)]))[0])

    def _key(self, about: str) -> str:
        return self._names.step(f"{self._role}:{about}")

    def _done(self, task: asyncio.Task[Step]) -> None:
        del self._putting[task]
        if not task.cancelled():
            task.exception()  # nobody may be left to hear of it

    async def _put(self, about: str, step: Step) -> Step:
        key, field = self._key(about), _field(step.kind, step.input, step.turn)
        commands: list[tuple[Argument, ...]] = [("HSETNX", key, field, step.payload)]
        if self._keep_seconds is not None:
            commands.append(("EXPIRE", key, self._keep_seconds))
        for _ in range(_TRIES_MAX):
            with _translated(about):
                is_new = (await self._link.calls(commands))[0]
            if is_new:
                return step
            payload = await self._payload(about, field)
            if payload is not None:
                return step.but(payload=payload)
            # Erased between the two: there is room for this one now.
        raise StorageUnavailable(
            f"a step of request {about[:12]} could not be kept: it was erased {_TRIES_MAX} times while it was written; "
            "see who erases what is being answered"
        )

    async def _payload(self, about: str, field: str) -> bytes | None:
        # The size first, since a hash cannot be read in part: what stands there may be anybody's.
        key = self._key(about)
        with _translated(about):
            size_bytes = await self._link.call("HSTRLEN", key, field)
            if size_bytes > STEP_BYTES_MAX:
                raise StorageUnavailable(
                    f"what stands as a step of request {about[:12]} has {size_bytes:,} bytes, and no step has more "
                    f"than {STEP_BYTES_MAX:,}: somebody else wrote it; erase {key}"
                )
            return cast("bytes | None", await self._link.call("HGET", key, field))


def _field(kind: str, digest: str, turn: int) -> str:
    # As JSON, so that no two steps share a name whatever stands in their words.
    return json.dumps([kind, digest, turn], separators=(",", ":"))


@contextmanager
def _translated(about: str) -> Iterator[None]:
    try:
        yield
    except BusError as error:
        raise StorageUnavailable(f"the steps of request {about[:12]} cannot be reached: {error}") from error
