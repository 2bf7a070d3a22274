"""The priors that come with the library: each is a colleague's briefing, and no two are one."""

from __future__ import annotations

import re

import pytest

from squads.cards import Value, built_in_card, read_card
from squads.instances import role_of
from squads.resolve import prior_of

PRIORS = {
    "coordinator": "roles",
    "builder": "roles",
    "gate": "gates",
    "security": "gates",
    "schema": "gates",
    "tests": "gates",
    "scope": "gates",
}
MODEL = Value("anthropic:claude-sonnet-5-5", "memory/charter.md:2")


def text_of(name: str) -> str:
    return built_in_card(name).decode()


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_says_where_to_look_what_never_passes_and_what_it_caught(name: str) -> None:
    """In that order, as prose."""
    text = text_of(name)

    places = [
        re.search(rf"^{words}", text, re.MULTILINE) for words in ("Look first", "Never ", "One catch to remember: ")
    ]
    assert all(places)
    assert sorted(places, key=lambda p: p.start() if p else 0) == places


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_is_short_and_says_one_thing_a_line(name: str) -> None:
    """Nobody remembers a briefing of two pages; and it is a briefing, with nothing to be filled in."""
    lines = text_of(name).splitlines()

    assert 25 <= len(lines) < 60
    assert [] == [line for line in lines if len(line) > 120 or re.search(r"[a-z0-9)`][.!?] [A-Z`]", line)]
    assert [] == re.findall(r"[{}<>]|\$\w|TODO", "\n".join(lines).replace("==", ""))


@pytest.mark.parametrize("name", [name for name, folder in PRIORS.items() if folder == "gates" and name != "gate"])
def test_a_gates_prior_names_invariants(name: str) -> None:
    """A finding under a name can be counted, waived and found again."""
    assert len(re.findall(r"`[a-z]+\.[a-z-]+`", text_of(name))) >= 5


def test_no_two_priors_are_one() -> None:
    """Even with one model for all of them, nobody judges with an author's eyes."""
    digests = []
    for name, folder in PRIORS.items():
        card = read_card(f"---\nextends: squads:{name}\n---\n".encode(), f"{folder}/{name}.md")
        digests.append(prior_of(role_of(card, lambda _: None, lambda _: None, {}, model=MODEL)))  # type: ignore[arg-type, return-value]

    assert len(PRIORS) == len(set(digests))
