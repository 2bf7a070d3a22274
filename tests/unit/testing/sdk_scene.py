"""The real SDKs in front of a model server: one form, asked for over each protocol, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel

from squads.testing import ModelServer

Asked = tuple[str, dict[str, Any]]


class Plan(BaseModel):
    """A plan."""

    title: str
    tasks: list[str]
    size: int


FILLED = {"title": "Grüße an alle: " + "ä" * 60, "tasks": ["a", "b"], "size": 2}
SCHEMA = Plan.model_json_schema()
SYSTEM = "You are a planner."
PROMPT = "Plan it."


@asynccontextmanager
async def openai(server: ModelServer, **options: Any) -> AsyncIterator[AsyncOpenAI]:
    """Yield a client of the openai SDK that does not try again by itself."""
    async with AsyncOpenAI(base_url=server.openai_url, api_key="none", **{"max_retries": 0, **options}) as client:
        yield client


@asynccontextmanager
async def anthropic(server: ModelServer, **options: Any) -> AsyncIterator[AsyncAnthropic]:
    """Yield a client of the anthropic SDK that does not try again by itself."""
    async with AsyncAnthropic(base_url=server.url, api_key="none", **{"max_retries": 0, **options}) as client:
        yield client


async def chat_plain(server: ModelServer, model: str = "gpt-x", **options: Any) -> Asked:
    async with openai(server, **options) as client:
        answer = await client.chat.completions.create(model=model, messages=CHAT, tools=CHAT_TOOLS)
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = answer.choices[0].message.tool_calls
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    return call.function.name, json.loads(call.function.arguments)


async def chat_streamed(server: ModelServer, model: str = "gpt-x", **options: Any) -> Asked:
    async with (
        openai(server, **options) as client,
        client.chat.completions.stream(
            model=model, messages=CHAT, tools=CHAT_TOOLS, stream_options={"include_usage": True}
        ) as stream,
    ):
        answer = await stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls
    assert answer.usage.completion_tokens > 0
    return call.function.name, json.loads(call.function.arguments)


async def responses_plain(server: ModelServer, model: str = "gpt-x", **options: Any) -> Asked:
    async with openai(server, **options) as client:
        answer = await client.responses.create(model=model, instructions=SYSTEM, input=PROMPT, tools=RESPONSES_TOOLS)
    assert answer.status == "completed"
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert answer.usage.output_tokens > 0
    return call.name, json.loads(call.arguments)


async def responses_streamed(server: ModelServer, model: str = "gpt-x", **options: Any) -> Asked:
    async with (
        openai(server, **options) as client,
        client.responses.stream(model=model, instructions=SYSTEM, input=PROMPT, tools=RESPONSES_TOOLS) as stream,
    ):
        answer = await stream.get_final_response()
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert answer.usage.output_tokens > 0
    return call.name, json.loads(call.arguments)


async def messages_plain(server: ModelServer, model: str = "claude-x", **options: Any) -> Asked:
    async with anthropic(server, **options) as client:
        answer = await client.messages.create(model=model, **MESSAGES)
    assert answer.stop_reason == "tool_use"
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert answer.usage.output_tokens > 0
    return call.name, call.input


async def messages_streamed(server: ModelServer, model: str = "claude-x", **options: Any) -> Asked:
    async with anthropic(server, **options) as client, client.messages.stream(model=model, **MESSAGES) as stream:
        answer = await stream.get_final_message()
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert answer.usage.output_tokens > 0
    return call.name, call.input


CHAT: Any = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": [{"type": "text", "text": PROMPT}]}]
CHAT_TOOLS: Any = [{"type": "function", "function": {"name": "plan", "parameters": SCHEMA, "description": "A plan."}}]
RESPONSES_TOOLS: Any = [{"type": "function", "name": "plan", "parameters": SCHEMA, "strict": False}]
MESSAGES: Any = {
    "max_tokens": 100,
    "system": [{"type": "text", "text": SYSTEM}],
    "messages": [{"role": "user", "content": PROMPT}],
    "tools": [{"name": "plan", "input_schema": SCHEMA}],
}
PLAIN: dict[str, Callable[..., Awaitable[Asked]]] = {
    "chat": chat_plain,
    "responses": responses_plain,
    "messages": messages_plain,
}
STREAMED: dict[str, Callable[..., Awaitable[Asked]]] = {
    "chat": chat_streamed,
    "responses": responses_streamed,
    "messages": messages_streamed,
}
WAYS = {f"{name}-plain": ask for name, ask in PLAIN.items()} | {f"{n}-streamed": ask for n, ask in STREAMED.items()}


@asynccontextmanager
async def pydantic_ai_model(protocol: str, server: ModelServer) -> AsyncIterator[Any]:
    """Yield pydantic-ai's model for a protocol, on a provider that is pointed at the server."""
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.anthropic import AnthropicProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    async with httpx2.AsyncClient() as http:
        if protocol == "messages":
            provider = AnthropicProvider(base_url=server.url, api_key="none", http_client=http)
            yield AnthropicModel("claude-x", provider=provider)
        else:
            kind = OpenAIChatModel if protocol == "chat" else OpenAIResponsesModel
            yield kind("gpt-x", provider=OpenAIProvider(base_url=server.openai_url, api_key="none", http_client=http))
