"""The plan of a day of rehearsals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

PAUSE = timedelta(minutes=20)


@dataclass(frozen=True)
class Slot:
    work: str
    begins: datetime
    ends: datetime


def _on_the_grid(moment: datetime) -> datetime:
    """Round up to five minutes, so that plans with any length of pause are easy to read."""
    return moment + timedelta(minutes=-moment.minute % 5)


def plan_day(
    begins: datetime, works: list[tuple[str, int]], *, pause_minutes: int | None = None
) -> list[Slot]:
    """Return the slots of a day: each work with its minutes, and a pause between two of them."""
    pause = PAUSE if pause_minutes is None else timedelta(minutes=pause_minutes)
    slots = []
    for work, minutes in works:
        ends = begins + timedelta(minutes=minutes)
        slots.append(Slot(work, begins, ends))
        begins = _on_the_grid(ends + pause)
    return slots
