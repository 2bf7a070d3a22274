"""What every test runs under: keys in a throw-away place, no network, no model key, and no chance."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from squads.adapters.postgres_scratch import PostgresScratch
from squads.testing.fixtures import postgres_server as postgres_server
from squads.testing.fixtures import redis_server as redis_server
from squads.testing.guards import NetworkGuard, only_loopback, without_keys

# The same examples every time, so that a change is judged by what it changed; whoever looks for more of them says so.
# How long an example takes says more of the machine than of the code.
settings.register_profile(
    "repeatable",
    derandomize=True,
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("search", settings.get_profile("repeatable"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("SQUADS_HYPOTHESIS", "repeatable"))


@pytest.fixture(autouse=True)
def keys_outside_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test ever reads or writes the keys of whoever runs it."""
    home = tmp_path_factory.mktemp("squads-home")
    monkeypatch.setenv("SQUADS_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def no_network() -> Iterator[NetworkGuard]:
    """A connection to anything but this machine is a failure, not a surprise."""
    with only_loopback() as guard:
        yield guard


@pytest.fixture(autouse=True)
def no_keys() -> Iterator[None]:
    """No test ever finds the key of whoever runs it."""
    with without_keys():
        yield


@pytest.fixture(scope="session")
def scratch() -> Iterator[PostgresScratch]:
    """Where scratch databases are made: one server for all tests of this process, started at the first question."""
    made = PostgresScratch()
    yield made
    made.close_now()


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later collection of garbage: thousands of tests that never go away."""
    gc.freeze()
