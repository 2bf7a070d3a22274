"""What roles spent, where a person and a program read it: status, report, outcome. Nothing where all is code."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from squads import ApprovalRule, Approved, Squad
from squads.cli import show
from squads.cli.report import write_report
from squads.cli.status import show_status
from squads.contracts.finding import Usage
from squads.contracts.outcome import Outcome
from squads.testing import ScriptedBuilder, ScriptedGate

LINE = "spent by style: 1,200 tokens, $0.0031, 2.5 s"
USAGE = Usage(tokens=1_200, cost_microusd=3_100, calls=2, wait_ms=2_500)


def ran(store: Path, verdict: Approved, *, waits: bool = False) -> Outcome:
    team = Squad(
        builder=ScriptedBuilder({"a.txt": "a"}, prior="b"),
        gates=[ScriptedGate("style", verdict, prior="g")],
        store=store,
        approval=ApprovalRule(approvers=("owner",)) if waits else None,
    )

    async def run() -> Outcome:
        async with team:
            return await team.run("It.")

    return asyncio.run(run())


def printed(outcome: Outcome) -> str:
    text = io.StringIO()
    show.outcome(Console(file=text, highlight=False, soft_wrap=True, color_system=None), outcome)
    return text.getvalue()


@pytest.mark.parametrize("waits", [False, True], ids=["ended", "open"])
def test_status_says_what_each_role_spent(waits: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens, money to the hundredth of a cent, and seconds, of packets that are open and that ended."""
    ran(tmp_path, Approved(usage=USAGE), waits=waits)

    show_status(store=tmp_path, limit=20, as_json=False)
    assert LINE in capsys.readouterr().out
    show_status(store=tmp_path, limit=20, as_json=True)
    (found,) = json.loads(capsys.readouterr().out)["open" if waits else "ended"]

    assert [{"role": "style", "kind": "gate", "usage": USAGE.model_dump()}] == found["spent"]


def test_a_report_says_what_each_role_spent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row for each role that spent anything, and the sum as before."""
    outcome = ran(tmp_path, Approved(usage=USAGE))

    write_report(outcome.packet, store=tmp_path, form="markdown", out=None, as_json=True)
    text = json.loads(capsys.readouterr().out)["text"]

    assert "| style | 1,200 | $0.0031 | 2.5 s | 2 |" in text.replace("\\", "")
    assert "Used: 1,200 tokens, without a limit; 3,100 millionths of a US dollar" in text


def test_an_outcome_is_printed_with_what_it_cost(tmp_path: Path) -> None:
    """Below how it ended."""
    assert LINE in printed(ran(tmp_path, Approved(usage=USAGE)))


def test_code_says_nothing_of_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in the outcome, not in the status, and no table in the report."""
    outcome = ran(tmp_path, Approved())

    show_status(store=tmp_path, limit=20, as_json=False)
    write_report(outcome.packet, store=tmp_path, form="markdown", out=None, as_json=True)

    said = capsys.readouterr().out + printed(outcome)
    assert "spent" not in said
    assert "$" not in said.split('"text"')[0]
