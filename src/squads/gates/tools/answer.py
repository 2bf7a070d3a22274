"""Reads the file that a tool wrote its answer to: bounded, and never through a link that the tool left there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from squads.gates.check import CannotLook


def answer_of(path: Path, bytes_max: int) -> bytes:
    """Return the content of an answer's file. Raises `CannotLook` when it is not there, no file, or too large."""
    try:
        # Without O_NONBLOCK a named pipe in its place would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CannotLook(f"the tool wrote no answer to {path.name}: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise CannotLook(f"the tool's answer {path.name} is no plain file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(bytes_max + 1)
    finally:
        os.close(descriptor)
    if len(content) > bytes_max:
        raise CannotLook(f"the tool's answer is larger than {bytes_max} bytes, so it was not read")
    return content
