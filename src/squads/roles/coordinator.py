"""The coordinator: cuts a packet into small briefs, amends the cut, and checks the composition end to end."""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from typing import Any, ClassVar, Literal

from squads.contracts.plan import Acceptance, Objection, Plan, Task
from squads.contracts.work import AcceptWork, PlanWork, Reply, Work
from squads.minds.thinker import Thinker


class Coordinator(Thinker):
    """Give it a model, or subclass it and write `plan`; write `accept` as well when `done_when` needs judgement."""

    kind: ClassVar[Literal["coordinator"]] = "coordinator"

    def plan(self, work: PlanWork) -> Plan | Objection | Awaitable[Plan | Objection]:
        """Return `work.plan(...)` or `work.objection(...)`; may be `async`. The default asks the model.

        With `work.previous` set this is an amendment: `work.complaints` says why, and tasks that are returned
        unchanged keep their approval.
        """
        from squads.minds import think

        self._check_model("plan")
        return think.plan(self, work)

    def accept(self, work: AcceptWork) -> Acceptance | Awaitable[Acceptance]:
        """Return `work.accept(...)` or `work.refuse(...)`; may be `async`. Its word can only refuse.

        The default answers every predicate that names a `check` with that gate's approval, and refuses what it
        cannot answer. After a gate's refusal it re-opens the tasks whose files the findings name, else all. With a
        model, a composition of several parts and predicates without a `check` are judged by it.
        """
        if work.refused:
            paths = {f.location.path for _, v, _ in work.verdicts for f in v.findings if f.location}
            named = [task for task, part in work.parts.items() if paths & set(part.manifest.paths)]
            return work.refuse("a gate refused the composition", reopen=named or list(work.parts))
        if self.model and (len(work.parts) > 1 or any(p.check is None for p in work.packet.done_when)):
            from squads.minds import think

            return think.accept(self, work)
        # An approval of a gate that had nothing to read shows nothing.
        approvals = {gate: digest for gate, v, digest in work.verdicts if v.kind == "approved" and v.looked}
        evidence = {p.id: approvals[p.check] for p in work.packet.done_when if p.check and p.check in approvals}
        if missing := [p.id for p in work.packet.done_when if p.id not in evidence]:
            return work.refuse(f"nothing shows that this holds: {', '.join(missing)}")
        return work.accept(evidence)

    async def answer(self, work: Work) -> Reply:
        """Do one piece of work: the role port."""
        reply: Any
        if isinstance(work, PlanWork):
            reply = self.plan(work)
        elif isinstance(work, AcceptWork):
            reply = self.accept(work)
        else:
            raise TypeError(f"a coordinator plans and accepts; it was given {type(work).__name__}")
        return await reply if isawaitable(reply) else reply  # type: ignore[no-any-return]


class OneTask(Coordinator):
    """The default coordinator, without a model: one task from the packet's own brief.

    It cannot rewrite a brief, so a squad that uses it ends where another coordinator would amend.
    """

    name = "one-task"
    prior = "One task from the packet's brief, for the one builder there is."

    def plan(self, work: PlanWork) -> Plan | Objection:
        """Return the packet's brief as the only task."""
        if work.previous is not None:
            why = [f"{c.cause}: {c.detail}".rstrip(": ") for c in work.complaints]
            return work.objection(*why, proposal="write a Coordinator that can amend the brief, or a clearer packet")
        return work.plan(Task(name="work", brief=work.packet.brief, builder=work.builders[0]))
