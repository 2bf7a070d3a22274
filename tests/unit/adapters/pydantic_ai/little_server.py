"""A small server on this machine that answers in the three protocols which the wire speaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

HELLO: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart("hi")], instructions="Be good.")]
SETTINGS = ModelSettings(max_tokens=100)
FORM = ModelRequestParameters(
    output_mode="tool",
    allow_text_output=False,
    output_tools=[
        ToolDefinition(
            name="fill",
            description="Fill in the form.",
            parameters_json_schema={"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
            kind="output",
        )
    ],
)


@dataclass
class Little:
    """Answers every request, and remembers it. `script` is what it does instead, request by request."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    script: list[tuple[int, dict[str, str], bytes] | str] = field(default_factory=list)
    connections: int = 0
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while line := await reader.readline():
                path = line.split()[1].decode()
                headers = {}
                while (raw := await reader.readline()).strip():
                    name, _, value = raw.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
                self.asked.append((path, headers, body))
                step = self.script.pop(0) if self.script else answer(path, body)
                if step == "reset":
                    break
                if step == "silence":
                    self.silent.set()
                    await reader.read()
                    self.let_go.set()
                    break
                assert isinstance(step, tuple)
                status, more, content = step
                head = "".join(f"{key}: {value}\r\n" for key, value in more.items())
                writer.write(f"HTTP/1.1 {status} OK\r\ncontent-length: {len(content)}\r\n{head}\r\n".encode() + content)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def close(self, running: asyncio.Server) -> None:
        running.close()
        for writer in self.writers:
            writer.close()
        for writer in self.writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await running.wait_closed()


def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Fill in the first tool that is offered, or say hello."""
    tools = body.get("tools") or []
    name = (tools[0].get("name") or tools[0]["function"]["name"]) if tools else ""
    arguments = {"word": "yes"}
    if path.endswith("/messages"):
        content = [{"type": "tool_use", "id": "t1", "name": name, "input": arguments}]
        content = content if name else [{"type": "text", "text": "hello"}]
        usage = {"input_tokens": 11, "output_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0}
        reply = {
            "id": "m1", "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": "tool_use" if name else "end_turn", "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        return json_reply(reply)
    if path.endswith("/responses"):
        call = {"type": "function_call", "id": "f1", "call_id": "c1", "name": name, "arguments": json.dumps(arguments)}
        text = {
            "type": "message", "id": "m1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "hello", "annotations": []}],
        }  # fmt: skip
        usage = {
            "input_tokens": 11, "output_tokens": 7, "total_tokens": 18,
            "input_tokens_details": {"cached_tokens": 3}, "output_tokens_details": {"reasoning_tokens": 0},
        }  # fmt: skip
        reply = {
            "id": "r1", "object": "response", "created_at": 1, "model": body["model"], "status": "completed",
            "output": [call if name else text], "usage": usage, "parallel_tool_calls": True, "tool_choice": "auto",
            "tools": [],
        }  # fmt: skip
        return json_reply(reply)
    called = [{"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}]
    message = {"role": "assistant", "content": None, "tool_calls": called} if name else text_message("hello")
    usage = {
        "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "prompt_tokens_details": {"cached_tokens": 3}
    }  # fmt: skip
    base = {"id": "c1", "created": 1, "model": body["model"]}
    if body.get("stream"):
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "hel"}, {"content": "lo"}]
        chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": each}]} for each in deltas]
        chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
        lines = [json.dumps({**base, "object": "chat.completion.chunk", **each}) for each in chunks]
        body_text = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
        return 200, {"content-type": "text/event-stream"}, body_text.encode()
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if name else "stop"}
    return json_reply({**base, "object": "chat.completion", "choices": [choice], "usage": usage})


def text_message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def json_reply(content: object, status: int = 200, **headers: str) -> tuple[int, dict[str, str], bytes]:
    more = {key.replace("_", "-"): value for key, value in headers.items()}
    return status, {"content-type": "application/json", **more}, json.dumps(content).encode()


def point(set_variable: Callable[[str, str], None], url: str) -> None:
    for name, value in {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": "sk-not-a-key-1234567890",
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-not-a-key-1234567890",
    }.items():
        set_variable(name, value)
