"""A run judges every case with every gate, through receipts, and tells no gate which case is the defect."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench_scene import RULE, Asleep, Broken, Shy, Words, pair, ran, some, verdicts

from squads.adapters.system import system_entropy
from squads.bench.arms import Arm, Context
from squads.bench.case import Case
from squads.bench.checking import check_run
from squads.bench.folder import RunFolder
from squads.bench.judged import Found, Hit, hit_of
from squads.bench.manifest import REFERENCE, pieces_of
from squads.bench.person import Person
from squads.bench.run import RunBudget, RunProgress, run
from squads.bench.seat import seated
from squads.cli.bench_report import results_at
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput
from squads.contracts.finding import Usage
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate
from squads.gates.panel import Panel
from squads.resolve import prior_of
from squads.stores import trust_or_new


class Spying(Gate):
    """Keeps what it is shown."""

    prior = "Looks around."
    seen: list[ReviewWork]

    def review(self, work: ReviewWork) -> Verdict:
        self.seen.append(work)
        return work.approve()


class Costly(Gate):
    """Says that it cost a hundred millionths of a dollar."""

    prior = "Costs."
    call_microusd_max = 100
    call_tokens_max = 10

    def review(self, work: ReviewWork) -> Verdict:
        return work.approve().but(usage=Usage(tokens=10, calls=1, cost_microusd=100))


def half_made(ledger: Path) -> None:
    """Leave a first page that was not committed, with the journal that says there was no page before."""
    with closing(sqlite3.connect(ledger)) as made:
        made.execute("PRAGMA user_version=1")
    head = struct.pack(">8s5I", bytes.fromhex("d9d505f920a163d7"), 0, 1, 0, 512, 4096)
    ledger.with_name("ledger.db-journal").write_bytes(head.ljust(512, b"\0"))


def spying() -> Spying:
    gate = Spying()
    gate.seen = []
    return gate


def test_every_verdict_is_a_row_with_the_receipt_that_says_it(tmp_path: Path) -> None:
    """Two gates and four cases are eight rows, in the order of cases and gates, with findings as figures need them."""
    cases = some(2)
    results = ran(cases, [Words(name="words"), Shy(name="shy")], tmp_path / "run")

    assert [(c.id, g) for c in sorted(cases, key=lambda c: c.id) for g in ("words", "shy")] == [
        (row.case, row.gate) for row in results.judged
    ]
    refused = [row for row in results.judged if row.decision == "refused"]
    assert ["wombats0/defect-zebra", "wombats1/defect-zebra"] == [row.case for row in refused]
    assert (Found(invariant=RULE, path="a.sql", line=2),) == refused[0].found
    assert all(row.receipt and row.packet for row in results.judged)
    by_id = {case.id: case for case in cases}
    assert [Hit.REASON] * 2 == [hit_of(by_id[row.case], row) for row in refused]


def test_reports_read_the_folder_of_a_run_as_it_stands(tmp_path: Path) -> None:
    """`squads bench report` and `compare` take it with no report written first."""
    found = ran(pair(), [Words()], tmp_path / "run")

    assert found == results_at(tmp_path / "run")


def test_identical_seeds_give_identical_verdicts_and_order(tmp_path: Path) -> None:
    """Two runs of one seed differ in nothing but receipts and time; another seed opens the packets otherwise."""
    cases, gates = some(2), [Words(name="words"), Shy(name="shy")]
    first = ran(cases, gates, tmp_path / "a", seed=7)
    second = ran(cases, gates, tmp_path / "b", seed=7)

    assert verdicts(first) == verdicts(second)
    one, other = (RunFolder(tmp_path / name).manifest() for name in "ab")
    assert pieces_of(one) == pieces_of(other)
    # Four packets have 24 orders, so one other seed may well give the same one.
    assert 1 < len({tuple(p[1:] for p in pieces_of(one.but(seed=seed))) for seed in range(20)})


def test_a_gate_that_crashes_hangs_or_abstains_is_kept_apart(tmp_path: Path) -> None:
    """Its neighbours' verdicts are what they were, and a silent gate is an error with its reason."""
    gates = [Words(name="words"), Shy(name="shy"), Broken(name="broken"), Asleep(name="asleep")]
    results = ran(pair(), gates, tmp_path / "run", reply_ms_max=80, packets_at_once=1)

    said = {(row.case.split("/")[1][:6], row.gate): (row.decision, row.reason) for row in results.judged}
    assert ("refused", "") == said["defect", "words"]
    assert ("approved", "") == said["clean-", "words"]
    assert ("abstained", "it is dark") == said["clean-", "shy"]
    assert ("error", "crashed") == said["clean-", "broken"] == said["defect", "broken"]
    assert "error" == said["clean-", "asleep"][0] == said["defect", "asleep"][0]
    assert said["clean-", "asleep"][1] in ("cancelled", "deadline", "crashed")


def test_a_gate_that_hangs_is_not_asked_for_ever(tmp_path: Path) -> None:
    """After two deadlines in a row it is not asked again: four cases cost two deadlines, not eight."""
    results = ran(some(2), [Asleep(name="asleep")], tmp_path / "run", reply_ms_max=80, packets_at_once=1)

    assert {"error"} == {row.decision for row in results.judged}
    assert 2 <= sum(row.reason == "crashed" for row in results.judged)


def test_no_gate_is_shown_what_a_case_is(tmp_path: Path) -> None:
    """Neither family, variant, label nor invariant is in anything that a gate is handed."""
    spy = spying()
    cases = pair("quokkas", base=True)
    ran(cases, [Arm("spy", spy, {"kind": "spy"})], tmp_path / "run")
    shown = "\n".join(_text(work) for work in spy.seen).lower()

    assert 2 == len(spy.seen)
    for word in ("zebra", "quokka", "defect", "clean", "decoy", "cosmetic", "label", "planted", "written", "dev"):
        assert word not in shown.replace("-- before quokkas", ""), word


def test_every_variant_of_a_family_is_asked_about_in_the_same_words(tmp_path: Path) -> None:
    """Only the reference differs, and it is 16 hex digits."""
    spy = spying()
    ran(pair(), [Arm("spy", spy)], tmp_path / "run")
    briefs = [work.brief.partition(REFERENCE) for work in spy.seen]

    assert {"A table for 7 scores."} == {brief for brief, _, _ in briefs}
    assert 2 == len({reference for _, _, reference in briefs})
    assert all(len(r) == 16 and int(r, 16) >= 0 for _, _, r in briefs)


def test_what_stood_before_is_handed_to_gates_unless_the_context_says_no(tmp_path: Path) -> None:
    """The artifact names its base by digest, and the gate is given exactly that."""
    spy = spying()
    cases = pair(base=True)
    contexts = (Context("with"), Context("without", told="Judge the file alone.", base=False))
    results = ran(cases, [Arm("spy", spy)], tmp_path / "run", contexts=contexts)

    given = [work for work in spy.seen if work.inputs]
    assert 2 == len(given)
    assert 4 == len(spy.seen)
    assert all(work.artifact and work.inputs["base"].digest == work.artifact.base for work in given)
    assert all("Judge the file alone." in w.brief for w in spy.seen if not w.inputs)
    assert {"with", "without"} == {row.factors["context"] for row in results.judged}


def test_a_seated_gate_keeps_its_own_prior() -> None:
    """What receipts freeze of a gate in a run is what they freeze of it anywhere, for panels as well."""
    panel = Panel(Words(name="one"), Words("other", name="two"), name="both")

    for gate in (Words(name="words"), panel):
        sits = seated(gate, "called-so", bases={}, turnstile=None)
        assert prior_of(gate) == prior_of(sits)
        assert ("called-so", True) == (sits.name, gate.name in ("words", "both"))


def test_two_arms_may_hold_one_prior(tmp_path: Path) -> None:
    """They are two readings under two names, and their rows say that the prior is one."""
    results = ran(pair(), [Arm("first", Words()), Arm("second", lambda: Words())], tmp_path / "run")

    assert 1 == len({row.prior for row in results.judged})
    assert {"first", "second"} == {row.gate for row in results.judged}


def test_the_author_relation_is_what_the_receipts_say(tmp_path: Path) -> None:
    """Where a model made the cases, code is of another family than it."""
    results = ran(pair(), [Words(name="words")], tmp_path / "run", contexts=[Context(author="openai-chat:gpt-5-mini")])

    assert {"family"} == {row.factors["author"] for row in results.judged}


def test_a_run_goes_on_only_with_the_same_arguments(tmp_path: Path) -> None:
    """Another seed or gate in the same folder is refused and named; the same ones ask nobody again."""
    cases, spy = pair(), spying()
    ran(cases, [Arm("spy", spy)], tmp_path / "run")
    again = ran(cases, [Arm("spy", spy)], tmp_path / "run")

    assert 2 == len(spy.seen) == len(again.judged)
    with pytest.raises(InvalidInput, match="other seed"):
        ran(cases, [Arm("spy", spy)], tmp_path / "run", seed=1)
    with pytest.raises(InvalidInput, match="other gates"):
        ran(cases, [Arm("spy", Words())], tmp_path / "run")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "letter.txt").write_text("dear reader", "utf-8")
    with pytest.raises(InvalidInput, match="something else"):
        ran(cases, [Words(name="words")], tmp_path / "else")


@pytest.mark.parametrize("left", ["nothing", "empty", "half"])
def test_a_run_that_was_killed_while_its_ledger_was_made_goes_on(tmp_path: Path, left: str) -> None:
    """The trust is there and no receipt: neither no file, nor an empty one, nor one with a journal to take back."""
    out = tmp_path / "run"
    ran(pair(), [Words()], out, budget=RunBudget(seconds=0))
    shutil.rmtree(out / "store")
    trust_or_new(out / "store", tmp_path / "keys", system_entropy)
    ledger = out / "store" / "ledger.db"
    if left == "empty":
        ledger.touch()
    elif left == "half":
        half_made(ledger)
    results = ran(pair(), [Words()], out)

    assert ["approved", "refused"] == sorted(row.decision for row in results.judged)
    assert 0 == check_run(out, keys=tmp_path / "keys").exit_code


def test_what_the_members_of_a_panel_found_is_what_it_found(tmp_path: Path) -> None:
    """A panel weighs verdicts and no findings: a refusal by a member's major finding is right where that one is."""
    panel = Panel(Words("leaky", name="leaks"), Words("wobbly", name="wobbles"))
    results = ran(pair(), [panel], tmp_path / "run")
    said = {row.case: row for row in results.judged}

    defect, _ = results.cases
    assert Hit.REASON is hit_of(defect, said[defect.id])


async def test_two_processes_do_not_run_in_one_folder(tmp_path: Path) -> None:
    """They would ask everybody twice; the lock is the kernel's, and goes with its holder."""
    held = RunFolder(tmp_path / "run")
    with held.alone(), pytest.raises(InvalidInput, match="another process runs"):
        await run(pair(), [Words(name="words")], tmp_path / "run")
    results = await run(pair(), [Words(name="words")], tmp_path / "run")

    assert 2 == len(results.judged)


async def test_a_person_is_a_gate_like_any_other(tmp_path: Path) -> None:
    """What they say is a signed verdict; where they have nothing to say, they abstained."""

    def asked(work: ReviewWork) -> Verdict | None:
        return work.approve() if b"sound" in work.artifact.files[0].content else None  # type: ignore[union-attr]

    results = await run(pair(), [Person(asked, name="mara")], tmp_path / "run")

    assert ["approved", "abstained"] == [row.decision for row in results.judged]
    assert "mara gave no answer" == results.judged[1].reason


def test_a_budget_of_money_ends_the_run_before_it_is_passed(tmp_path: Path) -> None:
    """What is there stands as it is, the end says why, and a larger budget goes on where it ended."""
    cases, told = some(3), list[tuple[int, int]]()

    def watch(progress: RunProgress) -> None:
        told.append((progress.packets_ended, progress.usage.cost_microusd))

    options: dict[str, Any] = {"packets_at_once": 1, "watch": watch}
    short = ran(cases, [Costly(name="costly")], tmp_path / "run", budget=RunBudget(cost_microusd_max=450), **options)
    end = RunFolder(tmp_path / "run").end()

    assert ("money", 3, 6, 300) == (end.why, end.packets, end.packets_planned, end.cost_microusd)
    assert 3 == len(short.judged)
    assert [(1, 100), (2, 200), (3, 300)] == told
    assert "3 of 6" == short.about["packets"]
    whole = ran(cases, [Costly(name="costly")], tmp_path / "run", **options)
    assert ("finished", 6) == (RunFolder(tmp_path / "run").end().why, len(whole.judged))
    assert 600 == sum(row.cost_microusd for row in whole.judged)


@pytest.mark.parametrize(
    ("budget", "why"),
    [(RunBudget(seconds=0.0), "seconds"), (RunBudget(tokens_max=5), "tokens")],
    ids=["seconds", "tokens"],
)
def test_a_budget_that_leaves_nothing_ends_the_run_with_nothing(tmp_path: Path, budget: RunBudget, why: str) -> None:
    """No packet begins, and the folder says so."""
    results = ran(pair(), [Costly(name="costly")], tmp_path / "run", budget=budget)

    assert (why, ()) == (RunFolder(tmp_path / "run").end().why, results.judged)


def test_a_budget_that_one_case_could_pass_is_refused(tmp_path: Path) -> None:
    """Otherwise the run would end at once and nobody knew why."""
    with pytest.raises(InvalidInput, match=r"one case may cost up to \$0.0002"):
        ran(pair(), [Costly(name="costly")], tmp_path / "run", budget=RunBudget(cost_microusd_max=150))


def test_who_gave_no_answer_can_be_asked_again(tmp_path: Path) -> None:
    """With `again` a crash is asked anew, and the newer answer stands; without it the run is as it was."""
    flag = tmp_path / "down"
    flag.touch()

    class Moody(Gate):
        prior = "Crashes while a file is there."

        def review(self, work: ReviewWork) -> Verdict:
            if flag.exists():
                raise OSError("down")
            return work.approve()

    first = ran(pair(), [Moody(name="moody")], tmp_path / "run")
    flag.unlink()
    second = ran(pair(), [Moody(name="moody")], tmp_path / "run")
    third = ran(pair(), [Moody(name="moody")], tmp_path / "run", again=True)

    assert {"error"} == {row.decision for row in (*first.judged, *second.judged)}
    assert ["approved", "approved"] == [row.decision for row in third.judged]


def test_names_and_factors_that_a_run_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    """No gates, two of one name, a bad name, no gate, a factor of the run's own, cases of one id."""
    for gates, match in (
        ([], "without gates"),
        ([Arm("a", Words()), Arm("a", Shy())], "two gates"),
        ([Arm("A b", Words())], "is no name"),
        ([Arm("a", lambda: 7)], "no gate"),
        ([Arm("a", Words(), {"author": "me"})], "written by the run"),
    ):
        with pytest.raises(InvalidInput, match=match):
            ran(pair(), gates, tmp_path / "run")
    with pytest.raises(InvalidInput, match="two cases"):
        ran([*pair(), *pair()], [Words(name="words")], tmp_path / "run")
    with pytest.raises(InvalidInput, match="without cases"):
        ran([], [Words(name="words")], tmp_path / "run")


def _text(value: Any) -> str:
    """Return all text in what a gate was handed, at any depth."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Artifact):
        return "\n".join([*(f"{f.path} {f.text}" for f in value.files), *value.removals, value.author])
    if dataclasses.is_dataclass(value):
        return "\n".join(_text(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "mind")
    if isinstance(value, dict):
        return "\n".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(map(_text, value))
    if hasattr(value, "model_dump"):
        return _text(value.model_dump(mode="json"))
    return str(value)


def test_the_search_for_labels_would_find_one() -> None:
    """What looks for words in what gates are shown sees every field of it."""
    case: Case = pair()[0]
    work = dataclasses.replace(case.work(), charter="the label is defect")

    assert "the label is defect" in _text(work)
    assert "leaky" in _text(work)
