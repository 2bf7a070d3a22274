"""Every way to make a bundle say what is not so, by what its maker holds, and the check that says no.

The weakest maker owns the repository, the database file and a builder's key. The stronger ones also stole the key of
the log, the runner's, or the program's: what they must never have is a gate's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from bundle_scene import Line, Scene, Tree, composed, failed, states

from squads.ledger.bundle import Anchored, Included
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.offline import BundleReport, verify_bundle
from squads.ledger.packet import identify
from squads.ledger.proof import inclusion_proof
from squads.ledger.trust import Trust

BUILDER = ("builder:carpenter",)
OTHER = "e" * 64


def test_an_honest_bundle_passes_every_check() -> None:
    """Else what follows would show nothing. Where keys were kept is for a person to weigh."""
    report = composed().verify(anchored=(7, 32))

    assert [] == failed(report)
    assert {"custody": "warned", "content": "unchecked", "tree-head": "unchecked"} == {
        check: state for check, state in states(report).items() if state != "passed"
    }
    assert ("composed", 0) == (report.outcome, report.exit_code)
    assert ("schema", "style", "whole") == report.gates
    assert (16,) == report.refusals
    assert [("schema", 2), ("style", 2), ("whole", 1)] == [(given.gate, given.attempt) for given in report.approvals]


# The builder: the repository, the database file, and a key of its own ------------------------------------------------


def with_the_true_checkpoint(change: Callable[[Scene], None]) -> BundleReport:
    """Return what is found where the lines were changed and the log's genuine checkpoint was kept."""
    scene = composed()
    honest = scene.bundle()
    change(scene)
    leaves = scene.leaves()
    tree = Tree(leaves)
    receipts = tuple(
        Included.of(leaf, tuple(inclusion_proof(seq, len(leaves), tree.node))) for seq, leaf in enumerate(leaves)
    )
    return verify_bundle(replace(honest, receipts=receipts).to_json(), scene.trust)


def test_a_changed_receipt_is_not_under_the_true_checkpoint() -> None:
    """Without the log's key, whatever was changed is not in the tree that it signed."""
    report = with_the_true_checkpoint(lambda scene: scene.change(scene.at("verdict"), BUILDER, decision="approved"))

    assert "failed" == states(report)["inclusion"]
    assert 1 == report.exit_code


def test_a_refusal_that_was_dropped_is_missed_by_the_true_checkpoint() -> None:
    """Rows are gone and every hash was made again: no path leads to the root."""
    report = with_the_true_checkpoint(lambda scene: scene.lines.pop(scene.at("verdict", decision="refused")))

    assert "failed" == states(report)["inclusion"]


def test_a_checkpoint_of_ones_own_is_not_the_logs() -> None:
    """A note is believed for its signature, and never for the name under it."""
    report = composed().verify(log="log of one's own")

    assert ["checkpoint"] == failed(report)
    assert {"passed", "failed", "unchecked"} == set(states(report).values())
    assert "unchecked" == states(report)["gates"]
    assert 1 == report.exit_code


def test_a_whole_log_of_ones_own_is_not_the_trusted_one() -> None:
    """Everything is consistent: root, keys, log, every signature. It is another log than `trust.json` names."""
    scene = composed()
    mine = {name: scene.signer_of(f"my {name}") for name in ("root", "log")}
    genuine, signer_of = scene.trust, scene.signer_of
    scene.signer_of = lambda role: mine.get(role) or signer_of(role)
    scene.lines[0] = scene.lines[0].saying(
        root_public_keys=[mine["root"].public_key.hex()], log_public_key=mine["log"].public_key.hex()
    )
    scene.lines[0] = replace(scene.lines[0], subjects=(("root", mine["root"].key_id.hex()),))
    for place in range(1, 9):
        scene.lines[place] = replace(scene.lines[place], body=None)
    data = scene.bundle().to_json()
    believed = Trust.of(genuine.origin, mine["root"].public_key, mine["log"].public_key)

    assert [] == failed(verify_bundle(data, believed))
    assert ["checkpoint"] == failed(verify_bundle(data, genuine))
    half = Trust.of(genuine.origin, genuine.root_public_key, mine["log"].public_key)
    assert ["opening"] == failed(verify_bundle(data, half))


def test_another_packets_proof_is_not_this_receipts() -> None:
    """A path proves one leaf at one index."""
    bundle = composed().bundle()
    first, second, *rest = bundle.receipts
    swapped = (replace(first, path=second.path), replace(second, path=first.path), *rest)

    assert "inclusion" in failed(verify_bundle(replace(bundle, receipts=swapped).to_json(), composed().trust))


@pytest.mark.parametrize(
    ("left_out", "check"),
    [
        (("log-open", {}), "opening"),
        (("key-event", {"subject": "gate:schema"}), "signature"),
        (("opened", {}), "packet"),
        (("plan", {}), "composition"),
        (("artifact", {"author": "carpenter"}), "composition"),
        (("ticket", {"gate": "schema", "attempt": 2}), "gates"),
        (("verdict", {"author": "schema", "attempt": 2}), "gates"),
        (("verdict", {"author": "whole"}), "gates"),
        (("composition", {}), "composition"),
        (("acceptance", {}), "acceptance"),
        (("question", {}), "people"),
        (("answer", {}), "people"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join([value[0], *map(str, value[1].values())]),
)
def test_what_the_rule_needs_cannot_be_left_out(left_out: tuple[str, dict[str, Any]], check: str) -> None:
    """A genuine log, bundled with a hole: what an approval rests on must be there."""
    scene = composed()
    kind, said = left_out
    hole = scene.at(kind, -1, **said)
    report = scene.verify(keep=lambda place, line: place != hole)

    assert check in failed(report)
    assert "passed" != states(report)["completeness"]


def test_leaving_out_the_end_makes_no_composition() -> None:
    """A packet without an end is open, which is not composed: could not find out."""
    scene = composed()
    report = scene.verify(keep=lambda place, line: line.kind != "finish")

    assert ("open", 2) == (report.outcome, report.exit_code)
    assert "unchecked" == states(report)["gates"]


def test_what_a_bundle_leaves_out_is_said() -> None:
    """A revocation that came later need not be in the file, so nobody may believe that there was none."""
    scene = composed()
    report = scene.verify(keep=lambda place, line: line.kind != "verdict" or line.said["decision"] != "refused")

    assert [] == failed(report)
    assert "unchecked" == states(report)["completeness"]
    assert "31 of the log's 32 receipts" in report["completeness"].message


# With the log's key: any tree can be signed -------------------------------------------------------------------------


@dataclass(frozen=True)
class Forgery:
    """A change that its maker can sign a checkpoint over."""

    change: Callable[[Scene], object]
    check: str
    """Which check must fail."""

    def __str__(self) -> str:
        return self.change.__name__.replace("_", " ")


def a_builder_approves_as_the_gate(scene: Scene) -> None:
    scene.change(scene.at("verdict"), BUILDER, decision="approved")


def a_builder_approves_under_its_own_name(scene: Scene) -> None:
    scene.change(scene.at("verdict", -1, author="schema"), BUILDER, author="carpenter")


def a_strangers_key_approves(scene: Scene) -> None:
    scene.change(scene.at("verdict", -1, author="schema"), ("a stranger",))


def another_gate_approves_in_its_place(scene: Scene) -> None:
    scene.change(scene.at("verdict", -1, author="schema"), ("gate:style",))


def a_builder_registers_itself_as_the_gate(scene: Scene) -> None:
    scene.change(scene.at("key-event", subject="gate:schema"), BUILDER)


def a_signed_verdict_is_reworded(scene: Scene) -> None:
    line = scene.line("verdict")
    genuine, better = scene._signed(line, "root"), line.saying(decision="approved")
    forged = scene._signed(better, "root")
    scene.lines[scene.at("verdict")] = replace(better, body=forged[:-64] + genuine[-64:])


def the_opening_drops_a_gate(scene: Scene) -> None:
    scene.change(scene.at("opened"), BUILDER, gates=["style", "whole"])


def the_refusal_is_dropped_and_the_first_attempt_composes(scene: Scene) -> None:
    first = scene.line("artifact").said["artifact"]
    del scene.lines[scene.at("assignment", attempt=2) : scene.at("composition")]
    scene.lines.pop(scene.at("verdict", decision="refused"))
    part = {"task": 1, "artifact": first}
    scene.change(scene.at("composition"), ("runner",), parts=[part])


def an_approval_of_the_second_attempt_is_replayed_on_the_first(scene: Scene) -> None:
    genuine = scene.line("verdict", -1, author="schema")
    the_refusal_is_dropped_and_the_first_attempt_composes(scene)
    scene.lines.insert(scene.at("ticket", gate="style") + 1, genuine)


def the_end_is_by_the_builder(scene: Scene) -> None:
    scene.change(scene.at("finish"), BUILDER)


def the_tickets_are_by_the_builder(scene: Scene) -> None:
    for place, line in enumerate(scene.lines):
        if line.kind == "ticket":
            scene.change(place, BUILDER)


def the_owners_answer_is_by_the_program(scene: Scene) -> None:
    scene.change(scene.at("answer"), ("program",))


STOLEN_LOG_KEY = [
    Forgery(a_builder_approves_as_the_gate, "role"),
    Forgery(a_builder_approves_under_its_own_name, "role"),
    Forgery(a_strangers_key_approves, "signature"),
    Forgery(another_gate_approves_in_its_place, "role"),
    Forgery(another_gate_approves_in_its_place, "gates"),
    Forgery(a_builder_registers_itself_as_the_gate, "role"),
    Forgery(a_builder_registers_itself_as_the_gate, "signature"),
    Forgery(a_signed_verdict_is_reworded, "signature"),
    Forgery(the_opening_drops_a_gate, "role"),
    Forgery(the_refusal_is_dropped_and_the_first_attempt_composes, "gates"),
    Forgery(an_approval_of_the_second_attempt_is_replayed_on_the_first, "gates"),
    Forgery(an_approval_of_the_second_attempt_is_replayed_on_the_first, "ticket"),
    Forgery(the_end_is_by_the_builder, "role"),
    Forgery(the_tickets_are_by_the_builder, "gates"),
    Forgery(the_owners_answer_is_by_the_program, "people"),
]


@pytest.mark.parametrize("forgery", STOLEN_LOG_KEY, ids=lambda f: f"{f}: {f.check}")
def test_whoever_stole_the_logs_key_cannot_sign_for_others(forgery: Forgery) -> None:
    """Any history can be put under a checkpoint; what was never signed cannot be put into it."""
    scene = composed()
    forgery.change(scene)
    report = scene.verify()

    assert {"passed"} == {states(report)["checkpoint"], states(report)["inclusion"]}
    assert forgery.check in failed(report)
    assert 1 == report.exit_code


# With the runner's and the program's key too: everything but a gate's ----------------------------------------------


def the_end_names_other_bytes(scene: Scene) -> None:
    scene.change(scene.at("finish"), artifact=OTHER)


def the_composition_names_another_part(scene: Scene) -> None:
    scene.change(scene.at("composition"), parts=[{"task": 1, "artifact": OTHER}])


def the_composition_leaves_its_tasks_out(scene: Scene) -> None:
    scene.change(scene.at("composition"), parts=[])


def the_composition_has_a_part_of_no_task(scene: Scene) -> None:
    parts = scene.line("composition").said["parts"]
    scene.change(scene.at("composition"), parts=[*parts, {"task": 2, "artifact": OTHER}])


def other_bytes_are_handed_in_and_the_old_approvals_kept(scene: Scene) -> None:
    scene.change(scene.at("artifact", -1), artifact=OTHER)
    scene.change(scene.at("composition"), parts=[{"task": 1, "artifact": OTHER}])


def other_bytes_get_new_tickets_and_the_old_approvals(scene: Scene) -> None:
    other_bytes_are_handed_in_and_the_old_approvals_kept(scene)
    nonce = scene.line("opened").said["nonce"]
    for gate in ("schema", "style"):
        place = scene.at("ticket", gate=gate, attempt=2)
        scene.change(place, subject=OTHER, ticket=identify(nonce, "ticket", 1, 2, gate, OTHER, 1))


def a_ticket_of_other_bytes_keeps_its_id(scene: Scene) -> None:
    scene.change(scene.at("ticket", gate="schema", attempt=2), subject=OTHER)


def a_ticket_carries_the_id_of_another_packets(scene: Scene) -> None:
    strange = identify("f" * 64, "ticket", 1, 2, "schema", scene.line("artifact", -1).said["artifact"], 1)
    scene.change(scene.at("ticket", gate="schema", attempt=2), ticket=strange)


def another_packets_verdict_is_put_in(scene: Scene) -> None:
    place = scene.at("verdict", author="schema", attempt=2)
    scene.lines[place] = scene.lines[place].saying(packet="d" * 32)


def the_verdict_stands_before_its_ticket(scene: Scene) -> None:
    verdict = scene.lines.pop(scene.at("verdict", author="schema", attempt=2))
    scene.lines.insert(scene.at("ticket", gate="schema", attempt=2), verdict)


def the_verdict_stands_after_the_composition(scene: Scene) -> None:
    verdict = scene.lines.pop(scene.at("verdict", author="schema", attempt=2))
    scene.lines.insert(scene.at("composition") + 1, verdict)


def the_ticket_stands_before_the_artifact(scene: Scene) -> None:
    ticket = scene.lines.pop(scene.at("ticket", gate="schema", attempt=2))
    scene.lines.insert(scene.at("artifact", -1), ticket)


def a_second_try_composes_over_a_refusal(scene: Scene) -> None:
    """The refused attempt is asked about once more, as if the gate had abstained."""
    refused = scene.line("ticket", gate="schema", attempt=1)
    nonce, subject = scene.line("opened").said["nonce"], refused.said["subject"]
    del scene.lines[scene.at("assignment", attempt=2) : scene.at("composition")]
    ticket = refused.saying(ask=2, ticket=identify(nonce, "ticket", 1, 1, "schema", subject, 2))
    scene.lines.insert(scene.at("composition"), ticket)
    scene.change(scene.at("composition"), parts=[{"task": 1, "artifact": subject}])


def silence_is_told_as_a_yes(scene: Scene) -> None:
    verdict = scene.at("verdict", author="schema", attempt=2)
    said = {name: scene.lines[verdict].said[name] for name in ("workspace", "packet")}
    about = {**said, "about": scene.lines[verdict].said["ticket"]}
    scene.lines[verdict] = Line("deadline", about, (("about", about["about"]),), ("runner",), 0)


def the_gate_that_the_plan_added_is_not_asked(scene: Scene) -> None:
    """The coordinator's key is stolen as well, or its plan was honest and its gate inconvenient."""
    roles = scene.line("opened").said["roles"]
    extra = {**next(r for r in roles if r["name"] == "style"), "name": "extra", "prior": "a" * 64}
    scene.change(scene.at("opened"), roles=[*roles, extra])
    (task,) = scene.line("plan").said["tasks"]
    scene.change(scene.at("plan"), tasks=[{**task, "gates": ["extra"]}])


def the_acceptance_is_of_other_bytes(scene: Scene) -> None:
    scene.change(scene.at("acceptance"), subject=OTHER)


def what_had_to_hold_does_not(scene: Scene) -> None:
    (held,) = scene.line("acceptance").said["held"]
    scene.change(scene.at("acceptance"), held=[{**held, "holds": False}])


def the_acceptance_was_asked_for_too_early(scene: Scene) -> None:
    asked = scene.lines.pop(scene.at("assignment", work="accept"))
    scene.lines.insert(scene.at("verdict", author="whole"), asked)


def nobody_accepted_it(scene: Scene) -> None:
    scene.lines.pop(scene.at("acceptance"))


def nobody_was_asked(scene: Scene) -> None:
    del scene.lines[scene.at("question") : scene.at("finish")]


def a_person_denied_it(scene: Scene) -> None:
    scene.change(scene.at("answer"), decision="denied")


def a_person_approved_other_bytes(scene: Scene) -> None:
    scene.change(scene.at("answer"), subject=OTHER)


def a_person_answered_too_late(scene: Scene) -> None:
    expires = scene.line("question").said["expires_ms"]
    for place in range(scene.at("answer"), len(scene.lines)):
        scene.lines[place] = replace(scene.lines[place], time_ms=expires)


def an_answer_to_another_question(scene: Scene) -> None:
    scene.change(scene.at("answer"), question=OTHER)


def a_question_to_somebody_else(scene: Scene) -> None:
    scene.change(scene.at("question"), approvers=["carpenter"])


def the_packet_ends_twice(scene: Scene) -> None:
    scene.lines.append(scene.line("finish").saying(outcome="not-composed", reason="task-refused", artifact=None))


def the_packet_is_opened_twice(scene: Scene) -> None:
    opened = scene.line("opened")
    scene.lines.insert(scene.at("plan"), opened.saying(gates=["style"]))


def the_end_is_not_composed_and_names_bytes(scene: Scene) -> None:
    scene.change(scene.at("finish"), outcome="not-composed", reason="task-refused")


def no_gate_was_required(scene: Scene) -> None:
    scene.change(scene.at("opened"), gates=[])


def the_gate_is_no_gate(scene: Scene) -> None:
    gates = scene.line("opened").said["gates"]
    scene.change(scene.at("opened"), gates=[*gates, "carpenter"])


def nobody_looked(scene: Scene) -> None:
    """The gates' keys are needed for this one: an honest gate that found nothing of its kind to read."""
    for place, line in enumerate(scene.lines):
        if line.kind == "verdict":
            scene.change(place, looked=0)


def the_gate_has_the_builders_prior(scene: Scene) -> None:
    roles = scene.line("opened").said["roles"]
    prior = next(r for r in roles if r["name"] == "carpenter")["prior"]
    scene.change(scene.at("opened"), roles=[{**r, "prior": prior} if r["name"] == "schema" else r for r in roles])


def the_packet_demands_more_distance(scene: Scene) -> None:
    scene.change(scene.at("opened"), independence="family")


def a_task_is_built_by_another_than_planned(scene: Scene) -> None:
    (task,) = scene.line("plan").said["tasks"]
    scene.change(scene.at("plan"), tasks=[{**task, "builder": "one-task"}])


def the_plan_was_swapped_after_it_was_built(scene: Scene) -> None:
    plan = scene.lines.pop(scene.at("plan"))
    scene.lines.insert(scene.at("acceptance"), plan)


def a_receipt_names_another_subject_than_it_speaks_of(scene: Scene) -> None:
    place = scene.at("finish")
    scene.lines[place] = replace(scene.lines[place], body=None, subjects=(("artifact", OTHER),))


def a_receipt_of_another_workspace(scene: Scene) -> None:
    scene.change(scene.at("composition"), workspace="c" * 32)


def everything_went_on_while_it_was_stopped(scene: Scene) -> None:
    said = {
        "workspace": scene.line("opened").said["workspace"],
        "packet": None,
        "author": "carpenter",
        "content": OTHER,
    }
    stop = Line("stop", said, (("content", OTHER),), BUILDER, 0)
    scene.lines.insert(scene.at("artifact", -1), stop)


STOLEN_RUNNER_KEY = [
    Forgery(the_end_names_other_bytes, "composition"),
    Forgery(the_composition_names_another_part, "composition"),
    Forgery(the_composition_leaves_its_tasks_out, "composition"),
    Forgery(the_composition_has_a_part_of_no_task, "composition"),
    Forgery(other_bytes_are_handed_in_and_the_old_approvals_kept, "gates"),
    Forgery(other_bytes_get_new_tickets_and_the_old_approvals, "gates"),
    Forgery(other_bytes_get_new_tickets_and_the_old_approvals, "ticket"),
    Forgery(a_ticket_of_other_bytes_keeps_its_id, "binding"),
    Forgery(a_ticket_of_other_bytes_keeps_its_id, "gates"),
    Forgery(a_ticket_carries_the_id_of_another_packets, "binding"),
    Forgery(another_packets_verdict_is_put_in, "gates"),
    Forgery(the_verdict_stands_before_its_ticket, "ticket"),
    Forgery(the_verdict_stands_before_its_ticket, "gates"),
    Forgery(the_verdict_stands_after_the_composition, "gates"),
    Forgery(the_ticket_stands_before_the_artifact, "gates"),
    Forgery(a_second_try_composes_over_a_refusal, "gates"),
    Forgery(silence_is_told_as_a_yes, "gates"),
    Forgery(the_gate_that_the_plan_added_is_not_asked, "gates"),
    Forgery(the_acceptance_is_of_other_bytes, "acceptance"),
    Forgery(what_had_to_hold_does_not, "acceptance"),
    Forgery(the_acceptance_was_asked_for_too_early, "acceptance"),
    Forgery(nobody_accepted_it, "acceptance"),
    Forgery(nobody_was_asked, "people"),
    Forgery(a_person_denied_it, "people"),
    Forgery(a_person_approved_other_bytes, "people"),
    Forgery(a_person_answered_too_late, "people"),
    Forgery(an_answer_to_another_question, "people"),
    Forgery(a_question_to_somebody_else, "people"),
    Forgery(the_packet_ends_twice, "packet"),
    Forgery(the_packet_is_opened_twice, "packet"),
    Forgery(the_end_is_not_composed_and_names_bytes, "packet"),
    Forgery(no_gate_was_required, "gates"),
    Forgery(the_gate_is_no_gate, "gates"),
    Forgery(nobody_looked, "gates"),
    Forgery(the_gate_has_the_builders_prior, "independence"),
    Forgery(the_packet_demands_more_distance, "independence"),
    Forgery(a_task_is_built_by_another_than_planned, "composition"),
    Forgery(the_plan_was_swapped_after_it_was_built, "composition"),
    Forgery(a_receipt_names_another_subject_than_it_speaks_of, "binding"),
    Forgery(a_receipt_of_another_workspace, "binding"),
    Forgery(everything_went_on_while_it_was_stopped, "packet"),
]


@pytest.mark.parametrize("forgery", STOLEN_RUNNER_KEY, ids=lambda f: f"{f}: {f.check}")
def test_whoever_is_the_runner_cannot_let_through_what_the_gates_did_not(forgery: Forgery) -> None:
    """The runner says that something composed; here its word is held against what the others signed."""
    scene = composed()
    forgery.change(scene)
    report = scene.verify()

    assert {"passed"} == {states(report)[c] for c in ("checkpoint", "inclusion", "opening", "statement", "signature")}
    assert forgery.check in failed(report)
    assert 1 == report.exit_code


def test_whoever_opens_a_packet_says_which_gates_it_needs_and_the_report_repeats_it() -> None:
    """No proof can say which gates would have been right: the report names those that were required."""
    scene = composed()
    scene.change(scene.at("opened"), gates=["style", "whole"])
    report = scene.verify()

    assert [] == failed(report)
    assert ("style", "whole") == report.gates


# Gates that contradict themselves, keys that were lost ---------------------------------------------------------------


def test_two_answers_of_one_gate_to_one_ticket_let_nothing_through() -> None:
    """Nobody can know which it means, also where the first one was a yes."""
    scene = composed()
    line = scene.line("verdict", author="schema", attempt=2)
    scene.lines.insert(scene.at("composition"), line.saying(decision="refused"))
    report = scene.verify()

    assert ["equivocation"] == failed(report)
    assert {"schema"} == {word for word in ("schema", "style") if word in report["equivocation"].message}


def test_two_answers_about_what_did_not_compose_are_a_warning() -> None:
    """The gate should be asked; what composed does not rest on it."""
    scene = composed()
    line = scene.line("verdict", author="style", attempt=1)
    scene.lines.insert(scene.at("assignment", attempt=2), line.saying(decision="refused"))
    report = scene.verify()

    assert [] == failed(report)
    assert "warned" == states(report)["equivocation"]


def key_event(scene: Scene, **said: Any) -> Line:
    """Return a key event, signed by the root."""
    return Line("key-event", said, (("key", said["key"]),), ("root",), 0)


def test_an_approval_with_a_key_that_was_suspect_then_does_not_stand() -> None:
    """A revocation reaches back by index; the verdict itself stays genuine."""
    scene = composed()
    verdict = scene.at("verdict", author="schema", attempt=2)
    gate = scene.signer_of("gate:schema").key_id.hex()
    scene.lines.append(key_event(scene, event="revoke", key=gate, reason="compromised", suspect_from_index=verdict))
    report = scene.verify()

    assert ["suspect"] == failed(report)
    assert verdict == report["suspect"].seq


def test_an_approval_from_before_the_key_was_suspect_stands() -> None:
    """Retiring a key takes nothing back."""
    scene = composed()
    gate = scene.signer_of("gate:schema").key_id.hex()
    since = len(scene.lines)
    scene.lines.append(key_event(scene, event="revoke", key=gate, reason="retired", suspect_from_index=since))

    assert [] == failed(scene.verify())


def test_a_revoked_key_approves_nothing() -> None:
    """It held no role at that index any more."""
    scene = composed()
    gate = scene.signer_of("gate:schema").key_id.hex()
    place = scene.at("artifact", -1)
    scene.lines.insert(place, key_event(scene, event="revoke", key=gate, reason="lost", suspect_from_index=place))

    assert {"role", "gates"} <= set(failed(scene.verify()))


@pytest.mark.parametrize(("demanded", "expected"), [("in-process", []), ("daemon", ["custody"]), ("hsm", ["custody"])])
def test_a_key_that_is_kept_worse_than_the_policy_demands_does_not_count(demanded: str, expected: list[str]) -> None:
    """The policy in force at the verdict decides, and the root signed it."""
    scene = composed()
    workspace = scene.line("opened").said["workspace"]
    said = {
        "workspace": workspace,
        "gate_custody": demanded,
        "end_level": "checkpointed",
        "refusal_level": "checkpointed",
    }
    policy = Line("policy", said, (), ("root",), 0).saying()
    scene.lines.insert(scene.at("opened"), policy)
    report = scene.verify()

    assert expected == failed(report)


def test_a_policy_counts_from_where_it_stands() -> None:
    """What was approved before it is not judged by it."""
    scene = composed()
    said = {"workspace": scene.line("opened").said["workspace"], "gate_custody": "hsm"}
    scene.lines.append(Line("policy", said, (), ("root",), 0).saying())

    assert [] == failed(scene.verify())


# Checkpoints that were kept elsewhere --------------------------------------------------------------------------------


def test_two_roots_at_one_size_are_evidence_of_a_fork() -> None:
    """Both notes are handed on: together they prove it to anybody who trusts the log's key."""
    scene = composed()
    bundle = scene.bundle()
    size = len(scene.lines)
    other = sign_checkpoint(Checkpoint(scene.trust.origin, size, b"\7" * 32), scene.signer_of("log"))
    report = verify_bundle(replace(bundle, anchored=(Anchored(note=other),)).to_json(), scene.trust)

    assert ["anchored"] == failed(report)
    assert ((other, bundle.checkpoint),) == report.evidence


def test_a_checkpoint_that_this_log_did_not_grow_out_of_is_named() -> None:
    """The tail was rewritten by whoever holds the log's key; an older note does not lead here."""
    scene = composed()
    other = sign_checkpoint(Checkpoint(scene.trust.origin, 7, b"\7" * 32), scene.signer_of("log"))
    honest = scene.bundle(anchored=(7,))
    path = honest.anchored[0].path
    report = verify_bundle(replace(honest, anchored=(Anchored(note=other, path=path),)).to_json(), scene.trust)

    assert ["anchored"] == failed(report)
    assert () == report.evidence


def test_a_larger_checkpoint_elsewhere_proves_the_same_log() -> None:
    """A bundle may be older than the anchor: consistency is shown in that direction too."""
    scene = composed()
    whole = scene.bundle()
    tree = Tree(scene.leaves())
    size = len(scene.lines) - 1
    note = sign_checkpoint(Checkpoint(scene.trust.origin, size, tree.root(size)), scene.signer_of("log"))
    receipts = tuple(
        replace(r, path=tuple(inclusion_proof(seq, size, tree.node))) for seq, r in enumerate(whole.receipts[:-1])
    )
    path = scene.bundle(anchored=(size,)).anchored[0].path
    older = replace(whole, receipts=receipts, checkpoint=note, anchored=(Anchored(note=whole.checkpoint, path=path),))
    report = verify_bundle(older.to_json(), scene.trust)

    assert "passed" == states(report)["anchored"]
    assert [] == failed(report)


def test_a_note_by_another_key_is_no_note_of_the_log() -> None:
    """Whoever can write to the place outside can put junk there, and it is said."""
    scene = composed()
    junk = sign_checkpoint(Checkpoint(scene.trust.origin, 7, b"\7" * 32), scene.signer_of("a stranger"))
    report = verify_bundle(replace(scene.bundle(), anchored=(Anchored(note=junk),)).to_json(), scene.trust)

    assert ["anchored"] == failed(report)
