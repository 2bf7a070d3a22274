"""A program whose agent calls tools and is killed: the other half of `test_tools_kill.py`. Not a test itself.

    tools_child.py run STORE [WHEN N]    run or resume the request; SIGKILL itself at the N-th point
    tools_child.py points DIRECTORY      one JSON line per point: killed there, then resumed; the directory is called
                                         as one WHEN: before or after (a put into the journal), inside (a tool, done)

Each run and each resume is a process of its own, with a scratch place of its own; all that it shares with the others is
the ledger's database. Nothing in the library knows of this: the journal's `put` is wrapped from out here.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic_ai import Agent, FunctionToolset, ModelRetry
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from run_child import forked

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.pydantic_ai.durable import SquadsDurability
from squads.adapters.sqlite_journal import SqliteJournal
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.thinking import Step
from squads.kernel.model_ports import ModelCall
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN

TURNS = (
    [("write", {"path": "a", "text": "one"})],
    [("write", {"path": "b", "text": "two"}), ("read", {"path": "a"})],
    [("read", {"path": "none"})],
    [("write", {"path": "a", "text": "three"})],
    [("read", {"path": "a"}), ("write", {"path": "a", "text": "three"})],
)
"""What the model asks for: files, a file that is not there, a file again, and the same call twice."""


class Scratch:
    """Effects on a real directory."""

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.place = place
        self._before: dict[str, str] = {}

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.place.iterdir())}

    def taken(self) -> bytes:
        now = self.files()
        new = {name: text for name, text in now.items() if self._before.get(name) != text}
        self._before = now
        return json.dumps(new).encode() if new else b""

    def redo(self, changes: bytes) -> None:
        for name, text in json.loads(changes or b"{}").items():
            (self.place / name).write_text(text)


def ticking(at: int) -> Callable[[], None]:
    """Return what kills this process when it is called for the `at`-th time."""
    count = [0]

    def tick() -> None:
        count[0] += 1
        if count[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return tick


def arm(when: str, tick: Callable[[], None]) -> None:
    """Have every put of this process tick before or after it."""
    real_put = SqliteJournal.put

    async def put(self: SqliteJournal, about: str, step: Step, *, packet: str = "") -> Step:
        if when == "before":
            tick()
        kept = await real_put(self, about, step, packet=packet)
        if when == "after":
            tick()
        return kept

    SqliteJournal.put = put  # type: ignore[method-assign]


def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    turn = sum(isinstance(message, ModelResponse) for message in messages)
    calls = TURNS[turn] if turn < len(TURNS) else []
    parts = [ToolCallPart(name, asked, tool_call_id=f"{turn}.{n}") for n, (name, asked) in enumerate(calls)]
    return ModelResponse(parts=parts or [TextPart("done")])


async def run(store: Path, when: str = "", at: int = 0) -> dict[str, Any]:
    """Run the request from its beginning, with what the journal has of it."""
    store.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240
    scratch, tick = Scratch(store / f"scratch-{os.getpid()}"), ticking(at)
    arm(when, tick)

    def note(what: str) -> None:
        with (store / "called").open("a") as file:
            file.write(what + "\n")
        if when == "inside":
            tick()

    def write(path: str, text: str) -> str:
        (scratch.place / path).write_text(text)
        note(f"write {path} {text}")
        return f"wrote {path}"

    def read(path: str) -> str:
        found = scratch.place / path
        note(f"read {path}")
        if not found.exists():
            raise ModelRetry(f"there is no {path}")
        return found.read_text()

    ledger = SqliteLedger.open(store / "ledger.db", ORIGIN, LOG_KEY, outside=None)
    nobody: Any = None  # nothing is reserved for a tool
    call = ModelCall(
        about="a" * 64, packet="p", role="maker", journal=ledger.journal, meter=nobody, blobs=MemoryBlobs()
    )
    agent = Agent(
        FunctionModel(answer),
        toolsets=[FunctionToolset([write, read], id="scratch")],
        capabilities=[SquadsDurability(call, scratch)],
    )
    messages = ModelMessagesTypeAdapter.dump_python((await agent.run("Write.")).all_messages(), mode="json")
    await ledger.close()
    said = [
        {key: part.get(key) for key in ("part_kind", "content", "args", "tool_name", "tool_call_id")}
        for message in messages
        for part in message["parts"]
    ]
    return {"said": said, "files": scratch.files()}


def points(base: Path) -> None:
    """Kill at every point there is, and resume; every third time the one that resumes is killed as well."""
    asyncio.run(run(base / "warm"))  # what is imported on the way is imported once, for every fork
    when, at, died = base.name, 0, 1
    while died:
        at += 1
        store = base / str(at)

        def go(at: int, store: Path = store) -> Any:
            return asyncio.run(run(store, when, at))

        died, first = forked(lambda at=at: go(at))
        again = forked(lambda: go(1))[0] if died and at % 3 == 0 else 0
        _, outcome = forked(lambda: go(0))
        called = (store / "called").read_text().splitlines()
        print(json.dumps({"died": died, "again": again, "first": first, "outcome": outcome, "called": called}))


def main() -> None:
    what, store = sys.argv[1], Path(sys.argv[2])
    if what == "run":
        print(json.dumps(asyncio.run(run(store, *([sys.argv[3], int(sys.argv[4])] if len(sys.argv) > 3 else [])))))
    else:
        points(store)


if __name__ == "__main__":
    main()
