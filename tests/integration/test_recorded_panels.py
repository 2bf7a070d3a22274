"""The published table of panels, from recorded findings of others.

The findings are those of Real-Vuln-Benchmark, which is not part of this repository. `SQUADS_REAL_VULN` names the
folder; without it the folder `shared/datasets/real-vuln-benchmark` beside the checkout is looked for.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from squads.bench.eyes import beside, looks_of
from squads.bench.grid import Grid, grid_of
from squads.bench.loaders import loader_named
from squads.bench.replay import Replay, replay_of

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "real-vuln-benchmark"
FOLDER = Path(os.environ.get("SQUADS_REAL_VULN") or BESIDE)

pytestmark = pytest.mark.skipif(
    not (FOLDER / "ground-truth").is_dir(),
    reason="Real-Vuln-Benchmark is not here; fetch it, and name its folder in SQUADS_REAL_VULN",
)


@pytest.fixture(scope="module")
def recorded() -> Grid:
    """What 21 recorded configurations said of 796 entries."""
    return grid_of(loader_named("real-vuln").recorded(FOLDER))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def table(recorded: Grid) -> Replay:
    """The table of seven models with three runs each."""
    return replay_of(recorded)


def test_seven_models_are_complete_on_nineteen_applications(table: Replay) -> None:
    """The convenience sample on which the table was published."""
    assert (7, 19, 3) == (len(table.gates), len(table.families), table.seats)
    assert (447, 75) == (table.defects.cases, table.rights.cases)


@pytest.mark.parametrize(
    ("panel", "defects", "traps"),
    [
        ("single", 0.401, 0.023),
        ("same", 0.504, 0.051),
        ("distinct", 0.595, 0.065),
        ("independent_same", 0.763, 0.068),
        ("independent_distinct", 0.788, 0.069),
        ("majority_same", 0.400, 0.015),
        ("majority_distinct", 0.396, 0.005),
    ],
)
def test_the_table_is_reproduced_to_three_decimals(table: Replay, panel: str, defects: float, traps: float) -> None:
    """Catch and refused traps of every kind of panel."""
    assert (defects, traps) == (round(getattr(table.defects, panel), 3), round(getattr(table.rights, panel), 3))


def test_distinct_models_catch_more_than_one_model_again(table: Replay) -> None:
    """The gain in points with the published interval, and the one that holds for nineteen families."""
    gain, traps = table.defects.gain, table.rights.gain

    assert 9.1 == round(100 * gain.difference.value, 1)
    assert (8.0, 10.1) == (round(100 * gain.percentiles.low, 1), round(100 * gain.percentiles.high, 1))
    assert 0.07 < gain.difference.interval.low < gain.percentiles.low
    assert 1.4 == round(100 * traps.difference.value, 1)
    # The upper end is 2.55 points: which way it rounds is chance of the draws.
    assert pytest.approx((0.4, 2.5), abs=0.1) == (100 * traps.percentiles.low, 100 * traps.percentiles.high)


def test_the_gain_is_smaller_among_the_strongest(table: Replay) -> None:
    """Published as +5.5 [4.4, 6.5]; the rule that gives every other figure gives 5.58."""
    gain = table.strongest_gain

    assert ("gpt-5.5-agentic-v1", 4) == (table.strongest[0], len(table.strongest))
    assert pytest.approx(5.5, abs=0.1) == 100 * gain.difference.value
    assert pytest.approx((4.4, 6.5), abs=0.11) == (100 * gain.percentiles.low, 100 * gain.percentiles.high)


def test_models_miss_the_same_defects(table: Replay) -> None:
    """Agreement on defects, and how many independent reviewers a panel of three is worth."""
    assert table.kappa_within is not None
    assert table.kappa_between is not None
    assert (0.70, 0.47) == (round(table.kappa_within, 2), round(table.kappa_between, 2))
    assert table.effective_same is not None
    assert table.effective_distinct is not None
    assert (1.37, 1.77) == (round(table.effective_same, 2), round(table.effective_distinct, 2))


def test_the_best_model_needs_others_least(table: Replay) -> None:
    """Two more own runs nearly equal two runs of others."""
    assert "gpt-5.5-agentic-v1" == table.best.gate
    assert (0.626, 0.638) == (round(table.best.own, 3), round(table.best.others, 3))


def test_another_model_sees_more_than_the_same_model_again(recorded: Grid) -> None:
    """A second look of the same model adds a third of what independence would; of any other model nearly half."""
    looks = {look.relation: look.of_independent for look in looks_of(recorded)}

    own, kin, strangers = (looks[name] for name in ("own run", "same maker", "other maker"))
    assert (0.32, 0.45, 0.46) == tuple(round(look.value or 0.0, 2) for look in (own, kin, strangers))
    assert own.interval is not None
    assert kin.interval is not None
    assert strangers.interval is not None
    assert own.interval.high < min(kin.interval.low, strangers.interval.low)
    # Whose model it is makes no difference that these data could show.
    assert strangers.interval.holds(kin.value or 0.0)


def test_the_documents_gate_was_the_builders_model(recorded: Grid) -> None:
    """After a look by Sonnet 4.6 a second one by itself adds 5 points, one by Opus 4.7, the coordinator's model, 9."""
    adds = {pair.second: pair for pair in beside(recorded, "claude-sonnet-4-6-agentic-v1")}
    own, opus = adds["claude-sonnet-4-6-agentic-v1"], adds["claude-opus-4-7-agentic-v1"]

    assert (0.048, 0.092) == (round(own.second_adds.value or 0.0, 3), round(opus.second_adds.value or 0.0, 3))
    assert (0.81, 0.61) == (round(own.kappa.value or 0.0, 2), round(opus.kappa.value or 0.0, 2))
