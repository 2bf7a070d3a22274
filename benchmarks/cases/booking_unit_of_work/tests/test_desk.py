import asyncio

import pytest
from hotel.desk import book


class Pool:
    def __init__(self, broken=False):
        self.said, self.broken = [], broken

    async def acquire(self):
        return self

    async def release(self, connection):
        self.said.append("release")

    async def begin(self):
        self.said.append("begin")

    async def commit(self):
        pass

    async def rollback(self):
        pass

    async def execute(self, sql, *values):
        if self.broken:
            raise OSError("connection lost")
        self.said.append(values)


def test_every_room_is_inserted_and_the_connection_goes_back():
    pool = Pool()

    told = asyncio.run(book(pool, "ada", [7], "2031-05-01"))

    assert ["begin", ("ada", 7, "2031-05-01"), "release"] == pool.said
    assert [7] == told["rooms"]


def test_a_lost_connection_is_told():
    with pytest.raises(OSError):
        asyncio.run(book(Pool(broken=True), "ada", [7], "2031-05-01"))
