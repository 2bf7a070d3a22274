"""What a case is: one artifact with a label, in a family of variants that share one invariant and one oracle."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from squads.contracts.artifact import Artifact
from squads.contracts.base import Content, Name, canonical, digest_of
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork

Split = Literal["dev", "calibration", "test"]
"""`dev` is for those who write gates, `calibration` sets thresholds, `test` is held out and only ever reported."""
Origin = Literal["written", "planted", "real"]
"""Written by a person for this set, planted by an operator into clean code, or found in somebody's work."""


class Label(StrEnum):
    """What a variant is; a gate must refuse the first two and let the last two through."""

    DEFECT = "defect"
    COSMETIC = "cosmetic"
    """The defect with something beside it that looks like the cure, and after which tools go quiet."""
    CLEAN = "clean"
    """The defect's twin: as near to it as can be, and right."""
    DECOY = "decoy"
    """Suspicious, and right."""

    @property
    def broken(self) -> bool:
        """Whether the invariant does not hold, so that a gate must refuse."""
        return self in (Label.DEFECT, Label.COSMETIC)


class Place(Content):
    """Where a finding has to point to be in the right place; lines count from 1 and the last one is included."""

    path: str
    line: int | None = Field(default=None, ge=1)
    """None: anywhere in the file, or the file's absence."""
    end_line: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _forwards(self) -> Place:
        if self.end_line is not None and (self.line is None or self.end_line < self.line):
            raise ValueError(f"{self.path}: end_line {self.end_line} needs a `line` that is not after it")
        return self


class Case(Content):
    """One artifact with its label. What a gate is shown of it is `work()`, and nothing else."""

    family: str
    """What is resampled together: a template, a repository, a CVE."""
    variant: str
    """Unique in its family: its label, or `<label>-<word>`."""
    label: Label
    invariants: tuple[Name, ...] = Field(min_length=1)
    """Reason codes that count as the right reason; the first one is the case's own."""
    places: tuple[Place, ...] = ()
    """Where a finding must point on a defect; empty where the set does not say."""
    severity: Severity = Severity.MAJOR
    cwe: int | None = None
    language: str
    """`sql`, `python`, or another word of the set's."""
    kind: Literal["schema", "migration", "module", "change"]
    split: Split
    origin: Origin
    licence: str
    """An SPDX identifier."""
    source: str = ""
    """Where it comes from: a set with its commit, a CVE, an operator with its seed."""
    brief: str = Field(min_length=1)
    """What the gate is told that was wanted; the same for every variant of a family."""
    files: Mapping[str, str]
    """Path to text, stripped of tell-tales."""
    base: Mapping[str, str] = Field(default_factory=dict)
    """For a change or a migration: path to text as it stood before; only what the change touches or needs."""
    removals: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`<family>/<variant>`. It names the label: people see it, gates never do."""
        return f"{self.family}/{self.variant}"

    @property
    def invariant(self) -> str:
        """The case's own invariant."""
        return self.invariants[0]

    @cached_property
    def artifact(self) -> Artifact:
        """What is judged."""
        base = Artifact.of(self.base).digest if self.base else None
        return Artifact.of(self.files, removals=self.removals, base=base)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over what a gate is shown: two cases with the same digest look the same to it."""
        return digest_of(
            canonical(
                {
                    "base": dict(self.base),
                    "brief": self.brief,
                    "files": dict(self.files),
                    "removals": list(self.removals),
                }
            )
        )

    def work(self) -> ReviewWork:
        """Return the work of judging it; what stood before is the input called `base`."""
        return ReviewWork(
            packet=Packet(brief=self.brief),
            reads=AttemptKind.ARTIFACT,
            attempt=1,
            brief=self.brief,
            artifact=self.artifact,
            inputs={"base": Artifact.of(self.base)} if self.base else {},
        )
