"""The private copy of an artifact's files that a tool may read, and the way back from its places to real paths.

It holds the selected files and nothing else: no configuration of the artifact's own, so that a change cannot pick its
own judge, and no links, which are not the tool's to follow. It lies in a folder that only this user can enter, and
whatever the tool writes there is removed with it.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from urllib.parse import unquote, urlsplit

from squads.contracts.artifact import File
from squads.gates.check import CannotLook
from squads.gates.tools.report import scrubbed


class PrivateCopy:
    """A folder with the tool's working directory, home, settings and answer; `remove()` it afterwards."""

    def __init__(self) -> None:
        try:
            # The real path: tools resolve links before they write a path down, and /tmp is a link on some systems.
            self.root = Path(os.path.realpath(tempfile.mkdtemp(prefix="squads-tool-")))
            self.files, self.settings, self.answer, self.home, self.temporary = (
                self.root / name for name in ("files", "settings", "answer", "home", "tmp")
            )
            for folder in (self.files, self.settings, self.answer, self.home, self.temporary):
                folder.mkdir(mode=0o700)
        except OSError as error:
            raise CannotLook(f"there is no room for a tool's private copy: {error}") from None
        self._paths: dict[str, str] = {}
        self._writing = Lock()
        self._removed = Event()

    @property
    def arguments(self) -> list[str]:
        """The files, as a command is told of them: with `./`, so that a name is never taken for an option."""
        return [f"./{name}" for name in self._paths]

    def write(
        self, files: Sequence[File], *, renamed: bool, masks: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> None:
        """Write the files, and what the tool is configured with. Raises `CannotLook` and `NotText`.

        Args:
            files: What the tool shall read; each must be UTF-8.
            renamed: Whether files get names without meaning, so that no name matches a tool's exclusions.
            masks: Words that are overwritten with as many `x`: what would let a file silence its judge.
            settings: The tool's own configuration, beside the files; name to text.
        """
        pattern = re.compile("|".join(re.escape(m) for m in masks), re.IGNORECASE) if masks else None
        with self._writing:
            for name, text in (settings or {}).items():
                _write(self.settings / name, name, text.encode())
            for number, file in enumerate(files):
                if self._removed.is_set():
                    return
                text = file.text
                ending = re.search(r"\.[A-Za-z0-9]+\Z", file.path)
                name = f"f{number:05}{ending[0] if ending else ''}" if renamed else file.path
                if pattern:
                    text = pattern.sub(lambda match: "x" * len(match[0]), text)
                _write(self.files / name, file.path, text.encode())
                self._paths[name] = file.path

    def path_of(self, place: str) -> str:
        """Return the artifact's path for a place in a tool's answer. Raises `CannotLook` for any other place."""
        try:
            parts = urlsplit(place)
            local = parts.scheme == "file" and parts.netloc in ("", "localhost")
            decoded = unquote(parts.path if local else place, errors="strict")
        except ValueError:
            decoded = place
        for written in (decoded, place):  # some tools write paths where URIs are asked for
            name = posixpath.relpath(posixpath.join(str(self.files), written), str(self.files))
            if name in self._paths:
                return self._paths[name]
        raise CannotLook(
            f"the tool names {scrubbed(self.named(place), 200)!r}, which is not a file that it was given to read"
        )

    def named(self, text: str) -> str:
        """Return a tool's words with the artifact's paths in the place of the copy's."""
        text = text.replace(f"{self.files}/", "").replace(str(self.root), "(private copy)")
        return re.sub(
            r"(?:\./)?\bf\d{5}\.?\w*", lambda match: self._paths.get(match[0].removeprefix("./"), match[0]), text
        )

    def remove(self) -> None:
        """Delete it all, also what the tool locked. A second time does nothing."""
        self._removed.set()
        with self._writing:
            for folder, folders, _ in os.walk(self.root):
                for name in folders:
                    inner = Path(folder, name)
                    if not inner.is_symlink():
                        with suppress(OSError):
                            inner.chmod(0o700)
            shutil.rmtree(self.root, ignore_errors=True)


def _write(target: Path, path: str, content: bytes) -> None:
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("xb") as file:  # `x`: two names that this file system takes for one are not two files
            file.write(content)
    except OSError as error:
        raise CannotLook(f"{path} cannot be written for the tool to read: {error.strerror}") from None
