"""Logs that Inspect reads. Its own reader took such logs in with release 0.3.285; here their shape is held."""

from __future__ import annotations

import json

from results_scene import results
from squads.bench.inspect_log import inspect_logs


def test_every_gate_has_a_log_with_a_sample_for_each_verdict() -> None:
    """Samples are told apart by case and repeat, as Inspect tells them apart by id and epoch."""
    logs = {json.loads(text)["eval"]["task"]: json.loads(text) for _, text in inspect_logs(results(2))}

    assert {"blind", "keen", "sharp"} == set(logs)
    assert [("family_0/defect", 1), ("family_0/clean", 1), ("family_1/defect", 1), ("family_1/clean", 1)] == [
        (s["id"], s["epoch"]) for s in logs["sharp"]["samples"]
    ]
    assert (2, "success") == (logs["sharp"]["version"], logs["sharp"]["status"])
    assert {"created", "task", "dataset", "model", "config"} <= logs["sharp"]["eval"].keys()


def test_an_abstention_is_right_nowhere() -> None:
    """Neither on a defect nor on a right case: who could not look has not passed anything."""
    logs = {
        json.loads(text)["eval"]["task"]: json.loads(text) for _, text in inspect_logs(results(1, keen="abstained"))
    }
    defect = logs["keen"]["samples"][0]

    assert ("abstained", 0, 0) == tuple(defect["scores"][name]["value"] for name in ("decision", "right", "level"))
    assert ("refused", 1, 3) == tuple(
        logs["sharp"]["samples"][0]["scores"][name]["value"] for name in ("decision", "right", "level")
    )


def test_the_same_results_give_the_same_bytes() -> None:
    """A log can be compared and signed."""
    assert list(inspect_logs(results())) == list(inspect_logs(results()))
