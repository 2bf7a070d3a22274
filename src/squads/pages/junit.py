"""JUnit XML: verdicts for whatever shows test results, one suite for each gate.

A refusal is a failure, an abstention an error (it could not look), and a gate that had nothing of its kind to read is
skipped. Characters that XML cannot hold are shown escaped, never dropped.
"""

from __future__ import annotations

from xml.etree import ElementTree

from squads.contracts.outcome import Judgement
from squads.pages.result import GateResult, by_gate, place_of, words_of
from squads.pages.text import counted, one_line, visible

FINDINGS_SHOWN_MAX = 1_000
"""Findings that one failure lists."""


def junit_of(result: GateResult) -> str:
    """Return the whole file."""
    top = ElementTree.Element("testsuites", name="squads gate")
    totals = [0, 0, 0, 0]
    for gate, judged in by_gate(result.judgements).items():
        counts = _suite(top, result, gate, judged)
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
    if result.unexplained:
        suite = ElementTree.SubElement(
            top, "testsuite", name="packet", tests="1", failures="0", errors="1", skipped="0"
        )
        case = ElementTree.SubElement(suite, "testcase", classname="packet", name=one_line(result.title), time="0")
        error = ElementTree.SubElement(case, "error", message=one_line(result.said), type="not-composed")
        error.text = visible("\n".join(result.words))
        totals = [totals[0] + 1, totals[1], totals[2] + 1, totals[3]]
    for name, count in zip(("tests", "failures", "errors", "skipped"), totals, strict=True):
        top.set(name, str(count))
    ElementTree.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _suite(top: ElementTree.Element, result: GateResult, gate: str, judged: list[Judgement]) -> list[int]:
    suite = ElementTree.SubElement(top, "testsuite", name=one_line(gate))
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", name="packet", value=result.outcome.packet)
    counts = [0, 0, 0, 0]
    for one in judged:
        task = f" of {one.task}" if one.task else ""
        name = one_line(f"{one.reads} {one.attempt}{task}: {result.title}")
        case = ElementTree.SubElement(suite, "testcase", classname=one_line(gate), name=name, time="0")
        said = one_line(words_of(one))
        counts[0] += 1
        if one.verdict.kind == "refused":
            counts[1] += 1
            ElementTree.SubElement(case, "failure", message=said, type="refused").text = _findings(one)
        elif one.verdict.kind == "abstained":
            counts[2] += 1
            ElementTree.SubElement(case, "error", message=said, type="abstained").text = visible(one.verdict.reason)
        elif one.verdict.looked == 0:
            counts[3] += 1
            ElementTree.SubElement(case, "skipped", message=said)
        elif one.verdict.findings:
            ElementTree.SubElement(case, "system-out").text = _findings(one)
    for name, count in zip(("tests", "failures", "errors", "skipped"), counts, strict=True):
        suite.set(name, str(count))
    return counts


def _findings(judged: Judgement) -> str:
    lines = []
    for finding in judged.verdict.findings[:FINDINGS_SHOWN_MAX]:
        lines.append(f"{place_of(finding)}{finding.message} [{finding.severity.value}] {finding.invariant}")
        if finding.evidence.strip():
            said = "evidence (not found there)" if finding.unanchored else "evidence"
            lines.append(f"  {said}: {finding.evidence.strip()}")
        if finding.satisfy.strip():
            lines.append(f"  would satisfy it: {finding.satisfy.strip()}")
    if (left := len(judged.verdict.findings) - FINDINGS_SHOWN_MAX) > 0:
        lines.append(f"{counted(left, 'more finding')} left out; `squads gate` prints them all.")
    return visible("\n".join(lines))
