"""Asks the oracle of a family about what was planted into it, and keeps only what broke there.

The oracle has to flip: it says `holds` of the case that a candidate was planted into, and `broken` of the candidate,
whose own tests still pass. A candidate of which it says `holds` is equivalent, as far as anybody can tell, and dropped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from squads.bench.case import Case
from squads.bench.oracles.proof import Proof
from squads.bench.planting.plant import Planted
from squads.contracts.base import Content

Prove = Callable[[Path, Sequence[Case]], Awaitable[list[Proof]]]
"""What asks a family's oracle about cases: `squads.bench.oracles.prove_cases` with its sandbox and scratch server."""
Fate = Literal["kept", "equivalent", "failed"]
"""`failed`: the oracle could not say, its own tests among the reasons; or it does not hold what it was planted into."""


class Tried(Content):
    """One candidate, and what became of it."""

    planted: Planted
    fate: Fate
    said: str
    """What the oracle saw."""


async def tried(folder: Path, cases: Sequence[Case], planted: Sequence[Planted], *, prove: Prove) -> list[Tried]:
    """Return what became of each candidate of one family, in their order.

    Args:
        folder: The family's folder, with its oracle and the code's own tests.
        cases: The family's cases, those that were planted into among them.
        planted: What `plant` gave for them.
        prove: Asks the oracle.
    """
    if not planted:
        return []
    homes = {p.of for p in planted}
    sources = [case for case in cases if case.id in homes]
    proofs = await prove(folder, [*sources, *(p.case for p in planted)])
    before = dict(zip((case.id for case in sources), proofs, strict=False))
    return [_tried(p, proof, before) for p, proof in zip(planted, proofs[len(sources) :], strict=True)]


def _tried(planted: Planted, proof: Proof, before: Mapping[str, Proof]) -> Tried:
    source = before[planted.of]
    if source.answer != "holds":
        return Tried(planted=planted, fate="failed", said=f"{planted.of} itself is {source.answer}: {source.said}")
    fates: Mapping[str, Fate] = {"broken": "kept", "holds": "equivalent", "unknown": "failed"}
    return Tried(planted=planted, fate=fates[proof.answer], said=proof.said)
