"""pytest fixtures for testing without keys; nothing happens to a test that does not ask for one.

    # conftest.py
    pytest_plugins = ["squads.testing.fixtures"]

To hold every test of a suite to it, write `pytestmark = pytest.mark.usefixtures("no_network", "no_keys")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from squads.testing.guards import NetworkGuard, only_loopback, without_keys
from squads.testing.model_server import ModelServer
from squads.testing.postgres_server import PostgresServer
from squads.testing.redis_server import RedisServer
from squads.testing.wire import Wire


@pytest.fixture
def model_server() -> Iterator[Callable[..., ModelServer]]:
    """A function that starts a `ModelServer` with what it is given; all of them are held to their scripts at the end.

    They serve from threads of their own, so that it makes no difference whether the test is asynchronous.
    """
    with ExitStack() as opened:

        def start(*args: object, **options: object) -> ModelServer:
            return opened.enter_context(ModelServer(*args, **options).in_thread())  # type: ignore[arg-type]

        yield start


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server for all tests of this process: the one of SQUADS_TEST_REDIS, or one of its own.

    Nothing is cleared between tests: each takes a workspace id of its own. A test that kills a server starts its own.
    """
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process: the one of SQUADS_TEST_POSTGRES, or one of its own.

    Nothing is cleared between tests: each takes a schema of its own, `postgres_server.fresh_url()`. A test that stops
    a server starts its own.
    """
    with PostgresServer() as server:
        yield server


@pytest.fixture
def no_network() -> Iterator[NetworkGuard]:
    """Only this machine can be reached; a call that escapes fails the test, also where it was caught."""
    with only_loopback() as guard:
        yield guard


@pytest.fixture
def no_keys() -> Iterator[tuple[str, ...]]:
    """No provider's key is in the environment."""
    with without_keys() as taken:
        yield taken


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A respx router that the SDKs' clients can be given: `http_client=wire.client()`."""
    with Wire() as routes:
        yield routes
