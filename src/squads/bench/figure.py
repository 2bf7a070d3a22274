"""What figures are made of: frozen values that anybody can print, compare and write as JSON.

Contracts have no floats, because what is signed is exact. Figures are counted from signed rows and are not signed
themselves, so they may have floats. A rate without a case has no value, and never looks like 0 or 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class Figure(BaseModel):
    """The base of all figures: immutable, keyword-only, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def plain(figure: BaseModel) -> dict[str, Any]:
    """Return a figure as JSON can hold it: what is infinite, or no number, is null, for JSON has no word for it."""
    found: dict[str, Any] = json.loads(figure.model_dump_json())
    return found


class Interval(Figure):
    """Where the true figure lies, with a confidence of `level`, both ends included."""

    low: float
    high: float
    level: float = 0.95
    method: str
    """`wilson`, `exact`, `families` or `bootstrap`; `squads.bench.intervals` says what each is."""

    def holds(self, value: float) -> bool:
        """Return whether `value` lies within."""
        return self.low <= value <= self.high


class Rate(Figure):
    """How often something happened, with what is known about how often it happens."""

    hits: int
    of: int
    """Rows; a case that was judged three times has three."""
    cases: int
    families: int
    value: float | None
    """The mean over cases; None where there is none."""
    wilson: Interval | None = None
    exact: Interval | None = None
    """Clopper-Pearson: it holds at least its level, for independent cases."""
    clustered: Interval | None = None
    """By family: the one to quote, because variants of one family succeed and fail together."""
    warning: str = ""
    """Why the interval should not be trusted; empty where nothing speaks against it."""


class Difference(Figure):
    """How much more often one thing happened than another on the same cases."""

    first: float
    second: float
    value: float
    """`first` minus `second`."""
    interval: Interval
    cases: int
    families: int
    warning: str = ""


class Test(Figure):
    """The answer of a significance test."""

    __test__ = False  # pytest, this is no test of ours

    method: str
    p: float
    statistic: float | None = None
    corrected: float | None = None
    """The p-value after correction for how many were asked together; None before."""
    counts: Mapping[str, int] = {}
