"""A card is a constructor call: every value has an origin, and an unknown key names the nearest one."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.cards import HOMES, built_in_card, read_card
from squads.contracts.errors import InvalidCard, InvalidInput
from squads.gates.gate import Gate
from squads.instances import role_of


def card(matter: str, prose: str = "Look.", path: str = "gates/schema.md") -> bytes:
    return f"---\n{matter}\n---\n{prose}\n".encode()


def no_other(name: str) -> None:
    raise AssertionError(name)


def no_module(path: str) -> ModuleType:
    raise ModuleNotFoundError(path)


def test_every_value_knows_where_it_comes_from() -> None:
    """From the card's own line, or from the card that it extends."""
    found = read_card(card("extends: squads:checks\nchecks: [sql.unique-null]"), "gates/schema.md")

    assert ("schema", "gates") == (found.name, found.folder)
    assert "squads:checks" == found.keys["kind"].origin
    assert "gates/schema.md:3" == found.keys["checks"].origin
    assert ("Look.", "gates/schema.md") == (found.prior.value, found.prior.origin)


def test_a_card_without_prose_has_the_prior_of_what_it_extends() -> None:
    """And says so."""
    found = read_card(card("extends: squads:checks", prose=""), "gates/schema.md")

    assert "squads:checks" == found.prior.origin
    assert found.prior.value


def test_a_digest_covers_the_card_and_what_it_extends() -> None:
    """Another word is another prior, and so is another built-in card below the same words."""
    one, other = (read_card(card("extends: squads:checks", prose=prose), "gates/s.md") for prose in ("A", "B"))
    third = read_card(card("extends: squads:panel", prose="A"), "gates/s.md")

    assert 3 == len({one.digest, other.digest, third.digest})


def test_a_digest_covers_the_text_of_what_is_extended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card of the library that says something else makes another prior of every card that extends it."""
    before = read_card(card("extends: squads:checks"), "gates/s.md").digest
    monkeypatch.setattr("squads.cards.built_in_card", lambda name: built_in_card(name) + b"More.\n")

    assert before != read_card(card("extends: squads:checks"), "gates/s.md").digest


@pytest.mark.parametrize("name", HOMES)
def test_every_built_in_card_can_be_read(name: str) -> None:
    """It has a class and a prior, and no name of its own."""
    found = read_card(built_in_card(name), f"gates/{name}.md")

    assert found.kind
    assert found.prior.value


@pytest.mark.parametrize(
    ("matter", "sentence"),
    [
        ("extends: squads:check", "gates/schema.md:2: no card 'squads:check' to extend; did you mean 'squads:checks'?"),
        ("extends: mine", "no card 'mine' to extend"),
        ("name: Schema Gate", "is no name for a role"),
        ("name: 7", "'name' is text"),
        ("tools: 3", "gates/schema.md:2: 'tools' is a list of words"),
        ("topics: [a, 3]", "'topics' is a list of words"),
        ("model: []", "gates/schema.md:2: 'model' is a model such as"),
        ("model: {a: b}", "'model' is a model such as"),
        ("model: [a:b, inherit]", "`inherit` stands alone"),
        ("model: [a:b, a:b]", "names each of them once"),
        ("run: [/bin/sh]", "gates/schema.md:2: '/bin/sh' is no name of a program"),
        ("output_tokens_max: -1", "is a whole number from 0 on"),
        ("servers: files", "gates/schema.md:2: 'servers' is a list"),
        ("servers: [{name: files, comand: [x]}]", "a server has no key 'comand'; did you mean 'command'?"),
        ("servers: [{name: Files, command: [x]}]", "gates/schema.md:2: ToolServer.name"),
        ("servers: [{name: files}]", "has either a `command` or a `url`"),
        ("servers: [{name: f, url: 'http://x'}, {name: f, command: [x]}]", "two servers are called 'f'"),
        ("call_tokens_max: -1", "is a whole number from 0 on"),
        ("call_tokens_max: true", "is a whole number from 0 on"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(matter: str, sentence: str) -> None:
    """And with what would be right."""
    with pytest.raises(InvalidCard) as caught:
        read_card(card(matter), "gates/schema.md")

    assert sentence in str(caught.value)


def test_a_model_may_have_fallbacks() -> None:
    """A list of them, the first choice first."""
    found = read_card(card("model: [anthropic:a, openai:b]"), "gates/schema.md")

    assert ("anthropic:a", "openai:b") == found.get("model")


def test_a_file_without_front_matter_is_no_card() -> None:
    """Prose alone does not say whose prior it is."""
    with pytest.raises(InvalidCard, match="a card begins with front matter"):
        read_card(b"Just prose.\n", "gates/x.md")


def test_an_assistants_agent_is_read_as_it_is() -> None:
    """What only the assistant needs is listed, not lost and not an error."""
    matter = "name: reviewer\ndescription: Reviews\ntools: Read, Grep\nmodel: sonnet\ncolor: red\nmaxTurns: 3"

    found = read_card(card(matter, "You review."), "gates/reviewer.md")

    assert (["Read", "Grep"], "sonnet", "You review.") == (found.get("tools"), found.get("model"), found.prior.value)
    assert ("color", "maxTurns") == found.unused
    assert isinstance(role_of(found, no_other, no_module, {}), Gate)


@pytest.mark.parametrize(
    ("matter", "sentence"),
    [
        ("extends: squads:checks\ncheks: [a]", "gates/schema.md:3: there is no key 'cheks'; did you mean 'checks'?"),
        ("extends: squads:checks", "list the `checks`"),
        ("extends: squads:checks\nchecks: sql.unique-null", "list the `checks`"),
        ("extends: squads:checks\nchecks: [sql.unique-nul]", "did you mean 'sql.unique-null'?"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nskip: [/etc]", "cannot be skipped"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nskip: ['*']", "cannot be skipped"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nskip: ['.']", "cannot be skipped"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nrefuse_at: huge", "huge"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nreads: [soul]", "'soul' is no reads"),
        ("kind: nowhere.at.all:Gate", "gates/schema.md:2: 'nowhere.at.all:Gate' cannot be imported"),
        ("kind: squads.gates.gate:Nothing", "cannot be imported"),
        ("kind: squads.gates.gate:Gate", "no model is named; add `model:` here"),
        ("name: schema", "no model is named; add `model:` here"),
        ("model: inherit", "gates/schema.md:2: this card says what a model is told, and no model is named"),
        ("extends: squads:checks\nchecks: [sql.unique-null]\nmodel: a:b", "schema.md:4: 'squads.gates.checklist:Check"),
        ("kind: pathlib:Path", "is no Builder, Gate, Coordinator or check"),
        ("kind: squads.change:WorkTreeChange", "belongs into roles/"),
        ("kind: my-plugin", "no installed package brings 'my-plugin'"),
        ("extends: squads:panel", "lists its `members`"),
    ],
)
def test_a_card_that_cannot_be_made_says_why(matter: str, sentence: str) -> None:
    """With file, line where there is one, and what to do."""
    with pytest.raises(InvalidCard) as caught:
        role_of(read_card(card(matter), "gates/schema.md"), no_other, no_module, {})

    assert sentence in str(caught.value)
    assert str(caught.value).startswith("gates/schema.md")


def test_a_role_has_what_its_card_says() -> None:
    """Name, prior, topics, and the digest that its prior covers."""
    text = "extends: squads:checks\nchecks: [sql.unique-null]\nrefuse_at: note\ntopics: [sql]\nskip: [tests/]"
    found = read_card(card(text), "gates/schema.md")

    role = role_of(found, no_other, no_module, {})

    assert ("schema", "Look.", found.digest, ["sql"]) == (role.name, role.prior, role.card, role.topics)
    assert ("tests/",) == role.skip
    assert ["note"] == [m.refuse_at for m in role.members]


@given(
    st.dictionaries(
        st.sampled_from(["name", "kind", "tools", "model", "run", "servers", "x", "extends"]), st.text(max_size=12)
    )
)
def test_no_card_makes_the_reader_fall(values: dict[str, str]) -> None:
    """Whatever a key holds, the answer is a card or a sentence."""
    matter = "\n".join(f"{key}: {value!r}" for key, value in values.items())
    said = "gates/x.md"
    try:
        read_card(f"---\n{matter}\n---\n".encode("utf-8", "replace"), "gates/x.md")
    except InvalidInput as error:
        said = str(error)

    assert said.startswith("gates/x.md")
