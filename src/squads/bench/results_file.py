"""Results as a file of JSON Lines: a head, then every case, then every verdict. Whoever has the file has all figures.

A reader of any language can take it in line by line: the key `line` says what a line is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from squads.bench.case import Case
from squads.bench.judged import Judged, Results
from squads.contracts.errors import InvalidCase

FORMAT = "squads.bench-results/v1"
RESULTS_BYTES_MAX = 512 * 1024**2
"""A larger file is not read."""


def lines_of(results: Results) -> Iterator[str]:
    """Yield the lines of a results file, without their ends."""
    yield _line("results", {"format": FORMAT, "title": results.title, "about": dict(results.about)})
    for case in results.cases:
        yield _line("case", case.model_dump(mode="json", exclude_defaults=True))
    for row in results.judged:
        yield _line("judged", row.model_dump(mode="json", exclude_defaults=True))


def write_results(results: Results, path: Path) -> None:
    """Write results to a new file; an existing one is not written over. Raises `InvalidCase`."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines_of(results))
    except FileExistsError:
        raise InvalidCase(f"{path} is there already; results are never written over, so name another file") from None
    except OSError as error:
        raise InvalidCase(f"{path} cannot be written: {error.strerror}") from None


def read_results(path: Path) -> Results:
    """Read a results file. Raises `InvalidCase` with the number of the line that cannot be read."""
    head: dict[str, Any] | None = None
    cases: list[Case] = []
    judged: list[Judged] = []
    number = 0
    try:
        if path.stat().st_size > RESULTS_BYTES_MAX:
            raise InvalidCase(f"{path} is larger than {RESULTS_BYTES_MAX:,} bytes; results of one run are not")
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                given = json.loads(text)
                kind = given.pop("line")
                if (kind == "results") != (number == 1):
                    raise ValueError("the head stands in the first line and nowhere else")
                if kind == "results":
                    head = given
                elif kind == "case":
                    cases.append(Case.model_validate(given))
                elif kind == "judged":
                    judged.append(Judged.model_validate(given))
                else:
                    raise ValueError(f"a line is `results`, `case` or `judged`, not {kind!r:.40}")
        if head is None or head.pop("format") != FORMAT:
            raise ValueError(f"the head does not say the format {FORMAT}")
        return Results(**head, cases=tuple(cases), judged=tuple(judged))
    except OSError as error:
        raise InvalidCase(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        if isinstance(error, InvalidCase):
            raise
        raise InvalidCase(f"{path}, line {number}, is no line of results: {error}") from None


def _line(kind: str, value: dict[str, Any]) -> str:
    return json.dumps({"line": kind, **value}, ensure_ascii=False, separators=(",", ":"))
