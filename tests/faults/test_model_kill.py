"""A packet whose roles ask models, killed at every kind of point: what was paid and written is never asked again.

The killed program is `model_child.py`, in processes of its own; the model server outlives it and counts.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import model_matrix
import pytest
from model_replies import MENDED, POINTS

import quick_start
from squads.audit import audit

COMPOSED = {"kind": "composed", "files": {"made.txt": "made", "t.sql": MENDED}, "refusals": 1}
ONCE_MORE = ("served", "arrived")
"""The answer was not written when the process died: nobody here can know whether it was paid."""
BY_TOOLS = ("called", "returned")
"""A tool's step was not written: it is called once more."""
SQUADS = ("-c", "from squads.cli import main; main()")
STRIDE = 8
"""Every eighth point of each kind; `benchmarks/kill_matrix.py` kills at all of them."""


pytestmark = pytest.mark.timeout(300)  # the first test waits for all deaths and resumes


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return list(model_matrix.points(tmp_path_factory.mktemp("matrix"), stride=STRIDE))


def test_an_undisturbed_run_asks_this_often(found: list[dict[str, Any]]) -> None:
    """What the others are compared with: a plan, two builds of three replies, two readings, one look at the whole."""
    undisturbed = found[0]

    assert COMPOSED == undisturbed["outcome"]
    assert (10, 6) == (undisturbed["asked"], undisturbed["called"])
    assert [] == undisturbed["failed"]


def test_killed_at_every_kind_of_point_it_composes_the_same(found: list[dict[str, Any]]) -> None:
    """The same files, and a ledger in which an audit finds nothing wrong."""
    killed = [point for point in found if point["when"]]

    assert {signal.SIGKILL} == {point["died"] for point in killed}
    assert set(POINTS) == {point["when"] for point in killed}
    for point in killed:
        assert COMPOSED == point["outcome"], f"killed {point['when']} {point['at']}"
        assert [] == point["failed"], f"killed {point['when']} {point['at']}"


def test_what_was_written_is_never_paid_for_again(found: list[dict[str, Any]]) -> None:
    """Counted at the server: one request more where an answer was under way or unwritten, and nowhere else."""
    repeated = {(point["when"], point["at"]): point["repeated"] for point in found if point["when"]}

    assert {key: int(key[0] in ONCE_MORE) for key in repeated} == repeated


def test_a_tool_whose_result_was_written_is_never_called_again(found: list[dict[str, Any]]) -> None:
    """One call more where the process died inside a tool, and nowhere else."""
    again = {(point["when"], point["at"]): point["called_again"] for point in found if point["when"]}

    assert {0} == {times for (when, _), times in again.items() if when not in BY_TOOLS}
    assert {1} == {times for (when, _), times in again.items() if when == "called"}
    # The lists of tools are written as well, and making one calls none.
    assert {0, 1} >= {times for (when, _), times in again.items() if when == "returned"}


# Through the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose cards give each role a model."""
    cards = {
        "roles/planner.md": ("squads.roles.coordinator:Coordinator", "openai:planner", "", "Thinks in arcs."),
        "roles/maker.md": (
            "squads.roles.builder:Builder",
            "anthropic:maker",
            "tools: [read, write]\n",
            "Thinks in objects.",
        ),
        "gates/reader.md": ("squads.gates.gate:Gate", "openai-chat:reader", "", "Thinks in invariants."),
    }
    for path, (kind, model, more, prior) in cards.items():
        place = tmp_path / "project" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"---\nkind: {kind}\nmodel: {model}\n{more}---\n{prior}\n")
    return tmp_path / "project"


@pytest.fixture
def served() -> Iterator[Any]:
    model_matrix.importable()
    with model_matrix.server() as server:
        yield server


def test_the_command_line_takes_a_killed_packet_up_again(project: Path, served: Any, tmp_path: Path) -> None:
    """`squads run` dies right after a reply was written; `squads resume` ends the packet and pays for nothing twice."""
    environment = model_matrix.environment(served, tmp_path / "home")

    def command(*arguments: str, program: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [quick_start.python(), *program, *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    dying = (str(model_matrix.CHILD), "cli", "written", "4", "--")
    killed = command("run", "A table of pairs.", "--json", program=dying)
    assert -signal.SIGKILL == killed.returncode, killed.stderr
    assert 4 == sum(served.report(bodies=False)["asked"].values())
    connection = sqlite3.connect(project / ".squads" / "ledger.db")
    streams = {name for (name,) in connection.execute("SELECT name FROM stream")}
    connection.close()
    (packet,) = streams - {"workspace"}

    done = command("resume", packet, "--json", program=SQUADS)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "composed" == json.loads(done.stdout)["kind"]
    bodies = Counter(json.dumps(body, sort_keys=True) for body in served.report()["bodies"])
    assert {1} == set(bodies.values())
    assert () == audit(project / ".squads", keys=tmp_path / "home").failed
