"""Runs commands as processes of this machine, kept in by whatever its kernel gives to a user without rights.

Every limit is set by a small process between us and the command, see `sandbox_supervisor`; here its time and its
output are watched from outside, so that a supervisor that hangs holds nobody up either.

What it does not protect from, whatever `enforces` says: a command reads every file that this user may read, but for
what is hidden; it may change modes and times of this user's files; it may connect to sockets that lie in the file
system; it may fill the disk with many files, each within its bound; and a hole in the kernel is a way out. For code of
strangers use a machine of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from squads.adapters.keys import keys_home
from squads.contracts.errors import InvalidInput, SandboxUnavailable
from squads.kernel.model_ports import Bound, Ran
from squads.minds.folder import remove_tree

GRACE_SECONDS = 5.0
"""How long the supervisor may take to end everything; then it is killed, and everything in its namespace with it."""
_SUPERVISOR = Path(__file__).with_name("sandbox_supervisor.py")
_LAYERS: tuple[Bound, ...] = ("memory", "processes", "network", "files")
_PROBE_BYTES = 64 * 1024**2
_STATUS_BYTES_MAX = 65_536
_SECRETS = (".ssh", ".gnupg", ".aws", ".azure", ".config", ".docker", ".kube", ".netrc", ".git-credentials", ".pypirc")


class ProcessSandbox:
    """The port `Sandbox` on processes of this machine. One object serves any number of commands at once."""

    def __init__(self, *, hidden: Iterable[Path | str] = (), processes_max: int = 128) -> None:
        """Make one; nothing is started yet.

        Args:
            hidden: Folders and files that commands shall find empty, beside squads' keys and where people usually keep
                theirs (`~/.ssh`, `~/.config` and their like). It holds where `enforces` has "processes".
            processes_max: How many processes and threads one command may have at once.
        """
        if processes_max < 1:
            raise InvalidInput(f"processes_max is {processes_max}; a command needs at least 1")
        self._hidden = tuple(dict.fromkeys(_real(path) for path in hidden))
        self._processes_max = processes_max

    @property
    def enforces(self) -> frozenset[Bound]:
        """The limits that hold on this machine. Tried out once per process, which takes about a fifth of a second."""
        return _probed()

    async def run(
        self,
        command: Sequence[str],
        *,
        folder: str,
        seconds_max: float,
        memory_bytes_max: int = 2 * 1024**3,
        output_bytes_max: int = 1024**2,
        file_bytes_max: int = 64 * 1024**2,
        environment: Mapping[str, str] = MappingProxyType({}),
        network: bool = False,
    ) -> Ran:
        """Run program and arguments in `folder`; see the port. Safe to call from any number of tasks."""
        _check(command, environment)
        layers = set(await asyncio.to_thread(_probed)) - {"time", "output"}
        if network:
            layers.discard("network")
        inside = _real(folder)
        if any(os.path.commonpath([path, inside]) == path for path in self._hidden):
            raise SandboxUnavailable(
                "a command was to run in a folder that is hidden from commands; it was not started"
            )
        try:
            temporary = await asyncio.to_thread(tempfile.mkdtemp, prefix=".tmp-", dir=inside)
        except OSError as error:
            raise InvalidInput(f"the folder of a command cannot be used: {error.strerror}") from None
        order = {
            "command": list(command),
            "folder": inside,
            "environment": {**_environment(inside, temporary), **environment},
            "layers": sorted(layers),
            "hidden": [*self._hidden, *_secrets(inside)],
            "seconds_max": seconds_max,
            "memory_bytes_max": memory_bytes_max,
            "file_bytes_max": file_bytes_max,
            "processes_max": self._processes_max,
        }
        try:
            return await _run(order, seconds_max=seconds_max, output_bytes_max=output_bytes_max)
        finally:
            # Shielded: it goes on when we are cancelled once more, and what could have written there has ended.
            await asyncio.shield(asyncio.to_thread(remove_tree, temporary))


async def _run(order: dict[str, Any], *, seconds_max: float, output_bytes_max: int) -> Ran:
    loop = asyncio.get_running_loop()
    begun = time.monotonic()
    watched: _Watched
    transport, watched = await loop.subprocess_exec(
        lambda: _Watched(output_bytes_max),
        *_supervisor(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={},
        start_new_session=True,
    )
    late = False
    try:
        cast("asyncio.WriteTransport", transport.get_pipe_transport(0)).write(json.dumps(order).encode() + b"\n")
        ends = (watched.exited, watched.overflown)
        done, _ = await asyncio.wait(ends, timeout=seconds_max + GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        late = not done
    finally:
        try:
            await _let_go(transport, watched)
        finally:
            _kill_group(transport.get_pid(), watched)  # also when we are cancelled once more
            transport.close()
    wait_ms = int((time.monotonic() - begun) * 1_000)
    output = bytes(watched.output)
    if watched.overflown.done():
        return Ran(exit_code=None, output=output, ended="output", wait_ms=wait_ms)
    if late:
        return Ran(exit_code=None, output=output, ended="time", wait_ms=wait_ms)
    return _read(bytes(watched.status), order["command"][0], output, wait_ms)


async def _let_go(transport: asyncio.SubprocessTransport, watched: _Watched) -> None:
    """Drop the leash, and wait until the supervisor has ended everything, and nobody holds its pipes any more.

    Without namespaces a process may have escaped it and hold them still: then nobody waits for more output.
    """
    leash = transport.get_pipe_transport(0)
    if leash is not None:
        leash.close()
    await asyncio.wait((watched.ended,), timeout=GRACE_SECONDS)
    if not watched.exited.done():
        _kill_group(transport.get_pid(), watched)
        await asyncio.wait((watched.exited,), timeout=GRACE_SECONDS)


def _kill_group(group: int, watched: _Watched) -> None:
    """Kill what did not end by itself. A supervisor that has ended is left alone: its id may be another's by now."""
    if not watched.exited.done():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _read(status: bytes, program: str, output: bytes, wait_ms: int) -> Ran:
    try:
        said: dict[str, Any] = json.loads(status)
    except ValueError:
        raise SandboxUnavailable("the sandbox ended without a word, as when the machine is out of memory") from None
    if "command" in said:
        raise InvalidInput(f"{program!r} cannot be started: {said['command']}; check its name and its mode")
    if "sandbox" in said:
        raise SandboxUnavailable(f"the sandbox cannot be put up: {said['sandbox']}; the command was not started")
    return Ran(exit_code=said["exit_code"], output=output, ended=said["ended"], wait_ms=wait_ms)


class _Watched(asyncio.SubprocessProtocol):
    """What the supervisor (on its standard output) and the command (on its standard error) have said so far."""

    def __init__(self, output_bytes_max: int) -> None:
        loop = asyncio.get_running_loop()
        self.output = bytearray()
        self.status = bytearray()
        self.overflown: asyncio.Future[None] = loop.create_future()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        """Set when the supervisor has exited and nobody holds its pipes any more."""
        self._bytes_max = output_bytes_max
        self._open = {1, 2}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what there is room for."""
        kept, most = (self.status, _STATUS_BYTES_MAX) if fd == 1 else (self.output, self._bytes_max)
        room = most - len(kept)
        kept += data[:room]
        if fd == 2 and len(data) > room and not self.overflown.done():
            self.overflown.set_result(None)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Note which pipe has ended."""
        self._open.discard(fd)
        self._look()

    def process_exited(self) -> None:
        """Note that the supervisor has ended."""
        if not self.exited.done():
            self.exited.set_result(None)
        self._look()

    def _look(self) -> None:
        if self.exited.done() and not self._open and not self.ended.done():
            self.ended.set_result(None)


# --- what a command is given ------------------------------------------------------------------------------------------


def _check(command: Sequence[str], environment: Mapping[str, str]) -> None:
    if isinstance(command, str) or not command or not command[0]:
        raise InvalidInput("a command is a list of a program and its arguments, and the program has a name")
    for text in (*command, *environment, *environment.values()):
        try:
            whole = b"\0" not in os.fsencode(text)
        except UnicodeEncodeError:
            whole = False
        if not whole:
            raise InvalidInput(f"{text[:80]!r} holds a NUL or half a character; no program can be given that")
    if any("=" in name or not name for name in environment):
        raise InvalidInput("the name of an environment variable is empty or has a '='; correct it")


def _environment(folder: str, temporary: str) -> dict[str, str]:
    # Beside this Python first, then PATH; absolute folders only, for a relative one would lie in the command's folder.
    folders = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    path = os.pathsep.join(dict.fromkeys(f for f in folders if os.path.isabs(f)))  # noqa: PTH117
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": temporary}


def _secrets(folder: str) -> list[str]:
    """Return where keys are kept, but for what the command needs: its own folder, and this Python."""
    found: dict[str, None] = {}
    needed = [folder, *(_real(path) for path in (sys.prefix, sys.base_prefix, sys.executable))]
    with suppress(RuntimeError):  # a user without a home keeps nothing there
        found.update((_real(path), None) for path in (keys_home(), *(Path.home() / name for name in _SECRETS)))
    return [path for path in found if not any(os.path.commonpath([path, other]) == path for other in needed)]


def _real(path: Path | str) -> str:
    return os.path.realpath(path)


# --- what holds here --------------------------------------------------------------------------------------------------


def _supervisor() -> tuple[str, ...]:
    # Isolated and without site: nothing that lies around decides what this process imports.
    return (sys.executable, "-I", "-S", str(_SUPERVISOR))


@cache
def _probed() -> frozenset[Bound]:
    """Put every layer up for real, one more each time, and keep those that could be."""
    held: set[Bound] = {"time", "output"}
    layers: list[Bound] = []
    with tempfile.TemporaryDirectory(prefix="squads-") as folder:
        for layer in _LAYERS:
            order = {
                "command": [],
                "folder": _real(folder),
                "environment": {},
                "layers": [*layers, layer],
                "hidden": _secrets(_real(folder)),
                "seconds_max": 5.0,
                "memory_bytes_max": _PROBE_BYTES,
                "file_bytes_max": _PROBE_BYTES,
                "processes_max": 8,
            }
            if _works(order):
                layers.append(layer)
    return frozenset(held | set(layers))


def _works(order: dict[str, Any]) -> bool:
    try:
        with subprocess.Popen(
            _supervisor(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", env={}
        ) as process:
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.flush()  # and held open: its end would mean to give up
                return process.wait(timeout=10) == 0
            except (subprocess.TimeoutExpired, BrokenPipeError):
                process.kill()
                return False
    except OSError:
        return False
