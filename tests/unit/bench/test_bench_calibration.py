"""What a run measured becomes a signed record, and a workspace lets only gates count that have a good one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from bench_scene import RULE, Asleep, Broken, Words, pair, ran, some
from typer.testing import CliRunner

from squads.audit import audit
from squads.bench.arms import Arm, Context
from squads.bench.calibration import rates_of, record, records_of
from squads.bench.folder import RunFolder
from squads.bench.judged import Found, Judged
from squads.bench.run import RunBudget
from squads.bundling import bundle_in
from squads.cli.app import app
from squads.contracts.errors import InvalidInput
from squads.contracts.work import BuildWork
from squads.ledger.offline import verify_bundle
from squads.roles.builder import Builder
from squads.squad import Squad


class Careful(Builder):
    """Builds what is sound."""

    prior = "Builds."

    def build(self, work: BuildWork) -> object:  # type: ignore[override]
        return work.artifact({"a.sql": "CREATE TABLE t (sound int);\n"})


async def test_a_gate_counts_once_it_was_measured(tmp_path: Path) -> None:
    """Before its record the packet ends uncalibrated; with it it composes, audited and bundled; worse gates do not."""
    await asyncio.to_thread(ran, some(2), [Words(name="words"), Words("emu", name="other")], tmp_path / "run")
    store = tmp_path / "store"
    async with Squad(builder=Careful(), gates=[Words(name="here")], store=store) as squad:
        workspace = await squad.workspace()
        await workspace.set_policy(catch_ppm_min=900_000, false_refusals_ppm_max=20_000)
        before = await squad.run("A table.")
        await record(tmp_path / "run", workspace, person="owner")
        after = await squad.run("A table.")
    async with Squad(builder=Careful(), gates=[Words("emu", name="blind")], store=store) as other:
        blind = await other.run("A table.")

    assert ("uncalibrated", 2) == (before.reason, before.exit_code)  # type: ignore[union-attr]
    assert "composed" == after.kind
    assert "uncalibrated" == blind.reason  # type: ignore[union-attr]
    assert () == (await asyncio.to_thread(audit, store)).failed
    bundle, trust = await bundle_in(store, after.packet)
    report = verify_bundle(bundle.to_json(), trust)
    assert ("passed", ()) == (report["calibration"].state, report.failed)
    assert "every gate that counts has the record" in report["calibration"].message


def test_a_record_counts_strictly_and_names_what_it_is_of(tmp_path: Path) -> None:
    """Right reason and right place alone are a catch; digests say of which cases, run and ledger."""
    ran(some(2), [Arm(RULE, Words())], tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    (found,) = records_of(tmp_path / "run", "a" * 32)
    (rate,) = found.rates

    assert (RULE, True, 2, 2, 2, 0) == (
        rate.invariant, rate.held, rate.defects, rate.caught, rate.clean, rate.refused
    )  # fmt: skip
    assert 342_000 < rate.caught_low_ppm < 343_000
    assert (folder.manifest().case_set, folder.manifest().digest, folder.end().root) == (
        found.cases, found.run, found.ledger_root
    )  # fmt: skip
    assert folder.manifest().gates[0].prior == found.prior


def test_who_could_not_look_caught_nothing() -> None:
    """Abstentions, errors and refusals for another reason count as misses; on what is right they refuse nothing."""
    cases = pair()
    defect, clean = (case.id for case in cases)

    def row(case: str, decision: str, **said: object) -> Judged:
        return Judged(case=case, gate="words", decision=decision, **said)  # type: ignore[arg-type]

    for each in (
        row(defect, "abstained"),
        row(defect, "error"),
        row(defect, "refused", found=(Found(invariant="sql.emu", path="a.sql", line=2),)),
    ):
        (rate,) = rates_of(cases, [each, row(clean, "abstained")], "words")
        assert (1, 0, 1, 0) == (rate.defects, rate.caught, rate.clean, rate.refused)


def test_a_gate_holds_the_invariant_it_is_called_by() -> None:
    """Another gate holds all of them."""
    cases = [*pair(), *(case.but(family="emus", invariants=("sql.emu",)) for case in pair())]
    rows = [Judged(case=case.id, gate="words", decision="approved") for case in cases]

    assert {"sql.emu": False, RULE: True} == {r.invariant: r.held for r in rates_of(cases, rows, RULE)}
    assert {"sql.emu": True, RULE: True} == {r.invariant: r.held for r in rates_of(cases, rows, "words")}


def test_nothing_is_recorded_of_a_run_that_is_not_whole(tmp_path: Path) -> None:
    """Ended at a bound, changed afterwards, several contexts, no such gate, one prior twice."""
    ran(pair(), [Words(name="words")], tmp_path / "short", budget=RunBudget(seconds=0.0))
    ran(pair(), [Words(name="words")], tmp_path / "forged")
    path = tmp_path / "forged" / "judged.jsonl"
    path.write_text(path.read_text("utf-8").replace('"approved"', '"refused"'), "utf-8")
    ran(pair(), [Words(name="words")], tmp_path / "contexts", contexts=[Context("a"), Context("b", told="Look.")])
    ran(pair(), [Arm("one", Words()), Arm("two", Words())], tmp_path / "twins")

    refused = {"short": "its bound", "forged": "does not check", "contexts": "2 contexts", "twins": "one prior"}
    for name, match in refused.items():
        with pytest.raises(InvalidInput, match=match):
            records_of(tmp_path / name, "a" * 32)
    with pytest.raises(InvalidInput, match="no gate 'nobody'"):
        records_of(tmp_path / "twins", "a" * 32, gates=["nobody"])
    assert ["one"] == [r.gate for r in records_of(tmp_path / "twins", "a" * 32, gates=["one"])]


def test_a_run_is_recorded_and_demanded_from_the_command_line(tmp_path: Path) -> None:
    """Twice says it once; the policy shows what it demands in parts per million."""
    ran(pair(), [Words(name="words")], tmp_path / "run")
    store = tmp_path / "store"
    asyncio.run(_founded(store))
    runner, where = CliRunner(), ["--store", str(store), "--json"]
    first = runner.invoke(app, ["bench", "record", str(tmp_path / "run"), *where])
    again = runner.invoke(app, ["bench", "record", str(tmp_path / "run"), *where])
    demanded = runner.invoke(app, ["policy", "set", "--catch-min", "0.9", "--false-refusals-max", "0.02", *where])

    assert (0, 0, 0) == (first.exit_code, again.exit_code, demanded.exit_code), first.output + demanded.output
    assert json.loads(first.stdout) == json.loads(again.stdout)
    policy = json.loads(demanded.stdout)["policy"]
    assert (900_000, 20_000) == (policy["catch_ppm_min"], policy["false_refusals_ppm_max"])
    found = audit(store)
    assert () == found.failed


async def _founded(store: Path) -> None:
    async with Squad(builder=Careful(), gates=[Words(name="words")], store=store) as squad:
        await squad.run("A table.")


def test_gates_that_gave_no_answer_are_recorded_as_they_are(tmp_path: Path) -> None:
    """A record of a gate that crashes is one that meets nothing."""
    ran(pair(), [Broken(name="broken"), Asleep(name="asleep")], tmp_path / "run", reply_ms_max=60)

    for each in records_of(tmp_path / "run", "a" * 32):
        assert 0 == sum(rate.caught for rate in each.rates)
