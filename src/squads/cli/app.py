"""The commands and their options. What a command does stands in its own file and is imported when it runs.

Exit codes: 0 composed; 1 a signed refusal; 2 could not find out (abstention, bound, stop, broken ledger, bad input);
3 waiting for a person.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="squads",
    help="Teams of agents that may refuse: nothing composes until every required gate approved exactly those bytes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Store = Annotated[
    Path | None, typer.Option(help="Where receipts are kept; `.squads` at the top of the work tree by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.callback(invoke_without_command=True)
def squads(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    """Teams of agents that may refuse."""
    if version:
        from squads import __version__

        typer.echo(f"squads {__version__}")
        raise typer.Exit


@app.command()
def gate(
    paths: Annotated[list[str] | None, typer.Argument(help="Files or folders to judge; `-` reads one file.")] = None,
    commits: Annotated[str | None, typer.Option("--range", help="What changed in BASE..HEAD.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What is staged for the next commit.")] = False,
    name: Annotated[str, typer.Option("--name", help="What to call the file read from `-`.")] = "stdin.sql",
    gates: Annotated[list[str] | None, typer.Option("--gate", help="A check to require; all by default.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Judge a change: of the work tree by default, or files, a range of commits, what is staged."""
    from squads.cli.gate import gate_change, read_change

    change = read_change(paths or [], commits=commits, staged=staged, name=name)
    raise typer.Exit(gate_change(change, gates=gates or [], store=store, as_json=as_json))


@app.command()
def verify(
    store: Annotated[Path | None, typer.Argument(help="The store to verify; `.squads` by default.")] = None,
    as_json: Json = False,
) -> None:
    """Re-derive a ledger: frames, links, signatures, roles, checkpoints, and the rules replayed over it."""
    from squads.cli.verify import verify_store

    raise typer.Exit(verify_store(store, as_json=as_json))


@app.command()
def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Answer the question by flag; receipts say so.")] = False,
    as_json: Json = False,
) -> None:
    """Show a refusal becoming a composition, then gate this work tree's last change. Needs no key and no network."""
    from squads.cli.demo import show_demo

    raise typer.Exit(show_demo(yes=yes, as_json=as_json))


def run() -> None:
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
    if "--json" in sys.argv[1:]:
        import json

        sys.stdout.write(json.dumps({"error": sentence}) + "\n")
    from squads.cli.show import one_line

    sys.stderr.write(f"squads: {one_line(sentence)}\n")
    sys.exit(2)
