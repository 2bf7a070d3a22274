"""Verdicts of earlier runs that stand for those of this one: same case, prior, version, factors, repeat and seed.

Every row is used once: two arms of one prior are two readings, and one reading must not count as both. What was no
answer (a crash, a deadline) is never taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from squads.bench.folder import RunFolder, Taken
from squads.bench.judged import Judged
from squads.bench.manifest import ContextEntry, GateEntry, RunManifest
from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import InvalidInput

Key = str


def taken_from(runs: Iterable[Path | str], manifest: RunManifest) -> list[Taken]:
    """Return rows of earlier runs under the names of this one. Raises `InvalidInput` for what is no ended run."""
    kept: dict[Key, list[Taken]] = defaultdict(list)
    for path in runs:
        for key, taken in _offered(RunFolder(path)):
            kept[key].append(taken)
    found = []
    shown = {case.id: case.shown for case in manifest.cases}
    for context in manifest.contexts:
        for gate in manifest.gates:
            for case in manifest.cases:
                for repeat in range(1, manifest.repeats + 1):
                    offered = kept.get(_key(shown[case.id], gate, context, repeat, manifest.seed), [])
                    if not offered:
                        continue
                    best = next((t for t in offered if t.row.gate == gate.name), offered[0])
                    offered.remove(best)
                    found.append(best.but(row=_renamed(best.row, case.id, gate, manifest, context)))
    return found


def stands_for(said: Judged, theirs: RunManifest, row: Judged, manifest: RunManifest) -> bool:
    """Say whether a row is what taking over another run's row gives: of the same case, gate, context, repeat, seed."""
    try:
        key, entry, context = _key_of(row, manifest)
        return key == _key_of(said, theirs)[0] and row == _renamed(said, row.case, entry, manifest, context)
    except InvalidInput:
        return False


def _key_of(row: Judged, manifest: RunManifest) -> tuple[Key, GateEntry, ContextEntry]:
    only = manifest.contexts[0].name
    shown = next((case.shown for case in manifest.cases if case.id == row.case), None)
    gate = next((gate for gate in manifest.gates if gate.name == row.gate), None)
    named = row.factors.get("context", only)
    context = next((context for context in manifest.contexts if context.name == named), None)
    if shown is None or gate is None or context is None:
        raise InvalidInput(
            f"there is a verdict of {row.gate} on {row.case:.80} in the context {named!r:.40}, and the run's manifest "
            "names no such thing; run `squads bench check` on it"
        )
    return _key(shown, gate, context, row.repeat, manifest.seed), gate, context


def _offered(folder: RunFolder) -> Iterator[tuple[Key, Taken]]:
    manifest = folder.manifest()
    origin = folder.end().origin
    only = manifest.contexts[0].name
    inherited = {(t.row.case, t.row.gate, t.row.repeat, t.row.factors.get("context", only)) for t in folder.taken()}
    for row in folder.judged():
        key, _, context = _key_of(row, manifest)
        # Whose receipts are elsewhere is taken from there: name that run as well.
        if row.decision != "error" and (row.case, row.gate, row.repeat, context.name) not in inherited:
            yield key, Taken(row=row, run=str(folder.path), origin=origin)


def _key(shown: str, gate: GateEntry, context: ContextEntry, repeat: int, seed: int) -> Key:
    said = [gate.prior, gate.version, dict(gate.factors), context.model_dump(mode="json"), shown, repeat, seed]
    return digest_of(canonical(said))


def _renamed(row: Judged, case: str, gate: GateEntry, manifest: RunManifest, context: ContextEntry) -> Judged:
    author = {name: level for name, level in row.factors.items() if name == "author"}
    return row.but(case=case, gate=gate.name, factors={**manifest.factors(gate.name, context.name), **author})
