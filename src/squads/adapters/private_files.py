"""Files and directories for their owner only; the few calls that several adapters need alike.

It must never loosen what it finds, nor tighten what somebody else made: an existing directory stays as it is.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_private_directory(directory: Path) -> None:
    """Create `directory` and its missing parents with mode 0700."""
    missing = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def open_private(path: Path, flags: int) -> int:
    """Open `path`, created with mode 0600 if `flags` say so; a link in its place is refused with `OSError`."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
