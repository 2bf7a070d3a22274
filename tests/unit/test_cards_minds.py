"""Cards of roles that ask a model: which one, with which tools, and what is never given to whom."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from squads import Builder, Coordinator, Gate
from squads.cards import Tools, Value, read_card, tools_of
from squads.contracts.errors import InvalidCard
from squads.contracts.thinking import ToolServer
from squads.contracts.work import ReviewWork
from squads.instances import role_of
from squads.resolve import prior_of

DEFAULT = Value("anthropic:claude-sonnet-5-5", "memory/charter.md:2")
OWN = "openai:gpt-6"


class Strict(Gate):
    """A gate that is code."""

    def review(self, work: ReviewWork) -> Any:
        return work.approve()


def named(word: str, **options: Any) -> Gate:
    """Return a gate that asks a model."""
    return Gate(prior=word, **options)


def role(matter: str, path: str = "gates/reader.md", *, default: Value | None = DEFAULT, prose: str = "Look.") -> Any:
    def module(path: str) -> ModuleType:
        found = ModuleType(path)
        found.Strict, found.named, found.Lazy = Strict, named, type("Lazy", (Builder,), {})  # type: ignore[attr-defined]
        return found

    card = read_card(f"---\n{matter}\n---\n{prose}\n".encode(), path)
    return role_of(card, lambda name: None, module, {}, model=default)


def given(matter: str, kind: str) -> Tools:
    return tools_of(read_card(f"---\n{matter}\n---\n".encode(), "gates/reader.md"), kind)


@pytest.mark.parametrize(("path", "made"), [("gates/reader.md", Gate), ("roles/maker.md", Builder)])
def test_a_card_without_a_class_asks_a_model(path: str, made: type) -> None:
    """A gate in gates/, a builder in roles/; what the card says wins over the charter."""
    own = role(f"model: {OWN}", path)
    inherited = role("model: inherit\ndescription: d", path)

    assert made is type(own) is type(inherited)
    assert (OWN, DEFAULT.value) == (own.model, inherited.model)
    assert ("Look.", own.card) == (own.prior, own.card)


@pytest.mark.parametrize(
    ("base", "path", "made"),
    [
        ("coordinator", "roles/c.md", Coordinator),
        ("builder", "roles/b.md", Builder),
        *((name, "gates/g.md", Gate) for name in ("gate", "security", "schema", "tests", "scope")),
    ],
)
def test_a_built_in_prior_asks_the_projects_model(base: str, path: str, made: type) -> None:
    """Without prose of its own, the card thinks with the built-in prior."""
    found = role(f"extends: squads:{base}", path, prose="")

    assert made is type(found)
    assert DEFAULT.value == found.model
    assert len(found.prior) > 500


def test_fallbacks_stand_in_order() -> None:
    """The first is asked first."""
    assert (OWN, "a:b") == role(f"model: [{OWN}, 'a:b']").model


@pytest.mark.parametrize(
    ("matter", "path"),
    [
        ("kind: gates/own.py:Strict", "gates/own.md"),
        ("extends: squads:checks\nchecks: [sql.unique-null]", "gates/own.md"),
        ("extends: squads:change", "roles/own.md"),
        ("extends: squads:one-task", "roles/own.md"),
    ],
)
def test_code_is_never_given_the_projects_model(matter: str, path: str) -> None:
    """A gate that is code would be recorded as one that another model reads with."""
    assert role(matter, path).model is None


def test_a_class_and_a_function_that_leave_the_work_to_a_model_get_it() -> None:
    """What matters is who does the work, not how the card came to it."""
    lazy = role("kind: roles/own.py:Lazy", "roles/own.md")
    made = role("kind: gates/own.py:named\nword: y", prose="")

    assert (DEFAULT.value, DEFAULT.value) == (lazy.model, made.model)


@pytest.mark.parametrize(
    ("matter", "kind", "expected"),
    [
        ("tools: [read, search]", "gate", Tools(("read", "search"))),
        ("tools: [read, write, search, run]\nrun: [python]", "builder", Tools(("read", "write", "search", "run"))),
        ("tools: Read, LS, Grep, Glob", "gate", Tools(("read", "search"))),
        ("tools: Read, Write, Edit, MultiEdit, Bash", "builder", Tools(("read", "write"), ("Bash",))),
        ("tools: Read, Bash(git diff:*)\nrun: git", "builder", Tools(("read", "run"))),
        (
            "tools: Read, Edit, Bash, WebFetch, mcp__x__y",
            "gate",
            Tools(("read",), ("Edit", "Bash", "WebFetch", "mcp__x__y")),
        ),
        (
            "tools: [read, edit, search, execute, agent, web]",
            "gate",
            Tools(("read", "search"), ("edit", "execute", "agent", "web")),
        ),
        ("tools: Read", "coordinator", Tools((), ("Read",))),
        ("description: d", "builder", Tools()),
    ],
)
def test_tools_are_given_by_kind_of_role(matter: str, kind: str, expected: Tools) -> None:
    """Tools of assistants become ours where they fit, and are listed where they do not."""
    assert expected == given(matter, kind)


@pytest.mark.parametrize(
    ("matter", "path", "sentence"),
    [
        ("tools: [read, write]", "gates/g.md", "gates/g.md:2: a gate never changes what it judges"),
        ("tools: [run]\nrun: [python]", "gates/g.md", "so it is not given 'run'; it may have only read and search"),
        ("run: [python]", "gates/g.md", "gates/g.md:2: programs are listed that this card does not use; a gate runs"),
        ("run: [python]", "roles/b.md", "roles/b.md:2: programs are listed that this card does not use; add `run`"),
        ("tools: [run]", "roles/b.md", "roles/b.md:2: `run` starts only programs that the card lists"),
        ("tools: [reed]", "roles/b.md", "roles/b.md:2: there is no tool 'reed'; did you mean 'read'?"),
        ("extends: squads:coordinator\ntools: [read]", "roles/c.md", "roles/c.md:3: a coordinator makes no files"),
        ("extends: squads:change\nserver: []", "roles/c.md", "there is no key 'server'; did you mean 'servers'?"),
        ("extends: squads:change\nservers: []", "roles/c.md", "is code and asks no model; leave `servers` out"),
    ],
)
def test_what_a_role_may_not_have_is_refused_with_its_line(matter: str, path: str, sentence: str) -> None:
    """Our own words mean what they say, so a gate that asks to write is a mistake and not a wish."""
    with pytest.raises(InvalidCard) as caught:
        role(matter, path)

    assert sentence in str(caught.value)


def test_servers_and_bounds_reach_the_role() -> None:
    """Every key is an argument of the class."""
    found = role(
        "servers: [{name: docs, command: [docs-server, --stdio], environment: [LANG], tools: [look]}]\n"
        "family: gpt\ntopics: [sql]\ncall_tokens_max: 9\ncall_microusd_max: 8\noutput_tokens_max: 7"
    )
    server = ToolServer(name="docs", command=("docs-server", "--stdio"), environment=("LANG",), tools=("look",))

    assert ((server,), "gpt", ("sql",)) == (found.servers, found.family, found.topics)
    assert (9, 8, 7) == (found.call_tokens_max, found.call_microusd_max, found.output_tokens_max)


def test_a_prior_digest_covers_all_that_a_role_reads_with() -> None:
    """Another model, tool, program or server is another reader, also where the card's bytes are the same."""
    same = "description: d"
    digests = [
        prior_of(role(same, "roles/b.md")),
        prior_of(role(same, "roles/b.md", default=Value(OWN, ""))),
        prior_of(role(same, "roles/b.md", default=Value((OWN, DEFAULT.value), ""))),
    ]
    for key, value in (("tools", ("read",)), ("run", ("python",)), ("servers", (ToolServer(name="a", url="u"),))):
        changed = role(same, "roles/b.md")
        setattr(changed, key, value)
        digests.append(prior_of(changed))

    assert len(digests) == len(set(digests))
    assert digests[0] == prior_of(role(same, "roles/b.md"))
