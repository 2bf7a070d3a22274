"""Twenty thousand worlds: nothing bad composes, every fair run ends, no bound is passed, every ledger replays."""

from __future__ import annotations

import os
from functools import lru_cache
from types import SimpleNamespace
from typing import get_args

import pytest
import scenarios
import simulate
from kernels import load

from squads.contracts.records import Reason

CHUNKS = 6
WORLDS = 1_800
SEED = os.environ.get("SQUADS_SEED")

REASONS = frozenset(get_args(Reason)) - {"weak-custody", "uncalibrated"}
"""Every reason for which a packet can end. Worlds have no policy of custody: `test_kernel_custody.py` is for that."""

EVERY_CHUNK = {
    "amended",
    "amended, some kept",
    "a path written again",
    "asked once more",
    "brief amended after an objection",
    "budget of the packet spent",
    "budget of the role spent",
    "budget of the task spent",
    "budget of the workspace spent",
    "budget-spent",
    "composed",
    "composition 2",
    "conflict",
    "crash",
    "dead waiver cited",
    "duplicate",
    "early deadline",
    "equivocation",
    "fault with a known cost",
    "forged",
    "gate-abstained",
    "lift",
    "loss",
    "namesake",
    "question",
    "re-opened",
    "revoked key",
    "silence",
    "stale",
    "stop",
    "waiver cited",
}
"""What must happen in every chunk of worlds: a generator that became tame fails here."""

IGNORED = {
    "a model that is not this role's",
    "already answered",
    "already open",
    "an output is never an input",
    "another attempt",
    "another gate's ticket",
    "another packet",
    "another request than was asked",
    "another role's request",
    "another subject",
    "another workspace",
    "duplicate",
    "early",
    "ended",
    "equivocation known",
    "expired",
    "no manifest under this digest",
    "no such gate",
    "not answered by a person",
    "not asked",
    "not authorised",
    "not what was asked for",
    "own work",
    "signed for somebody else",
    "stopped",
    "too late",
    "unknown packet",
    "unknown question",
    "unknown request",
    "unknown ticket",
    "workspace: whoever stopped it does not lift it where there is somebody else",
}
"""Reasons for which something is ignored, all of which a longer run meets."""


@lru_cache(maxsize=1)
def kernel() -> SimpleNamespace:
    """The kernel as it is."""
    return load()


@pytest.mark.skipif(SEED is not None, reason="one seed was asked for")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_world_breaks_a_rule(chunk: int, record_property: pytest.RecordProperty) -> None:
    """Safety, liveness, bounds and replay hold in every world, and the worlds are not tame."""
    size = WORLDS // CHUNKS

    report = simulate.run(range(chunk * size, (chunk + 1) * size), kernel())

    assert size == report.worlds
    assert set() == EVERY_CHUNK - report.facts.keys()
    for name, count in report.facts.items():
        record_property(name, count)
    record_property("step_us", round(report.step_seconds / report.steps * 1e6, 1))


@pytest.mark.skipif(SEED is None, reason="set SQUADS_SEED=n to run one world")
def test_one_world() -> None:
    """Runs the world of SQUADS_SEED, with its trace when it fails."""
    simulate.run(range(int(SEED or 0), int(SEED or 0) + 1), kernel())


@pytest.mark.skipif(SEED is not None, reason="one seed was asked for")
def test_worlds_end_for_every_reason() -> None:
    """The generator reaches every end and every reason to ignore: no rule is left out by chance."""
    report = simulate.Report()

    for first in range(300_000, 308_000, 500):
        simulate.run(range(first, first + 500), kernel(), report)
        missing = (REASONS - report.facts.keys()) | (IGNORED - report.ignored.keys())
        if not missing:
            break

    assert set() == missing


@pytest.mark.parametrize("seed", range(3))
def test_a_world_follows_from_its_seed(seed: int) -> None:
    """The same seed gives the same ledger, byte by byte."""
    first, second = (simulate.World(seed, kernel()).run().entries for _ in range(2))

    assert first == second


def test_a_waiver_counts_once() -> None:
    """A waiver that an approval has cited lets nothing else through."""
    scenarios.a_waiver_counts_once(kernel())
