"""A card: a constructor call in prose. Front matter holds the keyword arguments, the body is the prior.

A card may extend one of the cards that come with the library (`extends: squads:checks`), one level and no further, and
it names its class in `kind`. Every value remembers where it came from. No templates, no conditions: what needs logic is
a class. Agents in the Markdown form of coding assistants (name, description, tools, model, then prose) are read as they
are; what only an assistant needs is listed as not used.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from squads.contracts.errors import InvalidCard, InvalidInput
from squads.contracts.thinking import ToolServer
from squads.front_matter import Page, read_page
from squads.gates.words import word_set
from squads.minds.tools import GRANTED, KINDS
from squads.resolve import NAME

OWN = "squads:"
"""The prefix of cards and classes that come with the library."""
HOMES: Mapping[str, str] = {
    "checks": "squads.gates",
    "panel": "squads.gates",
    "probes": "squads.gates",
    "tool": "squads.gates",
    "ruff": "squads.gates",
    "bandit": "squads.gates",
    "sqlfluff": "squads.gates",
    "squawk": "squads.gates",
    "semgrep": "squads.gates",
    "gate": "squads.gates",
    "security": "squads.gates",
    "schema": "squads.gates",
    "tests": "squads.gates",
    "scope": "squads.gates",
    "change": "squads.roles",
    "one-task": "squads.roles",
    "builder": "squads.roles",
    "coordinator": "squads.roles",
}
"""Every built-in card, and the package in whose `cards` folder it stands."""
ROLE_KEYS: Mapping[str, str] = {
    "name": "text",
    "description": "text",
    "extends": "text",
    "kind": "text",
    "model": "models",
    "family": "text",
    "tools": "texts",
    "run": "programs",
    "servers": "servers",
    "topics": "texts",
    "reads": "texts",
    "refuse_at": "text",
    "call_tokens_max": "number",
    "call_microusd_max": "number",
    "call_ms_max": "number",
    "output_tokens_max": "number",
}
"""Keys that every card may have, and the form of each."""
INHERIT = "inherit"
"""The model of a card that takes the project's own, as cards of coding assistants say it."""
ASSISTANT_TOOLS: Mapping[str, str] = {
    **dict.fromkeys(("Read", "LS", "NotebookRead"), "read"),
    **dict.fromkeys(("Grep", "Glob"), "search"),
    **dict.fromkeys(("Write", "Edit", "MultiEdit", "edit"), "write"),
    **dict.fromkeys(("Bash", "bash", "execute", "shell"), "run"),
}
"""Tools as coding assistants call them, and what a role is given for each."""
_NO_COUNTERPART = word_set("agent web todo")
"""Tools of coding assistants in lower case that no role here has."""
ASSISTANT_KEYS = word_set(
    "color colour permissionMode permission_mode disallowedTools disallowed_tools maxTurns max_turns skills mcpServers "
    "mcp_servers hooks background effort isolation memory initialPrompt user-invocable argument-hint temperature mode "
    "version author license globs alwaysApply applyTo readonly is_background handoffs target metadata"
)
"""Keys that only a coding assistant needs."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a card, and where it was written."""

    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was read, with what it extends merged in."""

    path: str
    folder: str
    """`roles` or `gates`."""
    name: str
    keys: Mapping[str, Value]
    prior: Value
    digest: str
    """Covers this card's bytes, and those of the card it extends."""
    unused: tuple[str, ...] = ()
    """Keys that only a coding assistant needs."""

    @property
    def kind(self) -> str | None:
        """The class that it is an instance of; None for a card that only says what a model should be told."""
        value = self.keys.get("kind")
        return None if value is None else str(value.value)

    def get(self, key: str) -> Any:
        """Return a value, or None where the card does not give one."""
        return self.keys[key].value if key in self.keys else None

    def place(self, key: str) -> str:
        """Return where a key was written, or the card's path."""
        return self.keys[key].origin if key in self.keys else self.path


def read_card(content: bytes, path: str) -> Card:
    """Return the card in a file below `roles/` or `gates/`. Raises `InvalidCard` with file, line and what to do."""
    page = read_page(content, path, plain=ASSISTANT_KEYS | {"name", "description", "tools", "model"})
    if not page.values and not page.lines:
        raise InvalidCard(f"{path}:1: a card begins with front matter: a line of `---`, keys, and `---` again")
    stem = path.rsplit("/", 1)[-1].removesuffix(".md")
    base, base_digest = _extended(page)
    unused = tuple(sorted(set(page.values) & ASSISTANT_KEYS))
    keys = {key: Value(value, base.path) for key, value in base.values.items() if key != "name"}
    for key, value in page.values.items():
        if key in ASSISTANT_KEYS:
            continue
        keys[key] = Value(_formed(key, value, page), page.place(key))
    name = keys.pop("name", Value(stem, path)).value
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidCard(
            f"{page.place('name')}: {name!r} is no name for a role; use lower-case letters, digits, '.', '_' and '-', "
            "starting with a letter"
        )
    prior = Value(page.prose, path) if page.prose else Value(base.prose, base.path)
    digest = hashlib.sha256(b"squads.card/v1\n" + hashlib.sha256(content).digest() + base_digest).hexdigest()
    return Card(path, path.split("/", 1)[0], name, keys, prior, digest, unused)


def built_in_card(name: str) -> bytes:
    """Return the text of a card that comes with the library. Raises `KeyError`."""
    return (files(HOMES[name]) / "cards" / f"{name}.md").read_bytes()


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word nearest to this one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def check_keys(card: Card, known: Iterable[str]) -> None:
    """Raise `InvalidCard` for the first key that neither every card nor this card's class knows."""
    allowed = {*known, *ROLE_KEYS}
    for key, value in card.keys.items():
        if key not in allowed:
            raise InvalidCard(f"{value.origin}: there is no key {key!r}; {nearest(key, allowed)}")


@dataclass(frozen=True, slots=True)
class Tools:
    """What a card's `tools` come to for one kind of role."""

    given: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    """Tools of a coding assistant that have no counterpart, or that this kind of role is not given."""


def tools_of(card: Card, kind: str) -> Tools:
    """Return which tools a role of this kind is given. Raises `InvalidCard` for what it may not have.

    What a coding assistant calls a tool is not given where it does not fit; who writes our own words means them.
    """
    given: list[str] = []
    unused: list[str] = []
    programs = card.get("run") or ()
    for name in card.get("tools") or ():
        bare = name.partition("(")[0]  # an assistant's `Bash(git diff:*)`
        if name in KINDS:
            _check_tool(card, kind, name)
            given.append(name)
        elif bare in ASSISTANT_TOOLS:
            tool = ASSISTANT_TOOLS[bare]
            fits = tool in GRANTED[kind] and (tool != "run" or programs)
            (given if fits else unused).append(tool if fits else name)
        elif bare in _NO_COUNTERPART or bare[:1].isupper() or "__" in bare or "/" in bare or "*" in bare:
            unused.append(name)
        else:
            raise InvalidCard(f"{card.place('tools')}: there is no tool {name!r}; {nearest(name, KINDS)}")
    if programs and "run" not in given:
        why = "add `run` to its `tools`" if "run" in GRANTED[kind] else f"a {kind} runs nothing: leave `run` out"
        raise InvalidCard(f"{card.place('run')}: programs are listed that this card does not use; {why}")
    return Tools(tuple(dict.fromkeys(given)), tuple(dict.fromkeys(unused)))


def _check_tool(card: Card, kind: str, tool: str) -> None:
    if tool not in GRANTED[kind]:
        may = f"only {' and '.join(GRANTED[kind])}" if GRANTED[kind] else "none"
        why = "never changes what it judges" if kind == "gate" else "makes no files"
        raise InvalidCard(
            f"{card.place('tools')}: a {kind} {why}, so it is not given {tool!r}; it may have {may} of these tools"
        )
    if tool == "run" and not card.get("run"):
        raise InvalidCard(
            f"{card.place('tools')}: `run` starts only programs that the card lists; add `run: [python, pytest]`"
        )


def checked_models(value: Any, place: str) -> str | tuple[str, ...]:
    """Return a model, or a list of them in the order in which they are asked. Raises `InvalidCard`."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value and all(isinstance(m, str) and m.strip() for m in value):
        if INHERIT in value or len(set(value)) < len(value):
            raise InvalidCard(f"{place}: a list of models names each of them once, and `inherit` stands alone")
        return tuple(value)
    raise InvalidCard(
        f"{place}: 'model' is a model such as anthropic:claude-sonnet-5-5, or a list of them in the order in which "
        f"they are asked; got {value!r:.60}"
    )


def _extended(page: Page) -> tuple[Page, bytes]:
    name = page.values.get("extends")
    if name is None:
        return Page("default"), b""
    if not isinstance(name, str) or not name.startswith(OWN) or name.removeprefix(OWN) not in HOMES:
        known = [f"{OWN}{n}" for n in HOMES]
        raise InvalidCard(f"{page.place('extends')}: no card {name!r} to extend; {nearest(str(name), known)}")
    content = built_in_card(name.removeprefix(OWN))
    return read_page(content, str(name)), hashlib.sha256(content).digest()


def _formed(key: str, value: Any, page: Page) -> Any:
    """Return a common key's value in its form; other keys are the class's to judge."""
    form = ROLE_KEYS.get(key)
    if form == "models":
        return checked_models(value, page.place(key))
    if form == "servers":
        return _servers(value, page.place(key))
    if form in ("texts", "programs"):
        # Coding assistants write `tools: Read, Grep`.
        given = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(given, list) or not all(isinstance(item, str) and item for item in given):
            raise InvalidCard(f"{page.place(key)}: {key!r} is a list of words, such as [one, two]; got {value!r:.60}")
        if form == "programs" and (path := next((p for p in given if "/" in p or not p.isprintable()), None)):
            raise InvalidCard(f"{page.place(key)}: {path!r} is no name of a program; name it as PATH finds it: python")
        return given
    if form == "text" and not (isinstance(value, str) and value.strip()):
        raise InvalidCard(f"{page.place(key)}: {key!r} is text; got {value!r:.60}")
    if form == "number" and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise InvalidCard(f"{page.place(key)}: {key!r} is a whole number from 0 on; got {value!r:.60}")
    return value


def _servers(value: Any, place: str) -> tuple[ToolServer, ...]:
    """Return the MCP servers that a card lists. Raises `InvalidCard`."""
    if not isinstance(value, list) or not all(isinstance(server, Mapping) for server in value):
        raise InvalidCard(f"{place}: 'servers' is a list of `name: ..., command: [...]` mappings; got {value!r:.60}")
    found: list[ToolServer] = []
    for given in value:
        for key in given:
            if key not in ToolServer.model_fields:
                raise InvalidCard(f"{place}: a server has no key {key!r}; {nearest(str(key), ToolServer.model_fields)}")
        try:
            server = ToolServer(**given)
        except InvalidInput as error:
            raise InvalidCard(f"{place}: {error}") from error
        if bool(server.command) == bool(server.url):
            raise InvalidCard(f"{place}: the server {server.name!r} has either a `command` or a `url`")
        if server.name in {other.name for other in found}:
            raise InvalidCard(f"{place}: two servers are called {server.name!r}; give one another `name`")
        found.append(server)
    return tuple(found)
