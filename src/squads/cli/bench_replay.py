"""`squads bench replay`: what recorded findings say about panels, with no model and no key."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from squads.cli.options import Json

if TYPE_CHECKING:
    from squads.bench.eyes import Estimate, Eyes, Look
    from squads.bench.replay import Gain, Kinds, Replay


def replay(
    path: Annotated[Path, typer.Argument(help="The folder of the set, as fetched.")],
    loader: Annotated[str, typer.Option(metavar="NAME", help="Which set it is.")] = "real-vuln",
    beside: Annotated[
        str | None, typer.Option(metavar="GATE", help="Compare every second look after a first one by this gate.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write every verdict here, as JSON Lines.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn recorded findings into verdicts, and tell what panels of those gates would have caught."""
    raise typer.Exit(show_replay(path, loader=loader, beside=beside, out=out, as_json=as_json))


def show_replay(path: Path, *, loader: str, beside: str | None, out: Path | None, as_json: bool) -> int:
    """Read a set's recorded runs, print the table of panels and who sees with other eyes, and return 0."""
    from squads.bench import eyes
    from squads.bench.figure import plain
    from squads.bench.grid import grid_of
    from squads.bench.loaders import loader_named
    from squads.bench.replay import replay_of
    from squads.contracts.errors import InvalidCase

    chosen = loader_named(loader)
    results = chosen.recorded(path)
    if results is None:
        raise InvalidCase(f"nobody recorded findings for {loader}; run gates on it with `squads bench run`")
    if out is not None:
        from squads.bench.results_file import write_results

        write_results(results, out)
    grid = grid_of(results)
    table = replay_of(grid, title=results.title)
    looks = eyes.looks_of(grid, first=beside)
    pairs: Sequence[Eyes] = ()
    if beside is not None:
        pairs = eyes.beside(grid, beside)
    elif as_json:
        pairs = eyes.eyes_of(grid)
    if as_json:
        told = {
            "about": dict(results.about),
            "table": plain(table),
            "looks": [plain(look) for look in looks],
            "pairs": [plain(pair) for pair in pairs],
        }
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    _print(table, looks, pairs, beside)
    return 0


def _print(table: Replay, looks: Sequence[Look], pairs: Sequence[Eyes], beside: str | None) -> None:
    from squads.cli import show

    out = show.console()

    def line(text: str = "") -> None:
        out.print(show.one_line(text), markup=False)

    line(table.title)
    line(f"{len(table.gates)} gates with {table.seats} repeats each on {len(table.families)} families: ")
    for gate in table.gates:
        line(f"  {gate}")
    line()
    line(f"{'panel, any member may refuse':<44}{'defects':>10}{'right cases':>14}")
    for name, first, second in _rows(table.defects, table.rights, table.seats):
        line(f"{name:<44}{first:>10.3f}{second:>14.3f}")
    line(f"{'cases':<44}{table.defects.cases:>10}{table.rights.cases:>14}")
    line()
    line(f"distinct less same on defects:     {_gain(table.defects.gain)}")
    line(f"distinct less same on right cases: {_gain(table.rights.gain)}")
    line(f"among the {len(table.strongest)} that catch most:       {_gain(table.strongest_gain)}")
    line(f"kappa within a gate {_plain(table.kappa_within)}, between gates {_plain(table.kappa_between)}")
    line(
        f"worth {_plain(table.effective_same)} independent reviewers when the same, "
        f"{_plain(table.effective_distinct)} when distinct"
    )
    best = table.best
    line(f"{best.gate}: {best.own:.3f} with its own runs, {best.others:.3f} with runs of others")
    line()
    whose = f" after a first look by {beside}" if beside else ""
    line(f"Second looks{whose}, by relation (adds to all defects; of independent; kappa):")
    for look in looks:
        line(f"  {look.relation:<16}{look.pairs:>4} pairs  {_looked(look.adds, look.of_independent, look.kappa)}")
    if beside:
        line()
        line("Second looks by gate (adds to all defects; of independent; kappa; right cases that either refuses):")
        for pair in pairs:
            refused = _plain(pair.refused_rights, 3)
            told = _looked(pair.second_adds, pair.of_independent, pair.kappa)
            line(f"  {pair.second:<34}{pair.relation:<16}{told}  {refused}")


def _rows(defects: Kinds, rights: Kinds, seats: int) -> list[tuple[str, float, float]]:
    names = {
        "single": "one run",
        "same": f"{seats} runs of the same gate",
        "distinct": f"one run of each of {seats} gates",
        "independent_same": "the same, were errors independent",
        "independent_distinct": "distinct, were errors independent",
        "majority_same": "the same, and a majority must refuse",
        "majority_distinct": "distinct, and a majority must refuse",
    }
    return [(told, getattr(defects, name), getattr(rights, name)) for name, told in names.items()]


def _gain(gain: Gain) -> str:
    sure, plain = gain.difference.interval, gain.percentiles
    return (
        f"{100 * gain.difference.value:+.1f} points [{100 * sure.low:.1f}, {100 * sure.high:.1f}] by families, "
        f"[{100 * plain.low:.1f}, {100 * plain.high:.1f}] by plain bootstrap"
    )


def _looked(*told: Estimate) -> str:
    return "  ".join(map(_estimate, told))


def _estimate(told: Estimate) -> str:
    if told.value is None or told.interval is None:
        return f"{_plain(told.value, 3):<22}"
    return f"{told.value:.3f} [{told.interval.low:.3f}, {told.interval.high:.3f}]"


def _plain(value: float | None, digits: int = 2) -> str:
    return "not defined" if value is None else f"{value:.{digits}f}"
