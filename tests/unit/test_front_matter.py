"""Front matter is strict: what it says is said once, plainly, and with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.contracts.errors import InvalidCard
from squads.front_matter import DEPTH_MAX, MATTER_BYTES_MAX, PAGE_BYTES_MAX, read_page


def page(matter: str, prose: str = "") -> bytes:
    return f"---\n{matter}\n---\n{prose}".encode()


def test_a_page_is_values_with_their_lines_and_prose() -> None:
    """Lines count from the file's first one, so that a sentence can name them."""
    found = read_page(page("name: schema\nchecks: [a, b]\n\nlimits:\n  attempts_max: 3", "\nRead it.\n"), "gates/s.md")

    assert {"name": "schema", "checks": ["a", "b"], "limits": {"attempts_max": 3}} == found.values
    assert {"name": 2, "checks": 3, "limits": 5} == found.lines
    assert "Read it." == found.prose
    assert "gates/s.md:3" == found.place("checks")


def test_a_page_without_front_matter_is_prose() -> None:
    """A line of dashes further down is a rule, not a beginning."""
    assert ({}, "Text\n---\na: 1") == (read_page(b"Text\n---\na: 1\n", "x.md").values, "Text\n---\na: 1")


def test_a_date_stays_what_was_written() -> None:
    """Cards hold text, numbers, truth and lists; nothing guesses a type behind their back."""
    assert {"expires": "2026-01-01"} == read_page(page("expires: 2026-01-01"), "x.md").values


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (page("a: 1\na: 2"), "x.md:3: 'a' stands here twice"),
        (page("a: {b: 1, b: 2}"), "x.md:2: 'b' stands here twice"),
        (page("a: &x [1]\nb: *x"), "x.md:2: anchors"),
        (page("a: !!python/name:os.system"), "x.md:2: 'os.system' values are not read here"),
        (page("a: !!python/object/apply:os.system [ls]"), "are not read here"),
        (page("a: !!binary aGk="), "x.md:2: 'binary' values are not read here"),
        (page("a: ["), "this is no YAML"),
        (page("a: b: c"), "x.md:2: this is no YAML"),
        (page("just text"), "x.md:2: the front matter must be"),
        (page("? [a]\n: b"), "x.md:2: a key must be plain text"),
        (page("a: \x00"), "this is no YAML"),
        (page("a: " + "9" * 5_000), "x.md:2: the value cannot be read"),
        (page("[" * 5_000), "x.md"),
        (page("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)), "levels deep"),
        (b"---\na: 1\n", "x.md:1: the front matter is not closed"),
        (b"---\na: \xff\n---\n", "x.md:2: not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_not_strict_is_refused_with_its_place(content: bytes, sentence: str) -> None:
    """The sentence begins with file and line, and says what to do."""
    with pytest.raises(InvalidCard) as caught:
        read_page(content, "x.md")

    assert sentence in str(caught.value)


def test_both_bounds_hold() -> None:
    """At the bound a page is read, and one byte beyond it is not."""
    matter = "a: " + "x" * (MATTER_BYTES_MAX - 3)
    whole = page("a: 1", "x" * (PAGE_BYTES_MAX - len(page("a: 1"))))

    assert read_page(page(matter), "x.md").values
    assert PAGE_BYTES_MAX == len(whole)
    assert read_page(whole, "x.md").prose
    with pytest.raises(InvalidCard, match="front matter has more than"):
        read_page(page(matter + "x"), "x.md")
    with pytest.raises(InvalidCard, match="cut its prose"):
        read_page(whole + b"x", "x.md")


def test_an_assistants_plain_lines_are_read_as_they_stand() -> None:
    """Assistants write `description: Use it when: ...`, which is no YAML, and read it as text."""
    matter = "name: reviewer\ndescription: Use it when: a change is ready\ntools: Read, Grep"

    found = read_page(page(matter), "x.md", plain={"name", "description", "tools"})

    assert "Use it when: a change is ready" == found.values["description"]
    assert {"name": 2, "description": 3, "tools": 4} == found.lines
    with pytest.raises(InvalidCard):
        read_page(page(matter + "\nkind: a: b"), "x.md", plain={"name", "description", "tools"})


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="-:{}[]&*!|>'\"#%@`, \n\tab01", max_size=200).map(lambda text: page(text)),
    )
)
def test_no_page_makes_the_reader_fall(content: bytes) -> None:
    """Whatever stands there is read or refused with a sentence."""
    said = "x.md"
    try:
        read_page(content, "x.md", plain={"a", "b"})
    except InvalidCard as error:
        said = str(error)

    assert said.startswith("x.md")
