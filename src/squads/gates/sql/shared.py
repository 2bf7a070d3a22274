"""Work that several checks need, done once: what was made last is kept, within a bound, and shared between threads.

Checks of one squad read the same artifact at the same time. The first one does the work and the others wait for it; a
failure is kept as well, so that all of them say the same. Nothing kept is ever changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from squads.gates.check import CannotLook

Made = TypeVar("Made")


class _Place(Generic[Made]):
    """Where one result will be; whoever holds the lock makes it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: list[Made] = []
        self.reason: str | None = None


class Shared(Generic[Made]):
    """Results by key, the latest `entries_max` of them."""

    def __init__(self, *, entries_max: int) -> None:
        self._entries_max = entries_max
        self._lock = threading.Lock()
        self._places: OrderedDict[Hashable, _Place[Made]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` gave for `key`, calling it only if that is not kept. Raises its `CannotLook` each time."""
        with self._lock:
            place = self._places.setdefault(key, _Place())
            self._places.move_to_end(key)
            while len(self._places) > self._entries_max:
                self._places.popitem(last=False)
        with place.lock:
            if place.reason is not None:
                raise CannotLook(place.reason)
            if not place.made:
                try:
                    place.made.append(make())
                except CannotLook as error:
                    place.reason = str(error)
                    raise
            return place.made[0]

    def __len__(self) -> int:
        return len(self._places)
