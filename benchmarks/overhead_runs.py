"""One way of making seven model calls, in a process of its own: what `model_overhead.py` starts and measures.

The work is a plan, a build, two verdicts of which one refuses, a second build, and two verdicts that approve. By hand
that is the very bodies that a governed run sends, in the same order, the two verdicts of a round at once.

A command is one JSON line on standard input, its answer one on standard output. The parent's server answers with
`reply`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
import tracemalloc
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

Run = Callable[[], Awaitable[object]]
TIMEOUT_SECONDS = 600.0
"""By hand as well: with the SDK's five seconds for a connection, a thousand calls at once fail on a busy machine."""
BRIEF = "A treasury table that keeps a balance for each account, and a ledger of what changed it."
TASK_BRIEF = f"{BRIEF} Write treasury.sql: two tables, keys, and constraints that keep every balance at zero or more."
COLUMNS = "".join(f"    note_{n} text NOT NULL DEFAULT '',\n" for n in range(12))
TABLES = "".join(
    f"CREATE TABLE {name} (\n    id bigint PRIMARY KEY,\n{COLUMNS}    balance bigint NOT NULL%s\n);\n\n"
    for name in ("treasury", "movement")
)
DRAFT, MENDED = (TABLES.replace("%s", check) for check in ("", " CHECK (balance >= 0)"))
MODELS = {
    "coordinator": "gpt-6-luna",
    "builder": "gpt-6.1-sol",
    "balances": "gpt-5-mini",
    "schema": "gpt-4.1-mini",
}
REFUSAL = {
    "invariant": "sql.balance-not-negative",
    "severity": "blocker",
    "message": "Nothing keeps a balance from falling below zero.",
    "path": "treasury.sql",
    "line": 15,
    "evidence": "balance bigint NOT NULL",
    "satisfy": "A CHECK (balance >= 0) on the column.",
}


def reply(request: Any) -> Any:
    """Return what the model server answers: it goes by the form that is offered and the text that is shown."""
    from squads.testing import Call

    if request.offers("plan"):
        return Call("plan", {"tasks": [{"name": "treasury", "brief": TASK_BRIEF, "builder": "builder"}]})
    if request.offers("hand_in"):
        text = MENDED if "findings of a gate" in request.text else DRAFT
        return Call("hand_in", {"files": [{"path": "treasury.sql", "text": text}]})
    if request.model == MODELS["balances"] and "CHECK" not in request.messages[-1].text:
        return Call("refuse", {"findings": [REFUSAL]})
    return Call("approve", {"notes": []})


def team(**options: Any) -> Any:
    """Return a squad whose four roles ask four models."""
    from squads import Builder, Coordinator, Gate, Squad
    from squads.adapters.models import Models

    def model(name: str) -> str:
        return f"openai-chat:{MODELS[name]}"

    live = options.pop("live", 0)
    if live:
        options |= {"slots": live, "models": Models(slots={"openai-chat": live})}
    return Squad(
        coordinator=Coordinator(name="coordinator", prior="Thinks in arcs: small briefs.", model=model("coordinator")),
        builder=Builder(name="builder", prior="Thinks in objects and types.", model=model("builder")),
        gates=[
            Gate(name=name, prior=f"Thinks in invariants of {name}.", model=model(name))
            for name in ("balances", "schema")
        ],
        **options,
    )


async def squads(stack: AsyncExitStack, folder: Path, durable: bool, live: int) -> Run:
    """A governed run: signed verdicts, receipts, bus, journal, budgets."""
    from squads import Composed

    store = {"store": folder / "store", "keys": folder / "keys"} if durable else {}
    squad = await stack.enter_async_context(team(live=live, **store))

    async def run() -> None:
        outcome = await squad.run(BRIEF)
        assert isinstance(outcome, Composed), outcome

    return run


def rounds(ask: Callable[[int], Awaitable[str]]) -> Run:
    """Return the seven calls by hand. `ask` makes the n-th of them and returns the name of the form that came back."""

    async def run() -> None:
        assert await ask(0) == "plan"
        for first, expected in ((1, {"refuse", "approve"}), (4, {"approve"})):
            assert await ask(first) == "hand_in"
            assert set(await asyncio.gather(ask(first + 1), ask(first + 2))) == expected

    return run


def forms_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the pydantic forms of a body, by the name under which it offers them."""
    from squads.minds import forms

    known = (forms.PlanForm, forms.ObjectForm, forms.FilesForm, forms.ApproveForm, forms.RefuseForm, forms.AbstainForm)
    by_name = {form.called: form for form in known}
    return {tool["function"]["name"]: by_name[tool["function"]["name"]] for tool in body["tools"]}


async def by_sdk(stack: AsyncExitStack, bodies: list[dict[str, Any]], **options: Any) -> Run:
    """The openai SDK alone: the same body, and the reply's arguments parsed by the same forms."""
    from openai import AsyncOpenAI

    client = await stack.enter_async_context(AsyncOpenAI(timeout=TIMEOUT_SECONDS, **options))
    forms = [forms_of(body) for body in bodies]

    async def ask(number: int) -> str:
        response = await client.chat.completions.create(**bodies[number])
        called = response.choices[0].message.tool_calls[0].function
        forms[number][called.name].model_validate_json(called.arguments)
        return str(called.name)

    return rounds(ask)


async def by_agent(stack: AsyncExitStack, bodies: list[dict[str, Any]]) -> Run:
    """pydantic-ai's `Agent`, made once for each role, with structured output."""
    import pydantic_ai
    from openai import AsyncOpenAI
    from pydantic_ai import Agent, ToolOutput
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    pydantic_ai.BANNER_ENABLED = False
    provider = OpenAIProvider(openai_client=await stack.enter_async_context(AsyncOpenAI(timeout=TIMEOUT_SECONDS)))
    agents = {
        body["model"]: Agent(
            OpenAIChatModel(body["model"], provider=provider),
            instructions=body["messages"][0]["content"],
            output_type=[ToolOutput(form, name=name) for name, form in forms_of(body).items()],
        )
        for body in bodies
    }

    async def ask(number: int) -> str:
        body = bodies[number]
        filled = (await agents[body["model"]].run(body["messages"][1]["content"])).output
        return str(type(filled).called)

    return rounds(ask)


async def made(variant: str, stack: AsyncExitStack, folder: Path, live: int) -> Run:
    """Return one run of a variant."""
    if variant.startswith("squads"):
        return await squads(stack, folder, variant == "squads_sqlite", live)
    bodies = json.loads((folder / "bodies.json").read_text("utf-8"))
    if variant == "agent":
        return await by_agent(stack, bodies)
    if variant == "sdk_aiohttp":
        from openai import DefaultAioHttpClient

        return await by_sdk(stack, bodies, http_client=DefaultAioHttpClient())
    return await by_sdk(stack, bodies)


async def timed(run: Run, runs: int, concurrent: int) -> dict[str, float]:
    """Return wall and CPU seconds per run of this process, all threads; and runs per second."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(runs // concurrent):
        await asyncio.gather(*(run() for _ in range(concurrent)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_ms": wall / runs * 1e3, "cpu_ms": cpu / runs * 1e3, "runs_per_s": runs / wall}


async def held(run: Run, live: int, traced: int) -> dict[str, float]:
    """Return the KiB that a run holds while it waits for its first model: of Python objects, or of resident memory."""
    others = await asyncio.to_thread(count)
    gc.collect()
    if traced:
        tracemalloc.start()
    before = memory(traced)
    runs = [asyncio.ensure_future(run()) for _ in range(live)]
    while await asyncio.to_thread(count) < others + live:  # noqa: ASYNC110  # the server's process knows, and tells nobody
        await asyncio.sleep(0.05)
    gc.collect()
    return {"kib": (memory(traced) - before) / len(runs) / 1024}


def memory(traced: int) -> int:
    """Return bytes in use."""
    if traced:
        return tracemalloc.get_traced_memory()[0]
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def count() -> int:
    """Return how many requests the server has not answered: those of processes that are gone are among them."""
    url = os.environ["OPENAI_BASE_URL"].removesuffix("/v1") + "/_server/count"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as response:
        known = json.loads(response.read())
    return int(sum(known["asked"].values()) - sum(known["answered"].values()))


async def main(variant: str, folder: Path, live: int) -> None:
    async with AsyncExitStack() as stack:
        run = await made(variant, stack, folder, live)
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            done = await (held(run, **command) if "live" in command else timed(run, **command))
            print(json.dumps(done), flush=True)
            if "live" in command:
                os._exit(0)  # a thousand runs that wait for an answer are not taken down one by one


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
