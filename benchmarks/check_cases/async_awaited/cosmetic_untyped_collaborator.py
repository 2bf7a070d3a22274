import asyncio


class Turnstile:
    def __init__(self, log):
        self._log = log
        self._lock = asyncio.Lock()

    async def _record(self, card):
        async with self._lock:
            self._log.append(card)

    async def admit(self, card, cards):
        known = await cards.look_up(card)
        return known and self._record(card) is not None
