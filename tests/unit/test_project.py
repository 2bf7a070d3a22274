"""A project is text, checked when it is read; its classes come from where its cards come from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from squads import Artifact, Builder, Composed, NotComposed
from squads.contracts.errors import InvalidCard, InvalidInput, StorageUnavailable
from squads.contracts.packet import WorkspaceBudget
from squads.contracts.work import BuildWork
from squads.gates.panel import Panel
from squads.project import FILES_MAX, Project, read_packet
from squads.resolve import prior_of

SCHEMA = b"---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nLook at keys.\n"
TEXT = b"---\nextends: squads:checks\nchecks: [text.conflict-marker]\n---\nLook at text.\n"
CLASS = b"""
from squads import Gate
from .words import FORBIDDEN

class Strict(Gate):
    def __init__(self, *, word: str = FORBIDDEN):
        self.word = word

    def review(self, work):
        return work.approve()
"""
TABLE = "CREATE TABLE t (a int PRIMARY KEY);\n"
DEFECT = "CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b));\n"


class Carpenter(Builder):
    name = "carpenter"

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact(self.files)


def project(files: dict[str, bytes], root: Path = Path(".")) -> Project:
    return Project(files, root=root, label="a test")


def git(cwd: Path, *arguments: str) -> None:
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    named |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **named}, check=True, capture_output=True)


async def test_a_charter_says_what_may_be_spent() -> None:
    """By packet, role and workspace; allowances of cards that do not take part are left out, misspelt ones are not."""
    charter = (
        b"---\nbudget: {tokens_max: 9, roles: [{role: schema, tokens_max: 8}, {role: smith, tokens_max: 7}]}\n"
        b"workspace_budget: {tokens_max: 90, window: month}\n---\n"
    )
    files = {
        "gates/schema.md": SCHEMA,
        "roles/smith.md": b"---\nkind: roles/smith.py:Smith\n---\nBuilds.\n",
        "roles/smith.py": CLASS.replace(b"Gate", b"Builder").replace(b"from .words import FORBIDDEN\n", b""),
        "memory/charter.md": charter,
    }
    found = project(files)
    assert WorkspaceBudget(tokens_max=90, window="month") == found.settings["workspace_budget"]

    composed = await found.squad(store=None, builder=Carpenter({"a.sql": TABLE})).run("A table.")

    assert isinstance(composed, Composed)
    misspelt = project({**files, "memory/charter.md": charter.replace(b"role: schema", b"role: shema")})
    with pytest.raises(InvalidInput, match="did you mean 'schema'"):
        await misspelt.squad(store=None, builder=Carpenter({"a.sql": TABLE})).run("A table.")


async def test_the_projects_gates_judge() -> None:
    """A squad from cards refuses what its checks refuse, and composes what they approve."""
    found = project({"gates/schema.md": SCHEMA, "gates/text.md": TEXT})

    refused = await found.squad(store=None, builder=Carpenter({"a.sql": DEFECT})).run("A table.")
    composed = await found.squad(store=None, builder=Carpenter({"a.txt": "fine"})).run("A text.")

    assert isinstance(refused, NotComposed)
    assert {"schema": "refused", "text": "approved"} == {
        j.gate: j.verdict.kind for j in refused.judgements if j.attempt == 1
    }
    assert isinstance(composed, Composed)


def test_members_of_a_panel_do_not_stand_alone() -> None:
    """They sit on the panel, and the panel is the gate."""
    panel = b"---\nextends: squads:panel\nmembers: [schema, text]\napprovals_min: 1\nveto: [schema]\n---\nTogether.\n"
    found = project({"gates/schema.md": SCHEMA, "gates/text.md": TEXT, "gates/both.md": panel})

    (gate,) = found.gates()

    assert isinstance(gate, Panel)
    assert ("both", 1, {"schema"}) == (gate.name, gate.approvals_min, gate.veto)
    assert ["schema", "text"] == [m.name for m in gate.members]


def test_only_a_panels_members_give_up_standing_alone() -> None:
    """A card that is called like a check, or a class of somebody's that has members too, loses no gate."""
    own = (
        b"import squads\n\nclass G(squads.Gate):\n    def __init__(self, *, members): pass\n"
        b"    def review(self, work): pass\n"
    )
    files = {
        "gates/sql.unique-null.md": SCHEMA,
        "gates/text.md": TEXT,
        "gates/own.md": b"---\nkind: gates/own.py:G\nmembers: [text]\n---\n",
        "gates/own.py": own,
    }

    assert ["own", "sql.unique-null", "text"] == [gate.name for gate in project(files).gates()]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"gates/a.md": SCHEMA, "gates/b.md": SCHEMA.replace(b"extends", b"name: a\nextends")}, "gates/a.md is called"),
        ({"gates/p.md": b"---\nextends: squads:panel\nmembers: [p, q]\n---\n"}, "panels sit on each other: p > p"),
        (
            {"gates/p.md": b"---\nextends: squads:panel\nmembers: [schem, q]\n---\n", "gates/schema.md": SCHEMA},
            "schema",
        ),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\npeopel: [a]\n---\n"}, "charter.md:2: there is no key"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\npeople: owner\n---\n"}, "charter.md:2: 'people' is a list"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nindependence: much\n---\n"}, "is no independence"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nlimits: {attempt_max: 1}\n---\n"}, "'attempts_max'?"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nlimits: {attempts_max: 0}\n---\n"}, "charter.md:2"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nlimits: 3\n---\n"}, "holds `key: value` lines"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nworkspace_budget: {window: week}\n---\n"}, "charter.md:2"),
        ({"gates/a.md": SCHEMA, "memory/charter.md": b"---\nbudget: {roles: [{rolle: a}]}\n---\n"}, "charter.md:2"),
        ({"gates/a.md": SCHEMA, "memory/facts.md": b"| fact | source |\n|---|---|\n| x | |\n"}, "facts.md:3"),
        ({"gates/a.md": b"prose"}, "gates/a.md:1: a card begins"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_project_that_cannot_be_used_says_where_and_why(files: dict[str, bytes], sentence: str) -> None:
    """The first mistake, with file and line."""
    with pytest.raises(InvalidInput) as caught:
        [gate.name for gate in project(files).gates()]

    assert sentence in str(caught.value)


def test_a_class_of_the_projects_own_is_imported_from_its_text() -> None:
    """With its neighbours, and its source is part of its prior; nothing is read from the disk."""
    card = b"---\nkind: gates/strict.py:Strict\nword: y\n---\nStrict.\n"
    files = {"gates/strict.md": card, "gates/strict.py": CLASS, "gates/words.py": b"FORBIDDEN = 'x'\n"}
    role = project(files).role("strict")
    changed = project({**files, "gates/strict.py": CLASS.replace(b"approve()", b"abstain('no')")}).role("strict")

    assert ("y", "Strict.") == (role.word, role.prior)
    assert prior_of(role) != prior_of(changed)
    assert prior_of(project(files).role("strict")) == prior_of(role)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(b"import nowhere_at_all\n", "No module named"), (b"def (\n", "SyntaxError"), (b"x = 1\n", "has no attribute")],
)
def test_a_class_that_cannot_be_imported_refuses(text: bytes, sentence: str) -> None:
    """With the card's line, and no traceback."""
    card = b"---\nkind: gates/strict.py:Strict\n---\n"

    with pytest.raises(InvalidCard) as caught:
        project({"gates/strict.md": card, "gates/strict.py": text}).role("strict")

    assert str(caught.value).startswith("gates/strict.md:2: ")
    assert sentence in str(caught.value)


async def test_charter_and_facts_reach_the_roles() -> None:
    """From `memory/*.md`, with source and scope."""
    heard: list[Any] = []

    class Listens(Carpenter):
        def build(self, work: BuildWork) -> Artifact:
            heard.extend([work.charter, *work.facts])
            return super().build(work)

    facts = b"| fact | source | scope |\n|---|---|---|\n| A | here | all |\n| B | there | gate |\n"
    found = project(
        {
            "gates/text.md": TEXT,
            "memory/charter.md": b"---\npeople: [owner]\n---\nDo no harm.\n",
            "memory/facts.md": facts,
            "memory/decisions/0001-x.md": b"# 0001: We keep it simple\n",
        }
    )
    await found.squad(store=None, builder=Listens({"a.txt": "x"})).run("It.")

    assert "Do no harm." == heard[0]
    assert {("A", "here"), ("Decided: We keep it simple", "memory/decisions/0001-x.md")} == {
        (f.text, f.source) for f in heard[1:]
    }


def test_a_tool_is_a_card_and_its_baseline_comes_with_it() -> None:
    """The baseline is read from where the card comes from, and is part of the prior."""
    card = b"---\nextends: squads:ruff\nselect: [S1]\nskip: [tests/]\nbaseline: gates/known.json\n---\nRead Python.\n"
    known = b'{"version": 1, "entries": []}'
    with pytest.raises(InvalidCard, match=r"gates/ruff.md:5: 'gates/known.json' is no file"):
        project({"gates/ruff.md": card}).role("ruff")

    role = project({"gates/ruff.md": card, "gates/known.json": known}).role("ruff")

    assert ("ruff", "Read Python.", ("tests/",)) == (role.name, role.prior, role.skip)
    assert "S1" in " ".join(role.command)
    with pytest.raises(InvalidCard, match="there is no key 'selct'; did you mean 'select'"):
        project({"gates/ruff.md": card.replace(b"select", b"selct")}).role("ruff")


def test_folders_that_are_only_called_so_are_no_project(tmp_path: Path) -> None:
    """Other programs have `roles/` too; a card begins with front matter."""
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles/README.md").write_text("# Roles of another tool\n")
    (tmp_path / "roles/web.md").write_text("Prose.\n")

    assert Project.on_disk(tmp_path) is None


def test_a_card_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """It could lead to a text that nobody reviewed."""
    (tmp_path / "gates").mkdir()
    (tmp_path / "elsewhere.md").write_bytes(SCHEMA)
    (tmp_path / "gates/schema.md").symlink_to(tmp_path / "elsewhere.md")

    with pytest.raises(StorageUnavailable, match="no link"):
        Project.on_disk(tmp_path)


def test_a_project_is_bounded(tmp_path: Path) -> None:
    """At the bound it is read, and one file more is refused."""
    (tmp_path / "gates").mkdir()
    (tmp_path / "memory").mkdir()
    (tmp_path / "gates/schema.md").write_bytes(SCHEMA)
    for number in range(FILES_MAX - 1):
        (tmp_path / f"memory/{number}.md").write_text("")

    assert Project.on_disk(tmp_path) is not None
    (tmp_path / "memory/more.md").write_text("")
    with pytest.raises(InvalidCard, match="more than"):
        Project.on_disk(tmp_path)


def test_a_commit_has_its_own_project(tmp_path: Path) -> None:
    """What the work tree says now does not count, and neither do classes that stand there now."""
    git(tmp_path, "init", "-b", "main")
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates/strict.md").write_bytes(b"---\nkind: gates/strict.py:Strict\n---\nOld.\n")
    (tmp_path / "gates/strict.py").write_bytes(CLASS.replace(b"from .words import FORBIDDEN", b"FORBIDDEN = 'old'"))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    (tmp_path / "gates/strict.md").write_bytes(b"---\nkind: gates/strict.py:Strict\n---\nNew.\n")
    (tmp_path / "gates/strict.py").write_bytes(CLASS.replace(b"from .words import FORBIDDEN", b"FORBIDDEN = 'new'"))

    committed = Project.at_commit(tmp_path, "HEAD")

    assert committed is not None
    assert ("Old.", "old") == (committed.role("strict").prior, committed.role("strict").word)
    git(tmp_path, "rm", "-rfq", ".")
    git(tmp_path, "commit", "-m", "second", "--allow-empty")
    assert Project.at_commit(tmp_path, "HEAD") is None


def test_a_packet_is_a_page() -> None:
    """Front matter for its fields, the body for its brief."""
    packet = read_packet(
        b"---\ndone_when:\n  - {id: unique, sentence: No key repeats., check: schema}\n"
        b"approval: {approvers: [owner]}\nlimits: {attempts_max: 2}\n---\nTables for scores.\n",
        "packets/scores.md",
    )

    assert ("Tables for scores.", "schema", 2) == (packet.brief, packet.done_when[0].check, packet.limits.attempts_max)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"---\ndone_wen: []\n---\nx\n", "p.md:2: there is no key 'done_wen'; did you mean 'done_when'?"),
        (b"---\ngates: [a]\n---\n", "p.md: the file has no brief"),
        (b"---\ngates: 3\n---\nx\n", "p.md: Packet.gates"),
        (b"---\nbrief: y\n---\nx\n", "there is no key 'brief'"),
    ],
)
def test_a_packet_file_that_cannot_be_used_says_why(text: bytes, sentence: str) -> None:
    """With the file, and the line where there is one."""
    with pytest.raises(InvalidCard) as caught:
        read_packet(text, "p.md")

    assert sentence in str(caught.value)
