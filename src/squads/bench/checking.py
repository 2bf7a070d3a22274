"""Whether the figures of a run follow from its receipts: for a stranger who has the run's folder and nothing else.

The log is audited as every ledger is; every row is derived again from receipts and the content that they name, and
compared with what the folder says; the cases must have the digests of the manifest, and the packets must belong to
that very manifest. Whatever differs is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from squads.audit import Checked, audit
from squads.bench.families import set_digest
from squads.bench.folder import RunEnd, RunFolder, Taken, rows_digest
from squads.bench.judged import Judged
from squads.bench.manifest import RunManifest, pieces_of, whole
from squads.bench.receipts import Derived, derive, keyed, rows_of
from squads.bench.reuse import stands_for
from squads.contracts.base import Contract, digest_of
from squads.contracts.errors import InvalidInput, SquadsError

NAMED_MAX = 20
"""How many differences one check names; the others are counted."""
DEPTH_MAX = 8
"""How many runs deep verdicts may be taken over from one another."""


class RunCheck(Contract):
    """What a check of a run found: one result per check, never one boolean."""

    run: str
    rows: int
    """Rows that were derived again."""
    results: tuple[Checked, ...]

    @property
    def failed(self) -> tuple[Checked, ...]:
        """The checks that failed."""
        return tuple(r for r in self.results if r.state == "failed")

    @property
    def exit_code(self) -> int:
        """0 where nothing failed and the rows could be derived, else 2."""
        unread = any(r.check in ("verdicts", "taken") and r.state == "unchecked" for r in self.results)
        return 2 if self.failed or unread else 0


def check_run(run: Path | str, *, keys: Path | None = None, _depth: int = 0) -> RunCheck:
    """Check the run in a folder. Raises `InvalidInput` where there is no ended run that could be checked.

    `keys` is where this machine keeps keys and checkpoint files (`keys_home()` when None); without those of the run's
    ledger, whether it was cut back stays unchecked, and the content is read with the keys in the folder.
    """
    folder = RunFolder(run)
    manifest, end = folder.manifest(), folder.end()
    judged, taken = folder.judged(), folder.taken()
    results = [_cases(folder, manifest)]
    results.append(_manifest(manifest, end.manifest))
    rows: list[Judged] = []
    ended: list[str] = []
    derived: Derived | None = Derived()
    if folder.has_ledger:
        own = folder.keys(keys)
        found = audit(folder.store, keys=own)
        results += [r.but(check=f"ledger {r.check}") for r in found.results]
        ended += _head((end.origin, end.size, end.root), (found.origin, found.size, found.root))
        try:
            derived = derive(folder.store, own, manifest, folder.cases())
        except SquadsError as error:
            derived = None
            results.append(_said("verdicts", [f"no rows can be derived: {error}"], ""))
        else:
            results.append(_said("packets", derived.problems, f"{derived.packets} packets belong to this manifest"))
    if derived is not None:
        rows = rows_of(manifest, derived, keyed(manifest, taken))
        results.append(_compared(rows, judged))
        ended += [] if derived.problems else _ended(manifest, end, derived, rows)
    results.append(_said("end", ended, f"it ended as end.json says, with {end.size} receipts"))
    results.append(_written(rows_digest(judged), end.judged))
    if taken:
        results.append(_taken(manifest, taken, keys, _depth))
    return RunCheck(run=str(run), rows=len(rows), results=tuple(results))


def _cases(folder: RunFolder, manifest: RunManifest) -> Checked:
    """The cases that figures are counted by are those that were written down, labels included."""
    cases = {case.id: case for case in folder.cases()}
    wrong = []
    for entry in manifest.cases:
        case = cases.pop(entry.id, None)
        if case is None:
            wrong.append(f"{entry.id} is missing from cases.jsonl")
        elif digest_of(whole(case)) != entry.whole or case.digest != entry.shown:
            wrong.append(f"{entry.id} in cases.jsonl is not the case of the manifest")
    wrong += [f"{name} in cases.jsonl is not in the manifest" for name in cases]
    if not wrong and set_digest(folder.cases()) != manifest.case_set:
        wrong.append("the set of cases has another digest than the manifest says")
    return _said("cases", wrong, f"{len(manifest.cases)} cases have the digests of the manifest")


def _manifest(manifest: RunManifest, digest: str) -> Checked:
    wrong = [] if manifest.digest == digest else ["run.json was changed after the run: end.json has another digest"]
    return _said("manifest", wrong, "run.json is what the run was begun with")


def _head(said: tuple[str, int, str], found: tuple[str, int, str]) -> Iterator[str]:
    """Yield how the ledger is not the one that the run ended with: another, a shorter one, one that went on."""
    if said != found:
        yield (
            f"end.json speaks of {said[1]} receipts of {said[0]} with root {said[2][:16]}, and the ledger has "
            f"{found[1]} of {found[0]} with root {found[2][:16]}"
        )


def _ended(manifest: RunManifest, end: RunEnd, derived: Derived, rows: Sequence[Judged]) -> Iterator[str]:
    """Yield what end.json says otherwise than the receipts: how far it came, what it cost, that it was finished.

    A run that stopped where it looked best must not pass for one that judged everything it had planned.
    """
    planned = len(pieces_of(manifest))
    wanted = planned * len(manifest.gates)
    if end.why == "finished" and len(rows) != wanted:
        yield f"end.json says that it finished, and {wanted - len(rows)} of {wanted} planned verdicts are missing"
    packets = len({(row.case, row.repeat, row.factors.get("context")) for row in rows})
    for name, counted in {
        "packets": packets,
        "packets_planned": planned,
        "tokens": derived.spent.tokens,
        "cost_microusd": derived.spent.cost_microusd,
    }.items():
        if getattr(end, name) != counted:
            yield f"end.json says {getattr(end, name)} {name}, and the receipts say {counted}"


def _compared(rows: Sequence[Judged], judged: Sequence[Judged]) -> Checked:
    return _said("verdicts", list(_differences(rows, judged)), f"{len(rows)} rows follow from the receipts")


def _differences(rows: Sequence[Judged], judged: Sequence[Judged]) -> Iterator[str]:
    """Yield how the folder's rows differ from those that the receipts give."""
    ours = {_key(row): row for row in rows}
    theirs = {_key(row): row for row in judged}
    if len(theirs) != len(judged):
        yield "judged.jsonl has two rows for one verdict"
    for key in [*ours, *(k for k in theirs if k not in ours)]:
        one, other = ours.get(key), theirs.get(key)
        name = f"{key[1]} on {key[0]} (repeat {key[2]})"
        if other is None:
            yield f"judged.jsonl lacks the verdict of {name}"
        elif one is None:
            yield f"judged.jsonl has a verdict of {name}, and no receipt says it"
        elif one != other:
            names = [f for f in Judged.model_fields if getattr(one, f) != getattr(other, f)]
            first = names[0]
            yield (
                f"the verdict of {name} has another {', '.join(names)}: the receipts say {getattr(one, first)!r:.80}, "
                f"judged.jsonl says {getattr(other, first)!r:.80}"
            )
    if ours.keys() == theirs.keys() and list(ours) != list(theirs):
        yield "judged.jsonl has its rows in another order than the manifest"


def _written(found: str, said: str) -> Checked:
    wrong = [] if found == said else ["judged.jsonl was changed after the run: end.json has another digest"]
    return _said("judged", wrong, "judged.jsonl is what the run wrote")


def _taken(manifest: RunManifest, taken: Sequence[Taken], keys: Path | None, depth: int) -> Checked:
    """What was taken over stands in the other run, for the same case, prior and version, and each verdict once."""
    wrong: list[str] = []
    for run in sorted({t.run for t in taken}):
        mine = [t for t in taken if t.run == run]
        if depth >= DEPTH_MAX:
            return Checked(check="taken", state="unchecked", message=f"runs are taken over more than {DEPTH_MAX} deep")
        try:
            other = check_run(run, keys=keys, _depth=depth + 1)
            theirs = RunFolder(run).manifest()
            kept = {row.receipt: row for row in RunFolder(run).judged() if row.receipt}
            origin = RunFolder(run).end().origin
        except InvalidInput as error:
            message = f"{len(mine)} verdicts are those of {run}, which is not at hand: {error}"
            return Checked(check="taken", state="unchecked", message=message)
        wrong += [f"{run}: {r.check}: {r.message}" for r in other.failed]
        for each in mine:
            said = kept.pop(each.row.receipt or "", None)
            if said is None or each.origin != origin or not stands_for(said, theirs, each.row, manifest):
                wrong.append(
                    f"{run} holds no such verdict of {each.row.gate} on {each.row.case}, or it was taken twice"
                )
    return _said("taken", wrong, f"{len(taken)} verdicts stand in the runs that they were taken from")


def _key(row: Judged) -> tuple[str, str, int, str]:
    return row.case, row.gate, row.repeat, row.factors.get("context", "")


def _said(check: str, wrong: Sequence[str], right: str) -> Checked:
    if not wrong:
        return Checked(check=check, state="passed", message=right)
    state: Literal["failed"] = "failed"
    more = f"; and {len(wrong) - NAMED_MAX} more" if len(wrong) > NAMED_MAX else ""
    return Checked(check=check, state=state, message="; ".join(wrong[:NAMED_MAX]) + more)
