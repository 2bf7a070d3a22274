"""`squads bundle` and `squads verify BUNDLE` as a person uses them, and a stranger far from the ledger."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import quick_start
from squads import Approved, Composed, Squad
from squads.cli import main
from squads.testing import ScriptedBuilder, ScriptedGate

SQUADS = quick_start.squads()
Call = Callable[..., tuple[int, str, str]]


@dataclass
class Kept:
    """A packet in a store."""

    store: Path
    keys: Path
    packet: str


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")

    async def run() -> str:
        gates = [ScriptedGate("style", Approved(looked=1), prior="g")]
        builder = ScriptedBuilder({"a.sql": "x"}, prior="b")
        async with Squad(builder=builder, gates=gates, store=folder / "store", keys=folder / "keys") as squad:
            outcome = await squad.run("It.")
        assert isinstance(outcome, Composed)
        return outcome.packet

    return Kept(folder / "store", folder / "keys", asyncio.run(run()))


@pytest.fixture
def squads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, kept: Kept) -> Call:
    """Call the command line in this process; return exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUADS_HOME", str(kept.keys))

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["squads", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return call


def test_a_stranger_without_ledger_and_keys_verifies_it(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """Written here, verified where there is nothing but the bundle and `trust.json`."""
    code, told, _ = squads("bundle", kept.packet[:8], "--store", kept.store)
    file = tmp_path / f"{kept.packet[:12]}.bundle.json"
    away = subprocess.run(
        [SQUADS, "verify", file, "--trust", kept.store / "trust.json"],
        capture_output=True,
        check=False,
        timeout=60,
        encoding="utf-8",
        env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )

    assert 0 == code
    assert f"squads verify {file.name} --trust trust.json" in told
    assert (0, "") == (away.returncode, away.stderr)
    assert f"Packet {kept.packet} of local.invalid/squads/" in away.stdout
    assert re.search(r"^It composed [0-9a-f]{64}, and required style\.$", away.stdout, re.MULTILINE)
    assert re.search(r"^  ✓ gates         every required gate approved", away.stdout, re.MULTILINE)
    assert re.search(r"^  ! custody       at the weakest", away.stdout, re.MULTILINE)
    assert re.search(r"^  – content       not checked: ", away.stdout, re.MULTILINE)
    assert away.stdout.rstrip().splitlines()[-1].startswith("Verified: ")


def test_what_was_taken_out_on_the_way_is_named(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """Exit code 1, the check that found it, and the same as JSON."""
    squads("bundle", kept.packet, "--store", kept.store, "--out", "b.json")
    bundle = json.loads((tmp_path / "b.json").read_bytes())
    bundle["receipts"] = [r for r in bundle["receipts"] if b"urn:squads:verdict" not in b64decode(r["leaf"])]
    (tmp_path / "b.json").write_text(json.dumps(bundle))
    code, shown, _ = squads("verify", "b.json", "--trust", kept.store / "trust.json")
    _, told, _ = squads("verify", "b.json", "--trust", kept.store / "trust.json", "--json")

    assert 1 == code
    assert re.search(r"^  ✗ gates         style did not approve", shown, re.MULTILINE)
    assert shown.rstrip().splitlines()[-1].startswith("Broken: ")
    assert 1 == json.loads(told)["exit_code"]
    assert "failed" in {result["state"] for result in json.loads(told)["results"]}


def test_a_checkpoint_that_one_holds_is_compared(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """The note that `--json` printed some day shows later that the log was not rewritten."""
    code, told, _ = squads("bundle", kept.packet, "--store", kept.store, "--out", "b.json", "--content", "--json")
    (tmp_path / "note").write_text(json.loads((tmp_path / "b.json").read_bytes())["checkpoint"])
    same, shown, _ = squads("verify", "b.json", "--trust", kept.store / "trust.json", "--seen", "note")

    assert (0, 0) == (code, same)
    assert "b.json" == json.loads(told)["out"]
    assert json.loads(told)["content"] > 0
    assert re.search(r"^  ✓ anchored      1 checkpoints that you hold", shown, re.MULTILINE)
    assert re.search(r"^  ✓ content ", shown, re.MULTILINE)


def test_a_bundle_with_content_is_for_its_owner_alone(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """Content is what somebody wrote; receipts and proofs are for everybody."""
    for name, more in (("bare", ()), ("whole", ("--content",))):
        assert 0 == squads("bundle", kept.packet, "--store", kept.store, "--out", name, *more)[0]

    assert 0o600 == (tmp_path / "whole").stat().st_mode & 0o777
    assert (tmp_path / "bare").stat().st_mode & 0o040


def test_a_bundle_can_go_to_standard_output(kept: Kept, squads: Call) -> None:
    """And nothing else goes there with it."""
    code, told, _ = squads("bundle", kept.packet, "--store", kept.store, "--out", "-")

    assert (0, "squads.bundle/v1") == (code, json.loads(told)["format"])


def test_what_cannot_be_verified_is_one_sentence(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """A bundle never brings its own trust, and no mistake gives a traceback."""
    squads("bundle", kept.packet, "--store", kept.store, "--out", "b.json")
    (tmp_path / "bad.json").write_text("{}")
    trust = kept.store / "trust.json"

    for words, arguments in (
        ("by another way than the bundle", ["b.json"]),
        ("get it again", ["b.json", "--trust", "bad.json"]),
        ("No such file", ["none.json", "--trust", trust]),
        ("none was named", ["--trust", trust]),
        ("Is a directory", [kept.store, "--trust", trust]),
        ("No such file", ["b.json", "--trust", trust, "--seen", "none"]),
    ):
        code, _, said = squads("verify", *arguments)

        assert 2 == code
        assert words in said
        assert 1 == said.count("\n")


def test_a_packet_or_ledger_that_is_not_there_has_no_bundle(kept: Kept, squads: Call, tmp_path: Path) -> None:
    """Nothing is written, and no ledger is founded by asking."""
    for packet, store in (("0" * 32, kept.store), (kept.packet, tmp_path / "nowhere")):
        code, _, said = squads("bundle", packet, "--store", store)

        assert 2 == code
        assert 1 == said.count("\n")
    assert [] == list(tmp_path.iterdir())
