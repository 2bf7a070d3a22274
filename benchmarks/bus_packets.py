"""Packets through workers that are killed all the time: all finish, each effect once, and what was paid is counted.

    python benchmarks/bus_packets.py --packets 1000 --workers 4 --kill-every 3

A project of one builder and two gates, each asking a model of a local server that counts; a durable squad that opens
the packets and hosts no role; `squads worker` processes that host all of them, one killed by SIGKILL every few seconds
and started again. Beside it the same packets in one process without a bus. It prints one JSON line and a verdict, and
fails when a packet did not compose, a receipt stands twice, or the audit finds anything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ROLES = {
    "roles/carpenter.md": "---\nextends: squads:builder\nmodel: openai-chat:carpenter\n---\nThinks in joints.\n",
    "gates/joints.md": "---\nextends: squads:gate\nmodel: openai-chat:joints\n---\nThinks in loads and joints.\n",
    "gates/grain.md": "---\nextends: squads:gate\nmodel: openai-chat:grain\n---\nThinks in grain and moisture.\n",
}
NAMES = ("carpenter", "joints", "grain", "one-task")
CALLS_PER_PACKET = 3
BREATH_SECONDS = 120.0
"""How long nothing may finish before it is taken for stuck: several times what it takes to find a worker dead."""


def reply(request: Any) -> Any:
    """Return what the model server answers: a file, or an approval. Imported there."""
    from squads.testing import Call

    if request.offers("hand_in"):
        return Call("hand_in", {"files": [{"path": "table.txt", "text": f"A table, {len(request.text)} words on."}]})
    return Call("approve", {"notes": []})


def project_in(folder: Path) -> None:
    """Write a project's cards."""
    for name, text in ROLES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


class Workers:
    """`squads worker` processes, one of which dies every few seconds."""

    def __init__(self, project: Path, store: Path, url: str, given: argparse.Namespace) -> None:
        self.kills = 0
        self._project, self._chance = project, random.Random(given.seed)
        self._log = (project / "workers.log").open("ab")
        roles = [part for name in NAMES for part in ("--role", name)]
        self._command = [sys.executable, "-c", "from squads.cli import main; main()", "worker", *roles]
        self._command += ["--store", str(store), "--slots", str(given.slots), "--dead-after", str(given.dead_after)]
        self._environment = {**os.environ, "SQUADS_BUS": url}  # not on the command line: it holds a password
        self._running = [self._started() for _ in range(given.workers)]

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, cwd=self._project, env=self._environment, stdout=self._log, stderr=self._log
        )

    async def storm(self, every_seconds: float) -> None:
        """Kill one after the other and start another in its place; return when one has ended by itself."""
        again = time.monotonic() + every_seconds
        while all(worker.poll() is None for worker in self._running):
            await asyncio.sleep(0.1)
            if every_seconds and time.monotonic() > again:
                again += every_seconds
                self.kill()

    def kill(self) -> None:
        """SIGKILL to one of them, and another one in its place."""
        number = self._chance.randrange(len(self._running))
        self._running[number].kill()
        self._running[number].wait()
        self._running[number] = self._started()
        self.kills += 1

    def told(self) -> str:
        """Return the end of what they said."""
        return (self._project / "workers.log").read_text(errors="replace")[-3_000:]

    def close(self) -> None:
        """End all of them."""
        for worker in self._running:
            worker.send_signal(signal.SIGTERM)
        for worker in self._running:
            try:
                worker.wait(10)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._log.close()


async def run_packets(squad: Any, packets: int, live: int, seconds_max: float) -> tuple[Counter[str], float]:
    """Run packets, `live` at once; return how they ended, and the seconds it took."""
    room, ended, last = asyncio.Semaphore(live), Counter[str](), time.monotonic()

    async def one(number: int) -> None:
        nonlocal last
        async with room:
            outcome = await squad.run(f"Table number {number}.")
        ended[outcome.kind] += 1
        last = time.monotonic()

    began = time.monotonic()
    running = asyncio.gather(*(one(number) for number in range(packets)))
    while not running.done():
        await asyncio.wait([running], timeout=1.0)
        now = time.monotonic()
        if not running.done() and (now - last > BREATH_SECONDS or now - began > seconds_max):
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            ended["unfinished"] = packets - ended.total()
            return ended, time.monotonic() - began
    await running
    return ended, time.monotonic() - began


def judged(store: Path, packets: int, paid: dict[str, int], spare: int) -> list[str]:
    """Return what is wrong with a ledger: anything that was not recorded exactly once, or that the audit finds."""
    import sqlite3
    from hashlib import sha256

    from squads.audit import audit
    from squads.ledger.leaf import decode_leaf

    with sqlite3.connect(store / "ledger.db") as connection:
        payloads = [decode_leaf(leaf).payload for (leaf,) in connection.execute("SELECT leaf FROM entry ORDER BY seq")]
    kinds = Counter(json.loads(payload)["predicateType"].split(":")[2] for payload in payloads)
    wrong = []
    if len({sha256(payload).digest() for payload in payloads}) != len(payloads):
        wrong.append("a receipt stands twice")
    expected = {"opened": packets, "artifact": packets, "verdict": 2 * packets, "finish": packets}
    wrong += [f"{kinds[k]} {k} where {n} were due" for k, n in expected.items() if kinds[k] != n]
    wrong += [f"the audit: {finding.message}" for finding in audit(store).failed]
    calls = sum(paid.values())
    if not CALLS_PER_PACKET * packets <= calls <= CALLS_PER_PACKET * packets + spare:
        wrong.append(f"{calls} calls were paid, where {CALLS_PER_PACKET * packets} and at most {spare} again were due")
    return wrong


async def through_workers(given: argparse.Namespace, project: Path, url: str) -> dict[str, Any]:
    """Run the packets through worker processes, and return figures."""
    from squads.buses import BusSettings
    from squads.project import Project

    store = project / "store"
    made = Project.on_disk(project)
    assert made is not None
    bus = BusSettings(url=url, dead_after_seconds=given.dead_after)
    async with made.squad(store=store, bus=bus, hosts=False) as squad:
        await squad.workspace()  # its keys are what the workers share
        workers = Workers(project, store, url, given)
        storm = asyncio.create_task(workers.storm(given.kill_every))
        running = asyncio.create_task(run_packets(squad, given.packets, given.live, given.seconds_max))
        try:
            await asyncio.wait({storm, running}, return_when=asyncio.FIRST_COMPLETED)
            if storm.done():
                await storm
                sys.exit(f"a worker ended by itself; the last words of all of them:\n{workers.told()}")
            ended, seconds = await running
        finally:
            storm.cancel()
            running.cancel()
            workers.close()
    if ended["unfinished"]:
        print(workers.told(), file=sys.stderr)
    return {"ended": dict(ended), "seconds": seconds, "kills": workers.kills, "store": store}


async def in_one_process(given: argparse.Namespace, project: Path) -> float:
    """Run the packets without a bus, and return how many finish per second."""
    from squads.project import Project

    made = Project.on_disk(project)
    assert made is not None
    packets = min(given.packets, given.alone)
    async with made.squad(store=project / "alone") as squad:
        await run_packets(squad, 8, 8, given.seconds_max)  # what is imported on the way is imported
        ended, seconds = await run_packets(squad, packets, given.live, given.seconds_max)
    assert ended == {"composed": packets}, ended
    return packets / seconds


def main() -> int:
    parser = argparse.ArgumentParser(description="Packets through workers of which one is killed every few seconds.")
    parser.add_argument("--packets", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=3.0, help="seconds; 0 kills none")
    parser.add_argument("--live", type=int, default=100, help="how many packets are open at once")
    parser.add_argument("--slots", type=int, default=16, help="requests of each role that a worker has in hand")
    parser.add_argument("--latency-ms", type=int, default=50, help="how long the model thinks")
    parser.add_argument("--alone", type=int, default=300, help="packets of the run in one process; 0 leaves it out")
    parser.add_argument("--seconds-max", type=float, default=1_800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bus", default="", help="a server that is there already, instead of one of its own")
    # A worker is found dead by one that lived twice as long: with the 15 s of everyday use, and one killed every three
    # seconds, nobody would.
    parser.add_argument("--dead-after", type=float, default=3.0, help="seconds without a heartbeat")
    given = parser.parse_args()

    from squads.testing import ServerProcess
    from squads.testing.redis_server import RedisServer

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        project_in(folder)
        os.environ["SQUADS_HOME"] = str(folder / "home")
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        models = stack.enter_context(ServerProcess(reply="bus_packets:reply", latency_ms=given.latency_ms))
        os.environ |= {"OPENAI_BASE_URL": models.openai_url, "OPENAI_API_KEY": "none"}
        url = given.bus or stack.enter_context(RedisServer(appendfsync="always")).url
        alone = asyncio.run(in_one_process(given, folder)) if given.alone else 0.0
        before = Counter(models.report(bodies=False)["answered"])
        figures = asyncio.run(through_workers(given, folder, url))
        paid = Counter(models.report(bodies=False)["answered"]) - before
        spare = figures["kills"] * given.slots * CALLS_PER_PACKET
        wrong = judged(figures["store"], given.packets, paid, spare)
        if figures["ended"] != {"composed": given.packets}:
            wrong.insert(0, f"{figures['ended']} where {given.packets} should have composed")
        calls = sum(paid.values())
        line = {
            "packets": given.packets,
            "workers": given.workers,
            "kills": figures["kills"],
            "ended": figures["ended"],
            "seconds": round(figures["seconds"], 1),
            "packets_per_second": round(given.packets / figures["seconds"], 2),
            "packets_per_second_in_one_process": round(alone, 2),
            "paid_calls": calls,
            "paid_again": calls - CALLS_PER_PACKET * given.packets,
            "paid_by_model": dict(paid),
        }
        print(json.dumps(line))
        print("\n".join(wrong) or f"all {given.packets} packets composed, each effect once")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
