"""Known findings that do not refuse: what was there before a gate was switched on, written down finding by finding.

An entry knows a finding by its invariant, its file, and the text of its line and of the lines around it. Line numbers
do not count, so code that moves within its file stays known, and a line that is changed does not. An entry covers as
many findings as it counted and no more. A covered finding is never dropped: it rides along as a note that says why.

A baseline speaks against a gate. Keep it where the change that is judged cannot write it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from squads.contracts.artifact import Artifact
from squads.contracts.base import Digest, Name
from squads.contracts.errors import InvalidInput
from squads.contracts.finding import Finding, Severity
from squads.contracts.verdict import Abstained, Verdict
from squads.gates.check import CannotLook
from squads.gates.tools.report import scrubbed, strict_json
from squads.gates.tools.source import Source

BASELINE_BYTES_MAX = 16 * 1024 * 1024
NOT_LISTED = ".not-listed"
"""How the invariant ends that stands for findings which a verdict had no room for."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Entry(_Part):
    """Findings of one invariant in one file that look alike."""

    invariant: Name
    path: Annotated[str, StringConstraints(max_length=1_024)]
    """The file; empty for findings that name none."""
    fingerprint: Digest
    count: int = Field(ge=1)
    expires: str | None = Field(default=None, pattern=r"^\d{4}-\d\d-\d\d$")
    """The last day on which it counts, as `YYYY-MM-DD`; for ever when it is left out."""
    reason: str = Field(default="", max_length=500)

    def counts_on(self, today: date) -> bool:
        """Say whether the entry still counts."""
        return self.expires is None or today <= date.fromisoformat(self.expires)


class Baseline(_Part):
    """All entries; `text` is what stands in the file."""

    version: int = Field(default=1, ge=1, le=1)
    entries: tuple[Entry, ...] = Field(default=(), strict=False)

    @property
    def text(self) -> str:
        """The baseline as JSON, one entry's fields a line, in an order that makes differences small."""
        entries = [e.model_dump(exclude_defaults=True) for e in self.entries]
        return json.dumps({"version": self.version, "entries": entries}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the baseline in a file. Raises `CannotLook` when there is none that can be read."""
        try:
            with path.open("rb") as file:
                blob = file.read(BASELINE_BYTES_MAX + 1)
        except OSError as error:
            raise CannotLook(f"the baseline {path} cannot be read: {error.strerror}; make it, or name none") from None
        if len(blob) > BASELINE_BYTES_MAX:
            raise CannotLook(f"the baseline {path} is larger than {BASELINE_BYTES_MAX} bytes")
        try:
            baseline = cls.model_validate(strict_json(blob, f"the baseline {path}"))
            for entry in baseline.entries:
                entry.counts_on(date.min)  # a day that no calendar has is said here
        except ValidationError as error:
            item = error.errors(include_url=False, include_context=False)[0]
            where = ".".join(str(part) for part in item["loc"]) or "the whole"
            raise CannotLook(f"the baseline {path} cannot be used: {where}: {item['msg']}; make it again") from None
        except ValueError as error:
            raise CannotLook(f"the baseline {path} cannot be used: {scrubbed(str(error), 100)}") from None
        return baseline

    def applied(self, findings: Iterable[Finding], source: Source, today: date) -> list[Finding]:
        """Return the findings, those that are known lowered to notes that say so."""
        left: Counter[tuple[str, str, str]] = Counter()
        why: dict[tuple[str, str, str], str] = {}
        for entry in self.entries:
            if entry.counts_on(today):
                key = (entry.invariant, entry.path, entry.fingerprint)
                left[key] += entry.count
                until = f" until {entry.expires}" if entry.expires else ""
                why[key] = f"Known{until}{f' ({entry.reason})' if entry.reason else ''}: "
        found = []
        for finding in findings:
            key = _key(finding, source)
            if left[key] > 0:
                left[key] -= 1
                finding = finding.but(severity=Severity.NOTE, message=scrubbed(why[key] + finding.message, 4_000))
            found.append(finding)
        return found


def baseline_of(
    verdict: Verdict | Sequence[Verdict], artifact: Artifact, *, expires: str | None = None, reason: str = ""
) -> Baseline:
    """Return the baseline that knows every finding of a gate's verdict, notes included.

    Raises `InvalidInput` for an abstention, for a verdict that had no room for all findings, and for no real day.

    Args:
        verdict: What the gate said of `artifact`; several verdicts make one baseline.
        artifact: The very artifact that was judged.
        expires: The last day on which the entries count, as `YYYY-MM-DD`.
        reason: Why they are let through; it stands in every note.
    """
    counted: Counter[tuple[str, str, str]] = Counter()
    source = Source(artifact)
    for one in verdict if isinstance(verdict, Sequence) else (verdict,):
        if isinstance(one, Abstained):
            raise InvalidInput(f"a gate that could not look knows no findings, so no baseline was made: {one.reason}")
        for finding in one.findings:
            if finding.invariant.endswith(NOT_LISTED):
                raise InvalidInput("the verdict does not list all its findings; make baselines of fewer files at once")
            counted[_key(finding, source)] += 1
    try:
        if expires is not None:
            date.fromisoformat(expires)
        return Baseline(
            entries=tuple(
                Entry(invariant=invariant, path=path, fingerprint=print, count=count, expires=expires, reason=reason)
                for (invariant, path, print), count in sorted(counted.items())
            )
        )
    except ValueError as error:
        raise InvalidInput(f"no baseline can be made of it: {scrubbed(str(error), 300)}") from None


def fingerprint(finding: Finding, source: Source) -> str:
    """Return what a finding is known by: its line and its nearest neighbours that are not blank, spaces evened out.

    A finding that names no line is known by its message, without digits.
    """
    place = finding.location
    lines = source.lines(place.path) if place else []
    if place is None or place.line is None or not 1 <= place.line <= len(lines):
        parts = ["message", re.sub(r"\d+", "0", _even(finding.message))]
    else:
        before = next((even for line in reversed(lines[: place.line - 1]) if (even := _even(line))), "")
        after = next((even for line in lines[place.line :] if (even := _even(line))), "")
        parts = ["lines", before, _even(lines[place.line - 1]), after]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _key(finding: Finding, source: Source) -> tuple[str, str, str]:
    return finding.invariant, finding.location.path if finding.location else "", fingerprint(finding, source)


def _even(line: str) -> str:
    return " ".join(line.split())
