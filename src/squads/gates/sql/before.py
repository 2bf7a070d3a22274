"""A change together with what stood before it: a migration alone does not say what its tables look like.

SQL of the base comes first, whatever its folder is called; a file that the change writes anew replaces the old one.
Python keeps its path, because modules import each other by it.
"""

from __future__ import annotations

from collections.abc import Callable

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, base_of

_BEFORE = "0000_before/"


def with_base(work: ReviewWork) -> tuple[Artifact, frozenset[str]]:
    """Return the artifact with the files that stood before, and the paths of the files that the change wrote."""
    artifact = work.artifact or Artifact.of({})
    base = base_of(work)
    if base is None:
        return artifact, frozenset(f.path for f in artifact.files)
    old = {f.path: f.content for f in base.files}
    own = {f.path: f.content for f in artifact.files}
    gone = own.keys() | set(artifact.removals)
    kept = {p: c for p, c in old.items() if p not in gone}
    placed = {p if p.endswith(".py") else _BEFORE + p: c for p, c in kept.items()}
    return Artifact.of(placed | own), frozenset(p for p, c in own.items() if old.get(p) != c)


def looked_at(work: ReviewWork, look: Callable[[Artifact], list[Finding]]) -> list[Finding]:
    """Return what `look` finds in the files that the change wrote; what stood before is only there to be known.

    Where what stood before cannot be read, the change is looked at alone.
    """
    artifact = work.artifact or Artifact.of({})
    whole, written = with_base(work)
    if whole is artifact:
        return look(artifact)
    try:
        found = look(whole)
    except CannotLook:
        return look(artifact)
    return [f for f in found if f.location is None or f.location.path in written]
