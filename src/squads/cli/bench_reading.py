"""The commands that read finished runs: `squads bench report` and `squads bench compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json

Finished = Annotated[Path, typer.Argument(help="A run's folder, a report's folder, or a file of results.")]


def add_to(bench: typer.Typer) -> None:
    """Add the commands to `squads bench`."""
    bench.command("report")(_report)
    bench.command("compare")(_compare)


def _report(
    run: Finished,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the page, the tables and the rows.")],
    inspect: Annotated[
        bool, typer.Option("--inspect", help="Also logs that Inspect reads, one for each gate.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a run's figures: one HTML page, CSV, JSON and JSON Lines."""
    from squads.cli.bench_report import results_at, write_report

    raise typer.Exit(write_report(results_at(run), out, inspect=inspect, as_json=as_json))


def _compare(first: Finished, second: Finished, as_json: Json = False) -> None:
    """Say what the second run catches that the first did not, and what it refuses besides."""
    from squads.cli.bench_report import print_comparison, results_at

    raise typer.Exit(print_comparison(results_at(first), results_at(second), as_json=as_json))
