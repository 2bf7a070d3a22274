import asyncio

from warmup import warm


class Cache:
    async def put(self, key, page, seconds):
        assert 3600 == seconds


async def load(slug):
    return b"page"


def test_each_page_is_taken_once():
    assert 2 == asyncio.run(warm(Cache(), load, ["a", "b", "a"]))


def test_nothing_to_do():
    assert 0 == asyncio.run(warm(Cache(), load, []))
