"""From a run to records of its gates: what each caught and refused wrongly, counted for the ledger of a project.

A record is only made of a run whose rows follow from its receipts. It is counted strictly: an abstention and an error
are no catch. It must never stand for another gate than the one that was measured, so it names the prior.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from squads.bench.case import Case
from squads.bench.checking import check_run
from squads.bench.folder import RunFolder
from squads.bench.intervals import wilson
from squads.bench.judged import Hit, Judged, hit_of
from squads.contracts.errors import InvalidInput
from squads.contracts.records import CalibrationRate, CalibrationRecord
from squads.workspace import Workspace


def records_of(
    run: Path | str, workspace: str, *, gates: Collection[str] = (), keys: Path | None = None
) -> list[CalibrationRecord]:
    """Return a record for each gate of a finished run, for the workspace of this id.

    A gate that is called as an invariant of the cases holds that one; any other gate holds all of them.

    Raises:
        InvalidInput: For a run that has not finished, does not check, had several contexts, or has no such gate.
    """
    folder = RunFolder(run)
    manifest, end = folder.manifest(), folder.end()
    if end.why != "finished":
        raise InvalidInput(f"{folder.path} ended at its bound of {end.why}; run it to its end, then record it")
    if len(manifest.contexts) > 1:
        raise InvalidInput(f"{folder.path} has {len(manifest.contexts)} contexts; a record speaks of one way to judge")
    found = check_run(run, keys=keys)
    if found.exit_code:
        why = next((r.message for r in found.results if r.state == "failed"), "not all of it could be checked")
        raise InvalidInput(f"{folder.path} does not check, and nothing is recorded of it: {why}")
    known = {gate.name: gate for gate in manifest.gates}
    if unknown := [name for name in gates if name not in known]:
        raise InvalidInput(f"the run has no gate {unknown[0]!r}; it has {', '.join(known)}")
    cases, judged = folder.cases(), folder.judged()
    priors = [gate.prior for gate in manifest.gates if not gates or gate.name in gates]
    if len(set(priors)) != len(priors):
        raise InvalidInput(f"two gates of {folder.path} bring one prior; name the one to record with --gate")
    return [
        CalibrationRecord(
            workspace=workspace,
            gate=gate.name,
            prior=gate.prior,
            version=gate.version,
            rates=rates_of(cases, [row for row in judged if row.gate == gate.name], gate.name),
            cases=manifest.case_set,
            run=manifest.digest,
            ledger_root=end.root,
            ledger_size=end.size,
        )
        for gate in manifest.gates
        if not gates or gate.name in gates
    ]


def rates_of(cases: Iterable[Case], rows: Sequence[Judged], gate: str) -> tuple[CalibrationRate, ...]:
    """Return what a gate did on the cases of each invariant, by invariant."""
    by_id = {case.id: case for case in cases}
    judged = [(by_id[row.case], row) for row in rows]
    invariants = sorted({case.invariant for case, _ in judged})
    found = []
    for invariant in invariants:
        mine = [(case, row) for case, row in judged if case.invariant == invariant]
        defects = [(case, row) for case, row in mine if case.label.broken]
        clean = [row for case, row in mine if not case.label.broken]
        caught = sum(hit_of(case, row) is Hit.REASON for case, row in defects)
        refused = sum(row.decision == "refused" for row in clean)
        (caught_low, caught_high), (refused_low, refused_high) = _ppm(caught, len(defects)), _ppm(refused, len(clean))
        found.append(
            CalibrationRate(
                invariant=invariant,
                held=invariant == gate or gate not in invariants,
                defects=len(defects),
                caught=caught,
                caught_low_ppm=caught_low,
                caught_high_ppm=caught_high,
                clean=len(clean),
                refused=refused,
                refused_low_ppm=refused_low,
                refused_high_ppm=refused_high,
            )
        )
    return tuple(found)


async def record(
    run: Path | str, workspace: Workspace, *, gates: Collection[str] = (), person: str | None = None
) -> list[CalibrationRecord]:
    """Append the records of a run to a workspace, signed by its root or by a person, and return them.

    Raises what `records_of` raises, `KeyUnavailable` where the signer's key is away, and `Denied`.
    """
    found = records_of(run, workspace.id, gates=gates)
    signer = workspace.root() if person is None else workspace.speaker(f"human:{workspace.person(person)}")
    for each in found:
        if workspace.view.calibrations.get(each.prior) != each:
            await workspace.append(each, signer)
    return found


def _ppm(hits: int, of: int) -> tuple[int, int]:
    """Return Wilson's 95 percent interval in parts per million; everything is possible where there is no case."""
    if not of:
        return 0, 1_000_000
    interval = wilson(hits, of)
    return max(0, round(interval.low * 1_000_000)), min(1_000_000, round(interval.high * 1_000_000))
