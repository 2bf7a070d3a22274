"""A program that runs or resumes a durable packet, or serves its workspace: one half of `test_lease_faults.py`.

    lease_child.py run STORE [LEASE_SECONDS]         run the packet; the builder waits for the file STORE.go
    lease_child.py resume STORE [LEASE_SECONDS]      resume it once the file STORE.start is there; nobody waits
    lease_child.py serve STORE [LEASE_SECONDS]       serve until SIGTERM

What the roles do is noted in STORE.asked; the outcome, and who is waited for, is printed as JSON.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import signal
import sys
from pathlib import Path

import squads.runner
import squads.session
from squads import Approved, Artifact, Builder, Composed, Gate, Squad
from squads.contracts.outcome import Outcome
from squads.contracts.work import BuildWork, ReviewWork


def squad(store: Path, *, waits: bool) -> Squad:
    """A builder that may wait, and two gates."""

    def note(what: str) -> None:
        with store.with_name(f"{store.name}.asked").open("a") as file:
            file.write(f"{what} {os.getpid()}\n")

    class Maker(Builder):
        name = "maker"

        async def build(self, work: BuildWork) -> Artifact:
            note(f"build {work.attempt}")
            while waits and not store.with_name(f"{store.name}.go").exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            return work.artifact({"a.txt": "x"})

    class Reader(Gate):
        def __init__(self, name: str) -> None:
            self.name = self.prior = name

        async def review(self, work: ReviewWork) -> Approved:
            note(f"{self.name} {work.attempt}")
            return work.approve()

    return Squad(builder=Maker(), gates=[Reader("one"), Reader("two")], store=store)


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def told(outcome: Outcome) -> None:
    files = {f.path: f.text for f in outcome.artifact.files} if isinstance(outcome, Composed) else {}
    say(kind=outcome.kind, files=files)


async def work(what: str, store: Path) -> None:
    if what == "run":
        async with squad(store, waits=True) as made:
            told(await made.run("It."))
        return
    async with squad(store, waits=False) as made:
        ledger = (await made.workspace()).ledger
        if what == "serve":
            end = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
            say(serving=True)
            await made.serve(end)
            say(served=True)
            return
        (packet,) = [name for name in await ledger.streams() if name != "workspace"]
        say(ready=True)
        while not store.with_name(f"{store.name}.start").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        told(await made.resume(packet, held=lambda who: say(held=who)))


def main() -> None:
    what, store = sys.argv[1], Path(sys.argv[2])
    squads.runner.LOOK_SECONDS = 0.05
    if len(sys.argv) > 3:
        shorter = functools.partial(squads.runner.Runner, lease_seconds=float(sys.argv[3]))
        squads.session.Runner = shorter  # type: ignore[assignment,misc]
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    asyncio.run(work(what, store))


if __name__ == "__main__":
    main()
