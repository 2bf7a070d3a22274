"""The commands that prove, hand out and erase what is kept, with their options; `app.py` adds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Anchors, As, Asked, Bus, Evidence, Json, Store, StoreOrBundle, Whose, WhoseOrNone


def verify(
    what: StoreOrBundle = None,
    trust: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For a bundle: trust.json, got another way.")
    ] = None,
    seen: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="For a bundle: a signed checkpoint that you hold.")
    ] = None,
    anchor: Anchors = None,
    evidence: Evidence = None,
    as_json: Json = False,
) -> None:
    """Re-derive a ledger: frames, links, signatures, roles, checkpoints, and the rules; or check a packet's bundle."""
    from squads.cli.verify import verify_what

    raise typer.Exit(
        verify_what(what, trust=trust, seen=seen or [], anchors=anchor or [], evidence=evidence, as_json=as_json)
    )


def bundle(
    packet: Asked,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it; `-` is standard output.")] = None,
    content: Annotated[bool, typer.Option("--content", help="Bring the content too: brief, files, verdicts.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write one packet's receipts and proofs into one file that a stranger can verify offline."""
    from squads.cli.bundle import write_bundle

    raise typer.Exit(write_bundle(packet, store=store, out=out, content=content, as_json=as_json))


def erase(
    subject: Whose,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False,
    person: As = "owner",
    bus: Bus = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Erase everything that is kept about a packet, a person or a name, and leave a receipt that says so."""
    from squads.cli.erase import erase_subject

    raise typer.Exit(erase_subject(subject, person=person, yes=yes, bus=bus, store=store, as_json=as_json))


def export(
    subject: WhoseOrNone = None,
    workspace: Annotated[bool, typer.Option("--workspace", help="Everything that is kept here.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="A new folder; `export` by default.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write what is kept about somebody, or all of it, as JSON Lines and bundles that anybody can verify."""
    from squads.cli.export import export_store

    raise typer.Exit(export_store(subject, workspace=workspace, out=out, store=store, as_json=as_json))


def add_to(app: typer.Typer) -> None:
    """Add every command of this module to `app`."""
    for command in (verify, bundle, erase, export):
        app.command()(command)
