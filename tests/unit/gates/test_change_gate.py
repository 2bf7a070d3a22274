"""Gates of changes: what stood before reaches them from git, bound to the base that the artifact names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from squads.adapters import git
from squads.cli.gate import judge
from squads.contracts.artifact import Artifact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.builtin import built_in
from squads.gates.changes.gate import ChangeGate, shown
from squads.gates.changes.lines import changed, now_at
from squads.gates.checklist import Checklist
from squads.resolve import prior_of

TEST = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
WEAKER = TEST.replace("== 3", "is not None")


def call(cwd: Path, *arguments: str) -> None:
    named = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env=environment | named | {"GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with a test and what it tests."""
    top = tmp_path / "work"
    top.mkdir()
    call(top, "init", "-b", "main")
    (top / "test_shop.py").write_text(TEST)
    (top / "shop.py").write_text("def total(cart):\n    return sum(cart)\n")
    call(top, "add", ".")
    call(top, "commit", "-m", "first")
    return top


def work(files: dict[str, str], base: str | None) -> ReviewWork:
    artifact = Artifact.of(files, base=base)
    return ReviewWork(packet=Packet(brief="x"), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=artifact)


def test_a_change_knows_what_stood_at_the_paths_that_it_edits_or_removes(top: Path) -> None:
    """And nothing of what it adds, nor of what it leaves alone."""
    (top / "test_shop.py").write_text(WEAKER)
    (top / "new.py").write_text("x = 1\n")
    edited = git.work_tree_change(top)
    call(top, "rm", "-q", "shop.py")
    removed = git.staged_change(top)

    assert {"test_shop.py": TEST.encode()} == edited.before
    assert removed.before is not None
    assert ["shop.py"] == list(removed.before)


def test_what_cannot_be_had_keeps_nobody_from_judging(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood before may be larger than any artifact; then it is not known."""
    (top / "test_shop.py").write_text("")
    monkeypatch.setattr(git, "BYTES_MAX", 3)

    assert git.work_tree_change(top).before is None


async def test_a_weaker_test_in_a_work_tree_is_refused(top: Path, tmp_path: Path) -> None:
    """The whole way, from git to the outcome."""
    (top / "test_shop.py").write_text(WEAKER)

    outcome, _ = await judge(git.work_tree_change(top), gates=["tests.weakened"], store=tmp_path / "store")

    assert 1 == outcome.exit_code
    assert [5] == [f.location.line for j in outcome.judgements for f in j.verdict.findings if f.location]


async def test_what_stood_before_is_only_shown_for_its_own_base() -> None:
    """A base with another digest is another base: the gate is not shown this one."""
    (gate,) = built_in("tests.weakened")
    base = Artifact.of({"test_shop.py": TEST})
    own = shown(gate, "a" * 64, base)

    right = await own.answer(work({"test_shop.py": WEAKER}, "a" * 64))
    other = await own.answer(work({"test_shop.py": WEAKER}, "b" * 64))

    assert ("refused", "abstained") == (right.kind, other.kind)
    assert isinstance(gate, ChangeGate)
    assert gate.before is None


def test_a_gate_that_is_shown_a_base_is_the_same_gate() -> None:
    """Its prior stays, on a checklist too, and gates that ask for no base are left as they are."""
    gates = built_in("tests.weakened", "scope.brief", "auth.token-signature")
    checklist = Checklist(*gates)
    own = shown(checklist, "a" * 64, Artifact.of({"a": "b"}))

    assert prior_of(checklist) == prior_of(own)
    assert [True, True, False] == [m is not n for m, n in zip(own.members, checklist.members, strict=True)]


async def test_a_change_of_nothing_is_not_looked_at() -> None:
    """New files have no base, so that nothing of them can be compared."""
    for gate in built_in("tests.weakened", "scope.brief"):
        verdict = await gate.answer(work({"test_shop.py": TEST}, None))

        assert ("approved", 0) == (verdict.kind, verdict.looked)  # type: ignore[union-attr]


@pytest.mark.parametrize(("line", "now"), [(1, 1), (3, 2), (2, 2), (4, 3)])
def test_what_is_gone_stood_nearest_to_a_line(line: int, now: int) -> None:
    """Lines behind what was taken out move up."""
    assert now == now_at(["a", "b", "c", "d"], ["a", "c", "d"], line)


def test_hunks_are_told_from_both_sides() -> None:
    """The first and last line of each."""
    assert [(2, 2, 2, 3)] == changed(["a", "b", "c"], ["a", "x", "y", "c"])
