"""`squads run` and `squads resume`: the project's own squad on a brief, told while it happens.

What composed is written only where `--out` says, and never over a file that is there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from squads.adapters.approvers import CallableApprover, FlagApprover
from squads.adapters.work_tree import check_link, named
from squads.cli import show
from squads.cli.gate import default_store, project_for
from squads.cli.over_bus import OverBus
from squads.cli.story import tell
from squads.cli.telemetry import telemetry_here
from squads.cli.thinking import Thinking
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, InvalidPath, StorageUnavailable
from squads.contracts.outcome import AwaitingApproval, Composed, Outcome
from squads.contracts.packet import Packet
from squads.front_matter import PAGE_BYTES_MAX
from squads.handover import Reader
from squads.kernel.ports import Approver
from squads.project import Project, read_packet
from squads.squad import Squad
from squads.stores import Place


def run_packet(
    brief: str,
    *,
    store: Place | None,
    out: Path | None,
    yes: bool,
    as_json: bool,
    record: Path | None = None,
    replay: Path | None = None,
    over: OverBus = OverBus(),  # noqa: B008
    subject: str | None = None,
) -> int:
    """Run a brief, or the packet in a Markdown file, with the project's squad, and return the exit code.

    `record` keeps every reply of a model in a folder; `replay` answers from one, and asks nobody. `subject` names whom
    it is about.
    """
    packet = _packet(brief)
    _check_out(out)
    options = over.options(recorded=record is not None or replay is not None)
    project = project_here()
    _check_within(project, packet)
    where = store or default_store()
    told = asyncio.Event()
    squad = project.squad(
        store=where,
        approver=_person(project, told, yes=yes),
        record=record,
        replay=replay,
        telemetry=telemetry_here(),
        **options,
    )
    return _told(asyncio.run(_run(squad, packet, _console(as_json), told, subject)), where, out, as_json=as_json)


def resume_packet(
    packet: str,
    *,
    store: Place | None,
    out: Path | None,
    yes: bool,
    as_json: bool,
    record: Path | None = None,
    replay: Path | None = None,
    over: OverBus = OverBus(),  # noqa: B008
) -> int:
    """Take up an open packet where it stands, and return the exit code. Nothing that was answered is asked again."""
    _check_out(out)
    options = over.options(recorded=record is not None or replay is not None)
    project = project_here()
    where = store or default_store()
    told = asyncio.Event()
    told.set()  # nothing is told before somebody who resumes is asked
    squad = project.squad(
        store=where,
        approver=_person(project, told, yes=yes),
        record=record,
        replay=replay,
        telemetry=telemetry_here(),
        **options,
    )
    return _told(asyncio.run(_resume(squad, packet)), where, out, as_json=as_json)


async def _run(
    squad: Squad, packet: str | Packet, console: Console, told: asyncio.Event, subject: str | None
) -> Outcome:
    async with squad:
        reader = Reader((await squad.workspace()).blobs)
        with Thinking(console) as thinking:
            events = thinking.beside(squad.stream(packet, subject=subject, watch=thinking.watch))
            outcome = await tell(console, events, reader, told)
    assert outcome is not None
    return outcome


async def _resume(squad: Squad, packet: str) -> Outcome:
    async with squad:
        return await squad.resume(packet, held=_say_who)


def _say_who(holder: str) -> None:
    sys.stderr.write(
        f"squads: {show.one_line(holder)} holds this packet; waiting for it, and taking the packet up should it die\n"
    )


def _told(outcome: Outcome, store: Place, out: Path | None, *, as_json: bool) -> int:
    written = _write(outcome.artifact, out) if isinstance(outcome, Composed) and out is not None else []
    if as_json:
        data = {**show.as_data(outcome), "store": str(store), "written": written}
        sys.stdout.write(json.dumps(data) + "\n")
        return outcome.exit_code
    console = show.console()
    show.outcome(console, outcome)
    for path in written:
        console.print(Text(f"  + {show.one_line(path)}", style="green"))
    if isinstance(outcome, AwaitingApproval):
        console.print(Text(f"  squads inbox shows it; squads approve {outcome.packet} or squads deny {outcome.packet}"))
    console.print(Text(f"packet {outcome.packet}; its story: squads report {outcome.packet}", style="dim"))
    return outcome.exit_code


def _console(as_json: bool) -> Console:
    return Console(file=sys.stderr if as_json else sys.stdout, highlight=False, soft_wrap=True, quiet=as_json)


def _packet(brief: str) -> str | Packet:
    """Return what is asked: a brief, the packet in a Markdown file, or what stands on standard input (`-`)."""
    if brief == "-":
        return sys.stdin.read(1_000_000)
    path = Path(brief)
    if brief.endswith(".md") and len(brief.split()) == 1:
        try:
            if path.exists() and not path.is_file():
                raise InvalidInput(f"{brief} is no plain file; name a packet file, or write the brief")
            with path.open("rb") as file:
                return read_packet(file.read(PAGE_BYTES_MAX + 1), brief)  # one more than a page may have
        except OSError as error:
            raise InvalidInput(
                f"cannot read {brief}: {error.strerror}; name a packet file, or write the brief"
            ) from error
    return brief


def _check_within(project: Project, packet: str | Packet) -> None:
    """Raise `InvalidInput` for a packet file that asks for less than the project: whoever writes one judges nothing."""
    if not isinstance(packet, Packet):
        return
    if packet.gates and (missing := [g.name for g in project.gates() if g.name not in packet.gates]):
        raise InvalidInput(
            f"the packet's `gates` leave out {missing[0]!r}, which this project requires; name it too, "
            "or leave `gates` out"
        )
    for key, what in (("approval", "who approves"), ("budget", "what may be spent"), ("limits", "how far work may go")):
        if key in packet.model_fields_set and project.settings.get(key):
            raise InvalidInput(f"memory/charter.md says {what} here; leave `{key}` out of the packet")


def project_here() -> Project:
    """Return the project of this work tree as its last commit has it. Raises `InvalidInput` where there is none."""
    project = project_for()
    if project is not None:
        return project
    if Project.on_disk(default_store().parent) is not None:
        raise InvalidInput("the cards here are not committed yet, and a change never picks its own judge; commit them")
    raise InvalidInput("there is no squad here: no cards in roles/ and gates/; `squads init` writes some")


def _person(project: Project, told: asyncio.Event, *, yes: bool) -> Approver | None:
    """Return who answers; at a terminal that is the first of the project's people."""
    people: Any = project.settings.get("people") or ("owner",)
    return who_answers(people[0], told, yes=yes)


def who_answers(name: str, told: asyncio.Event, *, yes: bool) -> Approver | None:
    """Return who answers: the flag, `name` at this terminal once the story is told, or nobody here."""
    if yes:
        return FlagApprover()

    async def ask(composition: Artifact) -> bool:
        await told.wait()
        return await at_terminal(composition)

    if sys.stdin.isatty() and sys.stdout.isatty():
        return CallableApprover({name: ask}, channel="terminal")
    return None


async def at_terminal(composition: Artifact) -> bool:
    """Ask whoever sits at this terminal; anything but y or yes is a no."""
    changes = [*(f.path for f in composition.files), *(f"removal of {p}" for p in composition.manifest.removals)]
    names = ", ".join(map(show.one_line, changes))
    said = await asyncio.to_thread(input, f"  Approve {names} ({composition.digest[:16]}…)? [y/N] ")
    return said.strip().lower() in ("y", "yes")


def _check_out(out: Path | None) -> None:
    """Say before anything runs that its result would have no place."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"{out} is there and not an empty folder; name one that is not there yet")


def _write(artifact: Artifact, out: Path) -> list[str]:
    """Write a composition's files below a new folder; links are written as what they are only inside it."""
    for file in artifact.files:
        if file.mode == "link":
            check_link(file.path, os.fsdecode(file.content))
        # Git would obey what stands there as soon as somebody works in the folder.
        if ".git" in file.path.lower().split("/"):
            raise InvalidPath(f"{named(file.path)} would be written as part of a repository; nothing was written")
    written = []
    try:
        for file in artifact.files:
            place = out / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            if file.mode == "link":
                place.symlink_to(os.fsdecode(file.content))
                written.append(file.path)
                continue
            with place.open("xb") as target:
                target.write(file.content)
            if file.mode == "executable":
                place.chmod(0o755)
            written.append(file.path)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write below {out}: {error.strerror}; the composition is in the ledger"
        ) from error
    return written
