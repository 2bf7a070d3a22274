"""What an operator does to an artifact: edits by position, and where the defect is then.

Texts are never written anew: what an edit does not name stays as it was, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from squads.bench.case import Place


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a file's text, by offsets; the end is not part of it."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement in a file's text as it was before any of them."""

    span: Span
    put: str = ""
    """What comes there; nothing where the piece goes."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """Edits that belong together, and where a finding has to point once they are made."""

    edits: tuple[Edit, ...]
    about: tuple[Span, ...]
    """The statements that are wrong then; for something that is gone, the one that should have it."""


Mutations = Callable[[Mapping[str, str]], Iterable[Mutation]]


@dataclass(frozen=True, slots=True)
class Operator:
    """One way to break one invariant."""

    name: str
    """`<language>.<what it does>`; recorded as the origin of what it planted."""
    language: Literal["sql", "python"]
    invariant: str
    does: str
    """What it does, as a sentence without a subject."""
    mutations: Mutations
    """From the files of an artifact to every place where it applies, always in the same order."""


def applied(files: Mapping[str, str], mutation: Mutation) -> tuple[dict[str, str], tuple[Place, ...]]:
    """Return the files after a mutation, and the places of the defect in them, by path and line."""
    after = dict(files)
    edits_of: dict[str, list[Edit]] = {}
    for edit in sorted(mutation.edits, key=lambda e: (e.span.path, e.span.start, e.span.end)):
        edits_of.setdefault(edit.span.path, []).append(_with_its_lines(edit, files[edit.span.path]))
    for path, edits in edits_of.items():
        after[path] = "".join(_pieces(files[path], edits))
    places: dict[tuple[str, int, int], Place] = {}
    for span in mutation.about:
        edits = edits_of.get(span.path, [])
        text = after[span.path]
        start, end = _moved(span.start, edits, at_end=False), _moved(span.end, edits, at_end=True)
        start += len(text[start:end]) - len(text[start:end].lstrip())
        first = text.count("\n", 0, start) + 1
        last = first + text[start:end].rstrip().count("\n")
        places[span.path, first, last] = Place(path=span.path, line=first, end_line=last)
    return after, tuple(places[key] for key in sorted(places))


def _with_its_lines(edit: Edit, text: str) -> Edit:
    """Return an edit that takes lines away as wholes, where nothing else stands on them: no gap tells of it."""
    first, last = text.rfind("\n", 0, edit.span.start) + 1, text.find("\n", edit.span.end)
    last = len(text) if last < 0 else last + 1
    if edit.put or text[first : edit.span.start].strip() or text[edit.span.end : last].strip():
        return edit
    while text[last : last + 1] == "\n" and (not first or text[:first].endswith("\n\n")):
        last += 1
    return Edit(Span(edit.span.path, first, last))


def _pieces(text: str, edits: Sequence[Edit]) -> Iterator[str]:
    done = 0
    for edit in edits:
        yield text[done : edit.span.start]
        yield edit.put
        done = edit.span.end
    yield text[done:]


def _moved(offset: int, edits: Sequence[Edit], *, at_end: bool) -> int:
    """Return where an offset of the old text is in the new one; within an edit, its edge."""
    shift = 0
    for edit in edits:
        start, end = edit.span.start, edit.span.end
        if end < offset or (end == offset and (at_end or start < end)):
            shift += len(edit.put) - (end - start)
        elif start < offset:
            return start + shift + (len(edit.put) if at_end else 0)
    return offset + shift
