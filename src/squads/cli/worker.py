"""`squads worker`: roles of this project in a process of their own, over a bus, until it is told to stop.

It has no ledger: what is stopped and whom to believe it learns from the roster. The first SIGTERM or SIGINT drains, a
second one ends at once; what was in hand is then given to others when this worker's heartbeat is missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from squads.adapters.health_server import HealthServer, place_of
from squads.adapters.keys import load
from squads.adapters.system import SystemClock
from squads.cli.gate import default_store
from squads.cli.hosted import chosen, project_here, spoken, trust_at
from squads.cli.show import one_line
from squads.cli.worker_log import check_form, log_to
from squads.contracts.errors import InvalidInput, KeyUnavailable
from squads.custody import daemon_signers
from squads.enrolment import WORKER_KEY, worker_signers
from squads.host import Host, HostParts, shared_signers
from squads.kernel.ports import Signer
from squads.ledger.trust import Trust
from squads.resolve import record_of_role
from squads.roster import RosterBook, workspace_in
from squads.stores import Place, keys_of

log = logging.getLogger("squads.worker")
SIGNINGS = ("shared", "own")


@dataclass(frozen=True, slots=True)
class Serving:
    """What `squads worker` was asked for."""

    roles: list[str]
    bus: str | None
    slots: int
    grace: float
    health: str | None
    log: str
    trust: Path | None
    keys: Path | None
    signing: str
    store: Place | None
    dead_after: float = 15.0
    signer: Path | None = None


def serve_here(asked: Serving) -> int:
    """Serve until told to stop, and return 0 after the drain. Raises what cannot be done before anything is begun."""
    check_form(asked.log)
    if asked.signing not in SIGNINGS:
        raise InvalidInput(
            f"{asked.signing!r:.40} is no way to sign; write --signing {' or --signing '.join(SIGNINGS)}"
        )
    if not asked.bus:
        raise InvalidInput("say where the bus is: --bus redis://HOST:PORT, or SQUADS_BUS in the environment")
    if asked.health is not None:
        place_of(asked.health)
    project = project_here()
    roles = chosen(project, asked.roles)
    trust = trust_at(asked.trust, asked.store)
    store = asked.store or default_store()
    hidden = [where for where in (store, asked.trust and asked.trust.parent) if isinstance(where, Path)]
    model, sandbox = project.hosted(list(roles.values()), hidden=hidden)
    records = {name: record_of_role(role, model) for name, role in roles.items()}
    signers = _signers(asked, trust, spoken(roles))
    log_to(asked.log)
    book = RosterBook(trust, clock=SystemClock())

    def host_of(parts: HostParts) -> Host:
        return Host(
            parts,
            roles,
            records=records,
            signers=signers,
            book=book,
            model=model,
            sandbox=sandbox,
            slots=asked.slots,
        )

    async def run() -> int:
        from squads.buses import BusSettings, Signing, worker_parts

        try:
            async with worker_parts(
                BusSettings(
                    url=asked.bus or "", signing=cast("Signing", asked.signing), dead_after_seconds=asked.dead_after
                ),
                trust=trust,
                roles=spoken(roles),
                signers=signers,
                book=book,
                keys=asked.keys,
            ) as parts:
                return await _serve(asked, host_of(parts), parts.label)
        finally:
            if model is not None:
                await model.close()

    return asyncio.run(run())


def _signers(asked: Serving, trust: Trust, roles: dict[str, str]) -> dict[str, Signer]:
    """Return the signers of roles by name: a daemon's, the workspace's own, or this worker's."""
    if asked.signer is not None:
        held = daemon_signers(asked.signer, roles.values())
        return {name: held[role] for name, role in roles.items()}
    if asked.signing == "shared":
        return shared_signers(trust, {name: role.partition(":")[0] for name, role in roles.items()}, asked.keys)
    path = keys_of(trust, asked.keys) / WORKER_KEY
    if not path.exists():
        named = " ".join(f"--role {name}" for name in roles)
        raise KeyUnavailable(
            f"this worker has no key in {path}; run `squads enroll {named}` here, and give its line to whoever holds "
            "the root key"
        )
    own = worker_signers(load(path), workspace_in(trust), roles.values())
    return {name: own[role] for name, role in roles.items()}


async def _serve(asked: Serving, host: Host, label: str) -> int:
    stop = asyncio.Event()
    undo = _stop_on_signals(stop)
    server = None if asked.health is None else HealthServer(asked.health, host.pages)
    try:
        if server is not None:
            await server.start()
            log.info("health is served on port %d", server.port)
        left = await host.serve(stop, grace_seconds=asked.grace, ready=lambda: _say_ready(asked, host, label))
        _say(
            asked,
            {"drained": True, "answered": host.answered, "given_back": left},
            f"drained: {host.answered} answered, {left} given back",
        )
        return 0
    finally:
        undo()
        if server is not None:
            await server.close()


def _say_ready(asked: Serving, host: Host, label: str) -> None:
    names = list(dict.fromkeys(asked.roles))
    workspace = workspace_in(host.book.trust)
    words = f"ready: serving {', '.join(names)} of workspace {workspace} over {label}, {asked.signing} keys"
    _say(asked, {"ready": True, "roles": names, "workspace": workspace, "bus": label, "signing": asked.signing}, words)


def _say(asked: Serving, data: dict[str, Any], words: str) -> None:
    sys.stdout.write((json.dumps(data) if asked.log == "json" else one_line(words)) + "\n")
    sys.stdout.flush()


def _stop_on_signals(stop: asyncio.Event) -> Callable[[], None]:
    """Set `stop` on the first SIGTERM or SIGINT and end the process on the second; return what undoes this."""
    loop = asyncio.get_running_loop()

    def told(number: int) -> None:
        if stop.is_set():
            # As if nobody had ever caught it: whoever sent it sees that it was obeyed.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.set()
        log.info("told to stop: finishing what is under way; once more ends at once")

    caught = []
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, told, number)
            caught.append(number)
        except (RuntimeError, ValueError):  # no signals on this system, or not in the main thread
            log.debug("signal %d cannot be caught here", number)

    def undo() -> None:
        for number in caught:
            loop.remove_signal_handler(number)

    return undo
