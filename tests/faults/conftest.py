"""What the faults of the bus are tested with: a server of the test's own, which may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from squads.testing.redis_server import RedisServer

if TYPE_CHECKING:
    from bus_scene import Nursery


@pytest.fixture(scope="module")
def own_server() -> Iterator[RedisServer]:
    """A server that is ours also where SQUADS_TEST_REDIS gives another; each test takes a workspace of its own."""
    with RedisServer(RedisServer.available(own=True)[0]) as server:
        yield server


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where workers and runners come from, in processes of their own."""
    from bus_scene import Nursery  # not for the other faults of this folder, which need no Redis

    made = Nursery()
    try:
        yield made
    finally:
        made.close()
