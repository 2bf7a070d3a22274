"""The OpenAI Responses protocol, as the model server speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from squads.testing.served import Conversation, Message, Offered, ToolResult
from squads.testing.served_dialect import Answer, Dialect, event, joined, pieces, problem_openai

_CREATED = 1_700_000_000


def _read(body: dict[str, Any]) -> Conversation:
    system = [body["instructions"]] if body.get("instructions") else []
    messages, results, names = [], [], {}
    given = body.get("input", "")
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        match item.get("type", "message"):
            case "function_call":
                names[item["call_id"]] = item["name"]
            case "function_call_output":
                id_ = item["call_id"]
                results.append(ToolResult(id_, names.get(id_, ""), joined(item.get("output"))))
            case "message" if item["role"] in ("system", "developer"):
                system.append(joined(item.get("content")))
            case "message":
                messages.append(Message(item["role"], joined(item.get("content"))))
    functions = [t for t in body.get("tools", ()) if t.get("type") == "function"]
    return Conversation(
        system="\n".join(system),
        messages=tuple(messages),
        tools=tuple(Offered(f["name"], f.get("parameters") or {}, f.get("description") or "") for f in functions),
        results=tuple(results),
    )


def _items(answer: Answer) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each output item as it begins, and what fills it."""
    if answer.reply.text:
        yield _said(f"msg_{answer.number}"), answer.reply.text
    for index, (id_, call) in enumerate(answer.calls()):
        function = {"type": "function_call", "id": f"fc_{answer.number}_{index}", "call_id": id_, "name": call.name}
        yield function | {"arguments": "", "status": "in_progress"}, call.json()
    if answer.reply.text_after:
        yield _said(f"msg_{answer.number}_after"), answer.reply.text_after


def _said(id_: str) -> dict[str, Any]:
    return {"type": "message", "id": id_, "role": "assistant", "status": "in_progress", "content": []}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _filled(item: dict[str, Any], filling: str) -> dict[str, Any]:
    done = {"content": [_part(filling)]} if item["type"] == "message" else {"arguments": filling}
    return item | done | {"status": "completed"}


def _response(answer: Answer, status: str) -> dict[str, Any]:
    tokens, done = answer.tokens, status != "in_progress"
    return {
        "id": f"resp_{answer.number}",
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "model": answer.model,
        "output": [_filled(*item) for item in _items(answer)] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": tokens.cache_read, "cache_write_tokens": tokens.cache_write},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.input + tokens.output,
        }
        if done
        else None,
    }


def _plain(answer: Answer) -> dict[str, Any]:
    return _response(answer, "incomplete" if answer.reply.cut_off else "completed")


def _events(answer: Answer) -> Iterator[bytes]:
    for number, data in enumerate(_told(answer)):
        yield event(data | {"sequence_number": number}, data["type"])


def _told(answer: Answer) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response(answer, "in_progress")}
    yield {"type": "response.in_progress", "response": _response(answer, "in_progress")}
    for index, (item, filling) in enumerate(_items(answer)):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        place = {"item_id": item["id"], "output_index": index}
        if item["type"] == "message":
            place["content_index"] = 0
            yield {"type": "response.content_part.added", "part": _part(""), **place}
            for piece in pieces(filling):
                yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
            yield {"type": "response.output_text.done", "text": filling, "logprobs": [], **place}
            yield {"type": "response.content_part.done", "part": _part(filling), **place}
        else:
            for piece in pieces(filling):
                yield {"type": "response.function_call_arguments.delta", "delta": piece, **place}
            name = {"name": item["name"]}
            yield {"type": "response.function_call_arguments.done", "arguments": filling, **name, **place}
        yield {"type": "response.output_item.done", "output_index": index, "item": _filled(item, filling)}
    end = "incomplete" if answer.reply.cut_off else "completed"
    yield {"type": f"response.{end}", "response": _response(answer, end)}


RESPONSES = Dialect("responses", _read, _plain, _events, problem_openai, "x-request-id")
