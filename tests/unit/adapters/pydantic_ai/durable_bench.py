"""What the tests of kept tool calls share: a journal that dies, a scratch place, a model that follows a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic_ai import Agent, FunctionToolset, ModelRetry, ToolFailed
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.pydantic_ai.durable import SquadsDurability
from squads.adapters.pydantic_ai.tool_steps import read_step
from squads.contracts.errors import StorageUnavailable
from squads.contracts.finding import Usage
from squads.contracts.thinking import Step
from squads.kernel.model_ports import ModelCall

ABOUT = "a" * 64
Call = tuple[str, dict[str, Any]]


class Killed(BaseException):
    """Stands for a process that dies: nothing catches it."""


class Journal(MemoryJournal):
    """Remembers the order of puts; dies before or after one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.dies: tuple[str, int] = ("", 0)
        self.full = False

    async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
        self.events.append("put")
        point = self.events.count("put")
        if self.dies == ("before", point):
            raise Killed
        if self.full:
            raise StorageUnavailable("the disk is full")
        kept = await super().put(about, step)
        if self.dies == ("after", point):
            raise Killed
        return kept

    @property
    def steps(self) -> list[tuple[Any, bytes]]:
        """The (result, changes) of every step, in the order in which they were put."""
        return [read_step(step.payload) for steps in self._steps.values() for step in steps.values()]


class Files:
    """Effects: a scratch place in a dictionary."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self.redone: list[bytes] = []

    def taken(self) -> bytes:
        new = {path: text for path, text in self.now.items() if self._before.get(path) != text}
        self._before = dict(self.now)
        return json.dumps(new).encode() if new else b""

    def redo(self, changes: bytes) -> None:
        self.redone.append(changes)
        self.now.update(json.loads(changes or b"{}"))


class Spent:
    """A meter that nobody reserves on."""

    usage = Usage(tokens=7, calls=1)

    def reserve(self, *, tokens: int, cost_microusd: int) -> int:
        raise AssertionError("tools reserve nothing")

    def settle(self, mark: int, usage: Usage | None) -> None:
        raise AssertionError("tools settle nothing")

    def count(self, usage: Usage) -> None:
        raise AssertionError("tools count nothing")


def call_of(journal: MemoryJournal, watch: Callable[[Any], None] | None = None) -> ModelCall:
    return ModelCall(
        about=ABOUT, packet="p", role="builder", journal=journal, meter=Spent(), blobs=MemoryBlobs(), watch=watch
    )


def asking(*turns: Sequence[Call], events: list[str] | None = None) -> FunctionModel:
    """A model that calls these tools, one group a turn, and then says what it was told."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if events is not None:
            events.append("model")
        turn = sum(isinstance(message, ModelResponse) for message in messages)
        if turn < len(turns):
            return ModelResponse(
                parts=[
                    ToolCallPart(name, arguments, tool_call_id=f"{turn}.{number}")
                    for number, (name, arguments) in enumerate(turns[turn])
                ]
            )
        return ModelResponse(parts=[TextPart("done")])

    return FunctionModel(answer)


def told(messages: list[ModelMessage]) -> list[Any]:
    """Return what a conversation says, without what differs between two that say the same."""

    def said(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: said(v) for k, v in value.items() if k not in {"timestamp", "run_id", "conversation_id"}}
        return [said(inner) for inner in value] if isinstance(value, list) else value

    written: list[Any] = said(ModelMessagesTypeAdapter.dump_python(messages, mode="json"))
    return written


def returned(said: list[Any]) -> list[Any]:
    """Return what tools returned in a conversation."""
    return [part["content"] for message in said for part in message["parts"] if part["part_kind"] == "tool-return"]


class Bench:
    """A scratch place, tools that write into it, and how often each was called."""

    def __init__(self, journal: Any = None) -> None:
        self.journal = journal or Journal()
        self.called: list[str] = []
        self.files = Files()

    def again(self) -> Bench:
        """Another process: the same journal, and an empty scratch place."""
        return Bench(self.journal)

    def tools(self) -> FunctionToolset[Any]:
        def write(path: str, text: str) -> str:
            self.called.append(f"write {path}")
            self.files.now[path] = text
            return f"wrote {path}"

        def retry(path: str) -> str:
            self.called.append(f"retry {path}")
            if path == "bad":
                raise ModelRetry("another path, please")
            return f"read {path}"

        def fail() -> str:
            self.called.append("fail")
            raise ToolFailed("this will never work")

        def crash() -> str:
            self.called.append("crash")
            raise OSError("the drive is gone")

        return FunctionToolset([write, retry, fail, crash], id="scratch", max_retries=3)

    def durability(self) -> SquadsDurability[Any]:
        return SquadsDurability(call_of(self.journal), self.files)

    async def run(self, *turns: Sequence[Call], events: list[str] | None = None) -> list[Any]:
        agent = Agent(asking(*turns, events=events), toolsets=[self.tools()], capabilities=[self.durability()])
        return told((await agent.run("Write.")).all_messages())


def write(path: str, text: str = "x") -> Call:
    return "write", {"path": path, "text": text}


THREE = ([write("a")], [write("b"), write("c")])
