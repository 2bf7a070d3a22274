"""Results as logs that Inspect reads: one log for each gate, one sample for each case and repeat.

Format: the JSON log of Inspect AI, `EvalLog` version 2, read and checked with release 0.3.285. A score `decision` says
what the gate said, `right` (1 or 0) whether that was right at level three, and `level` how right a refusal was. An
abstention or an error is right nowhere, and the sample says so in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from squads.bench.case import Case
from squads.bench.judged import SLACK_LINES, Hit, Judged, Results, hit_of
from squads.contracts.base import canonical, digest_of

LOG_VERSION = 2
_UNKNOWN_TIME = "1970-01-01T00:00:00+00:00"
"""Inspect wants a time; results that say none have this one."""


def inspect_logs(results: Results) -> Iterator[tuple[str, str]]:
    """Yield (file name, JSON text) for each gate, by name. The same results give the same bytes."""
    cases = {case.id: case for case in results.cases}
    slack = int(results.about.get("slack_lines", SLACK_LINES))
    created = results.about.get("created", _UNKNOWN_TIME)
    for gate in sorted({row.gate for row in results.judged}):
        rows = [row for row in results.judged if row.gate == gate]
        identity = digest_of(canonical({"gate": gate, "title": results.title, "rows": [_name(row) for row in rows]}))
        log = _log(results, gate, rows, cases, created=created, identity=identity, slack=slack)
        moment = "".join(c for c in created[:19] if c.isdigit() or c in "T-")
        yield f"{moment}_{gate}_{identity[:16]}.json", json.dumps(log, ensure_ascii=False, indent=1)


def _name(row: Judged) -> list[str | int]:
    return [row.case, row.repeat, row.decision, row.packet]


def _log(
    results: Results,
    gate: str,
    rows: Sequence[Judged],
    cases: Mapping[str, Case],
    *,
    created: str,
    identity: str,
    slack: int,
) -> dict[str, Any]:
    samples = [_sample(cases[row.case], row, slack) for row in rows]
    right = [sample["scores"]["right"]["value"] for sample in samples]
    factors = rows[0].factors
    return {
        "version": LOG_VERSION,
        "status": "success",
        "eval": {
            "eval_id": identity[:22],
            "run_id": identity[22:44],
            "task_id": identity[44:],
            "created": created,
            "task": gate,
            "task_version": 0,
            "model": factors.get("model", "none/none"),
            "dataset": {
                "name": results.title,
                "samples": len({row.case for row in rows}),
                "sample_ids": sorted({row.case for row in rows}),
                "shuffled": False,
            },
            "config": {"epochs": max(row.repeat for row in rows)},
            "packages": {},
            "metadata": {**results.about, "prior": rows[0].prior, "factors": dict(factors)},
        },
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {
            "total_samples": len(samples),
            "completed_samples": len(samples),
            "scores": [
                {
                    "name": "right",
                    "scorer": "right",
                    "params": {},
                    "metrics": {"mean": {"name": "mean", "value": sum(right) / len(right), "params": {}}},
                }
            ],
        },
        "stats": {"started_at": created, "completed_at": created, "model_usage": {}},
        "samples": samples,
    }


def _sample(case: Case, row: Judged, slack: int) -> dict[str, Any]:
    if case.label.broken:
        level = hit_of(case, row, slack_lines=slack).level
        right = int(level == Hit.REASON.level)
    else:
        level = 0
        right = int(row.decision == "approved")
    shown = "\n\n".join([case.brief, *(f"=== {path}\n{text}" for path, text in sorted(case.files.items()))])
    found = "; ".join(f"{f.invariant} at {f.path or '?'}:{f.line or '?'}" for f in row.found)
    return {
        "id": case.id,
        "epoch": row.repeat,
        "input": shown,
        "target": "refused" if case.label.broken else "approved",
        "messages": [],
        "output": {"model": row.factors.get("model", "none/none"), "choices": [], "completion": row.decision},
        "scores": {
            "decision": {"value": row.decision, "answer": row.decision, "explanation": row.reason or found or None},
            "right": {"value": right},
            "level": {"value": level},
        },
        "metadata": {
            "family": case.family,
            "label": case.label.value,
            "invariant": case.invariant,
            "split": case.split,
            "origin": case.origin,
            "licence": case.licence,
            "packet": row.packet,
            "receipt": row.receipt,
            "looked": row.looked,
            "cost_microusd": row.cost_microusd,
        },
        "total_time": row.wait_ms / 1_000,
    }
