"""What one protocol of the model server consists of: how a request is read, and how answers and errors are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from squads.testing.served import Call, Conversation, Fault, Protocol, ServerReply, Tokens, compact

PIECE_CHARS = 48
"""How much text or JSON one event of a stream carries."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with everything filled in that a protocol wants to know."""

    number: int
    model: str
    reply: ServerReply
    tokens: Tokens
    body: dict[str, Any]
    """The request's."""

    def calls(self) -> Iterator[tuple[str, Call]]:
        """Yield each call with its id."""
        for index, call in enumerate(self.reply.calls):
            yield call.id or f"call_{self.number}_{index}", call

    @property
    def text(self) -> str:
        """All text, for protocols with one place for it."""
        return "\n".join(t for t in (self.reply.text, self.reply.text_after) if t)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol."""

    name: Protocol
    read: Callable[[dict[str, Any]], Conversation]
    plain: Callable[[Answer], dict[str, Any]]
    events: Callable[[Answer], Iterator[bytes]]
    problem: Callable[[Fault, str], dict[str, Any]]
    """The body of an error, for a model of this name."""
    request_id_header: str


def pieces(text: str) -> Iterator[str]:
    """Yield a text in the pieces that a stream sends."""
    for start in range(0, len(text), PIECE_CHARS):
        yield text[start : start + PIECE_CHARS]


def event(data: dict[str, Any], name: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {compact(data)}\n\n".encode()


def joined(content: Any) -> str:
    """Return the text of a message's content: a text, or a list of parts of which some have text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None else compact(content)
    return "\n".join(p if isinstance(p, str) else str(p["text"]) for p in content if isinstance(p, str) or "text" in p)


def parsed(text: str) -> Any:
    """Return what JSON says, or the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def problem_openai(fault: Fault, model: str) -> dict[str, Any]:
    """Return an error as OpenAI writes it, for both of its protocols."""
    said, kind, code = _OPENAI.get(fault.kind, ("The server had an error while processing your request.", None, None))
    return {
        "error": {
            "message": fault.message or said.format(model=model),
            "type": kind or ("server_error" if fault.status >= 500 else "invalid_request_error"),
            "param": None,
            "code": code,
        }
    }


_OPENAI: dict[str, tuple[str, str | None, str]] = {
    "rate-limited": ("Rate limit reached for {model}. Please try again later.", "requests", "rate_limit_exceeded"),
    "unauthorized": ("Incorrect API key provided.", None, "invalid_api_key"),
    "unknown-model": ("The model `{model}` does not exist or you do not have access to it.", None, "model_not_found"),
    "context-length": (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens. "
        "Please reduce the length of the messages.",
        None,
        "context_length_exceeded",
    ),
}
