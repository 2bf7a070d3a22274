"""Content as files named by their digest: easy to look at, to copy, and to erase one by one.

It must never show a half-written file under a digest, nor a file to other users.
"""

from __future__ import annotations

import asyncio
import os
import re
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from squads.adapters.private_files import make_private_directory, open_private, sync_directory
from squads.contracts.errors import BlobBroken, BlobMissing, StorageUnavailable

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class FilesBlobs:
    """A `BlobStore` under one directory: `ab/abcdef…`, mode 0600, directories 0700."""

    def __init__(self, directory: str | Path) -> None:
        """Use `directory`, and make it when the first content comes."""
        self._directory = Path(directory)

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` durably: written aside, synced, then renamed. Raises `StorageUnavailable`.

        Files stand here in the clear, and `subject` is not kept: whoever must erase, erases by digest.
        """
        return await asyncio.to_thread(self._put, bytes(content))

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` or `BlobBroken`."""
        return await asyncio.to_thread(self._get, digest)

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest."""
        path = self._path(digest)
        return path is not None and await asyncio.to_thread(path.is_file)

    async def erase(self, digest: str) -> bool:
        """Remove the file; True when there was one. The medium may keep its blocks until they are reused."""
        return await asyncio.to_thread(self._erase, digest)

    def _path(self, digest: str) -> Path | None:
        # Only a digest becomes a path, so nothing climbs out of the directory.
        if _DIGEST.fullmatch(digest) is None:
            return None
        return self._directory / digest[:2] / digest

    def _put(self, content: bytes) -> str:
        digest = sha256(content).hexdigest()
        path = self._directory / digest[:2] / digest
        aside = path.with_name(f".{digest}.{token_hex(8)}")
        try:
            if path.is_file() and sha256(path.read_bytes()).hexdigest() == digest:
                return digest
            make_private_directory(path.parent)
            descriptor = open_private(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(path)
            except BaseException:
                aside.unlink(missing_ok=True)
                raise
            # The name is durable only with its directory.
            for directory in (path.parent, self._directory):
                sync_directory(directory)
        except OSError as error:
            raise StorageUnavailable(
                f"content could not be stored in {self._directory}: {error}; free or mount the disk and retry"
            ) from error
        return digest

    def _get(self, digest: str) -> bytes:
        path = self._path(digest)
        try:
            content = path.read_bytes() if path is not None else None
        except FileNotFoundError:
            content = None
        except OSError as error:
            raise StorageUnavailable(f"content {digest} could not be read: {error}") from error
        if content is None:
            raise BlobMissing(f"no content under {digest[:64]!r} in {self._directory}: never stored, or erased")
        if sha256(content).hexdigest() != digest:
            raise BlobBroken(f"the file under {digest} has another digest; store the content again from its source")
        return content

    def _erase(self, digest: str) -> bool:
        path = self._path(digest)
        if path is None:
            return False
        try:
            path.unlink()
            sync_directory(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageUnavailable(f"content {digest} could not be erased: {error}") from error
        return True
