"""`text.conflict-marker`: no file still holds both sides of an unresolved merge.

Why it matters: the markers are written into the file when git could not decide, and both versions stay in it. A program
breaks at once, but prose, YAML comments, SQL and templates may go out with both sides, and nobody decided.

Refused:

    <<<<<<< HEAD
    timeout: 30
    =======
    timeout: 60
    >>>>>>> feature

Approved:

    timeout: 60

The three marks must stand at the beginning of lines, in this order. A lone `=======` is a heading in reStructuredText
and Markdown; marks that are indented or quoted are an example of a conflict. The marks are
ASCII, so bytes are searched: one byte that is not UTF-8 hides nothing.

Where it comes from: git-merge(1), "How conflicts are presented"; `git diff --check` looks for the same.
"""

from __future__ import annotations

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import check

INVARIANT = Invariant(
    id="text.conflict-marker",
    statement="No file holds the marks of an unresolved merge.",
    why="Both sides of the conflict are in the file, so what it says was decided by nobody.",
    severity=Severity.MAJOR,
    refused="<<<<<<< HEAD\ntimeout: 30\n=======\ntimeout: 60\n>>>>>>> feature\n",
    approved="timeout: 60\n",
    origin='git-merge(1), "How conflicts are presented"; git diff --check.',
)
_EVIDENCE_MAX = 4_000


@check(INVARIANT, files=("*",))
def conflict_marker(artifact: Artifact) -> list[Finding]:
    """Return one finding for every conflict that is left in a file."""
    return [finding for file in artifact.files for finding in _conflicts(file)]


def _conflicts(file: File) -> list[Finding]:
    lines = file.content.split(b"\n")
    found = []
    start = middle = 0
    for number, line in enumerate(lines, start=1):
        mark = line.rstrip(b"\r")
        if mark == b"<<<<<<<" or mark.startswith(b"<<<<<<< "):
            start, middle = number, 0
        elif mark == b"=======" and start:
            middle = number
        elif (mark == b">>>>>>>" or mark.startswith(b">>>>>>> ")) and middle:
            found.append(_finding(file.path, start, number, b"\n".join(lines[start - 1 : number])))
            start = middle = 0
    return found


def _finding(path: str, start: int, end: int, conflict: bytes) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=INVARIANT.severity,
        message=f"{path} still holds both sides of a merge, from line {start} to line {end}.",
        location=Location(path=path, line=start, column=1, end_line=end),
        evidence=conflict.decode(errors="replace")[:_EVIDENCE_MAX],
        satisfy="Decide what the lines should say, and delete the three marks.",
    )
