"""`squads keys ... --request`, `sign` and `submit`: changes of keys for a root that never meets a network."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer
from rich.text import Text

from squads.adapters.keys import load
from squads.cli import show
from squads.cli.key_changes import Given, at_workspace, print_changes
from squads.cli.readable import line
from squads.contracts.errors import InvalidInput
from squads.key_events import KeyChange, Planned, anchored
from squads.key_requests import KeyRequest, meaning, read_request, requested, signed, submitted, write_request
from squads.workspace import Workspace


def ask(given: Given, plan: Callable[[Workspace], Awaitable[Planned | KeyChange]]) -> int:
    """Write what the root would sign for a change, and return 0."""
    file = given.request
    assert file is not None

    async def doing(workspace: Workspace) -> KeyRequest | KeyChange:
        planned = await plan(workspace)
        return planned if isinstance(planned, KeyChange) else await requested(workspace, planned)

    asked = at_workspace(given, doing)
    if isinstance(asked, KeyChange):
        print_changes([asked], False, "Rotated", "Finished the rotation that was interrupted", given)
        return 0
    write_request(file, asked)
    if given.as_json:
        _print_json(file, asked, signed_now=False)
        return 0
    out = show.console()
    out.print(Text(f"Written to {show.one_line(str(file))}; nothing has changed yet.", style="bold"))
    _print_meaning(asked)
    line(out, "Where the root key is:  squads keys sign FILE --root ROOT")
    line(out, "Then here again:        squads keys submit FILE")
    return 0


def sign(file: Path, root: Path, *, yes: bool, as_json: bool) -> int:
    """Show what a request says, sign exactly that, and return 0; 2 when the person says no."""
    request = read_request(file)
    said = meaning(request)
    if not as_json:
        show.console().print(Text("This would be signed:", style="bold"))
        _print_meaning(request)
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise InvalidInput(f"somebody must look at what is signed ({said[1]}); say so with --yes, or at a terminal")
        if not typer.confirm("Sign it with the root key?"):
            raise InvalidInput("nothing was signed")
    done = signed(request, load(root))
    write_request(file, done, over=True)
    if as_json:
        _print_json(file, done, signed_now=True)
    else:
        line(show.console(), ("Signed", "bold green"), "; hand it in with `squads keys submit FILE`.", indent=0)
    return 0


def submit(file: Path, given: Given) -> int:
    """Append what the root has signed elsewhere, print what became of the key, and return 0."""
    request = read_request(file)

    async def doing(workspace: Workspace) -> tuple[KeyChange, bool]:
        change = await submitted(workspace, request)
        return change, await anchored(workspace, change.size)

    change, outside = at_workspace(given, doing)
    print_changes([change], outside, "Handed in", "Nothing to do: the log says so already", given)
    return 0


def _print_meaning(request: KeyRequest) -> None:
    for said in meaning(request):
        line(show.console(), show.one_line(said))


def _print_json(file: Path, request: KeyRequest, *, signed_now: bool) -> None:
    data = {"request": str(file), "what_is_signed": meaning(request), "signed_now": signed_now, "exit_code": 0}
    sys.stdout.write(json.dumps(data) + "\n")
