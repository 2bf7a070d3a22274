import asyncio


class Turnstile:
    def __init__(self, log):
        self._log = log
        self._lock = asyncio.Lock()

    def _record(self, card):
        self._log.append(card)

    async def admit(self, card, cards):
        known = await cards.look_up(card)
        async with self._lock:
            if known:
                self._record(card)
        return known
