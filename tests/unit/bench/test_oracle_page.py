"""A family's `oracle` mapping: strict, so that a slip is not half a proof."""

from __future__ import annotations

from typing import Any

import pytest

from squads.bench.oracles import PythonOracle, SqlOracle, oracle_of
from squads.contracts.errors import InvalidCase

SQL: dict[str, Any] = {"kind": "sql", "broken_if": "SELECT true"}


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"kind": "perl"}, "python or sql"),
        ({}, "python or sql"),
        ({"kind": "python", "attak": "x.py"}, "no key 'attak'"),
        ({"kind": "sql", "broken_iff": "SELECT true"}, "did you mean 'broken_if'"),
        ({"kind": "sql"}, "broken_if"),
        ({**SQL, "attack": [{"as": "app", "does": "SELECT 1"}]}, "did you mean 'do'"),
        ({**SQL, "attack": [{"as": "mallory", "do": "SELECT 1"}]}, "mallory"),
        ({**SQL, "attack": [{"as": "app", "do": "SELECT 1", "expect": "maybe"}]}, "works"),
        (
            {
                **SQL,
                "attack": [
                    {"as": "app", "do": "SELECT 1", "session": "a"},
                    {"as": "owner", "do": "SELECT 1", "session": "a"},
                ],
            },
            "session 'a' belongs to app already",
        ),
        (
            {**SQL, "attack": [{"as": "app", "do": "SELECT 1", "name": "x"}, {"as": "app", "do": "x", "name": "x"}]},
            "another step is called 'x'",
        ),
    ],
    ids=["kind", "none", "key", "near", "missing", "step", "role", "expect", "session", "name"],
)
def test_a_slip_is_said_with_the_nearest_known_word(mapping: dict[str, Any], says: str) -> None:
    """And with the family that it stands in."""
    with pytest.raises(InvalidCase, match=says) as caught:
        oracle_of(mapping, family="scores")

    assert str(caught.value).startswith("scores: ")


def test_both_kinds_are_read_with_their_defaults() -> None:
    """A step works unless it says otherwise."""
    python = oracle_of({"kind": "python"}, family="f")
    sql = oracle_of({**SQL, "attack": [{"as": "app", "do": "SELECT 1"}]}, family="f")

    assert isinstance(python, PythonOracle)
    assert isinstance(sql, SqlOracle)
    assert ("works", "unknown", False) == (sql.attack[0].expect, sql.migration_fails, sql.autocommit)
