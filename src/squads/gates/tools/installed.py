"""Whether a tool is there, and which version: asked once, because another version is another judge."""

from __future__ import annotations

import posixpath
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from squads.gates.tools.process import minimal_environment, search_path
from squads.gates.tools.report import scrubbed

PROBE_SECONDS = 20.0
"""How long asking for the version may take; a tool that says nothing by then has no known version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A tool as it was found."""

    path: str | None
    """Its absolute path; None when it is not installed."""
    version: str
    """What it says of itself; `unknown` when it says nothing, `not installed` when it is not there."""


def installed(command: str, version_words: Sequence[str], passed: Sequence[str] = ()) -> Installed:
    """Return where a command is, and what it says when it is asked for its version with `version_words`."""
    path = shutil.which(command, path=search_path())
    if path is None:
        return Installed(path=None, version="not installed")
    with tempfile.TemporaryDirectory(prefix="squads-tool-") as folder:
        try:
            done = subprocess.run(
                [path, *version_words],
                cwd=folder,
                env=minimal_environment(Path(folder), Path(folder), passed),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PROBE_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return Installed(path=path, version="unknown")
    said = scrubbed(" ".join(done.stdout.decode("utf-8", "replace").split()), 300)
    return Installed(path=path, version=said if said and not done.returncode else "unknown")


def tool_name(command: Sequence[str]) -> str:
    """Return what to call a command in a sentence."""
    return scrubbed(posixpath.basename(command[0]), 60)
