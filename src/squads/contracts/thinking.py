"""What a role asks of a model and what comes back: typed on both sides, with what it cost.

A role never speaks to a vendor. It fills in a `ModelRequest`, hands it to its `Mind`, and gets one of the forms that it
named, filled in and checked, or a typed failure. Content of others stands fenced inside the prompt; see `squads.minds`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import BaseModel, Field

from squads.contracts.base import Content, Contract, Digest
from squads.contracts.finding import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that a model may call while it thinks about one piece of work."""

    function: Callable[..., str | Awaitable[str]]
    """Typed, with a docstring: both become what the model reads. What it returns is fenced before the model sees it."""
    name: str
    reads_only: bool = False
    """True when calling it changes nothing: only such tools are given to gates."""


class ToolServer(Content):
    """An MCP server whose tools one role may use. Each role has a session of its own."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    """The prefix of its tools' names."""
    command: tuple[str, ...] = ()
    """Program and arguments of a server on standard input and output; no shell reads them."""
    url: str = ""
    """Where a server speaks streamable HTTP, when it is not a command."""
    environment: tuple[str, ...] = ()
    """Names of the environment variables that the command is given; no others."""
    tools: tuple[str, ...] = ()
    """The tools that may be used; empty means all of them, for a gate all that say they only read."""


class Effects(Protocol):
    """What tools changed, so that a resumed turn finds it again without calling them twice."""

    def taken(self) -> bytes:
        """Return what has changed since this was last asked, and begin anew; empty for nothing."""
        ...

    def redo(self, changes: bytes) -> None:
        """Make the changes that `taken` returned once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One piece of thinking: what a model is told, and the forms that its answer may take."""

    models: tuple[str, ...]
    """Model strings such as `anthropic:claude-sonnet-5-5`; the later ones are asked when an earlier one cannot be."""
    instructions: str
    """Who the role is and what binds it: trusted text only."""
    prompt: str
    """The work. Whatever was written by others stands in it as fenced data."""
    forms: tuple[type[BaseModel], ...]
    """The reply is one of these, filled in."""
    accepts: Callable[[BaseModel], None] | None = None
    """Raises `ValueError` for a filled form that cannot be used; the sentence goes back to the model."""
    tools: tuple[Tool, ...] = ()
    servers: tuple[ToolServer, ...] = ()
    reads_only: bool = False
    """True for a gate: tools that could change something are not offered."""
    effects: Effects | None = None
    """Where tools leave their marks; None where they leave none."""
    output_tokens_max: int = 16_000
    """The most that one reply of the model may have."""
    reasks_max: int = 2
    """How often it is asked again for a reply that does not validate."""
    turns_max: int = 40
    """How many replies one request may take, those that only call tools included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """A filled form, which model filled it, and what the whole request cost."""

    form: BaseModel
    model: str
    usage: Usage


class Mind(Protocol):
    """What a role thinks with while it works on one request: bound to that request's journal and allowance."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Return the filled form. A request that was answered before, in this process or a dead one, is not paid again.

        Raises a `ModelError`: `ModelUnreachable`, `ModelRejected`, `InvalidReply`, `AllowanceSpent`, `RecordingMissed`.
        """
        ...

    @property
    def sandbox(self) -> Any:
        """A `squads.kernel.ports.Sandbox` for commands of tools, or None where there is none."""
        ...

    @property
    def usage(self) -> Usage:
        """What was spent on this request so far."""
        ...


class Step(Contract):
    """One paid reply, or one call of a tool, as the journal keeps it."""

    kind: Literal["model", "tool"]
    input: Digest
    """The digest of what was asked: the conversation so far, or the tool's name and arguments."""
    turn: int = Field(ge=1)
    """1 for the first time that exactly this was asked within the request, one more for each further time."""
    payload: bytes
    """What came back, as its adapter wrote it."""


class Progress(Contract):
    """Something happened inside a role's turn: for people who watch, never for a rule, never receipted."""

    kind: Literal["progress"] = "progress"
    packet: str
    about: Digest
    """The request or ticket that the role works on."""
    role: str
    stage: Literal["asked", "answered", "again", "retry", "tool", "fallback"]
    """A model was asked; it answered; its reply did not validate; a transport error is tried again; a tool was called;
    another model takes over."""
    model: str = ""
    tool: str = ""
    tokens: int = 0
    """Tokens of the whole request so far."""
    wait_ms: int = 0
    """How long the reply or the tool took; before a retry, how long is waited."""


class UnsafeText(Contract):
    """Text of a model before any verdict on it. Only who asked for it by its ugly name ever sees one."""

    kind: Literal["unsafe-text"] = "unsafe-text"
    packet: str
    about: Digest
    role: str
    text: str
