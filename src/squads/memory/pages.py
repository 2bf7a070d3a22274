"""Facts out of Markdown pages: tables of facts and words, and the titles of decisions.

The pages are written for people first. A row becomes a fact when its table has the columns that it needs; everything
else on the page is left to its human readers. Nothing here reads a file: the text comes in as an argument.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from squads.contracts.errors import InvalidInput
from squads.contracts.memory import EVERYBODY, Fact

_TEXT = ("fact", "what")
_SOURCE = ("where it comes from", "source", "from")
_SCOPE = ("scope", "for")
_ID = ("id",)
_WORD, _MEANING = ("word", "term"), ("meaning", "what it means")
_CELL = re.compile(r"(?<!\\)\|")
_DECISION = re.compile(r"^#\s+(?:(?P<number>\d+)\s*[:.]\s*)?(?P<title>.+?)\s*$", re.MULTILINE)


def facts_in(page: str, path: str) -> list[Fact]:
    """Return the facts of a page's tables: columns `fact` and `source`, and if wanted `scope` and `id`.

    A table with the columns `word` and `meaning` is a glossary, and each row a fact. Raises `InvalidInput` with the
    line of a row that has no source, or a scope that is none.
    """
    found = []
    for number, row in _rows(page):
        text, source = _pick(row, _TEXT), _pick(row, _SOURCE)
        if (word := _pick(row, _WORD)) and (meaning := _pick(row, _MEANING)):
            text, source = f"{word}: {meaning}", source or path
        if not text:
            continue
        if not source:
            raise InvalidInput(
                f"{path}:{number}: the fact {text[:60]!r} has no source; say in its row where it comes from"
            )
        try:
            found.append(
                Fact(
                    id=_pick(row, _ID) or fact_id(text),
                    text=text,
                    source=source,
                    scope=_pick(row, _SCOPE) or EVERYBODY,
                )
            )
        except InvalidInput as error:
            raise InvalidInput(f"{path}:{number}: {error}") from error
    return found


def decision_in(page: str, path: str) -> list[Fact]:
    """Return a decision's title as a fact whose source is the page; a page without a title holds none."""
    title = _DECISION.search(page)
    if title is None:
        return []
    return [Fact(id=fact_id(title["title"]), text=f"Decided: {title['title']}", source=path)]


def fact_id(text: str) -> str:
    """Return the id of a fact that brings none: the same words, however they are spaced, have the same id."""
    return "f" + hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]


def _pick(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _rows(page: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by column) of every table of a page; a line in a code block is no table."""
    columns: list[str] | None = None
    previous: list[str] = []
    fenced = False
    for number, line in enumerate(page.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or "|" not in stripped:
            columns, previous = None, []
            continue
        cells = _cells(stripped)
        if all(set(cell) <= set("-: ") and "-" in cell for cell in cells):
            columns = [cell.lower() for cell in previous]
        elif columns is not None:
            yield number, dict(zip(columns, cells, strict=False))
        previous = cells


def _cells(line: str) -> list[str]:
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)]
    if cells and not cells[0]:
        cells = cells[1:]
    if cells and not cells[-1]:
        cells = cells[:-1]
    return cells
