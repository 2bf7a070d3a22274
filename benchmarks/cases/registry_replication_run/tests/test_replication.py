import asyncio

from replication import Replication, Summary


class Site(dict):
    async def read(self, parcel):
        return self[parcel]

    async def write(self, parcel, record):
        self[parcel] = record


def test_every_parcel_is_copied():
    source, target = Site(a=b"1", b=b"22"), Site()

    summary = asyncio.run(Replication(source, target, width=1).run(["a", "b"]))

    assert (source, 2, "complete") == (target, summary.copied, summary.state)


def test_nothing_to_copy_is_complete():
    assert "complete" == asyncio.run(Replication(Site(), Site()).run([])).state


def test_failures_make_it_partial():
    assert "partial" == Summary(1, {"a": "lost"}).state
