"""`@check`: a pure function becomes a gate, and whatever it cannot read it abstains from."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, CannotLook, Finding, InvalidInput, Invariant, Packet, Refused, check
from squads.contracts.artifact import File
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.work import ReviewWork
from squads.gates.check import base_of
from squads.resolve import record_of_role

INVARIANT = Invariant(
    id="text.tabs",
    statement="There is no tab.",
    why="Readers disagree about their width.",
    refused="\t",
    approved=" ",
    origin="an old quarrel",
)


def reading(files: dict[str, str | bytes], reads: AttemptKind = AttemptKind.ARTIFACT) -> ReviewWork:
    return ReviewWork(
        packet=Packet(brief="It."), reads=reads, attempt=1, brief="x", artifact=Artifact.of(files) if files else None
    )


@check(INVARIANT, files=["*.txt"])
def tabs(artifact: Artifact) -> list[Finding]:
    """Find tabs."""
    return [Finding(invariant="text.tabs", message=f.path) for f in artifact.matching("*.txt") if "\t" in f.text]


def test_it_is_called_by_its_invariant() -> None:
    """Name and prior come from the invariant; the function can be called as before."""
    assert (tabs.name, tabs.prior) == ("text.tabs", "There is no tab.")
    assert repr(tabs) == "<check text.tabs>"
    assert tabs.__doc__ == "Find tabs."
    assert [f.message for f in tabs(Artifact.of({"a.txt": "\t"}))] == ["a.txt"]


def test_a_word_is_an_invariant_too() -> None:
    """Then the docstring is the prior."""

    @check("text.short", refuse_at=Severity.MINOR, reads=[AttemptKind.COMPOSITION])
    def short(artifact: Artifact) -> list[Finding]:
        """It is short."""
        return []

    record = record_of_role(short)
    assert (record.name, record.refuse_at, record.reads) == ("text.short", Severity.MINOR, (AttemptKind.COMPOSITION,))
    assert short.prior == "It is short."


async def test_findings_refuse_and_none_approve() -> None:
    """With the number of files that were looked at."""
    assert isinstance(await tabs.answer(reading({"a.txt": "\t", "b.txt": ""})), Refused)
    assert await tabs.answer(reading({"a.txt": "x", "b.txt": "", "c.md": "\t"})) == Approved(looked=2)


async def test_nothing_of_its_kind_is_approved_as_not_looked_at() -> None:
    """It says zero; where every gate says so nothing composes."""
    assert await tabs.answer(reading({"a.md": "\t"})) == Approved(looked=0)


async def test_only_files_that_hold_something_for_it_count() -> None:
    """Where the name does not tell, `holds` says which files count; without one the function is not even called."""
    called = []

    @check(INVARIANT, files=["*.txt"], holds=lambda file: b"\t" in file.content or b"tab" in file.content)
    def some(artifact: Artifact) -> list[Finding]:
        called.append(artifact)
        return []

    assert await some.answer(reading({"a.txt": "a tab", "b.txt": "", "c.md": "tab"})) == Approved(looked=1)
    assert await some.answer(reading({"b.txt": ""})) == Approved(looked=0)
    assert len(called) == 1


async def test_a_file_of_which_it_cannot_be_said_makes_it_abstain() -> None:
    """Could not look, so it is not passed over as empty."""

    def holds(file: File) -> bool:
        raise CannotLook(f"{file.path} is locked")

    @check(INVARIANT, files=["*.txt"], holds=holds)
    def locked(artifact: Artifact) -> list[Finding]:
        return []

    assert await locked.answer(reading({"a.txt": ""})) == Abstained(reason="a.txt is locked")


async def test_a_finding_below_the_bar_is_a_note() -> None:
    """A check refuses from `refuse_at` on."""

    @check("text.note")
    def note(artifact: Artifact) -> list[Finding]:
        return [Finding(invariant="text.note", message="small", severity=Severity.MINOR)]

    reply = await note.answer(reading({"a": "x"}))
    assert isinstance(reply, Approved)
    assert [n.message for n in reply.notes] == ["small"]


async def test_what_it_cannot_read_it_abstains_from() -> None:
    """Bytes that are no text, and what it says itself that it cannot look at."""

    @check("text.picky")
    def picky(artifact: Artifact) -> list[Finding]:
        raise CannotLook("a.txt is encrypted; give the plain text")

    @check("text.mute")
    def mute(artifact: Artifact) -> list[Finding]:
        raise CannotLook

    not_text = await tabs.answer(reading({"a.txt": b"\xff"}))
    assert isinstance(not_text, Abstained)
    assert "not UTF-8" in not_text.reason
    assert await picky.answer(reading({"a.txt": "x"})) == Abstained(reason="a.txt is encrypted; give the plain text")
    assert await mute.answer(reading({"a.txt": "x"})) == Abstained(reason="the check could not look")


@pytest.mark.parametrize(
    "odd", [None, True, "text", (), {}, [None], ["text"], iter(())], ids=lambda value: repr(value).split(" at 0x")[0]
)
async def test_what_is_no_list_of_findings_is_an_abstention(odd: Any) -> None:
    """A function that forgets its `return` approves nothing."""

    @check("text.odd")
    def function(artifact: Artifact) -> Any:
        return odd

    reply = await function.answer(reading({"a": "x"}))
    assert isinstance(reply, Abstained)
    assert "return a list of Finding" in reply.reason


def test_a_check_is_a_plain_function() -> None:
    """An asynchronous one is said at once, and so is a decorator that was left without its invariant."""

    async def function(artifact: Artifact) -> Any:
        return []

    with pytest.raises(InvalidInput, match="subclass Gate for an asynchronous one"):
        check("text.async")(function)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"write @check\('an.invariant-id'\)"):

        @check  # type: ignore[arg-type]
        def bare(artifact: Artifact) -> list[Finding]:
            return []


async def test_a_plan_is_not_for_it() -> None:
    """It says so, and lets nothing through."""
    assert isinstance(await tabs.answer(reading({}, AttemptKind.PLAN)), Abstained)


async def test_what_it_raises_is_raised() -> None:
    """The worker makes a fault of it."""

    @check("text.broken")
    def broken(artifact: Artifact) -> list[Finding]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken.answer(reading({"a": "x"}))


async def test_it_does_not_hold_up_the_loop() -> None:
    """The function runs in another thread."""
    seen: list[int] = []

    @check("text.thread")
    def where(artifact: Artifact) -> list[Finding]:
        seen.append(threading.get_ident())
        return []

    await where.answer(reading({"a": "x"}))
    assert seen != [threading.get_ident()]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"invariant": "Not A Name"}, "name"),
        ({"invariant": ""}, "names no invariant"),
        ({"invariant": "a.b", "reads": ["everything"]}, "everything"),
    ],
    ids=lambda value: str(value).split(" at 0x")[0],
)
def test_a_check_that_cannot_be_is_refused(bad: dict[str, Any], says: str) -> None:
    """At the latest when a squad is made of it."""
    from squads import Squad
    from squads.testing import ScriptedBuilder

    with pytest.raises((InvalidInput, ValueError), match=says):
        Squad(builder=ScriptedBuilder(), gates=[check(**bad)(lambda artifact: [])])


BASE = Artifact.of({"a.txt": "old", "b.txt": "gone"})


def changing(artifact: Artifact, **inputs: Artifact) -> ReviewWork:
    return ReviewWork(
        packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=artifact, inputs=inputs
    )


@check(INVARIANT, files=["*.txt"], of_work=True)
def changes(work: ReviewWork) -> list[Finding]:
    """Find what is not as it stood before."""
    assert work.artifact is not None
    base = base_of(work)
    before = {f.path: f.text for f in base.files} if base else {}
    found = [f.path for f in work.artifact.files if before.get(f.path, f.text) != f.text]
    return [Finding(invariant="text.tabs", message=path) for path in (*found, *work.artifact.removals)]


async def test_a_check_of_work_sees_what_stood_before_and_the_brief() -> None:
    """Its function takes the whole work; the base is the input called `base`."""
    same, other = Artifact.of({"a.txt": "old"}), Artifact.of({"a.txt": "new"})
    assert await changes.answer(changing(same, base=BASE)) == Approved(looked=1)
    assert isinstance(await changes.answer(changing(other, base=BASE)), Refused)
    assert await changes.answer(changing(other)) == Approved(looked=1)


def test_a_check_of_work_is_called_with_an_artifact_too() -> None:
    """Then nothing stood before."""
    assert changes(Artifact.of({"a.txt": "new"})) == []
    assert [f.message for f in changes(changing(Artifact.of({"a.txt": "new"}), base=BASE))] == ["a.txt"]


async def test_a_removed_file_is_looked_at_by_a_check_of_work() -> None:
    """A change may consist of nothing else."""
    removes = Artifact.of({}, removals=["b.txt"], base=BASE.digest)
    assert isinstance(await changes.answer(changing(removes, base=BASE)), Refused)
    assert await changes.answer(changing(removes)) == Approved(looked=0)
    assert await tabs.answer(changing(removes, base=BASE)) == Approved(looked=0)


def test_the_base_is_the_input_that_the_artifact_names() -> None:
    """By its digest, under whatever name it was given; the name `base` is second."""
    artifact = Artifact.of({"a.txt": "new"}, base=BASE.digest)
    other = Artifact.of({"a.txt": "new"})
    assert base_of(changing(artifact, base=other, schema=BASE)) == BASE
    assert base_of(changing(other, base=BASE, schema=other)) == BASE
    assert base_of(changing(other, schema=BASE)) is None
