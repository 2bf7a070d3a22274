"""`squads bench`: measure panels of gates. What a command does stands in its own file and is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from squads.cli import bench_reading
from squads.cli.bench_load import load
from squads.cli.bench_plant import plant
from squads.cli.bench_prove import prove
from squads.cli.bench_rename import rename
from squads.cli.bench_replay import replay
from squads.cli.options import Json, Root, Store

bench = typer.Typer(
    name="bench",
    help="Measure what panels of gates catch, and what they refuse wrongly.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
bench.command()(replay)
bench_reading.add_to(bench)
Cases = Annotated[str, typer.Option(metavar="SET", help="A folder of families, a set as NAME:PATH, or `built-in`.")]
Splits = Annotated[
    list[str] | None, typer.Option("--split", metavar="SPLIT", help="Only cases of this split; give one for each.")
]
Seed = Annotated[int, typer.Option(min=0, help="Gives the order of the packets.")]
Out = Annotated[
    Path | None, typer.Option(metavar="RUN", help="The run's folder, `bench-run` by default; an open run goes on.")
]
Dollars = Annotated[
    float | None, typer.Option("--budget-usd", metavar="X", min=0.0, help="End before models could cost more.")
]
TokenBudget = Annotated[
    int | None, typer.Option("--budget-tokens", metavar="N", min=0, help="End before models could use more tokens.")
]
SecondsBudget = Annotated[
    float | None, typer.Option("--budget-seconds", metavar="S", min=0.0, help="Begin no packet after so long.")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]


@bench.command("run")
def bench_run(
    cases: Cases = "built-in",
    split: Splits = None,
    gates: Annotated[
        list[str] | None,
        typer.Option(
            "--gates",
            metavar="GATE",
            help="keyless, checks, probes, tools, a check, a tool, a gate of the project or a card; one for each.",
        ),
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option("--models", metavar="NAME", help="A model as a gate, as provider:model.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=1_000, help="How often each gate judges each case.")] = 1,
    seed: Seed = 0,
    out: Out = None,
    reuse: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="Take over verdicts of this earlier run that fit.")
    ] = None,
    budget_usd: Dollars = None,
    budget_tokens: TokenBudget = None,
    budget_seconds: SecondsBudget = None,
    again: Annotated[bool, typer.Option("--again", help="Ask anew where a gate could not look.")] = False,
    as_json: Json = False,
) -> None:
    """Have gates judge cases; every verdict is a receipt in the run's folder. The same command goes on with a run."""
    from squads.cli.bench_run import budget_of, run_bench

    done = run_bench(
        cases=cases,
        splits=split or [],
        gates=gates or [],
        models=models or [],
        repeats=repeats,
        seed=seed,
        out=out,
        reuse=reuse or [],
        budget=budget_of(budget_usd, budget_tokens, budget_seconds),
        again=again,
        as_json=as_json,
    )
    raise typer.Exit(done)


@bench.command("check")
def bench_check(run: Run, as_json: Json = False) -> None:
    """Check that a run's rows follow from its receipts: the ledger is audited, and every row derived again."""
    from squads.cli.bench_check import check_bench

    raise typer.Exit(check_bench(run, as_json=as_json))


@bench.command("list")
def bench_list(cases: Cases = "built-in", split: Splits = None, as_json: Json = False) -> None:
    """List the families of cases with their invariants, splits and labels."""
    from squads.cli.bench_list import list_bench

    raise typer.Exit(list_bench(cases=cases, splits=split or [], as_json=as_json))


@bench.command("compare-priors")
def bench_compare_priors(
    gates: Annotated[
        list[str] | None, typer.Argument(metavar="[GATE]...", help="Two or more gates: cards, checks, tools.")
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option("--models", metavar="NAME", help="A model as a gate, as provider:model.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model of cards that name none, as provider:model.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that made the cases, as provider:model.")
    ] = None,
    cases: Cases = "built-in",
    split: Splits = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run's folder, `bench-priors` by default.")
    ] = None,
    budget_usd: Dollars = None,
    budget_tokens: TokenBudget = None,
    budget_seconds: SecondsBudget = None,
    as_json: Json = False,
) -> None:
    """Compare readings by one prior with as many readings by distinct priors, on the same cases."""
    from squads.cli.bench_compare_priors import compare_priors
    from squads.cli.bench_run import budget_of

    done = compare_priors(
        gates or [],
        cases=cases,
        splits=split or [],
        models=models or [],
        model=model,
        author=author,
        seed=seed,
        out=out,
        budget=budget_of(budget_usd, budget_tokens, budget_seconds),
        as_json=as_json,
    )
    raise typer.Exit(done)


@bench.command("record")
def bench_record(
    run: Run,
    gates: Annotated[
        list[str] | None, typer.Option("--gate", metavar="NAME", help="Only this gate of the run; one for each.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Sign as this person instead of the root.")
    ] = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Record in a project's workspace, signed, what a run measured of its gates; policies can demand it."""
    from squads.cli.bench_record import record_bench

    raise typer.Exit(record_bench(run, gates=gates or [], person=person, root=root, store=store, as_json=as_json))


bench.command()(prove)
bench.command()(load)
bench.command()(plant)
bench.command()(rename)
