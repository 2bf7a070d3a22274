import pytest
from hooks.deliveries import Deliveries, Rejected
from hooks.retry import retried


def test_waits_double():
    waits, outcomes = [], [TimeoutError(), TimeoutError(), "done"]

    @retried(first_wait=1, sleep=waits.append)
    def call():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert ("done", [1, 2]) == (call(), waits)


def test_other_errors_are_not_retried():
    with pytest.raises(Rejected):
        Deliveries(lambda url, body: 410, []).deliver({"id": 1, "url": "u", "data": {}})
