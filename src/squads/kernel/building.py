"""Builders' part: ready tasks go out in the order of the plan, artifacts and objections come in.

Nothing starts before everything it comes after is approved. An attempt that was refused or failed is tried again with
every finding of its round, until `attempts_max`.
"""

from __future__ import annotations

from squads.contracts.messages import BuildRequest, Grievance
from squads.contracts.packet import AttemptKind
from squads.contracts.records import ArtifactRecord, Part
from squads.kernel import plan as plans
from squads.kernel.effects import Ignore
from squads.kernel.lifecycle import Stage
from squads.kernel.planning import exhausted
from squads.kernel.reviewing import review, verdicts_on
from squads.kernel.state import AttemptKey, TaskState
from squads.kernel.turn import Turn


def schedule(turn: Turn) -> bool:
    """Start every task that is ready; True when all tasks are approved and there is nothing left to start."""
    state = turn.state
    approved = {n for n, t in state.tasks.items() if t.stage is Stage.APPROVED}
    if len(approved) == len(state.tasks):
        return True
    started = {n for n, t in state.tasks.items() if t.stage is not None and t.stage is not Stage.VOIDED}
    records = [t.record for t in state.tasks.values()]
    for number in plans.ready(records, started=started, approved=approved):
        if not build(turn, number):
            break
    return False


def build(turn: Turn, number: int) -> bool:
    """Hand a task to its builder; False when a bound ended the packet instead."""
    state = turn.state
    task = state.tasks[number]
    attempt = task.attempt + 1
    request_id = turn.request_id("build", number, attempt)
    assert state.plan is not None
    request = BuildRequest(
        **turn.base(),
        content=state.opened.content,
        memory=turn.recalled(task.record.builder),
        due_ms=turn.due_ms(),
        request=request_id,
        task=number,
        attempt=attempt,
        plan=state.plan.content,
        numbers=turn.numbers,
        inputs=inputs_of(turn, number),
        previous=task.artifact or None,
        verdicts=task.verdicts,
        reasons=task.reasons,
    )
    if not turn.assign("build", state.roles[task.record.builder], request, task=number, subject=task.record.brief):
        return False
    state.tasks[number] = TaskState(task.record, attempt, task.tries + 1, Stage.ASSIGNED)
    turn.open_attempt((AttemptKind.ARTIFACT, number, attempt), task.record.builder, request_id)
    return True


def inputs_of(turn: Turn, number: int) -> tuple[Part, ...]:
    """Return the approved artifacts that a task builds on, in the order of their numbers."""
    tasks = turn.state.tasks
    return tuple(Part(task=a, artifact=tasks[a].artifact) for a in sorted(tasks[number].record.after))


def artifact(turn: Turn, record: ArtifactRecord) -> Ignore | None:
    """Take an artifact and have every gate that must read it read it.

    The checks, in order: 1 the manifest is the one that the digest names; 2 it names this author, this attempt and
    exactly the approved inputs; 3 it keeps the bounds. An artifact that breaks 2 or 3 uses up the attempt.
    The very artifact of the attempt before may be handed in again: a waiver for exactly those bytes can then be cited.
    """
    state = turn.state
    manifest = turn.event.manifest
    if manifest is None or manifest.digest != record.artifact:
        return Ignore("no manifest under this digest")  # 1
    job = state.jobs[record.request]
    number, count = job.record.task or 0, job.record.attempt
    key = (AttemptKind.ARTIFACT, number, count)
    turn.close(record.request, receipt=turn.event.receipt, usage=record.usage)
    wanted = tuple(p.artifact for p in inputs_of(turn, number))
    again = isinstance(job.request, BuildRequest) and record.artifact == job.request.previous
    named = manifest.attempt if again else count
    limits = state.opened.limits
    if (
        (manifest.author, manifest.attempt, manifest.made_from) != (record.author, named, wanted)  # 2
        or manifest.size_bytes > limits.artifact_bytes_max  # 3
        or len(manifest.paths) > limits.files_max
    ):
        failed(turn, number)
        return None
    attempt = turn.stage(key, "handed in")
    state.attempts[key] = attempt._replace(subject=record.artifact, author_key=turn.event.key)
    state.tasks[number] = state.tasks[number]._replace(artifact=record.artifact)
    state.manifests[record.artifact] = manifest
    state.authors[record.artifact] = (record.author, turn.event.key)
    review(turn, key, inputs_of(turn, number))
    return None


def read(turn: Turn, key: AttemptKey) -> None:
    """The gates have answered: back to the builder with every finding, or on."""
    state = turn.state
    number, stage = key[1], state.attempts[key].stage
    if stage is Stage.APPROVED:
        return
    verdicts = verdicts_on(turn, key)
    task = state.tasks[number] = state.tasks[number]._replace(verdicts=verdicts)
    if stage is Stage.ABSTAINED:  # another attempt would meet the same silence
        exhausted(turn, Grievance(task=number, cause="failed", documents=verdicts), otherwise="gate-abstained")
    elif task.tries < state.opened.limits.attempts_max:
        build(turn, number)
    else:
        exhausted(turn, Grievance(task=number, cause="refused", documents=verdicts), otherwise="task-refused")


def failed(turn: Turn, number: int) -> None:
    """An attempt came to nothing: try again while tries are left, else the task is exhausted."""
    task = turn.state.tasks[number]
    turn.stage((AttemptKind.ARTIFACT, number, task.attempt), "no usable reply")
    if task.tries < turn.state.opened.limits.attempts_max:
        build(turn, number)
    else:
        exhausted(turn, Grievance(task=number, cause="failed"), otherwise="role-failed")
