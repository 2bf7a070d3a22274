"""Facts are read out of tables that were written for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.errors import InvalidInput
from squads.memory.pages import decision_in, fact_id, facts_in

MEMORY = Path(__file__).parents[3] / "memory"
TABLE = """# Facts

| Fact | Source | Scope | id |
| :--- | --- | :-: | --- |
| NULL is distinct \\| from NULL | PostgreSQL | sql | nulls |
| Balances are cents | the ledger's owner | | |

| unrelated | table |
| --- | --- |
| a | b |

```
| fact | source |
| --- | --- |
| in a code block | none |
```
"""


def test_a_row_is_a_fact_with_source_and_scope() -> None:
    """Columns are found by name; what brings no id gets one from its words."""
    first, second = facts_in(TABLE, "memory/facts.md")

    assert ("nulls", "NULL is distinct | from NULL", "PostgreSQL", "sql") == (
        first.id,
        first.text,
        first.source,
        first.scope,
    )
    assert (fact_id("Balances are cents"), "all") == (second.id, second.scope)


def test_a_fact_without_a_source_is_refused_with_its_line() -> None:
    """Hearsay is not kept."""
    with pytest.raises(InvalidInput, match=r"memory/facts.md:3: the fact 'Rain is wet' has no source"):
        facts_in("| fact | source |\n| --- | --- |\n| Rain is wet | |\n", "memory/facts.md")


def test_a_scope_that_is_none_is_refused_with_its_line() -> None:
    """A typing mistake must not open a fact to everybody, nor close it to all."""
    with pytest.raises(InvalidInput, match=r"m.md:3: .*scope"):
        facts_in("| fact | source | scope |\n|---|---|---|\n| x | y | Every One |\n", "m.md")


def test_a_glossary_is_facts_whose_source_is_the_page() -> None:
    """A word and its meaning."""
    (found,) = facts_in("| word | meaning |\n|---|---|\n| gate | gives one verdict |\n", "memory/glossary.md")

    assert ("gate: gives one verdict", "memory/glossary.md") == (found.text, found.source)


def test_a_decision_is_a_fact_by_its_title() -> None:
    """The page is the source; a page without a title holds none."""
    (found,) = decision_in("# 0004: Approving nothing is allowed\n\nText.\n", "memory/decisions/0004.md")

    assert ("Decided: Approving nothing is allowed", "memory/decisions/0004.md") == (found.text, found.source)
    assert [] == decision_in("no title", "x.md")


def test_the_same_words_keep_their_id() -> None:
    """However they are spaced."""
    assert fact_id("a  b\nc") == fact_id("a b c") != fact_id("a b d")


def test_this_repositorys_own_facts_are_readable() -> None:
    """They are told to its own squad."""
    assert len(facts_in((MEMORY / "facts.md").read_text("utf-8"), "memory/facts.md")) >= 10
    assert len(facts_in((MEMORY / "glossary.md").read_text("utf-8"), "memory/glossary.md")) >= 20
