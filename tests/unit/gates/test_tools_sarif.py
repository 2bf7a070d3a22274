"""Reading SARIF: every result counts as the standard says, and an answer that cannot be read is no approval."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tools_scene import result, sarif

from squads import CannotLook
from squads.gates.tools.report import Report
from squads.gates.tools.sarif import BASES_MAX, MESSAGE_CHARS_MAX, read_sarif

RULES = {"name": "tool", "rules": [{"id": "R0"}, {"id": "R1", "defaultConfiguration": {"level": "note"}}]}


def path_of(place: str) -> str:
    """Know two files by any spelling."""
    for path in ("a.py", "b.py"):
        if place in (path, f"./{path}", f"file:///copy/{path}"):
            return path
    raise CannotLook(f"{place!r} is not a file that it was given to read")


def read(text: str | bytes, **options: Any) -> Report:
    return read_sarif(text if isinstance(text, bytes) else text.encode(), path_of, **options)


def levels(*results: dict[str, Any], **run: Any) -> list[tuple[str, str]]:
    return [(r.rule, r.level) for r in read(sarif(*results, **run)).results]


# What counts ----------------------------------------------------------------------------------------------------------


def test_a_result_has_rule_level_message_and_place() -> None:
    """With all that a finding is made of."""
    text = sarif(
        {
            "ruleId": "X1",
            "level": "error",
            "rank": 50,
            "message": {"text": "bad"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "./a.py"},
                        "region": {"startLine": 3, "startColumn": 5, "endLine": 4},
                    }
                }
            ],
        },
        tool={"driver": {"name": "tool", "rules": [{"id": "X1", "helpUri": "https://example.org/X1"}]}},
    )
    (found,) = read(text).results

    assert (found.rule, found.level, found.message, found.path) == ("X1", "error", "bad", "a.py")
    assert (found.line, found.column, found.end_line, found.rank) == (3, 5, 4, 50)
    assert found.satisfy == "See https://example.org/X1"


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({}, "warning"),
        ({"level": "error"}, "error"),
        ({"level": "note"}, "note"),
        ({"level": "none"}, None),
        ({"kind": "fail", "level": "error"}, "error"),
        ({"kind": "review", "level": "none"}, "warning"),
        ({"kind": "pass"}, None),
        ({"kind": "notApplicable"}, None),
        ({"kind": "informational"}, None),
        ({"baselineState": "absent"}, None),
        ({"baselineState": "unchanged"}, "warning"),
    ],
)
def test_kind_and_level_say_whether_it_counts(fields: dict[str, Any], level: str | None) -> None:
    """A level that is not given is a warning; what passed is no finding; what a person must review is one."""
    assert ([("X1", level)] if level else []) == levels(result(**fields))


def test_a_rules_default_level_holds_where_the_result_is_silent() -> None:
    """By id, by index, by reference, and in an extension."""
    tool = {"driver": RULES, "extensions": [{"name": "more", "rules": [{"id": "E0"}, *RULES["rules"][1:]]}]}
    by_index = {**result(), "ruleIndex": 1}
    del by_index["ruleId"]
    elsewhere = {**result(), "rule": {"index": 1, "toolComponent": {"index": 0}}}
    del elsewhere["ruleId"]
    named = {**result(), "rule": {"id": "R1"}}
    del named["ruleId"]

    assert levels(result("R0"), result("R1"), by_index, elsewhere, named, tool=tool) == [
        ("R0", "warning"),
        ("R1", "note"),
        ("R1", "note"),
        ("R1", "note"),
        ("R1", "note"),
    ]


def test_what_a_tool_could_not_decide_was_not_looked_at() -> None:
    """Kind `open` is neither a pass nor a finding."""
    report = read(sarif(result(kind="open", level="none")))

    assert (report.results, report.unread) == ((), ("X1 could not be decided in a.py",))


@pytest.mark.parametrize(
    ("suppressions", "said"),
    [
        (None, ""),
        ([], ""),
        ([{"kind": "inSource"}], "in-source"),
        ([{"kind": "external", "status": "accepted"}], "external"),
        ([{"kind": "inSource"}, {"kind": "external"}], "external"),
        ([{"kind": "external", "status": "rejected"}], ""),
        ([{"kind": "external"}, {"kind": "inSource", "status": "underReview"}], ""),
    ],
)
def test_a_suppressed_result_is_kept_and_says_so(suppressions: Any, said: str) -> None:
    """Nothing is dropped; a suppression that somebody rejected or still weighs silences nothing."""
    (found,) = read(sarif(result(suppressions=suppressions))).results

    assert said == found.suppressed


def test_a_message_may_stand_in_its_rule() -> None:
    """With its arguments; one that is missing stays as it is written."""
    rules = [{"id": "X1", "messageStrings": {"m": {"text": "{0} is {1} {2}"}}}]
    text = sarif(
        result(message={"id": "m", "arguments": ["a", "{0}"]}),
        result(message={"markdown": "*bad*"}),
        result(message={}),
        tool={"driver": {"name": "tool", "rules": rules}},
    )

    assert [r.message for r in read(text).results] == ["a is {0} {2}", "*bad*", "X1"]


def test_untrusted_text_can_be_sealed_and_is_bounded() -> None:
    """Half a character, a NUL, and text without end do not reach a verdict."""
    text = sarif(result(message={"text": "x\ud800\0" + "y" * 5_000}))
    (found,) = read(text).results

    assert found.message.startswith("x?\N{REPLACEMENT CHARACTER}yyy")
    assert len(found.message) == MESSAGE_CHARS_MAX


# Places ---------------------------------------------------------------------------------------------------------------


def test_a_place_may_be_relative_to_bases_or_stand_in_a_list() -> None:
    """A base that nobody explains is where the tool was run."""
    bases = {"OUTER": {"uri": "file:///"}, "ROOT": {"uri": "copy/", "uriBaseId": "OUTER"}}
    text = sarif(
        result(locations=[{"physicalLocation": {"artifactLocation": {"uri": "a.py", "uriBaseId": "ROOT"}}}]),
        result(locations=[{"physicalLocation": {"artifactLocation": {"uri": "a.py", "uriBaseId": "%SRCROOT%"}}}]),
        result(locations=[{"physicalLocation": {"artifactLocation": {"index": 0}}}]),
        result(locations=[{"logicalLocations": [{"name": "f"}]}]),
        result(locations=[]),
        originalUriBaseIds=bases,
        artifacts=[{"location": {"uri": "b.py"}}],
    )

    assert [r.path for r in read(text).results] == ["a.py", "a.py", "b.py", None, None]


@pytest.mark.parametrize(
    "place",
    [
        {"uri": "../c.py"},
        {"uri": "file:///etc/passwd"},
        {"uri": "https://example.org/a.py"},
        {"uri": "a.py", "uriBaseId": "ROOT"},
        {"index": 7},
        {},
    ],
    ids=str,
)
def test_a_place_that_is_not_of_the_artifact_cannot_be_read(place: dict[str, Any]) -> None:
    """Also in a second location: the answer is about something else."""
    bases = {"ROOT": {"uri": "file:///elsewhere/"}}
    text = sarif(
        result(locations=[*result()["locations"], {"physicalLocation": {"artifactLocation": place}}]),
        originalUriBaseIds=bases,
    )
    with pytest.raises(CannotLook):
        read(text)


def test_bases_that_lead_in_a_circle_end() -> None:
    """They are followed a bounded number of times."""
    bases = {"A": {"uri": "x/", "uriBaseId": "A"}}
    place = {"physicalLocation": {"artifactLocation": {"uri": "a.py", "uriBaseId": "A"}}}
    with pytest.raises(CannotLook, match=f"more than {BASES_MAX} others"):
        read(sarif(result(locations=[place]), originalUriBaseIds=bases))


# What the tool could not do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["toolExecutionNotifications", "toolConfigurationNotifications"])
def test_an_error_notification_says_what_was_not_read(where: str) -> None:
    """It names the file; bandit says so among its configuration notifications, and calls the run a success."""
    note = {"level": "error", "message": {"text": "syntax error"}, "locations": result()["locations"]}
    quiet = {"level": "warning", "message": {"text": "slow"}}
    text = sarif(invocations=[{"executionSuccessful": True, where: [note, quiet, {"message": {"text": "hm"}}]}])

    assert read(text).unread == ("a.py: syntax error",)
    assert read(text, notify_at="warning").unread == ("a.py: syntax error", "slow", "hm")


def test_a_failed_invocation_says_so_without_a_notification() -> None:
    """`executionSuccessful: false` is enough."""
    assert read(sarif(invocations=[{"executionSuccessful": False}])).unread == (
        "tool says that its run did not succeed",
    )


# What cannot be read --------------------------------------------------------------------------------------------------

RUN = '"tool": {"driver": {"name": "t"}}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("no json", "no JSON that can be read"),
        ("[]", "the whole: "),
        ("null", "the whole: "),
        ("{}", "version"),
        ('{"version": "2.0.0", "runs": []}', "version"),
        ('{"version": "2.1.0"}', "runs"),
        ('{"version": "2.1.0", "runs": []}', "holds no run"),
        ('{"version": "2.1.0", "runs": [{"results": []}]}', "runs.0.tool"),
        (f'{{"version": "2.1.0", "runs": [{{{RUN}}}]}}', "nothing was looked at"),
        (f'{{"version": "2.1.0", "runs": [{{{RUN}, "results": null}}]}}', "nothing was looked at"),
        (f'{{"version": "2.1.0", "runs": [{{{RUN}, "results": [], "results": []}}]}}', "'results' stands twice"),
        ('{"version": "2.1.0", "runs": [NaN]}', "NaN is no JSON number"),
        ('{"version": "2.1.0", "runs": ' + "[" * 100_000, "without end"),
        ('{"version": ' + "1" * 10_000 + "}", "no JSON that can be read"),
        (b"\xff\xfe{}", "not UTF-8"),
        (sarif(result())[:-5], "no JSON that can be read"),
        (sarif(result(level="fatal")), "runs.0.results.0.level"),
        (sarif(result(kind="maybe")), "runs.0.results.0.kind"),
        (sarif(result(line=0)), "startLine"),
        (sarif(result(line=True)), "startLine"),
        (sarif(result(line="1")), "startLine"),  # type: ignore[arg-type]
        (sarif(result(message="text")), "message"),
        (sarif(result(rank=101)), "rank"),
        (sarif(result(suppressions=[{"kind": "magic"}])), "suppressions"),
        (sarif({"message": {"text": "no rule"}}), "names no rule"),
        (sarif({"ruleIndex": 3, "message": {"text": "x"}}), "rule number 3"),
        (sarif({**result(), "rule": {"index": 0, "toolComponent": {"index": 4}}}), "rule number 0"),
        (sarif(externalPropertyFileReferences={"results": []}), "other files"),
        (sarif(invocations=[{}]), "executionSuccessful"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_sarif_cannot_be_read(text: str | bytes, says: str) -> None:
    """The reason names the place."""
    with pytest.raises(CannotLook, match=says):
        read(text)


def test_a_byte_order_mark_is_no_fault() -> None:
    """Some tools write one."""
    assert read(b"\xef\xbb\xbf" + sarif().encode()).results == ()


def test_fields_that_nobody_reads_are_no_fault() -> None:
    """SARIF is large, and tools add properties of their own."""
    whole = json.loads(sarif(result(properties={"x": 1}, fingerprints={"a": "b"}, codeFlows=[])))
    whole["$schema"] = "https://example.org/schema.json"

    assert len(read(json.dumps(whole)).results) == 1
