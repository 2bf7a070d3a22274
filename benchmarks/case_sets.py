"""Reads the cases below `benchmarks/cases/`, and takes away what would tell a gate which of them are defects.

    cases/<invariant>/refused_*    a defect             cosmetic_*  a fix that changes nothing
                      approved_*   a clean twin, or a look-alike; clean of this one invariant, not of everything

A file is one artifact, and so is a folder with everything in it. What is taken away, from every case alike and without
a look at what it says: the case's own name (a single file is called `module.py` or `schema.sql`), the comments above
the first statement of every file, and a Python module's docstring. Blank lines take their place, so lines keep their
numbers. What stays: names inside folders, and every comment further down, because comments that promise a validation
elsewhere are part of what a gate has to see through.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
KINDS = ("refused", "cosmetic", "approved")
NEUTRAL = {".py": "module", ".sql": "schema"}
"""What a single file is called, by its suffix."""
_SQL_HEAD = re.compile(r"(?:[ \t]*(?:--[^\n]*)?\n|\s*/\*.*?\*/)*", re.DOTALL)
_PYTHON_COMMENT = re.compile(r"[ \t]*#(?!!)(?![^\n]*coding[:=])[^\n]*")


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


def stripped(name: str, text: str) -> str:
    """Return a file without its leading comments and its module's docstring."""
    if name.endswith(".sql"):
        head = _SQL_HEAD.match(text)
        return _blank(text, head.end() if head else 0)
    if not name.endswith(".py"):
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _PYTHON_COMMENT.fullmatch(line):
            lines[number] = ""
        elif line.strip() and not line.startswith("#"):
            break
    try:
        first = next(iter(ast.parse("\n".join(lines)).body), None)
    except SyntaxError:  # Python of another version: its gates abstain, and its docstring tells them nothing
        return "\n".join(lines)
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return "\n".join(lines)
    if isinstance(first.value.value, str) and not lines[(first.end_lineno or 1) - 1][first.end_col_offset :].strip():
        lines[first.lineno - 1 : first.end_lineno] = [""] * ((first.end_lineno or 1) - first.lineno + 1)
    return "\n".join(lines)


def _blank(text: str, end: int) -> str:
    return "\n" * text.count("\n", 0, end) + text[end:]
