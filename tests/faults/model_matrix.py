"""The kill matrix: `test_model_kill.py` checks some of its points, `benchmarks/kill_matrix.py` prints all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from model_replies import POINTS

import quick_start
from squads.testing import ServerProcess
from squads.testing.guards import KEY_ENDINGS

CHILD = Path(__file__).with_name("model_child.py")


def server() -> ServerProcess:
    """Return a model server in a process of its own that plays the three models."""
    return ServerProcess(reply="model_replies:reply")


def environment(served: ServerProcess, home: Path) -> dict[str, str]:
    """Return what a child runs with: no key of anybody's, every SDK pointed at the server."""
    own = {name: value for name, value in os.environ.items() if not name.upper().endswith(KEY_ENDINGS)}
    return {
        **own,
        "ANTHROPIC_BASE_URL": served.url,
        "OPENAI_BASE_URL": served.openai_url,
        "SQUADS_HOME": str(home),
    }


def importable() -> None:
    """Let processes that are started from here import the models' replies."""
    known = os.environ.get("PYTHONPATH", "")
    if str(CHILD.parent) not in known.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CHILD.parent), known)))


def points(base: Path, *, stride: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the undisturbed run, then what came of every `stride`-th point. Raises `RuntimeError` where one failed."""
    importable()
    with server() as served:
        child = subprocess.Popen(
            [quick_start.python(), str(CHILD), "matrix", str(base), str(stride)],
            env=environment(served, base / "home"),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        with child.stdout:
            for line in child.stdout:
                yield json.loads(line)
        if child.wait():
            raise RuntimeError("the killed program could not be run; what it said stands above")


def table(found: Iterable[dict[str, Any]]) -> str:
    """Return the matrix in Markdown."""
    killed = [point for point in found if point["died"]]
    lines = [
        "| killed | times | repeated paid requests | tools called once more |",
        "| --- | --- | --- | --- |",
    ]
    for when, words in POINTS.items():
        here = [point for point in killed if point["when"] == when]
        sums = [sum(point[what] for point in here) for what in ("repeated", "called_again")]
        lines.append(f"| {words} | {len(here)} | {sums[0]} | {sums[1]} |")
    return "\n".join(lines)
