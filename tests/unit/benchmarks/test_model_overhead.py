"""`benchmarks/model_overhead.py`: every way makes the same seven calls, and the program prints its one line."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

import quick_start

BENCHMARKS = str(Path(__file__).resolve().parents[3] / "benchmarks")
sys.path.insert(0, BENCHMARKS)
model_overhead, overhead_runs = map(import_module, ("model_overhead", "overhead_runs"))
sys.path.remove(BENCHMARKS)
WAYS_NEED = (
    "openai.lib.streaming.chat",
    "openai.resources.chat.completions",
    "pydantic_ai.models.openai",
    "squads.squad",
    "squads.adapters.pydantic_ai.engine",
    "squads.adapters.pydantic_ai.wire",
    "squads.adapters.sqlite_store",
    "squads.minds.think",
)


@pytest.fixture(autouse=True)
def smallest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way is a process, forked from one that has loaded the SDKs, and warms up with a single run."""
    monkeypatch.setattr(model_overhead, "PYTHON", str(quick_start.python(*WAYS_NEED)))
    monkeypatch.setattr(model_overhead, "WARM_UP", 1)


def test_it_prints_one_line_with_every_way_and_its_ratio_to_the_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    """With the smallest numbers: one run each, two at once, and two that wait; the other ways send the same bodies."""
    model_overhead.main(
        [
            "--runs",
            "1",
            "--rounds",
            "1",
            "--latency-ms",
            "0",
            "--concurrent",
            "2",
            "--live",
            "2",
            "--ways",
            "sdk",
            "squads_sqlite",
        ],
    )

    line = json.loads(capsys.readouterr().out)
    for setting in ("at_0_ms", "2_at_once"):
        assert {"sdk", "squads_sqlite"} == set(line[setting])
        assert 1.0 == line[setting]["sdk"]["cpu_per_sdk"]
        assert all(figures["cpu_ms"] > 0 for figures in line[setting].values())
    assert {"squads_sqlite"} == set(line["live"])


def test_by_hand_and_governed_send_the_same_seven_bodies(tmp_path: Path) -> None:
    """Whoever sent less would be quicker for it."""
    with model_overhead.served() as server:
        sent = []
        for variant in ("squads_memory", "sdk", "agent"):
            way = model_overhead.Way(variant, tmp_path)
            way.tell(runs=1, concurrent=1)
            way.end()
            bodies = server.report()["bodies"][len(sent) * 7 :]
            sent.append(sorted(json.dumps(said(body)) for body in bodies))
            (tmp_path / "bodies.json").write_text(json.dumps(server.report()["bodies"][:7]), "utf-8")

    governed, by_hand, by_agent = sent
    assert 7 == len(governed)
    assert governed == by_hand
    assert governed == by_agent


def said(body: dict[str, object]) -> list[object]:
    """Return what a model reads of a body: its name, its messages and the names of its forms."""
    names = [tool["function"]["name"] for tool in body["tools"]]  # type: ignore[attr-defined]
    return [body["model"], body["messages"], names]
