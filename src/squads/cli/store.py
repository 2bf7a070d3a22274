"""`squads store`: a ledger in PostgreSQL is made ready by the owner of the database, and made known to a machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json

store = typer.Typer(
    name="store",
    help="Make a ledger in PostgreSQL ready, and make it known to this machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Url = Annotated[str, typer.Argument(metavar="URL", help="The store: postgresql://USER@HOST/DATABASE#SCHEMA.")]


@store.command()
def init(
    url: Url,
    app_role: Annotated[
        str | None, typer.Option(metavar="NAME", help="A role for runners, which may append to the log, no more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the schema and its tables, as the owner of the database; again, to bring them up to date."""
    from squads.adapters.postgres_schema import init_blocking
    from squads.cli import show
    from squads.stores import placed

    made = init_blocking(url, app_role=app_role)
    place = show.one_line(str(placed(url)))
    if as_json:
        data = {"store": place, "app_role": app_role, "app_role_made": made, "exit_code": 0}
        sys.stdout.write(json.dumps(data) + "\n")
    else:
        out = show.console()
        out.print(f"{place} is ready.", markup=False)
        if made:
            out.print(f"The role {app_role} has no password yet: ALTER ROLE {app_role} PASSWORD …", markup=False)


@store.command()
def trust(
    url: Url,
    trust: Annotated[
        Path, typer.Option(metavar="FILE", help="The workspace's trust.json, from a machine that has it.")
    ],
    as_json: Json = False,
) -> None:
    """Make the workspace in a database known to this machine, so that it can be verified here."""
    from squads.cli import show
    from squads.stores import learn_trust, placed

    origin = learn_trust(url, trust).origin
    place = show.one_line(str(placed(url)))
    if as_json:
        sys.stdout.write(json.dumps({"store": place, "origin": origin, "exit_code": 0}) + "\n")
    else:
        show.console().print(f"This machine knows {place} as {origin} now.", markup=False)
