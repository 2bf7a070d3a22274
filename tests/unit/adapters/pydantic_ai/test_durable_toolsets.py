"""Whatever an agent's tools come from, their calls are kept, or refused where they cannot be."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from durable_bench import Bench, Journal, asking, call_of, returned, told, write
from pydantic_ai import Agent, DeferredToolRequests, FunctionToolset, ModelRetry, RunContext
from pydantic_ai.exceptions import ApprovalRequired, UserError
from pydantic_ai.tools import DeferredToolResults
from pydantic_ai.toolsets import AbstractToolset, DynamicToolset, WrapperToolset

from squads.adapters.pydantic_ai.durable import SquadsDurability
from squads.contracts.errors import InvalidInput


async def test_argument_validators_are_kept_too() -> None:
    """A validator may ask the world; what it said then is what counts."""
    looked: list[int] = []

    def look(ctx: RunContext[Any], number: int) -> None:
        looked.append(number)
        if number == 1:
            raise ModelRetry("not one")

    def count(number: int) -> str:
        return str(number)

    journal, ends = Journal(), []
    for _ in range(2):
        tools = FunctionToolset[Any](id="count")
        tools.add_function(count, args_validator=look, takes_ctx=False)
        agent = Agent(
            asking([("count", {"number": 1})], [("count", {"number": 2})]),
            toolsets=[tools],
            capabilities=[SquadsDurability(call_of(journal))],
        )
        ends.append(told((await agent.run("Go.")).all_messages()))

    assert [1, 2] == looked
    assert ends[0] == ends[1]


async def test_what_a_tool_calls_in_turn_is_part_of_its_step() -> None:
    """An agent inside a tool keeps nothing of its own, or its changes would be taken from the step around it."""
    journal, outer = Journal(), Bench()
    outer.journal = journal

    async def delegate() -> str:
        inner = Agent(asking([write("a")], [write("b")]), toolsets=[outer.tools()], capabilities=[outer.durability()])
        return (await inner.run("Write.")).output

    async def run(bench: Bench) -> None:
        agent = Agent(
            asking([("delegate", {})]),
            toolsets=[FunctionToolset([delegate], id="delegate")],
            capabilities=[bench.durability()],
        )
        await agent.run("Go.")

    await run(outer)
    again = outer.again()
    await run(again)

    assert 1 == len(journal.steps)
    assert ["write a", "write b"] == outer.called
    assert {"a": "x", "b": "x"} == again.files.now


async def test_a_call_that_was_approved_is_another_one() -> None:
    """The question that was kept is not asked for ever: the approved call has a step of its own."""
    journal, called = Journal(), []

    def drop(ctx: RunContext[Any], table: str) -> str:
        if not ctx.tool_call_approved:
            raise ApprovalRequired
        called.append(table)
        return f"dropped {table}"

    def agent() -> Agent[Any, Any]:
        return Agent(
            asking([("drop", {"table": "t"})]),
            output_type=[str, DeferredToolRequests],
            toolsets=[FunctionToolset([drop], id="drop")],
            capabilities=[SquadsDurability(call_of(journal))],
        )

    for _ in range(2):
        asked = await agent().run("Go.")
        assert isinstance(asked.output, DeferredToolRequests)
        (waiting,) = asked.output.approvals
        results = DeferredToolResults(approvals={waiting.tool_call_id: True})
        done = await agent().run(message_history=asked.all_messages(), deferred_tool_results=results)

        assert "done" == done.output
    assert ["t"] == called


async def test_a_dynamic_toolset_is_kept() -> None:
    """A toolset that a function makes for each run is as durable as one that was there before."""
    bench, ends = Bench(), []
    for one in (bench, bench.again()):
        agent = Agent(
            asking([write("a")]),
            toolsets=[DynamicToolset(lambda ctx, one=one: one.tools(), id="made")],  # type: ignore[misc]
            capabilities=[one.durability()],
        )
        ends.append((told((await agent.run("Write.")).all_messages()), one.called))

    assert ends[0][0] == ends[1][0]
    assert [["write a"], []] == [called for _, called in ends]


def mcp_tools(called: list[int], *, extra: bool = False, title: str = "") -> AbstractToolset[Any]:
    """Return the tools of an MCP server in this process."""
    from mcp.server.mcpserver import MCPServer
    from pydantic_ai.mcp import MCPToolset

    server = MCPServer("shelf")

    def fetch(number: int) -> str:
        called.append(number)
        return f"book {number}"

    server.add_tool(fetch, description=f"Fetch a book{title}.")
    if extra:
        server.add_tool(lambda: "nothing", name="burn", description="Burn a book.")
    return MCPToolset(server, id="shelf")


async def test_tools_of_mcp_servers_are_kept() -> None:
    """The server is asked for its tools again, and for what it did already it is not."""
    journal, called, ends = Journal(), list[int](), []
    for _ in range(2):
        agent = Agent(
            asking([("fetch", {"number": 1})], [("fetch", {"number": 2})]),
            toolsets=[mcp_tools(called)],
            capabilities=[SquadsDurability(call_of(journal))],
        )
        ends.append(told((await agent.run("Fetch.")).all_messages()))

    assert [1, 2] == called
    assert ends[0] == ends[1]


async def test_a_server_that_lists_other_tools_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Replies to the old list are asked and paid for again, and that is not done silently."""
    journal = Journal()

    async def run(tools: AbstractToolset[Any]) -> list[str]:
        caplog.clear()
        durability = SquadsDurability[Any](call_of(journal))
        await Agent(asking(), toolsets=[tools], capabilities=[durability]).run("Fetch.")
        return [record.getMessage() for record in caplog.records if record.name == "squads.pydantic_ai"]

    with caplog.at_level(logging.WARNING):
        assert [] == await run(mcp_tools([]))
        assert [] == await run(mcp_tools([]))
        (changed,) = await run(mcp_tools([], title=", gently"))
        (more,) = await run(mcp_tools([], extra=True))

    assert "the tools of 'shelf' are not those that it was begun with (changed: fetch)" in changed
    assert "(new: burn)" in more


async def test_toolsets_that_are_added_to_a_run_are_refused() -> None:
    """They would be called past the journal."""
    bench = Bench()
    agent = Agent(asking([write("a")]), capabilities=[bench.durability()])
    with pytest.raises(UserError, match="cannot be added at runtime with squads"):
        await agent.run("Write.", toolsets=[bench.tools()])

    assert [] == bench.called


async def test_a_toolset_of_a_kind_of_its_own_is_refused_until_it_is_wrapped() -> None:
    """What cannot be kept is refused, and the sentence says how it can be."""
    bench = Bench()
    hidden = bench.tools()

    class Own(AbstractToolset[Any]):
        id = "own"

        async def get_tools(self, ctx: RunContext[Any]) -> Any:
            return await hidden.get_tools(ctx)

        async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: Any) -> Any:
            return await hidden.call_tool(name, tool_args, ctx, tool)

    with pytest.raises(InvalidInput, match="DynamicToolset"):
        await Agent(asking([write("a")]), toolsets=[Own()], capabilities=[bench.durability()]).run("Write.")
    assert [] == bench.called

    wrapped = DynamicToolset[Any](lambda ctx: Own(), id="own")
    await Agent(asking([write("a")]), toolsets=[wrapped], capabilities=[bench.durability()]).run("Write.")

    assert ["write a"] == bench.called
    assert 1 == sum(isinstance(result, dict) and "result" in result for result, _ in bench.journal.steps)


async def test_it_can_be_given_to_one_run_of_an_agent() -> None:
    """Who keeps one agent for all requests gives each run its own."""
    bench = Bench()
    agent = Agent(asking([write("a")], [write("b")]), name="mine", toolsets=[bench.tools()])
    first = await agent.run("Write.", capabilities=[bench.durability()])
    second = await agent.run("Write.", capabilities=[bench.durability()])

    assert ["write a", "write b"] == bench.called
    assert told(first.all_messages()) == told(second.all_messages())


async def test_requests_of_models_pass_through() -> None:
    """They are kept below the agent: no model needs to be known here, and none of their replies is put."""
    bench = Bench()
    agent = Agent(asking(), toolsets=[bench.tools()], capabilities=[bench.durability()])
    result = await agent.run("Write.", model=asking([write("a")]))

    assert "done" == result.output
    assert ["write a"] == bench.called
    assert 1 == len(bench.journal.steps)


async def test_two_toolsets_with_a_tool_of_one_name_are_told_apart() -> None:
    """Below its prefix the name is the same; what one returned is not given as what the other would."""

    def named(word: str) -> WrapperToolset[Any]:
        def look() -> str:
            return word

        return FunctionToolset[Any]([look], id=word).prefixed(word)

    journal = Journal()
    agent = Agent(
        asking([("left_look", {})], [("right_look", {})]),
        toolsets=[named("left"), named("right")],
        capabilities=[SquadsDurability(call_of(journal))],
    )
    for _ in range(2):
        assert ["left", "right"] == returned(told((await agent.run("Look.")).all_messages()))
