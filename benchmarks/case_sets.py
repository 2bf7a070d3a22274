"""Reads the cases below `benchmarks/check_cases/`, and takes away what would tell a gate which of them are defects.

    check_cases/<invariant>/refused_*    a defect             cosmetic_*  a fix that changes nothing
                      approved_*   a clean twin, or a look-alike; clean of this one invariant, not of everything

A file is one artifact, and so is a folder with everything in it. What is taken away, from every case alike and without
a look at what it says: the case's own name (a single file is called `module.py` or `schema.sql`), the comments above
the first statement of every file, and a Python module's docstring. Blank lines take their place, so lines keep their
numbers. What stays: names inside folders, and every comment further down, because comments that promise a validation
elsewhere are part of what a gate has to see through.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from squads.bench.strip import stripped

CASES = Path(__file__).parent / "check_cases"
KINDS = ("refused", "cosmetic", "approved")
NEUTRAL = {".py": "module", ".sql": "schema"}
"""What a single file is called, by its suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One artifact with its label."""

    id: str
    """A number without meaning: the folder that a gate sees it in where it reads many at once."""
    name: str
    """What people call it: `<invariant's folder>/<name>`."""
    invariant: str
    kind: str
    """One of `KINDS`."""
    files: dict[str, str]
    """Path to text, stripped."""

    @property
    def defect(self) -> bool:
        """Whether a gate should refuse it."""
        return self.kind != "approved"


def cases(folder: Path = CASES) -> list[Case]:
    """Return every case, sorted by invariant and name."""
    found = sorted(p for p in folder.glob("*/*") if p.name.split("_")[0] in KINDS)
    return [
        Case(
            id=f"c{number:03}",
            name=f"{path.parent.name}/{path.name}",
            invariant=invariant_of(path.parent.name),
            kind=path.name.split("_")[0],
            files=files_of(path),
        )
        for number, path in enumerate(found)
    ]


def invariant_of(folder: str) -> str:
    """Return the invariant that a folder is for: `sql_unique_null` is for `sql.unique-null`."""
    group, _, rest = folder.partition("_")
    return f"{group}.{rest.replace('_', '-')}"


def files_of(path: Path) -> dict[str, str]:
    """Return the stripped files of a case: a file under a neutral name, or all files of a folder."""
    if path.is_file():
        return {NEUTRAL.get(path.suffix, "file") + path.suffix: stripped(path.name, path.read_text("utf-8"))}
    inside = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(path).as_posix(): stripped(p.name, p.read_text("utf-8")) for p in inside}
