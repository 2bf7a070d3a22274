"""The process between us and a PostgreSQL server of our own: it starts the server, and ends it when we end or die.

`postgres_programs` runs this file as a script of its own, so it imports nothing but a little of the standard library.
Its arguments are a folder to remove at the end, the number of the user to run as (0: as whoever we are), and the
server's command. It says the server's process id on standard output; standard input stays open as a leash: when it
ends, because whoever wanted the server ended, also by SIGKILL, the server is stopped at once and the folder removed.
When the server ends first, so does this, and the folder stays for a restart.
"""

from __future__ import annotations

import os
import select
import signal
import sys

_PDEATHSIG = 1


def main() -> int:
    """Serve until the leash or the server ends; return 0 unless the server ended by itself with an error."""
    folder, user, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    supervisor = os.getpid()
    server = os.fork()
    if not server:
        _become(command, user, supervisor)
    os.write(1, f"{server}\n".encode())
    os.close(1)
    ears = select.poll()
    ears.register(0, select.POLLIN | select.POLLHUP)
    ears.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in ears.poll():
            if descriptor != woken:
                # Its immediate stop, which also removes the shared memory that a SIGKILL would leave in the system.
                os.kill(server, signal.SIGQUIT)
                os.waitpid(server, 0)
                _remove(folder)
                return 0
            os.read(woken, 512)
            ended, status = os.waitpid(server, os.WNOHANG)
            if ended:
                return max(0, os.waitstatus_to_exitcode(status))


def _become(command: list[str], user: int, supervisor: int) -> None:
    """Turn the child into the server; never return."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        libc = None
        if sys.platform == "linux":
            # The leash cannot speak for a supervisor that was itself killed; the kernel can. Loaded here, for the
            # other user may not be able to read this interpreter's files.
            import ctypes

            libc = ctypes.CDLL(None)
            death = ctypes.c_ulong(signal.SIGQUIT)
        if user:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        if libc is not None:  # after the change of user, which takes such a wish back
            libc.prctl(_PDEATHSIG, death)
            if os.getppid() != supervisor:
                os._exit(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os._exit(main())
