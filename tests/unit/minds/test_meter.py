"""The allowance of one answer: reserved before, settled after, never passed by whatever runs at once."""

from __future__ import annotations

import pytest

from squads.contracts.errors import AllowanceSpent
from squads.contracts.finding import NO_USAGE, Usage
from squads.minds.meter import AnswerMeter


def test_eight_at_once_cannot_pass_an_allowance_of_three() -> None:
    """What is set aside counts before anything is spent."""
    meter = AnswerMeter(tokens_max=300)
    marks, refused = [], 0
    for _ in range(8):
        try:
            marks.append(meter.reserve(tokens=100, cost_microusd=0))
        except AllowanceSpent:
            refused += 1

    assert (3, 5) == (len(marks), refused)


def test_what_was_not_used_can_be_reserved_again() -> None:
    """A reply settles its reservation with what it really took."""
    meter = AnswerMeter(tokens_max=100)

    meter.settle(meter.reserve(tokens=100, cost_microusd=0), Usage(tokens=40, cost_microusd=7, calls=1, wait_ms=5))

    assert 60 == meter.tokens_left
    assert Usage(tokens=40, cost_microusd=7, calls=1, wait_ms=5) == meter.usage


def test_a_reply_that_may_have_been_paid_is_settled_in_full() -> None:
    """None is not nothing: the provider may have answered after we stopped listening."""
    meter = AnswerMeter(tokens_max=100, cost_microusd_max=50)

    meter.settle(meter.reserve(tokens=30, cost_microusd=50), None)

    assert (30, 50) == (meter.usage.tokens, meter.usage.cost_microusd)
    with pytest.raises(AllowanceSpent, match="call_microusd_max"):
        meter.reserve(tokens=1, cost_microusd=1)


def test_settling_twice_counts_once() -> None:
    """A cancelled caller and its reply may both come to settle."""
    meter = AnswerMeter(tokens_max=100)
    mark = meter.reserve(tokens=10, cost_microusd=0)

    meter.settle(mark, Usage(tokens=10, calls=1))
    meter.settle(mark, None)

    assert 10 == meter.usage.tokens


def test_a_reply_out_of_the_journal_counts_without_a_reservation() -> None:
    """It was paid before the crash, so it stands in the bill of this answer."""
    meter = AnswerMeter(tokens_max=100)

    meter.count(Usage(tokens=90, calls=1))

    assert 10 == meter.tokens_left
    with pytest.raises(AllowanceSpent, match="10 of 100"):
        meter.reserve(tokens=11, cost_microusd=0)


def test_replies_use_up_the_time_of_their_answer() -> None:
    """Settled and counted alike; what took longer than it might leaves nothing, and never less."""
    meter = AnswerMeter(tokens_max=100, wait_ms_max=100)
    left = [meter.wait_ms_left]

    for wait_ms in (60, 30, 30):
        meter.settle(meter.reserve(tokens=1, cost_microusd=0), Usage(tokens=1, calls=1, wait_ms=wait_ms - 5))
        meter.count(Usage(wait_ms=5))
        left.append(meter.wait_ms_left)

    assert [100, 40, 10, 0] == left


def test_time_without_a_limit_is_not_counted_down() -> None:
    """None is no limit, and 0 is no time."""
    meter = AnswerMeter(tokens_max=0)
    meter.count(Usage(wait_ms=10**9))

    assert meter.wait_ms_left is None
    assert 0 == AnswerMeter(tokens_max=0, wait_ms_max=0).wait_ms_left


def test_an_allowance_of_nothing_allows_nothing() -> None:
    """A role of code reserves 0, so it cannot ask a model behind the kernel's back."""
    with pytest.raises(AllowanceSpent):
        AnswerMeter(tokens_max=0).reserve(tokens=1, cost_microusd=0)

    assert NO_USAGE == AnswerMeter(tokens_max=0).usage
