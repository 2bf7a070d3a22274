"""From a tool's rules to invariants and severities: a table that people write, read in one way.

A rule's own id comes first, then the longest pattern that fits, so that the order of a table never matters.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from squads.contracts.errors import InvalidSquad
from squads.contracts.finding import Finding, Location, Severity
from squads.gates.tools.report import LEVELS, Level, Result, scrubbed
from squads.gates.tools.source import Source

Unmapped = Literal["note", "keep", "drop"]
EVIDENCE_CHARS_MAX = 500
_SEVERITIES: dict[Level, Severity] = {
    "error": Severity.MAJOR,
    "warning": Severity.MINOR,
    "note": Severity.NOTE,
}
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMapping:
    """How one gate reads its tool's rules. Raises `InvalidSquad` for a table that says nothing readable."""

    tool: str
    """What invariants of unmapped rules begin with."""
    rules: Mapping[str, str]
    severities: Mapping[str, str]
    levels: Mapping[str, str]
    unmapped: Unmapped
    heeds_suppressions: bool

    def __post_init__(self) -> None:
        for pattern, invariant in self.rules.items():
            if not isinstance(invariant, str) or not _NAME.fullmatch(invariant):
                raise InvalidSquad(
                    f"rules[{pattern!r}] is {invariant!r}, which is no invariant's id; "
                    "use lower-case letters, digits, '.', '_' and '-', starting with a letter, 64 at most"
                )
        for table, name in ((self.severities, "severities"), (self.levels, "levels")):
            for key, severity in table.items():
                if severity not in list(Severity):
                    raise InvalidSquad(f"{name}[{key!r}] is {severity!r}; use one of {', '.join(Severity)}")
        if unknown := sorted(set(self.levels) - set(LEVELS)):
            raise InvalidSquad(f"levels has {unknown[0]!r}; a tool's levels are {', '.join(LEVELS)}")
        if self.unmapped not in ("note", "keep", "drop"):
            raise InvalidSquad(f"unmapped is {self.unmapped!r}; use 'note', 'keep' or 'drop'")

    def finding_of(self, result: Result, source: Source) -> Finding | None:
        """Return what a result says about the artifact; None where its rule is dropped."""
        invariant = chosen(self.rules, result.rule)
        if invariant is None and self.unmapped == "drop":
            return None
        severity = self._severity(result, mapped=invariant is not None)
        message = f"{result.message} [{scrubbed(result.rule, 120)}]"
        if result.suppressed == "external" or (result.suppressed and self.heeds_suppressions):
            where = "in the file" if result.suppressed == "in-source" else "outside of the file"
            severity, message = Severity.NOTE, f"Silenced {where}: {message}"
        return Finding(
            invariant=invariant or slug(f"{self.tool}.{result.rule}"),
            severity=severity,
            message=message,
            location=_location(result),
            evidence=scrubbed(source.line(result.path, result.line), EVIDENCE_CHARS_MAX),
            satisfy=result.satisfy,
        )

    def _severity(self, result: Result, *, mapped: bool) -> Severity:
        given = chosen(self.severities, result.rule)
        if given is not None:
            return Severity(given)
        if not mapped and self.unmapped == "note":
            return Severity.NOTE
        return Severity(self.levels.get(result.level, _SEVERITIES[result.level]))


def chosen(table: Mapping[str, str], rule: str) -> str | None:
    """Return what a table says of a rule: by its id, else by the longest pattern that fits; None where it is silent."""
    if rule in table:
        return table[rule]
    fitting = [pattern for pattern in table if fnmatch.fnmatchcase(rule, pattern)]
    return table[max(fitting, key=lambda p: (len(p), p))] if fitting else None


def slug(text: str) -> str:
    """Return a name for a rule: lower case, other signs as dashes; a long one is cut and told apart by a digest."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"tool.{name}".rstrip(".")
    if len(name) > 64:
        name = f"{name[:55]}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return name


def _location(result: Result) -> Location | None:
    if result.path is None:
        return None
    end = result.end_line if result.line and result.end_line and result.end_line >= result.line else None
    return Location(path=result.path, line=result.line, column=result.column if result.line else None, end_line=end)
