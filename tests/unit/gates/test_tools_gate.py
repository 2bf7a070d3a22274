"""A tool as a gate: what it finds is weighed, and whatever it did not read makes the gate abstain."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tools_scene import PYTHON, approved, gate, reading, refused, result, sarif, says, why

from squads import Abstained, Approved, InvalidSquad, Packet, ReviewWork
from squads.contracts.packet import AttemptKind
from squads.gates.tools.tool_gate import FINDINGS_MAX, ToolGate
from squads.resolve import prior_of, record_of_role

# Verdicts -------------------------------------------------------------------------------------------------------------


async def test_a_tool_that_finds_nothing_approves_with_what_it_was_given(tmp_path: Path) -> None:
    """It says how many files it read."""
    assert await says(tmp_path, sarif()).answer(reading(PYTHON)) == Approved(looked=2)


async def test_what_it_finds_refuses_with_evidence_from_the_artifact(tmp_path: Path) -> None:
    """Worst first; the line is copied from the artifact; a finding below the bar rides along."""
    text = sarif(result("X2", line=1), result("X1", line=2, level="error"), result("X9", uri="b.py", level="note"))
    verdict = await says(tmp_path, text).answer(reading(PYTHON))

    assert refused(verdict) == [
        ("tool.x1", "major", "a.py:2"),
        ("tool.x2", "minor", "a.py:1"),
        ("tool.x9", "note", "b.py:1"),
    ]
    assert [f.evidence for f in verdict.findings] == ["two = 2", "one = 1", "x"]  # type: ignore[union-attr]
    assert verdict.findings[0].message == "bad [X1]"  # type: ignore[union-attr]


async def test_findings_below_the_bar_are_notes_of_an_approval(tmp_path: Path) -> None:
    """A warning is minor, and the gate refuses from major on; `refuse_at` moves the bar."""
    text = sarif(result())
    strict = says(tmp_path, text, refuse_at="minor")

    assert approved(await says(tmp_path, text).answer(reading(PYTHON))) == [("tool.x1", "bad [X1]")]
    assert refused(await strict.answer(reading(PYTHON))) == [("tool.x1", "minor", "a.py:1")]


async def test_where_no_file_is_of_its_kind_it_says_that_nobody_looked(tmp_path: Path) -> None:
    """The tool is not even started; a plan is not for it."""
    crash = gate(tmp_path, "sys.exit(9)\n")
    plan = ReviewWork(packet=Packet(brief="It."), reads=AttemptKind.PLAN, attempt=1, brief="x")

    assert await crash.answer(reading({"c.md": "x"})) == Approved(looked=0)
    assert "not plans" in why(await crash.answer(plan))


async def test_what_is_skipped_is_not_shown_to_the_tool(tmp_path: Path) -> None:
    """Neither is it counted, and another skip is another prior."""
    skipping = says(tmp_path, sarif(), skip=["b.py"])

    assert await skipping.answer(reading(PYTHON)) == Approved(looked=1)
    assert prior_of(skipping) != prior_of(says(tmp_path, sarif()))


async def test_a_verdict_lists_so_many_findings_and_counts_the_rest(tmp_path: Path) -> None:
    """The worst come first, so that what is left out never decides."""
    many = [result(level="note")] * FINDINGS_MAX
    (tmp_path / "said.json").write_text(sarif(*many, result("X2", level="error"), result("X3")))
    loud = gate(tmp_path, f"say(open({str(tmp_path / 'said.json')!r}).read())\n")
    verdict = await loud.answer(reading(PYTHON))

    found = refused(verdict)
    assert len(found) == FINDINGS_MAX + 1
    assert [i for i, _, _ in found[:2]] == ["tool.x2", "tool.x3"]
    assert found[-1] == ("tool.not-listed", "note", "None")
    assert verdict.findings[-1].message.startswith("2 more findings")  # type: ignore[union-attr]


# Could not look -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise SystemExit('out of memory')\n", "not read everything: out of memory|out of memory"),
        ("sys.stderr.write('boom'); sys.exit(2)\n", "failed with exit code 2: boom"),
        ("sys.exit(3)\n", "exit code 3: it said nothing of why"),
        ("os.kill(os.getpid(), 9)\n", "failed with signal 9"),
        ("pass\n", "is empty"),
        ("say('All good!')\n", "no JSON"),
        ("say(b'\\xff\\xfe')\n", "not UTF-8"),
        ('say(\'{"version": "2.1.0", "runs": []}\')\n', "holds no run"),
    ],
)
async def test_a_tool_that_fails_or_says_nothing_readable_abstains(tmp_path: Path, body: str, reason: str) -> None:
    """Whatever the reason, nothing is let through."""
    assert re.search(reason, why(await gate(tmp_path, body).answer(reading(PYTHON))))


async def test_what_a_tool_complains_of_may_be_a_file_it_did_not_read(tmp_path: Path) -> None:
    """Ruff says only on standard error, with exit code 0, that it skipped a file. A tool that talks is let talk."""
    body = f"say({sarif()!r})\nsys.stderr.write('warning: skipped ' + os.path.abspath(files[0]))\n"

    assert why(await gate(tmp_path, body).answer(reading(PYTHON))).endswith("everything: warning: skipped a.py")
    assert await gate(tmp_path, body, silent=False).answer(reading(PYTHON)) == Approved(looked=2)


@pytest.mark.parametrize("rule", ["invalid-syntax", "PRS", "syntax-error"])
async def test_a_file_that_the_tool_could_not_parse_abstains_and_is_named(tmp_path: Path, rule: str) -> None:
    """Also beside findings that would refuse: what else stands there, nobody knows."""
    text = sarif(result(rule, line=2), result("X1", level="error"))

    assert "could not read everything: a.py:2: bad" in why(await says(tmp_path, text).answer(reading(PYTHON)))


async def test_what_the_tool_says_of_its_own_failure_abstains(tmp_path: Path) -> None:
    """Five reasons are named, the rest counted."""
    notes = [{"level": "error", "message": {"text": f"n{n}"}} for n in range(7)]
    text = sarif(invocations=[{"executionSuccessful": True, "toolExecutionNotifications": notes}])

    assert why(await says(tmp_path, text).answer(reading(PYTHON))).endswith("n0; n1; n2; n3; n4 (and 2 more)")


@pytest.mark.parametrize("uri", ["../outside.py", "/etc/passwd", "file:///etc/passwd", "c.md", "gone.py"])
async def test_an_answer_about_other_files_is_not_believed(tmp_path: Path, uri: str) -> None:
    """Not even about a file of the artifact that the tool was not given."""
    said = why(await says(tmp_path, sarif(result(uri=uri))).answer(reading(PYTHON)))

    assert "is not a file that it was given to read" in said


async def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Tools skip what is not UTF-8, and some say nothing of it."""
    said = why(await says(tmp_path, sarif()).answer(reading({"a.py": b"\xff"})))

    assert "a.py is not UTF-8" in said


async def test_a_tool_that_is_not_there_abstains_and_says_how_to_get_it() -> None:
    """The gate can be made; it only cannot look."""
    ghost = ToolGate("ghost", ["no-such-tool-here", "{files}"], files=["*.py"], install="pip install ghost")

    assert ghost.version == "not installed"
    assert "no-such-tool-here is not installed here, so nobody looked: pip install ghost" in why(
        await ghost.answer(reading(PYTHON))
    )


async def test_a_command_that_cannot_be_started_abstains(tmp_path: Path) -> None:
    """It is there, and no program."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00\x01")
    broken.chmod(0o700)

    said = why(await ToolGate("broken", [str(broken)], files=["*.py"]).answer(reading(PYTHON)))
    assert "cannot be started" in said or "failed with" in said


# Prior and construction -----------------------------------------------------------------------------------------------


def test_another_judge_is_another_prior(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Command, version, tables, settings and baseline are all part of it; a bound is not."""
    baseline = tmp_path / "known.json"
    baseline.write_text('{"version": 1, "entries": []}')
    changes: list[dict[str, Any]] = [
        {},
        {"command": [sys.executable, "other.py"]},
        {"rules": {"X1": "a.b"}},
        {"severities": {"X1": "note"}},
        {"levels": {"error": "minor"}},
        {"unmapped": "drop"},
        {"settings": {"a": "b"}},
        {"masks": ["noqa"]},
        {"environment": ["CI"]},
        {"silent": False},
        {"unreadable": ["PRS"]},
        {"heeds_waivers": False},
        {"baseline": baseline},
        {"baseline": tmp_path / "gone.json"},
    ]
    made = [gate(tmp_path, "", **change) for change in changes]
    priors = [prior_of(g) for g in made]

    assert len(set(priors)) == len(changes)
    assert prior_of(gate(tmp_path, "")) == priors[0] == prior_of(gate(tmp_path, "", timeout_seconds=3))
    upgraded = gate(tmp_path, "")
    monkeypatch.setattr(
        "squads.gates.tools.tool_gate.installed", lambda *_: type(made[0].installed)(path="x", version="2")
    )
    assert prior_of(upgraded) != priors[0]
    assert made[0].version.startswith("Python 3")
    assert record_of_role(made[0]).refuse_at == "major"
    assert repr(made[0]).startswith("<tool tool: python")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"command": "ruff check"}, "no list of words"),
        ({"command": []}, "no list of words"),
        ({"command": ["ruff", 3]}, "no list of words"),
        ({"command": ["tools/lint.py"]}, "relative path"),
        ({"name": ""}, "no name for a gate"),
        ({"format": "xml"}, "known: sarif, squawk"),
        ({"output": "a.sarif"}, "needs output='NAME'"),
        ({"command": ["x", "{output}"]}, "needs output='NAME'"),
        ({"command": ["x", "{output}"], "output": "../x"}, "no plain file name"),
        ({"settings": {"../x": ""}}, "no plain file name"),
        ({"refuse_at": "note"}, "a note never refuses"),
        ({"refuse_at": "fatal"}, "use 'minor'"),
        ({"rules": {"X": "Not a name"}}, "no invariant's id"),
        ({"severities": {"X": "fatal"}}, "use one of note, minor"),
        ({"levels": {"fatal": "note"}}, "a tool's levels are"),
        ({"unmapped": "maybe"}, "use 'note', 'keep' or 'drop'"),
        ({"timeout_seconds": 0}, "more than 0"),
        ({"timeout_seconds": 3_601}, "at most 3600"),
        ({"output_bytes_max": 0}, "give 1 to"),
        ({"success_codes": ()}, "give exit codes"),
        ({"success_codes": (True,)}, "give exit codes"),
        ({"masks": [""]}, "give words"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_gate_that_cannot_be_is_refused(options: dict[str, Any], reason: str) -> None:
    """With what to write instead."""
    given = {"name": "tool", "command": ["x", "{files}"], **options}
    with pytest.raises(InvalidSquad, match=reason):
        ToolGate(given.pop("name"), given.pop("command"), **given)


async def test_it_abstains_where_there_is_no_room_for_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is no approval."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    made = says(tmp_path, sarif())
    made.__dict__["installed"] = type(ToolGate("x", ["x"]).installed)(path=sys.executable, version="x")

    assert isinstance(verdict := await made.answer(reading(PYTHON)), Abstained)
    assert "no room for a tool's private copy" in verdict.reason
