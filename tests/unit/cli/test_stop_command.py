"""`squads stop` and `squads lift`: one word to stop everything, a person to lift it, and honest about both."""

from __future__ import annotations

import json
from pathlib import Path

from desk_store import fill, squads

from squads import Halted


def test_a_stop_holds_everything_until_a_person_lifts_it(tmp_path: Path) -> None:
    """Nothing begins meanwhile; both say what they did, and what they did not."""
    fill(tmp_path)
    stopped = squads("stop", "smoke", cwd=tmp_path)
    (halted,) = fill(tmp_path, "It.")
    lifted = squads("lift", "no fire", cwd=tmp_path)

    assert stopped.returncode == 0, stopped.stderr
    assert "Stopped: the workspace." in stopped.stdout
    assert "is not undone" in stopped.stdout
    assert isinstance(halted, Halted)
    assert lifted.returncode == 0, lifted.stderr
    assert "Lifted: the workspace, by owner." in lifted.stdout


def test_what_is_stopped_already_stays_so_and_says_by_whom(tmp_path: Path) -> None:
    """Exit code 0: it is stopped, which is what was wanted."""
    fill(tmp_path)
    squads("stop", "first", cwd=tmp_path)
    again = squads("stop", "second", cwd=tmp_path)

    assert again.returncode == 0
    assert "It was stopped already" in again.stdout
    assert "the workspace, by owner " in again.stdout
    assert '"first"' in again.stdout


def test_one_packet_is_stopped_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    """The others stay answerable; lifting the workspace instead says what is still in force."""
    one, other = fill(tmp_path, "One.", "Other.")
    squads("stop", "this one", "--packet", one.packet[:6], cwd=tmp_path)
    refused = squads("approve", one.packet, cwd=tmp_path)
    taken = squads("approve", other.packet, cwd=tmp_path)
    nothing = squads("lift", "why", cwd=tmp_path)
    lifted = squads("lift", "why", "--packet", one.packet[:6], "--json", cwd=tmp_path)

    assert [refused.returncode, taken.returncode, nothing.returncode] == [2, 0, 0]
    assert "the packet is stopped" in refused.stderr
    assert "There was nothing to lift" in nothing.stdout
    assert f"packet {one.packet[:8]}, by owner" in nothing.stdout
    assert json.loads(lifted.stdout) == {"lifted": True, "changed": True, "stops": [], "exit_code": 0}


def test_whoever_stopped_does_not_lift_where_there_is_another(tmp_path: Path) -> None:
    """Exit code 2, and who may is named."""
    fill(tmp_path, people=("owner", "mara"))
    squads("stop", "mine", "--as", "owner", cwd=tmp_path)
    own = squads("lift", "mine", cwd=tmp_path)
    other = squads("lift", "looked", "--as", "mara", cwd=tmp_path)

    assert (own.returncode, other.returncode) == (2, 0)
    assert "others with a key here: mara" in own.stderr


def test_a_stop_has_a_reason(tmp_path: Path) -> None:
    """Without one nothing is stopped."""
    fill(tmp_path)

    assert squads("stop", cwd=tmp_path).returncode == 2
    assert squads("stop", "", cwd=tmp_path).returncode == 2
    assert squads("status", cwd=tmp_path).returncode == 0


def test_a_stop_is_read_by_a_program(tmp_path: Path) -> None:
    """Whether anything changed, and what is in force."""
    fill(tmp_path)
    said = json.loads(squads("stop", "smoke", "--json", cwd=tmp_path).stdout)

    assert (said["stopped"], said["changed"], said["exit_code"]) == (True, True, 0)
    assert [(s["by"], s["reason"], s["packet"]) for s in said["stops"]] == [("owner", "smoke", None)]
