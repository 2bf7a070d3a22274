"""Gates that ask models over real HTTP, of a server on this machine: what they cost, what they see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from squads.bench.case import Case, Label, Place
from squads.bench.checking import check_run
from squads.bench.choosing import gate_of_model
from squads.bench.folder import RunFolder
from squads.bench.run import run
from squads.cli.app import app
from squads.gates.gate import Gate
from squads.testing import Call, ModelServer
from squads.testing.served import Fault, ServerRequest, Tokens

MODEL = "openai-chat:gpt-5-mini"
SQL = "CREATE TABLE t (a int, b int, UNIQUE (a, b));\n"
REFUSAL = {
    "invariant": "sql.unique-null",
    "severity": "major",
    "message": "NULL is not equal to NULL.",
    "path": "a.sql",
    "line": 1,
    "evidence": "UNIQUE (a, b)",
    "satisfy": "NOT NULL",
}


def cases(count: int = 1) -> list[Case]:
    """Return families of a defect and its twin."""
    return [
        Case(
            family=f"wombats{number}",
            variant=label.value,
            label=label,
            invariants=("sql.unique-null",),
            places=(Place(path="a.sql", line=1),) if label.broken else (),
            language="sql",
            kind="schema",
            split="dev",
            origin="written",
            licence="Apache-2.0",
            brief="Pairs that stand once.",
            files={"a.sql": SQL if label.broken else SQL.replace("int,", "int NOT NULL,")},
        )
        for number in range(count)
        for label in (Label.DEFECT, Label.CLEAN)
    ]


def judging(request: ServerRequest) -> Call:
    """Refuse what may be NULL."""
    return Call("approve", {"notes": []}) if "NOT NULL," in request.text else Call("refuse", {"findings": [REFUSAL]})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A server that judges every model's questions alike."""
    with ModelServer(reply=judging, tokens=Tokens(input=100, output=20)).in_thread() as started:
        monkeypatch.setenv("OPENAI_BASE_URL", started.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        yield started


async def test_a_model_judges_cases_and_its_rows_say_what_it_cost(server: ModelServer, tmp_path: Path) -> None:
    """Tokens, money and time are those of the receipts; nothing it was sent says what a case is."""
    results = await run(cases(), [gate_of_model(MODEL)], tmp_path / "run")
    refused, approved = sorted(results.judged, key=lambda row: row.decision, reverse=True)

    assert ("refused", "approved") == (refused.decision, approved.decision)
    assert ("sql.unique-null", "a.sql", 1) == (refused.found[0].invariant, refused.found[0].path, refused.found[0].line)
    assert all(row.tokens_in == 120 and row.cost_microusd > 0 for row in results.judged)
    assert RunFolder(tmp_path / "run").end().cost_microusd == sum(row.cost_microusd for row in results.judged)
    assert () == check_run(tmp_path / "run").failed
    sent = json.dumps([request.body for request in server.requests]).lower()
    assert not [word for word in ("wombat", "defect", '"clean"', "decoy", "a.sql/") if word in sent]
    again = await run(cases(), [gate_of_model(MODEL)], tmp_path / "run")
    assert (again.judged, 2) == (results.judged, server.asked["gpt-5-mini"])


async def test_a_model_that_cannot_be_reached_is_an_error_and_no_abstention(
    server: ModelServer, tmp_path: Path
) -> None:
    """Later it can be asked again."""
    gate = Gate(name="reader", prior="Reads.", model=MODEL)
    server.fault = Fault.unauthorized()
    down = await run(cases(), [gate], tmp_path / "run")
    server.fault = None
    up = await run(cases(), [gate], tmp_path / "run", again=True)

    assert {"abstained"} == {row.decision for row in down.judged}
    assert all("refused the key" in row.reason for row in down.judged)
    assert {"refused", "approved"} == {row.decision for row in up.judged}


def test_two_priors_are_compared_from_the_command_line(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From two cards and a model's name to a comparison with interval, tests and power, in one command."""
    monkeypatch.chdir(tmp_path)
    for name in ("bold", "shy"):
        page = f"---\nname: {name}\n---\nYou are {name}.\n"
        (tmp_path / f"{name}.md").write_text(page, "utf-8")
    folder = tmp_path / "cases"
    for case in cases(2):
        home = folder / case.family
        (home / case.variant).mkdir(parents=True)
        (home / case.variant / "a.sql").write_text(case.files["a.sql"], "utf-8")
        (home / "family.yaml").write_text(FAMILY, "utf-8")
    words = ["bench", "compare-priors", "bold.md", "shy.md", "--model", MODEL, "--cases", str(folder), "--json"]
    done = CliRunner().invoke(app, words)

    assert 0 == done.exit_code, done.output
    said = json.loads(done.stdout)
    assert (["bold", "shy"], 2, 1.0) == (said["priors"], said["calls"], said["catch"][2]["difference"]["first"])
    assert 16 == server.asked["gpt-5-mini"]
    assert 0 == CliRunner().invoke(app, ["bench", "check", "bench-priors"]).exit_code


FAMILY = """
invariant: sql.unique-null
title: Pairs repeat.
why: Two rows say one thing.
language: sql
kind: schema
split: dev
brief: Pairs that stand once.
oracle: {kind: sql}
variants:
  defect: {places: [{path: a.sql, line: 1}]}
  clean: {}
"""
