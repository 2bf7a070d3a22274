"""An artifact's lines, as tools count them; split once, because a tool may name a file thousands of times."""

from __future__ import annotations

import re

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText


class Source:
    """The text that findings are about: always the artifact's own, never the private copy's."""

    def __init__(self, artifact: Artifact) -> None:
        self._files = {file.path: file for file in artifact.files}
        self._lines: dict[str, list[str]] = {}

    def lines(self, path: str) -> list[str]:
        """Return a file's lines without their ends; none where it is no text of this artifact."""
        if path not in self._lines:
            try:
                self._lines[path] = re.split(r"\r\n|\n|\r", self._files[path].text)
            except (KeyError, NotText):
                self._lines[path] = []
        return self._lines[path]

    def line(self, path: str | None, number: int | None) -> str:
        """Return one line, counted from 1; empty where there is none."""
        lines = self.lines(path) if path is not None and number is not None else []
        return lines[number - 1] if number is not None and 1 <= number <= len(lines) else ""
