import time
from collections.abc import Callable


class Meter:
    """Coins buy time, one after the other; a little grace comes on top."""

    def __init__(
        self, coin_seconds: float = 360, grace_seconds: float = 300, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._coin_seconds = coin_seconds
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._until = 0.0

    def insert(self, coins: int) -> None:
        if coins < 1:
            raise ValueError("no coins")
        self._until = max(self._until, self._clock()) + coins * self._coin_seconds

    def expired(self) -> bool:
        return self._clock() > self._until

    def to_be_fined(self) -> bool:
        return self._clock() > self._until + self._grace_seconds
