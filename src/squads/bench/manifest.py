"""The manifest of a run: what was going to be judged by whom, written down before the first verdict.

`run.json` says it by digests: the set of cases and every case, every gate with its prior and version, the factors, the
contexts, the repeats and the seed. The same command finds the same manifest, and only then goes on with the run.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field

from squads.bench.arms import Arm, Context, version_of
from squads.bench.case import Case
from squads.bench.families import set_digest
from squads.contracts.base import Content, Digest, Name, canonical, digest_of
from squads.contracts.errors import InvalidInput
from squads.resolve import models_of, prior_of

FORMAT: Final = "squads.bench.run/1"
REFERENCE = "\n\nreference: "
"""What stands before the opaque reference that ends every brief."""


class CaseEntry(Content):
    """One case of the set, by digests."""

    id: str
    shown: Digest
    """SHA-256 over what gates are shown of it."""
    whole: Digest
    """SHA-256 over all of it, the label included."""


class GateEntry(Content):
    """One gate of the run."""

    name: Name
    prior: Digest
    version: str
    models: tuple[str, ...] = ()
    """What it may ask; a panel's members count."""
    factors: Mapping[str, str] = Field(default_factory=dict)


class ContextEntry(Content):
    """One context of the run."""

    name: str
    told: str = ""
    base: bool = True
    author: str | None = None


class Contrast(Content):
    """One comparison that was decided on before the run: what is asked, of which panels, by which tests."""

    name: Name
    question: str
    panels: Mapping[str, tuple[str, ...]]
    """The panels that are compared, each by the names of its gates."""
    rule: str = "any may refuse"
    tests: tuple[str, ...] = ()
    calls: int = Field(default=0, ge=0)
    """Gate calls for each case and panel: equal, or the comparison is of budgets."""
    note: str = ""


class RunManifest(Content):
    """The page `run.json`."""

    format: Literal["squads.bench.run/1"] = FORMAT
    title: str
    case_set: Digest
    cases: tuple[CaseEntry, ...] = Field(min_length=1)
    gates: tuple[GateEntry, ...] = Field(min_length=1)
    contexts: tuple[ContextEntry, ...] = Field(min_length=1)
    repeats: int = Field(ge=1, le=1_000)
    seed: int = Field(ge=0, le=2**53 - 1)
    reply_ms_max: int = Field(ge=1)
    """After this long without an answer a gate is silent; it is asked once more."""
    contrasts: tuple[Contrast, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the manifest: what a verdict of this run belongs to."""
        return digest_of(self.canonical())

    def context(self, name: str) -> ContextEntry:
        """Return the context of this name."""
        return next(c for c in self.contexts if c.name == name)

    def factors(self, gate: str, context: str) -> dict[str, str]:
        """Return the levels under which a gate judges in a context."""
        entry = next(g for g in self.gates if g.name == gate)
        several = len(self.contexts) > 1 or self.contexts[0].name != Context().name
        return {**entry.factors, **({"context": context} if several else {})}


class Piece(NamedTuple):
    """One packet of a run: a case, which repeat, in which context."""

    reference: str
    """16 hex digits that end the brief. They follow from the manifest with its seed, so that an opening's receipt binds
    a packet to what was written down before, and say nothing of the label."""
    case: str
    repeat: int
    context: str


def manifest_of(
    cases: Sequence[Case],
    arms: Sequence[Arm],
    gates: Mapping[str, Any],
    contexts: Sequence[Context],
    *,
    title: str,
    repeats: int,
    seed: int,
    reply_ms_max: int,
    contrasts: Iterable[Contrast] = (),
) -> RunManifest:
    """Return what `run.json` says of a run. Raises `InvalidInput` for cases that a run cannot tell apart."""
    if not cases:
        raise InvalidInput("a run without cases measures nothing; name a folder of families, or another split")
    if len({c.id for c in cases}) != len(cases):
        twice = sorted(c.id for c in cases if sum(o.id == c.id for o in cases) > 1)[0]
        raise InvalidInput(f"two cases are called {twice!r}; a case's family and variant name it once")
    return RunManifest(
        title=title,
        case_set=set_digest(cases),
        cases=tuple(CaseEntry(id=c.id, shown=c.digest, whole=digest_of(whole(c))) for c in cases),
        gates=tuple(
            GateEntry(
                name=arm.name,
                prior=prior_of(gates[arm.name]),
                version=version_of(gates[arm.name]),
                models=tuple(_models(gates[arm.name])),
                factors=dict(sorted(arm.factors.items())),
            )
            for arm in arms
        ),
        contexts=tuple(ContextEntry(name=c.name, told=c.told, base=c.base, author=c.author) for c in contexts),
        repeats=repeats,
        seed=seed,
        reply_ms_max=reply_ms_max,
        contrasts=tuple(contrasts),
    )


def whole(case: Case) -> bytes:
    """Return a case with its label as one line of canonical JSON."""
    return canonical(case.model_dump(mode="json"))


def pieces_of(manifest: RunManifest) -> list[Piece]:
    """Return the packets of a run in the order in which they are opened: the same for the same seed."""
    digest = manifest.digest
    found = [
        Piece(_reference(digest, entry, repeat, context), entry.id, repeat, context.name)
        for context in manifest.contexts
        for entry in manifest.cases
        for repeat in range(1, manifest.repeats + 1)
    ]
    found.sort()
    random.Random(manifest.seed).shuffle(found)  # noqa: S311  # an order, not a secret
    return found


def _reference(manifest: str, case: CaseEntry, repeat: int, context: ContextEntry) -> str:
    """Return what ties a packet to its piece, and to the whole manifest: its seed, its gates, its contrasts."""
    return digest_of(canonical([manifest, case.id, case.whole, repeat, context.name]))[:16]


def brief_of(case: Case, context: ContextEntry, reference: str) -> str:
    """Return what gates are told was wanted, the context's paragraph, and the packet's reference."""
    told = f"\n\n{context.told.strip()}" if context.told.strip() else ""
    return f"{case.brief}{told}{REFERENCE}{reference}"


def reference_in(brief: str) -> str:
    """Return the reference that ends a brief; empty where none does."""
    _, found, reference = brief.rpartition(REFERENCE)
    return reference if found else ""


def _models(gate: Any) -> list[str]:
    own = [record.called for record in models_of(gate)]
    return own + [model for member in getattr(gate, "members", ()) for model in _models(member)]
