"""What every test runs under: keys in a throw-away place, no network, no model key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from squads.testing.guards import NetworkGuard, only_loopback, without_keys


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
