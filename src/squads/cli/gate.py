"""`squads gate`: a real change is the artifact, the project's cards are the gates, and the receipts stay.

The cards are those of the commit that the change is made from; where that has none, the checks of the library judge.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from squads.adapters import git, work_tree
from squads.adapters.work_tree import Change
from squads.change import ImportedChange
from squads.cli import show
from squads.cli.telemetry import telemetry_here
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, NotAWorkTree, StorageUnavailable
from squads.contracts.finding import Invariant
from squads.contracts.outcome import Outcome
from squads.contracts.packet import Limits
from squads.gates.builtin import built_in
from squads.gates.changes.gate import shown
from squads.instances import checks_named
from squads.kernel.ports import Head
from squads.project import Project
from squads.squad import Squad
from squads.stores import Place

FORMATS = ("text", "json", "sarif", "junit", "markdown")
ENDINGS = {".txt": "text", ".json": "json", ".sarif": "sarif", ".xml": "junit", ".md": "markdown"}


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


def gate_change(
    change: Change,
    *,
    gates: list[str],
    store: Place | None,
    form: str = "text",
    files: list[Path] | None = None,
    commits: str | None = None,
    subject: str | None = None,
) -> int:
    """Gate a change, print the verdicts in one of `FORMATS`, write them to `files` too, and return the exit code."""
    forms = {path: _form_of(path) for path in files or ()}  # before anything is judged
    if form not in FORMATS:
        raise InvalidInput(f"{form!r} is no format of a gate; write one of {', '.join(FORMATS)}")
    where = store or default_store()
    project = project_for(commits)
    # The syntax trees of a large change are held to its end: looking through them for garbage, over and over, took a
    # fifth of the time.
    gc.set_threshold(100_000, 20, 100)
    outcome, head = asyncio.run(judge(change, gates=gates, store=where, project=project, subject=subject))

    def written(kind: str) -> str:
        return _written(kind, change, outcome, where, head, _who_judged(project))

    for path, kind in forms.items():
        _save(path, written(kind))
    if form != "text":
        sys.stdout.buffer.write(written(form).encode())
        return outcome.exit_code
    out = show.console()
    print_judged(change, outcome, out)
    out.print(Text(_who_judged(project), style="dim"))
    _place(out, outcome, where, head)
    return outcome.exit_code


def _who_judged(project: Project | None) -> str:
    """Return whose judgement this was: cards that are not found where they are looked for are easily not missed."""
    if project is None:
        return "judged by the library's own checks: no cards are committed here; `squads init` writes some"
    return f"judged by the cards of {show.one_line(project.label)}"


def _form_of(path: Path) -> str:
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInput(f"the ending of {path.name!r} names no format; end it in {', '.join(ENDINGS)}")
    return ENDINGS[path.suffix.lower()]


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write {path}: {error.strerror}; the change was judged and its receipts are kept"
        ) from error


def _place(out: Console, outcome: Outcome, where: Place, head: Head) -> None:
    place = show.one_line(str(where))
    # As `Text`: a path may hold what rich would read as markup.
    out.print(Text(f"packet {outcome.packet}, {head.size} receipts in {place}; check them: squads verify {place}"))


def _written(kind: str, change: Change, outcome: Outcome, where: Place, head: Head, judges: str) -> str:
    """Return the result in one format, whole."""
    if kind == "json":
        data = {"change": change.title, **show.as_data(outcome), "store": str(where), "checkpoint": head.checkpoint}
        return json.dumps(data) + "\n"
    if kind == "text":
        text = io.StringIO()
        out = Console(file=text, highlight=False, soft_wrap=True, color_system=None)
        print_judged(change, outcome, out)
        out.print(Text(judges, style="dim"))
        _place(out, outcome, where, head)
        return text.getvalue()
    from squads import __version__
    from squads.pages.junit import junit_of
    from squads.pages.result import GateResult
    from squads.pages.sarif import sarif_of
    from squads.pages.summary import summary_of

    result = GateResult(
        title=change.title,
        outcome=outcome,
        said=show.first_line(outcome),
        judgements=tuple(show.worst_first(outcome.judgements)),
        files=change.files,
        removals=change.removals,
        invariants={g.invariant.id: g.invariant for g in built_in() if isinstance(g.invariant, Invariant)},
        version=__version__,
    )
    return {"sarif": sarif_of, "junit": junit_of, "markdown": summary_of}[kind](result)


def print_judged(change: Change, outcome: Outcome, out: Console | None = None) -> None:
    """Print what was judged, every verdict, and how it ended."""
    out = out or show.console()
    count = len(change.files) + len(change.removals)
    out.print(
        Text.assemble(("Gating ", "bold"), (show.one_line(change.title), "bold"), f": {count} path{'s' * (count != 1)}")
    )
    show.judgements(out, outcome.judgements)
    show.outcome(out, outcome)


def project_for(commits: str | None = None) -> Project | None:
    """Return the project that judges: as the base of a range has it, as HEAD has it, or as it stands on the disk.

    A change never picks its own judge, so the disk counts only where there is no commit that it is a change to.
    """
    here = Path.cwd()
    try:
        commit = git.base_of(here, commits) if commits is not None else git.commit_of(here)
        top = git.top_of(here)
    except NotAWorkTree:
        return Project.on_disk(here)
    return Project.on_disk(top) if commit is None else Project.at_commit(here, commit)


def _shown(judges: Sequence[Any], change: Change) -> list[Any]:
    """Return the gates, those that compare shown what stood before at the paths that the change touches."""
    if change.base is None or not change.before:
        return list(judges)
    before = Artifact.of(dict(change.before))
    return [shown(gate, change.base, before) for gate in judges]


async def judge(
    change: Change,
    *,
    gates: list[str],
    store: Place,
    keys: Path | None = None,
    project: Project | None = None,
    subject: str | None = None,
) -> tuple[Outcome, Head]:
    """Open a packet for a change, have every gate read it, and return how it ended."""
    # One attempt: the change was made elsewhere, and only its author can mend it.
    limits = Limits(attempts_max=1, files_max=100_000, artifact_bytes_max=work_tree.BYTES_MAX)
    given: dict[str, Any] = {"builder": ImportedChange(change), "limits": limits, "telemetry": telemetry_here()}
    if project is None:
        judges = _shown(checks_named(gates) if gates else built_in(), change)
        squad = Squad(gates=judges, store=store, keys=keys, **given)
    else:
        judges = [project.role(g) if g in project.cards else checks_named([g])[0] for g in gates] or project.gates()
        judges = _shown(judges, change)
        # Judging is not composing: who must approve compositions is asked when the project's own squad runs.
        squad = project.squad(gates=judges, store=store, keys=keys, approval=None, **given)
    try:
        outcome = await squad.run(f"Judge {change.title}."[: limits.brief_chars_max], subject=subject)
        return outcome, await (await squad.workspace()).ledger.head()
    finally:
        await squad.close()
