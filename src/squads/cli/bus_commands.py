"""The commands for a bus over a server and for the workers on it, with their options; `app.py` adds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from squads.cli.dead import dead
from squads.cli.options import Bus, DeadAfter, Json, Root, Signing, Store

Roles = Annotated[
    list[str] | None, typer.Option("--role", metavar="NAME", help="A role of this project; give one --role for each.")
]
TrustFile = Annotated[
    Path | None, typer.Option("--trust", metavar="FILE", help="The workspace's trust.json; by default in `.squads`.")
]
Keys = Annotated[
    Path | None, typer.Option("--keys", metavar="DIR", help="Where private keys are kept, instead of SQUADS_HOME.")
]


def doctor(
    bus: Bus = None,
    disposable: Annotated[
        bool, typer.Option("--disposable", help="Nothing on this server needs to survive a restart.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look whether the bus's server could lose work or show it to strangers, and say which line to change."""
    from squads.cli.doctor import examine_bus

    raise typer.Exit(examine_bus(bus, disposable=disposable, as_json=as_json))


def acl(
    roles: Annotated[list[str] | None, typer.Option("--role", metavar="NAME", help="Only this role's user.")] = None,
    workspace: Annotated[
        str | None, typer.Option(metavar="ID", help="The workspace; that of the project's store by default.")
    ] = None,
    new_passwords: Annotated[
        bool, typer.Option("--new-passwords", help="Make a password for every user, and print each once.")
    ] = False,
    passwords: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the new passwords to this new file, mode 0600.")
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Print the server's access rules: a user for the runner and one for each role, and nothing more than they need."""
    from squads.cli.acl import print_acl

    raise typer.Exit(
        print_acl(
            roles or [],
            workspace=workspace,
            new_passwords=new_passwords,
            passwords=passwords,
            store=store,
            as_json=as_json,
        )
    )


def enroll(
    request: Annotated[
        str | None,
        typer.Argument(help="The line that a worker's `squads enroll --role` printed, where the root key is."),
    ] = None,
    roles: Roles = None,
    trust: TrustFile = None,
    keys: Keys = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Ask for a worker's own keys to be registered (--role, on its machine), or register them (REQUEST)."""
    from squads.cli.enroll import ask_or_register

    raise typer.Exit(
        ask_or_register(request, roles=roles or [], trust=trust, keys=keys, root=root, store=store, as_json=as_json)
    )


def worker(
    roles: Roles = None,
    bus: Bus = None,
    slots: Annotated[int, typer.Option(min=1, max=10_000, help="How many requests each role works on at once.")] = 64,
    grace: Annotated[float, typer.Option(min=0, help="Seconds to finish what is under way when told to stop.")] = 30,
    health: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve /live, /ready and /metrics; a port alone is local.")
    ] = None,
    log: Annotated[str, typer.Option(metavar="FORM", help="text or json, on standard error.")] = "text",
    trust: TrustFile = None,
    keys: Keys = None,
    signing: Signing = "shared",
    signer: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The socket of a signer daemon that keeps these roles' keys.")
    ] = None,
    dead_after: DeadAfter = 15.0,
    store: Store = None,
) -> None:
    """Serve roles of this project in a process of their own, over a bus. SIGTERM drains; a second one ends at once."""
    from squads.cli.worker import Serving, serve_here

    asked = Serving(roles or [], bus, slots, grace, health, log, trust, keys, signing, store, dead_after, signer)
    raise typer.Exit(serve_here(asked))


def add_to(app: typer.Typer) -> None:
    """Add these commands to the others."""
    for command in (doctor, acl, enroll, worker):
        app.command()(command)
    app.add_typer(dead)
