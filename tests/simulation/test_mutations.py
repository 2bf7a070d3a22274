"""Broken kernels: every rule is broken once by hand, and something must notice.

A mutant is a few characters of one kernel module's text, changed in a private copy. Worlds are run on it until the
checker (or the kernel's own tables, or a replay) finds it out; where a rule shows in no ledger, a scenario does.
A mutant that survives is a missing rule, or a rule that is stated twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace

import pytest
import simulate
from kernels import Edit, load
from scenarios import Scenario, a_waiver_counts_once

WORLDS_MAX = 2_000
"""No mutant may live longer than this."""
FIRST_SEED = 1_000_000
RARE_SEED = 1_006_000
"""Where worlds with waivers that nearly fit begin to turn up."""


@dataclass(frozen=True)
class Mutant:
    """A broken rule; `edits` break it."""

    name: str
    edits: tuple[Edit, ...] = field(repr=False)
    scenario: Scenario | None = None
    """What finds it out; None for worlds and their checker."""
    first: int = FIRST_SEED
    """The first world that it is tried in."""


def mutant(
    name: str, *edits: tuple[str, str, str], scenario: Scenario | None = None, first: int = FIRST_SEED
) -> Mutant:
    """Return a mutant from (module, old text, new text) triples."""
    return Mutant(name, tuple(Edit(*edit) for edit in edits), scenario, first)


MUTANTS = [
    # who may speak
    mutant(
        "a key without the role may sign",
        (
            "step",
            "if not may_sign(record.kind, event.roles, view.grants, now_ms=event.time_ms):\n        return state",
            "if False:\n        return state",
        ),
        ("step", "if speaker and not may_sign(", "if False and not may_sign("),
    ),
    mutant("a key may sign as somebody else", ("step", "if speaker and not may_sign(", "if False and not may_sign(")),
    mutant(
        "a revoked key may still sign",
        (
            "view",
            "return self.registry.roles_of(bytes.fromhex(key), self.index)",
            "known = self.registry.keys.get(bytes.fromhex(key)); return known.roles if known else frozenset()",
        ),
    ),
    mutant(
        "a waiver needs no grant",
        ("authority", 'ASKED_FOR = frozenset({"waiver"})', "ASKED_FOR: frozenset[str] = frozenset()"),
    ),
    mutant(
        "a revoked or expired grant still counts",
        (
            "authority",
            "return not grant.revoked and (grant.expires_ms is None or now_ms < grant.expires_ms)",
            "return True",
        ),
    ),
    mutant("another packet's records count", ("step", "if record.packet != state.opened.packet:", "if False:")),
    mutant("another workspace's records count", ("step", "if record.workspace != view.workspace:", "if False:")),
    mutant(
        "records count after the end",
        ("step", "if state.ended:\n        return state, [Ignore", "if False:\n        return state, [Ignore"),
    ),
    # stop and lift
    mutant(
        "the stopped view lets through",
        ("step", "if view.stopped(record.packet):\n        return state", "if False:\n        return state"),
    ),
    mutant(
        "a stop of everything is not seen",
        ("view", "return self.stops.get(EVERYTHING) or self.stops.get(packet)", "return self.stops.get(packet)"),
    ),
    mutant(
        "whoever stopped it lifts it",
        ("view", "if (stop.key == key or stop.author == record.author) and _other_people(view, key):", "if False:"),
    ),
    mutant(
        "whoever stopped it lifts it with another key",
        ("view", "(stop.key == key or stop.author == record.author)", "stop.key == key"),
    ),
    # opening
    mutant(
        "no gates are enough",
        ("registry", "if not opened.gates:", "if False:"),
        ("registry", "if not any(composing & set(roles[g].reads) for g in opened.gates):", "if False:"),
    ),
    mutant(
        "a gate that nobody holds is a gate",
        ("step", "if not view.holders(", "if role.kind != 'gate' and not view.holders("),
    ),
    mutant("unknown rules are run", ("registry", "if opened.rules != 1:", "if False:")),
    mutant(
        "a quorum that cannot be reached is asked for", ("step", "if record.approval and len(", "if False and len(")
    ),
    # plans
    mutant(
        "a cyclic plan is run",
        ("plan", "if not wrong and (cycle := find_cycle(tasks)):", "if False and (cycle := find_cycle(tasks)):"),
    ),
    mutant("a brief over the bound goes out", ("plan", "if task.brief_chars > limits.brief_chars_max:", "if False:")),
    mutant("too many tasks are run", ("plan", "if len(tasks) > limits.tasks_max:", "if False:")),
    mutant(
        "a plan that gates refused is adopted",
        (
            "planning",
            "if stage is Stage.APPROVED:\n        adopt(turn)",
            "if stage in (Stage.APPROVED, Stage.REFUSED):\n        adopt(turn)",
        ),
    ),
    mutant("tasks start before what they come after", ("plan", "and all(a in approved for a in t.after)", "")),
    mutant(
        "an amended plan keeps what builds on a changed task",
        ("planning", "kept -= plans.voided_by(record.tasks, changed)", ""),
    ),
    mutant(
        "an amended plan keeps a changed task",
        ("planning", "(old := before.get(t.task)) and old.record == t and", "(old := before.get(t.task)) and"),
    ),
    mutant(
        "numbers of attempts are used again",
        ("planning", "attempt=before[t.task].attempt if t.task in before else 0", "attempt=0"),
    ),
    # artifacts
    mutant(
        "a manifest of another attempt is taken",
        (
            "building",
            "(manifest.author, manifest.attempt, manifest.made_from) != (record.author, named, wanted)",
            "(manifest.author, manifest.made_from) != (record.author, wanted)",
        ),
    ),
    mutant(
        "a manifest made from something else is taken",
        (
            "building",
            "(manifest.author, manifest.attempt, manifest.made_from) != (record.author, named, wanted)",
            "(manifest.author, manifest.attempt) != (record.author, named)",
        ),
    ),
    mutant("another role's request can be answered", ("step", "if job.record.role != record.author:", "if False:")),
    mutant(
        "an artifact over the byte bound is read",
        ("building", "or manifest.size_bytes > limits.artifact_bytes_max", ""),
    ),
    mutant("an artifact with too many files is read", ("building", "or len(manifest.paths) > limits.files_max", "")),
    mutant(
        "one try more than attempts_max",
        (
            "building",
            "elif task.tries < state.opened.limits.attempts_max:",
            "elif task.tries <= state.opened.limits.attempts_max:",
        ),
    ),
    mutant(
        "one try less than attempts_max",
        (
            "building",
            "elif task.tries < state.opened.limits.attempts_max:",
            "elif task.tries + 1 < state.opened.limits.attempts_max:",
        ),
    ),
    mutant(
        "one failed try more than attempts_max",
        (
            "building",
            "if task.tries < turn.state.opened.limits.attempts_max:",
            "if task.tries <= turn.state.opened.limits.attempts_max:",
        ),
    ),
    mutant(
        "tries are not counted",
        (
            "building",
            "TaskState(task.record, attempt, task.tries + 1, Stage.ASSIGNED)",
            "TaskState(task.record, attempt, 0, Stage.ASSIGNED)",
        ),
    ),
    mutant(
        "one objection more than objections_max",
        (
            "planning",
            "if state.objections > state.opened.limits.objections_max:",
            "if state.objections > state.opened.limits.objections_max + 1:",
        ),
    ),
    mutant("amendments are not counted", ("planning", "state.amendments += 1", "state.amendments += 0")),
    # verdicts
    mutant(
        "a verdict about other bytes counts", ("reviewing", "if record.subject != ticket.record.subject:", "if False:")
    ),
    mutant(
        "a verdict on another attempt counts", ("reviewing", "if record.attempt != ticket.record.attempt:", "if False:")
    ),
    mutant(
        "a verdict may claim another independence",
        ("reviewing", "if record.independence != ticket.record.independence or", "if"),
    ),
    mutant(
        "another gate's ticket can be answered", ("reviewing", "if record.author != ticket.record.gate:", "if False:")
    ),
    mutant("own work may be judged", ("reviewing", "if is_own_work(turn, ticket.attempt):", "if False:")),
    mutant(
        "own work may be judged with another key of the role",
        ("reviewing", "or any(is_author(role.kind, role.name, event.roles) for role in made)", ""),
    ),
    mutant(
        "independence is not looked at",
        (
            "reviewing",
            "if reached is None or registry.LEVELS.index(reached) < registry.LEVELS.index(state.opened.independence):",
            "if reached is None:",
        ),
        ("registry", "return reached is None or LEVELS.index(reached) < LEVELS.index(demanded)", "return not reached"),
    ),
    mutant(
        "only the first choice of a gate counts for its independence",
        ("registry", "for one in gate.models for other", "for one in gate.models[:1] for other"),
    ),
    mutant(
        "only the first choice of an author counts for independence",
        ("registry", "for other in author.models)", "for other in author.models[:1])"),
    ),
    mutant(
        "the furthest pair of models counts for independence",
        ("registry", "return min((models_apart(", "return max((models_apart("),
    ),
    mutant(
        "one model by two routes counts as two",
        ("registry", "if one.name == other.name:", "if one.called == other.called:"),
    ),
    mutant(
        "two models of one family count as two families",
        ("registry", "one.family and other.family and one.family != other.family", "True"),
    ),
    mutant(
        "a verdict of a model that the gate has not counts",
        ("reviewing", "if not registry.may_answer(role, record.model):", "if False:"),
    ),
    mutant(
        "work of a model that the role has not counts",
        ("step", "if not registry.may_answer(turn.state.roles[record.author], record.model):", "if False:"),
    ),
    mutant(
        "a gate of models approves without asking one",
        (
            "reviewing",
            'if decision == "approved" and record.looked and role.models and record.model is None:',
            "if False:",
        ),
    ),
    mutant(
        "a gate with the author's prior may judge",
        ("registry", "if gate.name == author.name or gate.prior == author.prior:", "if gate.name == author.name:"),
    ),
    mutant("lineage is forgotten", ("reviewing", "waiting.extend(state.manifests[subject].made_from)", "pass")),
    mutant(
        "an abstention counts as approval",
        ("reviewing", "elif abstained:\n        for ticket", "elif False:\n        for ticket"),
        ("reviewing", "elif any(t.record.ask > 1 for t in abstained):", "elif False:"),
    ),
    mutant(
        "the second abstention counts as approval",
        ("reviewing", "elif any(t.record.ask > 1 for t in abstained):", "elif False:"),
        ("reviewing", "elif abstained:\n", "elif any(t.record.ask == 1 for t in abstained):\n"),
    ),
    mutant(
        "an abstainer is asked for ever",
        ("reviewing", "elif any(t.record.ask > 1 for t in abstained):", "elif False:"),
        ("reviewing", "ask=2, inputs", "ask=ticket.record.ask + 1, inputs"),
    ),
    mutant(
        "a refusal is outvoted",
        (
            "reviewing",
            'if any(t.decision == "refused" for t in tickets):',
            'if tickets and all(t.decision == "refused" for t in tickets):',
        ),
    ),
    mutant(
        "the first refusal ends the round",
        (
            "reviewing",
            "if any(not t.decision for t in tickets):",
            'if any(not t.decision for t in tickets) and not any(t.decision == "refused" for t in tickets):',
        ),
    ),
    mutant(
        "not all gates are waited for",
        (
            "reviewing",
            "if any(not t.decision for t in tickets):",
            "if tickets and all(not t.decision for t in tickets):",
        ),
    ),
    mutant(
        "a gate that a task adds is not asked",
        ("reviewing", "state.tasks[task].record.gates if kind is AttemptKind.ARTIFACT else ()", "()"),
    ),
    mutant(
        "two answers to one ticket are not noticed",
        ("turn", "self.record(\n            EquivocationRecord(", "(\n            EquivocationRecord("),
    ),
    mutant(
        "an equivocating gate still lets through",
        ("reviewing", "if attempt.stage in (Stage.REVIEWING, Stage.APPROVED):", "if False:"),
    ),
    mutant("every further answer is recorded", ("turn", "if about in self.state.equivocations:", "if False:")),
    mutant(
        "an answer after silence counts",
        ("reviewing", 'if not ticket.receipt:\n        return Ignore("too late")', "if False:\n        pass"),
    ),
    mutant(
        "silence counts as approval",
        (
            "step",
            'reviewing.answer(turn, about, "abstained", usage=usage)',
            'reviewing.answer(turn, about, "approved", usage=usage)',
        ),
    ),
    # waivers
    mutant(
        "a waiver is used twice",
        ("reviewing", "state.waivers_used |= set(record.waivers)", "pass"),
        scenario=a_waiver_counts_once,
    ),
    mutant(
        "a waiver counts for other bytes",
        ("reviewing", "and known.subject == ticket.record.subject", ""),
        first=RARE_SEED,
    ),
    mutant("a waiver counts for another gate", ("reviewing", "and known.gate == ticket.record.gate", "")),
    mutant("an expired waiver counts", ("reviewing", "and turn.now < known.expires_ms", "")),
    mutant("an expired waiver is taken", ("asking", "if turn.now >= record.expires_ms:", "if False:")),
    mutant(
        "an author signs a waiver",
        (
            "asking",
            'if _is_author(turn):\n        return Ignore("own work")\n    if turn.event.receipt',
            "if turn.event.receipt",
        ),
    ),
    # compositions
    mutant(
        "paths may meet",
        (
            "compose",
            "if len(last) != 1:\n            return PathsMeet(path, tuple(tasks))",
            "last = last or tasks[-1:]",
        ),
    ),
    mutant(
        "a file may be another's folder",
        (
            "compose",
            "if clash := _file_and_folder(entries, speakers):",
            "if False and (clash := _file_and_folder(entries, speakers)):",
        ),
    ),
    mutant("bases may differ", ("compose", "if len(bases) > 1:", "if False:")),
    mutant("removals are forgotten", ("compose", "removals.append(path)", "pass")),
    mutant(
        "a composition that gates refused goes on",
        ("composing", "if not refused and not record.reopen and", "if not record.reopen and"),
    ),
    mutant("a composition whose gate abstained goes on", ("composing", "if stage is Stage.ABSTAINED:", "if False:")),
    mutant(
        "the gates of a composition are not asked",
        ("composing", "review(turn, key, listed)", "turn.stage(key, 'all approved'); turn.over.append(key)"),
    ),
    mutant("`done_when` is not looked at", ("composing", "and holding >= set(state.opened.predicates)", "")),
    mutant(
        "the coordinator's refusal is not heard",
        ("composing", "if not refused and not record.reopen and", "if not refused and"),
    ),
    mutant(
        "a predicate both held and not held holds",
        ("composing", " - {h.predicate for h in record.held if not h.holds}", ""),
    ),
    mutant(
        "nobody has to look",
        ("composing", "and (unread := looked_at(turn, key)) is not None:", "and (unread := None):"),
    ),
    mutant(
        "re-opening does not void what builds on it",
        (
            "composing",
            "for number in sorted(plans.voided_by(state.plan.tasks, record.reopen)):",
            "for number in sorted(record.reopen):",
        ),
    ),
    mutant(
        "re-opening does not void the task",
        ("composing", "turn.drop((AttemptKind.ARTIFACT, number, task.attempt))", "pass"),
    ),
    mutant(
        "one composition more than compositions_max",
        (
            "composing",
            "if state.composition_attempt >= state.opened.limits.compositions_max:",
            "if state.composition_attempt > state.opened.limits.compositions_max:",
        ),
    ),
    mutant(
        "the end-to-end check is asked for too often",
        (
            "composing",
            "if turn.state.accept_tries < turn.state.opened.limits.attempts_max:",
            "if turn.state.accept_tries <= turn.state.opened.limits.attempts_max:",
        ),
    ),
    # people
    mutant("nobody is asked", ("asking", "if rule is None:\n        turn.phase", "if True:\n        turn.phase")),
    mutant(
        "a quorum of one less",
        (
            "asking",
            "if len(state.approvals) >= question.quorum:",
            "if len(state.approvals) >= max(1, question.quorum - 1):",
        ),
    ),
    mutant(
        "one person counts twice",
        ("asking", "if record.author in state.approvals or turn.event.key in state.approvals.values():", "if False:"),
        (
            "asking",
            "state.approvals[record.author] = turn.event.key",
            "state.approvals[record.author + turn.event.receipt] = turn.event.key",
        ),
    ),
    mutant(
        "one key counts for two people",
        (
            "asking",
            "if record.author in state.approvals or turn.event.key in state.approvals.values():",
            "if record.author in state.approvals:",
        ),
    ),
    mutant("somebody who was not asked counts", ("asking", "if record.author not in question.approvers:", "if False:")),
    mutant("an approval of other bytes counts", ("asking", "if record.subject != question.subject:", "if False:")),
    mutant("an approval after expiry counts", ("asking", "if turn.now >= question.expires_ms:", "if False:")),
    mutant(
        "a flag counts as a person",
        ("asking", 'rule.person_required and record.channel in ("flag", "program")', "False"),
    ),
    mutant("an author approves", ("asking", 'if _is_author(turn):\n        return Ignore("own work")  # 6', "pass")),
    mutant(
        "a denial is not heard",
        ("asking", 'turn.finish("approval-denied")\n        return None', 'return Ignore("no")'),
    ),
    # time, bounds and money
    mutant(
        "an early deadline counts", ("step", "if asked is not None and turn.now < asked.record.due_ms:", "if False:")
    ),
    mutant("the packet's early deadline counts", ("step", "if turn.now >= state.due_ms:", "if True:")),
    mutant(
        "the packet goes on after its own deadline",
        ("step", "if max(state.time_ms, event.time_ms) >= state.due_ms and", "if False and"),
    ),
    mutant("a question's early deadline counts", ("step", "if turn.now < state.question.expires_ms:", "if False:")),
    mutant(
        "the packet's deadline is not heard",
        ("step", 'turn.finish("packet-expired")\n        return None', 'return Ignore("later")'),
    ),
    mutant(
        "one message more than messages_max",
        (
            "turn",
            "if state.messages >= state.opened.limits.messages_max:",
            "if state.messages > state.opened.limits.messages_max:",
        ),
    ),
    mutant("budgets are not looked at", ("budget", "if limit is not None and used > limit:", "if False:")),
    mutant(
        "a reservation is forgotten",
        (
            "budget",
            "spend.tokens_reserved + tokens,",
            "spend.tokens_reserved,",
        ),
    ),
    mutant(
        "time is not looked at",
        ("budget", "(allowance.wait_ms_max, after.wait_ms + after.wait_ms_reserved),", "(None, 0),"),
    ),
    mutant("a task's budget is not looked at", ("budget", "return budget.task", "return None")),
    mutant("a role's budget is not looked at", ("budget", "if allowed.role == whose", "if False")),
    mutant("a role pays from another's budget", ("budget", "if allowed.role == whose", "if allowed.role != whose")),
    mutant(
        "the packet's budget is not looked at",
        ("budget", 'if kind == "packet":\n        return budget', 'if kind == "packet":\n        return None'),
    ),
    mutant(
        "an answer counts on the packet alone",
        (
            "budget",
            'return (PACKET, own) if task is None else (PACKET, ("task", task), own)',
            "return (PACKET,)",
        ),
    ),
    mutant(
        "a reservation is made on some accounts before another refuses",
        (
            "budget",
            "        if spend is None:\n            return account\n        charged[account] = spend",
            "        if spend is None:\n            break\n        charged[account] = spend",
        ),
    ),
    mutant(
        "a gate's ticket does not count on its task",
        (
            "budget",
            '    own: Account = ("role", role)',
            '    own: Account = ("role", role)\n    task = None if role[0] == "g" else task',
        ),
    ),
    mutant(
        "a limit of zero lets begin",
        ("step", "if (nothing_left := budget.hopeless(", "if False and (nothing_left := budget.hopeless("),
    ),
    mutant("a packet without funds begins", ("step", "if not record.funded:", "if False:")),
    mutant(
        "what a failed answer cost is not heard",
        ("step", "return _silence(turn, record.about, record.usage)", "return _silence(turn, record.about)"),
    ),
    mutant(
        "an answer that overspends goes on",
        ("turn", "if self.overspent is None:\n            return False", "if True:\n            return False"),
    ),
    mutant(
        "an end leaves work reserved",
        ("turn", "if not job.receipt:\n                self.settle(", "if False:\n                self.settle("),
    ),
    mutant(
        "an end leaves tickets reserved",
        (
            "turn",
            "if not ticket.decision:\n                self.settle(ticket.record, None)\n        composed",
            "if False:\n                self.settle(ticket.record, None)\n        composed",
        ),
    ),
    mutant(
        "the task at which a budget ended is not said",
        ("turn", 'task=None if kind == "packet" else task, account=kind', "task=None, account=kind"),
    ),
    mutant(
        "a packet's end gives nothing back to the workspace",
        ("funds", "if after is None or not after.ended or", "if True or"),
    ),
    mutant(
        "the workspace is told another cost than the packet's",
        ("funds", "usage=after.spend.usage", "usage=after.spend._replace(tokens=0).usage"),
    ),
    mutant(
        "silence costs nothing",
        (
            "budget",
            "tokens=amount.tokens, cost_microusd=amount.microusd",
            "tokens=0, cost_microusd=amount.microusd",
        ),
    ),
    mutant(
        "what was reserved is not settled",
        ("budget", "spend.tokens_reserved - amount.tokens,", "spend.tokens_reserved,"),
    ),
    # the ledger
    mutant(
        "outputs need not be the runner's or there at all", ("replay", "if not due or due[0] != record:", "if False:")
    ),
    mutant(
        "a replay shrugs at what the rules ignore",
        ("replay", "if isinstance(effect, Ignore):\n                raise", "if False:\n                raise"),
    ),
    mutant(
        "outputs may be missing",
        ("replay", "        if due:\n            raise Diverged(", "        if False:\n            raise Diverged("),
    ),
    mutant("a crash loses what was asked", ("pending", "if not ticket.decision:", "if False:")),
    mutant(
        "a request's id does not say which attempt",
        (
            "turn",
            'identify(self.state.opened.nonce, "assignment", work, task or 0, attempt)',
            'identify(self.state.opened.nonce, "assignment", work, task or 0)',
        ),
    ),
    mutant(
        "a ticket's id does not say which bytes",
        ("identify", "task or 0, attempt, gate, subject, ask)", "task or 0, attempt, gate, ask)"),
    ),
]


LONG_LIVED = {
    "another packet's records count": 1_000_122,
    "a gate that nobody holds is a gate": 1_000_172,
    "unknown rules are run": 1_000_262,
    "a quorum that cannot be reached is asked for": 1_000_383,
    "a cyclic plan is run": 1_000_356,
    "a brief over the bound goes out": 1_000_174,
    "a plan that gates refused is adopted": 1_000_099,
    "an amended plan keeps what builds on a changed task": 1_000_629,
    "an amended plan keeps a changed task": 1_000_279,
    "another role's request can be answered": 1_000_415,
    "an artifact with too many files is read": 1_000_227,
    "one objection more than objections_max": 1_000_309,
    "a verdict about other bytes counts": 1_000_309,
    "a verdict may claim another independence": 1_000_821,
    "another gate's ticket can be answered": 1_000_137,
    "own work may be judged": 1_000_055,
    "own work may be judged with another key of the role": 1_000_077,
    "a verdict of a model that the gate has not counts": 1_000_129,
    "work of a model that the role has not counts": 1_000_345,
    "a gate with the author's prior may judge": 1_000_089,
    "a gate that a task adds is not asked": 1_000_053,
    "every further answer is recorded": 1_000_356,
    "an answer after silence counts": 1_000_077,
    "a waiver counts for other bytes": 1_006_146,
    "a waiver counts for another gate": 1_000_068,
    "an expired waiver counts": 1_000_051,
    "an expired waiver is taken": 1_000_053,
    "an author signs a waiver": 1_000_077,
    "paths may meet": 1_000_488,
    "a file may be another's folder": 1_000_270,
    "bases may differ": 1_000_528,
    "`done_when` is not looked at": 1_000_310,
    "a predicate both held and not held holds": 1_001_313,
    "re-opening does not void what builds on it": 1_001_530,
    "re-opening does not void the task": 1_000_113,
    "one composition more than compositions_max": 1_000_149,
    "one person counts twice": 1_000_144,
    "one key counts for two people": 1_000_630,
    "somebody who was not asked counts": 1_000_137,
    "an approval of other bytes counts": 1_000_436,
    "an approval after expiry counts": 1_000_261,
    "a flag counts as a person": 1_000_196,
    "an author approves": 1_000_963,
    "a denial is not heard": 1_000_130,
    "the packet goes on after its own deadline": 1_000_906,
    "a question's early deadline counts": 1_000_116,
    "what a failed answer cost is not heard": 1_000_159,
    "an answer that overspends goes on": 1_001_232,
    "an end leaves tickets reserved": 1_000_058,
    "a replay shrugs at what the rules ignore": 1_000_075,
}
"""The world in which a mutant was last found out, for those that outlive fifty. It is tried first, which spares
most of the time and decides nothing: where it no longer tells, the others are run."""


@lru_cache(maxsize=1)
def whole() -> SimpleNamespace:
    """The kernel as it is."""
    return load()


@pytest.mark.parametrize("broken", MUTANTS, ids=lambda m: m.name)
def test_every_broken_rule_is_found_out(broken: Mutant) -> None:
    """Each broken kernel is caught within a bounded number of worlds, and not because the world is at fault."""
    kernel = load(*broken.edits)
    worlds = range(broken.first, broken.first + WORLDS_MAX)

    if broken.scenario:
        with pytest.raises(AssertionError):
            broken.scenario(kernel)
    else:
        with pytest.raises(simulate.Failed) as found:
            simulate.run([LONG_LIVED.get(broken.name, broken.first), *worlds], kernel)
        assert 1 == simulate.run([found.value.seed], whole()).worlds


@pytest.mark.parametrize("first", [*range(FIRST_SEED, FIRST_SEED + WORLDS_MAX, 1_000), RARE_SEED])
def test_the_kernel_as_it_is_passes_the_same(first: int) -> None:
    """The worlds that find broken kernels out find nothing in the kernel as it is.

    Those that did are run on it above; these hundred stand for the others, and `test_worlds.py` runs 3,000 more.
    """
    report = simulate.run(range(first, first + 100), whole())

    assert report.worlds == 100


def test_no_world_is_named_for_a_mutant_that_is_gone() -> None:
    """A renamed mutant would live long again."""
    assert set() == LONG_LIVED.keys() - {broken.name for broken in MUTANTS}


def test_there_are_many_ways_to_break_the_kernel() -> None:
    """Every room of the kernel has a broken twin."""
    assert len(MUTANTS) >= 25
    assert {"step", "registry", "planning", "building", "reviewing", "composing", "compose", "asking"} <= {
        edit.module for broken in MUTANTS for edit in broken.edits
    }
