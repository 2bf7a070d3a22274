"""The commands and their options. What a command does stands in its own file and is imported when it runs.

Exit codes: 0 composed; 1 a signed refusal; 2 could not find out (abstention, bound, stop, broken ledger, bad input);
3 waiting for a person.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer

from squads.cli import bus_commands, kept_commands, keys_commands, signer
from squads.cli.anchors import anchors
from squads.cli.bench_commands import bench
from squads.cli.options import (
    About,
    As,
    Asked,
    Bus,
    Elsewhere,
    Health,
    Json,
    Root,
    Signing,
    Store,
)
from squads.cli.store import store as store_commands

app = typer.Typer(
    name="squads",
    help="Teams of agents that may refuse: nothing composes until every required gate approved exactly those bytes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Digest = Annotated[str | None, typer.Option(metavar="HEX", help="The composition's digest, or its first digits.")]
Stopped = Annotated[str | None, typer.Option(metavar="ID", help="Only this packet, by id or its first 6 digits.")]

Record = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Keep every reply of a model in this folder, to be replayed.")
]
Replay = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Answer from replies kept in this folder; ask nobody, need no key."),
]


@app.callback(invoke_without_command=True)
def squads(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Teams of agents that may refuse."""
    if version:
        from squads import __version__

        typer.echo(f"squads {__version__}")
        raise typer.Exit


@app.command()
def init(
    directory: Annotated[Path | None, typer.Argument(help="Where; the top of the work tree by default.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Also roles that ask this model, as provider:model.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the cards of a squad that suits this work tree: roles/, gates/ and memory/. Nothing is written over."""
    from squads.cli.init import init_project

    raise typer.Exit(init_project(directory, model=model, as_json=as_json))


@app.command()
def show(
    commit: Annotated[str | None, typer.Option(help="Show the squad of a commit instead of the work tree's.")] = None,
    as_json: Json = False,
) -> None:
    """Show the resolved squad of this project, with the origin of every value."""
    from squads.cli.squad import show_squad

    raise typer.Exit(show_squad(commit, as_json=as_json))


@app.command()
def run(
    brief: Annotated[str, typer.Argument(help="What is wanted; a packet in a Markdown file; `-` reads a brief.")],
    out: Annotated[Path | None, typer.Option(help="A new folder for the composition's files.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve by flag; receipts say so.")] = False,
    record: Record = None,
    replay: Replay = None,
    bus: Bus = None,
    signing: Signing = "shared",
    elsewhere: Elsewhere = False,
    subject: About = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Run the project's squad on a brief, and tell what happens."""
    from squads.cli.over_bus import OverBus
    from squads.cli.run import run_packet

    over = OverBus(bus, signing, elsewhere)
    done = run_packet(
        brief, store=store, out=out, yes=yes, as_json=as_json, record=record, replay=replay, over=over, subject=subject
    )
    raise typer.Exit(done)


@app.command()
def resume(
    packet: Annotated[str, typer.Argument(help="The packet's id.")],
    out: Annotated[Path | None, typer.Option(help="A new folder for the composition's files.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve by flag; receipts say so.")] = False,
    record: Record = None,
    replay: Replay = None,
    bus: Bus = None,
    signing: Signing = "shared",
    elsewhere: Elsewhere = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Take up an open packet where it stands. Nothing that was answered is asked again."""
    from squads.cli.over_bus import OverBus
    from squads.cli.run import resume_packet

    over = OverBus(bus, signing, elsewhere)
    raise typer.Exit(
        resume_packet(packet, store=store, out=out, yes=yes, as_json=as_json, record=record, replay=replay, over=over)
    )


@app.command()
def serve(
    bus: Bus = None,
    signing: Signing = "shared",
    elsewhere: Elsewhere = False,
    health: Health = None,
    store: Store = None,
) -> None:
    """Take up every open packet that nobody holds with the project's squad, until SIGTERM or Ctrl-C."""
    from squads.cli.over_bus import OverBus
    from squads.cli.serve import serve_workspace

    raise typer.Exit(serve_workspace(store=store, over=OverBus(bus, signing, elsewhere), health=health))


invariants = typer.Typer(
    help="The rules that the checks hold.", invoke_without_command=True, rich_markup_mode=None, add_completion=False
)
app.add_typer(invariants, name="invariants")
app.add_typer(store_commands, name="store")


@invariants.callback()
def list_invariants(context: typer.Context, as_json: Json = False) -> None:
    """List the rules that the checks hold, with severity and CWE."""
    if context.invoked_subcommand is None:
        from squads.cli.invariants import list_invariants

        raise typer.Exit(list_invariants(as_json=as_json))


@invariants.command("show")
def show_invariant(
    name: Annotated[str, typer.Argument(help="The invariant's id, such as `sql.unique-null`.")], as_json: Json = False
) -> None:
    """Show one rule in full: why it must hold, an example refused, an example approved, where it comes from."""
    from squads.cli.invariants import show_invariant

    raise typer.Exit(show_invariant(name, as_json=as_json))


@app.command()
def gate(
    paths: Annotated[list[str] | None, typer.Argument(help="Files or folders to judge; `-` reads one file.")] = None,
    commits: Annotated[str | None, typer.Option("--range", help="What changed in BASE..HEAD.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What is staged for the next commit.")] = False,
    name: Annotated[str, typer.Option("--name", help="What to call the file read from `-`.")] = "stdin.sql",
    gates: Annotated[
        list[str] | None, typer.Option("--gate", help="A gate of the project or a check to require.")
    ] = None,
    subject: About = None,
    store: Store = None,
    form: Annotated[str, typer.Option("--format", help="text, json, sarif, junit or markdown.")] = "text",
    write: Annotated[
        list[Path] | None, typer.Option(help="Also write to this file: .sarif, .xml (JUnit), .md, .json or .txt.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a change: of the work tree by default, or files, a range of commits, what is staged."""
    from squads.cli.gate import gate_change, read_change

    change = read_change(paths or [], commits=commits, staged=staged, name=name)
    form = "json" if as_json else form
    raise typer.Exit(
        gate_change(
            change, gates=gates or [], store=store, form=form, files=write or [], commits=commits, subject=subject
        )
    )


@app.command()
def status(
    limit: Annotated[int, typer.Option(help="How many packets of a kind to show.")] = 20,
    bus: Bus = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say what is known, what is in motion, what needs approval, what changed, and what happens next."""
    from squads.cli.status import show_status

    raise typer.Exit(show_status(store=store, limit=limit, as_json=as_json, bus=bus))


@app.command()
def inbox(
    packet: Annotated[str | None, typer.Argument(help="Show one question with every file that it is about.")] = None,
    person: Annotated[str | None, typer.Option("--as", metavar="NAME", help="Only what NAME can answer.")] = None,
    limit: Annotated[int, typer.Option(help="How many questions to show.")] = 20,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show what waits for a person's answer, and what to type."""
    from squads.cli.inbox import show_inbox

    raise typer.Exit(show_inbox(packet, person=person, store=store, limit=limit, as_json=as_json))


@app.command()
def approve(
    packet: Asked,
    reason: Annotated[str, typer.Argument(help="Why; sealed beside the answer.")] = "",
    digest: Digest = None,
    person: As = "owner",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say yes to exactly one composition; at a terminal it asks once more unless --digest names it."""
    from squads.cli.answer import answer_question

    raise typer.Exit(
        answer_question(packet, approve=True, reason=reason, digest=digest, person=person, store=store, as_json=as_json)
    )


@app.command()
def deny(
    packet: Asked,
    reason: Annotated[str, typer.Argument(help="Why; sealed beside the answer.")],
    digest: Digest = None,
    person: As = "owner",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say no: one denial by somebody who was asked ends the packet."""
    from squads.cli.answer import answer_question

    raise typer.Exit(
        answer_question(
            packet, approve=False, reason=reason, digest=digest, person=person, store=store, as_json=as_json
        )
    )


@app.command()
def stop(
    reason: Annotated[str, typer.Argument(help="Why; whoever lifts it reads this.")],
    packet: Stopped = None,
    person: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who stops; the owner, or this program where none is.")
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Stop everything here, or one packet, also while another process runs it. Anyone may."""
    from squads.cli.stop import stop_work

    raise typer.Exit(stop_work(reason, packet=packet, person=person, store=store, as_json=as_json))


@app.command()
def lift(
    reason: Annotated[str, typer.Argument(help="Why work may go on.")],
    packet: Stopped = None,
    person: As = "owner",
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Lift a stop as a person, not the one who set it where there is another."""
    from squads.cli.stop import lift_stop

    raise typer.Exit(lift_stop(reason, packet=packet, person=person, store=store, as_json=as_json))


@app.command()
def people(
    add: Annotated[str | None, typer.Option(metavar="NAME", help="Make a key for NAME, signed by the root.")] = None,
    root: Root = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show whose keys may answer questions and lift stops."""
    from squads.cli.people import show_people

    raise typer.Exit(show_people(add=add, root=root, store=store, as_json=as_json))


@app.command()
def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Answer the question by flag; receipts say so.")] = False,
    page: Annotated[Path | None, typer.Option(help="Keep the story as this page, .html or .md.")] = None,
    as_json: Json = False,
) -> None:
    """Show refusals becoming a composition, then gate this work tree's last change. Needs no key and no network."""
    from squads.cli.demo import show_demo

    raise typer.Exit(show_demo(yes=yes, as_json=as_json, page=page))


@app.command()
def report(
    packet: Annotated[str, typer.Argument(help="The packet's id, or the beginning of it.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file; its ending chooses the format.")] = None,
    form: Annotated[str | None, typer.Option("--format", help="markdown (default) or html.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Tell the story of one packet: who asked, built, refused and approved, and how to check every word of it."""
    from squads.cli.report import write_report

    raise typer.Exit(write_report(packet, store=store, form=form, out=out, as_json=as_json))


bus_commands.add_to(app)
kept_commands.add_to(app)
keys_commands.add_to(app)
signer.add_to(app)
app.add_typer(anchors)
app.add_typer(bench)


def main() -> None:
    """Run a command; whatever goes wrong becomes one sentence on standard error and exit code 2."""
    import logging

    from squads.contracts.errors import SquadsError

    # Why a role gave no usable answer is in the log only: receipts hold no prose.
    logging.basicConfig(level=logging.WARNING, format="squads: %(message)s")
    try:
        app()
    except SquadsError as error:
        _fail(str(error))
    except BrokenPipeError:
        # Whoever read the output went away; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except KeyboardInterrupt:
        _fail("interrupted; nothing composed, and open packets stay in the ledger")
    except Exception as error:
        if os.environ.get("SQUADS_DEBUG"):
            raise
        _fail(f"unexpected {type(error).__name__}: {error}; set SQUADS_DEBUG=1 to see where, and please report it")


def _fail(sentence: str) -> None:
    if "--json" in sys.argv[1:] or "json" in (b for a, b in pairwise(sys.argv) if a == "--format"):
        import json

        sys.stdout.write(json.dumps({"error": sentence}) + "\n")
    from squads.cli.show import one_line

    sys.stderr.write(f"squads: {one_line(sentence)}\n")
    sys.exit(2)
