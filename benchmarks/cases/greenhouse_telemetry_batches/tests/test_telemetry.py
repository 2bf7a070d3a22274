import asyncio

from telemetry import Batcher


class Uplink(list):
    async def send(self, batch):
        self.append(batch)


def sent(readings, **how):
    async def scenario():
        uplink = Uplink()
        batcher = Batcher(uplink, delay=60, **how)
        for reading in readings:
            await batcher.add(reading)
        await batcher.close()
        return uplink

    return asyncio.run(scenario())


def test_full_batches_are_sent_at_once_and_the_rest_at_the_end():
    assert [[1, 2], [3, 4], [5]] == sent([1, 2, 3, 4, 5], size=2)


def test_nothing_is_sent_for_nothing():
    assert [] == sent([])
