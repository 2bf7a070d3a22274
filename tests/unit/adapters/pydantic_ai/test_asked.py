"""How a paid request is recognised: the same words give the same digest, and other words another."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai import messages as m
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from squads.adapters.pydantic_ai.asked import asked, digest_of_asked, read_reply, writable, write_reply, written
from squads.contracts.finding import Usage

PARAMETERS = ModelRequestParameters(
    output_tools=[ToolDefinition(name="approve", description="Let it through.", parameters_json_schema={"a": 1})],
    function_tools=[ToolDefinition(name="read_file", description="Read.", parameters_json_schema={})],
)
SETTINGS: Any = {"max_tokens": 100}


def conversation(args: Any = None, content: Any = "yes", **of_reply: Any) -> list[m.ModelMessage]:
    """A question, a call of a tool, and its result."""
    return [
        m.ModelRequest(parts=[m.UserPromptPart("Judge this.")], instructions="You are a gate."),
        m.ModelResponse(parts=[m.ToolCallPart("read_file", args or {"path": "a"}, tool_call_id="1")], **of_reply),
        m.ModelRequest(parts=[m.ToolReturnPart("read_file", content, tool_call_id="1")]),
    ]


def digest(messages: list[m.ModelMessage], **changed: Any) -> str:
    """The digest under which it would be kept."""
    said = {"model": "a:b", "settings": SETTINGS, "parameters": PARAMETERS, **changed}
    return digest_of_asked(asked(said["model"], messages, said["settings"], said["parameters"]))


def test_when_and_through_whom_a_reply_came_does_not_count() -> None:
    """Times, run ids, names of a provider's and tries that failed differ between two runs that say the same."""
    other = conversation(
        timestamp=datetime(2020, 1, 1, tzinfo=UTC),
        run_id="r",
        provider_name="p",
        provider_response_id="x",
        model_name="m-2020",
        finish_reason="tool_call",
        failed_attempts=[],
    )

    assert digest(conversation(finish_reason="tool_call")) == digest(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "a:c"},
        {"settings": {"max_tokens": 101}},
        {"parameters": replace(PARAMETERS, function_tools=[])},
        {"parameters": replace(PARAMETERS, output_tools=[])},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_question_has_another_digest(changed: Any) -> None:
    """A model, a setting, a tool or a form that is not the same is another question."""
    assert digest(conversation()) != digest(conversation(), **changed)


@pytest.mark.parametrize("key", ["timestamp", "usage", "metadata", "model_name", "retry", "run_id"])
def test_what_tools_are_told_counts_whatever_its_keys_are_called(key: str) -> None:
    """A tool may have an argument `timestamp`: two calls that differ in it are two conversations."""
    one, other, none = ({"path": "a", key: value} for value in ("1", "2", None))

    assert 4 == len({digest(conversation(args)) for args in (one, other, none, {"path": "a"})})
    assert 4 == len({digest(conversation(content=content)) for content in (one, other, none, {"path": "a"})})


def test_a_prompt_with_half_a_character_has_a_digest() -> None:
    """What a tool read may hold anything."""
    assert digest(conversation(content="\ud800")) != digest(conversation(content="\ud801"))


TEXT = st.text(max_size=40)


@given(st.lists(st.one_of(TEXT.map(m.TextPart), st.dictionaries(TEXT, TEXT).map(lambda a: m.ToolCallPart("f", a)))))
def test_a_reply_that_is_read_again_says_the_same(parts: list[m.ModelResponsePart]) -> None:
    """A resumed turn asks its next question with what the journal gave back, and must be recognised."""
    response, said = written(m.ModelResponse(parts=parts, model_name="x"))

    again, usage = read_reply(write_reply(said, Usage(tokens=3, calls=1)))

    assert 3 == usage.tokens
    assert digest([response]) == digest([again])


@pytest.mark.parametrize(
    "part",
    [
        m.TextPart("half \ud800"),
        m.ThinkingPart("half \ud800", provider_details={"x": "\ud800"}),
        m.ToolCallPart("f", {"text": "half \ud800"}),
        m.ToolCallPart("f", '{"text": "half \ud800"}'),
    ],
    ids=lambda part: f"{part.part_kind} {type(getattr(part, 'args', '')).__name__}",
)
def test_every_reply_can_be_written(part: Any) -> None:
    """Models write halves of characters. The reply was paid for, so it is kept, and fills in no form."""
    response, said = written(m.ModelResponse(parts=[part]))
    again, _ = read_reply(write_reply(said, Usage()))

    assert digest([response]) == digest([again])
    assert "half" in str(again.parts[0])
    assert said.decode()


def test_what_is_whole_is_written_as_it_is() -> None:
    """Only what JSON cannot hold is changed."""
    response = m.ModelResponse(parts=[m.TextPart("🦊"), m.ToolCallPart("f", {"a": "é"})])

    assert response is written(response)[0]
    assert "🦊" == writable(response).parts[0].content  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", [b"", b"{}", b"{}\n[]", b"{}\nnull", b'{}\n[{"kind": "request", "parts": []}]'])
def test_what_is_no_reply_is_not_read_as_one(kept: bytes) -> None:
    """Nobody vouches for the database."""
    with pytest.raises(ValueError):
        read_reply(kept)


PROGRAM = """
from squads.adapters.pydantic_ai.asked import asked, digest_of_asked
from squads.adapters.pydantic_ai.engine import _parameters
from squads.minds import forms
from pydantic_ai import messages as m
parameters = _parameters((forms.ApproveForm, forms.RefuseForm, forms.AbstainForm), "You are a gate.")
messages = [m.ModelRequest(parts=[m.UserPromptPart("Judge this.")], instructions="You are a gate.")]
print(digest_of_asked(asked("a:b", messages, {"max_tokens": 1, "temperature": 0.5}, parameters)))
"""


def test_every_process_finds_the_same_digest() -> None:
    """The journal outlives its process, and hashes of strings are drawn anew in each."""
    found = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(found)
