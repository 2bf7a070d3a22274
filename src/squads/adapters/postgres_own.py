"""The library's own scratch server: on a Unix socket in a private folder, without a port, gone with this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Final
from urllib.parse import quote

from squads.adapters.postgres_programs import SUPERUSER, begun, let_go, made

_SOCKET_BYTES_MAX = 107 - len("/.s.PGSQL.5432")
_SETTINGS: Final = {
    # Nothing here has to outlive a crash.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_parallel_workers_per_gather": "0",
    "temp_file_limit": "256MB",
    "scram_iterations": "1",
    "log_min_messages": "fatal",
    "logging_collector": "off",
}


_MEMORY = "/dev/shm"  # noqa: S108
_MEMORY_BYTES_MIN = 2 * 1024**3


def _roomy() -> str | None:
    """Return the folder that lives in memory, where it has room: databases are made there several times as quickly."""
    try:
        free = os.statvfs(_MEMORY)
    except OSError:
        return None
    roomy = free.f_bavail * free.f_frsize >= _MEMORY_BYTES_MIN
    return _MEMORY if roomy and os.access(_MEMORY, os.W_OK | os.X_OK) else None


class OwnPostgres:
    """A server that is started when its URL is first asked for."""

    def __init__(self, *, otherwise: str) -> None:
        """Start nothing yet. `otherwise` is the variable that names a server to use instead, for errors."""
        self._otherwise = otherwise
        self._lock = Lock()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def url(self) -> str:
        """Return where it is, for asyncpg; start it where it does not run. Raises `ScratchUnavailable`."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._start()
            return self._url

    def close(self) -> None:
        """End it and remove its folder. Closing twice is no error."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="squads-scratch-", dir=_roomy()))
        if len(bytes(self._folder)) > _SOCKET_BYTES_MAX:  # as on systems with long names for temporary folders
            self._folder.rmdir()
            self._folder = Path(tempfile.mkdtemp(prefix="squads-scratch-", dir="/tmp"))
        password = token_hex(16)
        try:
            made(self._folder, password, _SETTINGS, otherwise=self._otherwise)
            options = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={self._folder}")
            self._process, _ = begun(
                self._folder, (*options, "-c", "unix_socket_permissions=0700"), otherwise=self._otherwise
            )
        except BaseException:
            self._end()
            raise
        self._url = f"postgresql://{SUPERUSER}:{password}@/postgres?host={quote(str(self._folder))}&port=5432"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            let_go(process, at_once=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
