"""An anchor in a file that is only ever added to: on another disk, of another owner, or under `chattr +a`.

Each note is on the medium when `put` returns. The file is opened anew for every note and never truncated, moved or
read as truth. Where somebody took it away nothing is anchored: a new one in its place would hide that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from squads.adapters.anchor_notes import by_size
from squads.adapters.checkpoint_file import CheckpointFile, read_checkpoint_file
from squads.adapters.private_files import sync_directory
from squads.contracts.errors import InvalidInput, StorageUnavailable

_T = TypeVar("_T")


class FileAnchor:
    """An `Anchor` in one file; processes and workspaces may share it."""

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        """Keep notes in the file at `path`, whose directory is there already.

        Args:
            path: An absolute path on a disk or of an owner that the ledger's writer does not command.
            create: False where the file was made before: then a missing one is an error, not a fresh start.
        """
        self._path = Path(path)
        if not self._path.is_absolute():
            raise InvalidInput(f"{path!s:.200} is no absolute path; an anchor must be found from wherever one starts")
        self._create = create
        # A thread of its own: a disk that hangs must not hold up whatever else this process does in threads.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="squads-anchor-file")
        self._closed = False

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    def __repr__(self) -> str:
        return f"FileAnchor({self.name!r})"

    async def put(self, note: str) -> None:
        """Add the note as a line; it is on the medium when this returns. Raises `StorageUnavailable`."""
        await self._in_thread(lambda: self._put(note))

    async def notes(self, *, since: int = 0) -> list[str]:
        """Return the notes in the file, fewest receipts first. Raises `StorageUnavailable`."""
        return await self._in_thread(lambda: self._notes(since))

    async def check(self) -> None:
        """Make the file where it may be made, and see that it can be read and added to. Raises `StorageUnavailable`."""
        await self._in_thread(lambda: self._opened().close())

    async def close(self) -> None:
        """End the thread. Closing twice is no error."""
        self._closed = True
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise StorageUnavailable(f"the anchor {self.name} was closed; open it again")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise StorageUnavailable(
                f"the anchor {self.name} cannot be used: {error.strerror or error}; nothing was anchored there"
            ) from error

    def _put(self, note: str) -> None:
        file = self._opened()
        try:
            file.append(note, shared=True)
        finally:
            file.close()  # syncs

    def _notes(self, since: int) -> list[str]:
        if not self._path.is_file():
            self._check_missing()
            return []
        return by_size(read_checkpoint_file(self._path), since=since)

    def _opened(self) -> CheckpointFile:
        if self._path.exists():
            return CheckpointFile(self._path)
        self._check_missing()
        made = CheckpointFile(self._path)
        sync_directory(self._path.parent)
        return made

    def _check_missing(self) -> None:
        # No directory is made: where a disk is not mounted, the file would land on the very disk it must not be on.
        if not self._path.parent.is_dir():
            raise StorageUnavailable(f"the directory of the anchor {self.name} is not there; mount it, or make it")
        if not self._create:
            raise StorageUnavailable(
                f"the anchor {self.name} was there and is gone: find out who took it away; `squads anchors remove` and "
                "`squads anchors add` begin a new one"
            )
