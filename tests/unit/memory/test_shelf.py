"""What a role may read is taken before anything is ranked, and what it is told is bounded and repeatable."""

from __future__ import annotations

import pytest

from squads.contracts.errors import InvalidInput
from squads.contracts.memory import CHARTER_CHARS_MAX, Fact
from squads.memory.shelf import FACTS_MAX, Shelf, scopes_of


def fact(text: str, scope: str = "all", name: str = "") -> Fact:
    return Fact(id=name or "f" + text.lower().replace(" ", "-")[:40], text=text, source="the manual", scope=scope)


SHELF = Shelf(
    [
        fact("Invoices are numbered per year."),
        fact("Treasury balances are stored in cents."),
        fact("The signing key rotates monthly.", "gate"),
        fact("Only the schema gate knows the canary word.", "gate:schema"),
        fact("Indexes on balances are partial.", "sql"),
    ]
)


def test_the_best_match_comes_first() -> None:
    """Words are compared by their stems, and the rest follows in the shelf's order."""
    told = SHELF.recall("How is a balance of a treasury stored?", scopes_of("builder", "carpenter"))

    assert ["Treasury balances are stored in cents.", "Invoices are numbered per year."] == [f.text for f in told]


@pytest.mark.parametrize(
    ("scopes", "count"),
    [
        (scopes_of("builder", "carpenter"), 2),
        (scopes_of("gate", "style"), 3),
        (scopes_of("gate", "schema"), 4),
        (scopes_of("gate", "schema", ["sql"]), 5),
        (frozenset(), 2),
    ],
)
def test_nobody_is_told_what_they_may_not_read(scopes: frozenset[str], count: int) -> None:
    """Also when the query asks for exactly that."""
    told = SHELF.recall("canary word signing key indexes", scopes)

    assert count == len(told)
    assert all(f.scope == "all" or f.scope in scopes for f in told)


def test_an_empty_query_keeps_the_order() -> None:
    """So do words that say nothing, and signs that FTS5 would take for its own."""
    scopes = scopes_of("gate", "schema", ["sql"])

    for query in ("", "the of and", '"*" OR NEAR( - ^'):
        assert list(SHELF.facts) == SHELF.recall(query, scopes)


def test_both_bounds_hold() -> None:
    """As many facts, and as many characters, as are allowed, and not one more."""
    many = Shelf(fact(f"Fact number {n:03}") for n in range(FACTS_MAX + 5))
    cost = len("Fact number 000") + len("the manual")

    assert FACTS_MAX == len(many.recall("", ()))
    assert 3 == len(many.recall("", (), facts_chars_max=3 * cost))
    assert 2 == len(many.recall("", (), facts_chars_max=3 * cost - 1))
    assert [] == many.recall("", (), facts_max=0)


def test_a_fact_that_is_too_long_for_what_is_left_makes_room_for_a_shorter_one() -> None:
    """The budget is for facts, not for the first fact that does not fit."""
    shelf = Shelf([fact("x" * 500), fact("Short.")])

    assert ["Short."] == [f.text for f in shelf.recall("", (), facts_chars_max=100)]


def test_two_facts_of_one_id_are_a_mistake() -> None:
    """A role could not say which of them it cites."""
    with pytest.raises(InvalidInput, match="two facts are called 'same'"):
        Shelf([fact("One", name="same"), fact("Two", name="same")])


def test_a_charter_is_bounded() -> None:
    """At the bound it is kept, and beyond it somebody has to cut it."""
    assert CHARTER_CHARS_MAX == len(Shelf(charter="x" * CHARTER_CHARS_MAX).charter)
    with pytest.raises(InvalidInput, match="cut it"):
        Shelf(charter="x" * (CHARTER_CHARS_MAX + 1))


def test_what_is_recalled_is_the_same_for_the_same() -> None:
    """Its digest is part of what a role saw."""
    assert SHELF.recalled("balance", ["gate"]) == SHELF.recalled("balance", ["gate"])
