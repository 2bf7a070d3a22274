"""Rules of a bundle's judgement one by one, where no forgery is needed: what a verdict claims, and who may say what."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from bundle_scene import Line, Scene, Tree, composed, failed, scene_of, states

from squads import Approved, Composed, Squad, Task
from squads.ledger.offline import verify_bundle
from squads.ledger.packet import identify
from squads.ledger.statement import statement_bytes
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate

OTHER = "e" * 64
RATE = {"invariant": "sql.quokka", "held": True, "defects": 10, "caught": 9, "clean": 10, "refused": 0}
FINAL = {"author": "schema", "attempt": 2}


def roles_with(scene: Scene, name: str, **changes: Any) -> None:
    """Have the opening freeze another squad."""
    roles = scene.line("opened").said["roles"]
    scene.change(scene.at("opened"), roles=[{**r, **changes} if r["name"] == name else r for r in roles])


# What a verdict claims -----------------------------------------------------------------------------------------------


def test_a_verdict_must_not_claim_more_independence_than_its_ticket() -> None:
    """The runner reckoned it, and the squad gives it."""
    scene = composed()
    scene.change(scene.at("verdict", **FINAL), independence="family")

    assert ["ticket"] == failed(scene.verify())


def test_a_ticket_must_not_claim_more_independence_than_the_squad_gives() -> None:
    """It is derived again from the frozen roles, whatever both say."""
    scene = composed()
    scene.change(scene.at("ticket", gate="schema", attempt=2), independence="family")
    scene.change(scene.at("verdict", **FINAL), independence="family")

    assert ["independence"] == failed(scene.verify())


def test_a_gate_cannot_answer_another_gates_ticket() -> None:
    """Its own signature, its own name, a genuine ticket: and not the question that it was asked."""
    scene = composed()
    ticket = scene.line("ticket", gate="schema", attempt=2).said["ticket"]
    scene.lines[scene.at("verdict", **FINAL)] = scene.line("verdict", author="style", attempt=2).saying(ticket=ticket)
    report = scene.verify()

    assert {"ticket", "gates"} == set(failed(report))
    assert report["gates"].message.startswith("schema did not approve")


@pytest.mark.parametrize("model", [None, "anthropic:claude"])
def test_an_approval_by_something_else_than_the_gates_models_counts_as_an_abstention(model: str | None) -> None:
    """Its independence was reckoned for the models that the opening names."""
    scene = composed()
    named = {"called": "openai:gpt", "name": "gpt", "family": "gpt"}
    roles_with(scene, "schema", models=[named])
    for kind in ("ticket", "verdict"):
        for line in list(scene.lines):
            if line.kind == kind and "schema" in (line.said.get("gate"), line.said.get("author")):
                scene.change(scene.lines.index(line), independence="family")
    scene.change(scene.at("verdict", **FINAL), model=model)
    report = scene.verify()

    assert ["gates"] == failed(report)
    assert "counts as abstained" in report["gates"].message
    scene.change(scene.at("verdict", **FINAL), model="openai:gpt")
    assert [] == failed(scene.verify())


@pytest.mark.parametrize("kind", ["plan", "artifact"])
def test_what_another_model_made_than_the_roles_is_not_judged_independently(kind: str) -> None:
    """The distance was reckoned from the models that the opening names."""
    scene = composed()
    scene.change(scene.at(kind, -1), model="openai:gpt")

    assert ["independence"] == failed(scene.verify())


def test_a_log_head_that_a_verdict_names_is_proved() -> None:
    """A gate that sees the log signs which past it saw."""
    scene = composed()
    root = Tree(scene.leaves()).root(9).hex()
    scene.change(scene.at("verdict", **FINAL), tree_head={"size": 9, "root": root})
    report = scene.verify()

    assert [] == failed(report)
    assert "passed" == states(report)["tree-head"]


@pytest.mark.parametrize(
    "head",
    [{"size": 9, "root": OTHER}, {"size": 30, "root": OTHER}, {"size": 0, "root": OTHER}],
    ids=["another past", "more than there was", "another empty tree"],
)
def test_a_log_head_of_another_past_shows_that_the_log_was_rewritten(head: dict[str, Any]) -> None:
    """Whoever stole the log's key signs any tree, and not what the gate signed."""
    scene = composed()
    scene.change(scene.at("verdict", **FINAL), tree_head=head)

    assert ["tree-head"] == failed(scene.verify())


def test_a_log_head_without_its_proof_fails() -> None:
    """Leaving the proof out must not hide a contradiction."""
    scene = composed()
    root = Tree(scene.leaves()).root(9).hex()
    scene.change(scene.at("verdict", **FINAL), tree_head={"size": 9, "root": root})
    bundle = replace(scene.bundle(), heads={})

    assert ["tree-head"] == failed(verify_bundle(bundle.to_json(), scene.trust))


# The squad, and who may say what -------------------------------------------------------------------------------------


def test_two_roles_of_one_name_cannot_be_told_apart() -> None:
    """Nobody could say who made and who judged."""
    scene = composed()
    roles = scene.line("opened").said["roles"]
    scene.change(scene.at("opened"), roles=[*roles, next(r for r in roles if r["name"] == "style")])

    assert ["gates"] == failed(scene.verify())


def test_a_gate_that_approves_without_reading_is_named() -> None:
    """`UnsafeNoGate` has an ugly name here as well."""
    scene = composed()
    roles_with(scene, "style", unsafe=True)
    report = scene.verify()

    assert [] == failed(report)
    assert "warned" == states(report)["gates"]
    assert "style approves without reading" in report["gates"].message


def test_no_required_gate_that_reads_what_composes_is_no_gate() -> None:
    """Gates that read plans say nothing about what was built."""
    scene = composed()
    for name in ("schema", "style", "whole"):
        roles_with(scene, name, reads=["plan"])

    report = scene.verify()

    assert "gates" in failed(report)
    assert "no required gate reads what composes" in report["gates"].message


def test_a_packet_that_required_no_gate_composes_nothing() -> None:
    """The empty list refuses, and the sentence says so."""
    scene = composed()
    scene.change(scene.at("opened"), gates=[])

    assert "required no gate" in scene.verify()["gates"].message


@pytest.mark.parametrize(("demanded", "expected"), [(["hsm", "in-process"], []), (["in-process", "hsm"], ["custody"])])
def test_each_policy_replaces_the_one_before(demanded: list[str], expected: list[str]) -> None:
    """What counts is the newest one that stood before the verdict."""
    scene = composed()
    for custody in demanded:
        said = {"workspace": scene.line("opened").said["workspace"], "gate_custody": custody}
        scene.lines.insert(scene.at("opened"), Line("policy", said, (), ("root",), 0).saying())

    assert expected == failed(scene.verify())


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (None, ["calibration"]),
        ({}, []),
        ({"prior": OTHER}, ["calibration"]),
        ({"rates": []}, ["calibration"]),
        ({"rates": [{**RATE, "caught": 8}]}, ["calibration"]),
        ({"rates": [{**RATE, "refused": 1}]}, ["calibration"]),
    ],
    ids=["none", "good", "other-prior", "empty", "catches-less", "refuses-more"],
)
def test_a_gate_without_the_record_that_the_policy_demands_does_not_count(
    recorded: dict[str, Any] | None, expected: list[str]
) -> None:
    """The newest record of its prior that stood before its verdict, measured by the policy that did."""
    scene = composed()
    opened = scene.line("opened").said
    workspace = opened["workspace"]
    demand = {"gate_custody": "in-process", "catch_ppm_min": 900_000, "false_refusals_ppm_max": 20_000}
    scene.lines.insert(
        scene.at("opened"), Line("policy", {"workspace": workspace, **demand}, (), ("root",), 0).saying()
    )
    for role in () if recorded is None else opened["roles"]:
        said = {
            "workspace": workspace,
            "gate": role["name"],
            "prior": role["prior"],
            "rates": [RATE],
            **(recorded or {}),
        }
        scene.lines.insert(scene.at("opened"), Line("calibration", said, (), ("root",), 0).saying())

    assert expected == failed(scene.verify())


def test_a_record_that_came_after_the_verdict_does_not_count() -> None:
    """Nobody knew yet how good the gate was."""
    scene = composed()
    opened = scene.line("opened").said
    demand = {"gate_custody": "in-process", "catch_ppm_min": 900_000, "false_refusals_ppm_max": 20_000}
    policy = Line("policy", {"workspace": opened["workspace"], **demand}, (), ("root",), 0)
    scene.lines.insert(scene.at("opened"), policy.saying())
    for role in opened["roles"]:
        said = {"workspace": opened["workspace"], "gate": role["name"], "prior": role["prior"], "rates": [RATE]}
        scene.lines.insert(scene.at("finish"), Line("calibration", said, (), ("root",), 0).saying())

    assert ["calibration"] == failed(scene.verify())


def test_a_squad_with_two_coordinators_has_no_plan_in_force() -> None:
    """Nobody could say whose plan it is."""
    scene = composed()
    roles = scene.line("opened").said["roles"]
    other = {**next(r for r in roles if r["kind"] == "coordinator"), "name": "another"}
    scene.change(scene.at("opened"), roles=[*roles, other])

    assert "composition" in failed(scene.verify())


def test_a_part_stands_once_in_a_composition() -> None:
    """Two of one task: which of them composed?"""
    scene = composed()
    (part,) = scene.line("composition").said["parts"]
    scene.change(scene.at("composition"), parts=[{**part, "artifact": OTHER}, part])

    assert "composition" in failed(scene.verify())


def test_a_second_plan_for_one_request_is_never_in_force() -> None:
    """The first answer stands; the contradiction is kept and pointed out."""
    scene = composed()
    scene.lines.insert(scene.at("plan") + 1, scene.line("plan").saying(content=OTHER, tasks=[]))
    report = scene.verify()

    assert [] == failed(report)
    assert "warned" == states(report)["equivocation"]


def test_an_acceptance_after_silence_is_too_late() -> None:
    """The runner had closed the request."""
    scene = composed()
    said = {name: scene.line("acceptance").said[name] for name in ("workspace", "packet")}
    said["about"] = scene.line("acceptance").said["request"]
    scene.lines.insert(scene.at("acceptance"), Line("deadline", said, (), ("runner",), 0).saying())

    assert ["acceptance"] == failed(scene.verify())


def test_a_predicate_that_holds_and_does_not_is_not_held() -> None:
    """An acceptance that says both says nothing."""
    scene = composed()
    (held,) = scene.line("acceptance").said["held"]
    scene.change(scene.at("acceptance"), held=[held, {**held, "holds": False}])

    assert ["acceptance"] == failed(scene.verify())


@pytest.mark.parametrize("kind", ["acceptance", "answer"])
def test_a_yes_with_a_key_that_was_suspect_then_is_asked_again(kind: str) -> None:
    """The coordinator's and a person's count like a gate's."""
    scene = composed()
    key = scene.signer_of(scene.line(kind).roles[0]).key_id.hex()
    since = scene.at(kind)
    said = {"event": "revoke", "key": key, "reason": "compromised", "suspect_from_index": since}
    scene.lines.append(Line("key-event", said, (("key", key),), ("root",), 0))
    report = scene.verify()

    assert ["suspect"] == failed(report)
    assert since == report["suspect"].seq


def test_only_who_was_asked_accepts() -> None:
    """The assignment names the coordinator."""
    scene = composed()
    scene.change(scene.at("assignment", work="accept"), role="carpenter")

    assert ["acceptance"] == failed(scene.verify())


def test_what_was_built_to_another_brief_is_not_the_plans() -> None:
    """An amended brief is another task, and what stood before it is void."""
    scene = composed()
    (task,) = scene.line("plan").said["tasks"]
    scene.change(scene.at("plan"), tasks=[{**task, "brief": OTHER}])

    assert ["composition"] == failed(scene.verify())


def test_what_was_handed_in_after_the_composition_is_not_in_it() -> None:
    """The order of the log decides what was there to be composed."""
    scene = composed()
    artifact = scene.lines.pop(scene.at("artifact", -1))
    scene.lines.insert(scene.at("composition") + 1, artifact)

    assert "composition" in failed(scene.verify())


def test_nothing_is_built_on_what_was_not_approved() -> None:
    """A task is asked for after the last word on everything that it comes after."""
    scene = in_two_tasks()
    assert [] == failed(scene.verify())

    scene.lines.insert(scene.at("artifact"), scene.lines.pop(scene.at("assignment", work="build", task=2)))
    assert ["composition"] == failed(scene.verify())


def in_two_tasks() -> Scene:
    """Return a packet of two tasks, the second built on the first."""

    async def run() -> Scene:
        tasks = (
            Task(name="one", brief="One.", builder="b"),
            Task(name="two", brief="Two.", builder="b", after=("one",)),
        )
        squad = Squad(
            coordinator=ScriptedCoordinator(tasks),
            builder=ScriptedBuilder({"a.sql": "x"}, {"b.sql": "y"}, name="b"),
            gates=[ScriptedGate("style", Approved(looked=1), Approved(looked=1))],
        )
        outcome = await squad.run("Both.")
        assert isinstance(outcome, Composed)
        return await scene_of(await squad.workspace(), outcome.packet)

    return asyncio.run(run())


def test_a_gate_is_asked_twice_at_the_most() -> None:
    """Whoever may ask for ever gets the answer that they want."""
    scene = composed()
    ticket, verdict = scene.line("ticket", gate="schema", attempt=2), scene.line("verdict", **FINAL)
    nonce, subject = scene.line("opened").said["nonce"], verdict.said["subject"]
    scene.change(scene.at("verdict", **FINAL), decision="abstained")
    for ask in (2, 3):
        again = identify(nonce, "ticket", 1, 2, "schema", subject, ask)
        place = scene.at("composition")
        decision = "approved" if ask == 3 else "abstained"
        lines = [ticket.saying(ask=ask, ticket=again), verdict.saying(ticket=again, decision=decision)]
        scene.lines[place:place] = lines

    assert ["gates"] == failed(scene.verify())


def test_what_a_runner_said_with_a_key_that_was_suspect_is_judged_again() -> None:
    """Its tickets and its word that something composed were signed when somebody else may have had the key."""
    scene = composed()
    runner = scene.signer_of("runner").key_id.hex()
    said = {"event": "revoke", "key": runner, "reason": "compromised", "suspect_from_index": 9}
    scene.lines.append(Line("key-event", said, (("key", runner),), ("root",), 0))

    assert ["suspect"] == failed(scene.verify())


def test_a_contradiction_that_the_runner_recorded_counts_without_the_second_answer() -> None:
    """The second answer may have been left out of the bundle; that there was one stands in the log."""
    scene = composed()
    said = {**scene.line("verdict", **FINAL).said}
    told = {name: said[name] for name in ("workspace", "packet", "author")}
    told |= {"about": said["ticket"], "first": OTHER, "second": OTHER}
    scene.lines.insert(scene.at("composition"), Line("equivocation", told, (), ("runner",), 0).saying())

    assert ["equivocation"] == failed(scene.verify())


def test_two_builders_answers_to_one_request_are_a_warning() -> None:
    """The first one stands, and the contradiction is kept."""
    scene = composed()
    scene.lines.insert(scene.at("ticket", attempt=2), scene.line("artifact", -1).saying(artifact=OTHER))
    report = scene.verify()

    assert [] == failed(report)
    assert "warned" == states(report)["equivocation"]


def test_an_assignment_of_another_packet_is_not_this_packets() -> None:
    """Its id does not follow from this nonce."""
    scene = composed()
    strange = identify("f" * 64, "assignment", "build", 1, 2)
    place = scene.at("assignment", attempt=2)
    scene.change(place, request=strange)
    scene.change(scene.at("artifact", -1), request=strange)

    assert ["binding"] == failed(scene.verify())


def test_a_grant_that_takes_a_scope_away_silences_its_role() -> None:
    """What the root took back by a receipt counts from there on."""
    scene = composed()
    workspace = scene.line("opened").said["workspace"]
    said = {"workspace": workspace, "subject": "gate:schema", "scope": "verdict", "expires_ms": None, "revoked": True}
    scene.lines.insert(scene.at("artifact", -1), Line("grant", said, (), ("root",), 0).saying())

    assert {"role", "gates"} == set(failed(scene.verify()))


@pytest.mark.parametrize(("kind", "author"), [("stop", "carpenter"), ("lift", "carpenter")])
def test_a_stop_or_lift_for_somebody_else_is_named(kind: str, author: str) -> None:
    """Whoever signs speaks for themselves; a lift is a person's."""
    scene = composed()
    said = {"workspace": scene.line("opened").said["workspace"], "packet": None, "author": author, "content": OTHER}
    scene.lines.append(Line(kind, said, (("content", OTHER),), ("gate:style",), 0))

    assert ["role"] == failed(scene.verify())


def test_what_was_stopped_and_lifted_may_go_on() -> None:
    """By a person, and not by who stopped it."""
    scene = composed()
    person = scene.line("answer").said["author"]
    said = {"workspace": scene.line("opened").said["workspace"], "packet": None, "content": OTHER}
    stop = Line("stop", {**said, "author": "style"}, (("content", OTHER),), ("gate:style",), 0)
    lift = Line("lift", {**said, "author": person}, (("content", OTHER),), (f"human:{person}",), 0)
    place = scene.at("artifact", -1)
    scene.lines[place:place] = [stop, lift]

    assert [] == failed(scene.verify())


@pytest.mark.parametrize("field", ["origin", "log_public_key"])
def test_an_entry_0_by_the_trusted_root_for_another_log_opens_nothing(field: str) -> None:
    """One root may found several logs; `trust.json` names one."""
    scene = composed()
    other = {"origin": "local.invalid/squads/other/0", "log_public_key": scene.signer_of("b").public_key.hex()}
    scene.change(0, **{field: other[field]})

    assert ["opening"] == failed(scene.verify())


def test_an_entry_0_that_names_the_root_and_is_not_signed_by_it_opens_nothing() -> None:
    """A key id in a leaf is a claim; the signature decides."""
    scene = composed()
    leaves = scene.leaves()
    leaves[0] = leaves[0][:-1] + bytes([leaves[0][-1] ^ 1])
    report = scene.verify(leaves=leaves)

    assert ["opening"] == failed(report)


def test_a_plan_that_the_builder_asked_itself_for_is_no_plan() -> None:
    """The assignment, its work and its role must be the coordinator's."""
    scene = composed()
    nonce = scene.line("opened").said["nonce"]
    place = scene.at("assignment", work="plan")
    request = identify(nonce, "assignment", "accept", 0, 9)
    scene.change(place, work="accept", attempt=9, request=request)
    scene.change(scene.at("plan"), request=request)

    assert "composition" in failed(scene.verify())


def test_an_answer_from_before_its_question_does_not_count() -> None:
    """Nobody approves what they were not asked about yet."""
    scene = composed()
    answer = scene.lines.pop(scene.at("answer"))
    scene.lines.insert(scene.at("question"), answer)

    assert ["people"] == failed(scene.verify())


def test_somebody_who_was_not_asked_does_not_count() -> None:
    """A person of this workspace, and not one of those whom the packet names."""
    scene = composed()
    rule = scene.line("opened").said["approval"]
    scene.change(scene.at("opened"), approval={**rule, "approvers": ["mara"]})
    scene.change(scene.at("question"), approvers=["mara"])

    assert ["people"] == failed(scene.verify())


def test_a_program_is_no_person() -> None:
    """Where the packet demands one, an answer by flag or program does not count."""
    scene = composed()
    rule = scene.line("opened").said["approval"]
    scene.change(scene.at("opened"), approval={**rule, "person_required": True})

    assert ["people"] == failed(scene.verify())
    scene.change(scene.at("answer"), channel="terminal")
    assert [] == failed(scene.verify())


# Waivers -------------------------------------------------------------------------------------------------------------


def waived(scene: Scene, subject: str, *, by: str = "", **changes: Any) -> str:
    """Have a person waive something for the gate `schema`, with the root's grant; return what names the waiver."""
    person = scene.line("answer").said["author"]
    workspace = scene.line("opened").said["workspace"]
    place = scene.at("assignment", work="build")
    grant = {"workspace": workspace, "subject": f"human:{person}", "scope": "waiver", "expires_ms": None}
    said = {
        "workspace": workspace,
        "packet": scene.packet,
        "subject": subject,
        "author": person,
        "gate": "schema",
        "expires_ms": 2**50,
        "content": OTHER,
        **changes,
    }
    waiver = Line("waiver", said, (), (by or f"human:{person}",), 0).saying()
    scene.lines[place:place] = [Line("grant", {**grant, "revoked": False}, (), ("root",), 0).saying(), waiver]
    return sha256(statement_bytes("waiver", waiver.subjects, waiver.said)).hexdigest()


def test_an_approval_may_rest_on_a_waiver_for_exactly_these_bytes() -> None:
    """Given before, by a person whom the root let, for this gate."""
    scene = composed()
    waiver = waived(scene, scene.line("verdict", **FINAL).said["subject"])
    scene.change(scene.at("verdict", **FINAL), waivers=[waiver])

    assert [] == failed(scene.verify())


@pytest.mark.parametrize(
    "changes",
    [{"subject": OTHER}, {"gate": "style"}, {"expires_ms": 1}, {"author": "carpenter", "by": "builder:carpenter"}],
    ids=["of other bytes", "for another gate", "that expired", "by a builder"],
)
def test_a_waiver_that_was_not_given_for_it_makes_no_approval(changes: dict[str, Any]) -> None:
    """The gate said yes because of it, so without it the gate has not said yes."""
    scene = composed()
    subject = scene.line("verdict", **FINAL).said["subject"]
    waiver = waived(scene, **{"subject": subject, **changes})
    scene.change(scene.at("verdict", **FINAL), waivers=[waiver])

    assert "gates" in failed(scene.verify())


def two_hats(scene: Scene) -> str:
    """Have the builder's key registered as a person's as well; return who that is."""
    person = "p" + "1" * 24
    scene.change(scene.at("key-event", subject="builder:carpenter"), roles=["builder:carpenter", f"human:{person}"])
    return person


def test_a_builder_under_another_hat_waives_nothing() -> None:
    """What a key may sign as a person does not help what it made as a builder."""
    scene = composed()
    person = two_hats(scene)
    subject = scene.line("verdict", **FINAL).said["subject"]
    grant = {"workspace": scene.line("opened").said["workspace"], "scope": "waiver", "expires_ms": None}
    line = Line("grant", {**grant, "subject": f"human:{person}", "revoked": False}, (), ("root",), 0).saying()
    waiver = waived(scene, subject, by="builder:carpenter", author=person)
    scene.lines.insert(scene.at("opened"), line)
    scene.change(scene.at("verdict", **FINAL), waivers=[waiver])
    scene.lines.insert(scene.at("verdict", **FINAL), scene.lines.pop(scene.at("waiver")))

    assert ["gates"] == failed(scene.verify())


def test_a_builder_under_another_hat_approves_nothing() -> None:
    """Asked, in time, by name: and still its own work."""
    scene = composed()
    person = two_hats(scene)
    rule = scene.line("opened").said["approval"]
    scene.change(scene.at("opened"), approval={**rule, "approvers": [person]})
    scene.change(scene.at("question"), approvers=[person])
    scene.change(scene.at("answer"), ("builder:carpenter",), author=person)

    assert ["people"] == failed(scene.verify())


def test_a_waiver_from_after_the_approval_was_not_there_to_be_cited() -> None:
    """Its digest could be known before; that it was given could not."""
    scene = composed()
    waiver = waived(scene, scene.line("verdict", **FINAL).said["subject"])
    scene.change(scene.at("verdict", **FINAL), waivers=[waiver])
    line = scene.lines.pop(scene.at("waiver"))
    scene.lines.insert(scene.at("composition"), line)

    assert ["gates"] == failed(scene.verify())


def test_a_waiver_counts_once() -> None:
    """The same bytes, handed in again, need another one."""
    scene = composed()
    subject = scene.line("artifact").said["artifact"]
    nonce = scene.line("opened").said["nonce"]
    scene.change(scene.at("artifact", -1), artifact=subject)
    for gate in ("schema", "style"):
        ticket = identify(nonce, "ticket", 1, 2, gate, subject, 1)
        scene.change(scene.at("ticket", gate=gate, attempt=2), subject=subject, ticket=ticket)
        scene.change(scene.at("verdict", author=gate, attempt=2), subject=subject, ticket=ticket)
    scene.change(scene.at("composition"), parts=[{"task": 1, "artifact": subject}])
    assert [] == failed(scene.verify())

    waiver = waived(scene, subject)
    scene.change(scene.at("verdict", **FINAL), waivers=[waiver])
    assert [] == failed(scene.verify())

    scene.change(scene.at("verdict", author="schema", attempt=1), decision="approved", waivers=[waiver])
    assert ["gates"] == failed(scene.verify())


def test_a_refusal_that_cites_a_waiver_counts_as_an_abstention_and_is_asked_again() -> None:
    """Only an approval can rest on one; the rules ask such a gate once more, and so an honest log may hold that."""
    scene = composed()
    ticket, verdict = scene.line("ticket", gate="schema", attempt=2), scene.line("verdict", **FINAL)
    waiver = waived(scene, verdict.said["subject"])
    again = identify(scene.line("opened").said["nonce"], "ticket", 1, 2, "schema", verdict.said["subject"], 2)
    place = scene.at("composition")
    scene.lines[place:place] = [ticket.saying(ask=2, ticket=again), verdict.saying(ticket=again)]
    scene.change(scene.at("verdict", **FINAL), decision="refused")
    assert ["gates"] == failed(scene.verify())

    scene.change(scene.at("verdict", **FINAL), decision="refused", waivers=[waiver])
    assert [] == failed(scene.verify())


def test_keys_that_a_suspect_root_registered_are_a_warning() -> None:
    """They stay registered until somebody revokes them, and whoever relies on them is told whose word it was."""
    scene = composed()
    other = scene.signer_of("another root")
    scene.lines[0] = scene.lines[0].saying(
        root_public_keys=[*scene.lines[0].said["root_public_keys"], other.public_key.hex()]
    )
    key = scene.signer_of("root").key_id.hex()
    first = scene.at("key-event")
    said = {"event": "revoke", "key": key, "reason": "compromised", "suspect_from_index": first}
    scene.lines.append(Line("key-event", said, (("key", key),), ("another root",), 0))
    report = scene.verify()

    assert ("warned", first) == (report["suspect"].state, report["suspect"].seq)
