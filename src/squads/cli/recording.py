"""The demonstration's team: a coordinator and two builders who hand in what was once written, and gates that read it.

Only texts are recorded: briefs and files. What a role hands in follows from what it is told; every objection, verdict
and rule is computed. The recorded files end in `.txt`, because nothing may ever import or run them.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import ApprovalRule, Packet, Predicate
from squads.contracts.plan import Objection, Plan, Task
from squads.contracts.work import BuildWork, PlanWork
from squads.gates.builtin import built_in
from squads.gates.check import CannotLook
from squads.gates.checklist import Checklist
from squads.roles.builder import Builder
from squads.roles.coordinator import Coordinator

PACKET = Packet(
    brief="Single sign-on, reputation scores and guild treasuries.",
    done_when=(
        Predicate(
            id="identity-is-signed", sentence="Nobody is believed whom no provider signed for.", check="security"
        ),
        Predicate(id="schema-holds", sentence="No row breaks a promise, and no write is lost.", check="schema"),
        Predicate(id="merges-are-decided", sentence="No file holds both sides of a merge.", check="text"),
    ),
    approval=ApprovalRule(approvers=("owner",)),
)
CHECKS = {
    "security": ("auth.saml-signature", "auth.token-signature"),
    "schema": ("sql.unique-null", "sql.balance-not-negative", "sql.definer-rights", "sql.value-fits"),
    "text": ("text.conflict-marker",),
}
"""Gate to the built-in checks that it is made of."""
_SQL_BLOCK = re.compile(r"^```sql\n(.*?)^```", re.DOTALL | re.MULTILINE)


def gates() -> list[Checklist]:
    """Return the gates: each may refuse, and none has written what it reads."""
    return [Checklist(*built_in(*checks), name=name) for name, checks in CHECKS.items()]


class RecordedCoordinator(Coordinator):
    """Cuts the packet into three briefs, and amends the one that a builder objects to."""

    name = "coordinator"
    prior = "Three small briefs, each for whoever knows its trade; a brief that its builder refuses is amended once."

    def plan(self, work: PlanWork) -> Plan | Objection:
        """Return the recorded plan, or the amended one after an objection to the brief that it amends."""
        if work.previous is None:
            return self._cut(work, reputation="reputation")
        if [(c.cause, c.task) for c in work.complaints] == [("objection", "reputation")]:
            return self._cut(work, reputation="reputation-amended")
        why = [f"{c.cause}: {c.task or 'the plan'}" for c in work.complaints]
        return work.objection(*why, proposal="read the findings above; nothing that is recorded answers them")

    def _cut(self, work: PlanWork, *, reputation: str) -> Plan:
        return work.plan(
            Task(name="single-sign-on", brief=_text("single-sign-on"), builder=RecordedBuilder.name),
            Task(name="reputation", brief=_text(reputation), builder=SchemaBuilder.name),
            Task(name="treasuries", brief=_text("treasuries"), builder=SchemaBuilder.name, after=("reputation",)),
        )


class RecordedBuilder(Builder):
    """Hands in the first recorded attempt at a task, and after each refusal the one that was written next."""

    name = "python-builder"
    prior = "Moves fast, thinks in objects: files, types, the texture of code."

    def build(self, work: BuildWork) -> Artifact | Objection:
        """Return the attempt that follows the refused one; the last one stays the last."""
        attempts = recorded(work.task)
        done = {f.path: f.text for f in work.previous.files} if work.previous else None
        following = attempts.index(done) + 1 if done in attempts else 0
        return work.artifact(attempts[min(following, len(attempts) - 1)])


class SchemaBuilder(RecordedBuilder):
    """Reads the schema in its brief before it builds, and refuses a brief whose numbers do not fit."""

    name = "sql-builder"
    prior = "Reads a schema as a carpenter reads a joint: do the dimensions fit, before anything is nailed."

    def build(self, work: BuildWork) -> Artifact | Objection:
        """Return the next recorded attempt, or an objection made of what the library's own check finds."""
        try:
            misfits = misfits_in(work.brief)
        except CannotLook as error:
            return work.objection(f"the schema in the brief cannot be read: {error}", proposal="write it as plain SQL")
        if misfits:
            return work.objection(
                *(f"{f.message} [{f.invariant}, {f.location}]" for f in misfits),
                proposal=f"store a value that fits, or widen the column: {misfits[0].satisfy}",
            )
        return super().build(work)


def misfits_in(brief: str) -> list[Finding]:
    """Return which values do not fit their columns in a brief's SQL. Raises `CannotLook`."""
    sql = "\n".join(_SQL_BLOCK.findall(brief))
    if not sql:
        return []
    (fits,) = built_in("sql.value-fits")
    return [f for f in fits(Artifact.of({"brief.sql": sql})) if f.severity >= Severity.MAJOR]


def recorded(task: str) -> list[dict[str, str]]:
    """Return the recorded attempts at a task in order, each as path to text."""
    folders = sorted((f for f in _home().joinpath(task).iterdir() if f.is_dir()), key=lambda f: int(f.name))
    return [{f.name.removesuffix(".txt"): f.read_text("utf-8") for f in folder.iterdir()} for folder in folders]


def _text(name: str) -> str:
    return _home().joinpath(f"{name}.txt").read_text("utf-8")


def _home() -> Traversable:
    return files("squads.cli") / "recorded"
