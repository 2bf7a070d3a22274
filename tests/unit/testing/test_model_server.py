"""The model server through the real SDKs: what they ask, what they are told, and how strict the script is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from openai import InternalServerError, NotFoundError
from sdk_scene import FILLED, MESSAGES, PLAIN, PROMPT, SCHEMA, SYSTEM, WAYS, Plan, anthropic, openai, pydantic_ai_model

from squads.testing import Call, ModelServer, ServerReply, ServerRequest, Tokens, UnexpectedRequest, UnusedReplies


@asynccontextmanager
async def failing(server: ModelServer, sentence: str) -> AsyncIterator[ModelServer]:
    """Yield the opened server, which must raise `UnexpectedRequest` when it is closed."""
    await server.open()
    yield server
    with pytest.raises(UnexpectedRequest, match=sentence):
        await server.close()


@pytest.mark.parametrize("way", WAYS)
async def test_every_sdk_gets_the_form_that_was_filled_in(way: str) -> None:
    """Over three protocols, plain and streamed, with text that is not ASCII."""
    async with ModelServer({"*": [Call("plan", FILLED)]}) as server:
        name, arguments = await WAYS[way](server)

        assert ("plan", FILLED) == (name, arguments)
        assert 1 == server.answered.total()


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_reads_the_same_in_every_protocol(way: str) -> None:
    """Who writes a reply function does not care which SDK asks."""
    seen: list[ServerRequest] = []

    def reply(request: ServerRequest) -> Call:
        seen.append(request)
        return Call("plan", Plan(**FILLED))

    async with ModelServer(reply=reply) as server:
        await WAYS[way](server)
    (request,) = seen

    assert way.split("-")[0] == request.protocol
    assert (way.split("-")[1] == "streamed") is request.stream
    assert SYSTEM == request.system
    assert [("user", PROMPT)] == [(m.role, m.text) for m in request.messages]
    assert request.offers("plan")
    assert SCHEMA["properties"].keys() == request.tools[0].schema["properties"].keys()
    assert f"{SYSTEM}\n{PROMPT}" == request.text
    assert "none" in request.headers.get("authorization", request.headers.get("x-api-key", ""))


@pytest.mark.parametrize("protocol", PLAIN)
@pytest.mark.parametrize("streamed", [False, True])
async def test_pydantic_ai_gets_a_form_that_validates(protocol: str, streamed: bool) -> None:
    """Its three models, each on its own provider, with a tool called before the form is filled in."""
    from pydantic_ai import Agent

    def reply(request: ServerRequest) -> Any:
        if not request.results:
            return [Call("look", {"path": "a.md"}), Call("look", {"path": "b.md"})]
        assert [("look", "text of a.md"), ("look", "text of b.md")] == [(r.name, r.text) for r in request.results]
        return ServerReply(text="Here it is.", calls=(Call("final_result", FILLED),))

    async with ModelServer(reply=reply) as server, pydantic_ai_model(protocol, server) as model:
        agent = Agent(model, output_type=Plan, instructions=SYSTEM)

        @agent.tool_plain
        def look(path: str) -> str:
            """Look at a file."""
            return f"text of {path}"

        if streamed:
            async with agent.run_stream(PROMPT) as stream:
                output = await stream.get_output()
        else:
            output = (await agent.run(PROMPT)).output

        assert Plan(**FILLED) == output
        assert 2 == server.answered.total()


@pytest.mark.parametrize("protocol", PLAIN)
async def test_the_tokens_of_a_reply_are_what_the_client_reads(protocol: str) -> None:
    """What came from a cache is part of the input, as pydantic-ai counts it for every vendor."""
    from pydantic_ai import Agent

    tokens = Tokens(input=1_000, output=50, cache_read=200)
    async with (
        ModelServer({"*": [ServerReply(text="Yes.", tokens=tokens)]}) as server,
        pydantic_ai_model(protocol, server) as model,
    ):
        usage = (await Agent(model).run("Well?")).usage

    assert (1_000, 50, 200) == (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)


async def test_a_server_wide_number_of_tokens_may_be_a_function() -> None:
    """And a reply without any number gets a quarter of the characters."""
    async with ModelServer(reply=lambda r: "x" * 400) as server, openai(server) as client:
        guessed = (await client.responses.create(model="m", input="y")).usage
    async with (
        ModelServer(reply=lambda r: "x", tokens=lambda r, p: Tokens(input=7, output=len(p.text))) as server,
        openai(server) as client,
    ):
        told = (await client.responses.create(model="m", input="y")).usage

    assert 100 == guessed.output_tokens
    assert (7, 1, 8) == (told.input_tokens, told.output_tokens, told.total_tokens)


async def test_a_reply_that_was_cut_off_says_so() -> None:
    """Each vendor has a word of its own for the limit of output tokens."""
    half = ServerReply(calls=(Call("plan", '{"title": "Gr'),), cut_off=True)
    async with ModelServer({"*": [half] * 3}) as server:
        async with openai(server) as client:
            chat = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
            response = await client.responses.create(model="m", input="x")
        async with anthropic(server) as client:
            message = await client.messages.create(model="m", **MESSAGES)

    assert "length" == chat.choices[0].finish_reason
    assert '{"title": "Gr' == chat.choices[0].message.tool_calls[0].function.arguments
    assert ("incomplete", "max_output_tokens") == (response.status, response.incomplete_details.reason)
    assert "max_tokens" == message.stop_reason


async def test_models_have_lists_of_their_own_and_a_star_is_for_the_rest() -> None:
    """So that three roles with three models are scripted in one place."""
    script = {"gpt-a": ["one", "two"], "*": ["other"]}
    async with ModelServer(script, reply=lambda r: "never") as server, openai(server) as client:
        said = [(await client.responses.create(model=m, input="x")).output_text for m in ("gpt-a", "o", "gpt-a")]

        assert ["one", "other", "two"] == said
        assert {"gpt-a": 2, "o": 1} == dict(server.asked)


async def test_forms_are_filled_in_as_often_as_they_are_offered() -> None:
    """A benchmark asks for the same few forms a thousand times, in no order."""
    async with ModelServer(forms={"plan": FILLED}) as server:
        answers = await asyncio.gather(*(ask(server) for ask in WAYS.values() for _ in range(3)))

        assert [("plan", FILLED)] * 18 == answers


async def test_a_function_may_be_asynchronous() -> None:
    """And answers one client while another waits."""
    first, second = asyncio.Event(), asyncio.Event()

    async def reply(request: ServerRequest) -> str:
        if request.model == "first":
            first.set()
            await second.wait()
        else:
            await first.wait()
            second.set()
        return request.model

    async with ModelServer(reply=reply) as server, openai(server) as client:
        answers = await asyncio.gather(*(client.responses.create(model=m, input="x") for m in ("first", "second")))

    assert ["first", "second"] == [a.output_text for a in answers]


async def test_a_client_that_hangs_up_ends_the_work_on_its_answer() -> None:
    """So that a test of cancelling sees that it reached the server, and nothing counts as paid."""
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def reply(request: ServerRequest) -> str:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    async with ModelServer(reply=reply) as server, openai(server) as client:
        asking = asyncio.ensure_future(client.responses.create(model="m", input="x"))
        await asked.wait()
        asking.cancel()
        await asyncio.wait_for(cancelled.wait(), 10)

        assert (1, 0) == (server.asked.total(), server.answered.total())


async def test_an_unexpected_request_answers_500_and_fails_the_test() -> None:
    """The SDK is told not to try again, and the error names model, protocol and what was offered."""
    sentence = r"model 'gpt-x' \(request 2, chat, offering plan\), and its script of 1 reply has none left; add a reply"
    async with failing(ModelServer({"gpt-x": [Call("plan", FILLED)]}), sentence) as server:
        await WAYS["chat-plain"](server)
        with pytest.raises(InternalServerError, match=sentence):
            await WAYS["chat-plain"](server, max_retries=3)

        assert 2 == server.asked["gpt-x"]


async def test_a_model_that_no_script_names_is_unexpected() -> None:
    """And the error says which names there are."""
    async with failing(ModelServer({"gpt-y": []}), "no script names it; scripted: gpt-y") as server:
        with pytest.raises(Exception, match="no script names it"):
            await WAYS["messages-plain"](server)


@pytest.mark.parametrize("later", [False, True])
async def test_a_function_that_fails_is_unexpected_too(later: bool) -> None:
    """An assertion in a reply function must not look like an error of the vendor."""

    def reply(request: ServerRequest) -> str:
        raise ValueError("this should not happen")

    async def reply_later(request: ServerRequest) -> str:
        return reply(request)

    server = ModelServer(reply=reply_later if later else reply)
    async with failing(server, r"could not answer .*this should not happen"):
        with pytest.raises(Exception, match="this should not happen"):
            await WAYS["responses-plain"](server)


async def test_a_reply_that_is_none_is_unexpected() -> None:
    """A function that forgets to return one is told what a reply may be."""
    async with failing(ModelServer(reply=lambda r: None), "cannot answer with None; give a Call") as server:
        with pytest.raises(Exception, match="cannot answer with None"):
            await WAYS["responses-plain"](server)


async def test_replies_that_nobody_asked_for_fail_the_test() -> None:
    """With what was asked instead."""
    with pytest.raises(UnusedReplies, match=r"replies left: 2 of 'gpt-x'; it was asked: 1 of 'gpt-x'"):
        async with ModelServer({"gpt-x": [Call("plan", FILLED)] * 3}) as server:
            await WAYS["chat-plain"](server)


async def test_what_went_wrong_in_the_block_is_not_hidden() -> None:
    """A failing test says its own sentence, not that replies are left because of it."""
    with pytest.raises(ZeroDivisionError):
        async with ModelServer({"gpt-x": ["never asked for"]}):
            _ = 1 / 0


async def test_leaving_the_block_raises_what_was_unexpected() -> None:
    """Though the client caught what it was answered."""
    with pytest.raises(UnexpectedRequest, match="no script names it"):
        async with ModelServer() as server, httpx2.AsyncClient() as http:
            await http.post(f"{server.url}/v1/messages", json={})


async def test_strictness_can_be_switched_off() -> None:
    """Then neither kind of mistake fails the test; the answer is 500 all the same."""
    async with ModelServer({"gpt-x": ["unused"]}, strict=False) as server:
        with pytest.raises(Exception, match="no script names it"):
            await WAYS["messages-plain"](server)

    assert 1 == len(server.failures)


async def test_closing_by_hand_is_as_strict() -> None:
    """And closes, though it raises."""
    server = ModelServer({"gpt-x": ["unused"]})
    await server.open()
    with pytest.raises(UnusedReplies):
        await server.close()

    with pytest.raises(httpx2.ConnectError):
        httpx2.get(server.url)


def test_a_thread_serves_a_test_without_a_loop() -> None:
    """The SDKs' synchronous clients block their thread."""
    from openai import OpenAI

    with (
        ModelServer({"gpt-x": ["Yes."]}).in_thread() as server,
        OpenAI(base_url=server.openai_url, api_key="none") as client,
    ):
        said = client.responses.create(model="gpt-x", input="Well?").output_text

    assert "Yes." == said


def test_a_thread_is_as_strict() -> None:
    """Leaving the block raises in the test's own thread."""
    with pytest.raises(UnusedReplies), ModelServer({"gpt-x": ["unused"]}).in_thread():
        pass


async def test_a_body_that_is_answered_twice_was_paid_twice() -> None:
    """That is what a test of the journal counts; another body, an error or a broken reply is no repeat."""
    async with ModelServer(reply=lambda r: "Yes.") as server, openai(server) as client:
        for text in ("a", "b", "a", "a"):
            await client.responses.create(model="gpt-x", input=text)

        assert (4, 2) == (server.answered["gpt-x"], server.repeated)


async def test_what_is_no_model_request_is_refused_with_the_paths_that_are() -> None:
    """A wrong base URL is found at once."""
    sentence = "GET /v1/models; it answers POST /v1/messages, "
    async with failing(ModelServer(), sentence) as server, openai(server) as client:
        with pytest.raises(NotFoundError, match=sentence):
            await client.models.list()


async def test_a_body_that_is_no_json_object_is_refused() -> None:
    """With 400, as a vendor would."""
    async with failing(ModelServer(), "no JSON object") as server, httpx2.AsyncClient() as http:
        for body in (b"[", b"[]", b"\xff"):
            assert 400 == (await http.post(f"{server.url}/v1/messages", content=body)).status_code


async def test_what_is_no_http_is_refused_and_the_server_goes_on() -> None:
    """Each with its own connection."""
    said = []
    async with ModelServer() as server:
        for request in (
            b"nonsense\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
            b"x" * 70_000,
            b"GET /_server/count HTTP/1.1\r\nconnection: close\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request)
            said.append((await reader.read()).split()[1])
            writer.close()

    assert [b"400", b"400", b"413", b"411", b"413", b"200"] == said


async def test_a_connection_is_kept_and_answers_in_order() -> None:
    """Also when a client sends its next request before the answer is there, and in pieces."""
    body = b'{"model":"m","input":"x"}'
    request = b"POST /v1/responses HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    async with ModelServer({"m": [ServerReply(text="one", wait_ms=5), "two", "three"]}) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request + request + request[:50])
        said = [await reader.readuntil(b'"text":"one"'), await reader.readuntil(b'"text":"two"')]
        writer.write(request[50:])
        said.append(await reader.readuntil(b'"text":"three"'))
        writer.close()

    assert [1, 1, 1] == [part.count(b"HTTP/1.1 200 OK") for part in said]


async def test_tokens_can_be_counted_before_they_are_spent() -> None:
    """Counting is free: it is no request of a model."""
    async with ModelServer() as server, anthropic(server) as client:
        counted = await client.messages.count_tokens(
            model="claude-x", messages=[{"role": "user", "content": "x" * 4_000}]
        )

        assert 1_000 < counted.input_tokens < 1_100
        assert 0 == server.asked.total()
