"""`squads anchors`: its commands and their options. What they do stands in `outside.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from squads.cli.options import Json, Store

anchors = typer.Typer(
    name="anchors",
    help="Where checkpoints stand that the ledger's writer cannot rewrite.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Url = Annotated[str, typer.Argument(metavar="URL", help="file:/absolute/path or s3://bucket/prefix.")]


@anchors.command()
def add(url: Url, store: Store = None, as_json: Json = False) -> None:
    """Look whether an anchor can be relied on, put the newest checkpoint there, and use it from now on."""
    from squads.cli.outside import add_anchor

    raise typer.Exit(add_anchor(url, store=store, as_json=as_json))


@anchors.command()
def remove(url: Url, store: Store = None, as_json: Json = False) -> None:
    """Use an anchor no more. What it holds stays there."""
    from squads.cli.outside import remove_anchor

    raise typer.Exit(remove_anchor(url, store=store, as_json=as_json))


@anchors.command("list")
def list_(store: Store = None, as_json: Json = False) -> None:
    """List the workspace's anchors; none of them is asked."""
    from squads.cli.outside import list_anchors

    raise typer.Exit(list_anchors(store=store, as_json=as_json))


@anchors.command()
def check(
    limit: Annotated[int, typer.Option(min=1, help="How many sound notes of each to print, the newest.")] = 20,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Put the newest checkpoint into every anchor, read back all that they hold, and compare it with the ledger."""
    from squads.cli.outside import check_anchors

    raise typer.Exit(check_anchors(limit=limit, store=store, as_json=as_json))
