"""Copies films from disks to the cinema's server."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("ingest")


class IngestFailed(Exception):
    """The film is not on the server, or not whole."""


@dataclass(frozen=True)
class Report:
    film: str
    state: str
    note: str = ""


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    log.debug("running %s", " ".join(command))
    return subprocess.run(command, capture_output=True, text=True, timeout=4 * 3600)


def ingest(film: str, disk: Path, library: Path) -> Report:
    """Copy a film to the library and verify the copy."""
    target = library / film
    copied = _run("rsync", "-a", "--delete", f"{disk / film}/", f"{target}/")
    if copied.returncode != 0:
        raise IngestFailed(f"{film}: {copied.stderr.strip()}")
    verified = _run("dcp-verify", "--quiet", str(target))
    if verified.returncode != 0:
        raise IngestFailed(f"{film}: {verified.stderr.strip()}")
    log.info("%s is on the server", film)
    return Report(film, "ready")
