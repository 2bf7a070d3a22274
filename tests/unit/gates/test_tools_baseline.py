"""Known findings and waivers: what is let through rides along as a note, and never covers more than it was made for."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tools_scene import approved, gate, reading, refused, result, sarif, says, why

from squads import Abstained, Approved, Artifact, Composed, Finding, InvalidInput, Limits, Location, Refused, Squad
from squads.contracts.finding import Severity
from squads.contracts.work import ReviewWork, Waiver
from squads.gates.tools.baseline import BASELINE_BYTES_MAX, Baseline, baseline_of, fingerprint
from squads.gates.tools.source import Source
from squads.testing import ScriptedBuilder

BAD = "def f():\n    before()\n    bad()\n    after()\n"
DAY = date(2030, 5, 17)
# A tool that finds every line with `bad` in it.
FINDS = """
found = []
for file in files:
    for number, line in enumerate(open(file), 1):
        if "bad" in line:
            place = {"artifactLocation": {"uri": file}, "region": {"startLine": number}}
            found.append({"ruleId": "X1", "level": "error", "message": {"text": "bad"},
                          "locations": [{"physicalLocation": place}]})
say(json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": found}]}))
"""


async def known(tmp_path: Path, files: dict[str, str], **options: Any) -> Path:
    """Return a baseline of what the tool finds in these files."""
    verdict = await gate(tmp_path, FINDS).answer(reading(files))
    path = tmp_path / "known.json"
    path.write_text(baseline_of(verdict, Artifact.of(files), **options).text, "utf-8")
    return path


async def judged(tmp_path: Path, files: dict[str, str], baseline: Path, today: date = DAY) -> Any:
    return await gate(tmp_path, FINDS, baseline=baseline, today=lambda: today).answer(reading(files))


# Baselines ------------------------------------------------------------------------------------------------------------


async def test_a_known_finding_rides_along_as_a_note_that_says_so(tmp_path: Path) -> None:
    """It is not dropped; the verdict shows what was let through and why."""
    baseline = await known(tmp_path, {"a.py": BAD}, expires="2030-12-31", reason="see issue 7")

    assert approved(await judged(tmp_path, {"a.py": BAD}, baseline)) == [
        ("tool.x1", "Known until 2030-12-31 (see issue 7): bad [X1]")
    ]


@pytest.mark.parametrize(
    ("name", "text", "lets_through"),
    [
        ("moved down", "import x\n\n\n" + BAD, True),
        ("indented", BAD.replace("    ", "\t"), True),
        ("spread out", BAD.replace("\n", "\n\n"), True),
        ("other line ends", BAD.replace("\n", "\r\n"), True),
        ("the line changed", BAD.replace("bad()", "bad(1)"), False),
        ("its neighbour changed", BAD.replace("before", "prior"), False),
        ("a second one", BAD + BAD, False),
        ("another one", BAD + "x = bad\n", False),
    ],
)
async def test_moved_code_stays_known_and_changed_code_does_not(
    tmp_path: Path, name: str, text: str, lets_through: bool
) -> None:
    """Line numbers do not count; the line and its neighbours do, and so does how often they were found."""
    verdict = await judged(tmp_path, {"a.py": text}, await known(tmp_path, {"a.py": BAD}))

    assert isinstance(verdict, Approved if lets_through else Refused), name


async def test_an_entry_covers_as_many_findings_as_it_counted(tmp_path: Path) -> None:
    """Of five lines that look alike four were known, and one is new; in another file nothing is known."""
    line = "bad()\n"
    baseline = await known(tmp_path, {"a.py": line * 4})

    assert sorted(entry["count"] for entry in json.loads(baseline.read_text())["entries"]) == [1, 1, 2]
    assert isinstance(await judged(tmp_path, {"a.py": line * 4}, baseline), Approved)
    five = refused(await judged(tmp_path, {"a.py": line * 5}, baseline))
    assert [severity for _, severity, _ in five] == ["major", "note", "note", "note", "note"]
    elsewhere = refused(await judged(tmp_path, {"b.py": line * 4}, baseline))
    assert [severity for _, severity, _ in elsewhere] == ["major"] * 4


async def test_an_entry_counts_through_its_last_day(tmp_path: Path) -> None:
    """From the next day on it refuses again."""
    baseline = await known(tmp_path, {"a.py": BAD}, expires="2030-05-17")

    assert isinstance(await judged(tmp_path, {"a.py": BAD}, baseline, date(2030, 5, 17)), Approved)
    assert isinstance(await judged(tmp_path, {"a.py": BAD}, baseline, date(2030, 5, 18)), Refused)


async def test_a_baseline_of_an_approval_knows_its_notes(tmp_path: Path) -> None:
    """So a baseline can be made again from what it let through."""
    files = {"a.py": BAD}
    first = await known(tmp_path, files)
    again = baseline_of(await judged(tmp_path, files, first), Artifact.of(files))

    assert again.text == first.read_text()


def test_a_finding_without_a_line_is_known_by_its_message() -> None:
    """Without its numbers, which change from run to run."""
    source = Source(Artifact.of({"a.py": "x\n", "b.py": b"\xff"}))

    def of(message: str, location: Location | None) -> str:
        return fingerprint(Finding(invariant="a.b", message=message, location=location), source)

    assert of("3 cycles", None) == of("4 cycles", None) != of("4 circles", None)
    assert (
        of("3 cycles", None) == of("3 cycles", Location(path="a.py")) == of("3 cycles", Location(path="b.py", line=1))
    )
    assert of("3 cycles", Location(path="a.py", line=9)) == of("3 cycles", None)
    assert of("3 cycles", Location(path="a.py", line=1)) != of("3 cycles", None)


def test_what_knows_nothing_makes_no_baseline() -> None:
    """An abstention, a verdict that is cut short, and a day that no calendar has."""
    artifact = Artifact.of({"a.py": "x"})
    cut = Refused(findings=(Finding(invariant="tool.not-listed", message="9 more"),))
    for verdict in (Abstained(reason="no tool"), cut):
        with pytest.raises(InvalidInput, match=r"no baseline was made|fewer files"):
            baseline_of(verdict, artifact)
    for day in ("2030-02-30", "tomorrow", "20300101"):
        with pytest.raises(InvalidInput, match="no baseline can be made"):
            baseline_of(Refused(findings=(Finding(invariant="a.b", message="m"),)), artifact, expires=day)


def test_several_verdicts_make_one_baseline() -> None:
    """Alike findings are counted together."""
    verdict = Refused(findings=(Finding(invariant="a.b", message="m"),))

    assert [e.count for e in baseline_of([verdict, verdict], Artifact.of({"a": "x"})).entries] == [2]


ENTRY = {"invariant": "a.b", "path": "a.py", "fingerprint": "0" * 64, "count": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b"\xff", "not UTF-8"),
        (b"[]", "cannot be used"),
        (b"{", "no JSON"),
        (b'{"version": 2}', "version"),
        (b'{"version": 1, "entries": [], "entries": []}', "stands twice"),
        (b'{"entries": [{}]}', "entries.0.invariant"),
        (json.dumps({"entries": [{**ENTRY, "count": 0}]}).encode(), "entries.0.count"),
        (json.dumps({"entries": [{**ENTRY, "more": 0}]}).encode(), "entries.0.more"),
        (json.dumps({"entries": [{**ENTRY, "expires": "soon"}]}).encode(), "entries.0.expires"),
        (json.dumps({"entries": [{**ENTRY, "expires": "2030-02-30"}]}).encode(), "cannot be used"),
        (b" " * (BASELINE_BYTES_MAX + 1), "larger than"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_baseline_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """The gate can be made, and abstains: it must not guess what was known."""
    path = tmp_path / "known.json"
    if content is not None:
        path.write_bytes(content)

    assert reason in why(await says(tmp_path, sarif(), baseline=path).answer(reading({"a.py": "x"})))


def test_a_baseline_reads_as_it_was_written(tmp_path: Path) -> None:
    """With every field."""
    path = tmp_path / "known.json"
    made = Baseline.model_validate({"entries": [{**ENTRY, "expires": "2030-01-01", "reason": "ä"}, ENTRY]})
    path.write_text(made.text, "utf-8")

    assert Baseline.read(path) == made


# Waivers --------------------------------------------------------------------------------------------------------------


async def test_a_waiver_turns_a_refusal_into_an_approval_that_cites_it(tmp_path: Path) -> None:
    """What was found rides along as notes that quote the person's words."""
    text = sarif(result("X1", level="error"), result("X2", level="note"))
    offered = [Waiver(id="ab" * 32, text="the upstream fix lands on Monday"), Waiver(id="cd" * 32, text="and so on")]
    verdict = await says(tmp_path, text).answer(reading({"a.py": "x"}, waivers=offered))

    assert verdict.waivers == ("ab" * 32,)
    assert verdict.looked == 1
    assert approved(verdict) == [
        ("tool.x1", "Waived ('the upstream fix lands on Monday'): bad [X1]"),
        ("tool.x2", "bad [X2]"),
    ]
    assert {n.severity for n in verdict.notes} == {Severity.NOTE}


async def test_a_waiver_is_not_used_up_where_nothing_refuses(tmp_path: Path) -> None:
    """An approval that needs no waiver cites none."""
    offered = [Waiver(id="ab" * 32, text="fine")]

    assert (await says(tmp_path, sarif()).answer(reading({"a.py": "x"}, waivers=offered))).waivers == ()


async def test_a_waiver_is_no_eye(tmp_path: Path) -> None:
    """A tool that could not look has abstained, whatever a person says; a deaf gate refuses."""
    offered = [Waiver(id="ab" * 32, text="fine")]
    deaf = says(tmp_path, sarif(result(level="error")), heeds_waivers=False)

    assert why(await gate(tmp_path, "sys.exit(9)\n").answer(reading({"a.py": "x"}, waivers=offered)))
    assert refused(await deaf.answer(reading({"a.py": "x"}, waivers=offered)))


async def test_a_squad_composes_on_a_signed_waiver(tmp_path: Path) -> None:
    """The whole way: a person with the scope speaks for exactly these bytes, and the tool's gate cites it."""
    asked: list[ReviewWork] = []
    holding, resumed = asyncio.Event(), asyncio.Event()
    made_gate = says(tmp_path, sarif(result(level="error")))
    review = made_gate.review

    async def first_wait(work: ReviewWork) -> Any:
        asked.append(work)
        if len(asked) == 1:
            holding.set()
            await resumed.wait()
            return work.abstain("waiting for a waiver")
        return await review(work)

    made_gate.review = first_wait  # type: ignore[method-assign]
    builder = ScriptedBuilder({"a.py": "x = 1\n"})
    async with Squad(builder=builder, gates=[made_gate], limits=Limits(attempts_max=1)) as made:
        workspace = await made.workspace()
        running = asyncio.create_task(made.run("It."))
        await holding.wait()
        packet = (await workspace.ledger.streams())[-1]
        await workspace.grant("human:owner", "waiver")
        assert asked[0].artifact is not None
        await made.waive(
            packet,
            artifact=asked[0].artifact.digest,
            gate="tool",
            reason="known upstream",
            person="owner",
            expires_ms=workspace.now_ms() + 60_000,
        )
        resumed.set()
        outcome = await asyncio.wait_for(running, 30)

    assert isinstance(outcome, Composed)
    verdict = outcome.judgements[-1].verdict
    assert [n.message for n in verdict.findings] == ["Waived ('known upstream'): bad [X1]"]
    assert len(verdict.waivers) == 1
