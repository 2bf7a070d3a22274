import asyncio

import pytest
from feeds.fetcher import Answer, FeedUnavailable, Fetcher


def fetch(*answers):
    given = list(answers)

    async def get(url):
        return given.pop(0)

    return asyncio.run(Fetcher(get, first_wait=0).fetch("u")), given


def test_the_first_feed_is_returned():
    assert ("x", []) == fetch(Answer(500), Answer(200, "x"))


def test_five_attempts_are_enough():
    with pytest.raises(FeedUnavailable):
        fetch(*[Answer(500)] * 5)


def test_a_feed_that_is_gone_is_not_asked_for_again():
    with pytest.raises(FeedUnavailable):
        fetch(Answer(410))
