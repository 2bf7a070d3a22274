"""A stream that ends early over real HTTP is no reply, whatever the provider's client makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from mind_scene import Journal, Word, ask, call_of

from squads.adapters.pydantic_ai.wire import Wires
from squads.contracts.errors import ModelUnreachable
from squads.contracts.thinking import UnsafeText
from squads.testing import Call, Fault, ModelServer

NAMES = pytest.mark.parametrize("name", ["anthropic:m", "openai-chat:m", "openai:m"])
HELLO = Call("word", {"text": "hello"})


def point(monkeypatch: pytest.MonkeyPatch, server: ModelServer) -> None:
    """Point every SDK at the server."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)


@NAMES
@pytest.mark.parametrize(
    "fault", [Fault.truncated(HELLO), Fault.reset(after_headers=True, reply=HELLO)], ids=["truncated", "reset"]
)
async def test_a_stream_that_is_cut_off_is_tried_again_and_counted(
    name: str, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every try may have been paid, no text of it is kept, and a whole one counts."""
    journal, wires = Journal(), Wires()
    async with ModelServer({"m": [fault, fault, HELLO]}) as server:
        point(monkeypatch, server)
        call = call_of(journal, text=True, watch=lambda _: None)

        reply = await ask({name: wires.wire_model(name)}, call, models=(name,))
        await wires.close()

    assert Word(text="hello") == reply.form
    assert 1 == len(journal.rows)
    assert 3 == call.meter.usage.calls


@NAMES
async def test_a_stream_that_is_always_cut_off_is_no_reply(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of defaults would be filled in by its first byte."""
    journal, wires = Journal(), Wires()
    async with ModelServer({"m": [Fault.truncated(HELLO)] * 3}) as server:
        point(monkeypatch, server)
        with pytest.raises(ModelUnreachable):
            await ask({name: wires.wire_model(name)}, call_of(journal, text=True), models=(name,))
        await wires.close()

    assert [] == journal.rows


@NAMES
async def test_a_whole_stream_is_told_and_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it used."""
    told: list[Any] = []
    wires = Wires()
    async with ModelServer({"m": [HELLO]}) as server:
        point(monkeypatch, server)
        reply = await ask({name: wires.wire_model(name)}, call_of(text=True, watch=told.append), models=(name,))
        await wires.close()

    assert Word(text="hello") == reply.form
    assert '{"text":"hello"}' == "".join(each.text for each in told if isinstance(each, UnsafeText))
    assert 20 < reply.usage.tokens
