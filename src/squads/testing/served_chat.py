"""The OpenAI Chat Completions protocol, as the model server speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from squads.testing.served import Conversation, Message, Offered, ToolResult
from squads.testing.served_dialect import Answer, Dialect, event, joined, pieces, problem_openai

_CREATED = 1_700_000_000
"""When every reply says it was made: the server has no clock, so that equal replies are equal bytes."""


def _read(body: dict[str, Any]) -> Conversation:
    system, messages, results, names = [], [], [], {}
    for message in body.get("messages", ()):
        role, text = message["role"], joined(message.get("content"))
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if role == "tool":
            id_ = message["tool_call_id"]
            results.append(ToolResult(id_, names.get(id_, ""), text))
        elif role in ("system", "developer"):
            system.append(text)
        elif text:
            messages.append(Message(role, text))
    functions = [t["function"] for t in body.get("tools", ()) if "function" in t]
    return Conversation(
        system="\n".join(system),
        messages=tuple(messages),
        tools=tuple(Offered(f["name"], f.get("parameters", {}), f.get("description", "")) for f in functions),
        results=tuple(results),
    )


def _usage(answer: Answer) -> dict[str, Any]:
    tokens = answer.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read},
    }


def _stop(answer: Answer) -> str:
    if answer.reply.cut_off:
        return "length"
    return "tool_calls" if answer.reply.calls else "stop"


def _plain(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.reply.calls:
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": call.name, "arguments": call.json()}}
            for id_, call in answer.calls()
        ]
    return {
        "id": f"chatcmpl-{answer.number}",
        "object": "chat.completion",
        "created": _CREATED,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _stop(answer)}],
        "usage": _usage(answer),
    }


def _events(answer: Answer) -> Iterator[bytes]:
    yield _chunk(answer, {"role": "assistant", "content": ""})
    for piece in pieces(answer.text):
        yield _chunk(answer, {"content": piece})
    for index, (id_, call) in enumerate(answer.calls()):
        begin = {"index": index, "id": id_, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield _chunk(answer, {"tool_calls": [begin]})
        for piece in pieces(call.json()):
            yield _chunk(answer, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chunk(answer, {}, _stop(answer))
    if (answer.body.get("stream_options") or {}).get("include_usage"):
        yield event(_frame(answer) | {"choices": [], "usage": _usage(answer)})
    yield b"data: [DONE]\n\n"


def _frame(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.number}",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": answer.model,
    }


def _chunk(answer: Answer, delta: dict[str, Any], stop: str | None = None) -> bytes:
    return event(_frame(answer) | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": stop}]})


CHAT = Dialect("chat", _read, _plain, _events, problem_openai, "x-request-id")
