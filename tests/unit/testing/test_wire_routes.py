"""The bridge between respx and the SDKs: routes see the traffic, answers arrive, and nothing passes unseen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
import respx
from sdk_scene import FILLED, MESSAGES, PROMPT, RESPONSES_TOOLS, Plan

from squads.testing import Call, Wire, only_loopback, routed_client
from squads.testing.served import ServerReply, Tokens
from squads.testing.served_chat import CHAT
from squads.testing.served_dialect import Answer
from squads.testing.served_messages import MESSAGES as DIALECT
from squads.testing.served_responses import RESPONSES

ANSWER = Answer(1, "m", ServerReply(calls=(Call("plan", FILLED),)), Tokens(input=1, output=1), {})


def _openai(wire: Wire, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key="none", base_url="https://models.example/v1", http_client=wire.client(), **options
    )


async def test_a_route_sees_what_the_openai_sdk_sends() -> None:
    """Method, address, headers and body, as the vendor would get them."""
    with only_loopback(), Wire() as wire:
        route = wire.post("https://models.example/v1/responses").respond(json=RESPONSES.plain(ANSWER))
        async with _openai(wire) as client:
            answer = await client.responses.create(model="m", input=PROMPT, tools=RESPONSES_TOOLS)
        sent = route.calls.last.request

        assert "plan" == answer.output[0].name
        assert 1 == route.call_count == wire.calls.call_count
        assert PROMPT == json.loads(sent.content)["input"]
        assert "Bearer none" == sent.headers["authorization"]


async def test_a_route_sees_what_the_anthropic_sdk_sends() -> None:
    """Which takes no client of the old httpx at all."""
    with only_loopback(), Wire() as wire:
        route = wire.post(path="/v1/messages", json__model="claude-x").respond(json=DIALECT.plain(ANSWER))
        async with anthropic.AsyncAnthropic(api_key="none", http_client=wire.client()) as client:
            answer = await client.messages.create(model="claude-x", **MESSAGES)

    assert FILLED == answer.content[0].input
    assert route.called


async def test_pydantic_ai_takes_the_client_in_its_provider() -> None:
    """And validates what the route answered."""
    from pydantic_ai import Agent, ToolOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    with Wire(base_url="https://models.example/v1") as wire:
        wire.post("/chat/completions").respond(json=CHAT.plain(ANSWER))
        async with wire.client() as http:
            provider = OpenAIProvider(base_url="https://models.example/v1", api_key="none", http_client=http)
            model = OpenAIChatModel("gpt-x", provider=provider)
            output = (await Agent(model, output_type=ToolOutput(Plan, name="plan")).run(PROMPT)).output

    assert Plan(**FILLED) == output


@pytest.mark.parametrize("generated", [False, True])
async def test_a_stream_arrives_as_one(generated: bool) -> None:
    """Events in one piece, or from a generator that is read as the client reads."""

    async def generate() -> AsyncIterator[bytes]:
        for event in DIALECT.events(ANSWER):
            yield event

    content: Any = generate() if generated else b"".join(DIALECT.events(ANSWER))
    with Wire() as wire:
        wire.post(path="/v1/messages").mock(
            return_value=httpx.Response(200, content=content, headers={"content-type": "text/event-stream"})
        )
        async with (
            anthropic.AsyncAnthropic(api_key="none", http_client=wire.client()) as client,
            client.messages.stream(model="m", **MESSAGES) as stream,
        ):
            message = await stream.get_final_message()

    assert FILLED == message.content[0].input


async def test_answers_in_a_row_meet_the_sdk_s_own_retries() -> None:
    """A status, a time-out as httpx raises it, and then the answer: the SDK saw httpx2's time-out and tried again."""
    with Wire() as wire:
        route = wire.post(path="/v1/responses")
        route.side_effect = [
            httpx.Response(429, headers={"retry-after-ms": "1"}, json={"error": {"message": "slow"}}),
            httpx.ReadTimeout,
            httpx.Response(200, json=RESPONSES.plain(ANSWER)),
        ]
        async with _openai(wire, max_retries=2) as client:
            await client.responses.create(model="m", input="x")

    assert 3 == route.call_count


async def test_an_error_of_the_transport_is_the_sdk_s_error() -> None:
    """A time-out is a time-out, a connection that fails is one that fails."""
    with Wire() as wire:
        wire.post(path="/v1/responses").side_effect = [httpx.ConnectTimeout("late"), httpx.ConnectError("no")]
        async with _openai(wire, max_retries=0) as client:
            with pytest.raises(openai.APITimeoutError) as late:
                await client.responses.create(model="m", input="x")
            with pytest.raises(openai.APIConnectionError) as failed:
                await client.responses.create(model="m", input="x")

    assert isinstance(late.value.__cause__, httpx2.ConnectTimeout)
    assert isinstance(failed.value.__cause__, httpx2.ConnectError)


async def test_a_compressed_answer_is_unpacked_once() -> None:
    """The raw bytes travel with the header that describes them."""
    import gzip

    packed = gzip.compress(b'{"a": 1}')
    with Wire() as wire:
        wire.get("https://models.example/").respond(content=packed, headers={"content-encoding": "gzip"})
        async with wire.client() as client:
            assert {"a": 1} == (await client.get("https://models.example/")).json()
        with wire.sync_client() as client:
            assert {"a": 1} == client.get("https://models.example/").json()


def test_the_synchronous_side_works_too() -> None:
    """With the SDK's client that blocks."""
    with Wire() as wire:
        wire.post(path="/v1/messages").respond(json=DIALECT.plain(ANSWER))
        with anthropic.Anthropic(api_key="none", http_client=wire.sync_client()) as client:
            assert FILLED == client.messages.create(model="m", **MESSAGES).content[0].input


def test_a_route_that_nobody_calls_fails_the_test() -> None:
    """As respx has it; and as there, it can be switched off."""
    with pytest.raises(AssertionError, match="some routes were not called"), Wire() as wire:
        wire.get("https://models.example/")
    with Wire(assert_all_called=False) as wire:
        wire.get("https://models.example/")


@pytest.mark.parametrize("passes", [False, True])
async def test_a_request_without_a_route_fails_the_test_though_the_sdk_catches_it(passes: bool) -> None:
    """Also one that is marked to pass through: there is nothing behind the router."""
    wire = Wire().__enter__()
    if passes:
        wire.post(path="/v1/messages").pass_through()
    client = anthropic.AsyncAnthropic(api_key="none", http_client=wire.client(), max_retries=0)
    with pytest.raises(anthropic.APIConnectionError):
        await client.messages.create(model="m", **MESSAGES)

    with pytest.raises(AssertionError, match=r"no route answers POST https://api\.anthropic\.com/v1/messages"):
        wire.__exit__(None, None, None)


def test_what_went_wrong_in_the_block_is_not_hidden() -> None:
    """By a route that was not reached because of it."""
    wire = Wire()
    wire.get("https://models.example/")
    with pytest.raises(ZeroDivisionError), wire:
        _ = 1 / 0


async def test_a_router_of_your_own_can_be_given() -> None:
    """One that patches nothing."""
    with respx.MockRouter(using=None) as router:
        router.get("https://models.example/").respond(text="Yes.")
        async with routed_client(router, headers={"x-test": "1"}) as client:
            said = (await client.get("https://models.example/")).text
        assert "1" == router.calls.last.request.headers["x-test"]

    assert "Yes." == said
