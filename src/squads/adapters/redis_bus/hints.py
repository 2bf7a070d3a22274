"""Hints: what may be lost, because what it says stands elsewhere or matters to nobody but a watching eye.

One stream per workspace, cut at some ten thousand, read by everybody from where they began. Anybody with access to the
server may have written a hint, so it is bounded and checked, and what is odd is dropped without a word. A hint must
never decide anything, and nothing here raises into work: not a server that is gone, not a listener that breaks.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.reader import Reader
from squads.contracts.errors import BusClosed, BusError
from squads.contracts.roster import LookAgain
from squads.contracts.thinking import Progress

log = logging.getLogger("squads.hints")

Hint = Progress | LookAgain
HINTS_MAX: Final = 10_000
"""About how many are kept on the server."""
HINT_BYTES_MAX: Final = 2_048
COUNT: Final = 200
BLOCK_MS: Final = 2_000
PAUSE_SECONDS_MAX: Final = 5.0
_FIELD: Final = b"h"
_HINT: Final[TypeAdapter[Hint]] = TypeAdapter(Annotated[Hint, Field(discriminator="kind")])
_INTEGER_MAX: Final = 2**53 - 1
_PACKET: Final = re.compile(r"[0-9a-f]{32}")
_ROLE: Final = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_WORD_CHARS_MAX: Final = 200


class Hints:
    """The stream of hints of one workspace."""

    def __init__(self, link: Link, workspace: str) -> None:
        self._link = link
        self._key = Names(workspace).events

    async def publish(self, hint: Hint) -> None:
        """Tell everybody who listens now. Whether it arrived, nobody learns."""
        raw = hint.model_dump_json().encode(errors="replace")
        if len(raw) > HINT_BYTES_MAX:
            return
        try:
            await self._link.call("XADD", self._key, "MAXLEN", "~", HINTS_MAX, "*", _FIELD, raw)
        except BusError as error:
            log.debug("a hint was lost: %s", error)
        except Exception:
            log.debug("a hint was lost", exc_info=True)

    async def listen(self, callback: Callable[[Hint], object]) -> None:
        """Hand every hint that is published from now on to `callback`, until this is cancelled or the link is closed.

        The callback runs on the event loop and must return at once; what it raises is logged.
        """
        reader = self._link.reader()
        cursor, pause = "", 0.0
        try:
            while True:
                try:
                    cursor = cursor or await self._newest()
                    cursor = await self._read(reader, cursor, callback)
                    pause = 0.0
                except BusClosed:
                    return
                except Exception as error:
                    log.debug("hints cannot be read: %s", error)
                    pause = min(PAUSE_SECONDS_MAX, pause * 2 or 0.1)
                    await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
        finally:
            await reader.close()

    async def _newest(self) -> str:
        # Not `$`: it would mean another place with every read, and what comes between two reads would be missed.
        found = await self._link.call("XREVRANGE", self._key, "+", "-", "COUNT", 1)
        return bytes(found[0][0]).decode() if found else "0-0"

    async def _read(self, reader: Reader, cursor: str, callback: Callable[[Hint], object]) -> str:
        for _, entries in await reader.xread({self._key: cursor}, count=COUNT, block_ms=BLOCK_MS):
            for identity, fields in entries:
                cursor = identity
                hint = hint_in(fields.get(_FIELD, b""))
                if hint is None:
                    continue
                try:
                    callback(hint)
                except Exception:
                    log.warning("what listens to hints failed", exc_info=True)
        return cursor


def hint_in(raw: bytes) -> Hint | None:
    """Return the hint in what somebody wrote; None for anything odd."""
    if len(raw) > HINT_BYTES_MAX:
        return None
    try:
        hint = _HINT.validate_json(raw, strict=True)
    except (ValidationError, ValueError, RecursionError):
        return None
    return hint if isinstance(hint, LookAgain) or _is_plain(hint) else None


def _is_plain(progress: Progress) -> bool:
    """Say whether every part of a progress is what a worker of ours would write, and shows as what it is."""
    return (
        _PACKET.fullmatch(progress.packet) is not None
        and _ROLE.fullmatch(progress.role) is not None
        and all(len(word) <= _WORD_CHARS_MAX and word.isprintable() for word in (progress.model, progress.tool))
        and all(0 <= number <= _INTEGER_MAX for number in (progress.tokens, progress.wait_ms))
    )
