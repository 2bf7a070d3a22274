"""What a packet file may not ask for, what `--out` never writes, and what a gate's exit is worth."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.project_scene import DEFECT, commit, git, squads, write

from squads import Artifact
from squads.cli import run
from squads.contracts.errors import InvalidPath

CARD = "---\nextends: squads:checks\nchecks: [{}]\n---\nLook.\n"
CHARTER = (
    "---\npeople: [owner]\napproval: {approvers: [owner]}\n"
    "budget: {tokens_max: 1}\nlimits: {attempts_max: 2}\n---\n# Charter\n"
)
EXITS = "import sys\nfrom squads import Gate\nclass G(Gate):\n    def review(self, work):\n        sys.exit(0)\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two gates and a charter that asks the owner."""
    monkeypatch.setenv("SQUADS_HOME", str(tmp_path / "keys"))
    where = tmp_path / "project"
    where.mkdir()
    git(where, "init", "-q")
    write(where, "roles/change.md", "---\nname: change\nextends: squads:change\n---\nAs it is.\n")
    write(where, "gates/schema.md", CARD.format("sql.unique-null"))
    write(where, "gates/text.md", CARD.format("text.conflict-marker"))
    write(where, "memory/charter.md", CHARTER)
    commit(where, "cards")
    write(where, "a.sql", DEFECT)
    return where


@pytest.mark.parametrize(
    ("matter", "said"),
    [
        ("gates: [text]", "leave out 'schema'"),
        ("approval: null", "says who approves"),
        ("budget: {tokens_max: 9000000}", "says what may be spent"),
        ("limits: {attempts_max: 100}", "says how far work may go"),
    ],
)
def test_a_packet_file_asks_for_no_less_than_the_project(place: Path, matter: str, said: str) -> None:
    """Whoever writes a packet wants something; who judges it and who approves it is not theirs to say."""
    write(place.parent, "packet.md", f"---\n{matter}\n---\nIt.\n")

    done = squads("run", str(place.parent / "packet.md"), cwd=place)

    assert (2, True) == (done.returncode, said in done.stderr)


@pytest.mark.parametrize(
    ("path", "content", "mode"),
    [
        ("x", "/etc/passwd", "link"),
        ("y/z", "../../up", "link"),
        (".git/config", "x", "file"),
        ("a/.GIT/h", "x", "file"),
    ],
)
def test_out_writes_nothing_that_leads_out_or_that_git_would_obey(
    tmp_path: Path, path: str, content: str, mode: str
) -> None:
    """A composition is judged by its bytes; a link among them must not reach what was never judged."""
    composed = Artifact.of({path: content, "a.txt": "fine"}, modes={path: mode} if mode == "link" else {})

    with pytest.raises(InvalidPath):
        run._write(composed, tmp_path / "out")
    assert not (tmp_path / "out").exists()


async def test_who_approves_at_the_terminal_is_told_what_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown is what is signed, and a removal is part of it."""
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or "n")
    composed = Artifact.of({"a.txt": "x"}, removals=["gates/schema.md"], base="0" * 64)

    assert not await run.at_terminal(composed)
    assert "removal of gates/schema.md" in asked[0]


def test_a_gate_that_ends_the_program_lets_nothing_through(place: Path) -> None:
    """`sys.exit(0)` inside a gate is a crash of that gate, not the exit code of a composition."""
    write(place, "gates/g.md", "---\nkind: gates/g.py:G\n---\nLeaves.\n")
    write(place, "gates/g.py", EXITS)
    commit(place, "a gate that leaves")
    write(place, "b.txt", "fine\n")

    done = squads("gate", cwd=place)

    assert 2 == done.returncode, done.stderr


def test_the_gate_says_who_judged(place: Path) -> None:
    """Cards that are not found where they are looked for are easily not missed."""
    done = squads("gate", cwd=place)
    (place.parent / "bare").mkdir()
    write(place.parent / "bare", "a.txt", "fine\n")
    bare = squads("gate", "a.txt", cwd=place.parent / "bare")

    assert f"judged by the cards of commit {git(place, 'rev-parse', '--short=12', 'HEAD')}" in done.stdout
    assert "judged by the library's own checks" in bare.stdout
