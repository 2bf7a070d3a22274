"""`squads bench run`: gates judge cases, and every verdict is a receipt in the run's folder."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from rich.text import Text

from squads.bench.arms import Arm
from squads.bench.case import Case, Split
from squads.bench.choosing import chosen, closing
from squads.bench.folder import RunFolder
from squads.bench.judged import Results, hit_of
from squads.bench.run import RunBudget, RunProgress, run
from squads.bench.sets import cases_at
from squads.cli import show
from squads.contracts.errors import InvalidInput, SquadsError
from squads.project import Project

TELL_SECONDS = 5.0
"""How often progress is told where standard error is no terminal."""
DEFAULT_OUT = "bench-run"
"""Where a run goes that nobody named a folder for."""


def cases_named(where: str, splits: Sequence[str]) -> list[Case]:
    """Return the cases of a folder of families, of a public set, or the built-in ones. Raises `InvalidInput`."""
    if odd := [s for s in splits if s not in get_args(Split)]:
        raise InvalidInput(f"{odd[0]!r} is no split; name {', '.join(get_args(Split))}")
    found = cases_at(where, splits=cast("list[Split]", list(splits)))
    if not found:
        raise InvalidInput(f"{where} has no case of the split {', '.join(splits)}; see `squads bench list`")
    return found


def budget_of(usd: float | None, tokens: int | None, seconds: float | None) -> RunBudget:
    """Return what a run may spend, from the options of a command. Raises `InvalidInput` for what bounds nothing."""
    for option, given in (("--budget-usd", usd), ("--budget-seconds", seconds)):
        if given is not None and not math.isfinite(given):
            raise InvalidInput(f"{option} {given} is no bound; give a number, or leave the option out")
    micro = None if usd is None else round(usd * 1_000_000)
    return RunBudget(cost_microusd_max=micro, tokens_max=tokens, seconds=seconds)


def run_bench(
    *,
    cases: str,
    splits: Sequence[str],
    gates: Sequence[str],
    models: Sequence[str],
    repeats: int,
    seed: int,
    out: Path | None,
    reuse: Sequence[Path],
    budget: RunBudget,
    again: bool,
    as_json: bool,
) -> int:
    """Run gates on cases, tell how far it is on standard error, print what came of it, and return 0."""
    project = Project.on_disk(Path.cwd())
    arms = chosen(gates, models, project=project)
    asked, sandbox = project.hosted([arm.gate for arm in arms]) if project is not None else (None, None)
    folder = RunFolder(out or DEFAULT_OUT)
    telling = Telling()
    wanted = cases_named(cases, splits)

    async def judged() -> Results:
        async with closing(arms):
            return await run(
                wanted,
                arms,
                folder.path,
                repeats=repeats,
                seed=seed,
                models=asked,
                sandbox=sandbox,
                budget=budget,
                reuse=reuse,
                again=again,
                watch=telling,
            )

    try:
        results = asyncio.run(judged())
    except KeyboardInterrupt:
        raise SquadsError(f"interrupted; the same command goes on with what stands in {folder.path}") from None
    finally:
        telling.close()
    tell_results(folder, results, arms, as_json=as_json)
    return 0


class Telling:
    """Tells on standard error how far a run is: one line that is written over, or now and then one."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._told = time.monotonic()
        self._open = False

    def close(self) -> None:
        """End the line that is written over."""
        if self._open:
            sys.stderr.write("\n")

    def __call__(self, progress: RunProgress) -> None:
        """Tell, where it is time to."""
        done = progress.packets_ended == progress.packets
        now = time.monotonic()
        if not done and now - self._told < (0.2 if self._live else TELL_SECONDS):
            return
        self._told = now
        said = ", ".join(f"{count:,} {kind}" for kind, count in sorted(progress.verdicts.items()))
        cost = progress.usage.cost_microusd
        spent = f", ${cost / 1e6:.4f}" if cost else ""
        line = f"{progress.packets_ended:,} of {progress.packets:,} packets, {progress.seconds:.0f} s: {said}{spent}"
        self._open = self._live
        sys.stderr.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()


def tell_results(folder: RunFolder, results: Results, arms: Sequence[Arm], *, as_json: bool) -> None:
    """Print what a run counted: for each gate its refusals by level, its false refusals, and where it was silent."""
    end = folder.end()
    counted = {arm.name: _counts(results, arm.name) for arm in arms}
    if as_json:
        data: dict[str, Any] = {
            "run": str(folder.path),
            "title": results.title,
            "cases": len(results.cases),
            "verdicts": len(results.judged),
            "gates": counted,
            **end.model_dump(mode="json"),
            "exit_code": 0,
        }
        sys.stdout.write(json.dumps(data) + "\n")
        return
    out = show.console()
    for line in _table(counted):
        out.print(line)
    how = "" if end.why == "finished" else f"; it ended at its bound of {end.why}, run it again to go on"
    out.print(
        Text(
            f"{len(results.judged):,} verdicts in {end.packets:,} of {end.packets_planned:,} packets{how}",
            style="bold" if end.why == "finished" else "bold yellow",
        )
    )
    if end.taken:
        out.print(Text(f"{end.taken:,} of them were taken over from other runs; see taken.jsonl"))
    place = show.one_line(str(folder.path))
    out.print(Text(f"{end.size:,} receipts; check that the rows follow from them: squads bench check {place}"))


_COLUMNS = (
    ("refused", "refused"),
    ("in place", "place"),
    ("for the reason", "reason"),
    ("of", "defects"),
    ("wrongly", "false_refusals"),
    ("of", "rights"),
    ("abstained", "abstained"),
    ("errors", "errors"),
)
"""What is printed of each gate, and what it is called."""


def _table(counted: Mapping[str, Mapping[str, int]]) -> list[Text]:
    """Return the counts as lines whose columns stand below one another."""
    names = [show.one_line(name) for name in counted]
    wide = max(map(len, ["gate", *names]))
    heads = [head for head, _ in _COLUMNS]
    lines = [Text("  ".join([f"{'gate':<{wide}}", *heads]), style="dim")]
    for name, counts in zip(names, counted.values(), strict=True):
        cells = [f"{counts[key]:>{len(head)},}" for head, key in _COLUMNS]
        cost = f"  ${counts['cost_microusd'] / 1e6:.4f}" if counts["cost_microusd"] else ""
        lines.append(Text("  ".join([f"{name:<{wide}}", *cells]) + cost))
    return lines


def _counts(results: Results, gate: str) -> dict[str, int]:
    cases = {case.id: case for case in results.cases}
    rows = [row for row in results.judged if row.gate == gate]
    defects = [(cases[row.case], row) for row in rows if cases[row.case].label.broken]
    rights = [row for row in rows if not cases[row.case].label.broken]
    levels = [hit_of(case, row).level for case, row in defects]
    return {
        "defects": len(defects),
        "refused": sum(level >= 1 for level in levels),
        "place": sum(level >= 2 for level in levels),
        "reason": sum(level >= 3 for level in levels),
        "rights": len(rights),
        "false_refusals": sum(row.decision == "refused" for row in rights),
        "abstained": sum(row.decision == "abstained" for row in rows),
        "errors": sum(row.decision == "error" for row in rows),
        "tokens": sum(row.tokens_in + row.tokens_out for row in rows),
        "cost_microusd": sum(row.cost_microusd for row in rows),
        "wait_ms": sum(row.wait_ms for row in rows),
    }
