"""Whether a finding's evidence stands where it says: models quote from memory, and people act on the place.

A finding without an anchor refuses like any other: a gate that is wrong about a line may be right about the fault. But
it is marked, and its verdict counts it. Where the fault is an absence, the evidence is a line of the place where
something is missing: an anchor is asked for there as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Location

NEAR_LINES = 3
"""How far from its line evidence may stand and the line still counts as the one that was meant."""
CHARS_MIN = 3
"""Evidence with fewer characters than this is found everywhere and shows nothing."""

_PLAIN = str.maketrans("\u2018\u2019\u201c\u201d\u00a0", "''\"\" ")
_FENCE = re.compile(r"\A\s*(`{3,}|~{3,})[^\n]*\n(.*?)\n?\s*\1\s*\Z", re.DOTALL)
_QUOTED = re.compile(r"\A\s*([`'\"])(.*)\1\s*\Z", re.DOTALL)
_NUMBERED = re.compile(r"^[ \t]*\d+[ \t]*[|:\u2502\t][ \t]?", re.MULTILINE)
_MARGIN = re.compile(r"^[+>-][ \t]?", re.MULTILINE)


def anchored(finding: Finding, artifact: Artifact) -> Finding:
    """Return the finding with its place corrected to where its evidence stands, or marked `unanchored`.

    Evidence is looked for near its line, then in its file, then in the whole artifact; white space, quotes around it
    and numbers of lines do not count. A path that is not in the artifact is no place, whatever else stands there.
    """
    texts = {file.path: file.content.decode(errors="replace") for file in artifact.files}
    return anchored_in(finding, texts)


def anchored_in(finding: Finding, texts: Mapping[str, str]) -> Finding:
    """Do the same over texts by path: for a plan, whose briefs are no files."""
    place = finding.location
    if place is None or place.path in texts:
        for path in ((place.path,) if place else ()) + tuple(p for p in texts if place is None or p != place.path):
            line = place.line if place is not None and place.path == path else None
            if (lines := _lines_of(finding.evidence, texts[path], line)) is not None:
                return _placed(finding, path, *lines)
    return finding if finding.unanchored else finding.but(unanchored=True)


def _placed(finding: Finding, path: str, first: int, last: int) -> Finding:
    """Return the finding at its own place where that holds the evidence, else at the evidence's."""
    place = finding.location
    if place is not None and place.path == path:
        end = max(place.end_line or 0, place.line or 0)
        if place.line is not None and place.line - NEAR_LINES <= last and first <= end + NEAR_LINES:
            return finding.but(unanchored=False) if finding.unanchored else finding
    found = Location(path=path, line=first, end_line=last if last > first else None)
    return finding.but(unanchored=False, location=found)


def _lines_of(evidence: str, text: str, line: int | None) -> tuple[int, int] | None:
    """Return the first and last line of the evidence in a text: the occurrence nearest to `line`, or the first."""
    lines = text.translate(_PLAIN).split("\n")
    # Searched for with `find`, which is linear: a pattern with room for white space is not, on texts made to stall it.
    flat = " ".join(word for one in lines for word in one.split())
    for words in _readings(evidence.translate(_PLAIN)):
        sought = " ".join(words.split())
        starts = _found(sought, flat)
        if starts:
            line_of = [number for number, one in enumerate(lines, 1) for _ in one.split()]
            length = sought.count(" ")
            places = [(line_of[start], line_of[start + length]) for start in starts]
            return places[0] if line is None else min(places, key=lambda place: _distance(place, line))
    return None


def _found(sought: str, flat: str) -> list[int]:
    """Return which word of a text each occurrence begins in, counted from 0."""
    starts: list[int] = []
    word = counted = 0
    at = flat.find(sought)
    while at >= 0:
        word += flat.count(" ", counted, at)
        counted = at
        starts.append(word)
        at = flat.find(sought, at + 1)
    return starts


def _distance(lines: tuple[int, int], line: int) -> int:
    return max(lines[0] - line, line - lines[1], 0)


def _readings(evidence: str) -> Iterator[str]:
    """Yield the evidence as it is, and then without what a model may have put around it."""
    seen: set[str] = set()
    bare = evidence
    for pattern, group in ((None, ""), (_FENCE, r"\2"), (_QUOTED, r"\2"), (_NUMBERED, ""), (_MARGIN, "")):
        bare = pattern.sub(group, bare) if pattern else bare
        for words in (bare, bare.replace('\\"', '"').replace("\\'", "'")):
            if words not in seen and len("".join(words.split())) >= CHARS_MIN:
                seen.add(words)
                yield words
