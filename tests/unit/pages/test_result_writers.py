"""Verdicts for other tools: SARIF, JUnit and a Markdown summary say what the gates said, and never less."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from squads import Abstained, Approved, Finding, Invariant, Location, NotComposed, Refused, Severity
from squads.contracts.outcome import Halted, Judgement
from squads.contracts.verdict import Verdict
from squads.pages import junit, sarif, summary
from squads.pages.junit import junit_of
from squads.pages.result import GateResult
from squads.pages.sarif import sarif_of
from squads.pages.summary import MARK, SUMMARY_BYTES_MAX, summary_of

RULE = Invariant(
    id="sql.keys",
    statement="Every table has a key.",
    why="Rows repeat.",
    severity=Severity.MAJOR,
    cwe=694,
    refused="CREATE TABLE t (a int);",
    approved="CREATE TABLE t (a int PRIMARY KEY);",
    origin="a meeting",
)
FOUND = Finding(
    invariant="sql.keys",
    message="t has no key.",
    location=Location(path="db/ä b.sql", line=1, column=14),
    evidence="CREATE TABLE t",
    satisfy="a PRIMARY KEY",
)
HOSTILE = "]]> <b> \x00\x1b\x0b\u202e\ufffe [click](https://example.org) `x` | y\n@all"


def judged(gate: str, verdict: Verdict) -> Judgement:
    return Judgement(gate=gate, reads="artifact", task="work", attempt=1, subject="a" * 64, verdict=verdict)


def result(*judgements: Judgement, reason: Any = "task-refused", **more: Any) -> GateResult:
    outcome = NotComposed(packet="b" * 32, judgements=judgements, reason=reason, words=("it broke",))
    more.setdefault("files", {"db/ä b.sql": b"CREATE TABLE t (a int);\n", "bin": b"\xff"})
    known = {RULE.id: RULE}
    return GateResult(title="HEAD~1..HEAD", outcome=outcome, said="Not composed: why.", judgements=judgements,
                      invariants=known, version="1.2.3", **more)  # fmt: skip


REFUSED = judged("sql.keys", Refused(findings=(FOUND,)))
ABSTAINED = judged("py.names", Abstained(reason=HOSTILE))
NOTHING = judged("css.colours", Approved(looked=0))
WAIVED = judged("style", Approved(waivers=("c" * 64,), notes=(FOUND.but(invariant="style.tabs"),)))
PASSED = judged("text.markers", Approved(looked=2))
ALL = result(REFUSED, ABSTAINED, NOTHING, WAIVED, PASSED)
CASES = {
    "all": ALL,
    "hostile": result(judged("g", Refused(findings=(FOUND.but(message=HOSTILE, evidence=HOSTILE, satisfy=HOSTILE),)))),
    "nowhere": result(judged("g", Refused(findings=(FOUND.but(location=None),)))),
    "other file": result(judged("g", Refused(findings=(FOUND.but(location=Location(path="gone.sql", line=9)),)))),
    "no line": result(judged("g", Refused(findings=(FOUND.but(location=Location(path="bin")),)))),
    "no anchor": result(judged("g", Refused(findings=(FOUND.but(unanchored=True),)))),
    "nobody": result(reason="role-failed"),
    "removal": result(judged("g", Refused(findings=(FOUND.but(location=None),))), files={}, removals=("old.sql",)),
}


def runs(of: GateResult) -> dict[str, Any]:
    return {r["automationDetails"]["id"]: r for r in json.loads(sarif_of(of))["runs"]}


# SARIF ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_sarif_is_valid_against_the_schema_of_oasis(case: GateResult) -> None:
    """The standard's own schema, as the technical committee publishes it."""
    schema = json.loads((Path(__file__).parents[2] / "data/sarif-schema-2.1.0.json").read_text("utf-8"))

    jsonschema.Draft4Validator(schema).validate(json.loads(sarif_of(case)))


def test_each_gate_is_a_run_and_a_finding_is_a_result_of_its_rule() -> None:
    """Rule, level, place, the line itself, and a fingerprint, as code scanning reads them."""
    made = runs(ALL)

    run = made["squads/sql.keys/"]
    assert len(made) == 5
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["properties"] == {"tags": ["security", "external/cwe/cwe-694"], "security-severity": "8.0"}
    (found,) = run["results"]
    assert (found["ruleId"], found["level"]) == ("sql.keys", "error")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "db/%C3%A4%20b.sql"
    assert place["region"] == {
        "startLine": 1,
        "startColumn": 14,
        "snippet": {"text": "CREATE TABLE t (a int);"},
    }
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_finding_without_an_anchor_is_marked_in_every_format() -> None:
    """It refuses all the same, and the lines of a place that does not hold it are not shown as its evidence."""
    of = result(judged("sql.keys", Refused(findings=(FOUND.but(unanchored=True, evidence="CREATE TABLE u"),))))

    (found,) = runs(of)["squads/sql.keys/"]["results"]
    assert ({"unanchored": True}, "error") == (found["properties"], found["level"])
    assert "evidence is not found there" in found["message"]["text"]
    assert "evidence (not found there): CREATE TABLE u" in junit_of(of)
    assert "CREATE TABLE u" in summary_of(of)
    assert "evidence not found there" in summary_of(of)
    assert "CREATE TABLE t (a int);" not in summary_of(of)
    assert "unanchored" not in sarif_of(ALL)


def test_a_gate_that_could_not_look_is_a_failed_execution() -> None:
    """An empty list of results alone would look like an approval."""
    run = runs(ALL)["squads/py.names/"]

    (invocation,) = run["invocations"]
    assert run["results"] == []
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


def test_a_packet_that_no_verdict_explains_is_a_failed_execution() -> None:
    """A crashed role, a stop: nobody refused, and nobody approved."""
    (run,) = runs(CASES["nobody"]).values()

    assert run["invocations"][0]["executionSuccessful"] is False
    texts = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["Not composed: why.", "it broke"]


def test_a_waiver_is_a_suppression_and_names_itself() -> None:
    run = runs(ALL)["squads/style/"]

    (found,) = run["results"]
    assert found["suppressions"][0]["status"] == "accepted"
    assert "c" * 64 in found["suppressions"][0]["justification"]


@pytest.mark.parametrize(("case", "uri"), [("nowhere", "bin"), ("removal", "old.sql")])
def test_a_finding_without_a_place_is_anchored_and_says_so(case: str, uri: str) -> None:
    """Code scanning shows nothing without a file, so the first path of the change stands for it."""
    (run,) = runs(CASES[case]).values()

    (found,) = run["results"]
    assert uri == found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert "no place of its own" in found["message"]["text"]


def test_a_message_brings_no_link() -> None:
    """In SARIF `[words](target)` is a link; text of an artifact may not place one."""
    text = runs(CASES["hostile"])["squads/g/"]["results"][0]["message"]["text"]

    assert r"\[click\](https" in text
    assert "\u202e" not in text


def test_a_fingerprint_stays_when_lines_move_and_tells_twins_apart() -> None:
    """Rule, path and the line's words name a finding; its number does not."""
    text = "CREATE TABLE t (a int);\n"
    twice = Refused(findings=(FOUND, FOUND.but(location=Location(path="db/ä b.sql", line=2, column=1))))
    moved = FOUND.but(location=Location(path="db/ä b.sql", line=3))

    def prints(verdict: Verdict, content: str) -> list[str]:
        of = result(judged("sql.keys", verdict), files={"db/ä b.sql": content.encode()})
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in runs(of)["squads/sql.keys/"]["results"]]

    first, second = prints(twice, text * 2)
    assert first != second
    assert [first] == prints(Refused(findings=(moved,)), f"\n\n{text}")


def test_sarif_keeps_within_what_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 20 runs; at most so many results in each, with a sentence for the rest."""
    monkeypatch.setattr(sarif, "RESULTS_MAX", 3)
    many = [judged(f"g{n}", Refused(findings=(FOUND,) * 2)) for n in range(25)]

    made = runs(result(*many))

    assert len(made) == sarif.RUNS_MAX
    rest = made["squads/other-gates/"]
    assert len(rest["results"]) == 3
    assert "9 more results left out" in rest["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


# JUnit ----------------------------------------------------------------------------------------------------------------


def test_junit_tells_refusal_abstention_and_nothing_to_read_apart() -> None:
    """Failure, error, skipped: read back by a parser of the standard library."""
    top = ElementTree.fromstring(junit_of(ALL))

    assert {k: top.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    kinds = {s.get("name"): [e.tag for e in s.findall("testcase/*")] for s in top}
    assert kinds == {
        "sql.keys": ["failure"],
        "py.names": ["error"],
        "css.colours": ["skipped"],
        "style": ["system-out"],
        "text.markers": [],
    }
    assert "db/ä b.sql:1:14: t has no key. [major] sql.keys" in (top.findtext("*/testcase/failure") or "")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_junit_can_be_read_whatever_stands_in_it(case: GateResult) -> None:
    """What XML cannot hold is shown escaped."""
    text = junit_of(case)

    ElementTree.fromstring(text)
    assert not re.search("[\x00\x1b\x0b\u202e\ufffe]", text)


def test_junit_reports_what_no_verdict_explains() -> None:
    top = ElementTree.fromstring(junit_of(CASES["nobody"]))

    assert top.get("errors") == "1"
    assert top.find("testsuite/testcase/error").get("message") == "Not composed: why."  # type: ignore[union-attr]


def test_junit_bounds_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "FINDINGS_SHOWN_MAX", 2)

    text = junit_of(result(judged("g", Refused(findings=(FOUND,) * 5))))

    assert text.count("t has no key.") == 2
    assert "3 more findings left out" in text


# Markdown -------------------------------------------------------------------------------------------------------------


def test_a_summary_begins_with_its_mark_and_tells_every_verdict() -> None:
    """A comment is found again by its first line; a reader sees gates, findings and what would satisfy them."""
    text = summary_of(ALL)

    assert text.startswith(f"{MARK}\n\n## squads gate\n")
    assert "| sql.keys | ✗ **refused** | refused: 1 finding |" in text
    assert "| py.names | ? **abstained** |" in text
    assert "> 1 CREATE TABLE t (a int);" in text
    assert "> a PRIMARY KEY" in text


def test_a_summary_holds_no_markup_of_others() -> None:
    text = summary_of(CASES["hostile"])

    assert not re.search(r"(?<!\\)\]\(", re.sub(r"`{3,}text\n.*?\n`{3,}", "", text, flags=re.DOTALL))
    assert "<b>" not in re.sub(r"`{3,}text\n.*?\n`{3,}", "", text.replace("\\<b", ""), flags=re.DOTALL)
    assert "@all" not in re.sub(r"`{3,}text\n.*?\n`{3,}", "", text, flags=re.DOTALL)
    assert "\u202e" not in text


def test_a_summary_fits_and_says_how_much_is_left_out() -> None:
    """Whole findings are left out, and the last sentence counts them."""
    many = Refused(findings=tuple(FOUND.but(message=f"ä{n} " + "x" * 900, location=None) for n in range(500)))

    text = summary_of(result(judged("g", many)))

    assert len(text.encode()) <= SUMMARY_BYTES_MAX
    left = re.search(r"(\d+) more findings left out for want of room", text)
    assert left
    assert int(left[1]) + text.count("\n### ") == 500


def test_a_summary_whose_table_does_not_fit_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "SUMMARY_BYTES_MAX", 600)

    text = summary_of(result(*[judged(f"g{n}", Refused(findings=(FOUND,))) for n in range(30)]))

    assert len(text.encode()) <= 600
    assert "The rest is left out for want of room" in text


@pytest.mark.parametrize("write", [sarif_of, junit_of, summary_of], ids=["sarif", "junit", "markdown"])
def test_a_halt_is_not_a_pass(write: Any) -> None:
    """A stop judged nothing; every format says so."""
    halted = GateResult(
        title="t", outcome=Halted(packet="b" * 32, detail="stopped"), said="Halted: stopped.", judgements=()
    )

    text = write(halted)

    assert "Halted: stopped." in text
    assert '"executionSuccessful": true' not in text
    assert text == write(halted)
