"""The Anthropic Messages protocol, as the model server speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from squads.testing.served import Conversation, Fault, Message, Offered, ToolResult
from squads.testing.served_dialect import Answer, Dialect, event, joined, parsed, pieces

_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}
_ERRORS |= {413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error"}
_SAID = {
    "rate-limited": "This request would exceed your organization's rate limit.",
    "unauthorized": "invalid x-api-key",
    "unknown-model": "model: {model}",
    "context-length": "prompt is too long: 210000 tokens > 200000 maximum",
}


def _read(body: dict[str, Any]) -> Conversation:
    messages, results, names = [], [], {}
    for message in body.get("messages", ()):
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        for block in blocks:
            if block.get("type") == "tool_use":
                names[block["id"]] = block["name"]
            elif block.get("type") == "tool_result":
                call = block["tool_use_id"]
                results.append(ToolResult(call, names.get(call, ""), joined(block.get("content"))))
        if text := joined(content):
            messages.append(Message(message["role"], text))
    return Conversation(
        system=joined(body.get("system")),
        messages=tuple(messages),
        tools=tuple(
            Offered(t["name"], t.get("input_schema", {}), t.get("description", "")) for t in body.get("tools", ())
        ),
        results=tuple(results),
    )


def _usage(answer: Answer) -> dict[str, Any]:
    tokens = answer.tokens
    return {
        # Anthropic counts what came from a cache, and what went there, beside the input, not in it.
        "input_tokens": max(0, tokens.input - tokens.cache_read - tokens.cache_write),
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cache_read,
        "output_tokens": tokens.output,
    }


def _stop(answer: Answer) -> str:
    if answer.reply.cut_off:
        return "max_tokens"
    return "tool_use" if answer.reply.calls else "end_turn"


def _message(answer: Answer, content: list[dict[str, Any]], stop: str | None) -> dict[str, Any]:
    return {
        "id": f"msg_{answer.number}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": _usage(answer),
    }


def _blocks(answer: Answer) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each block as it begins, and what fills it."""
    if answer.reply.text:
        yield {"type": "text", "text": ""}, answer.reply.text
    for id_, call in answer.calls():
        yield {"type": "tool_use", "id": id_, "name": call.name, "input": {}}, call.json()
    if answer.reply.text_after:
        yield {"type": "text", "text": ""}, answer.reply.text_after


def _plain(answer: Answer) -> dict[str, Any]:
    content = []
    for block, filling in _blocks(answer):
        content.append(block | ({"text": filling} if block["type"] == "text" else {"input": parsed(filling)}))
    return _message(answer, content, _stop(answer))


def _events(answer: Answer) -> Iterator[bytes]:
    yield _event({"type": "message_start", "message": _message(answer, [], None)})
    for index, (block, filling) in enumerate(_blocks(answer)):
        yield _event({"type": "content_block_start", "index": index, "content_block": block})
        for piece in pieces(filling):
            delta = (
                {"type": "text_delta", "text": piece}
                if block["type"] == "text"
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    yield _event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": _stop(answer), "stop_sequence": None},
            "usage": _usage(answer),
        }
    )
    yield _event({"type": "message_stop"})


def _event(data: dict[str, Any]) -> bytes:
    return event(data, data["type"])


def _problem(fault: Fault, model: str) -> dict[str, Any]:
    said = fault.message or _SAID.get(fault.kind, "Overloaded" if fault.status == 529 else "Internal server error")
    return {
        "type": "error",
        "error": {
            "type": _ERRORS.get(fault.status, "api_error"),
            "message": said.format(model=model) if not fault.message else said,
        },
    }


MESSAGES = Dialect("messages", _read, _plain, _events, _problem, "request-id")
