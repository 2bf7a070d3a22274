from typing import Protocol


class Outbox(Protocol):
    async def publish(self, topic: str, body: dict) -> None: ...


class Shipping:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def dispatch(self, order) -> None:
        order.dispatched = True
        self._outbox.publish("orders.dispatched", {"id": order.id})
