"""`squads signer`: keeps private keys in a process of its own and signs over a Unix socket, until it is told to end."""

from __future__ import annotations

import logging
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from squads.contracts.errors import InvalidInput

if TYPE_CHECKING:
    from squads.adapters.signer_daemon import SignerDaemon
    from squads.adapters.signer_rules import AllowList

ALLOW_BYTES_MAX = 1024 * 1024
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="RULE|FILE",
        help="Who may use which key: `uid=1001:gate:schema,gate:style`, or a file of such lines.",
    ),
]


def signer(
    keys: Annotated[Path, typer.Option(metavar="DIR", help="Where this signer's private keys and their state are.")],
    socket: Annotated[Path, typer.Option(metavar="PATH", help="Where it listens: a socket in a directory of its own.")],
    allow: Allow = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The workspace's trust.json; then nothing of another one is signed."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="NAME", help="A group whose users may connect as well; the socket gets 0660.")
    ] = None,
    new_state: Annotated[
        bool, typer.Option("--new-state", help="Begin to count for keys that no signer daemon has signed with.")
    ] = False,
    let_log_back: Annotated[
        bool,
        typer.Option("--let-log-back", help="Once: sign a checkpoint below the newest, after a commit that failed."),
    ] = False,
) -> None:
    """Keep private keys in this process and sign over a Unix socket what each of them may say. SIGTERM ends it."""
    raise typer.Exit(
        keep(keys, socket, allow or [], trust, group=group, new_state=new_state, let_log_back=let_log_back)
    )


def keep(
    keys: Path,
    socket: Path,
    allow: list[str],
    trust: Path | None,
    *,
    group: str | None,
    new_state: bool,
    let_log_back: bool,
) -> int:
    """Serve until SIGTERM or SIGINT, and return 0. Raises what cannot be done before anything is begun."""
    import asyncio

    from squads.adapters.signer_daemon import SignerDaemon

    rules = allow_list(allow)
    members = None if group is None else _group(group)
    origin = None if trust is None else _origin(trust)
    logging.getLogger("squads.signer").setLevel(logging.INFO)
    daemon = SignerDaemon(keys, rules, origin=origin, new_state=new_state, let_log_back=let_log_back)
    try:
        asyncio.run(_serve(daemon, socket, members))
    finally:
        daemon.close()
    return 0


async def _serve(daemon: SignerDaemon, socket: Path, group: int | None) -> None:
    import asyncio

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def ready() -> None:
        for role, public in daemon.public_keys.items():
            sys.stdout.write(f"{role} {public.hex()}\n")
        sys.stdout.write(f"ready: signing at {socket}\n")
        sys.stdout.flush()

    await daemon.serve(socket, stop, group=group, ready=ready)


def allow_list(given: list[str]) -> AllowList:
    """Return the rules of `--allow`, given as they are or in files. Raises `InvalidInput`."""
    from squads.adapters.signer_rules import AllowList

    lines: list[str] = []
    for item in given:
        lines += [item] if item.startswith("uid=") else _lines(Path(item))
    if not lines:
        raise InvalidInput("say who may use which key: --allow uid=1001:gate:schema, or --allow FILE with such lines")
    return AllowList.parse(lines)


def _lines(path: Path) -> list[str]:
    """Return the lines of an allow-list, which nobody else may write: it says who signs."""
    import os

    from squads.adapters.private_files import open_private

    try:
        descriptor = open_private(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidInput(f"the allow-list {path} cannot be opened: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in (os.geteuid(), 0):
            raise InvalidInput(f"the allow-list {path} must be a plain file of this user alone; run `chmod 600 {path}`")
        content = os.read(descriptor, ALLOW_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    try:
        if len(content) > ALLOW_BYTES_MAX:
            raise InvalidInput(f"the allow-list {path} is longer than {ALLOW_BYTES_MAX:,} bytes")
        return content.decode().splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the allow-list {path} is no text") from error


def _group(name: str) -> int:
    import grp

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise InvalidInput(f"there is no group {name!r} here; `getent group` lists them") from error


def _origin(path: Path) -> str:
    from squads.cli.hosted import trust_at

    return trust_at(path, None).origin


def add_to(app: typer.Typer) -> None:
    """Add this command to the others."""
    app.command()(signer)
