"""`squads dead`: its commands and their options. What they do stands in `letters.py`."""

from __future__ import annotations

from typing import Annotated

import typer

from squads.cli.options import Bus, Json, Signing, Store

dead = typer.Typer(
    name="dead",
    help="What nobody could handle on the bus, and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Letter = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id, from `squads dead list`.")]


@dead.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many to show, at most 100.")] = 20,
    after: Annotated[str | None, typer.Option(metavar="ID", help="Go on after this one.")] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    bus: Bus = None,
    signing: Signing = "shared",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List the dead letters with their reasons, newest first."""
    from squads.cli.letters import list_dead

    raise typer.Exit(
        list_dead(bus=bus, signing=signing, limit=limit, after=after, oldest=oldest, store=store, as_json=as_json)
    )


@dead.command()
def show(
    letter: Letter, bus: Bus = None, signing: Signing = "shared", store: Store = None, as_json: Json = False
) -> None:
    """Show one dead letter as it came, bounded and escaped."""
    from squads.cli.letters import show_dead

    raise typer.Exit(show_dead(letter, bus=bus, signing=signing, store=store, as_json=as_json))


@dead.command()
def replay(
    letter: Letter, bus: Bus = None, signing: Signing = "shared", store: Store = None, as_json: Json = False
) -> None:
    """Send one dead letter again. Only a genuine message of this workspace ever is."""
    from squads.cli.letters import replay_dead

    raise typer.Exit(replay_dead(letter, bus=bus, signing=signing, store=store, as_json=as_json))
