"""A checklist is checks that give one verdict: any may refuse, and what is skipped is not looked at."""

from __future__ import annotations

import pytest

from squads import Artifact, Finding, InvalidSquad, Packet, Severity, check
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checklist import Checklist


@check("words.no-foo", files=("*.txt",))
def no_foo(artifact: Artifact) -> list[Finding]:
    """Foo is a violation."""
    return [
        Finding(invariant="words.no-foo", message=f"foo in {f.path}", severity=Severity.MINOR)
        for f in artifact.matching("*.txt")
        if b"foo" in f.content
    ]


@check("words.no-bar", files=("*.txt",))
def no_bar(artifact: Artifact) -> list[Finding]:
    """Bar is a violation, and nobody can read baz."""
    if any(b"baz" in f.content for f in artifact.files):
        raise CannotLook("baz")
    return [
        Finding(invariant="words.no-bar", message=f"bar in {f.path}") for f in artifact.files if b"bar" in f.content
    ]


async def judged(gate: Checklist, files: dict[str, str]) -> Verdict:
    work = ReviewWork(
        packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of(files)
    )
    return await gate.answer(work)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("text", "kind"), [("fine", "approved"), ("bar", "refused"), ("baz", "abstained"), ("foo", "approved")]
)
async def test_any_check_may_refuse(text: str, kind: str) -> None:
    """And one that cannot look lets nothing through."""
    assert kind == (await judged(Checklist(no_foo, no_bar), {"a.txt": text})).kind


async def test_a_card_may_refuse_earlier_than_its_checks() -> None:
    """`refuse_at` is the card's; the check itself stays as it is for everybody else."""
    strict = Checklist(no_foo, no_bar, refuse_at="minor")

    assert "refused" == (await judged(strict, {"a.txt": "foo"})).kind
    assert Severity.MAJOR == no_foo.refuse_at


async def test_one_check_is_enough() -> None:
    """A card may hold a single invariant."""
    assert "refused" == (await judged(Checklist(no_bar), {"a.txt": "bar"})).kind


async def test_what_is_skipped_is_not_looked_at() -> None:
    """A folder, a file, and nothing that only begins like it."""
    gate = Checklist(no_bar, skip=["cases/", "one.txt"])

    assert "approved" == (await judged(gate, {"cases/a.txt": "bar", "one.txt": "bar", "b.txt": "x"})).kind
    assert "refused" == (await judged(gate, {"cases2/a.txt": "bar"})).kind
    assert "refused" == (await judged(gate, {"one.txt.txt": "bar"})).kind
    assert "refused" == (await judged(gate, {"deep/cases/a.txt": "bar"})).kind


async def test_where_all_is_skipped_nobody_looked() -> None:
    """And where nobody looked, nothing composes."""
    verdict = await judged(Checklist(no_bar, skip=["cases/"]), {"cases/a.txt": "bar"})

    assert ("approved", 0) == (verdict.kind, verdict.looked)


@pytest.mark.parametrize("path", ["/etc", "", ".", "./", "*.sql", "a/*/b"])
def test_only_plain_paths_can_be_skipped(path: str) -> None:
    """Neither everything nor a pattern."""
    with pytest.raises(InvalidSquad, match="cannot be skipped"):
        Checklist(no_bar, skip=[path])


def test_a_checklist_holds_checks() -> None:
    """At least one, and nothing else."""
    with pytest.raises(InvalidSquad, match="is no check"):
        Checklist(lambda artifact: [])  # type: ignore[arg-type]
    with pytest.raises(InvalidSquad, match="give it at least 1"):
        Checklist()
