"""The demonstration's team: what it hands in follows from what it is told, and what it recorded is what it seems."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from squads.cli.recording import PACKET, RecordedBuilder, RecordedCoordinator, SchemaBuilder, misfits_in, recorded
from squads.cli.story import changed_lines
from squads.contracts.artifact import Artifact
from squads.contracts.plan import Objection, Plan
from squads.contracts.work import BuildWork, Complaint, PlanWork

BANDIT = Path(sys.executable).with_name("bandit")


def planning(*complaints: Complaint, previous: Plan | None = None) -> PlanWork:
    return PlanWork(packet=PACKET, attempt=1, builders=(), gates=(), previous=previous, complaints=complaints)


def building(task: str, brief: str = "Build it.", previous: Artifact | None = None) -> BuildWork:
    return BuildWork(packet=PACKET, task=task, brief=brief, attempt=1, author="b", salt="0" * 64, previous=previous)


def first_plan() -> Plan:
    plan = RecordedCoordinator().plan(planning())
    assert isinstance(plan, Plan)
    return plan


def test_an_objection_amends_one_brief_and_nothing_else():
    """The tasks that nobody objected to stay as they are, so they keep what they have."""
    before = first_plan()
    objected = Complaint(task="reputation", cause="objection")

    after = RecordedCoordinator().plan(planning(objected, previous=before))

    assert isinstance(after, Plan)
    assert ["reputation"] == [new.name for old, new in zip(before.tasks, after.tasks, strict=True) if old != new]


@pytest.mark.parametrize(
    "complaint",
    [Complaint(task="treasuries", cause="objection"), Complaint(task="reputation", cause="refused")],
    ids=["another task", "another cause"],
)
def test_what_no_recording_answers_is_refused(complaint):
    """The coordinator does not pretend that its one amended brief answers everything."""
    assert isinstance(RecordedCoordinator().plan(planning(complaint, previous=first_plan())), Objection)


def test_the_objection_is_made_of_what_the_check_finds():
    """The builder refuses the first brief with the finding's own words, and builds from the amended one."""
    before = first_plan()
    amended = RecordedCoordinator().plan(planning(Complaint(task="reputation", cause="objection"), previous=before))
    assert isinstance(amended, Plan)
    (wrong,) = misfits_in(before.tasks[1].brief)

    refused = SchemaBuilder().build(building("reputation", before.tasks[1].brief))
    built = SchemaBuilder().build(building("reputation", amended.tasks[1].brief))

    assert isinstance(refused, Objection)
    assert "30.0 is outside numeric(5,4)" in wrong.message
    assert (f"{wrong.message} [sql.value-fits, {wrong.location}]",) == refused.reasons
    assert wrong.satisfy in refused.proposal
    assert isinstance(built, Artifact)


def test_any_number_that_does_not_fit_is_objected_to():
    """No brief is known by heart: another column and another number give another objection."""
    brief = "Write it.\n```sql\nCREATE TABLE t (share numeric(3, 2) NOT NULL DEFAULT 100);\n```\n"

    refused = SchemaBuilder().build(building("treasuries", brief))

    assert isinstance(refused, Objection)
    assert "t.share" in refused.reasons[0]


@pytest.mark.parametrize("task", ["single-sign-on", "reputation", "treasuries"])
def test_each_refusal_is_followed_by_the_next_recorded_attempt(task):
    """From the first to the last, which stays the last; files that nobody recorded begin anew."""
    builder, attempts = RecordedBuilder(), recorded(task)

    handed: list[Artifact] = []
    for _ in range(len(attempts) + 1):
        made = builder.build(building(task, previous=handed[-1] if handed else None))
        assert isinstance(made, Artifact)
        handed.append(made)
    strange = builder.build(building(task, previous=Artifact.of({"other.txt": "else"})))

    assert [*attempts, attempts[-1]] == [{f.path: f.text for f in a.files} for a in handed]
    assert isinstance(strange, Artifact)
    assert attempts[0] == {f.path: f.text for f in strange.files}


def test_the_second_sign_on_module_differs_from_the_first_by_its_parser_alone():
    """It is the cosmetic fix: one import."""
    first, second, _ = (attempt["sso.py"] for attempt in recorded("single-sign-on"))

    assert [
        "- from xml.etree import ElementTree",
        "+ from defusedxml import ElementTree",
    ] == changed_lines(first, second)


def test_the_cosmetic_fix_silences_a_linter(tmp_path):
    """bandit speaks of the parser in the first module, and has nothing to say of the second, nor of the third."""
    said = []
    for number, attempt in enumerate(recorded("single-sign-on")):
        file = tmp_path / f"sso_{number}.py"
        file.write_text(attempt["sso.py"], "utf-8")
        done = subprocess.run([BANDIT, "-q", file], capture_output=True, text=True, check=False, timeout=60)
        said.append("B314" in done.stdout)
        assert number == 0 or not done.stdout.strip(), done.stdout

    assert [True, False, False] == said


@pytest.mark.parametrize("task", ["single-sign-on", "reputation", "treasuries"])
def test_recorded_files_are_read_on_one_screen(task):
    """At most 50 lines of at most 120 characters."""
    texts = [text for attempt in recorded(task) for text in attempt.values()]

    assert max(len(text.splitlines()) for text in texts) <= 50
    assert max(len(line) for text in texts for line in text.splitlines()) <= 120


def test_changed_lines_are_those_that_went_and_came():
    """Without what stands around them, and without blank lines."""
    assert ["- b", "+ c", "+ e"] == changed_lines("a\nb\nd\n", "a\n  c\n\nd\ne\n")
    assert [] == changed_lines("a\n", "a\n")
