"""`squads erase` and `squads export`: shown before it is done, done once, and told in words and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from desk_store import OWNER, at_terminal, fill, squads

from squads.cli.app import app
from squads.contracts.errors import InvalidInput, SquadsError, SubjectErased

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def packet(tmp_path: Path) -> str:
    (ended,) = fill(tmp_path, "About somebody.", approval=None)
    return ended.packet


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, in the store's place; what it refuses is raised."""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str]:
        code: int = app(list(arguments), standalone_mode=False)
        return code, capsys.readouterr().out

    return go


def test_what_goes_is_shown_before_anybody_is_asked(tmp_path: Path, packet: str) -> None:
    """A no changes nothing; a yes erases, and says which receipt says so."""
    code, shown = at_terminal("erase", "--subject", packet[:8], cwd=tmp_path, typed="n\n")
    again, done = at_terminal("erase", "--subject", packet[:8], cwd=tmp_path, typed="y\n")
    resumed = squads("inbox", packet, cwd=tmp_path)

    assert 3 == code
    for said in (f"receipts call it {packet}", "1 packet, with every brief", "what stays: ", "Nothing was erased."):
        assert said in shown
    assert 0 == again
    assert "Erased: " in done
    assert " says so; the ledger, its proofs and its anchors stay valid" in done
    assert 2 == resumed.returncode
    assert resumed.stderr.startswith(f"squads: packet {packet} was erased, as receipt ")


def test_every_look_says_erased(run: Run, packet: str) -> None:
    """Not lost, not broken, and never a traceback."""
    run("erase", "--subject", packet, "--yes")

    code, status = run("status")
    assert (0, True) == (code, f"{packet[:8]}  erased, as receipt " in status)
    assert "the last 0" not in status
    code, report = run("report", packet)
    assert (0, True) == (code, "its content was erased, as receipt" in report)
    assert (True, False) == ("content erased" in report, "content not here" in report)
    code, verified = run("verify")
    assert (0, True) == (code, "were erased, as receipts say" in verified)
    code, exported = run("export", "--subject", packet)
    assert (0, True) == (code, f"{packet} was erased, as receipt " in exported)
    with pytest.raises(SubjectErased):
        run("approve", packet)


def test_who_was_erased_can_still_stop_and_their_words_are_not_kept(run: Run, packet: str) -> None:
    """A stop always works. That its reason is gone is said before, not found out then."""
    _, shown = run("erase", "--subject", "owner", "--yes")
    _, of_packet = run("erase", "--subject", packet, "--yes")

    assert "! what owner writes from then on is not kept either" in shown
    assert "not kept either" not in of_packet
    assert 0 == run("stop", "still heard")[0]
    assert "✓ content" in run("verify")[1]


def test_without_a_terminal_yes_is_said_beforehand(run: Run, packet: str) -> None:
    """Nobody erases by accident in a pipe; with --yes the whole of it is one JSON object."""
    with pytest.raises(InvalidInput, match="say --yes"):
        run("erase", "--subject", packet, "--json")
    code, done = run("erase", "--subject", packet, "--yes", "--json")
    _, twice = run("erase", "--subject", packet, "--yes")

    said = json.loads(done)
    assert ([packet], "owner", 0, 0) == (said["packets"], said["erased_as"], said["exit_code"], code)
    assert said["contents"] > 0
    assert "Erased: 0 contents of 1 packet." in twice


@pytest.mark.parametrize(
    ("subject", "says"), [("nobody", "nothing is kept about 'nobody'"), ("deadbeef", "no packet deadbeef")]
)
def test_a_misspelt_name_erases_nothing(run: Run, packet: str, subject: str, says: str) -> None:
    """One sentence, also where nobody is asked."""
    with pytest.raises(SquadsError, match=says):
        run("erase", "--subject", subject, "--yes")


def test_an_open_packet_is_not_erased(run: Run, tmp_path: Path) -> None:
    """The sentence says what to do first."""
    (waiting,) = fill(tmp_path, "About somebody.", approval=OWNER)
    with pytest.raises(InvalidInput, match="has open packets"):
        run("erase", "--subject", waiting.packet, "--yes")


def test_an_export_is_a_folder_that_verifies(run: Run, tmp_path: Path, packet: str) -> None:
    """Of one subject, or of everything; a folder that is there is left alone."""
    code, done = run("export", "--subject", packet, "--out", "mine")
    _, everything = run("export", "--workspace", "--json")

    assert (0, True) == (code, "1 bundle" in done)
    assert (tmp_path / "mine" / "bundles" / f"{packet}.json").is_file()
    assert ([packet], 0) == (json.loads(everything)["packets"], json.loads(everything)["exit_code"])
    for arguments, says in ((("--workspace",), "is there already"), ((), "--subject NAME, or --workspace")):
        with pytest.raises(InvalidInput, match=says):
            run("export", *arguments)


def test_a_gated_change_is_somebodys(run: Run, tmp_path: Path) -> None:
    """`--subject` gives all packets of a name one key; the name itself stands nowhere in the store."""
    (tmp_path / "a.sql").write_text("SELECT 1;\n")
    code, _ = run("gate", "--subject", "customer-17", "a.sql")
    _, done = run("erase", "--subject", "customer-17", "--yes", "--json")

    assert (0, 1) == (code, len(json.loads(done)["packets"]))
    files = [path for path in (tmp_path / ".squads").rglob("*") if path.is_file()]
    assert [] == [path.name for path in files if b"customer-17" in path.read_bytes()]
