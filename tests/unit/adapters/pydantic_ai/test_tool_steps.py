"""A call of a tool is recognised in every process, and what it came to is read as it was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel
from pydantic_ai.durable_exec import ToolsetCallToolId, ToolsetCallToolParams, ToolsetValidateToolArgumentsId

import squads
from squads.adapters.pydantic_ai.tool_steps import changed_tools, plain, read_step, tool_asked, tools_listed, write_step


def asked(*, tool: str = "read", toolset: str = "scratch", approved: bool = False, **arguments: Any) -> bytes:
    ctx = cast("Any", SimpleNamespace(tool_call_approved=approved))
    params = ToolsetCallToolParams(tool, tool_args=arguments, ctx=ctx, tool=None)
    return tool_asked(ToolsetCallToolId("function", toolset_id=toolset), params)


def test_what_is_asked_is_written_as_it_always_was() -> None:
    """Journals outlive versions: a change of this line makes every kept call unknown."""
    assert (
        b'{"approved":false,"arguments":{"lines":[1,2.5,null,true],"path":"Gr\\u00fc\\ud800"},'
        b'"operation":"call","tool":"read","toolset":["function","scratch"],"version":"squads.tool/v1"}'
    ) == asked(path="Grü\ud800", lines=[1, 2.5, None, True])


def test_each_part_of_a_call_tells_it_apart() -> None:
    """Tool, toolset, arguments, approval, and whether it is called or its arguments are looked at."""
    ctx = cast("Any", SimpleNamespace(tool_call_approved=False))
    looked_at = tool_asked(
        ToolsetValidateToolArgumentsId("function", toolset_id="scratch"),
        ToolsetCallToolParams("read", tool_args={"path": "a"}, ctx=ctx, tool=None),
    )
    calls = [
        asked(path="a"),
        asked(path="b"),
        asked(path="a", tool="write"),
        asked(path="a", toolset="other"),
        asked(path="a", approved=True),
        asked(),
        looked_at,
    ]

    assert len(calls) == len(set(calls))


def test_a_call_is_the_same_in_every_process(tmp_path: Path) -> None:
    """The order of a set depends on the process; what is asked does not."""
    program = (
        "from squads.adapters.pydantic_ai.tool_steps import plain; import json; "
        "print(json.dumps(plain({'words': {'a', 'b', 'c', 'd', 'e'}, 'pairs': {('x', 1), ('y', 2)}})))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(squads.__file__).parent.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert {json.dumps({"words": ["a", "b", "c", "d", "e"], "pairs": [["x", 1], ["y", 2]]}) + "\n"} == outputs


def test_typed_arguments_are_written_plainly() -> None:
    """Models, data classes, times, bytes and sets inside one another: as JSON, whatever they hold."""

    class Place(BaseModel):
        path: str
        tags: set[str]

    @dataclass
    class Edit:
        place: Place
        at: datetime

    edit = Edit(Place(path="a", tags={"z", "y"}), datetime(2026, 1, 2, tzinfo=UTC))

    assert {
        "edits": [{"place": {"path": "a", "tags": ["y", "z"]}, "at": "2026-01-02T00:00:00Z"}],
        "raw": "AP8=",
        "1": "one",
    } == plain({"edits": (edit,), "raw": b"\x00\xff", 1: "one"})


def test_what_is_not_known_is_never_taken_for_something_else() -> None:
    """Two objects without a form of their own are two calls: the tool is called again, not answered wrongly."""
    one, other = object(), object()

    assert plain(one) != plain(other)


@pytest.mark.parametrize("result", [None, "", "Grü\ud800", {"a": [1, 2.5, True, None]}, []])
@pytest.mark.parametrize("changes", [b"", b"\x00\xff", b"[]"])
def test_a_step_is_read_as_it_was_written(result: object, changes: bytes) -> None:
    """Result and changes lie side by side, and neither is taken for the other."""
    assert (result, changes) == read_step(write_step(result, changes))


NESTED = (200_000).to_bytes(8, "big") + b"[" * 200_000


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x00" * 7, b"\x00" * 8, b"\x00" * 7 + b"\x09{}", b"\xff" * 40, b"{}" * 9, NESTED],
    ids=["nothing", "cut size", "no result", "cut result", "too large", "something else", "nested without end"],
)
def test_what_is_no_step_is_refused(payload: bytes) -> None:
    """Cut, empty, or something else: a `ValueError`, whatever the bytes."""
    with pytest.raises(ValueError):
        read_step(payload)


def test_lists_of_tools_are_compared_by_name_and_definition() -> None:
    """Order does not count; what is new, gone or changed is named."""
    asked_one, before = tools_listed("shelf", {"fetch": {"a": 1, "b": 2}, "burn": {}})
    asked_other, same = tools_listed("shelf", {"burn": {}, "fetch": {"b": 2, "a": 1}})
    _, now = tools_listed("shelf", {"fetch": {"a": 2, "b": 2}, "lend": {}})

    assert asked_one == asked_other
    assert asked_one != tools_listed("other", {})[0]
    assert "" == changed_tools(before, same)
    assert "new: lend; gone: burn; changed: fetch" == changed_tools(before, now)
