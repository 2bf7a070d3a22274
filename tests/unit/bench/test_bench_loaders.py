"""Loaders: a set is what its loader was written for, or it is refused; recorded reports become verdicts by one rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from squads.bench.case import Label
from squads.bench.judged import Hit, Results, hit_of
from squads.bench.loaders import loader_named, loaders
from squads.bench.loaders.loader import commit_at
from squads.bench.loaders.real_vuln import SLACK_LINES, RealVuln, factors_of
from squads.contracts.errors import InvalidCase


class Small(RealVuln):
    """The loader, for a set of one application."""

    counts: ClassVar = {"entries": 3, "vulnerable": 2, "traps": 1, "apps": 1}


def entry(number: int, line: int, *, vulnerable: bool = True, cwes: Sequence[int] = (89, 943)) -> dict[str, Any]:
    """Return an entry of a ground truth."""
    return {
        "id": f"shop-{number}",
        "is_vulnerable": vulnerable,
        "primary_cwe": f"CWE-{cwes[0]}",
        "acceptable_cwes": [f"CWE-{cwe}" for cwe in cwes],
        "file": "app.py",
        "location": {"start_line": line, "end_line": line + 2},
        "severity": "high",
    }


def finding(line: int, *cwes: int, path: str = "app.py") -> dict[str, Any]:
    """Return a finding of a report."""
    named = [f"CWE-{cwe}: with a title" for cwe in cwes]
    return {"path": path, "start": {"line": line}, "extra": {"metadata": {"cwe": named}}}


ENTRIES = [entry(1, 20), entry(2, 30), entry(3, 100, vulnerable=False)]


@pytest.fixture
def a_set(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a set with one application, and one report for each scanner."""

    def write(entries: Sequence[object] = ENTRIES, **reports: list[dict[str, Any]] | None) -> Path:
        truth = tmp_path / "ground-truth" / "realvuln-shop" / "ground-truth.json"
        truth.parent.mkdir(parents=True)
        truth.write_text(json.dumps({"findings": list(entries)}), "utf-8")
        for scanner, findings in reports.items():
            folder = tmp_path / "scan-results" / "realvuln-shop" / scanner.replace("_", "-")
            folder.mkdir(parents=True)
            spent = {"exit_status": "timeout" if findings is None else "success", "cost_usd": 0.00001}
            (folder / "run-1.metrics.json").write_text(json.dumps(spent), "utf-8")
            if findings is not None:
                (folder / "run-1.json").write_text(json.dumps({"results": findings}), "utf-8")
        return tmp_path

    return write


def refused(results: Results) -> list[str]:
    """Return the entries that were refused, by their number."""
    return [row.case.rpartition("-")[2] for row in results.judged if row.decision == "refused"]


def test_every_loader_says_what_it_reads() -> None:
    """A name, a home, a commit, a licence and counts; and a slip of the pen finds the nearest."""
    for loader in loaders():
        assert loader is not loader_named(loader.name)
        assert 40 == len(loader.commit)
        assert loader.home
        assert loader.licence
        assert loader.counts
    with pytest.raises(InvalidCase, match="did you mean 'real-vuln'"):
        loader_named("real-vul")


def test_a_set_of_another_size_is_refused(a_set: Callable[..., Path]) -> None:
    """Figures about another set would carry this one's name."""
    with pytest.raises(InvalidCase, match=r"3 entries instead of 796; 2 vulnerable instead of 676; 1 traps"):
        RealVuln().load(a_set())


def test_a_folder_that_is_no_set_is_refused(tmp_path: Path) -> None:
    """It says what is missing."""
    with pytest.raises(InvalidCase, match=r"ground-truth\.json"):
        RealVuln().load(tmp_path)


def test_entries_become_cases(a_set: Callable[..., Path]) -> None:
    """A vulnerability is a defect, a trap a decoy, the application the family."""
    cases = Small().load(a_set())

    assert [Label.DEFECT, Label.DEFECT, Label.DECOY] == [case.label for case in cases]
    assert {"shop"} == {case.family for case in cases}
    assert ("cwe.89", "cwe.943") == cases[0].invariants
    assert [("app.py", 20, 22)] == [(p.path, p.line, p.end_line) for p in cases[0].places]
    assert "real" == cases[0].origin


@pytest.mark.parametrize(
    ("found", "entries"),
    [
        ([finding(21, 89)], ["1"]),
        ([finding(21, 943)], ["1"]),
        ([finding(21, 79)], []),
        ([finding(21, 79, 89)], []),
        ([finding(21, 89, 79)], ["1"]),
        ([finding(21, 89, path="./app.py")], ["1"]),
        ([finding(21, 89, path="other.py")], []),
        ([finding(10, 89)], ["1"]),
        ([finding(9, 89)], []),
        ([finding(42, 89)], ["2"]),
        ([finding(43, 89)], []),
        ([finding(31, 89)], ["1"]),
        ([finding(31, 89), finding(31, 89)], ["1", "2"]),
        ([finding(31, 89)] * 3, ["1", "2"]),
        ([finding(100, 89)], ["3"]),
        ([finding(21)], []),
    ],
    ids=[
        "in-the-range",
        "another-acceptable-cwe",
        "another-cwe",
        "only-the-first-cwe-counts",
        "first-cwe-of-two",
        "path-with-a-dot",
        "another-file",
        "ten-lines-before",
        "eleven-lines-before",
        "ten-lines-after",
        "eleven-lines-after",
        "the-earlier-entry-first",
        "each-finding-for-one-entry",
        "each-entry-for-one-finding",
        "a-trap",
        "no-cwe",
    ],
)
def test_a_finding_counts_for_one_entry(
    a_set: Callable[..., Path], found: list[dict[str, Any]], entries: list[str]
) -> None:
    """The same file, the first CWE acceptable, at most ten lines beside, one to one in the report's order."""
    assert entries == refused(Small().recorded(a_set(snyk=found)))


def test_a_vulnerability_goes_before_a_trap(a_set: Callable[..., Path]) -> None:
    """A trap beside it is not refused by the finding that is about the vulnerability."""
    entries = [entry(1, 20, vulnerable=False), entry(2, 22), entry(3, 200)]

    assert ["2"] == refused(Small().recorded(a_set(entries, snyk=[finding(21, 89)])))


def test_a_matched_finding_is_right_in_place_and_reason(a_set: Callable[..., Path]) -> None:
    """With the set's own tolerance, `hit_of` agrees with the set's rule."""
    results = Small().recorded(a_set(snyk=[finding(10, 943)]))

    assert Hit.REASON is hit_of(results.cases[0], results.judged[0], slack_lines=SLACK_LINES)
    assert str(SLACK_LINES) == results.about["slack_lines"]


def test_a_run_without_a_report_is_an_error(a_set: Callable[..., Path]) -> None:
    """It timed out: it must not look like a run that let everything pass."""
    results = Small().recorded(a_set(gpt_5=None))

    assert ["error"] * 3 == [row.decision for row in results.judged]
    assert {"the recorded run ended as timeout"} == {row.reason for row in results.judged}


def test_what_a_run_cost_is_shared_out_whole(a_set: Callable[..., Path]) -> None:
    """Ten millionths over three entries are four, three and three."""
    results = Small().recorded(a_set(gpt_5=[]))

    assert [4, 3, 3] == [row.cost_microusd for row in results.judged]


@pytest.mark.parametrize(
    ("scanner", "kind", "model", "maker", "procedure"),
    [
        ("claude-haiku-4-5-agentic-v1", "model", "claude-haiku-4-5", "anthropic", "agentic-v1"),
        ("claude-haiku-4-5-v1", "model", "claude-haiku-4-5", "anthropic", "v1"),
        ("snyk", "scanner", "snyk", "snyk", "scanner"),
        ("gpt-9", "model", "gpt-9", "openai", ""),
    ],
)
def test_a_configurations_name_tells_its_factors(
    scanner: str, kind: str, model: str, maker: str, procedure: str
) -> None:
    """One model that was asked in two ways is one model."""
    assert {"kind": kind, "model": model, "maker": maker, "procedure": procedure} == factors_of(scanner)


def test_a_report_that_cannot_be_read_is_refused(a_set: Callable[..., Path]) -> None:
    """Half a report would look like a run that saw less."""
    path = a_set(snyk=[])
    (path / "scan-results/realvuln-shop/snyk/run-1.json").write_text('{"results": [', "utf-8")

    with pytest.raises(InvalidCase, match=r"run-1\.json cannot be read as a page of real-vuln: JSONDecodeError"):
        Small().recorded(path)


def test_a_finding_of_another_shape_is_refused(a_set: Callable[..., Path]) -> None:
    """And it says in which report."""
    with pytest.raises(InvalidCase, match=r"run-1\.json"):
        Small().recorded(a_set(snyk=[{"path": "app.py", "extra": {"metadata": {"cwe": ["CWE-89"]}}}]))


def test_an_entry_of_another_shape_is_refused(a_set: Callable[..., Path]) -> None:
    """A ground truth of another version is another ground truth."""
    with pytest.raises(InvalidCase, match=r"ground-truth\.json cannot be read"):
        Small().load(a_set([{"id": "x"}]))


def test_a_set_without_reports_has_no_replay(a_set: Callable[..., Path]) -> None:
    """An empty replay would be a table of zeros."""
    with pytest.raises(InvalidCase, match="scan-results"):
        Small().recorded(a_set())


OTHER = "1" * 40


@pytest.mark.parametrize("how", ["detached", "branch", "packed", "work-tree"])
def test_a_checkout_of_another_commit_is_refused(a_set: Callable[..., Path], tmp_path: Path, how: str) -> None:
    """Whichever way git wrote down where it stands."""
    path = a_set()
    git = path / ".git"
    if how == "work-tree":
        git.write_text("gitdir: store/worktrees/one\n", "utf-8")
        git = path / "store/worktrees/one"
    git.mkdir(parents=True)
    (git / "HEAD").write_text(f"{OTHER}\n" if how == "detached" else "ref: refs/heads/main\n", "utf-8")
    if how == "branch":
        (git / "refs/heads").mkdir(parents=True)
        (git / "refs/heads/main").write_text(f"{OTHER}\n", "utf-8")
    if how == "packed":
        (git / "packed-refs").write_text(f"# pack-refs\n{OTHER} refs/heads/main\n", "utf-8")
    if how == "work-tree":
        (git / "commondir").write_text("../..\n", "utf-8")
        (path / "store/refs/heads").mkdir(parents=True)
        (path / "store/refs/heads/main").write_text(f"{OTHER}\n", "utf-8")

    assert OTHER == commit_at(path)
    with pytest.raises(InvalidCase, match="git checkout cf263ea5acb8"):
        Small().load(path)


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path: Path) -> None:
    """Then the counts decide alone."""
    assert commit_at(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert commit_at(tmp_path) is None
