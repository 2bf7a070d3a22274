"""What a role with a model does with its work: it asks its mind, and turns the filled form into the role's answer.

What a model cannot know or must not decide is not left to it: authors, salts and digests come from the work, the number
of files that were read from what was shown, and whether a finding's evidence is where it says from the artifact itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidInput, InvalidModel, InvalidReply, ModelError, NotText
from squads.contracts.finding import Finding
from squads.contracts.packet import AttemptKind
from squads.contracts.plan import Acceptance, Held, Objection, Plan
from squads.contracts.records import TaskRecord
from squads.contracts.thinking import Mind, ModelRequest, Tool
from squads.contracts.verdict import Approved, Refused, Verdict
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork, Work
from squads.kernel import plan as plans
from squads.minds import forms, prompts
from squads.minds.anchors import anchored
from squads.minds.families import models_in
from squads.minds.fence import fenced
from squads.minds.scratch import Scratch
from squads.minds.tools import tools_of

T = TypeVar("T")
FINDINGS_MAX = 100
"""Findings that one verdict of a model may have."""


async def plan(role: Any, work: PlanWork) -> Plan | Objection:
    """Return the cut that a coordinator's model makes, or its objection to the packet."""

    def made(form: BaseModel) -> Plan | Objection:
        if isinstance(form, forms.ObjectForm):
            return work.objection(*form.reasons, proposal=form.proposal)
        assert isinstance(form, forms.PlanForm)
        cut = work.plan(*form.to_tasks())
        _check_cut(cut, work)
        return cut

    return await _asked(role, work, prompts.plan_prompt(work), (forms.PlanForm, forms.ObjectForm), made)


async def build(role: Any, work: BuildWork) -> Artifact | Objection:
    """Return what a builder's model makes, or its objection to the brief.

    With `tools` it writes files into a scratch workspace of this task and hands that in; without, the files stand in
    its reply.
    """
    wanted = tuple(role.tools)
    if not wanted:

        def made(form: BaseModel) -> Artifact | Objection:
            if isinstance(form, forms.ObjectForm):
                return work.objection(*form.reasons, proposal=form.proposal)
            assert isinstance(form, forms.FilesForm)
            files = {file.path: file.text for file in form.files}
            if len(files) < len(form.files):
                raise InvalidInput("two files have one path; hand in each path once, whole")
            modes = {file.path: "executable" for file in form.files if file.executable}
            return work.artifact(files, modes=modes, removals=form.removals)

        _check_size([*work.inputs.values(), *([work.previous] if work.previous else [])], role)
        prompt = prompts.build_prompt(work, tools=False)
        return await _asked(role, work, prompt, (forms.FilesForm, forms.ObjectForm), made)

    with Scratch.of_build(work) as scratch:

        def collected(form: BaseModel) -> Artifact | Objection:
            if isinstance(form, forms.ObjectForm):
                return work.objection(*form.reasons, proposal=form.proposal)
            try:
                done = scratch.collect()
                return work.artifact(done.files, modes=done.modes, removals=done.removals, base=scratch.base)
            except ValueError as error:
                # Programs and others' files left these names there: they are as fenced as what tools return.
                said = fenced(str(error), "what cannot be handed in, with names out of the workspace")
                raise InvalidInput(f"the workspace cannot be handed in as it stands:\n{said}") from error

        tools = tools_of(scratch, wanted, sandbox=_mind(work).sandbox, programs=tuple(role.run))
        prompt = prompts.build_prompt(work, tools=True)
        return await _asked(
            role, work, prompt, (forms.BuiltForm, forms.ObjectForm), collected, tools=tools, scratch=scratch
        )


async def review(role: Any, work: ReviewWork) -> Verdict:
    """Return what a gate's model finds. Whatever keeps it from looking is an abstention that says so."""
    wanted = tuple(role.tools)
    # A composition's parts are in the composition; only what an artifact builds on is shown beside it.
    beside = list(work.inputs.values()) if work.reads is AttemptKind.ARTIFACT else []
    try:
        if not wanted or work.artifact is None:
            _check_size([*beside, *([work.artifact] if work.artifact else [])], role)
            looked = sum(1 for file in work.artifact.files if _is_text(file)) if work.artifact else 1
            prompt = prompts.review_prompt(work, tools=False)
            return await _judged(role, work, prompt, lambda: looked)
        _check_size(beside, role)
        with Scratch.of_review(work) as scratch:
            tools = tools_of(scratch, wanted)
            prompt = prompts.review_prompt(work, tools=True)
            return await _judged(role, work, prompt, lambda: len(scratch.were_read), tools=tools, scratch=scratch)
    except InvalidReply as error:
        kept = f"; its last words are kept under {error.kept}" if error.kept else ""
        return work.abstain(f"{error}{kept}"[:4_000])
    except (ModelError, InvalidModel, _TooLarge) as error:
        return work.abstain(str(error)[:4_000])


async def accept(role: Any, work: AcceptWork) -> Acceptance:
    """Return whether a coordinator's model finds that the composition holds, end to end."""
    files = {file.path: file for file in work.composition.files}
    gates = {p.id: p.check for p in work.packet.done_when if p.check}
    # An approval of a gate that had nothing to read shows nothing.
    approvals = {
        gate: digest for gate, verdict, digest in work.verdicts if verdict.kind == "approved" and verdict.looked
    }

    def made(form: BaseModel) -> Acceptance:
        assert isinstance(form, forms.AcceptForm)
        said = {held.predicate: held for held in form.held}
        if missing := [p.id for p in work.packet.done_when if p.id not in said]:
            raise InvalidInput(f"say of every predicate whether it holds; missing: {', '.join(missing)}")
        if len(said) < len(form.held):
            raise InvalidInput("one predicate is answered twice; answer each once")
        if strangers := [name for name in form.reopen if name not in work.parts]:
            tasks = fenced("\n".join(work.parts), "names of the tasks")
            raise InvalidInput(f"no task is called {strangers[0]!r:.80}; these are:\n{tasks}")
        if form.reopen and not form.reasons:
            raise InvalidInput("say in `reasons` why tasks are to be tried again")
        held = []
        for predicate in work.packet.done_when:
            answer = said[predicate.id]
            evidence = approvals.get(gates.get(predicate.id, ""), "")
            if not evidence and answer.path in files:
                evidence = files[answer.path].entry.digest
            if answer.holds and not evidence:
                raise InvalidInput(f"{predicate.id} holds, you say: name the file of the composition that shows it")
            if not answer.holds and not form.reasons:
                raise InvalidInput(f"say in `reasons` why {predicate.id} does not hold")
            held.append(Held(predicate=predicate.id, holds=answer.holds, evidence=evidence or work.composition.digest))
        return Acceptance(held=tuple(held), reopen=tuple(form.reopen), reasons=tuple(form.reasons))

    _check_size([work.composition], role)
    return await _asked(role, work, prompts.accept_prompt(work), (forms.AcceptForm,), made)


class _TooLarge(ModelError):
    """Material that does not fit into one prompt."""


async def _judged(
    role: Any,
    work: ReviewWork,
    prompt: str,
    looked: Callable[[], int],
    *,
    tools: Sequence[Tool] = (),
    scratch: Scratch | None = None,
) -> Verdict:
    def made(form: BaseModel) -> Verdict:
        if isinstance(form, forms.AbstainForm):
            return work.abstain(form.reason)
        found = form.findings if isinstance(form, forms.RefuseForm) else getattr(form, "notes", [])
        if len(found) > FINDINGS_MAX:  # each is looked for in the whole attempt, while everybody else waits
            raise InvalidInput(f"{len(found):,} findings are more than anybody reads; give the {FINDINGS_MAX} gravest")
        if isinstance(form, forms.RefuseForm):
            return Refused(findings=tuple(_placed(f, work) for f in form.findings), looked=looked())
        assert isinstance(form, forms.ApproveForm)
        unread = _unread(work, scratch) if scratch else []
        if strangers := [n for n in form.waivers if not 1 <= n <= len(work.waivers)]:
            raise InvalidInput(f"there is no waiver {strangers[0]}; waivers here: {len(work.waivers)}")
        if unread:
            # Whoever made the attempt chose these names: they are as fenced as its files.
            names = fenced("\n".join(unread[:5]), "names of files in the attempt to judge")
            raise InvalidInput(f"you have not opened {len(unread)} files; read what you approve, or abstain:\n{names}")
        return Approved(
            notes=tuple(_placed(f, work) for f in form.notes),
            waivers=tuple(work.waivers[n - 1].id for n in form.waivers),
            looked=looked(),
        )

    offered = (forms.ApproveForm, forms.RefuseForm, forms.AbstainForm)
    return await _asked(role, work, prompt, offered, made, tools=tools, scratch=scratch)


async def _asked(
    role: Any,
    work: Work,
    prompt: str,
    offered: tuple[type[BaseModel], ...],
    made: Callable[[BaseModel], T],
    *,
    tools: Sequence[Tool] = (),
    scratch: Scratch | None = None,
) -> T:
    """Ask the role's mind, and return what `made` makes of the filled form."""
    answer: list[tuple[BaseModel, T]] = []

    def accepts(form: BaseModel) -> None:
        answer[:] = [(form, made(form))]

    reply = await _mind(work).ask(
        ModelRequest(
            models=models_in(role.model),
            instructions=prompts.instructions(role.kind, role.name, role.prior, work.charter),
            prompt=prompt,
            forms=offered,
            accepts=accepts,
            tools=tuple(tools),
            servers=tuple(role.servers),
            reads_only=role.kind == "gate",
            effects=scratch,
            output_tokens_max=role.output_tokens_max,
        )
    )
    if type(reply.form) not in offered:  # a model of the user's own may answer with anything
        raise InvalidReply(f"the model of {role.name!r} answered with a form that it was not asked for")
    # Made once: looking for evidence in a large attempt takes a while.
    return answer[0][1] if answer and answer[0][0] is reply.form else made(reply.form)


def _mind(work: Work) -> Mind:
    if work.mind is None:
        raise InvalidModel(
            "this work came without a mind, so no model can be asked; run the role in a Squad, or hand over "
            "`mind=` in a test"
        )
    return work.mind


def _placed(form: forms.FindingForm, work: ReviewWork) -> Finding:
    finding = form.to_finding()
    return finding if work.reads is AttemptKind.PLAN or work.artifact is None else anchored(finding, work.artifact)


def _check_cut(cut: Plan, work: PlanWork) -> None:
    """Raise `InvalidInput` with all that the kernel would find wrong with a cut, so that the model can mend it."""
    numbers = {task.name: number for number, task in enumerate(cut.tasks, 1)}
    wrong = ["two tasks have one name; give each its own"] if len(numbers) < len(cut.tasks) else []
    wrong += [
        f"task {task.name!r} comes after {after!r}, which is not in the plan"
        for task in cut.tasks
        for after in task.after
        if after not in numbers
    ]
    if not wrong:
        records = tuple(
            TaskRecord(
                task=numbers[task.name],
                builder=task.builder,
                after=tuple(numbers[after] for after in task.after),
                gates=task.gates,
                brief="0" * 64,
                brief_chars=len(task.brief),
            )
            for task in cut.tasks
        )
        wrong = plans.problems(
            records, limits=work.packet.limits, builders=work.builders, gates=work.gates, known=(), fresh=1
        )
    if wrong:
        raise InvalidInput("; ".join(wrong))


def _check_size(shown: list[Artifact], role: Any) -> None:
    chars = prompts.chars_of(shown)
    if chars > prompts.CONTEXT_CHARS_MAX:
        raise _TooLarge(
            f"there are {chars:,} bytes to read and a prompt holds {prompts.CONTEXT_CHARS_MAX:,}; give the {role.kind} "
            f"{role.name!r} `tools: [read, search]`, or cut the work into smaller tasks"
        )


def _unread(work: ReviewWork, scratch: Scratch) -> list[str]:
    """Return the text files of an attempt that were not opened."""
    files = work.artifact.files if work.artifact else ()
    return [f.path for f in files if f.mode != "link" and f.path not in scratch.were_read and _is_text(f)]


def _is_text(file: Any) -> bool:
    try:
        file.text  # noqa: B018
    except NotText:
        return False
    return True
