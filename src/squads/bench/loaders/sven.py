"""SVEN: functions of real projects before and after the commit that fixed a vulnerability in them.

Each function is two cases, `defect-NNN` and `clean-NNN`; what one commit fixed is a family. A fixed function is clean
for the labelled CWE, and nobody has said more of it. The set tells which lines the fix took away: a finding has to
point there, or, where the fix only added lines, to the lines around the place where they are missing.

Pairs whose two functions are the same text are left out: they are counted, and nobody could tell them apart.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, ClassVar

from squads.bench.case import Case, Label, Place
from squads.bench.loaders.comments import without_comments
from squads.bench.loaders.loader import checked
from squads.bench.strip import stripped
from squads.contracts.errors import InvalidCase, InvalidInput

_LANGUAGES = {"py": "python", "c": "c", "h": "c", "C": "cpp", "cc": "cpp", "cpp": "cpp"}
_TELLING = re.compile(
    r"cve-|cwe-|vulnerab|exploit|inject|\bxss\b|secur|overflow|out.of.bounds|traversal|malicious|attack|use.after.free"
    r"|null.pointer|saniti[sz]",
    re.IGNORECASE,
)


class Sven:
    """The loader of SVEN."""

    name = "sven"
    title = "SVEN: functions before and after a security fix, Python and C/C++"
    home = "github.com/eth-sri/sven"
    commit = "e8449a0d54a5ae0bbdc6bb236330b8c7ec71df57"
    licence = "MIT"
    counts: ClassVar[Mapping[str, int]] = {"pairs": 803, "python pairs": 380, "commits": 559, "unchanged pairs": 4}

    def load(self, path: Path) -> list[Case]:
        """Return two cases for every function that its fix changed, by file of the set and line."""
        pages = sorted((path / "data_train_val").glob("*/cwe-*.jsonl"))
        if not pages:
            raise InvalidCase(f"{path} is not {self.name}: it has no data_train_val/<part>/cwe-*.jsonl")
        cases: list[Case] = []
        found: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        for page, line, raw in _rows(pages):
            try:
                family = _family(raw["commit_link"])
                numbers[family] += 1
                pair = list(_pair(self, raw, family, numbers[family]))
            except (KeyError, TypeError, ValueError, AttributeError, InvalidInput) as error:
                raise _odd(page, line, error) from None
            found["pairs"] += 1
            found["python pairs"] += raw["file_name"].endswith(".py")
            found["unchanged pairs"] += not pair
            cases += pair
        found["commits"] = len(numbers)
        return checked(self, path, cases, found)

    def recorded(self, path: Path) -> None:
        """Return None: the set has no verdicts."""


def _rows(pages: Sequence[Path]) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for page in pages:
        try:
            lines = page.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise _odd(page, 1, error) from None
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    yield page, number, dict(json.loads(line))
            except (ValueError, TypeError) as error:
                raise _odd(page, number, error) from None


def _pair(loader: Sven, raw: Mapping[str, Any], family: str, number: int) -> Iterator[Case]:
    path = str(raw["file_name"])
    language = _LANGUAGES.get(path.rpartition(".")[2], "c")
    cwe = int(raw["vul_type"].removeprefix("cwe-"))
    before, after = (_shown(raw[side], path, language) for side in ("func_src_before", "func_src_after"))
    if before == after:
        return
    gone = sorted({int(change["line_no"]) for change in raw["line_changes"]["deleted"]}) or _gaps(before, after)
    for label, text in ((Label.DEFECT, before), (Label.CLEAN, after)):
        yield Case(
            family=family,
            variant=f"{label}-{number:03}",
            label=label,
            invariants=(f"cwe.{cwe}",),
            places=tuple(_places(path, gone, text.count("\n") + 1)) if label.broken else (),
            cwe=cwe,
            language=language,
            kind="module",
            split="test",
            origin="real",
            licence=loader.licence,
            source=f"{loader.home}@{loader.commit[:12]}, {raw['commit_link']}",
            brief=f"The function {raw['func_name']} of {path}.",
            files={path: text},
        )


def _shown(text: str, path: str, language: str) -> str:
    """Return a function as a gate may see it, every line where it was: methods stand at the left margin."""
    plain = text.replace("\r\n", "\n").rstrip() + "\n"
    return stripped(path, without_comments(textwrap.dedent(plain), language, telling=_TELLING))


def _gaps(before: str, after: str) -> list[int]:
    """Return the lines of `before` that what is missing would stand between."""
    old, new = before.split("\n"), after.split("\n")
    inserted = [
        first for tag, first, *_ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if tag != "equal"
    ]
    return sorted({line for first in inserted for line in (first, first + 1) if 1 <= line <= len(old)}) or [1]


def _places(path: str, lines: Sequence[int], last: int) -> Iterator[Place]:
    """Yield a place for each run of lines."""
    first = None
    kept = [line for line in lines if line <= last] or [last]
    for line, after in zip(kept, [*kept[1:], 0], strict=True):
        first = line if first is None else first
        if after != line + 1:
            yield Place(path=path, line=first, end_line=line)
            first = None


def _family(link: str) -> str:
    commit = re.split(r"[#?]", link, maxsplit=1)[0].rstrip("/").rpartition("/")[2]
    if not re.fullmatch(r"[0-9a-f]{7,40}", commit):
        raise ValueError(f"{link} is no link to a commit")
    return f"sven-{commit[:12]}"


def _odd(page: Path, line: int, error: Exception) -> InvalidCase:
    return InvalidCase(f"{page}:{line} cannot be read as a pair of {Sven.name}: {type(error).__name__}: {error}")
