"""No gate of a project is left out in silence: because of a name, a place, a link, or a panel that nobody makes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.project_scene import commit, git

from squads.contracts.errors import InvalidCard, InvalidPath, StorageUnavailable
from squads.project import Project

SCHEMA = b"---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nLook at keys.\n"
TEXT = b"---\nextends: squads:checks\nchecks: [text.conflict-marker]\n---\nLook at text.\n"
PANEL = b"---\nextends: squads:panel\nmembers: [schema, text]\napprovals_min: 1\n---\nTogether.\n"


def project(files: dict[str, bytes]) -> Project:
    return Project(files, root=Path(), label="a test")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("gates/sql/schema.md", "move it up"),
        ("gates/schema.MD", "ends in `.md`"),
        ("gates/schema.markdown", "ends in `.md`"),
        ("memory/Charter.md", "lower case"),
    ],
)
def test_a_page_that_would_be_left_out_is_refused(path: str, word: str) -> None:
    """A card that nobody reads is a gate that nobody asks, and a charter that nobody reads asks nobody."""
    with pytest.raises(InvalidCard, match=word):
        project({"gates/text.md": TEXT, path: SCHEMA if path.startswith("gates") else b"---\npeople: [owner]\n---\n"})


def test_a_panel_that_is_no_gate_seats_nobody() -> None:
    """A panel's card in roles/ is never made where a change is gated, so its members stand for themselves."""
    found = project({"gates/schema.md": SCHEMA, "gates/text.md": TEXT, "roles/both.md": PANEL})

    assert ["schema", "text"] == sorted(gate.name for gate in found.gates())


def test_a_linked_card_of_a_commit_is_refused(tmp_path: Path) -> None:
    """Git knows it only as a link, so its card would be missing from the squad."""
    git(tmp_path, "init", "-q")
    for folder in ("gates", "shared"):
        (tmp_path / folder).mkdir()
    (tmp_path / "gates/text.md").write_bytes(TEXT)
    (tmp_path / "shared/schema.md").write_bytes(SCHEMA)
    (tmp_path / "gates/schema.md").symlink_to("../shared/schema.md")

    with pytest.raises(InvalidPath, match="is a link"):
        Project.at_commit(tmp_path, commit(tmp_path, "cards"))


@pytest.mark.parametrize("place", ["gates", "gates/more"])
def test_a_linked_folder_of_cards_is_refused(tmp_path: Path, place: str) -> None:
    """What judges does not stand somewhere else."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidCard, match="is a link"):
        Project.on_disk(tmp_path)


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path) -> None:
    """Could not look is never nothing there: here a file stands where the folder should."""
    (tmp_path / "gates").write_text("x")

    with pytest.raises(StorageUnavailable, match="cannot list"):
        Project.on_disk(tmp_path)


@pytest.mark.parametrize("kind", ["shutil:rmtree", "subprocess:run"])
def test_a_function_that_says_nothing_of_a_role_is_never_called(tmp_path: Path, kind: str) -> None:
    """A card can name any function there is; only one that says it returns a role is called to find out."""
    found = project({"gates/odd.md": f"---\nkind: {kind}\npath: {tmp_path}\n---\nOdd.\n".encode()})

    with pytest.raises(InvalidCard, match="does not say that it returns a role"):
        found.gates()
    assert tmp_path.is_dir()


@pytest.mark.parametrize(
    "module",
    [b"raise SystemExit(0)\n", b"from squads import Gate\nclass G(Gate):\n  def __init__(self): exit(0)\n"],
    ids=["imported", "made"],
)
def test_a_card_whose_class_ends_the_program_is_refused(module: bytes) -> None:
    """Exit code 0 means composed, and no role may say that by leaving."""
    module += b"  def review(self, work): ...\n" if b"class" in module else b""

    with pytest.raises(InvalidCard):
        project({"gates/g.md": b"---\nkind: gates/g.py:G\n---\nG.\n", "gates/g.py": module}).gates()
