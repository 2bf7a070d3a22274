"""A lock between processes, held by the kernel and freed when its holder dies.

SQLite's own waiting starves some of several writers; turns taken at this lock do not. It must never be waited for
without end: a stopped process that holds it would stop all others unseen.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from squads.adapters.private_files import open_private
from squads.contracts.errors import StorageUnavailable

LOCK_WAIT_MS: Final = 30_000
_POLL_SECONDS: Final = 0.0005


class FileLock:
    """An exclusive `flock` on one file. Two objects exclude each other, also within one process."""

    def __init__(self, path: Path, *, wait_ms: int = LOCK_WAIT_MS) -> None:
        """Open or create the lock file, mode 0600. Raises `OSError`."""
        self._path = path
        self._wait_ms = wait_ms
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock inside the block. Raises `StorageUnavailable` if others keep it for `wait_ms`."""
        self._take()
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file; the file itself stays, or two processes could lock two files of one name."""
        os.close(self._descriptor)

    def _take(self) -> None:
        # Polling, because a blocking flock knows no time limit. The pause is short against a durable commit, so
        # that a busy holder's next turn does not always come first.
        deadline = 0.0
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                now = time.monotonic()
                deadline = deadline or now + self._wait_ms / 1000
                if now >= deadline:
                    raise StorageUnavailable(
                        f"another process has held {self._path} for {self._wait_ms} ms; find it with "
                        f"`fuser {self._path}`, end it if it hangs, and retry"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return
