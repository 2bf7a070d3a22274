"""Starts a command with a small disk under one folder: a tmpfs that only the command sees and that goes with it.

    python small_disk.py FOLDER MEGABYTES COMMAND ...

Where the system lets this user mount nothing, no file of the command may grow over a quarter of that instead: writing
then fails with another number of error, and for the same reason. It imports nothing but the standard library.
`make_room` is for the test that started it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

_NEWNS, _NEWUSER, _REC, _PRIVATE = 0x00020000, 0x10000000, 0x4000, 0x40000
_PDEATHSIG, _SIGKILL = 1, 9


def main() -> None:
    """Put up the disk, and become the command."""
    folder, megabytes, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    if not mounted(libc, folder, megabytes):
        # Python ignores SIGXFSZ, and so does what it becomes: writing fails instead of ending it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes * 2**18, resource.RLIM_INFINITY))
    libc.prctl(_PDEATHSIG, ctypes.c_ulong(_SIGKILL))  # a change of namespaces has taken it away
    os.execvp(command[0], command)


def mounted(libc: ctypes.CDLL, folder: str, megabytes: int) -> bool:
    """Mount a tmpfs for this process alone; False where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEWNS):
        if libc.unshare(_NEWNS | _NEWUSER):
            return False
        try:
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
                Path("/proc/self", name).write_text(text)
        except OSError:
            return False
    private = not libc.mount(b"none", b"/", None, ctypes.c_ulong(_REC | _PRIVATE), None)
    size = f"size={megabytes}m".encode()
    return private and not libc.mount(b"none", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(0), size)


def fill(pid: int, folder: Path) -> None:
    """Leave no room on the disk of a command."""
    if Path(f"/proc/{pid}/mountinfo").read_text().count(f" {folder} "):
        with Path(f"/proc/{pid}/root{folder}/filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4_096)
            except OSError:
                return


def make_room(pid: int, folder: Path) -> None:
    """Make room again."""
    Path(f"/proc/{pid}/root{folder}/filler").unlink(missing_ok=True)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
