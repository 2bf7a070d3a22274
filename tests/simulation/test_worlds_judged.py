"""What a stranger would find in every world's receipts, and in those of kernels that let the wrong things through.

`squads.ledger.approvals` judges a packet from its receipts alone and shares no line with the kernel. Where the two
agree on thousands of honest worlds, and it finds out kernels with broken rules, neither repeats the other's mistake.
"""

from __future__ import annotations

import pytest
from judging import judged
from kernels import load
from test_mutations import MUTANTS
from world import World

WORLDS = 120
WORLDS_MAX = 330
"""In how many worlds a broken kernel must have shown itself."""
FOUND_OUT = {
    "a key without the role may sign": "role",
    "a revoked key may still sign": "gates",
    "a waiver needs no grant": "role",
    "records count after the end": "packet",
    "the stopped view lets through": "packet",
    "a plan that gates refused is adopted": "gates",
    "a verdict on another attempt counts": "ticket",
    "own work may be judged": "independence",
    "lineage is forgotten": "independence",
    "only the first choice of a gate counts for its independence": "independence",
    "a gate of models approves without asking one": "gates",
    "an abstention counts as approval": "gates",
    "a refusal is outvoted": "gates",
    "not all gates are waited for": "gates",
    "a gate that a task adds is not asked": "gates",
    "an equivocating gate still lets through": "equivocation",
    "silence counts as approval": "gates",
    "an expired waiver counts": "gates",
    "a composition that gates refused goes on": "gates",
    "`done_when` is not looked at": "acceptance",
    "the coordinator's refusal is not heard": "acceptance",
    "nobody has to look": "gates",
    "nobody is asked": "people",
    "a quorum of one less": "people",
    "a ticket's id does not say which bytes": "binding",
}
"""Broken rules by name, and the check of a bundle that finds each of them out."""


def test_no_honest_world_is_called_forged() -> None:
    """Whatever happened on the way, the receipts of an honest kernel fail no check, and say how it ended."""
    kernel = load()
    composed = 0
    for seed in range(WORLDS):
        world = World(seed, kernel)
        world.run()
        judgement, results = judged(world)
        finish = world.state.finish if world.state else None
        composed += judgement.outcome == "composed"

        assert [] == [f"world {seed}: {r.check}: {r.message}" for r in results.values() if r.state == "failed"]
        if judgement.outcome != "unknown":  # opened under rules that nobody knows
            assert (finish.outcome if finish else "open") == judgement.outcome
    assert composed > WORLDS // 10


@pytest.mark.parametrize("name", FOUND_OUT)
def test_what_a_broken_kernel_lets_through_does_not_verify(name: str) -> None:
    """The runner is believed in nothing: a composition that the rule forbids fails the check that holds the rule."""
    broken = next(mutant for mutant in MUTANTS if mutant.name == name)
    kernel = load(*broken.edits)

    assert any(FOUND_OUT[name] in failures(World(broken.first + seed, kernel)) for seed in range(WORLDS_MAX))


def failures(world: World) -> list[str]:
    """Return the checks that fail in a world; none where the kernel itself gave up."""
    try:
        world.run()
    except Exception:
        return []
    return [result.check for result in judged(world)[1].values() if result.state == "failed"]
