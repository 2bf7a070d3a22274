"""How often intervals hold the truth: simulated worlds in which it is known.

    python benchmarks/interval_coverage.py [--worlds 2000] [--seed 1] [--json]

A world draws families of cases. For rates, every family has its own chance of a catch, from a beta distribution with
the given mean and correlation within families. For differences, two gates see cases through a shared and an own effect
of the family and a shared effect of the case, all normal. A 95 percent interval should hold the truth in 95 of 100;
with 2000 worlds the figure itself is known to about one point.

`wilson` and `exact` are judged where cases are independent, as they assume; `families` everywhere; `percentile`
is the plain bootstrap over families, shown for what it would promise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

from squads.bench.figure import Interval
from squads.bench.intervals import bootstrapped, difference, rate

SIZES = (1, 2, 3, 4, 6, 8)
DRAWS = 400


class World(NamedTuple):
    """What is simulated."""

    figure: str
    families: int
    first: float
    second: float | None
    within: float
    """How alike the cases of one family are: 0 not at all, 1 the same."""

    @property
    def inside(self) -> bool:
        """Whether the promise of 93 to 97 percent is made for it: 20 families, not too rare, not too much alike."""
        return self.families >= 20 and 0.1 <= self.first <= 0.9 and self.within <= 0.2


class Covered(NamedTuple):
    """How often each method held the truth."""

    world: World
    methods: dict[str, float]
    widths: dict[str, float]


def worlds() -> Iterator[World]:
    """Yield what is simulated, the promised ones and the harder ones."""
    for families in (5, 10, 15, 20, 40):
        for first in (0.05, 0.1, 0.3, 0.5, 0.9):
            for within in (0.0, 0.1, 0.2, 0.4):
                yield World("rate", families, first, None, within)
        for first, second in ((0.5, 0.5), (0.6, 0.5), (0.9, 0.8), (0.9, 0.9), (0.2, 0.1)):
            for within in (0.0, 0.1, 0.2, 0.4):
                yield World("difference", families, first, second, within)


def covered(world: World, *, count: int, seed: int, bootstrap: bool = True) -> Covered:
    """Simulate one kind of world `count` times."""
    chance = np.random.default_rng([seed, world.families, round(world.first * 100), round(world.within * 100)])
    held: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    for number in range(count):
        intervals, truth = (_rate if world.second is None else _difference)(world, chance, number, bootstrap)
        for method, interval in intervals.items():
            held.setdefault(method, []).append(interval.holds(truth))
            widths.setdefault(method, []).append(interval.high - interval.low)
    return Covered(
        world, {m: float(np.mean(h)) for m, h in held.items()}, {m: float(np.mean(w)) for m, w in widths.items()}
    )


def _rate(world: World, chance: np.random.Generator, number: int, bootstrap: bool) -> tuple[dict[str, Interval], float]:
    sizes = chance.choice(SIZES, world.families)
    if world.within:
        spread = (1 - world.within) / world.within
        rates = chance.beta(world.first * spread, (1 - world.first) * spread, world.families)
    else:
        rates = np.full(world.families, world.first)
    hits = [chance.random(size) < p for size, p in zip(sizes, rates, strict=True)]
    told = rate((str(f), str(c), bool(hit)) for f, cases in enumerate(hits) for c, hit in enumerate(cases.tolist()))
    assert told.clustered is not None
    assert told.wilson is not None
    assert told.exact is not None
    found = {"families": told.clustered}
    if not world.within:
        found |= {"wilson": told.wilson, "exact": told.exact}
    if bootstrap:
        totals = [(float(cases.sum()), float(len(cases))) for cases in hits]
        found["percentile"] = bootstrapped(totals, lambda h, n: h / n, draws=DRAWS, seed=number, widened=False)
    return found, world.first


def _difference(
    world: World, chance: np.random.Generator, number: int, bootstrap: bool
) -> tuple[dict[str, Interval], float]:
    assert world.second is not None
    sizes = chance.choice(SIZES, world.families)
    of = np.repeat(np.arange(world.families), sizes)
    shared, case = chance.normal(size=world.families), chance.normal(size=len(of))
    share, rest = world.within / 2, 1 - world.within
    seen = []
    for mean in (world.first, world.second):
        own = chance.normal(size=world.families)
        effect = np.sqrt(share) * (shared + own)[of] + np.sqrt(0.3 * rest) * case
        effect = effect + np.sqrt(0.7 * rest) * chance.normal(size=len(of))
        seen.append((effect < stats.norm.ppf(mean)).astype(float))
    rows = list(zip(map(str, of), seen[0].tolist(), seen[1].tolist(), strict=True))
    totals = np.column_stack([np.bincount(of, seen[0] - seen[1]), sizes]).tolist()
    found = {"families": difference(rows).interval}
    if bootstrap:
        found["percentile"] = bootstrapped(totals, lambda d, n: d / n, draws=DRAWS, seed=number, widened=False)
    return found, world.first - world.second


def main() -> int:
    """Simulate, print, and return 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description="How often intervals hold the truth.")
    parser.add_argument("--worlds", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    told = []
    for world in worlds():
        made = covered(world, count=given.worlds, seed=given.seed)
        told.append(made)
        if not given.json:
            figures = "  ".join(f"{m} {c:.3f} ({made.widths[m]:.2f})" for m, c in made.methods.items())
            second = "    " if world.second is None else f"{world.second:.2f}"
            mark = " " if not world.inside else "+" if 0.93 <= made.methods["families"] <= 0.97 else "!"
            place = f"{world.figure:<11}{world.families:>3} {world.first:.2f} {second} within {world.within:.1f}"
            print(f"{mark} {place}  {figures}", flush=True)
    promised = [m for m in told if m.world.inside]
    outside = [m for m in promised if not 0.93 <= m.methods["families"] <= 0.97]
    levels = sorted(m.methods["families"] for m in promised)
    if given.json:
        rows = [{**m.world._asdict(), "inside": m.world.inside, "held": m.methods, "widths": m.widths} for m in told]
        json.dump({"worlds": given.worlds, "seed": given.seed, "rows": rows}, sys.stdout)
        print()
    else:
        mean = sum(levels) / len(levels)
        print(f"promised: {len(promised)} kinds of worlds, held {levels[0]:.3f} to {levels[-1]:.3f}, mean {mean:.3f}")
        print(f"outside 93 to 97 percent: {len(outside)}")
    return int(bool(outside))


if __name__ == "__main__":
    sys.exit(main())
