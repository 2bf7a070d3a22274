"""The two tables: what may follow what."""

from __future__ import annotations

from enum import StrEnum

import pytest

from squads.kernel.lifecycle import ATTEMPT, ENDED, PACKET, Phase, Stage, advance

TABLES = pytest.mark.parametrize(
    ("table", "states", "first"), [(PACKET, Phase, Phase.NEW), (ATTEMPT, Stage, Stage.ASSIGNED)]
)


@TABLES
def test_every_state_can_be_reached(table: dict, states: type[StrEnum], first: StrEnum) -> None:
    """From the first state, some row leads to every other one. A composition is reviewed at once."""
    reached = {first, Stage.REVIEWING}
    for _ in table:
        reached |= {after for (before, _), after in table.items() if before in reached}

    assert set(states) <= reached


@TABLES
def test_every_row_begins_and_ends_in_known_states(table: dict, states: type[StrEnum], first: StrEnum) -> None:
    """A table speaks of its own states only."""
    named = {before for before, _ in table} | set(table.values())

    assert named <= set(states)


def test_ends_have_no_rows() -> None:
    """Nothing follows an end, and only the two ends of a packet have nothing behind them."""
    without = {phase for phase in Phase if not any(before is phase for before, _ in PACKET)}

    assert without == ENDED


@pytest.mark.parametrize("phase", sorted(set(Phase) - ENDED))
def test_every_open_packet_can_end(phase: Phase) -> None:
    """Running into a bound is an outcome in every phase."""
    assert advance(PACKET, phase, "ended") is Phase.NOT_COMPOSED


@pytest.mark.parametrize("event", ["accepted", "quorum"])
def test_only_two_ways_compose(event: str) -> None:
    """Composed is reached by the coordinator's word after the gates', or by a quorum of people."""
    ways = {name for (_, name), after in PACKET.items() if after is Phase.COMPOSED}

    assert event in ways
    assert len(ways) == 2


def test_only_all_approvals_approve() -> None:
    """No other event makes an attempt approved."""
    ways = [pair for pair, after in ATTEMPT.items() if after is Stage.APPROVED]

    assert ways == [(Stage.REVIEWING, "all approved")]


def test_a_pair_outside_the_table_is_impossible() -> None:
    """It is the kernel's mistake, never the answer to a message."""
    with pytest.raises(LookupError, match="asked for the impossible"):
        advance(PACKET, Phase.COMPOSED, "opened")
