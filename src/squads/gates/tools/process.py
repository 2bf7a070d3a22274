"""Runs one command so that it can hold nobody up: its time and its output are bounded, and all it started is killed.

The command gets an argument list, never a shell; no standard input; an environment of its own, so that no secret of the
parent reaches it; and a process group of its own, which is killed whole when it ends, runs late, or is cancelled. It is
not a sandbox: a tool has the rights of its user, and is trusted as far as whoever names it trusts it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from squads.gates.check import CannotLook

COMPLAINT_BYTES_MAX = 64 * 1024
"""How much of standard error is kept; the rest is read and dropped."""
DRAIN_SECONDS = 2.0
"""How long output may still come once the command has ended and its group is killed."""
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    exit_code: int
    """Negative: the signal that ended it."""
    output: bytes
    complaints: bytes
    """Standard error, up to `COMPLAINT_BYTES_MAX`."""


def search_path() -> str:
    """Return where commands are looked for: beside this Python first, then PATH, absolute folders only.

    A relative folder would be looked for in the artifact's own files.
    """
    folders = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(f for f in folders if Path(f).is_absolute()))


def minimal_environment(home: Path, temporary: Path, passed: Sequence[str] = ()) -> dict[str, str]:
    """Return what a tool's environment holds: nothing of the parent's but PATH and the names in `passed`."""
    return {
        "PATH": search_path(),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "NO_COLOR": "1",
        # Python tools: import nothing from the artifact, and warn about none of its source on standard error.
        "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "ignore",
        **{name: os.environ[name] for name in passed if name in os.environ},
    }


async def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout_seconds: float,
    output_bytes_max: int,
) -> Ran:
    """Run a command to its end. Raises `CannotLook` when it cannot start, runs late, or writes too much."""
    loop = asyncio.get_running_loop()
    output, complaints = _Reader(output_bytes_max, strict=True), _Reader(COMPLAINT_BYTES_MAX, strict=False)
    process: asyncio.subprocess.Process | None = None
    waiting: asyncio.Task[int] | None = None
    killed = False
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.writing,
                stderr=complaints.writing,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise CannotLook(f"{command[0]} cannot be started: {error}") from None
        finally:
            output.hand_over(loop)
            complaints.hand_over(loop)
        waiting = asyncio.ensure_future(process.wait())
        await asyncio.wait((waiting, output.overflown), timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        if output.overflown.done():
            raise CannotLook(f"{command[0]} wrote more than {output_bytes_max} bytes, so its answer was not read")
        if not waiting.done():
            raise CannotLook(f"{command[0]} was not done after {timeout_seconds:g} seconds and was killed")
        _kill_group(process.pid)  # what it left running holds the pipes open, and has no business here
        killed = True
        ends = (output.ended, complaints.ended)
        await asyncio.wait(ends, timeout=DRAIN_SECONDS)
        if output.overflown.done():
            raise CannotLook(f"{command[0]} wrote more than {output_bytes_max} bytes, so its answer was not read")
        if not all(end.done() for end in ends):
            raise CannotLook(f"{command[0]} left a process behind that still writes, so its answer has no end")
        return Ran(exit_code=waiting.result(), output=bytes(output.kept), complaints=bytes(complaints.kept))
    finally:
        output.close()
        complaints.close()
        if process is not None and waiting is not None and not killed:
            _kill_group(process.pid)
            # Not to be cancelled a second time: a child that nobody waits for stays behind as a zombie.
            await asyncio.shield(waiting)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class _Reader:
    """One pipe, read as it fills. It is ours, not the process's, so it can be closed while somebody still holds it."""

    def __init__(self, bytes_max: int, *, strict: bool) -> None:
        loop = asyncio.get_running_loop()
        self.kept = bytearray()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.overflown: asyncio.Future[None] = loop.create_future()
        self._bytes_max = bytes_max
        self._strict = strict
        self._loop = loop
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._open = True

    def hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close our copy of the writing end, and begin to read."""
        os.close(self.writing)
        loop.add_reader(self._reading, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._reading, _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        room = self._bytes_max - len(self.kept)
        self.kept += chunk[:room]
        if len(chunk) > room and self._strict:
            self.overflown.set_result(None)
        if not chunk or (len(chunk) > room and self._strict):
            self.ended.set_result(None)
            self.close()

    def close(self) -> None:
        """Stop reading. A second time does nothing."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._reading)
            os.close(self._reading)
