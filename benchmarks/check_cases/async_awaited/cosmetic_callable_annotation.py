from collections.abc import Awaitable, Callable

Listener = Callable[[dict], Awaitable[None]]

class Bus:
    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def publish(self, event: dict) -> None:
        pending = [listener(event) for listener in self._listeners]
        assert len(pending) == len(self._listeners)
