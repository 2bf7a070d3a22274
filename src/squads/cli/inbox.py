"""`squads inbox`: what people are asked, and exactly what an answer would be about."""

from __future__ import annotations

import asyncio
import json
import sys

from rich.console import Console
from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import TextPart, count, line, short, shown, when
from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.desk import Desk
from squads.overview import OpenQuestion, Overview
from squads.stores import Place

PATHS_MAX = 12
"""How many paths a question shows before it says how many more there are."""

SOON_MS = 3_600_000
"""A question that expires within this time stands out."""


def show_inbox(packet: str | None, *, person: str | None, store: Place | None, limit: int, as_json: bool) -> int:
    """Print what waits for an answer, or one question with everything it is about, and return the exit code."""
    return asyncio.run(_show(packet, person, store or default_store(), limit, as_json=as_json))


async def _show(packet: str | None, person: str | None, store: Place, limit: int, *, as_json: bool) -> int:
    async with Desk.open(store) as desk:
        if packet is not None:
            question = await desk.question(packet)
            composition = await desk.composition(question.composition)
            _one(question, composition, desk.workspace.clock.now_ms(), as_json=as_json)
            return 0
        found = await desk.overview(limit=limit)
    asked = [q for q in found.questions if person is None or person in q.open_to]
    code = 2 if found.unreadable else 0
    if as_json:
        data = {
            "questions": [q.model_dump(mode="json") for q in asked],
            "unreadable": [u.model_dump(mode="json") for u in found.unreadable],
            "exit_code": code,
        }
        sys.stdout.write(json.dumps(data) + "\n")
        return code
    _all(found, asked, person)
    return code


def _all(found: Overview, asked: list[OpenQuestion], person: str | None) -> None:
    out = show.console()
    if asked:
        out.print(Text(f"{count(len(asked), 'question')} {'waits' if len(asked) == 1 else 'wait'} for an answer.\n"))
        for question in asked:
            print_question(out, question, found.now_ms)
            print_commands(out, question)
            out.print()
    else:
        whom = f" for {shown(person)}" if person else ""
        out.print(Text(f"Nothing waits for an answer{whom}. `squads status` shows what is in motion."))
    if held := sum(1 for p in found.open if p.question and p.stop):
        verb = "is" if held == 1 else "are"
        out.print(Text(f"{count(held, 'question')} {verb} held by a stop; `squads status` says whose.", style="yellow"))
    print_unreadable(out, found)


def _one(question: OpenQuestion, composition: Artifact, now_ms: int, *, as_json: bool) -> None:
    if as_json:
        files = [
            {"path": f.path, "mode": f.mode, "digest": f.entry.digest, "text": _text_of(f)} for f in composition.files
        ]
        sys.stdout.write(json.dumps({**question.model_dump(mode="json"), "files": files, "exit_code": 0}) + "\n")
        return
    out = show.console()
    print_question(out, question, now_ms)
    for file in composition.files:
        out.print(Text(f"\n--- {shown(file.path)} ({file.mode})", style="bold"))
        text = _text_of(file)
        if text is None:
            out.print(Text(f"(no text: {count(len(file.content), 'byte')}, SHA-256 {file.entry.digest})"))
        else:
            # Every line is marked, so that no text of a file can pass for a line of ours.
            for row in show.visible(text).rstrip("\n").split("\n"):
                out.print(Text.assemble(("| ", "dim"), row))
    out.print()
    print_commands(out, question)


def _text_of(file: File) -> str | None:
    try:
        return file.text
    except NotText:
        return None


def print_question(out: Console, question: OpenQuestion, now_ms: int, *, indent: int = 0) -> None:
    """Print what is asked: paths, digest, the gates' verdicts, who is asked, and until when."""

    def row(*parts: TextPart, further: int = 2) -> None:
        line(out, *parts, indent=indent + further)

    row((short(question.packet), "bold"), "  ", (shown(question.title), "bold"), further=0)
    row("composition ", (question.composition, "cyan"))
    removed = f", {count(len(question.removals), 'path')} removed" if question.removals else ""
    row(f"{count(len(question.paths), 'path')}, {count(question.size_bytes, 'byte')}{removed}")
    paths = [("+", path, "green") for path in question.paths] + [("-", path, "red") for path in question.removals]
    for mark, path, colour in paths[:PATHS_MAX]:
        row((f"{mark} ", colour), shown(path), further=4)
    if len(paths) > PATHS_MAX:
        row(f"… and {len(paths) - PATHS_MAX} more: squads inbox {short(question.packet)}", further=4)
    for said in question.verdicts:
        mark, colour = show.MARKS.get(said.decision, ("?", "yellow"))
        where = "the whole" if said.task is None else f"task {shown(said.task)}"
        read = count(said.looked, "file") + " read" if said.looked else "had nothing of its kind to read"
        notes = f", {count(said.notes, 'note')}" if said.notes else ""
        row((f"{mark} ", f"bold {colour}"), (said.gate, "bold"), f" {said.decision} {where} ({read}{notes})")
    yes = f"yes from {', '.join(question.approved)}" if question.approved else "nobody has yet"
    row(f"asked: {', '.join(question.asked)}; {question.quorum} must say yes, {yes}")
    if question.person_required:
        row("only a person's answer counts, not a program's or a flag's")
    verb = "expires" if now_ms < question.expires_ms else "expired"
    row((f"{verb} {when(question.expires_ms, now_ms)}", "yellow" if question.expires_ms - now_ms < SOON_MS else ""))


def print_commands(out: Console, question: OpenQuestion) -> None:
    """Print what to type for each answer."""
    packet = short(question.packet)
    line(out, ("read it:  ", "dim"), f"squads inbox {packet}")
    line(out, ("say yes:  ", "dim"), f"squads approve {packet} --digest {question.composition[:12]}")
    line(out, ("say no:   ", "dim"), f'squads deny {packet} "why"')


def print_unreadable(out: Console, found: Overview) -> None:
    """Print the packets that could not be read, which may hide a question."""
    for broken in found.unreadable:
        line(out, ("✗ ", "bold red"), (short(broken.packet), "bold"), f" cannot be read: {shown(broken.why)}")
    if found.unreadable:
        line(out, "`squads verify` says what is broken")
