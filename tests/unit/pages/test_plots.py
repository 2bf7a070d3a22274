"""Plots: markup that a page's policy lets in, with every number also as words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from squads.pages.plots import Bar, Curve, curves_svg, grid_svg, rates_svg

HOSTILE = '<script>alert("x")</script>&'
PLOTS = [
    rates_svg("a", HOSTILE, [Bar(HOSTILE, 0.5, 0.25, 0.75, "good"), Bar("none", None)]),
    curves_svg("b", HOSTILE, [Curve(HOSTILE, ((0.0, 0.0), (0.1, 0.9)))], across=HOSTILE, up=HOSTILE, across_max=0.1),
    grid_svg("c", HOSTILE, [HOSTILE], [HOSTILE, "b"], [[0.25, None]]),
]


@pytest.mark.parametrize("plot", PLOTS, ids=["rates", "curves", "grid"])
def test_a_plot_is_well_formed_and_runs_and_styles_nothing(plot: str) -> None:
    """Names come from anybody; the page's policy would drop a style attribute and the plot with it."""
    ElementTree.fromstring(plot)

    assert "<script" not in plot
    assert not re.search(r"\sstyle=|\son\w+=|href", plot)
    assert plot.count("<title") == plot.count("<desc") == 1


def test_a_bar_stands_where_its_rate_is() -> None:
    """Half way between 0 and 1, and its interval as wide as it is."""
    plot = rates_svg("a", "t", [Bar("one", 0.5, 0.25, 0.75)])

    assert 'cx="510.0"' in plot
    assert 'x="405.0"' in plot
    assert 'width="210.0"' in plot


def test_nothing_to_count_is_said_and_not_drawn_as_zero() -> None:
    """A rate without a case has no place on the line."""
    plot = rates_svg("a", "t", [Bar("one", None)])

    assert "nothing to count" in plot
    assert "<circle" not in plot
    assert "–" in grid_svg("c", "t", ["r"], ["c"], [[None]])
