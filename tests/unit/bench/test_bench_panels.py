"""Panels after the fact: what a rule makes of its members' verdicts, and what it may not hide."""

from __future__ import annotations

from itertools import product

import pytest
from rows_scene import case, columns, grid, member

from squads.bench.grid import Cell
from squads.bench.judged import Hit
from squads.bench.panels import AtLeast, Cascade, Majority, Panel, Rule, Veto, Weighted, decide, panel_grid
from squads.bench.scoring import score_of
from squads.contracts.errors import InvalidCase

CELLS = {
    "r": Cell("refused", Hit.REASON, 10, 5),
    "w": Cell("refused", Hit.REFUSED, 10, 5),
    ".": Cell("approved", Hit.MISSED, 10, 5),
    "?": Cell("abstained", Hit.MISSED, 10, 5),
    "!": Cell("error", Hit.MISSED, 10, 5),
}


def decided(rule: Rule, letters: str) -> Cell:
    """Return what a panel of the gates a, b, c, ... says."""
    return decide(rule, [(gate, CELLS[letter]) for gate, letter in zip("abcde", letters, strict=False)])


@pytest.mark.parametrize(
    ("rule", "letters", "decision"),
    [
        (AtLeast(1), "..r", "refused"),
        (AtLeast(1), "...", "approved"),
        (AtLeast(1), "..?", "abstained"),
        (AtLeast(1), ".?!", "error"),
        (AtLeast(1), "?r!", "refused"),
        (AtLeast(2), "r..", "approved"),
        (AtLeast(2), "r.?", "abstained"),
        (AtLeast(2), "..!", "approved"),
        (Majority(), "rr.", "refused"),
        (Majority(), "r..", "approved"),
        (Majority(), "rr..", "approved"),
        (Weighted({"a": 2.0, "b": 0.5}, 2.0), "r..", "refused"),
        (Weighted({"a": 2.0, "b": 0.5}, 2.0), ".rr", "approved"),
        (Weighted({"a": 2.0, "b": 0.5}, 2.0), "?..", "abstained"),
        (Veto(frozenset({"c"}), 2), "..r", "refused"),
        (Veto(frozenset({"c"}), 2), "r..", "approved"),
        (Veto(frozenset({"c"}), 2), "rr.", "refused"),
        (Veto(frozenset({"c"}), 2), "..!", "error"),
        (Cascade(), ".r!", "refused"),
        (Cascade(), "..!", "error"),
    ],
)
def test_a_rule_decides(rule: Rule, letters: str, decision: str) -> None:
    """A panel that would have refused with those who could not look could not look itself."""
    assert decision == decided(rule, letters).decision


@pytest.mark.parametrize("rule", [AtLeast(1), AtLeast(2), Majority(), Veto(frozenset({"a"}), 2), Cascade()])
def test_no_approval_rests_on_somebody_who_could_not_look(rule: Rule) -> None:
    """Had those who abstained or failed refused, an approved panel would have approved all the same."""
    for letters in product("r.?!", repeat=3):
        if decided(rule, "".join(letters)).decision == "approved":
            worst = ["r" if letter in "?!" else letter for letter in letters]
            assert "approved" == decided(rule, "".join(worst)).decision


def test_a_panel_is_as_right_as_its_best_refusal() -> None:
    """And a panel that does not refuse has caught nothing, whatever a member found."""
    assert Hit.REASON is decided(AtLeast(1), "wr.").hit
    assert Hit.MISSED is decided(Majority(), "r..").hit


def test_a_cascade_pays_for_those_it_asked() -> None:
    """It stops at the first refusal, and its members wait for each other."""
    assert (20, 10) == decided(Cascade(), ".rr")[2:4]
    assert (30, 5) == decided(AtLeast(1), ".rr")[2:4]


def test_a_panel_of_nobody_is_refused() -> None:
    """The empty list approves nothing."""
    with pytest.raises(ValueError, match="nobody"):
        decide(AtLeast(1), [])


def test_panels_are_scored_like_gates() -> None:
    """Two gates that each catch one of two defects catch both together."""
    made = columns({"g": "r.", "h": ".r"}, ["a", "b"])
    panels = panel_grid(
        made,
        {
            "either": Panel(AtLeast(1), (member("g"), member("h"))),
            "both": Panel(AtLeast(2), (member("g"), member("h"))),
        },
    )

    assert 1.0 == score_of(panels, "either").right_reason.value
    assert 0.0 == score_of(panels, "both").right_reason.value
    assert 40 == score_of(panels, "either").cost_microusd


def test_panels_are_compared_on_the_same_cases() -> None:
    """A case that one member of any panel did not judge is left out of all."""
    cases = {"d": case("a", "defect"), "e": case("b", "defect")}
    made = grid({"g": {"d": "r", "e": "."}, "h": {"d": "r"}}, cases)

    panels = panel_grid(made, {"g": Panel(AtLeast(1), (member("g"),)), "h": Panel(AtLeast(1), (member("h"),))})
    assert ["a"] == [what.family for what in panels.cases]
    with pytest.raises(InvalidCase, match="repeat 2"):
        panel_grid(made, {"g": Panel(AtLeast(1), (member("g", 2),))})
