"""A program whose roles ask models and that is killed: the other half of `test_model_kill.py`. Not a test itself.

    model_child.py matrix DIRECTORY STRIDE     one JSON line per point: killed there, resumed, and what that cost
    model_child.py cli WHEN N -- ARGUMENTS     the command line of squads, which kills itself at the N-th point

The model server is a process of its own that outlives every death, so what it counts is what a provider would bill.
Every run and every resume is a process of its own too: all that they share is the store. Nothing in the library knows
of this: the ports are wrapped from out here.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pydantic_ai.models.anthropic
import pydantic_ai.models.openai
from model_replies import POINTS
from run_child import described, forked

import squads.adapters.pydantic_ai.engine
import squads.minds.think
import squads.worker
from squads import Builder, Coordinator, Gate, Packet, Predicate, Squad
from squads.adapters.process_sandbox import ProcessSandbox
from squads.adapters.sqlite_journal import SqliteJournal
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.audit import audit
from squads.contracts.outcome import Outcome

PACKET = Packet(brief="A table of pairs.", done_when=(Predicate(id="pairs", sentence="Pairs are unique."),))


def squad(store: Path) -> Squad:
    """Three roles with three models of three protocols; the builder works with tools."""
    return Squad(
        coordinator=Coordinator(name="planner", prior="Thinks in arcs.", model="openai:planner"),
        builder=Builder(
            name="maker",
            prior="Thinks in objects.",
            model="anthropic:maker",
            tools=("read", "write", "run"),
            run=("python",),
        ),
        gates=[Gate(name="reader", prior="Thinks in invariants.", model="openai-chat:reader")],
        sandbox=ProcessSandbox(),
        store=store,
    )


async def run_or_resume(store: Path) -> Outcome:
    """Open the packet, or take it up again where it was opened."""
    async with squad(store) as made:
        packets = [s for s in await (await made.workspace()).ledger.streams() if s != "workspace"]
        return await (made.resume(packets[0]) if packets else made.run(PACKET))


# Where it dies --------------------------------------------------------------------------------------------------------


def arm(when: str, at: int, calls: Path | None = None) -> None:
    """Have this process kill itself at the `at`-th point of a kind, and write down every tool that it calls."""
    count = [0]

    def tick(kind: str) -> bool:
        count[0] += kind == when
        return kind == when and count[0] == at

    def die(kind: str) -> None:
        if tick(kind):
            os.kill(os.getpid(), signal.SIGKILL)

    _arm_requests(die, lambda: tick("served"))
    _arm_tools(die, calls)
    put, append, record_for = SqliteJournal.put, SqliteLedger.append, squads.worker.record_for

    async def dying_put(self: SqliteJournal, about: str, step: Any, *, packet: str = "") -> Any:
        die("arrived" if step.kind == "model" else "returned")
        kept = await put(self, about, step, packet=packet)
        die("written" if step.kind == "model" else "noted")
        return kept

    async def dying_append(self: SqliteLedger, *args: Any, **more: Any) -> Any:
        die("appending")
        made = await append(self, *args, **more)
        die("appended")
        return made

    async def dying_record_for(*args: Any, **more: Any) -> Any:
        made = await record_for(*args, **more)
        die("answered")
        return made

    SqliteJournal.put = dying_put  # type: ignore[method-assign]
    SqliteLedger.append = dying_append  # type: ignore[method-assign]
    squads.worker.record_for = dying_record_for  # type: ignore[assignment]


def _arm_requests(die: Callable[[str], None], dies_served: Callable[[], bool]) -> None:
    """Wrap what sends a request to a provider."""
    openai, anthropic = pydantic_ai.models.openai, pydantic_ai.models.anthropic
    for wire in (openai.OpenAIChatModel, openai.OpenAIResponsesModel, anthropic.AnthropicModel):
        real = wire.request

        async def request(self: Any, *args: Any, real: Any = real) -> Any:
            die("sending")
            if not dies_served():
                return await real(self, *args)
            control("switch", {"latency_ms": 60_000})
            before = requests_served()
            asking = asyncio.create_task(real(self, *args))
            while await asyncio.to_thread(requests_served) == before:
                assert not asking.done(), asking.result()
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        wire.request = request  # type: ignore[method-assign, assignment]


def _arm_tools(die: Callable[[str], None], calls: Path | None) -> None:
    """Wrap the builder's tools; each call is written down when it begins."""
    real = squads.minds.think.tools_of

    def tools_of(*args: Any, **more: Any) -> Any:
        def wrapped(tool: Any) -> Any:
            @wraps(tool.function)
            async def function(*given: Any, **named: Any) -> str:
                if calls is not None:
                    with calls.open("a") as file:
                        file.write(f"{tool.name} {json.dumps([given, named])}\n")
                die("called")
                result = tool.function(*given, **named)
                return str(await result if asyncio.iscoroutine(result) else result)

            return type(tool)(function=function, name=tool.name, reads_only=tool.reads_only)

        return tuple(map(wrapped, real(*args, **more)))

    squads.minds.think.tools_of = tools_of


def control(what: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the model server about itself, or switch it."""
    url = f"{os.environ['ANTHROPIC_BASE_URL']}/_server/{what}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, data, timeout=10) as response:
        return json.loads(response.read())


def requests_served() -> int:
    """Return how many requests have reached the server so far."""
    return sum(control("count")["asked"].values())


# The matrix -----------------------------------------------------------------------------------------------------------


def matrix(base: Path, stride: int) -> None:
    """Kill at every `stride`-th point of each kind, resume, and say what was asked and called once more."""
    asyncio.run(run_or_resume(base / "warm"))  # what is imported on the way is imported once, for every fork
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join(30)  # one that was told to end may not have ended yet
    assert threading.active_count() == 1, "a fork would lose threads"
    asked, called, whole = _told(base / "undisturbed", "", 0)
    print(json.dumps({"when": "", "at": 0, "died": 0, "asked": asked, "called": called, **whole}), flush=True)
    for when in POINTS:
        at, died = 1, signal.SIGKILL
        while died:
            more, again, found = _told(base / f"{when}-{at}", when, at)
            died = found["died"]
            lost = {"repeated": more - asked, "called_again": again - called}
            if died:
                print(json.dumps({"when": when, "at": at, **lost, **found}), flush=True)
            at += stride


def _told(store: Path, when: str, at: int) -> tuple[int, int, dict[str, Any]]:
    """Return how many requests and calls of tools it took to compose, and what came of it."""
    calls = store.with_name(f"{store.name}.calls")
    before = requests_served()

    def go(when: str, at: int) -> Any:
        arm(when, at, calls)
        return described(asyncio.run(run_or_resume(store)))

    died, first = forked(lambda: go(when, at))
    control("switch", {"latency_ms": 0})
    _, outcome = forked(lambda: go("", 0)) if died else (0, first)
    found = {"died": died, "outcome": outcome, "failed": [c.message for c in audit(store).failed]}
    return requests_served() - before, len(calls.read_text().splitlines()), found


def main() -> None:
    if sys.argv[1] == "matrix":
        matrix(Path(sys.argv[2]), int(sys.argv[3]))
        return
    from squads.cli import main as command_line

    arm(sys.argv[2], int(sys.argv[3]))
    sys.argv = ["squads", *sys.argv[sys.argv.index("--") + 1 :]]
    command_line()


if __name__ == "__main__":
    main()
