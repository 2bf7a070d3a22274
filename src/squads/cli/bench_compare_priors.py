"""`squads bench compare-priors`: readings by one prior against as many by distinct priors, at equal calls."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from squads.bench.choosing import chosen, closing
from squads.bench.experiment import Compared, Experiment, same_prior_against_distinct
from squads.bench.figure import plain
from squads.bench.folder import RunFolder
from squads.bench.run import RunBudget
from squads.cli import show
from squads.cli.bench_run import Telling, cases_named
from squads.contracts.errors import InvalidInput
from squads.project import Project

DEFAULT_OUT = "bench-priors"


def compare_priors(
    gates: Sequence[str],
    *,
    cases: str,
    splits: Sequence[str],
    models: Sequence[str],
    model: str | None,
    author: str | None,
    seed: int,
    out: Path | None,
    budget: RunBudget,
    as_json: bool,
) -> int:
    """Run the experiment, print both sides with intervals and tests, and return 0."""
    if not (gates or models):
        raise InvalidInput("name two or more gates of different priors: cards, or --models for models with one prior")
    project = Project.on_disk(Path.cwd())
    arms = chosen(gates, models, project=project, model=model)
    asked, sandbox = project.hosted([arm.gate for arm in arms]) if project is not None else (None, None)
    folder = RunFolder(out or DEFAULT_OUT)
    telling = Telling()
    wanted = cases_named(cases, splits)

    async def compared() -> Experiment:
        async with closing(arms):
            return await same_prior_against_distinct(
                wanted,
                arms,
                folder.path,
                author=author,
                seed=seed,
                models=asked,
                sandbox=sandbox,
                budget=budget,
                watch=telling,
            )

    found = asyncio.run(compared())
    telling.close()
    if as_json:
        end = folder.end().model_dump(mode="json")
        sys.stdout.write(json.dumps({**plain(found), **end, "exit_code": 0}) + "\n")
        return 0
    print_experiment(found, show.console())
    return 0


def print_experiment(found: Experiment, out: Console) -> None:
    """Print what came of a comparison of priors."""
    names = ", ".join(map(show.one_line, found.priors))
    out.print(Text(f"{found.calls} calls on each side of every case; priors: {names}", style="bold"))
    for compared in (*found.catch, found.false_refusals, *found.author.values()):
        _print(compared, out)
    if found.incomplete:
        out.print(Text(f"{found.incomplete} cases are left out: a reading of them is missing", style="yellow"))
    out.print(Text(f"Power: {found.power}", style="dim"))
    place = show.one_line(found.run)
    out.print(Text(f"What was compared was written down before the run: squads bench check {place}"))


def _print(compared: Compared, out: Console) -> None:
    apart = compared.difference
    if apart is None:
        out.print(Text(f"  {compared.of}: too few families to compare", style="yellow"))
        return
    between = f"[{apart.interval.low:+.3f}, {apart.interval.high:+.3f}]"
    first, second = ("distinct", "same") if compared.tests else ("these gates", "others")
    line = f"  {compared.of}: {first} {apart.first:.3f}, {second} {apart.second:.3f}, "
    out.print(Text(f"{line}difference {apart.value:+.3f} {between} over {apart.families} families"))
    if compared.tests:
        said = (f"{show.one_line(prior)} p = {test.corrected:.3f}" for prior, test in compared.tests.items())
        out.print(Text(f"    McNemar, exact, Holm: {', '.join(said)}", style="dim"))
    if apart.warning:
        out.print(Text(f"    {show.one_line(apart.warning)}", style="yellow"))
