"""Replies on disk answer exactly the request that they were given to, and nothing else."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mind_scene import NAME, OTHER, Journal, Word, ask, call_of, request_of, says
from pydantic_ai import messages as m
from pydantic_ai.exceptions import ModelHTTPError

from squads.adapters.models import Models
from squads.adapters.pydantic_ai.recorded import RecordedModel, replies_in, write
from squads.contracts.errors import RecordingMissed, StorageUnavailable
from squads.contracts.finding import NO_USAGE
from squads.contracts.thinking import Tool
from squads.minds.fence import fenced
from squads.testing import Call, ScriptedModel

BRIEF = fenced("A table of pairs.", "the brief it answers")
FILE = fenced("CREATE TABLE t;", "t.sql in the attempt to judge")
PROMPT = f"Judge this.\n\n{BRIEF}\n\n{FILE}"


async def recorded(folder: Path, *replies: Any, **options: Any) -> None:
    """Record one request."""
    options.setdefault("prompt", PROMPT)
    await ask(says(*replies or (Word(text="kept"),)), record=folder, **options)


async def replayed(folder: Path, used: Counter[str] | None = None, **options: Any) -> Any:
    """Replay one request."""
    options.setdefault("prompt", PROMPT)
    count: Counter[str] = Counter() if used is None else used
    known = {name: RecordedModel(name, folder, used=count) for name in (NAME, OTHER)}
    return (await ask(known, **options)).form


async def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    """Word for word, in the order in which it was asked, re-asks included."""
    await recorded(tmp_path, "No form.", Word(text="kept"))

    assert Word(text="kept") == await replayed(tmp_path)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"prompt": PROMPT.replace(BRIEF, fenced("Another.", "the brief it answers"))}, "the brief it answers"),
        ({"prompt": PROMPT.replace(FILE, fenced("DROP;", "t.sql in the attempt to judge"))}, "t.sql in the attempt"),
        ({"prompt": PROMPT + "\n\nMore."}, r"the work \(brief, files or facts\)"),
        ({"output_tokens_max": 7}, "the settings"),
        ({"models": (OTHER,)}, "the model differs"),
    ],
    ids=["brief", "file", "words", "settings", "model"],
)
async def test_a_changed_request_is_a_miss_that_names_the_change(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    """Never an answer to another question."""
    await recorded(tmp_path)
    with pytest.raises(RecordingMissed, match=named):
        await replayed(tmp_path, **changed)


async def test_a_changed_tool_is_a_miss_that_names_it(tmp_path: Path) -> None:
    """A model that could do something else was asked something else."""

    def look() -> str:
        """Look around."""
        return "dark"

    await recorded(tmp_path)
    with pytest.raises(RecordingMissed, match="the tools"):
        await replayed(tmp_path, tools=(Tool(function=look, name="look"),))


async def test_a_turn_with_tools_is_replayed(tmp_path: Path) -> None:
    """The tools are called again: only replies of models are recorded."""
    called: list[str] = []

    def look(path: str) -> str:
        """Look at a path."""
        called.append(path)
        return "bright"

    tools = (Tool(function=look, name="look"),)
    await recorded(tmp_path, Call("look", {"path": "a"}), Word(text="kept"), tools=tools)

    assert Word(text="kept") == await replayed(tmp_path, tools=tools)
    assert ["a", "a"] == called


async def test_the_same_question_twice_is_replayed_twice_and_no_third_time(tmp_path: Path) -> None:
    """Each reply is given once."""
    for word in ("one", "two"):
        await recorded(tmp_path, Word(text=word))
    used: Counter[str] = Counter()

    said = [await replayed(tmp_path, used) for _ in range(2)]
    with pytest.raises(RecordingMissed, match="asked 3 times what was recorded 2 times"):
        await replayed(tmp_path, used)

    assert [Word(text="one"), Word(text="two")] == said


async def test_a_miss_costs_nothing_and_is_not_tried_again(tmp_path: Path) -> None:
    """Nobody was asked."""
    tmp_path.joinpath("damaged.json").write_text("{")
    call = call_of()
    known = {NAME: RecordedModel(NAME, tmp_path, used=Counter())}
    with pytest.raises(RecordingMissed, match="holds no recordings"):
        await ask(known, call)

    assert NO_USAGE == call.meter.usage.but(wait_ms=0)


@pytest.mark.parametrize("name", [NAME, "openai:gpt-5"])
async def test_a_replay_costs_nothing_and_has_the_bounds_of_the_recording(tmp_path: Path, name: str) -> None:
    """Replies were paid when they were recorded, at our price or the list's; a packet reserves the same in both."""
    prices = {NAME: (1_000_000, 1_000_000)}
    paid = Models({name: ScriptedModel(Word(text="kept"))}, prices=prices, record=tmp_path)
    free = Models(prices=prices, replay=tmp_path)

    first = await paid.ask(request_of(models=(name,)), call_of())
    again = await free.ask(request_of(models=(name,)), call_of())

    assert (first.form, first.model, first.usage.tokens) == (again.form, again.model, again.usage.tokens)
    assert first.usage.cost_microusd > 0 == again.usage.cost_microusd
    assert paid.price(name) == free.price(name) is not None


async def test_a_fallback_is_replayed(tmp_path: Path) -> None:
    """The first model had failed and left no recording: on replay the second one's is found."""
    failed = ModelHTTPError(status_code=401, model_name="m", body=None)
    known = {NAME: ScriptedModel(failed), OTHER: ScriptedModel(Word(text="kept"))}
    await ask(known, record=tmp_path, models=(NAME, OTHER), prompt=PROMPT)

    assert Word(text="kept") == await replayed(tmp_path, models=(NAME, OTHER))
    with pytest.raises(RecordingMissed, match="none of 2 models"):
        await replayed(tmp_path, models=(NAME, OTHER), prompt="Another.")


async def test_a_reply_is_in_the_journal_before_it_is_recorded(tmp_path: Path) -> None:
    """A full disk ends the attempt; resumed, nothing is paid again, and the recording is complete."""
    journal, folder = Journal(), tmp_path / "recordings"
    folder.write_text("a file where the folder should be")
    call = call_of(journal)
    with pytest.raises(StorageUnavailable, match="cannot be recorded"):
        await ask(says(Word(text="kept")), call, record=folder, prompt=PROMPT)
    folder.unlink()

    for _ in range(2):
        await ask(says(), call_of(journal), record=folder, prompt=PROMPT)

    assert 120 == call.meter.usage.tokens
    assert 1 == len(replies_in(folder, next(folder.glob("*.json")).stem))


async def test_text_on_the_way_is_recorded_too(tmp_path: Path) -> None:
    """Who watches the text changes nothing of what is kept."""
    from mind_scene import Streaming

    await ask({NAME: Streaming("kept")}, call_of(text=True), record=tmp_path, prompt=PROMPT)

    assert Word(text="kept") == await replayed(tmp_path)


def only(folder: Path) -> Path:
    """The one recording in a folder."""
    (path,) = folder.glob("*.json")
    return path


def told(prompt: str = "x") -> bytes:
    """A request as it is written down."""
    return json.dumps({"model": "m", "messages": [], "settings": {}, "tools": [], "forms": [], "x": prompt}).encode()


def test_recordings_hold_no_address_and_no_key(tmp_path: Path) -> None:
    """They are meant to be committed."""
    response = m.ModelResponse(parts=[m.TextPart("x")], provider_url="https://user:SECRET@host/v1")
    write(tmp_path, told(), response)

    (path,) = tmp_path.glob("*.json")
    assert "SECRET" not in path.read_text()
    assert {"format", "asked", "replies"} == json.loads(path.read_text()).keys()


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Two squads that record into one folder."""
    replies = [m.ModelResponse(parts=[m.TextPart(str(n))]) for n in range(24)]

    def record(mine: list[m.ModelResponse]) -> None:
        for reply in mine:
            write(tmp_path, told(), reply)

    threads = [threading.Thread(target=record, args=(replies[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (path,) = tmp_path.glob("*.json")
    assert {str(n) for n in range(24)} == {r.parts[0].content for r in replies_in(tmp_path, path.stem)}  # type: ignore[union-attr]
    assert [] == list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "3", '{"format": "squads.recording/v0", "replies": []}', '{"format": 1}'], ids=repr
)
async def test_a_damaged_recording_is_a_miss_and_not_written_over(tmp_path: Path, damage: str) -> None:
    """It is named, so that it can be mended or removed."""
    await recorded(tmp_path)
    path = only(tmp_path)
    path.write_text(damage)
    with pytest.raises(RecordingMissed, match=path.name):
        await replayed(tmp_path)
    if damage not in ("", '{"format": "squads.recording/v0", "replies": []}'):
        with pytest.raises(StorageUnavailable, match=path.name):
            await recorded(tmp_path)


@pytest.mark.parametrize("other", ['{"asked": 3}', '{"asked": {}}', '{"asked": {"model": "m", "messages": 3}}'])
async def test_a_stranger_among_the_recordings_hides_no_miss(tmp_path: Path, other: str) -> None:
    """The nearest recording is looked for among those that are some."""
    tmp_path.joinpath("0.json").write_text(other)
    await recorded(tmp_path)
    with pytest.raises(RecordingMissed, match="the settings differs"):
        await replayed(tmp_path, output_tokens_max=7)


def test_half_a_character_can_be_recorded(tmp_path: Path) -> None:
    """What a tool said may be anything."""
    write(tmp_path, told("\ud800"), replace(m.ModelResponse(parts=[]), parts=[m.TextPart("x")]))

    assert 1 == len(list(tmp_path.glob("*.json")))
