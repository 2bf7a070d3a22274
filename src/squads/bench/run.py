"""Runs gates on cases, each packet through a squad over the run's own ledger, so that every verdict is a receipt.

One packet is one case, one repeat and one context; all gates of the run read it. A run that was killed goes on when it
is begun again with the same arguments: what has ended is not asked again, what was open is taken up, and replies of
models that were paid for are read from the journal. It must never tell a gate which case is the defect.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squads.bench.arms import Context, arms_of, contexts_of, seats
from squads.bench.case import Case
from squads.bench.folder import RunEnd, RunFolder, Taken, Why
from squads.bench.judged import Results
from squads.bench.manifest import Contrast, Piece, RunManifest, brief_of, manifest_of, pieces_of, reference_in
from squads.bench.receipts import Derived, derive, head_of, keyed, rows_of
from squads.bench.reuse import taken_from
from squads.bench.seat import Turnstile, seated, thinks
from squads.contracts.artifact import Artifact
from squads.contracts.base import digest_of
from squads.contracts.errors import InvalidInput
from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.outcome import AwaitingApproval, Halted, Outcome
from squads.contracts.packet import Budget, Limits, Packet
from squads.contracts.records import RoleRecord
from squads.contracts.work import BuildWork
from squads.kernel.model_ports import Model
from squads.ledger.merkle import EMPTY_ROOT
from squads.resolve import record_of_role
from squads.roles.builder import Builder
from squads.squad import Squad
from squads.thinking import thinking_with

PACKETS_AT_ONCE = 4
"""How many packets are open at once where gates compute here; they share the processors."""
PACKETS_AT_ONCE_ASKING = 16
"""The same where models answer: then a packet mostly waits."""
ASKED_MAX = 2
"""How often a gate can be asked in one packet: who could not look is asked once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBudget:
    """What a run may spend; at a bound it ends with what is there. None is no bound of that kind."""

    cost_microusd_max: int | None = None
    """Millionths of a US dollar; no packet begins that could pass it, so it holds."""
    tokens_max: int | None = None
    seconds: float | None = None
    """Wall-clock seconds, from now: no packet begins later."""


@dataclass(slots=True)
class RunProgress:
    """How far a run is; handed to whoever watches, after every packet."""

    packets: int
    packets_ended: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    """How many verdicts of each decision came in."""
    usage: Usage = NO_USAGE
    seconds: float = 0.0


Watch = Callable[[RunProgress], None]


async def run(
    cases: Sequence[Case],
    gates: Iterable[Any],
    out: Path | str,
    *,
    contexts: Iterable[Context] = (Context(),),
    repeats: int = 1,
    seed: int = 0,
    title: str = "",
    models: Model | Mapping[str, Any] | None = None,
    budget: RunBudget = RunBudget(),
    reuse: Iterable[Path | str] = (),
    contrasts: Iterable[Contrast] = (),
    again: bool = False,
    packets_at_once: int | None = None,
    reply_ms_max: int = 600_000,
    keys: Path | None = None,
    sandbox: Any = None,
    watch: Watch | None = None,
) -> Results:
    """Have every gate judge every case, and return the results; they stand in the folder `out` as well.

    Args:
        cases: What is judged; see `squads.bench.families.cases`.
        gates: Gates, or arms: gates with names of their own and levels of factors.
        out: The run's folder: a new one, or that of a run with the same arguments, which is gone on with.
        contexts: The levels of the factor `context`; each costs all packets again.
        repeats: How often each gate judges each case.
        seed: Gives the order of the packets and their references.
        title: What the run is called.
        models: As for a `Squad`.
        budget: What may be spent; at a bound the run ends with what is there.
        reuse: Folders of earlier runs. What they hold for the same case, prior, version, factors, repeat and seed is
            taken over, and named as such.
        contrasts: Comparisons that are written down before the run.
        again: Ask anew where a gate could not look or gave no answer: it abstained, crashed, was late.
        packets_at_once: How many packets are open at once.
        reply_ms_max: How long a gate may take; then it is silent, and asked once more.
        keys: Where private keys are kept; None is `SQUADS_HOME` or the user's configuration directory.
        sandbox: Where commands of gates' tools run.
        watch: Told after every packet how far the run is.

    Raises:
        InvalidInput: For what cannot be run, and for a folder of another run.
        LedgerError: Where the run's ledger cannot be written or is broken.
    """
    arms = arms_of(gates)
    made, levels = seats(arms), contexts_of(contexts)
    manifest = manifest_of(
        cases,
        arms,
        made,
        levels,
        title=title or f"{len(arms)} gates on {len(cases)} cases",
        repeats=repeats,
        seed=seed,
        reply_ms_max=reply_ms_max,
        contrasts=contrasts,
    )
    folder = RunFolder(out)
    models_here = thinking_with(models, made.values(), sandboxed=sandbox is not None)
    try:
        folder.check_room(manifest)
        with folder.alone():
            folder.begin(manifest, cases)
            running = _Running(folder, manifest, cases, made, keys=keys, budget=budget, again=again, watch=watch)
            running.take(reuse)
            return await running.go(levels, models_here, sandbox, packets_at_once)
    finally:
        if models_here is not None and models_here is not models:
            await models_here.close()


class Handing(Builder):
    """Hands in the artifact of the case that a packet's reference stands for."""

    name = "case"
    prior = "Hands in what was written elsewhere, as it is."

    def __init__(self, cases: Mapping[str, Case], *, author: str | None = None) -> None:
        self._cases = cases
        if author is not None:
            self.model = author

    def build(self, work: BuildWork) -> Artifact:
        """Return the case's files."""
        case = self._cases.get(reference_in(work.packet.brief))
        if case is None:
            raise InvalidInput("the packet's brief ends with no reference of this run; open it through the run")
        return work.artifact(case.files, removals=case.removals, base=case.artifact.base)


class _Running:
    """One run while it goes on."""

    def __init__(
        self,
        folder: RunFolder,
        manifest: RunManifest,
        cases: Sequence[Case],
        gates: Mapping[str, Any],
        *,
        keys: Path | None,
        budget: RunBudget,
        again: bool,
        watch: Watch | None,
    ) -> None:
        self._folder, self._manifest, self._keys = folder, manifest, keys
        self._cases = {case.id: case for case in cases}
        self._gates = gates
        self._budget, self._again, self._watch = budget, again, watch
        self._pieces = pieces_of(manifest)
        self._limits = Limits(
            attempts_max=1,
            brief_chars_max=100_000,
            files_max=100_000,
            artifact_bytes_max=1024**3,
            messages_max=100_000,
            reply_ms_max=manifest.reply_ms_max,
        )
        self._began = time.monotonic()
        self._taken: dict[tuple[str, str], Taken] = {}
        self._derived = derive(folder.store, keys, manifest, cases) if folder.has_receipts() else Derived()
        self._check()
        self._settled = self._derived.spent
        self._in_flight = 0
        self._freed = asyncio.Event()
        self._why: Why = "finished"
        self._progress = RunProgress(packets=len(self._pieces))

    def take(self, reuse: Iterable[Path | str]) -> None:
        """Take over rows of other runs: those of an earlier try of this one first."""
        every = keyed(self._manifest, (*self._folder.taken(), *taken_from(reuse, self._manifest)))
        self._taken = {key: taken for key, taken in every.items() if key not in self._derived.rows}
        self._folder.write_taken(list(self._taken.values()))

    def _check(self) -> None:
        if self._derived.problems:
            raise InvalidInput(
                f"the ledger of {self._folder.path} does not fit its manifest: {self._derived.problems[0]}; "
                "run `squads bench check` on it, and begin a new run"
            )

    # Going on ---------------------------------------------------------------------------------------------------------

    async def go(
        self, contexts: Sequence[Context], models: Model | None, sandbox: Any, packets_at_once: int | None
    ) -> Results:
        """Judge what is not judged yet, context by context, and write down the end."""
        at_once = packets_at_once or (
            PACKETS_AT_ONCE_ASKING if any(map(thinks, self._gates.values())) else PACKETS_AT_ONCE
        )
        todo = [(p, gates) for p in self._pieces if (gates := self._missing(p))]
        self._progress.packets_ended = len(self._pieces) - len(todo)
        for context in contexts:
            mine = [(p, gates) for p, gates in todo if p.context == context.name]
            if mine and self._why == "finished":
                await self._in_context(context, mine, models, sandbox, at_once)
        return self._end()

    def _missing(self, piece: Piece) -> tuple[str, ...]:
        """Return the gates that have not judged a piece yet."""
        if piece.reference in self._derived.open:
            return tuple(self._gates)
        rows = {gate: self._derived.rows.get((piece.reference, gate)) for gate in self._gates}
        return tuple(
            gate
            for gate, row in rows.items()
            if (row is None or (self._again and row.decision in ("abstained", "error")))
            and (piece.reference, gate) not in self._taken
        )

    async def _in_context(
        self,
        context: Context,
        todo: Sequence[tuple[Piece, tuple[str, ...]]],
        models: Model | None,
        sandbox: Any,
        at_once: int,
    ) -> None:
        by_reference = {p.reference: self._cases[p.case] for p in self._pieces}
        bases = {Artifact.of(c.base).digest: Artifact.of(c.base) for c in self._cases.values() if c.base}
        turnstile = Turnstile()
        gates = [
            seated(gate, name, bases=bases if context.base else {}, turnstile=None if thinks(gate) else turnstile)
            for name, gate in self._gates.items()
        ]
        squad = Squad(
            builder=Handing(by_reference, author=context.author),
            gates=gates,
            store=self._folder.store,
            keys=self._keys,
            models=models,
            sandbox=sandbox,
            independence="identity",
        )
        most = _most(record_of_role(gate, models) for gate in gates)
        self._check_room(most)
        waiting = iter(todo)
        async with squad:
            workers = [asyncio.create_task(self._work(squad, context, waiting, most)) for _ in range(at_once)]
            try:
                await asyncio.gather(*workers)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        await squad.close()

    async def _work(self, squad: Squad, context: Context, waiting: Any, most: Usage) -> None:
        for piece, gates in waiting:
            if not await self._room(most):
                return
            self._in_flight += 1
            usage = most
            try:
                outcome = await self._judge(squad, context, piece, gates, most)
                usage = outcome.usage
            finally:
                self._in_flight -= 1
                self._settled = self._settled.plus(usage)
                self._freed.set()
            if isinstance(outcome, (Halted, AwaitingApproval)):
                self._why = "stopped"
                return
            self._tell(outcome)

    async def _judge(
        self, squad: Squad, context: Context, piece: Piece, gates: tuple[str, ...], most: Usage
    ) -> Outcome:
        if (packet := self._derived.open.pop(piece.reference, None)) is not None:
            return await squad.resume(packet)
        case = self._cases[piece.case]
        brief = brief_of(case, self._manifest.context(context.name), piece.reference)
        limited = self._budget.cost_microusd_max is not None
        budget = Budget(cost_microusd_max=most.cost_microusd if limited else None)
        return await squad.run(Packet(brief=brief, gates=gates, limits=self._limits, budget=budget))

    # Bounds -----------------------------------------------------------------------------------------------------------

    def _check_room(self, most: Usage) -> None:
        limit = self._budget.cost_microusd_max
        if limit is not None and most.cost_microusd > limit:
            raise InvalidInput(
                f"one case may cost up to ${most.cost_microusd / 1e6:.4f}, and the run's budget is ${limit / 1e6:.4f}; "
                "raise it, or lower `call_tokens_max` of its gates"
            )

    async def _room(self, most: Usage) -> bool:
        """Say whether one more packet may begin; wait where those that are open will tell."""
        while True:
            if self._why != "finished":
                return False
            short = self._short(most, self._in_flight)
            if short is None:
                return True
            if short == "seconds" or not self._in_flight:
                self._why = short
                return False
            self._freed.clear()
            await self._freed.wait()

    def _short(self, most: Usage, in_flight: int) -> Why | None:
        budget, spent = self._budget, self._settled
        if budget.seconds is not None and time.monotonic() - self._began >= budget.seconds:
            return "seconds"
        packets = in_flight + 1
        if budget.cost_microusd_max is not None and (
            spent.cost_microusd + packets * most.cost_microusd > budget.cost_microusd_max
        ):
            return "money"
        if budget.tokens_max is not None and spent.tokens + packets * most.tokens > budget.tokens_max:
            return "tokens"
        return None

    def _tell(self, outcome: Outcome) -> None:
        progress = self._progress
        progress.packets_ended += 1
        for judgement in outcome.judgements:
            kind = judgement.verdict.kind
            progress.verdicts[kind] = progress.verdicts.get(kind, 0) + 1
        progress.usage = self._settled
        progress.seconds = time.monotonic() - self._began
        if self._watch is not None:
            self._watch(progress)

    # The end ----------------------------------------------------------------------------------------------------------

    def _end(self) -> Results:
        folder, manifest = self._folder, self._manifest
        if folder.has_receipts():
            self._derived = derive(folder.store, self._keys, manifest, self._cases.values())
            self._check()
            folder.publish_content(self._keys)
        rows = rows_of(manifest, self._derived, self._taken)
        origin, size, root = head_of(folder.store, self._keys) if folder.has_receipts() else ("", 0, EMPTY_ROOT.hex())
        end = RunEnd(
            why=self._why,
            judged=digest_of(b""),
            manifest=manifest.digest,
            origin=origin,
            size=size,
            root=root,
            packets=len({(row.case, row.repeat, row.factors.get("context")) for row in rows}),
            packets_planned=len(self._pieces),
            tokens=self._derived.spent.tokens,
            cost_microusd=self._derived.spent.cost_microusd,
            taken=sum(1 for key in self._taken if key not in self._derived.rows),
        )
        folder.write_end(rows, end)
        return folder.results()


def _most(records: Iterable[RoleRecord]) -> Usage:
    """Return what one packet may cost at most: every gate asked twice."""
    most = NO_USAGE
    for record in records:
        tokens, microusd = ASKED_MAX * record.call_tokens_max, ASKED_MAX * record.call_microusd_max
        most = most.plus(Usage(tokens=tokens, cost_microusd=microusd, calls=1 if tokens else 0))
    return most
