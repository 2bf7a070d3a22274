"""Checkpoints outside the database: a file that survives when the database is restored from an old copy.

One line per checkpoint, as a JSON string; lines are only ever added. Put it where the writer of the database cannot
rewrite it (another disk, another owner, `chattr +a`): it shows a cut or restored log only as far as it is whole.
It must never be read as truth: only notes that the log's key signed count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from squads.adapters.private_files import make_private_directory, open_private
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import NOTE_BYTES_MAX, VerifierKey

_BLOCK_BYTES: Final = 64 * 1024


class CheckpointFile:
    """Appends checkpoint notes to one file. Raises `OSError` from every method; callers know what it means."""

    def __init__(self, path: Path) -> None:
        """Open or create the file, mode 0600."""
        make_private_directory(path.parent)
        self.path = path
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        # The file's size after our last whole line; another size means that its end must be looked at.
        self._whole = 0

    def append(self, note: str, *, shared: bool = False) -> None:
        """Add one note as a line. The caller holds the ledger's lock, or says that the file is `shared` without one.

        It is written, not synced: after a power cut the file may be behind the database, never ahead of it, and a
        file that is behind is no fault. `close` syncs.
        """
        record = json.dumps(note, ensure_ascii=False).encode() + b"\n"
        # A line that a full disk tore must not swallow this one. Without a lock nobody knows who writes meanwhile; an
        # empty line costs nothing.
        size = os.fstat(self._descriptor).st_size
        if size != self._whole and (shared or os.pread(self._descriptor, 1, size - 1) != b"\n"):
            record = b"\n" + record
        written = os.write(self._descriptor, record)
        self._whole = size + len(record)
        if written != len(record):
            raise OSError(f"only {written} of {len(record)} bytes could be written")

    def newest(self, vkey: VerifierKey) -> Checkpoint | None:
        """Return the last checkpoint that the log's key signed, reading from the end; None if there is none."""
        end = os.fstat(self._descriptor).st_size
        rest = b""
        while end:
            start = max(0, end - _BLOCK_BYTES)
            lines = (os.pread(self._descriptor, end - start, start) + rest).split(b"\n")
            # The first piece may be the end of a line that begins in the block before.
            rest = lines.pop(0) if start else b""
            for line in reversed(lines):
                note = _note_in(line)
                if note is not None:
                    try:
                        return verify_checkpoint(note, vkey)
                    except Malformed:
                        continue
            end = start
        return None

    def is_empty(self) -> bool:
        """Say whether nothing was ever written, or nothing but a first line that a full disk or a power cut tore."""
        # Of a file that was never synced a power cut leaves zeros, and a full disk half a line. Neither is another's.
        start = os.pread(self._descriptor, NOTE_BYTES_MAX, 0)
        return start[:1] in (b"", b"\0") or (start[:1] == b'"' and b"\n" not in start)

    def close(self) -> None:
        """Sync and let go. Closing twice is an error of the caller."""
        try:
            os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


def read_checkpoint_file(path: Path) -> Iterator[str]:
    """Return the notes that are in the file now, oldest first and unverified; torn lines are passed over.

    Raises `OSError` at once if there is no such file; what is appended while one reads is not read.
    """
    return _notes(path, path.stat().st_size)


def _notes(path: Path, end: int) -> Iterator[str]:
    with path.open("rb") as file:
        while file.tell() < end and (line := file.readline(4 * NOTE_BYTES_MAX)):
            note = _note_in(line.rstrip(b"\n"))
            if note is not None:
                yield note


def _note_in(line: bytes) -> str | None:
    try:
        note = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, str) else None
