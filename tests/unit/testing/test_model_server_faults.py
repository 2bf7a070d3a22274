"""Every fault as the real SDKs meet it: the class of their error, and what stands in it."""

from __future__ import annotations

from contextlib import suppress
from json import JSONDecodeError
from time import monotonic
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from pydantic import ValidationError
from sdk_scene import FILLED, PLAIN, STREAMED, WAYS, Plan, pydantic_ai_model
from sdk_scene import anthropic as anthropic_client
from sdk_scene import openai as openai_client

from squads.testing import Call, Fault, ModelServer, ServerReply, ServerRequest, injected
from squads.testing.served import INJECTION, misfit

SDK: dict[str, Any] = {"chat": openai, "responses": openai, "messages": anthropic}
STATUS = {
    "rate_limited": ("RateLimitError", 429, "rate_limit_exceeded", "rate_limit_error"),
    "unauthorized": ("AuthenticationError", 401, "invalid_api_key", "authentication_error"),
    "unknown_model": ("NotFoundError", 404, "model_not_found", "not_found_error"),
    "context_length_exceeded": ("BadRequestError", 400, "context_length_exceeded", "invalid_request_error"),
    "failed": ("InternalServerError", 500, None, "api_error"),
}


@pytest.mark.parametrize("fault", STATUS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_status_has_the_vendor_s_own_shape(way: str, fault: str) -> None:
    """The SDK raises the class that it raises for its vendor, with the vendor's code in the body."""
    protocol = way.split("-")[0]
    name, status, code, kind = STATUS[fault]
    async with ModelServer({"*": [getattr(Fault, fault)()]}) as server:
        with pytest.raises(getattr(SDK[protocol], name)) as raised:
            await WAYS[way](server)

    assert status == raised.value.status_code
    if protocol == "messages":
        assert kind == raised.value.body["error"]["type"]
    else:
        assert code == raised.value.code
    assert 0 == server.answered.total()


@pytest.mark.parametrize("protocol", PLAIN)
async def test_a_conversation_that_is_too_long_is_known_to_pydantic_ai(protocol: str) -> None:
    """It tells it from every other 400."""
    from pydantic_ai import Agent
    from pydantic_ai.exceptions import ModelContextWindowExceededError

    async with (
        ModelServer({"*": [Fault.context_length_exceeded()]}) as server,
        pydantic_ai_model(protocol, server) as model,
    ):
        with pytest.raises(ModelContextWindowExceededError):
            await Agent(model).run("Well?")


@pytest.mark.parametrize("status", [500, 503, 529])
@pytest.mark.parametrize("protocol", PLAIN)
async def test_a_server_that_fails_may_say_how(protocol: str, status: int) -> None:
    """Any status, any sentence."""
    async with ModelServer({"*": [Fault.failed(status, message="Overloaded on purpose")]}) as server:
        with pytest.raises(SDK[protocol].InternalServerError, match="Overloaded on purpose") as raised:
            await PLAIN[protocol](server)

    assert status == raised.value.status_code


@pytest.mark.parametrize("protocol", PLAIN)
async def test_a_rate_limit_says_when_to_come_back(protocol: str) -> None:
    """In seconds, also in parts of one, or not at all."""
    faults = [Fault.rate_limited(2), Fault.rate_limited(0.5), Fault.rate_limited(None)]
    said = []
    async with ModelServer({"*": faults}) as server:
        for _ in faults:
            with pytest.raises(SDK[protocol].RateLimitError) as raised:
                await PLAIN[protocol](server)
            said.append(raised.value.response.headers.get("retry-after"))

    assert ["2", "0.5", None] == said


@pytest.mark.parametrize("protocol", PLAIN)
async def test_the_sdk_s_own_retry_gets_the_next_reply(protocol: str) -> None:
    """A fault is one step of the script."""
    script = [Fault.rate_limited(0.01), Fault.reset(), Call("plan", FILLED)]
    async with ModelServer({"*": script}) as server:
        assert ("plan", FILLED) == await PLAIN[protocol](server, max_retries=2)

        assert (3, 1) == (server.asked.total(), server.answered.total())


@pytest.mark.parametrize("protocol", PLAIN)
async def test_json_may_end_in_the_middle(protocol: str) -> None:
    """The status was 200 and the length was right, and still nothing can be read."""
    async with ModelServer({"*": [Fault.truncated(Call("plan", FILLED))]}) as server:
        with pytest.raises(JSONDecodeError):
            await PLAIN[protocol](server)

    assert 0 == server.answered.total()


@pytest.mark.parametrize("protocol", STREAMED)
async def test_a_stream_may_end_in_the_middle_of_an_event(protocol: str) -> None:
    """HTTP was in order, and not every SDK says a word: whoever reads a stream has to look for its last event."""
    got = None
    async with ModelServer({"*": [Fault.truncated(Call("plan", FILLED))]}) as server:
        with suppress(Exception):
            got = await STREAMED[protocol](server)

    assert ("plan", FILLED) != got
    assert (1, 0) == (server.asked.total(), server.answered.total())


@pytest.mark.parametrize("after_headers", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_a_connection_may_be_reset(way: str, after_headers: bool) -> None:
    """Before a word was said, and in the middle of one."""
    async with ModelServer({"*": [Fault.reset(after_headers=after_headers)]}) as server:
        with pytest.raises((SDK[way.split("-")[0]].APIConnectionError, httpx2.ReadError)) as raised:
            await WAYS[way](server)

    assert not isinstance(raised.value, SDK[way.split("-")[0]].APITimeoutError)
    # The anthropic SDK hands on httpx2's own error where a stream breaks off; everywhere else it is the SDK's.
    assert (way == "messages-streamed" and after_headers) is isinstance(raised.value, httpx2.ReadError)
    assert 0 == server.answered.total()


@pytest.mark.parametrize("way", WAYS)
async def test_a_silent_server_makes_the_client_give_up(way: str) -> None:
    """The connection stays open, and nothing comes."""
    async with ModelServer({"*": [Fault.silent()]}) as server:
        with pytest.raises(SDK[way.split("-")[0]].APITimeoutError):
            await WAYS[way](server, timeout=0.05)


@pytest.mark.parametrize("way", WAYS)
async def test_arguments_may_not_fit_the_form(way: str) -> None:
    """Every field has a type that its schema forbids, and one has no place in it."""
    async with ModelServer({"*": [Fault.wrong_schema()]}) as server:
        name, arguments = await WAYS[way](server)
    with pytest.raises(ValidationError) as raised:
        Plan(**arguments)

    assert "plan" == name
    assert ["title", "tasks", "size"] == [error["loc"][0] for error in raised.value.errors()]
    assert "no_such_field" in arguments


def test_what_misfits_looks_through_references_and_choices() -> None:
    """A field that allows everything is left out: nothing would misfit."""
    schema = {
        "properties": {
            "a": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Inner"}]},
            "b": {"type": ["array", "object"]},
            "c": {},
        },
        "$defs": {"Inner": {"type": "array"}},
    }

    assert {"no_such_field": [[]], "a": {"no_such_field": 0}, "b": "no such value"} == misfit(schema)


async def test_a_form_that_is_not_offered_cannot_be_filled_in_wrongly() -> None:
    """A test that asks for it is mistaken, and is told."""
    async with ModelServer({"*": [Fault.wrong_schema("verdict")]}, strict=False) as server:
        with pytest.raises(openai.InternalServerError, match="does not offer it"):
            await PLAIN["chat"](server)


async def test_injected_text_stands_around_the_call_or_inside_of_it() -> None:
    """The model says what somebody else put into its mouth."""
    plan = Call("plan", FILLED)
    async with ModelServer({"*": [injected(plan), injected(plan), injected(plan, field="title")]}) as server:
        async with anthropic_client(server) as client:
            message = await client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])
        async with openai_client(server) as client:
            chat = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        _, arguments = await STREAMED["responses"](server)

    assert ["text", "tool_use", "text"] == [block.type for block in message.content]
    assert INJECTION == message.content[0].text == message.content[2].text
    assert f"{INJECTION}\n{INJECTION}" == chat.choices[0].message.content
    assert {**FILLED, "title": f"{FILLED['title']}\n{INJECTION}"} == arguments


def test_injecting_into_an_argument_that_no_call_has_is_an_error() -> None:
    """Else the adversary's test would pass without an adversary."""
    with pytest.raises(KeyError, match="'reason'"):
        injected(Call("plan", FILLED), field="reason")


async def test_a_reply_may_take_its_time() -> None:
    """The server's latency, and the reply's own on top."""
    begun = monotonic()
    async with (
        ModelServer({"*": [ServerReply(text="x", wait_ms=30)]}, latency_ms=30) as server,
        openai_client(server) as client,
    ):
        await client.responses.create(model="m", input="x")

    assert 0.06 <= monotonic() - begun


async def test_a_stream_may_be_slow() -> None:
    """Its events come one by one; a reader that gives up is not waited for."""
    async with ModelServer({"*": ["word " * 100] * 2}, chunk_wait_ms=3) as server, openai_client(server) as client:
        chunks = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "x"}], stream=True
        )
        times = [monotonic() async for _ in chunks]
        stream = await client.responses.create(model="m", input="x", stream=True)
        await anext(stream)
        await stream.close()

    assert len(times) > 10
    assert 0.03 <= times[-1] - times[0]
    assert 1 == server.answered.total()


async def test_a_fault_can_be_switched_on_and_off() -> None:
    """For the next requests, or for all of them until it is switched off; the script waits for its turn."""
    async with ModelServer({"*": [Call("plan", FILLED)]}) as server:
        server.fail(Fault.unauthorized(), Fault.failed(503))
        with pytest.raises(openai.AuthenticationError):
            await PLAIN["chat"](server)
        server.fault = Fault.rate_limited()
        for _ in range(2):
            with pytest.raises(openai.RateLimitError):
                await PLAIN["chat"](server)
        server.fault = None
        with pytest.raises(anthropic.InternalServerError):
            await PLAIN["messages"](server)

        assert ("plan", FILLED) == await PLAIN["responses"](server)


async def test_a_function_may_answer_with_a_fault() -> None:
    """The third request of a model, say."""

    def reply(request: ServerRequest) -> Any:
        return Fault.failed(529) if request.number == 2 else Call("plan", FILLED)

    async with ModelServer(reply=reply) as server:
        await PLAIN["messages"](server)
        with pytest.raises(anthropic.InternalServerError):
            await PLAIN["messages"](server)
        await PLAIN["messages"](server)

    assert {"claude-x": 2} == dict(server.answered)
