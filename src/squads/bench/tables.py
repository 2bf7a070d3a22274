"""Results and figures as tables of comma-separated values, for whoever works on in a spreadsheet or a data frame.

Text that a spreadsheet would run as a formula gets an apostrophe in front, as OWASP's page on CSV injection says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from squads.bench.figure import Rate
from squads.bench.judged import SLACK_LINES, Results, hit_of
from squads.bench.scoring import Score
from squads.bench.summary import Summary

_ROWS = (
    "case",
    "family",
    "variant",
    "label",
    "invariant",
    "split",
    "origin",
    "kind",
    "language",
    "gate",
    "prior",
    "repeat",
    "decision",
    "level",
    "looked",
    "tokens_in",
    "tokens_out",
    "cost_microusd",
    "wait_ms",
    "packet",
    "receipt",
    "reason",
    "found",
)
_FIGURES = (
    "kind",
    "name",
    "of",
    "figure",
    "value",
    "low",
    "high",
    "method",
    "hits",
    "rows",
    "cases",
    "families",
    "warning",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_csv(results: Results) -> str:
    """Return one line for every verdict, with what its case is and how right it was."""
    cases = {case.id: case for case in results.cases}
    slack = int(results.about.get("slack_lines", SLACK_LINES))
    factors = sorted({name for row in results.judged for name in row.factors})
    lines: list[list[object]] = []
    for row in results.judged:
        case = cases[row.case]
        level = hit_of(case, row, slack_lines=slack).level if case.label.broken else ""
        found = "; ".join(f"{f.invariant}@{f.path or ''}:{f.line or ''}" for f in row.found)
        lines.append(
            [
                *(case.id, case.family, case.variant, case.label.value, case.invariant, case.split, case.origin),
                *(case.kind, case.language, row.gate, row.prior, row.repeat, row.decision, level, row.looked),
                *(row.tokens_in, row.tokens_out, row.cost_microusd, row.wait_ms, row.packet, row.receipt or ""),
                *(row.reason, found, *(row.factors.get(name, "") for name in factors)),
            ]
        )
    return _csv([*_ROWS, *(f"factor_{name}" for name in factors)], lines)


def figures_csv(summary: Summary) -> str:
    """Return one line for every rate: of each gate, of each panel, and of the panel on each group of cases."""
    lines: list[list[object]] = []
    for kind, of, score in (
        *(("gate", "", score) for score in summary.gates),
        *(("panel", "", score) for score in summary.panels),
        *(("panel", " ".join(f"{k}={v}" for k, v in s.of.items()), s.score) for s in summary.groups),
    ):
        lines += [[kind, score.gate, of, name, *_rate(rate)] for name, rate in _rates(score)]
    return _csv(_FIGURES, lines)


def _rates(score: Score) -> Iterable[tuple[str, Rate]]:
    yield "any_refusal", score.any_refusal
    yield "right_place", score.right_place
    yield "right_reason", score.right_reason
    yield "on_cosmetic", score.on_cosmetic
    yield "false_refusals", score.false_refusals
    yield "on_clean", score.on_clean
    yield "on_decoy", score.on_decoy
    yield "told_apart", score.pairs.told_apart_rate


def _rate(rate: Rate) -> list[object]:
    interval = rate.clustered or rate.wilson
    bounds = (interval.low, interval.high, interval.method) if interval else ("", "", "")
    value = "" if rate.value is None else rate.value
    return [value, *bounds, rate.hits, rate.of, rate.cases, rate.families, rate.warning]


def _csv(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_harmless(value) for value in line] for line in lines)
    return text.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
