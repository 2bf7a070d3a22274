"""Seven model calls by hand and as a governed run, against a model server of ours over HTTP.

A governed run is a plan, a build, two verdicts of which one refuses, a second build, and two verdicts that approve:
every answer signed, every receipt kept, every reply journalled. By hand the very same bodies are sent in the same order
with the openai SDK, with the SDK on its aiohttp transport, and with pydantic-ai's `Agent`. Each way has a process of
its own, the server has another; CPU is that of the client alone. The ways take turns, so that a slow moment hits all
of them, and each begins with runs that do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from common import report

from squads.testing import ServerProcess

HERE = Path(__file__).parent
PYTHON = sys.executable
"""What runs a way."""
VARIANTS = ("sdk", "sdk_aiohttp", "agent", "squads_memory", "squads_sqlite")
BASE = "sdk"
WARM_UP = 20
"""Runs that do not count: the first ones import, connect, and fill what is remembered."""
LIVE_MS = 600_000
"""How long the server waits where runs are looked at while they wait."""
Figures = dict[str, float]


class Way:
    """A process that makes runs of one variant."""

    def __init__(self, variant: str, folder: Path, live: int = 0) -> None:
        command = [PYTHON, str(HERE / "overhead_runs.py"), variant, str(folder), str(live)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, **command: int) -> Figures:
        """Give it a command and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark ended; what it said stands above")
        answer: Figures = json.loads(line)
        return answer

    def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@contextmanager
def served() -> Iterator[ServerProcess]:
    """A model server, and an environment that leads every SDK to it."""
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [before.get("PYTHONPATH")])])
    try:
        with ServerProcess(reply="overhead_runs:reply") as server:
            os.environ |= {"OPENAI_BASE_URL": server.openai_url, "OPENAI_API_KEY": "none"}
            yield server
    finally:
        os.environ.clear()
        os.environ.update(before)


def in_turns(ways: dict[str, Way], rounds: int, runs: int, concurrent: int) -> dict[str, Figures]:
    """Return the medians of each way's figures, and its ratios to the bare SDK as the medians of each round's."""
    found: dict[str, list[Figures]] = {name: [] for name in ways}
    for way in ways.values():
        way.tell(runs=max(WARM_UP, min(concurrent, 100)), concurrent=min(concurrent, 100))
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way.tell(runs=runs, concurrent=concurrent))
    base = found[BASE]
    return {
        name: {key: round(statistics.median(each[key] for each in figures), 2) for key in figures[0]}
        | {
            f"{key.partition('_')[0]}_per_sdk": round(
                statistics.median(each[key] / other[key] for each, other in zip(figures, base, strict=True)), 2
            )
            for key in ("cpu_ms", "runs_per_s")
        }
        for name, figures in found.items()
    }


def live(folder: Path, server: ServerProcess, runs: int, ways: Sequence[str]) -> dict[str, Figures]:
    """Return what one run holds while it waits for its first model, in KiB."""
    found: dict[str, Figures] = {}
    for name in (n for n in ("sdk_aiohttp", "squads_memory", "squads_sqlite") if n in ways):
        for how in ("resident", "traced"):
            place = folder / f"live-{name}-{how}"
            place.mkdir()
            (place / "bodies.json").write_bytes((folder / "bodies.json").read_bytes())
            way = Way(name, place, runs)
            server.switch(latency_ms=0)
            way.tell(runs=2, concurrent=1)  # what is imported and made once belongs to no run
            server.switch(latency_ms=LIVE_MS)
            answer = way.tell(live=runs, traced=int(how == "traced"))
            found.setdefault(name, {})[f"{how}_kib"] = round(answer["kib"], 1)
            way.end()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--runs", type=int, default=40, help="runs in a round, one after the other")
    reading.add_argument("--rounds", type=int, default=7, help="rounds that medians are of")
    reading.add_argument("--latency-ms", type=int, nargs="*", default=[0, 50], help="how long a model takes")
    reading.add_argument(
        "--concurrent", type=int, nargs="*", default=[100, 1_000], help="runs at once, at the last latency"
    )
    reading.add_argument("--live", type=int, default=1_000, help="runs whose memory is looked at; 0 for none")
    reading.add_argument("--ways", nargs="*", choices=VARIANTS, default=VARIANTS, help="the sdk is always one of them")
    given = reading.parse_args(arguments)
    figures: dict[str, object] = {}
    with served() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = Way("squads_memory", folder)
        first.tell(runs=1, concurrent=1)
        first.end()
        (folder / "bodies.json").write_text(json.dumps(server.report()["bodies"]), "utf-8")
        ways = {variant: Way(variant, folder) for variant in VARIANTS if variant in (BASE, *given.ways)}
        for latency in given.latency_ms:
            server.switch(latency_ms=latency)
            figures[f"at_{latency}_ms"] = in_turns(ways, given.rounds, given.runs, 1)
        for concurrent in given.concurrent:
            rounds = max(1, given.rounds * 100 // max(100, concurrent))
            figures[f"{concurrent}_at_once"] = in_turns(ways, rounds, concurrent, concurrent)
        for way in ways.values():
            way.end()
        if given.live:
            figures["live"] = live(folder, server, given.live, given.ways)
    report(
        "model_overhead",
        **figures,
        goal_cpu_per_sdk=1.5,
        goal_runs_per_sdk={"100": 1, "1000": 3},
        goal_live_kib=100,
        runs=given.runs,
        rounds=given.rounds,
    )


if __name__ == "__main__":
    main()
