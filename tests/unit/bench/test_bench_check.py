"""A stranger with the run's folder finds out whether its figures follow from its receipts."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from bench_scene import Broken, Shy, Words, pair, ran, some, verdicts

from squads.bench import run as running
from squads.bench.arms import Arm, Context
from squads.bench.checking import RunCheck, check_run
from squads.bench.folder import RunFolder, rows_digest
from squads.bench.judged import Judged
from squads.bench.manifest import Contrast, brief_of, pieces_of
from squads.bench.run import RunBudget
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput
from squads.contracts.packet import Limits, Packet
from squads.contracts.work import BuildWork
from squads.squad import Squad


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that no test changes."""
    out = tmp_path_factory.mktemp("finished") / "run"
    contrasts = [Contrast(name="words", question="Do words help?", panels={"a": ("words",), "b": ("shy",)})]
    ran(pair(), [Words(name="words"), Shy(name="shy")], out, contrasts=contrasts)
    return out


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A stranger's copy: the folder alone, without the keys that signed."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def failures(found: RunCheck) -> dict[str, str]:
    return {r.check: r.message for r in found.failed}


def test_a_stranger_without_keys_can_check_a_whole_run(copied: Path) -> None:
    """Everything but a cut-off end can be checked with what lies in the folder, and nothing there can sign."""
    found = check_run(copied)

    assert ({}, 0, 4) == (failures(found), found.exit_code, found.rows)
    unchecked = {r.check for r in found.results if r.state == "unchecked"}
    assert {"ledger outside-signature", "ledger rollback", "ledger fork"} == unchecked
    assert not list(copied.rglob("*.key"))


def rows(copied: Path, change: Callable[[list[Judged]], list[Judged]]) -> None:
    """Write changed rows, and an end that fits them: whoever forges takes that trouble."""
    folder = RunFolder(copied)
    judged = change(list(folder.judged()))
    folder.write_end(judged, folder.end())
    assert rows_digest(judged) == folder.end().judged


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: [r[0].but(decision="approved"), *r[1:]], "shy on wombats/clean-zebra"),
        (lambda r: r[1:], "lacks the verdict of words on wombats/clean-zebra"),
        (lambda r: [*r, r[0].but(repeat=2)], "no receipt says it"),
        (lambda r: [*r, r[0]], "two rows for one verdict"),
        (lambda r: [r[1], r[0], *r[2:]], "another order"),
        (lambda r: [row.but(cost_microusd=1) for row in r], "another cost_microusd"),
    ],
    ids=["decision", "missing", "added", "twice", "order", "cost"],
)
def test_rows_that_receipts_do_not_say_are_named(
    copied: Path, change: Callable[[list[Judged]], list[Judged]], named: str
) -> None:
    """Also where the end's digest was made to fit."""
    if named.startswith("shy"):
        rows(copied, lambda r: [row.but(decision="approved") if row.gate == "shy" else row for row in r])
    else:
        rows(copied, change)
    found = check_run(copied)

    assert named in failures(found)["verdicts"]
    assert 2 == found.exit_code


def test_rows_that_were_edited_alone_have_another_digest(copied: Path) -> None:
    """The simplest edit is found twice."""
    path = copied / "judged.jsonl"
    path.write_text(path.read_text("utf-8").replace('"refused"', '"approved"'), "utf-8")

    assert {"verdicts", "judged"} == set(failures(check_run(copied)))


def test_a_label_that_was_turned_round_is_found(copied: Path) -> None:
    """Figures are counted by labels, so the labels are part of what was written down before."""
    path = copied / "cases.jsonl"
    path.write_text(path.read_text("utf-8").replace('"label":"defect"', '"label":"decoy"'), "utf-8")

    assert "wombats/defect-zebra" in failures(check_run(copied))["cases"]


def test_a_question_that_was_written_down_afterwards_is_found(copied: Path) -> None:
    """Every packet's reference follows from the manifest: whoever changes it loses all packets."""
    path = copied / "run.json"
    path.write_text(path.read_text("utf-8").replace("Do words help?", "Do words harm?"), "utf-8")
    end = copied / "end.json"
    data = json.loads(end.read_text("utf-8"))
    data["manifest"] = RunFolder(copied).manifest().digest
    end.write_text(json.dumps(data), "utf-8")

    assert {"packets", "verdicts"} == set(failures(check_run(copied)))


@pytest.mark.parametrize("what", ["leaf", "content", "cut"])
def test_a_ledger_that_was_changed_is_found(copied: Path, what: str) -> None:
    """A byte of a receipt, a content that was taken away, receipts that were cut off."""
    connection = sqlite3.connect(copied / "store" / "ledger.db")
    with connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        newest = connection.execute("SELECT max(seq) FROM entry").fetchone()[0]
        if what == "leaf":
            leaf = connection.execute("SELECT leaf FROM entry WHERE seq = ?", (newest,)).fetchone()[0]
            changed = leaf.replace(b"not-composed", b"now-composed").replace(b'"composed"', b'"conposed"')
            connection.execute("UPDATE entry SET leaf = ? WHERE seq = ?", (changed, newest))
        elif what == "content":
            connection.execute("DELETE FROM content")
        else:
            connection.execute("DELETE FROM entry WHERE seq > ?", (newest - 3,))
    connection.close()
    found = check_run(copied)

    assert found.failed
    assert 2 == found.exit_code


def test_a_ledger_of_another_run_does_not_stand_for_this_one(copied: Path, tmp_path: Path) -> None:
    """Its receipts are genuine, and they are not of these cases."""
    ran(pair("koalas"), [Words(name="words"), Shy(name="shy")], tmp_path / "other")
    for name in ("store", "content"):
        shutil.rmtree(copied / name)
        shutil.copytree(tmp_path / "other" / name, copied / name)

    assert {"end", "packets", "verdicts"} <= set(failures(check_run(copied)))


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (lambda case, brief: ({"a.sql": "SELECT 1;"}, brief), "are not the files of"),
        (lambda case, brief: (case.files, f"It is a {case.label}. {brief}"), "its brief is not that of"),
    ],
    ids=["files", "brief"],
)
def test_a_packet_that_judged_something_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forge: Callable[..., tuple[object, str]], named: str
) -> None:
    """Whoever runs it holds the keys, and could show gates other files or tell them what a case is: receipts tell."""
    handing, brief = running.Handing.build, running.brief_of

    def build(self: running.Handing, work: BuildWork) -> Artifact:
        case = self._cases[work.packet.brief[-16:]]
        return work.artifact(forge(case, "")[0]) if named.startswith("are") else handing(self, work)

    monkeypatch.setattr(running.Handing, "build", build)
    monkeypatch.setattr(running, "brief_of", lambda case, *rest: forge(case, brief(case, *rest))[1])
    with pytest.raises(InvalidInput, match=named):
        ran(pair(), [Words(name="words")], tmp_path / "run")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """With what is missing there."""
    with pytest.raises(InvalidInput, match="is no run"):
        check_run(tmp_path)


def test_verdicts_are_taken_over_from_a_run_that_asked_the_same(tmp_path: Path) -> None:
    """Same case, prior, version, factors, repeat and seed; a crash is asked again, and each reading counts once."""
    gates = [Arm("one", Words()), Arm("two", Words()), Arm("broken", Broken())]
    first = ran(pair(), gates, tmp_path / "first")
    both = ran([*pair(), *some(1)], [*gates, Arm("third", Words())], tmp_path / "second", reuse=[tmp_path / "first"])
    folder = RunFolder(tmp_path / "second")

    taken = {(t.row.case, t.row.gate): t for t in folder.taken()}
    assert {("wombats/clean-zebra", "one"), ("wombats/clean-zebra", "two")} < set(taken)
    assert {"one", "two"} == {gate for _, gate in taken}
    assert 4 == folder.end().taken
    receipts = {row.receipt for row in first.judged if row.gate != "broken"}
    assert receipts == {t.row.receipt for t in taken.values()}
    assert 16 == len(both.judged)
    assert f"4 verdicts of the ledger {RunFolder(tmp_path / 'first').end().origin}" in both.about.values()
    assert ({}, 0) == (failures(found := check_run(tmp_path / "second")), found.exit_code)

    shutil.rmtree(tmp_path / "first")
    away = check_run(tmp_path / "second")
    assert ({}, 2) == (failures(away), away.exit_code)


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"contexts": [Context("plain", told="Be strict.")]}, {"gates": [Arm("one", Words("sound"))]}],
    ids=["seed", "context", "prior"],
)
def test_verdicts_of_another_question_are_not_taken_over(
    tmp_path: Path, finished: Path, other: dict[str, object]
) -> None:
    """Another seed, another context and another prior are other questions."""
    options = {"gates": [Arm("one", Words())], **other}
    gates = options.pop("gates")
    results = ran(pair(), gates, tmp_path / "second", reuse=[finished], **options)  # type: ignore[arg-type]

    assert ((), 2) == (RunFolder(tmp_path / "second").taken(), len(verdicts(results)))


def test_a_forged_verdict_that_was_taken_over_is_found(tmp_path: Path) -> None:
    """What is said to stand in another run has to stand there."""
    ran(pair(), [Words(name="words")], tmp_path / "first")
    ran(pair(), [Words(name="words")], tmp_path / "second", reuse=[tmp_path / "first"])
    for name in ("judged.jsonl", "taken.jsonl"):
        path = tmp_path / "second" / name
        path.write_text(path.read_text("utf-8").replace('"decision":"refused"', '"decision":"approved"'), "utf-8")
    folder = RunFolder(tmp_path / "second")
    folder.write_end(folder.judged(), folder.end())

    assert "holds no such verdict" in failures(check_run(tmp_path / "second"))["taken"]


def test_a_verdict_that_was_taken_over_for_another_case_is_found(tmp_path: Path) -> None:
    """A genuine receipt says something of its own case and its own gate, and of nothing else, and it counts once."""
    ran(pair(), [Words(name="words")], tmp_path / "first")
    ran(pair(), [Words(name="words")], tmp_path / "second", reuse=[tmp_path / "first"])
    folder = RunFolder(tmp_path / "second")
    one, other = folder.taken()

    stranger = one.but(row=one.row.but(gate="nobody"))
    for forged in (
        [stranger, other],
        [one.but(row=other.row.but(case=one.row.case)), other.but(row=one.row.but(case=other.row.case))],
        [one, other.but(row=one.row.but(case=other.row.case))],
    ):
        folder.write_taken(forged)
        folder.write_end(sorted((t.row for t in forged), key=lambda row: row.case), folder.end())

        assert "holds no such verdict" in failures(check_run(tmp_path / "second"))["taken"]


def test_a_run_that_was_cut_short_does_not_pass_for_a_finished_one(tmp_path: Path) -> None:
    """Who stops where the figures look best, and says that this was all, is found."""
    ran(some(2), [Words(name="words")], tmp_path / "run", budget=RunBudget(seconds=0.0))
    folder = RunFolder(tmp_path / "run")
    assert ("seconds", 0) == (folder.end().why, check_run(tmp_path / "run").exit_code)
    folder.write_end(folder.judged(), folder.end().but(why="finished"))

    assert "4 of 4 planned verdicts are missing" in failures(check_run(tmp_path / "run"))["end"]


@pytest.mark.parametrize("field", ["packets", "packets_planned", "cost_microusd", "tokens"])
def test_an_end_that_the_receipts_do_not_bear_out_is_found(copied: Path, field: str) -> None:
    """How far a run came and what it cost are figures too."""
    folder = RunFolder(copied)
    folder.write_end(folder.judged(), folder.end().but(**{field: 77}))

    assert f"end.json says 77 {field}" in failures(check_run(copied))["end"]


def test_a_gate_that_was_asked_until_it_said_the_right_thing_is_found(tmp_path: Path) -> None:
    """What was judged is not asked again: the later packet of the two would be the one that was liked better."""
    cases, gates = pair(), [Words(name="words")]
    ran(cases, gates, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    manifest = folder.manifest()
    piece = next(p for p in pieces_of(manifest) if p.case == cases[0].id)

    async def once_more() -> None:
        async with Squad(
            builder=running.Handing({piece.reference: cases[0]}),
            gates=gates,
            store=folder.store,
            keys=tmp_path / "keys",
            independence="identity",
        ) as squad:
            brief = brief_of(cases[0], manifest.contexts[0], piece.reference)
            await squad.run(Packet(brief=brief, gates=("words",), limits=Limits(attempts_max=1)))

    asyncio.run(once_more())

    assert "asks 'words' once more" in failures(check_run(tmp_path / "run", keys=tmp_path / "keys"))["packets"]


@pytest.mark.parametrize("field", ["case", "gate"])
def test_rows_of_nothing_that_a_manifest_names_are_not_taken_over(copied: Path, tmp_path: Path, field: str) -> None:
    """A folder that was tampered with is refused with a sentence."""
    rows(copied, lambda judged: [row.but(**{field: "nobody"}) for row in judged])

    with pytest.raises(InvalidInput, match="names no such thing"):
        ran(pair(), [Words(name="words")], tmp_path / "second", reuse=[copied])
