"""A process is killed while a builder works; the next one resumes from the receipts, and asks nobody twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from squads import Artifact, Builder, BuildWork, Coordinator, Plan, PlanWork, Squad, Task
from squads.desk import Desk
from squads.gates.builtin import built_in


class Lead(Coordinator):
    def plan(self, work: PlanWork) -> Plan:
        print("  asked for a plan", flush=True)
        table = Task(name="table", brief="A table of chairs.", builder="carpenter")
        return work.plan(table, Task(name="rows", brief="Three chairs.", builder="carpenter", after=("table",)))


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        print("  asked to build", work.task, flush=True)
        if work.task == "table":
            return work.artifact({"1_chairs.sql": "CREATE TABLE chairs (name text NOT NULL);\n"})
        if "--killed" in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)
        return work.artifact({"2_rows.sql": "INSERT INTO chairs VALUES ('ash'), ('oak'), ('elm');\n"})


def squad(folder: Path) -> Squad:
    gates = built_in("text.conflict-marker")
    return Squad(coordinator=Lead(), builder=Carpenter(), gates=gates, store=folder / "store", keys=folder / "keys")


async def resume_all(folder: Path) -> None:
    async with Desk.open(folder / "store", keys=folder / "keys") as desk:
        packets = (await desk.overview()).open
    for packet in packets:
        print("resuming:", packet.title)
        print(await squad(folder).resume(packet.packet))


if __name__ == "__main__":
    if "--killed" in sys.argv:
        squad(Path(sys.argv[1])).run_sync("A table with rows.")
    else:
        with tempfile.TemporaryDirectory() as name:
            done = subprocess.run([sys.executable, __file__, name, "--killed"], check=False)
            print("the first process ended with signal", -done.returncode)
            asyncio.run(resume_all(Path(name)))
