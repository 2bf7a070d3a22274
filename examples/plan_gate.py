"""A gate reads plans and refuses one that lacks a task, before anybody builds; the coordinator amends the plan."""

from __future__ import annotations

from squads import (
    Artifact,
    Builder,
    BuildWork,
    Coordinator,
    Finding,
    Gate,
    Plan,
    PlanWork,
    ReviewWork,
    Squad,
    Task,
    Verdict,
)
from squads.contracts.packet import AttemptKind
from squads.gates.builtin import built_in


class WayBack(Gate):
    """Whoever changes a schema also says how to take the change back."""

    reads = (AttemptKind.PLAN,)

    def review(self, work: ReviewWork) -> Verdict:
        if work.plan is None:
            return work.abstain("there is no plan to read")
        if any(task.name == "way-back" for task in work.plan.tasks):
            return work.approve(looked=len(work.plan.tasks))
        message = "the plan changes a schema, and no task says how to take that back"
        return work.refuse(Finding(invariant="plan.has-way-back", message=message, satisfy="Add the task way-back."))


class Lead(Coordinator):
    def plan(self, work: PlanWork) -> Plan:
        tasks = [Task(name="change", brief="Add a column for the colour of a chair.", builder="carpenter")]
        if any(verdict.kind == "refused" for complaint in work.complaints for verdict in complaint.verdicts):
            tasks.append(Task(name="way-back", brief="Drop that column.", builder="carpenter", after=("change",)))
        return work.plan(*tasks)


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        if work.task == "way-back":
            return work.artifact({"1_down.sql": "ALTER TABLE chairs DROP COLUMN colour;\n"})
        return work.artifact({"1_up.sql": "ALTER TABLE chairs ADD COLUMN colour text;\n"})


squad = Squad(coordinator=Lead(), builder=Carpenter(), gates=[WayBack(), *built_in("text.conflict-marker")])
result = squad.run_sync("Chairs have a colour.")
for judged in result.judgements:
    what = judged.task or judged.reads
    print(f"{what}, attempt {judged.attempt}:", judged.verdict.kind, *(f.message for f in judged.verdict.findings))
print(*result.raise_for_refusal().artifact.manifest.paths)
