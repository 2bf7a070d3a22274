"""Time, chance and keys that a test holds in its hand. Never for anything that is kept: everybody knows these keys."""

from __future__ import annotations

from hashlib import sha256

from squads.adapters.keys import InProcessSigner
from squads.kernel.ports import Entropy

START_MS = 1_800_000_000_000
"""Where a `FixedClock` starts unless it is told otherwise: some moment in January 2027."""


class FixedClock:
    """A clock that stands still until it is moved.

    Deadlines are handed in by the runner when it looks at the clock; after `advance`, await `runner.tick()` or let
    the next message do it.
    """

    def __init__(self, start_ms: int = START_MS) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return self._now_ms

    def advance(self, ms: int) -> int:
        """Move on by `ms` and return the new time. Raises `ValueError` for a step back: no clock of ours goes back."""
        if ms < 0:
            raise ValueError(f"a clock does not go back by {-ms} ms")
        self._now_ms += ms
        return self._now_ms


def seeded_entropy(seed: int | str) -> Entropy:
    """Return a source of chance that gives the same bytes for the same seed, in the same order."""
    return _Seeded(str(seed)).take


class FixedSigner(InProcessSigner):
    """A signer whose key follows from a word: the same word is the same key, on every machine."""

    __slots__ = ()

    def __init__(self, word: str = "test") -> None:
        super().__init__(sha256(f"squads.testing/signer\n{word}".encode()).digest())


class _Seeded:
    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def take(self, size: int, /) -> bytes:
        made = b""
        while len(made) < size:
            made += sha256(f"squads.testing/entropy\n{self._seed}\n{self._count}".encode()).digest()
            self._count += 1
        return made[:size]
