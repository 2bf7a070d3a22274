from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Alarm = Callable[[str, str], Awaitable[None]]

HOUR = 3600
SUDDEN_KG = 8.0


@dataclass(frozen=True)
class Reading:
    hive: str
    at: int
    kilograms: float


@dataclass
class _Hive:
    recent: deque[Reading] = field(default_factory=lambda: deque(maxlen=6))
    alarmed_at: int | None = None


class HiveWatch:
    """Tells keepers when a hive loses weight faster than bees can carry."""

    def __init__(self, alarm: Alarm, *, quiet: Callable[[int], bool] = lambda at: False) -> None:
        self._alarm = alarm
        self._quiet = quiet
        self._hives: dict[str, _Hive] = {}
        self._lock = asyncio.Lock()

    async def feed(self, reading: Reading) -> None:
        async with self._lock:
            hive = self._hives.setdefault(reading.hive, _Hive())
            heaviest = max((r.kilograms for r in hive.recent), default=reading.kilograms)
            hive.recent.append(reading)
            lost = heaviest - reading.kilograms
            if lost < SUDDEN_KG or self._quiet(reading.at):
                return
            if hive.alarmed_at is not None and reading.at - hive.alarmed_at < HOUR:
                return
            hive.alarmed_at = reading.at
        await self._tell(reading.hive, lost)

    async def _tell(self, hive: str, lost: float) -> None:
        async with asyncio.timeout(20):
            await self._message(hive, lost)

    async def _message(self, hive: str, lost: float) -> Awaitable[None]:
        text = f"{hive} lost {lost:.1f} kg"
        return self._alarm(hive, text)
