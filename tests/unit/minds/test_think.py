"""What a role with a model answers: the filled form, with everything that is not left to a model put in by us."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from work_scene import CANARY, Answering, accept_work, artifact, build_work, outside, packet, plan_work, review_work

from squads import Builder, Coordinator, Gate
from squads.contracts.errors import (
    InvalidModel,
    InvalidReply,
    ModelError,
    ModelRejected,
    ModelUnreachable,
    RecordingMissed,
)
from squads.contracts.finding import NO_USAGE, Severity
from squads.contracts.packet import Limits
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.minds import forms, prompts, think

GATE = Gate(name="schema", prior="p", model="scripted:m")
READER = Gate(name="schema", prior="p", model="scripted:m", tools=["read"])
BUILDER = Builder(name="builder", prior="p", model="scripted:m")
WRITER = Builder(name="builder", prior="p", model="scripted:m", tools=["read", "write"])
COORDINATOR = Coordinator(name="c", prior="p", model="scripted:m")


def task(name: str = "t", **options: Any) -> forms.TaskForm:
    """One task of a cut."""
    return forms.TaskForm(**{"name": name, "brief": "b", "builder": "builder", **options})


def found(**options: Any) -> forms.FindingForm:
    """One finding."""
    return forms.FindingForm(**{"invariant": "a.b", "severity": Severity.MAJOR, "message": "m", **options})


def with_mind(work: Any, mind: Answering) -> Any:
    """The same work with a mind."""
    return replace(work, mind=mind)


# Coordinator ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([task(), task()], "two tasks have one name"),
        ([task(after=["nowhere"])], "which is not in the plan"),
        ([task(after=["t"])], "cyclic"),
        ([task("a", after=["b"]), task("b", after=["a"])], "cyclic"),
        ([task(builder="nobody")], "nobody called 'nobody'"),
        ([task(gates=["nobody"])], "no gate called 'nobody'"),
        ([task(brief="x" * 5_000)], "5,000 characters"),
        ([task(str(n)) for n in range(33)], "33 tasks"),
        ([task(builder="No One")], "builder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_cut_that_the_kernel_would_refuse_goes_back_to_the_model(tasks: Any, why: str) -> None:
    """It costs a re-ask instead of an attempt."""
    mind = Answering(forms.PlanForm(tasks=tasks), forms.PlanForm(tasks=[task()]))

    cut = await think.plan(COORDINATOR, with_mind(plan_work(), mind))

    assert ["t"] == [each.name for each in cut.tasks]  # type: ignore[union-attr]
    assert why in mind.refused[0]


async def test_a_packet_may_be_objected_to() -> None:
    """Every role may refuse bad input."""
    objects = forms.ObjectForm(reasons=["no"], proposal="another")

    objection = await think.plan(COORDINATOR, with_mind(plan_work(), Answering(objects)))

    assert ("objection", ("no",), "another") == (objection.kind, objection.reasons, objection.proposal)  # type: ignore[union-attr]


def accepting(**options: Any) -> forms.AcceptForm:
    """An answer to the one predicate."""
    path = next(file.path for file in artifact().files if file.mode == "file")
    held = forms.HeldForm(**{"predicate": "holds", "holds": True, "path": path, **options.pop("held", {})})
    return forms.AcceptForm(held=[held], **options)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (forms.AcceptForm(), "missing: holds"),
        (accepting(held={"path": "nowhere"}), "name the file"),
        (accepting(held={"holds": False}), "say in `reasons` why holds"),
        (accepting(reopen=["nowhere"], reasons=["x"]), "no task is called 'nowhere'"),
        (accepting(reopen=[CANARY]), "say in `reasons` why tasks"),
        (
            forms.AcceptForm(held=[*accepting(held={"holds": False}).held, *accepting().held], reasons=["x"]),
            "answered twice",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_end_to_end_check_that_shows_nothing_goes_back(said: Any, why: str) -> None:
    """A predicate holds where a file shows it; a contradiction holds nowhere."""
    mind = Answering(said, accepting())

    acceptance = await think.accept(COORDINATOR, with_mind(accept_work(), mind))

    assert [True] == [held.holds for held in acceptance.held]
    assert why in mind.refused[0]
    assert "canary" not in outside(mind.refused[0]).lower()


async def test_an_approval_of_a_gate_that_read_nothing_shows_nothing() -> None:
    """The coordinator's own rule holds for its model as well."""
    from squads.contracts.packet import Predicate

    asked = packet().but(done_when=(Predicate(id="holds", sentence="s", check="schema"),))
    said = accepting(held={"path": ""})
    for looked, expected in ((0, []), (1, [True])):
        work = accept_work(packet=asked, verdicts=(("schema", Approved(looked=looked), "d" * 64),))
        mind = Answering(said, forms.AcceptForm(held=[], reasons=[]), ModelUnreachable("end"))
        try:
            acceptance = await think.accept(COORDINATOR, with_mind(work, mind))
        except ModelUnreachable:
            assert expected == []
        else:
            assert expected == [held.holds for held in acceptance.held]


# Builder --------------------------------------------------------------------------------------------------------------


async def test_an_artifact_has_its_author_salt_and_origin_from_the_work() -> None:
    """A model knows none of them."""
    form = forms.FilesForm(files=[forms.FileForm(path="a.sh", text="x", executable=True)])
    work = build_work()

    made = await think.build(BUILDER, with_mind(work, Answering(form)))

    assert (work.author, work.attempt, work.salt) == (made.author, made.attempt, made.salt)  # type: ignore[union-attr]
    assert tuple(one.digest for one in work.inputs.values()) == made.made_from  # type: ignore[union-attr]
    assert [("a.sh", "executable")] == [(file.path, file.mode) for file in made.files]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([], "nothing to judge"),
        ([("a", "x"), ("a", "y")], "two files have one path"),
        ([("../a", "x")], "'..'"),
        ([("/etc/passwd", "x")], "absolute"),
        ([("a\x00b", "x")], "control"),
        ([("", "x")], "empty"),
        ([("a/b", "x"), ("a", "y")], "a"),
    ],
    ids=str,
)
async def test_files_that_no_artifact_can_hold_go_back(files: Any, why: str) -> None:
    """With what to write instead."""
    bad = forms.FilesForm(files=[forms.FileForm(path=path, text=text) for path, text in files])
    mind = Answering(bad, forms.FilesForm(files=[forms.FileForm(path="a", text="x")]))

    made = await think.build(BUILDER, with_mind(build_work(), mind))

    assert ["a"] == [file.path for file in made.files]  # type: ignore[union-attr]
    assert why in mind.refused[0]


async def test_a_builder_with_tools_is_offered_no_files_in_its_reply() -> None:
    """It hands in its workspace; and an empty one goes back."""
    empty = build_work(inputs={}, previous=None, verdicts=(), reasons=())

    def writes(request: Any) -> Any:
        write = next(tool for tool in request.tools if tool.name == "write_file")
        write.function(path="a.sql", text="x")
        return forms.BuiltForm(summary="s")

    mind = Answering(forms.BuiltForm(summary="s"), writes)
    made = await think.build(WRITER, with_mind(empty, mind))

    assert (forms.BuiltForm, forms.ObjectForm) == mind.requests[0].forms
    assert not mind.requests[0].reads_only
    assert ["a.sql"] == [file.path for file in made.files]  # type: ignore[union-attr]
    assert 1 == len(mind.refused)


async def test_material_that_fits_no_prompt_is_said_to_be_too_large() -> None:
    """Before anything is paid."""
    mind = Answering()
    large = artifact("x" * (prompts.CONTEXT_CHARS_MAX + 1), path="a.sql")
    with pytest.raises(ModelError, match=r"tools: \[read, search\]"):
        await think.build(BUILDER, with_mind(build_work(previous=large), mind))

    assert [] == mind.requests


# Gate -----------------------------------------------------------------------------------------------------------------


async def test_a_verdict_says_what_was_read_and_where_a_finding_stands() -> None:
    """The number of files comes from what was shown, the place from the artifact itself."""
    work = review_work(artifact=artifact("one\ntwo three\n", path="a.sql"))
    finding = found(path="a.sql", line=9, evidence="two three")

    refused = await think.review(GATE, with_mind(work, Answering(forms.RefuseForm(findings=[finding]))))

    assert isinstance(refused, Refused)
    assert 2 == refused.looked  # the text and the link; bytes were not shown
    assert (2, False) == (
        refused.findings[0].location and refused.findings[0].location.line,
        refused.findings[0].unanchored,
    )


@pytest.mark.parametrize(
    "place", [{"path": "elsewhere.sql", "line": 1}, {"path": "a.sql", "line": 10**9}, {"evidence": ""}]
)
async def test_a_finding_without_an_anchor_refuses_and_is_marked(place: dict[str, Any]) -> None:
    """A gate that is wrong about the place may be right about the fault."""
    work = review_work(artifact=artifact("one\n", path="a.sql"))
    finding = found(**{"evidence": "not in it", **place})

    refused = await think.review(GATE, with_mind(work, Answering(forms.RefuseForm(findings=[finding]))))

    assert isinstance(refused, Refused)
    assert refused.findings[0].unanchored


async def test_ten_thousand_findings_are_more_than_anybody_reads() -> None:
    """Each is looked for in the whole attempt: their number is bounded, and the model is told."""
    many = forms.RefuseForm(findings=[found() for _ in range(10_000)])
    mind = Answering(many, forms.ApproveForm(notes=many.findings), forms.RefuseForm(findings=[found()]))

    refused = await think.review(GATE, with_mind(review_work(), mind))

    assert isinstance(refused, Refused)
    assert ["the 100 gravest" in why for why in mind.refused] == [True, True]


async def test_notes_that_refuse_make_an_approval_a_refusal() -> None:
    """The role's own threshold decides, not the name of the form."""
    mind = Answering(forms.ApproveForm(notes=[found(severity=Severity.BLOCKER)]))

    verdict = await GATE.answer(with_mind(review_work(), mind))

    assert isinstance(verdict, Refused)


@pytest.mark.parametrize("number", [0, 2, -1])
async def test_a_waiver_that_is_not_there_goes_back(number: int) -> None:
    """An approval rests on what a person signed, or on nothing."""
    mind = Answering(forms.ApproveForm(waivers=[number]), forms.ApproveForm(waivers=[1]))

    approved = await think.review(GATE, with_mind(review_work(), mind))

    assert isinstance(approved, Approved)
    assert ("d" * 64,) == approved.waivers
    assert "there is no waiver" in mind.refused[0]


async def test_a_gate_with_tools_approves_only_what_it_opened() -> None:
    """And the names that it is reminded of are fenced: their maker chose them."""

    def reads(request: Any) -> Any:
        read = next(tool for tool in request.tools if tool.name == "read_file")
        read.function(path=f"{CANARY}.sql")
        return forms.ApproveForm()

    mind = Answering(forms.ApproveForm(), reads)

    approved = await think.review(READER, with_mind(review_work(), mind))

    assert isinstance(approved, Approved)
    assert 1 == approved.looked
    assert mind.requests[0].reads_only
    assert all(tool.reads_only for tool in mind.requests[0].tools)
    assert CANARY in mind.refused[0]
    assert "canary" not in outside(mind.refused[0]).lower()


@pytest.mark.parametrize(
    "error",
    [
        ModelUnreachable("no answer"),
        ModelRejected("no answer"),
        RecordingMissed("no answer"),
        InvalidReply("no answer", "k" * 64),
        InvalidModel("no answer"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_gate_that_could_not_look_abstains(error: Exception) -> None:
    """Could not look is never passed, and the reason is said."""
    verdict = await think.review(GATE, with_mind(review_work(), Answering(error)))

    assert isinstance(verdict, Abstained)
    assert "no answer" in verdict.reason
    assert isinstance(error, InvalidReply) == ("k" * 64 in verdict.reason)


async def test_a_gate_that_cannot_be_shown_everything_abstains() -> None:
    """It does not judge half of it."""
    large = artifact("x" * (prompts.CONTEXT_CHARS_MAX + 1), path="a.sql")
    mind = Answering()

    verdict = await think.review(GATE, with_mind(review_work(artifact=large), mind))

    assert isinstance(verdict, Abstained)
    assert [] == mind.requests


async def test_work_without_a_mind_is_said_to_have_none() -> None:
    """With the way out, for who tests a role by hand."""
    with pytest.raises(InvalidModel, match="mind="):
        await think.build(BUILDER, build_work())
    assert isinstance(await think.review(GATE, review_work()), Abstained)


ROLES: Any = [
    (think.plan, COORDINATOR, plan_work),
    (think.build, BUILDER, build_work),
    (think.build, WRITER, lambda: build_work(packet=packet(limits=Limits()))),
    (think.review, GATE, review_work),
    (think.review, READER, review_work),
    (think.review, GATE, lambda: review_work(reads="plan")),
    (think.review, GATE, lambda: review_work(reads="composition")),
    (think.accept, COORDINATOR, accept_work),
]


@pytest.mark.parametrize(("asks", "role", "work"), ROLES)
async def test_no_request_of_any_role_holds_anothers_words_outside_a_fence(asks: Any, role: Any, work: Any) -> None:
    """Neither its prompt nor its instructions, nor what its tools say of themselves."""
    mind = Answering(ModelUnreachable("asked"))
    with suppress(ModelUnreachable):
        await asks(role, with_mind(work(), mind))
    (request,) = mind.requests

    told = [outside(request.prompt), request.instructions, *(t.function.__doc__ or "" for t in request.tools)]
    assert CANARY in request.prompt
    assert not [text for text in told if "canary" in text.lower()]
    assert "The charter." in request.instructions
    assert "author-canary" not in request.prompt or role is not GATE


class Straying:
    """A mind, perhaps of the user's own, that gives forms nobody asked for and checks nothing."""

    sandbox = None
    usage = NO_USAGE

    def __init__(self, form: Any) -> None:
        self._form = form

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Return it."""
        return ModelReply(form=self._form, model="scripted:m", usage=NO_USAGE)


class Eager(forms.ApproveForm):
    """Looks like an approval."""


async def test_a_form_that_was_not_offered_is_no_verdict() -> None:
    """Not even one that would do as an approval, and not only where assertions are on."""
    for form in (Eager(), forms.FilesForm(), forms.PlanForm(tasks=[task()])):
        verdict = await think.review(GATE, with_mind(review_work(), Straying(form)))  # type: ignore[arg-type]

        assert isinstance(verdict, Abstained)
        assert "was not asked for" in verdict.reason


async def test_names_that_are_left_in_a_workspace_are_told_in_a_fence() -> None:
    """A program may leave a link whose name and target are orders."""

    def leaves(request: ModelRequest) -> Any:
        folder = Path(request.effects.folder)  # type: ignore[union-attr]
        (folder / f"{CANARY} link").symlink_to(f"/{CANARY}")
        return forms.BuiltForm(summary="done")

    mind = Answering(leaves, forms.ObjectForm(reasons=["no"], proposal="another"))
    await think.build(WRITER, with_mind(build_work(), mind))

    assert CANARY in mind.refused[0]
    assert CANARY not in outside(mind.refused[0])
