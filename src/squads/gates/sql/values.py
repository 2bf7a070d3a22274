"""What is known of a value in a row: an interval of numbers, whether it may be NULL, whether it is one constant."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

End = Fraction | None
"""One end of an interval; None is infinity."""


@dataclass(frozen=True, slots=True)
class Value:
    """All values an expression may have. Wider than the truth is allowed, narrower never."""

    low: End = None
    high: End = None
    low_open: bool = False
    high_open: bool = False
    nullable: bool = True
    present: bool = True
    """Whether it may be something else than NULL."""
    constant: str | None = None
    """The string it is, where it can only be one."""

    def __neg__(self) -> Value:
        return Value(
            low=None if self.high is None else -self.high,
            high=None if self.low is None else -self.low,
            low_open=self.high_open,
            high_open=self.low_open,
            nullable=self.nullable,
            present=self.present,
        )

    def __add__(self, other: Value) -> Value:
        return Value(
            low=None if self.low is None or other.low is None else self.low + other.low,
            high=None if self.high is None or other.high is None else self.high + other.high,
            low_open=self.low_open or other.low_open,
            high_open=self.high_open or other.high_open,
            nullable=self.nullable or other.nullable,
            present=self.present and other.present,
        )

    def __mul__(self, other: Value) -> Value:
        nullable, present = self.nullable or other.nullable, self.present and other.present
        factor, many = (self.low, other) if self.is_point else (other.low, self)
        if not (self.is_point or other.is_point) or factor is None:
            positive = self.at_least_zero and other.at_least_zero
            return Value(low=Fraction(0) if positive else None, nullable=nullable, present=present)
        if factor == 0:
            return Value(Fraction(0), Fraction(0), nullable=nullable, present=present)
        many = many if factor > 0 else -many
        size = abs(factor)
        return Value(
            low=None if many.low is None else many.low * size,
            high=None if many.high is None else many.high * size,
            low_open=many.low_open,
            high_open=many.high_open,
            nullable=nullable,
            present=present,
        )

    @property
    def is_point(self) -> bool:
        """Whether it is exactly one number."""
        return self.low is not None and self.low == self.high

    @property
    def at_least_zero(self) -> bool:
        """Whether no value of it is below zero."""
        return self.low is not None and self.low >= 0

    @property
    def below_zero(self) -> bool:
        """Whether every value of it is below zero."""
        return self.high is not None and (self.high < 0 or (self.high == 0 and self.high_open))

    def below(self, other: Value) -> bool:
        """Return whether every value of this is less than every value of `other`."""
        if self.high is None or other.low is None:
            return False
        return self.high < other.low or (self.high == other.low and (self.high_open or other.low_open))

    def not_above(self, other: Value) -> bool:
        """Return whether every value of this is less than or equal to every value of `other`."""
        return self.high is not None and other.low is not None and self.high <= other.low

    def rounded(self) -> Value:
        """Return what a cast that rounds may make of it."""
        return replace(
            self,
            low=None if self.low is None else Fraction(math.floor(self.low)),
            high=None if self.high is None else Fraction(math.ceil(self.high)),
            low_open=False,
            high_open=False,
            constant=None,
        )


ANYTHING = Value()
NULL = Value(present=False)
ZERO = Fraction(0)


def point(number: Fraction) -> Value:
    """Return the value that is exactly `number`."""
    return Value(number, number, nullable=False)


def joined(values: list[Value]) -> Value:
    """Return what may be any of `values`."""
    there = [v for v in values if v.present]
    if not there:
        return NULL
    lows, highs = [v.low for v in there], [v.high for v in there]
    low = None if None in lows else min(x for x in lows if x is not None)
    high = None if None in highs else max(x for x in highs if x is not None)
    return Value(
        low=low,
        high=high,
        low_open=low is not None and all(v.low_open for v in there if v.low == low),
        high_open=high is not None and all(v.high_open for v in there if v.high == high),
        nullable=any(v.nullable for v in values),
        constant=there[0].constant if len({v.constant for v in there}) == 1 else None,
    )


def sign(value: Value) -> Value:
    """Return SIGN(value)."""
    one = Fraction(1)
    low, high = (-one, -one) if value.below_zero else (ZERO, one) if value.at_least_zero else (-one, one)
    return Value(low, high, nullable=value.nullable, present=value.present)


def absolute(value: Value) -> Value:
    """Return ABS(value)."""
    value = -value if value.below_zero else value
    return value if value.at_least_zero else Value(low=ZERO, nullable=value.nullable, present=value.present)


def floored(value: Value) -> Value:
    """Return FLOOR(value): the only rounding that keeps every negative number negative."""
    high = value.high
    if high is not None:
        high = high - 1 if value.high_open and high.denominator == 1 else Fraction(math.floor(high))
    low = None if value.low is None else Fraction(math.floor(value.low))
    return replace(value, low=low, high=high, low_open=False, high_open=False, constant=None)


def first_present(values: list[Value]) -> Value:
    """Return COALESCE(values): nothing behind the first member that is surely there is ever looked at."""
    sure = next((n for n, v in enumerate(values) if not v.nullable), len(values) - 1)
    return replace(joined(values[: sure + 1]), nullable=values[sure].nullable)


def greatest(values: list[Value]) -> Value:
    """Return GREATEST(values), which ignores NULLs: only members that are surely there bound it from below."""
    result, sure = joined(values), [v for v in values if not v.nullable]
    for value in sure:
        if value.low is not None and (result.low is None or value.low >= result.low):
            stricter = result.low is None or value.low > result.low or value.low_open
            result = replace(result, low=value.low, low_open=value.low_open if stricter else result.low_open)
    return replace(result, nullable=not sure, constant=None)


def least(values: list[Value]) -> Value:
    """Return LEAST(values)."""
    return -greatest([-v for v in values])
