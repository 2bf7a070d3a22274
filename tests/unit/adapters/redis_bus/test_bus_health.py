"""One outage is a few lines in the log, however many wait for its end."""

from __future__ import annotations

import logging

import pytest

from squads.adapters.redis_bus.health import SAID_MAX, Health
from squads.contracts.errors import BusUnavailable


def test_many_who_wait_for_one_server_say_each_sentence_once(caplog: pytest.LogCaptureFixture) -> None:
    """Also where their sentences alternate; when it answered in between, it is another outage."""
    caplog.set_level(logging.INFO, "squads.bus")
    health = Health()
    for _ in range(3):
        health.failed(BusUnavailable("no GET"))
        health.failed(BusUnavailable("no SET"))
    assert "no SET" == health.trouble
    health.heard()
    health.failed(BusUnavailable("no GET"))

    assert ["no GET", "no SET", "the bus answers again", "no GET"] == caplog.messages


def test_an_outage_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Sentences that never repeat have a bound."""
    health = Health()
    for number in range(SAID_MAX + 5):
        health.failed(BusUnavailable(f"{number}"))

    assert SAID_MAX == len(caplog.messages)
