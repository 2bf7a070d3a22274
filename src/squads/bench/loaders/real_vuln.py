"""Real-Vuln-Benchmark: labelled vulnerabilities and traps in Python applications, and what scanners said of them.

Every entry of its ground truth is a case: a vulnerability a `defect`, a trap a `decoy`; the application is the family.
The applications' sources are not in the set, so these cases have no files, and only recorded verdicts can be analysed.

How a recorded report becomes verdicts (rule of the set, version 1.0 of its ground truth):

1. A finding is about an entry where its path is the entry's file, its first CWE is one of the acceptable ones, and its
   first line is at most ten lines before or after the entry's range.
2. Findings are taken in the order of the report. Each counts for one entry at most, and each entry for one finding;
   where several entries fit, a vulnerability goes before a trap, and then the earlier entry before the later.
3. An entry that a finding counts for is refused by that run; every other entry of the application is approved.
4. A run that left metrics but no report timed out or wrote what cannot be read: it says `error` of every entry. A run
   of which there is nothing at all says nothing.

What an application's run cost is shared out evenly over its entries, the remainder to the first ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squads.bench.case import Case, Label, Place
from squads.bench.judged import Decision, Found, Judged, Results
from squads.bench.loaders.loader import checked
from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import InvalidCase, InvalidInput
from squads.contracts.finding import Severity

SLACK_LINES = 10
"""How far from an entry's lines a finding may start, as the set has it."""

MAKERS = {
    "claude": "anthropic",
    "deepseek": "deepseek",
    "gemini": "google",
    "glm": "zhipu",
    "gpt": "openai",
    "grok": "xai",
    "kimi": "moonshot",
    "minimax": "minimax",
    "qwen": "alibaba",
}
"""The first word of a model's name, and who made it: models of one maker are one family."""

_CWE = re.compile(r"CWE-(\d+)", re.IGNORECASE)
_RUN = re.compile(r"run-(\d+)\.json|results\.json")
_CONFIGURATION = re.compile(r"(?P<model>.+?)(?P<procedure>-agentic-v\d+|-v\d+)")
_SEVERITIES = {"critical": Severity.BLOCKER, "high": Severity.MAJOR, "medium": Severity.MINOR, "low": Severity.NOTE}


class RealVuln:
    """The loader of Real-Vuln-Benchmark."""

    name = "real-vuln"
    title = "Real-Vuln-Benchmark: 26 Python applications with vulnerabilities and traps, and recorded findings"
    home = "github.com/kolega-ai/Real-Vuln-Benchmark"
    commit = "cf263ea5acb8065e0bae61c19a3b232fa059fa0b"
    licence = "MIT"
    counts: Mapping[str, int] = {"entries": 796, "vulnerable": 676, "traps": 120, "apps": 26}

    def load(self, path: Path) -> list[Case]:
        """Return a case for every entry, by application and in the order of its ground truth."""
        apps = self._apps(path)
        cases = [entry.case for entries in apps.values() for entry in entries]
        vulnerable = sum(case.label.broken for case in cases)
        found = {"entries": len(cases), "vulnerable": vulnerable, "traps": len(cases) - vulnerable, "apps": len(apps)}
        return checked(self, path, cases, found)

    def recorded(self, path: Path) -> Results:
        """Return the verdicts of every recorded run on every entry, by configuration, run and application."""
        cases = self.load(path)
        apps = self._apps(path)
        judged = [row for app, entries in apps.items() for row in _judged(path / "scan-results" / app, entries)]
        if not judged:
            raise InvalidCase(f"{path} holds no recorded run: its folder scan-results is missing or empty")
        return Results(
            title=f"Recorded findings of {self.title.partition(':')[0]}",
            cases=tuple(cases),
            judged=tuple(sorted(judged, key=lambda row: (row.gate, row.repeat))),
            about={
                "set": self.home,
                "commit": self.commit,
                "slack_lines": str(SLACK_LINES),
                "matching": "same file, first CWE acceptable, first line within 10 of the range, one finding an entry",
            },
        )

    def _apps(self, path: Path) -> dict[str, list[_Entry]]:
        pages = sorted((path / "ground-truth").glob("*/ground-truth.json"))
        if not pages:
            raise InvalidCase(f"{path} is not {self.name}: it has no ground-truth/<app>/ground-truth.json")
        return {page.parent.name: [_entry(self, page, raw) for raw in _read(page, "findings")] for page in pages}


@dataclass(frozen=True)
class _Entry:
    case: Case
    path: str
    first: int
    last: int
    cwes: frozenset[int]


def _entry(loader: RealVuln, page: Path, raw: Mapping[str, Any]) -> _Entry:
    app = page.parent.name.removeprefix("realvuln-")
    try:
        cwes = [*_cwes([raw["primary_cwe"]]), *_cwes(raw["acceptable_cwes"])]
        first, last, path = raw["location"]["start_line"], raw["location"]["end_line"], _path(raw["file"])
        label = Label.DEFECT if raw["is_vulnerable"] else Label.DECOY
        case = Case(
            family=app,
            variant=f"{label}-{raw['id']}",
            label=label,
            invariants=tuple(dict.fromkeys(f"cwe.{cwe}" for cwe in cwes)),
            places=(Place(path=path, line=first, end_line=last),),
            severity=_SEVERITIES.get(raw["severity"], Severity.MAJOR),
            cwe=cwes[0],
            language="python",
            kind="module",
            split="test",
            origin="real",
            licence=loader.licence,
            source=f"{loader.home}@{loader.commit[:12]}, {raw['id']}",
            brief=f"The Python application {app}.",
            files={},
        )
        return _Entry(case=case, path=path, first=first, last=last, cwes=frozenset(_cwes(raw["acceptable_cwes"])))
    except (KeyError, TypeError, IndexError, AttributeError, InvalidInput) as error:
        raise _odd(page, error) from None


def _judged(folder: Path, entries: Sequence[_Entry]) -> Iterator[Judged]:
    for scanner in sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else ():
        reports = {p.name for p in scanner.glob("*.json") if _RUN.fullmatch(p.name)}
        left = {p.name.replace(".metrics", "") for p in scanner.glob("*.metrics.json")}
        for name in sorted(reports | left):
            numbered = _RUN.fullmatch(name)
            repeat = int((numbered and numbered[1]) or 1)
            metrics = scanner / name.replace(".json", ".metrics.json")
            spent = _read(metrics) if metrics.is_file() else {}
            try:
                found = _matched(_read(scanner / name, "results"), entries) if name in reports else None
                yield from _rows(scanner.name, repeat, entries, found, spent)
            except InvalidCase:
                raise
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _odd(scanner / name, error) from None


def _matched(findings: Sequence[Mapping[str, Any]], entries: Sequence[_Entry]) -> dict[int, Found]:
    """Return, for the index of every entry that a finding counts for, that finding."""
    matched: dict[int, Found] = {}
    for finding in findings:
        named = (finding.get("extra") or {}).get("metadata", {}).get("cwe") or []
        cwes = _cwes([named] if isinstance(named, str) else named)
        if not cwes:
            continue
        path, line = _path(finding["path"]), int(finding["start"]["line"])
        fitting = [
            (not entry.case.label.broken, index)
            for index, entry in enumerate(entries)
            if index not in matched
            and entry.path == path
            and cwes[0] in entry.cwes
            and entry.first - SLACK_LINES <= line <= entry.last + SLACK_LINES
        ]
        if fitting:
            matched[min(fitting)[1]] = Found(invariant=f"cwe.{cwes[0]}", path=path, line=line)
    return matched


def _rows(
    scanner: str, repeat: int, entries: Sequence[_Entry], found: Mapping[int, Found] | None, spent: Mapping[str, Any]
) -> Iterator[Judged]:
    prior, factors = digest_of(canonical({"scanner": scanner})), factors_of(scanner)
    status = str(spent.get("exit_status") or "no report")
    totals = {
        "tokens_in": int(spent.get("input_tokens") or 0),
        "tokens_out": int(spent.get("output_tokens") or 0),
        "cost_microusd": round(float(spent.get("cost_usd") or 0) * 1_000_000),
        "wait_ms": round(float(spent.get("wall_clock_seconds") or 0) * 1_000),
    }
    for index, entry in enumerate(entries):
        decision: Decision = "error" if found is None else "refused" if index in found else "approved"
        yield Judged(
            case=entry.case.id,
            gate=scanner,
            prior=prior,
            repeat=repeat,
            factors=factors,
            decision=decision,
            reason=f"the recorded run ended as {status}" if found is None else "",
            looked=0 if found is None else 1,
            found=(found[index],) if found is not None and index in found else (),
            **{what: _share(total, len(entries), index) for what, total in totals.items()},
        )


def factors_of(scanner: str) -> dict[str, str]:
    """Return what a configuration's name says of it: its kind, model, maker and procedure."""
    maker = MAKERS.get(scanner.partition("-")[0])
    if maker is None:
        return {"kind": "scanner", "model": scanner, "maker": scanner.partition("-")[0], "procedure": "scanner"}
    named = _CONFIGURATION.fullmatch(scanner)
    model, procedure = (named["model"], named["procedure"][1:]) if named else (scanner, "")
    return {"kind": "model", "model": model, "maker": maker, "procedure": procedure}


def _share(total: int, of: int, index: int) -> int:
    return total // of + (index < total % of)


def _cwes(named: Sequence[object]) -> list[int]:
    return [int(match[1]) for text in named if (match := _CWE.match(str(text)))]


def _path(named: str) -> str:
    named = named.replace("\\", "/")
    while named.startswith("./"):
        named = named[2:]
    return named.lstrip("/")


def _read(page: Path, key: str | None = None) -> Any:
    try:
        content = json.loads(page.read_text("utf-8"))
        return content if key is None else content[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _odd(page, error) from None


def _odd(page: Path, error: Exception) -> InvalidCase:
    return InvalidCase(f"{page} cannot be read as a page of {RealVuln.name}: {type(error).__name__}: {error}")
