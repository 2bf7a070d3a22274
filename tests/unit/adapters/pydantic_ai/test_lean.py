"""What is done once instead of for every request, and that nothing on the wire changes by it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion
from pydantic_ai import messages as m
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from squads.adapters.pydantic_ai.engine import _offered, _parameters
from squads.adapters.pydantic_ai.lean import OfferedForms, post_as_it_is, remembering
from squads.minds import forms

OFFERED = (forms.ApproveForm, forms.RefuseForm, forms.AbstainForm)
ASKED: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [{"role": "user", "content": "Grüße"}],
    "tools": [{"type": "function", "function": {"name": "plan", "parameters": {"type": "object"}}}],
    "tool_choice": "required",
    "stream": False,
    "max_completion_tokens": 9,
    "extra_headers": {"User-Agent": "squads"},
    "extra_body": {"seed": 1},
}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
}


def chat(kind: Any = OpenAIChatModel, name: str = "gpt-4.1-mini") -> Any:
    return kind(name, provider=OpenAIProvider(api_key="none"))


def claude(kind: Any = AnthropicModel) -> Any:
    return kind("claude-haiku-5-5", provider=AnthropicProvider(api_key="none"))


def shown(parameters: ModelRequestParameters) -> dict[str, Any]:
    return {field.name: getattr(parameters, field.name) for field in fields(parameters)}


@pytest.mark.parametrize("make", [chat, claude])
def test_forms_are_rewritten_once_and_as_the_provider_does_it(make: Any) -> None:
    """The second request gets the very schemas of the first, with the instructions of its own."""
    plain = make()
    model = make(remembering(type(plain)))

    first = model.customize_request_parameters(_parameters(OFFERED, "One."))
    second = model.customize_request_parameters(_parameters(OFFERED, "Two."))

    assert shown(plain.customize_request_parameters(_parameters(OFFERED, "One."))) == shown(first)
    assert shown(plain.customize_request_parameters(_parameters(OFFERED, "Two."))) == shown(second)
    assert all(a is b for a, b in zip(first.output_tools, second.output_tools, strict=True))


def test_two_providers_do_not_get_each_others_schemas() -> None:
    """The same forms, in two dialects."""
    made = [
        make(remembering(type(make()))).customize_request_parameters(_parameters(OFFERED, "One."))
        for make in (chat, claude)
    ]

    assert shown(chat().customize_request_parameters(_parameters(OFFERED, "One."))) == shown(made[0])
    assert shown(claude().customize_request_parameters(_parameters(OFFERED, "One."))) == shown(made[1])


def test_what_an_agent_offers_is_rewritten_each_time() -> None:
    """Its lists may change from turn to turn; only ours are known not to."""
    model = chat(remembering(OpenAIChatModel))
    parameters = ModelRequestParameters(output_tools=list(_offered(OFFERED)))

    first, second = (model.customize_request_parameters(parameters) for _ in range(2))

    assert first.output_tools[0] is not second.output_tools[0]
    assert not isinstance(first.output_tools, OfferedForms)


async def sent(leaned: bool, **asked: Any) -> tuple[dict[str, Any], httpx2.Headers, Any]:
    """Return the body, the headers and the answer of one request."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=ANSWER)

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    async with AsyncOpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http) as client:
        if leaned:
            post_as_it_is(client, client.chat.completions, "/chat/completions", ChatCompletion)
        answered = await client.chat.completions.create(**asked)
    return json.loads(seen[0].content), seen[0].headers, answered


@pytest.mark.parametrize(
    "more",
    [{}, {"stream": True}, {"extra_query": {"a": "1"}}, {"timeout": 3.0}],
    ids=["plain", "stream", "query", "time"],
)
async def test_the_wire_carries_the_same_with_and_without(more: dict[str, Any]) -> None:
    """Body, headers and the type of the answer: the SDK's own, whichever way it went."""
    body, headers, answered = await sent(False, **{**ASKED, **more})
    leaned, its_headers, its_answer = await sent(True, **{**ASKED, **more})

    assert body == leaned
    assert 1 == leaned["seed"]
    assert dict(headers) == dict(its_headers)
    assert type(answered) is type(its_answer)


async def test_what_is_not_plain_goes_the_sdks_way() -> None:
    """An iterator is no JSON; the SDK knows what to do with it."""
    body, _, _ = await sent(True, **{**ASKED, "messages": iter(ASKED["messages"])})

    assert ASKED["messages"] == body["messages"]


def test_the_instructions_of_a_request_are_its_own() -> None:
    """Shared forms, never shared words."""
    parts = _parameters(OFFERED, "Mine.").instruction_parts

    assert [m.InstructionPart(content="Mine.")] == parts
