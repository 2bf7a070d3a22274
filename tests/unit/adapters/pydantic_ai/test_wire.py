"""A model string becomes a model on connections of ours: no retries, real time-outs, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from typing import Any

import pydantic_ai
import pytest
from little_server import FORM, HELLO, SETTINGS, Little, json_reply, point
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import TextPart, ToolCallPart
from pydantic_ai.models.test import TestModel

from squads.adapters.pydantic_ai.names import Plugins
from squads.adapters.pydantic_ai.wire import NO_KEY, TimeOuts, Wires
from squads.contracts.errors import InvalidModel

PATHS = {
    "anthropic:claude-sonnet-5-5": "/v1/messages",
    "openai:gpt-6-luna": "/v1/responses",
    "openai-chat:gpt-6-luna": "/v1/chat/completions",
    "litellm:openai/gpt-6-luna": "/v1/chat/completions",
    "litellm:anthropic/claude-sonnet-5-5": "/v1/messages",
}


@pytest.fixture
async def wires():
    made = Wires()
    yield made
    await made.close()


@pytest.mark.parametrize(("name", "path"), PATHS.items())
async def test_a_form_is_filled_in_over_http(name, path, little, wires):
    """Each provider is asked in its own protocol, at the address that its own variable names."""
    reply = await wires.wire_model(name).request(HELLO, SETTINGS, FORM)

    assert [path] == [asked[0] for asked in little.asked]
    assert ["fill"] == [part.tool_name for part in reply.parts if isinstance(part, ToolCallPart)]
    assert {"word": "yes"} == reply.parts[0].args_as_dict()
    assert (7, 3) == (reply.usage.output_tokens, reply.usage.cache_read_tokens)


@pytest.mark.parametrize("name", PATHS)
async def test_the_wire_never_tries_again(name, little, wires):
    """Retries are counted one floor up, so one failure is one request."""
    little.script = [json_reply({"error": {"message": "no", "type": "server_error"}}, 500, retry_after="0")]

    with pytest.raises(ModelHTTPError) as caught:
        await wires.wire_model(name).request(HELLO, SETTINGS, FORM)

    assert 500 == caught.value.status_code
    assert 1 == len(little.asked)


async def test_models_of_a_provider_share_one_client(little, wires):
    """And so its connections; the same string is the same model."""
    one, other = wires.wire_model("openai:gpt-6-luna"), wires.wire_model("openai-chat:gpt-6.1-sol")

    assert one is wires.wire_model("openai:gpt-6-luna")
    assert one.client is other.client
    await one.request(HELLO, SETTINGS, FORM)
    await other.request(HELLO, SETTINGS, FORM)
    assert 1 == little.connections


async def test_time_outs_and_room_are_explicit(little):
    """No SDK's default decides how long a role waits, or how many may ask at once."""
    wires = Wires(time_outs=TimeOuts(connect=3.0, read=70.0), connections_max=1_000)
    for name in ("openai:gpt-6-luna", "anthropic:claude-sonnet-5-5"):
        client: Any = wires.wire_model(name).client
        assert (3.0, 70.0) == (client.timeout.connect, client.timeout.read)
        assert 0 == client.max_retries
        assert 1_000 == client._client._transport.limits.max_connections
    await wires.close()


async def test_a_slow_answer_runs_into_the_time_out(little):
    """The read time-out is ours, and it is a failure that may be tried again."""
    from squads.adapters.pydantic_ai.failures import understood

    wires = Wires(time_outs=TimeOuts(read=0.05))
    little.script = ["silence"] * 2
    for name in ("openai:gpt-6-luna", "litellm:openai/gpt-6-luna"):
        with pytest.raises(Exception) as caught:
            await wires.wire_model(name).request(HELLO, SETTINGS, FORM)
        failure = understood(caught.value, model=name)
        assert failure is not None
        assert failure.retry
        assert "did not answer in time" in str(failure.error)
    await wires.close()


async def test_many_calls_at_once_find_room(little, wires):
    """Each has a connection of its own, and all are answered."""
    model = wires.wire_model("openai-chat:gpt-6-luna")

    replies = await asyncio.gather(*(model.request(HELLO, SETTINGS, FORM) for _ in range(150)))

    assert 150 == len(replies) == len(little.asked)
    assert little.connections > 100


async def test_a_server_on_this_machine_is_asked_without_a_key(little, wires, monkeypatch):
    """The SDKs insist on a key, so a word that is none is sent."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name)
    for name in PATHS:
        await wires.wire_model(name).request(HELLO, SETTINGS, FORM)

    sent = [headers.get("authorization") or headers.get("x-api-key") for _, headers, _ in little.asked]
    assert len(PATHS) == len(sent)
    assert all(NO_KEY in (each or "") for each in sent)


async def test_a_key_that_is_set_is_sent(little, wires):
    """Also to a server on this machine."""
    for name in PATHS:
        await wires.wire_model(name).request(HELLO, SETTINGS, FORM)

    assert not [headers for _, headers, _ in little.asked if NO_KEY in str(headers)]


def test_nothing_stays_open_when_a_loop_ends_without_close(monkeypatch, recwarn):
    """`run_sync` after `run_sync`, each with a loop of its own, one object for all: nobody need remember to close."""
    wires = Wires()
    asked = []

    async def once() -> None:
        little = Little()
        running = await asyncio.start_server(little.serve, sock=listening.dup())
        for name in PATHS:
            await wires.wire_model(name).request(HELLO, SETTINGS, FORM)
        asked.extend(little.asked)
        await little.close(running)

    with socket.create_server(("127.0.0.1", 0)) as listening:  # held throughout, so that nobody else gets the port
        point(monkeypatch.setenv, f"http://127.0.0.1:{listening.getsockname()[1]}")
        for _ in range(3):
            asyncio.run(once())
    gc.collect()

    assert 3 * len(PATHS) == len(asked)
    assert [] == [str(each.message) for each in recwarn if "nclosed" in str(each.message)]


async def test_cancelling_lets_go_of_the_connection(little, wires):
    """A request that nobody waits for is not left running at the provider."""
    little.script = ["silence"]
    task = asyncio.create_task(wires.wire_model("openai:gpt-6-luna").request(HELLO, SETTINGS, FORM))
    await little.silent.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await little.let_go.wait()


async def test_without_aiohttp_the_sdks_own_transport_is_used(little, monkeypatch):
    """aiohttp costs half, and is not needed."""
    import openai

    def missing(**_: object) -> None:
        raise RuntimeError("install the extra")

    monkeypatch.setattr(openai, "DefaultAioHttpClient", missing)
    wires = Wires()
    reply = await wires.wire_model("openai:gpt-6-luna").request(HELLO, SETTINGS, FORM)
    await wires.close()

    assert isinstance(reply.parts[0], ToolCallPart)


async def test_closing_twice_is_no_error_and_a_closed_wire_opens_again(little, wires):
    """A squad may be closed by its owner and by its context; a later request gets a new client."""
    first = wires.wire_model("openai:gpt-6-luna")
    await wires.close()
    await wires.close()

    assert first.client.is_closed()
    await wires.wire_model("openai:gpt-6-luna").request(HELLO, SETTINGS, FORM)
    assert 1 == len(little.asked)


async def test_closing_reaches_a_loop_in_another_thread(little):
    """One object serves every loop of the process, and closes them all."""
    wires = Wires()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def made() -> Any:
        return wires.wire_model("openai:gpt-6-luna")

    model = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(made(), loop))
    await wires.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    assert model.client.is_closed()


async def test_other_providers_speaking_openais_protocol_use_our_connections(little, wires, monkeypatch):
    """What pydantic-ai can infer works, and neither retries nor stays open."""
    monkeypatch.setenv("OLLAMA_BASE_URL", f"{little.url}/v1")
    model: Any = wires.wire_model("ollama:llama3")
    reply = await model.request(HELLO, SETTINGS, FORM)

    assert isinstance(reply.parts[0], ToolCallPart)
    assert 0 == model.client.max_retries
    await wires.close()
    assert model.client.is_closed()


async def test_what_a_vendor_refuses_to_make_is_an_invalid_model(wires):
    """Its sentence is passed on, without advice for its own users."""
    with pytest.raises(InvalidModel, match="OLLAMA_BASE_URL") as caught:
        wires.wire_model("ollama:llama3")
    with pytest.raises(InvalidModel, match="OPENAI_API_KEY"):
        wires.wire_model("openai:gpt-6-luna")

    assert "Pydantic AI" not in str(caught.value)


async def test_a_plugin_makes_its_own_models():
    """It takes a model's name and returns a model."""
    made = TestModel()
    wires = Wires(
        plugins=Plugins(names=frozenset({"acme"}), load=lambda _: lambda name: made if name == "large" else 7)
    )

    assert made is wires.wire_model("acme:large")
    with pytest.raises(InvalidModel, match="the plugin 'acme' made 'int'"):
        wires.wire_model("acme:small")


async def test_the_banner_is_silent(little, wires, capfd):
    """A library prints nothing that nobody asked for."""
    from pydantic_ai import Agent

    await Agent(wires.wire_model("openai-chat:gpt-6-luna")).run("hi")

    assert pydantic_ai.BANNER_ENABLED is False
    assert ("", "") == tuple(capfd.readouterr())


async def test_text_is_streamed_in_pieces(little, wires):
    """With litellm as with the SDK itself, and the usage comes at the end."""
    from pydantic_ai.models import ModelRequestParameters

    for name in ("openai-chat:gpt-6-luna", "litellm:openai/gpt-6-luna"):
        async with wires.wire_model(name).request_stream(HELLO, None, ModelRequestParameters()) as stream:
            events = [each async for each in stream]
        reply = stream.get()
        assert ["hello"] == [part.content for part in reply.parts if isinstance(part, TextPart)]
        assert len(events) > 2
        assert (11, 7) == (reply.usage.input_tokens, reply.usage.output_tokens)
