"""What gates catch together, against sums over all panels and orders."""

from __future__ import annotations

from itertools import combinations, permutations, product
from math import inf, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows_scene import case, columns, grid

from squads.bench.catching import (
    at_least_k,
    catch_at_k,
    effective,
    marginal,
    never_caught,
    repeats_at_k,
    shapley,
    union_at_k,
    union_of,
    who_caught,
)
from squads.bench.grid import Grid

chances = st.lists(st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0]), min_size=1, max_size=5)


@given(chances, st.data())
def test_a_union_is_the_mean_over_all_panels(caught: list[float], data: st.DataObject) -> None:
    """Polynomials give what counting every subset gives."""
    k = data.draw(st.integers(0, len(caught)))
    panels = [1 - prod(1 - caught[n] for n in chosen) for chosen in combinations(range(len(caught)), k)]

    assert pytest.approx(sum(panels) / len(panels)) == union_at_k(caught, k)


@given(chances, st.data())
def test_at_least_k_is_the_sum_over_all_outcomes(caught: list[float], data: st.DataObject) -> None:
    """Every outcome of independent gates, listed."""
    k = data.draw(st.integers(0, len(caught)))
    total = sum(
        prod(p if hit else 1 - p for p, hit in zip(caught, outcome, strict=True))
        for outcome in product([True, False], repeat=len(caught))
        if sum(outcome) >= k
    )

    assert pytest.approx(total) == at_least_k(caught, k)


def test_repeats_at_k_counts_every_draw() -> None:
    """Two of five repeats caught: of the ten pairs of repeats three catch nothing."""
    assert pytest.approx(0.7) == repeats_at_k(2, 5, 2)
    assert 1.0 == repeats_at_k(5, 5, 1)
    with pytest.raises(ValueError, match="cannot draw"):
        repeats_at_k(1, 2, 3)
    with pytest.raises(ValueError, match="cannot be drawn"):
        union_at_k([0.5], 2)


def made() -> Grid:
    """Return three gates: g sees what h sees and more, x sees what nobody else does; nobody sees e."""
    return columns({"g": "rrr..", "h": "rr...", "x": "...r."}, "abcde")


def test_catch_at_k_by_hand() -> None:
    """One gate catches 3, 2 or 1 of five; two catch 3, 4 or 3; three catch 4."""
    grid = made()

    assert pytest.approx(6 / 15) == catch_at_k(grid, 1)
    assert pytest.approx(10 / 15) == catch_at_k(grid, 2)
    assert pytest.approx(4 / 5) == catch_at_k(grid, 3)


def test_shapley_is_the_mean_over_all_orders_and_sums_to_the_union() -> None:
    """What each gate adds when gates arrive in every order, counted."""
    grid, told = made(), shapley(made())
    orders = list(permutations(grid.gates))
    added = dict.fromkeys(grid.gates, 0.0)
    for order in orders:
        for n, gate in enumerate(order):
            before = union_of(grid, order[:n]).union if n else 0.0
            added[gate] += (union_of(grid, order[: n + 1]).union - before) / len(orders)

    assert pytest.approx(added) == told
    assert pytest.approx(0.8) == sum(told.values())


def test_shapley_of_repeats_sums_to_the_union() -> None:
    """Gates that catch a case now and then share what they catch on average."""
    grid = columns({"g": "rr .r", "h": "r. ..", "x": ".r .."}, "ab")

    assert pytest.approx(union_of(grid).union) == sum(shapley(grid).values())


def test_marginal_catch_depends_on_who_is_there() -> None:
    """h adds nothing to g; x adds the same to everybody."""
    grid = made()

    assert 0.0 == marginal(grid, "h", ["g"]).catch.value
    assert pytest.approx(0.2) == marginal(grid, "x", ["g", "h"]).catch.value
    assert pytest.approx(0.4) == marginal(grid, "h", []).catch.value


def test_a_marginal_catch_costs_what_all_looks_cost() -> None:
    """x looked at five cases for 10 each and caught one more; h caught none more, and no price says so."""
    grid = made()

    assert pytest.approx(50.0) == marginal(grid, "x", ["g"]).cost_per_catch_microusd
    assert marginal(grid, "h", ["g"]).cost_per_catch_microusd is None


def test_a_marginal_catch_comes_with_its_false_refusals() -> None:
    """What a gate adds on right cases stands beside what it adds on defects."""
    cases = {f"{kind}{f}": case(f, kind) for f in "ab" for kind in ("defect", "clean")}
    told = {"defecta": "r", "defectb": ".", "cleana": ".", "cleanb": "."}
    both = grid({"g": told, "h": {**told, "defectb": "r", "cleanb": "r"}}, cases)

    added = marginal(both, "h", ["g"])
    assert added.refusals is not None
    assert (0.5, 0.5) == (added.catch.value, added.refusals.value)


def test_a_marginal_catch_needs_two_families() -> None:
    """Of one family nothing can be said about the next."""
    with pytest.raises(ValueError, match="two families"):
        marginal(columns({"g": "r", "h": "."}, "a"), "h", ["g"])


def test_the_effective_number_of_reviewers() -> None:
    """Three independent ones are worth three, three that see the same are worth one."""
    assert pytest.approx(3.0) == effective(1 - 0.6**3, 0.4)
    assert pytest.approx(1.0) == effective(0.4, 0.4)
    assert inf == effective(1.0, 0.4)
    assert effective(0.0, 0.0) is None
    assert 1.0 == effective(1.0, 1.0)


def test_a_union_stands_beside_independence() -> None:
    """Two gates that see the same half are worth one; independent ones would catch three quarters."""
    told = union_of(columns({"g": "rr..", "h": "rr.."}, "abcd"))

    assert (0.5, 0.5, 0.75) == (told.single, told.union, told.independent)
    assert pytest.approx(1.0) == told.effective


def test_what_nobody_caught_is_listed() -> None:
    """At the level that is asked for: a refusal for another reason is none at level three."""
    grid = columns({"g": "r.w", "h": "..."}, "abc")

    assert ("b/defect",) == never_caught(grid)
    assert ("b/defect", "c/defect") == never_caught(grid, level=3)


def test_who_caught_what_leaves_out_who_said_nothing() -> None:
    """Each gate with the share of its repeats."""
    cases = {"d": case("a", "defect"), "e": case("b", "defect")}
    told = who_caught(grid({"g": {"d": "r.", "e": "!r"}, "h": {"e": "r"}}, cases))

    assert {"a/defect": {"g": 0.5}, "b/defect": {"g": 0.5, "h": 1.0}} == told
