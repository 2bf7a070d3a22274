"""`squads enroll`: a worker asks for keys of its own to count, and whoever holds the root key registers them."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rich.text import Text

from squads.adapters.keys import load_or_create
from squads.adapters.system import SystemClock
from squads.cli import show
from squads.cli.gate import default_store, project_for
from squads.cli.hosted import chosen, project_here, servable, spoken, trust_at
from squads.cli.readable import line, when
from squads.contracts.errors import InvalidInput
from squads.desk import Desk
from squads.enrolment import (
    WORKER_KEY,
    Enrolled,
    Enrolment,
    enrol,
    read_request,
    request_line,
    roles_registered,
    standing_of,
    worker_signers,
)
from squads.roster import LOOK_SECONDS, workspace_in
from squads.stores import Place, keys_of


def ask_or_register(
    request: str | None,
    *,
    roles: list[str],
    trust: Path | None,
    keys: Path | None,
    root: Path | None = None,
    store: Place | None,
    as_json: bool,
) -> int:
    """Print a request for these roles, or register the keys of one, and return 0."""
    if (request is None) == (not roles):
        raise InvalidInput(
            "on the worker's machine: squads enroll --role NAME; where the root key is: squads enroll REQUEST"
        )
    if request is not None:
        return asyncio.run(_register(request, keys, root, store or default_store(), as_json=as_json))
    return _ask(roles, trust, keys, store, as_json=as_json)


def _ask(roles: list[str], trust: Path | None, keys: Path | None, store: Place | None, *, as_json: bool) -> int:
    known = trust_at(trust, store)
    named = [name for name in roles if ":" not in name]  # `gate:schema` says itself what it is, where no card does
    wanted = [role for role in roles if ":" in role]
    if named:
        wanted += spoken(chosen(project_here(), named)).values()
    path = keys_of(known, keys) / WORKER_KEY
    workspace = workspace_in(known)
    signers = worker_signers(load_or_create(path), workspace, dict.fromkeys(wanted))
    asked = request_line(signers, workspace, now_ms=SystemClock().now_ms())
    if as_json:
        data = {"request": asked, "roles": sorted(signers), "key": str(path), "exit_code": 0}
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    # The line alone on standard output, so that it can be piped; the words beside it.
    sys.stderr.write(
        f"This asks for {', '.join(sorted(signers))}. The key stays in {path}.\n"
        "Give the line below to whoever holds the root key: squads enroll LINE\n"
    )
    sys.stdout.write(asked + "\n")
    return 0


async def _register(given: str, keys: Path | None, root: Path | None, store: Place, *, as_json: bool) -> int:
    async with Desk.open(store, keys=keys, root=root) as desk:
        workspace = desk.workspace
        await workspace.refresh()
        now_ms = workspace.clock.now_ms()
        project = project_for()
        known = {*roles_registered(workspace), *(spoken(servable(project)).values() if project else ())}
        request = read_request(given, workspace=workspace.id, known=known, now_ms=now_ms)
        standing = standing_of(workspace, request)
        if not as_json:
            _print_plan(request, standing, now_ms)
        done = await enrol(workspace, request)
    if as_json:
        registered = [{"role": one.role, "key": one.key, "registered_now": one.fresh} for one in done]
        sys.stdout.write(json.dumps({"workspace": request.workspace, "keys": registered, "exit_code": 0}) + "\n")
        return 0
    out = show.console()
    if any(one.fresh for one in done):
        out.print(Text("Registered, signed by the root.", style="bold green"))
        line(
            out, f"While a runner is running, the roster carries it to every machine within {LOOK_SECONDS:.0f} seconds."
        )
    else:
        out.print(Text("Nothing to do: these keys were registered before.", style="yellow"))
    return 0


def _print_plan(request: Enrolment, standing: list[Enrolled], now_ms: int) -> None:
    out = show.console()
    out.print(Text(f"A worker asked {when(request.issued_ms, now_ms)} to speak in workspace {request.workspace} as:"))
    for one in standing:
        line(out, (f"{one.role:<24}", "bold"), f" key {one.key[:16]}{'' if one.fresh else ' (registered before)'}")
