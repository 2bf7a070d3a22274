"""The commands for keys and for the workspace's policy, with their options; `app.py` adds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json, Root, Store

Request = Annotated[
    Path | None,
    typer.Option("--request", metavar="FILE", help="Write what the root would sign to a new FILE; change nothing yet."),
]

keys = typer.Typer(
    help="Whose keys count: add, rotate, revoke and list them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
policy = typer.Typer(
    help="What the workspace demands.", invoke_without_command=True, rich_markup_mode=None, add_completion=False
)


@keys.command("init")
def init_keys(root: Root = None, store: Store = None, as_json: Json = False) -> None:
    """Found a workspace; --root writes its root key to a new FILE, to be kept away from this machine."""
    from squads.cli.keys import found_workspace

    raise typer.Exit(found_workspace(root, store=store, as_json=as_json))


@keys.command("add")
def add_keys(
    roles: Annotated[
        list[str] | None, typer.Argument(help="Roles such as gate:schema; the project's by default.")
    ] = None,
    public_key: Annotated[
        str | None, typer.Option(metavar="HEX", help="Register this key, which is elsewhere, for the one role.")
    ] = None,
    custody: Annotated[
        str | None, typer.Option(metavar="HOW", help="Where that key lives: in-process, daemon, kms or hsm.")
    ] = None,
    enrolment: Annotated[
        str | None, typer.Option(metavar="LINE", help="Register what a worker's `squads enroll --role` asks for.")
    ] = None,
    request: Request = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Register keys, signed by the root: this machine's, made where there is none, or one from elsewhere."""
    from squads.cli.key_changes import Given
    from squads.cli.keys import add

    given = Given(root=root, store=store, as_json=as_json, request=request)
    raise typer.Exit(add(roles or [], given, public_key=public_key, custody=custody, enrolment=enrolment))


@keys.command("rotate")
def rotate_keys(
    role: Annotated[str, typer.Argument(help="The role whose key is changed, such as gate:schema or root.")],
    request: Request = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Give a role a new key, signed in by the old key and the root; the old one is deleted once the log has it."""
    from squads.cli.key_changes import Given
    from squads.cli.keys import rotate

    raise typer.Exit(rotate(role, Given(root=root, store=store, as_json=as_json, request=request)))


@keys.command("revoke")
def revoke_keys(
    which: Annotated[str, typer.Argument(metavar="KEY|ROLE", help="A key by its id, or the role that it speaks for.")],
    reason: Annotated[str, typer.Option(metavar="WHY", help="compromised, lost, retired or superseded.")],
    suspect_from: Annotated[
        int | None, typer.Option(metavar="INDEX", min=0, help="The first receipt that it may not count for any more.")
    ] = None,
    request: Request = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """End a key, signed by the root; what it signed from INDEX on, or from now on, does not count."""
    from squads.cli.key_changes import Given
    from squads.cli.keys import revoke

    given = Given(root=root, store=store, as_json=as_json, request=request)
    raise typer.Exit(revoke(which, given, reason=reason, suspect_from=suspect_from))


@keys.command("list")
def list_keys(store: Store = None, as_json: Json = False) -> None:
    """Show every key: whose it is, how it is kept, from where to where it counts, and whether it is here."""
    from squads.cli.key_changes import Given
    from squads.cli.keys import show_keys

    raise typer.Exit(show_keys(Given(root=None, store=store, as_json=as_json)))


@keys.command("sign")
def sign_request(
    file: Annotated[Path, typer.Argument(help="What --request wrote; it is signed in place.")],
    root: Annotated[Path, typer.Option("--root", metavar="FILE", help="The root key's file.")],
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking; it is shown all the same.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a request would change, and sign exactly that with the root key. Needs no store and no network."""
    from squads.cli.key_requests import sign

    raise typer.Exit(sign(file, root, yes=yes, as_json=as_json))


@keys.command("submit")
def submit_request(
    file: Annotated[Path, typer.Argument(help="A request that the root has signed.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Hand in a request that was signed elsewhere."""
    from squads.cli.key_changes import Given
    from squads.cli.key_requests import submit

    raise typer.Exit(submit(file, Given(root=None, store=store, as_json=as_json)))


@policy.callback()
def policy_shown(context: typer.Context, store: Store = None, as_json: Json = False) -> None:
    """Show what the workspace demands, or set it."""
    if context.invoked_subcommand is None:
        from squads.cli.policy import show_policy

        raise typer.Exit(show_policy(store, as_json=as_json))


@policy.command("show")
def show(store: Store = None, as_json: Json = False) -> None:
    """Show what the workspace demands of keys, and of receipts before anybody is told of them."""
    from squads.cli.policy import show_policy

    raise typer.Exit(show_policy(store, as_json=as_json))


@policy.command("set")
def set_policy(
    gate_custody: Annotated[
        str | None, typer.Option(metavar="HOW", help="The weakest custody of a gate's key whose verdict counts.")
    ] = None,
    end_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="What a composition waits for: checkpointed or anchored.")
    ] = None,
    refusal_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="What a refusal waits for: checkpointed or anchored.")
    ] = None,
    catch_min: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, help="The share of defects that a gate's record must reach."),
    ] = None,
    false_refusals_max: Annotated[
        float | None,
        typer.Option(metavar="SHARE", min=0.0, max=1.0, help="The share of what is right that it may refuse."),
    ] = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say what the workspace demands from now on, signed by the root; what is left out stays as it is."""
    from squads.cli.policy import change_policy

    wanted = {
        "gate_custody": gate_custody,
        "end_level": end_level,
        "refusal_level": refusal_level,
        "catch_ppm_min": None if catch_min is None else round(catch_min * 1_000_000),
        "false_refusals_ppm_max": None if false_refusals_max is None else round(false_refusals_max * 1_000_000),
    }
    raise typer.Exit(change_policy(wanted, root=root, store=store, as_json=as_json))


def add_to(app: typer.Typer) -> None:
    """Add these commands to the others."""
    app.add_typer(keys, name="keys")
    app.add_typer(policy, name="policy")
