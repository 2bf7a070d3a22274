"""`squads gate`: a real change is the artifact, the built-in checks are the gates, and the receipts stay."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rich.text import Text

from squads.adapters import git, work_tree
from squads.adapters.work_tree import Change
from squads.cli import show
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, NotAWorkTree
from squads.contracts.outcome import Outcome
from squads.contracts.packet import Limits
from squads.contracts.work import BuildWork
from squads.gates.builtin import built_in
from squads.kernel.ports import Head
from squads.roles.builder import Builder
from squads.squad import Squad


class ImportedChange(Builder):
    """Hands in a change that somebody made elsewhere, once, as it is."""

    name = "change"
    prior = "Hands in what it was given."

    def __init__(self, change: Change) -> None:
        self._change = change

    def build(self, work: BuildWork) -> Artifact:
        """Return the change."""
        change = self._change
        return work.artifact(change.files, modes=change.modes, removals=change.removals, base=change.base)


def read_change(paths: list[str], *, commits: str | None, staged: bool, name: str) -> Change:
    """Return the change that the options name. Raises `InvalidInput`."""
    here = Path.cwd()
    if sum((bool(paths), commits is not None, staged)) > 1:
        raise InvalidInput("paths, --range and --staged exclude each other; give one of them")
    if commits is not None:
        return git.change_in_range(here, commits)
    if staged:
        return git.staged_change(here)
    if paths == ["-"]:
        return work_tree.from_text(sys.stdin.buffer.read(work_tree.BYTES_MAX + 1), name)
    if paths:
        return work_tree.files_at([Path(p) for p in paths], here)
    return git.work_tree_change(here)


def default_store() -> Path:
    """Return `.squads` at the top of the work tree, or here where there is none."""
    try:
        return git.top_of(Path.cwd()) / ".squads"
    except NotAWorkTree:
        return Path.cwd() / ".squads"


def gate_change(change: Change, *, gates: list[str], store: Path | None, as_json: bool) -> int:
    """Gate a change, print the verdicts, and return the exit code."""
    where = store or default_store()
    outcome, head = asyncio.run(judge(change, gates=gates, store=where))
    if as_json:
        data = {"change": change.title, **show.as_data(outcome), "store": str(where), "checkpoint": head.checkpoint}
        sys.stdout.write(json.dumps(data) + "\n")
        return outcome.exit_code
    out = show.console()
    print_judged(change, outcome)
    place = show.one_line(str(where))
    # As `Text`: a path may hold what rich would read as markup.
    out.print(Text(f"packet {outcome.packet}, {head.size} receipts in {place}; check them: squads verify {place}"))
    return outcome.exit_code


def print_judged(change: Change, outcome: Outcome) -> None:
    """Print what was judged, every verdict, and how it ended."""
    out = show.console()
    count = len(change.files) + len(change.removals)
    out.print(
        Text.assemble(("Gating ", "bold"), (show.one_line(change.title), "bold"), f": {count} path{'s' * (count != 1)}")
    )
    for judged in show.worst_first(outcome.judgements):
        show.judgement(out, judged.gate, judged.verdict)
    show.outcome(out, outcome)


async def judge(change: Change, *, gates: list[str], store: Path, keys: Path | None = None) -> tuple[Outcome, Head]:
    """Open a packet for a change, have every gate read it, and return how it ended."""
    # One attempt: the change was made elsewhere, and only its author can mend it.
    limits = Limits(attempts_max=1, files_max=100_000, artifact_bytes_max=work_tree.BYTES_MAX)
    squad = Squad(builder=ImportedChange(change), gates=built_in(*gates), store=store, keys=keys, limits=limits)
    try:
        outcome = await squad.run(f"Judge {change.title}."[: limits.brief_chars_max])
        return outcome, await (await squad.workspace()).ledger.head()
    finally:
        await squad.close()
