"""A program that runs a durable squad and is killed: the other half of `test_run_kill.py`. Not a test itself.

    run_child.py run STORE [before|after|answer N]     run or resume the packet; SIGKILL itself at the N-th point
    run_child.py points DIRECTORY                      one JSON line per point: killed there, then resumed; the
                                                       directory is called before, after or answer
    run_child.py full DIRECTORY                        one JSON line per amount of room left on the disk
    run_child.py readonly STORE                        one JSON line: what a squad says to a store it cannot write

For many points at once it imports once and forks, so that each run and each resume is a process of its own.
Nothing in the library knows of this: the ledger's `append` and the worker's `record_for` are wrapped from out here.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import squads.worker
from squads import (
    ApprovalRule,
    Approved,
    Artifact,
    Builder,
    Composed,
    Coordinator,
    Finding,
    Gate,
    Packet,
    Predicate,
    Squad,
    Task,
    check,
)
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.errors import SquadsError
from squads.contracts.outcome import Outcome
from squads.contracts.packet import AttemptKind
from squads.contracts.plan import Acceptance, Plan
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork

PACKET = Packet(
    brief="A table and a program.",
    done_when=(Predicate(id="tabs", sentence="No tab anywhere.", check="no-tabs"),),
    approval=ApprovalRule(approvers=("owner",)),
)


def squad(store: Path) -> Squad:
    """A builder whose first attempt is refused, two gates, one on the composition, a coordinator, an approver."""
    asked = store.parent / f"{store.name}.asked"

    def note(what: str) -> None:
        with asked.open("a") as file:
            file.write(what + "\n")

    class Maker(Builder):
        name = "maker"

        async def build(self, work: BuildWork) -> Artifact:
            note(f"build {work.task} {work.attempt}")
            text = "\tCREATE" if work.task == "table" and work.attempt == 1 else f"{work.task}"
            return work.artifact({f"{work.task}.txt": text})

    class Planner(Coordinator):
        name = "planner"

        def plan(self, work: PlanWork) -> Plan:
            note(f"plan {work.attempt}")
            return work.plan(
                Task(name="table", brief="the table", builder="maker"),
                Task(name="program", brief="the program", builder="maker", after=("table",)),
            )

        def accept(self, work: AcceptWork) -> Acceptance:
            note("accept")
            answer = super().accept(work)
            assert isinstance(answer, Acceptance)
            return answer

    class Reader(Gate):
        name = "reader"

        async def review(self, work: ReviewWork) -> Approved:
            note(f"read {work.brief} {work.attempt}")
            return work.approve()

    class Whole(Gate):
        name = "whole"
        reads = (AttemptKind.COMPOSITION,)

        def review(self, work: ReviewWork) -> Approved:
            note("whole")
            return work.approve(looked=2)

    @check("no-tabs")
    def no_tabs(artifact: Artifact) -> list[Finding]:
        return [Finding(invariant="no-tabs", message="a tab") for f in artifact.files if "\t" in f.text]

    def approve(composition: Artifact) -> bool:
        note("approve")
        return True

    return Squad(
        builder=Maker(),
        coordinator=Planner(),
        gates=[Reader(), no_tabs, Whole()],
        approver=approve,
        store=store,
    )


def arm(when: str, at: int) -> list[int]:
    """Have this process kill itself at the `at`-th append (before or after it) or answer; return the counter."""
    count = [0]

    def tick() -> None:
        count[0] += 1
        if count[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    if when == "answer":
        real_record_for = squads.worker.record_for

        async def record_for(*args: Any, **more: Any) -> Any:
            made = await real_record_for(*args, **more)
            tick()
            return made

        squads.worker.record_for = record_for  # type: ignore[assignment]
        return count
    real_append = SqliteLedger.append

    async def append(self: SqliteLedger, *args: Any, **more: Any) -> Any:
        if when == "before":
            tick()
        made = await real_append(self, *args, **more)
        if when == "after":
            tick()
        return made

    SqliteLedger.append = append  # type: ignore[method-assign]
    return count


async def run_or_resume(store: Path) -> Outcome:
    async with squad(store) as made:
        packets = [s for s in await (await made.workspace()).ledger.streams() if s != "workspace"]
        return await (made.resume(packets[0]) if packets else made.run(PACKET))


def described(outcome: Outcome) -> dict[str, Any]:
    files = {f.path: f.text for f in outcome.artifact.files} if isinstance(outcome, Composed) else {}
    return {"kind": outcome.kind, "files": files, "refusals": len(outcome.refusals)}


def forked(work: Callable[[], Any]) -> tuple[int, Any]:
    """Return (signal, or 0, and what `work` returned in a process of its own)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, json.dumps(work()).encode())
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    said = b""
    while piece := os.read(reading, 65_536):
        said += piece
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a child failed; see above")
    return (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0), json.loads(said) if said else None


def warm(base: Path) -> None:
    """Run once, undisturbed: what is imported on the way is imported once, for every fork."""
    asyncio.run(run_or_resume(base / "warm"))
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join(30)  # one that was told to end may not have ended yet
    assert threading.active_count() == 1, "a fork would lose threads"


def points(base: Path) -> None:
    """Kill at every point there is before (or after, or between answer and reply, as the directory is called), and
    resume; every third time the one that resumes is killed as well, at its second point."""
    warm(base)
    when, at, died = base.name, 0, 1
    while died:
        at += 1
        store = base / str(at)

        def killed(at: int, store: Path = store) -> Any:
            arm(when, at)
            return described(asyncio.run(run_or_resume(store)))

        died, first = forked(lambda at=at: killed(at))
        if died and at % 3 == 0:
            forked(lambda: killed(2))
        _, outcome = forked(lambda store=store: described(asyncio.run(run_or_resume(store))))
        print(json.dumps({"at": at, "died": died, "first": first, "outcome": outcome}), flush=True)


def full(base: Path) -> None:
    """Leave less and less room on the disk; then make room, in the same process and in another one."""

    def starved(store: Path, room: int, again: bool) -> dict[str, Any]:
        async def go() -> dict[str, Any]:
            async with squad(store) as made:
                ledger = (await made.workspace()).ledger
                largest = max(f.stat().st_size for f in store.iterdir())  # noqa: ASYNC240
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, hard))
                error = ""
                try:
                    outcome: Any = described(await asyncio.wait_for(made.run(PACKET), 20))
                except SquadsError as raised:
                    error = f"{type(raised).__name__}: {raised}"
                    outcome = None
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
                if error and again:
                    packets = [s for s in await ledger.streams() if s != "workspace"]
                    resuming = made.resume(packets[0]) if packets else made.run(PACKET)
                    outcome = described(await asyncio.wait_for(resuming, 20))
                return {"error": error, "outcome": outcome}

        return asyncio.run(go())

    warm(base)
    for room in (0, 4_200, 9_000, 16_000, 25_000, 40_000, 60_000, 90_000, 120_000):
        for again in (True, False):
            store = base / f"room-{room}-{again}"
            _, said = forked(lambda store=store, room=room, again=again: starved(store, room, again))
            if not said["outcome"]:
                _, said["outcome"] = forked(lambda store=store: described(asyncio.run(run_or_resume(store))))
            print(json.dumps({"room": room, "again": again, **said}), flush=True)


def readonly(store: Path) -> None:
    """As somebody who may read the store and not write it: run, and audit."""
    from squads.audit import audit

    forked(lambda: described(asyncio.run(run_or_resume(store))))
    nobody = 65_534
    for path in [store, *store.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    home = Path(os.environ["SQUADS_HOME"])
    if os.geteuid() == 0:
        for path in [home, *home.rglob("*")]:
            os.chown(path, nobody, nobody)

    def as_nobody() -> dict[str, str]:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(nobody)
            os.setuid(nobody)
        said = {}
        for what, work in (("run", lambda: asyncio.run(run_or_resume(store))), ("audit", lambda: audit(store))):
            try:
                made: Any = work()
                said[what] = "no error" if what == "run" else f"{len(made.failed)} failed"
            except SquadsError as error:
                said[what] = f"{type(error).__name__}: {error}"
        return said

    print(json.dumps(forked(as_nobody)[1]), flush=True)


def main() -> None:
    what, store = sys.argv[1], Path(sys.argv[2])
    if what == "run":
        if len(sys.argv) > 3:
            arm(sys.argv[3], int(sys.argv[4]))
        print(json.dumps(described(asyncio.run(run_or_resume(store)))))
    else:
        {"points": points, "full": full, "readonly": readonly}[what](store)


if __name__ == "__main__":
    main()
