from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)

BATCH = 100


class ReportFailed(Exception):
    """Not all plays of the month are with the society."""


@dataclass(frozen=True)
class Play:
    isrc: str
    seconds: int


class Society(Protocol):
    def send(self, month: str, plays: Sequence[Play]) -> dict: ...

    def close(self) -> None: ...


def _batches(plays: Sequence[Play]) -> Iterator[Sequence[Play]]:
    for start in range(0, len(plays), BATCH):
        yield plays[start : start + BATCH]


class AirplayReporter:
    def __init__(self, society: Society) -> None:
        self._society = society

    def report(self, month: str, plays: Sequence[Play]) -> list[str]:
        """Return the receipts for all batches of a month."""
        try:
            return [self._one(month, batch) for batch in _batches(plays)]
        finally:
            # All is said by now; a line that breaks while hanging up changes nothing.
            with contextlib.suppress(OSError):
                self._society.close()

    def _one(self, month: str, batch: Sequence[Play]) -> str:
        answer = self._sent(month, batch)
        if answer["status"] != "accepted":
            raise ReportFailed(f"{month}: {answer['status']}")
        if answer["refused"]:
            raise ReportFailed(f"{month}: {len(answer['refused'])} lines refused")
        return answer["receipt"]

    def _sent(self, month: str, batch: Sequence[Play]) -> dict:
        try:
            return self._society.send(month, batch)
        except ConnectionError as error:
            log.info("once more after %s", error)
        try:
            return self._society.send(month, batch)
        except ConnectionError as error:
            raise ReportFailed(f"{month}: the society cannot be reached") from error
