"""The gate of kind `probe`: it attacks an artifact's SQL on a scratch database, and gives one verdict."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Unpack

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidSquad
from squads.contracts.finding import Finding, Severity
from squads.contracts.verdict import Abstained, Refused, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.gate import Gate
from squads.gates.probes import fits, migration, rights, tenant, values
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.scene import Scene, scene
from squads.gates.skipping import checked_skip, skips
from squads.gates.sql import SQL_FILES
from squads.kernel.scratch_ports import Scratch
from squads.minds.thinker import Options

PROBES: Final[dict[str, str]] = {
    "probe.unique-null": "sql.unique-null",
    "probe.balance": "sql.balance-not-negative",
    "probe.definer-rights": "sql.definer-rights",
    "probe.value-fits": "sql.value-fits",
    "probe.tenant": "sql.tenant",
    "probe.exact-money": "sql.exact-money",
    "probe.locks": "migration.locks",
    "probe.destroys": "migration.destroys",
}
"""Each probe, and the invariant that its findings are about."""
_SCHEMA: dict[str, Callable[[Scene], Awaitable[Outcome]]] = {
    "probe.unique-null": values.unique_null,
    "probe.balance": values.balance,
    "probe.definer-rights": rights.definer_rights,
    "probe.value-fits": fits.value_fits,
    "probe.tenant": tenant.tenant,
    "probe.exact-money": values.exact_money,
}
_MIGRATION: dict[str, Callable[[Artifact, Artifact | None, Scratch], Awaitable[Outcome]]] = {
    "probe.locks": migration.locks,
    "probe.destroys": migration.destroys,
}
_BASE = "base"
_VALUES = "probe.value-fits"


class Probes(Gate):
    """Attacks an artifact's SQL files on databases of their own; any probe may refuse.

    Args:
        probes: Which ones, of `PROBES`; all of them where nothing is said.
        scratch: Where the databases are made. Without it the gate abstains.
        skip: Folders and files that are not looked at, as paths from the top.
        refuse_at: The severity from which a finding refuses.
        options: What every role may say; see `squads.minds.thinker.Thinker`.
    """

    def __init__(
        self,
        probes: Iterable[str] = tuple(PROBES),
        *,
        scratch: Scratch | None = None,
        skip: Iterable[str] = (),
        refuse_at: Severity | str | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(refuse_at=refuse_at, **options)
        chosen = (probes,) if isinstance(probes, str) else tuple(probes)
        for name in chosen:
            if name not in PROBES:
                raise InvalidSquad(f"there is no probe {name!r:.60}; known: {', '.join(PROBES)}")
        if not chosen:
            raise InvalidSquad("a gate of probes without one approves everything; name at least one")
        if scratch is not None and not hasattr(scratch, "database"):
            raise InvalidSquad(f"scratch={scratch!r:.60} is nowhere that databases are made; leave it out of a card")
        self.probes = tuple(dict.fromkeys(chosen))
        self.name = self.name or "probes"
        self.skip = checked_skip(skip, self.name)
        self.prior = self.prior or f"Probes: {', '.join(self.probes)}."
        self.scratch = scratch

    async def review(self, work: ReviewWork) -> Verdict:
        """Attack the artifact's SQL; where nothing of it was attacked and nothing could be, say so."""
        if work.artifact is None:
            return Abstained(reason="a probe attacks artifacts and compositions, not plans")
        files = tuple(f for f in work.artifact.files if not skips(self.skip, f.path))
        if not files or not any(f.path.endswith(tuple(p.removeprefix("*") for p in SQL_FILES)) for f in files):
            return self.decide((), looked=0)
        if self.scratch is None:
            return Abstained(
                reason="this probe has no scratch database; give it `scratch=PostgresScratch()`, or use it from a card"
            )
        seen = Artifact(files=files, author=work.artifact.author, attempt=work.artifact.attempt)
        findings: list[Finding] = []
        unable: list[str] = []
        attacked = 0
        for name in self.probes:
            try:
                outcome = await self._attack(name, seen, work.inputs.get(_BASE), self.scratch)
            except CannotLook as error:
                unable.append(f"{name}: {error}")
                continue
            attacked += outcome.attacked
            findings += [f for f in outcome.findings if f not in findings]
            unable += [f"{name}: {reason}" for reason in outcome.unable]
        looked = len(seen.matching(*SQL_FILES)) if attacked else 0
        verdict = self.decide(findings, looked=looked)
        if unable and not isinstance(verdict, Refused):
            return Abstained(reason="; ".join(dict.fromkeys(unable))[:2_000])
        return verdict

    async def _attack(self, name: str, artifact: Artifact, base: Artifact | None, scratch: Scratch) -> Outcome:
        if name in _MIGRATION:
            return await _MIGRATION[name](artifact, base, scratch)
        async with scene(_whole(artifact, base), scratch) as stage:
            if stage.refused and name != _VALUES:
                part, told = stage.refused[0]
                raise CannotLook(f"{part.place} does not apply: {told.message} ({told.sqlstate})")
            return await _SCHEMA[name](stage)


def probe_named(name: str, *, scratch: Scratch | None = None) -> Probes:
    """Return one probe as a gate that is called like it. Raises `InvalidSquad` for an unknown one."""
    return Probes([name], scratch=scratch, name=name)


def _whole(artifact: Artifact, base: Artifact | None) -> Artifact:
    """Return what stands after a change: the base, with the artifact's files over it."""
    if base is None:
        return artifact
    own = {f.path for f in artifact.files}
    kept = [f for f in base.files if f.path not in own and f.path not in artifact.removals]
    files = sorted((*kept, *artifact.files), key=lambda f: f.path)
    return Artifact(files=tuple(files), author=artifact.author, attempt=artifact.attempt)
