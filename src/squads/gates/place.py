"""Where something stands in an artifact's file, and what is written there: what checks make locations of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was written; lines and columns count from 1."""

    path: str
    line: int
    column: int
    end_line: int
    text: str
    """The source text, comments included."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"
