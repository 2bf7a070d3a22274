"""SARIF 2.1.0: verdicts for code scanners, one run for each gate.

A gate that could not look is a run whose execution failed, with the reason as a notification: an empty list of results
must never be taken for an approval by a gate that saw nothing.

Source: OASIS SARIF 2.1.0; the bounds are those of GitHub's code scanning.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from squads.contracts.finding import Finding, Severity
from squads.contracts.outcome import Judgement
from squads.pages.result import GateResult, by_gate, words_of
from squads.pages.text import counted, one_line, shortened, visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RUNS_MAX = 20
RESULTS_MAX = 5_000
"""Results of one run; GitHub takes 25,000 and shows these many."""
TAGS_MAX = 20
MESSAGE_CHARS_MAX = 4_000
SNIPPET_CHARS_MAX = 500
LEVELS = {
    Severity.BLOCKER: "error",
    Severity.MAJOR: "error",
    Severity.MINOR: "warning",
    Severity.NOTE: "note",
}
SECURITY = {Severity.BLOCKER: "9.5", Severity.MAJOR: "8.0", Severity.MINOR: "4.0", Severity.NOTE: "1.0"}
"""What GitHub sorts security findings by, from 0 to 10."""


def sarif_of(result: GateResult) -> str:
    """Return the whole file."""
    gates = list(by_gate(result.judgements).items())
    room = RUNS_MAX - result.unexplained
    runs = []
    if len(gates) > room:  # the last run is shared by the gates that there is no run of their own for
        rest = [j for _, judged in gates[room - 1 :] for j in judged]
        gates = [*gates[: room - 1], ("other-gates", rest)]
    runs += [_run(result, name, judged) for name, judged in gates]
    if result.unexplained or not runs:
        runs.append(_unexplained(result))
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=2, sort_keys=True) + "\n"


def _run(result: GateResult, name: str, judged: list[Judgement]) -> dict[str, Any]:
    found = [(j, f) for j in judged for f in j.verdict.findings]
    notifications = [_notification(j) for j in judged if j.verdict.kind == "abstained" or _read_nothing(j)]
    if len(found) > RESULTS_MAX:
        said = f"{counted(len(found) - RESULTS_MAX, 'more result')} left out; `squads gate` prints them all."
        notifications.append({"level": "warning", "message": {"text": said}})
        found = found[:RESULTS_MAX]
    ids = sorted({f.invariant for _, f in found})
    places = {rule: number for number, rule in enumerate(ids)}
    counts: dict[str, int] = {}
    results = [_result(result, j, f, places, counts) for j, f in found]
    rules = [_rule(result, rule, (f for _, f in found if f.invariant == rule)) for rule in ids]
    looked = all(j.verdict.kind != "abstained" for j in judged)
    return _as_run(result, name, results, rules, notifications, looked=looked)


def _as_run(
    result: GateResult,
    name: str,
    results: list[dict[str, Any]],
    rules: list[dict[str, Any]],
    notifications: list[dict[str, Any]],
    *,
    looked: bool,
) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": looked, "exitCode": result.outcome.exit_code}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    driver: dict[str, Any] = {"name": "squads", "rules": rules}
    if result.version:
        driver["version"] = result.version
    return {
        "tool": {"driver": driver},
        "automationDetails": {
            "id": f"squads/{name}/",
            "description": {"text": one_line(f"squads gate {name} on {result.title}")},
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The top of the change."}}},
        "invocations": [invocation],
        "results": results,
        "properties": {"packet": result.outcome.packet, "outcome": result.outcome.kind},
    }


def _unexplained(result: GateResult) -> dict[str, Any]:
    composed = result.outcome.kind == "composed"
    texts = [result.said, *result.words]
    notifications = [{"level": "note" if composed else "error", "message": {"text": _text(t)}} for t in texts]
    return _as_run(result, "packet", [], [], notifications, looked=composed)


def _read_nothing(judged: Judgement) -> bool:
    return judged.verdict.kind == "approved" and judged.verdict.looked == 0


def _notification(judged: Judgement) -> dict[str, Any]:
    level = "note" if _read_nothing(judged) else "error"
    return {"level": level, "message": {"text": _text(f"{judged.gate} {words_of(judged)}")}}


def _text(text: str) -> str:
    text = shortened(visible(text), MESSAGE_CHARS_MAX)
    # `[words](target)` in a message is a link by the standard; nobody but us may put links here.
    return text if "](" not in text else re.sub(r"([\\\[\]])", r"\\\1", text)


def _rule(result: GateResult, rule: str, findings: Iterable[Finding]) -> dict[str, Any]:
    known = result.invariants.get(rule)
    severity = known.severity if known else max((f.severity for f in findings), key=lambda s: s.weight)
    made: dict[str, Any] = {"id": rule, "defaultConfiguration": {"level": LEVELS[severity]}}
    if known is None:
        return {**made, "shortDescription": {"text": rule}}
    made |= {
        "shortDescription": {"text": one_line(known.statement)},
        "fullDescription": {"text": visible(known.why)},
        "help": {"text": visible(f"{known.why}\n\nRefused:\n{known.refused}\n\nApproved:\n{known.approved}\n")},
    }
    if known.cwe is not None:
        tags = ["security", f"external/cwe/cwe-{known.cwe}"][:TAGS_MAX]
        made["properties"] = {"tags": tags, "security-severity": SECURITY[severity]}
    return made


def _result(
    result: GateResult, judged: Judgement, finding: Finding, places: dict[str, int], counts: dict[str, int]
) -> dict[str, Any]:
    place = finding.location
    path = place.path if place else result.anchor
    line = place.line if place and place.line else 1
    shown = result.line(path, line) if place and place.line else None
    region: dict[str, Any] = {"startLine": line}
    if place and place.column:
        region["startColumn"] = place.column
    if place and place.end_line and place.end_line >= line:
        region["endLine"] = place.end_line
    if shown is not None:
        region["snippet"] = {"text": shortened(visible(shown), SNIPPET_CHARS_MAX)}
    words = [finding.message]
    if place is None:
        words.append("It has no place of its own and is shown at the first path of the change.")
    if finding.satisfy:
        words.append(f"What would satisfy it: {finding.satisfy}")
    if finding.unanchored:
        words.append("Its evidence is not found there.")
    made: dict[str, Any] = {
        "ruleId": finding.invariant,
        "ruleIndex": places[finding.invariant],
        "level": LEVELS[finding.severity] if judged.verdict.kind == "refused" else "note",
        "message": {"text": _text("\n".join(words))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(path, safe="/"), "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(finding, path, shown, counts)},
    }
    if finding.unanchored:
        made["properties"] = {"unanchored": True}
    if judged.verdict.waivers:
        said = f"{judged.gate} cites a signed waiver: {', '.join(judged.verdict.waivers)}"
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return made


def _fingerprint(finding: Finding, path: str, line: str | None, counts: dict[str, int]) -> str:
    """Return what names a finding when lines above it move: rule, path and the line's own words, numbered."""
    words = "\n".join((finding.invariant, path, " ".join((line or finding.message).split())))
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    counts[digest] = counts.get(digest, 0) + 1
    return f"{digest}:{counts[digest]}"
