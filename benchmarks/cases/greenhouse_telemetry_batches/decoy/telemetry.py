import asyncio
import logging

log = logging.getLogger("telemetry")


class Batcher:
    """Collects readings for one uplink; belongs to the event loop it is used in."""

    def __init__(self, uplink, size=50, delay=5.0):
        self._uplink = uplink
        self._size = size
        self._delay = delay
        self._readings = []
        self._timer = None
        self._sending = set()

    async def add(self, reading):
        self._readings.append(reading)
        if len(self._readings) >= self._size:
            await self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._delay, lambda: self._keep(self.flush()))

    async def flush(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._readings = self._readings, []
        if batch:
            await self._uplink.send(batch)
            log.debug("sent %d readings", len(batch))

    async def close(self):
        await self.flush()
        if self._sending:
            await asyncio.wait(self._sending)

    def _keep(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
