"""Time and chance as the operating system has them."""

from __future__ import annotations

import os
import time


class SystemClock:
    """The wall clock, never going backwards within this process."""

    def __init__(self) -> None:
        self._last_ms = 0

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        self._last_ms = max(self._last_ms, time.time_ns() // 1_000_000)
        return self._last_ms


def system_entropy(size: int, /) -> bytes:
    """Return `size` unpredictable bytes."""
    return os.urandom(size)
