"""Gates that count their own verdicts: one that is missing leaves a hole, and a log that was cut a contradiction."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from squads.adapters.keys import InProcessSigner
from squads.kernel.ports import WORKSPACE, Entry
from squads.ledger.actors import HOLES_MAX, Actors
from squads.ledger.heads import HEADS_BACK_MAX, Heads
from squads.ledger.merkle import Edge
from squads.ledger.report import Result, Tally
from squads.ledger.statement import parse_statement
from squads.testing.conformance_ledger import ROOT_KEY, RUNNER_KEY, registration, signed_entry

GATE_KEY, OTHER_KEY = InProcessSigner(b"\4" * 32), InProcessSigner(b"\5" * 32)
KEY_EVENT = signed_entry(WORKSPACE, "key-event", registration(GATE_KEY, "gate:schema"), ROOT_KEY)


def ask(gate: str = "schema", number: int = 0) -> Entry:
    """Return a ticket."""
    return signed_entry("a", "ticket", {"gate": gate, "packet": "a", "number": number}, RUNNER_KEY)


@dataclass
class Gate:
    """A gate with a counter, which signs whatever it is told to."""

    name: str = "schema"
    signer: InProcessSigner = field(default_factory=lambda: GATE_KEY)
    number: int = 0
    before: str | None = None

    def say(self, **change: Any) -> Entry:
        predicate = {"author": self.name, "actor_seq": self.number, "prev_by_actor": self.before, "packet": "a"}
        entry = signed_entry("a", "verdict", {**predicate, **change}, self.signer)
        self.number, self.before = self.number + 1, sha256(entry.payload).hexdigest()
        return entry


def actor(*entries: Entry, tickets: int = 0) -> Result:
    """Return what a log of these verdicts shows; each of them answers a ticket, and `tickets` more are unanswered."""
    tally = Tally()
    actors = Actors(tally)
    for _ in range(tickets + len(entries)):
        actors.read(0, "ticket", {"gate": "schema"}, b"", b"")
    for seq, entry in enumerate(entries):
        actors.read(seq, "verdict", parse_statement(entry.payload).predicate, entry.signatures[0][0], entry.payload)
    actors.finish()
    return next(r for r in tally.results() if r.check == "actor")


def test_a_gate_that_counts_without_a_hole_passes() -> None:
    """And so does one that does not count."""
    gate = Gate()

    assert actor(*(gate.say() for _ in range(5))).state == "passed"
    assert actor(Gate().say(actor_seq=None), Gate().say(actor_seq=None)).state == "passed"


def test_verdicts_come_in_any_order() -> None:
    """A gate reads for many packets at once, and the log's order is not its own."""
    gate = Gate()
    said = [gate.say() for _ in range(60)]
    random.Random(6).shuffle(said)

    assert actor(*said).state == "passed"


@pytest.mark.parametrize("hidden", [0, 1, 3])
def test_a_verdict_that_was_taken_out_is_a_hole(hidden: int) -> None:
    """All tickets are answered, so it did not come too late."""
    gate = Gate()
    said = [gate.say() for _ in range(5)]
    del said[hidden]

    found = actor(*said)

    assert found.state == "failed"
    assert f"the first as {hidden}" in found.message


def test_a_hole_with_an_unanswered_ticket_is_for_a_person_to_weigh() -> None:
    """A verdict that came too late stands nowhere, and nothing shows that this was one."""
    gate = Gate()
    said = [gate.say() for _ in range(5)]
    del said[2]

    assert actor(*said, tickets=1).state == "warned"
    del said[2]
    assert actor(*said, tickets=1).state == "failed", "two are missing, and one ticket"


def test_the_last_verdict_that_was_taken_out_leaves_no_hole() -> None:
    """What shows it is the gate's next one, or whoever keeps its counter."""
    gate = Gate()

    assert actor(*[gate.say() for _ in range(5)][:4]).state == "passed"


@pytest.mark.parametrize("first", [True, False])
def test_a_verdict_that_was_replaced_does_not_link(first: bool) -> None:
    """Two verdicts of one number: whoever signed both has two counters, and the log can hold only one."""
    gate, twin = Gate(), Gate()
    said = [gate.say() for _ in range(3)]
    other = [twin.say(), twin.say(packet="b")][1]
    replaced = [said[0], other, said[2]] if first else [said[0], said[2], other]

    assert actor(*replaced).state == "failed"


def test_a_number_is_said_once() -> None:
    """A key that was copied counts on its own."""
    gate, copy = Gate(), Gate()

    found = actor(gate.say(), copy.say(packet="b"))

    assert found.state == "failed"
    assert "the number 0" in found.message


def test_a_key_that_counts_signs_nothing_uncounted() -> None:
    """Else whoever has a copy of it leaves the counter out."""
    gate = Gate()

    assert actor(gate.say(), gate.say(actor_seq=None, prev_by_actor=None)).state == "failed"


@pytest.mark.parametrize(
    "change",
    [
        {"actor_seq": -1},
        {"actor_seq": "0"},
        {"actor_seq": True},
        {"prev_by_actor": "a" * 64},
        {"actor_seq": None, "prev_by_actor": "a" * 64},
        {"actor_seq": 1, "prev_by_actor": None},
    ],
)
def test_a_counter_that_makes_no_sense_is_named(change: dict[str, Any]) -> None:
    """The first has none before it, every other one has."""
    assert actor(Gate().say(**change)).state == "failed"


def test_each_key_counts_for_itself() -> None:
    """Two workers of one gate, each with its own signer."""
    one, two = Gate(), Gate(signer=OTHER_KEY)

    assert actor(one.say(), two.say(), one.say(), two.say()).state == "passed"


def test_a_counter_that_jumps_is_not_followed_for_ever() -> None:
    """Memory for each key is bounded, whatever it signs."""
    gate = Gate()
    first = gate.say()
    gate.number = HOLES_MAX * 10

    found = actor(first, *(gate.say() for _ in range(3)), tickets=HOLES_MAX * 10)

    assert found.state == "failed"
    assert found.count == 1


# In a whole log ---------------------------------------------------------------------------------------------------


def gates_log(log: Any, *entries: Entry) -> Any:
    """Return a log with the gate's key registered, and then these receipts."""
    return log(2).append(KEY_EVENT).append(*entries)


def test_the_verifier_finds_a_refusal_that_was_dropped(log: Any) -> None:
    """Whoever has the log's key can make every hash and checkpoint fit, and not the gate's counter."""
    gate = Gate()
    said = [gate.say() for _ in range(3)]

    whole = gates_log(log, ask(), said[0], ask(number=1), said[1], ask(number=2), said[2]).verify()
    cut = gates_log(log, ask(), said[0], ask(number=1), ask(number=2), said[2]).verify()
    clean = gates_log(log, ask(), said[0], ask(number=2), said[2]).verify()

    assert (whole["actor"].state, whole.failed) == ("passed", ())
    assert cut["actor"].state == "warned", "its ticket is there, so it may have come too late"
    assert [r.check for r in clean.failed] == ["actor"]


def head_of(made: Any) -> dict[str, Any]:
    """Return the head of a log as a verdict names it."""
    return {"size": made.tail.size, "root": made.tail.edge.root().hex()}


def test_a_log_that_was_cut_below_a_signed_head_and_written_anew_is_caught(log: Any) -> None:
    """The verdict is genuine, and names a past that the new log does not have."""
    made = gates_log(log, ask())
    said = Gate().say(tree_head=head_of(made))
    assert made.append(said).verify().failed == ()

    anew = gates_log(log, ask(number=7)).append(said).verify()
    shorter = log(2).append(KEY_EVENT).append(said).verify()

    assert [r.check for r in anew.failed] == ["tree-head"]
    assert "another log of 4 receipts" in anew["tree-head"].message
    assert [r.check for r in shorter.failed] == ["tree-head"]
    assert "more than stand before it" in shorter["tree-head"].message


@pytest.mark.parametrize("head", [3, "x", {"size": True, "root": "a" * 64}, {"size": 1}, {"size": -1, "root": ""}])
def test_a_head_that_is_none_is_named(log: Any, head: Any) -> None:
    """Nothing is compared with it."""
    assert gates_log(log, Gate().say(tree_head=head)).verify()["tree-head"].state == "failed"


def state(tally: Tally, check: str) -> str:
    """Return how a check stands."""
    return next(result.state for result in tally.results() if result.check == check)


def test_every_past_root_is_recomputed_and_one_too_far_back_is_unchecked() -> None:
    """Memory is bounded; what cannot be recomputed is never called right."""
    hashes = [sha256(b"%d" % number).digest() for number in range(3 * HEADS_BACK_MAX)]
    edge, roots = Edge(), {}
    for number, found in enumerate(hashes):
        if number in (0, 1, 63, 64, 65, 1_000, 2 * HEADS_BACK_MAX, len(hashes) - 1):
            roots[number] = edge.root().hex()
        edge.append(found)
    tally = Tally()
    heads = Heads(tally)
    for start in range(0, len(hashes), 1_000):
        for size in [size for size in roots if start <= size < start + 1_000]:
            heads.claim(start + 1_000, {"size": size, "root": roots[size]})
        heads.feed(hashes[start : start + 1_000], None)
    assert state(tally, "tree-head") == "passed"

    heads.claim(len(hashes), {"size": 1, "root": roots[1]})
    heads.feed([], None)

    assert state(tally, "tree-head") == "unchecked"
    assert len(heads._starts) <= 2 * HEADS_BACK_MAX // 16


def test_a_head_cannot_be_compared_where_receipts_are_misplaced() -> None:
    """The sequence check has said why."""
    tally = Tally()
    heads = Heads(tally)
    heads.claim(3, {"size": 1, "root": "a" * 64})
    heads.feed([b"\0" * 32], 1)

    assert state(tally, "tree-head") == "unchecked"
