"""What composed, attempt by attempt: the plan in force, the newest attempt at each of its tasks, the composition.

An edit voids, so the only attempts that count are the newest ones, with exactly the bytes that were composed. This file
must never ask whether anybody approved them; it says what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from squads.ledger.independence import may_have_answered
from squads.ledger.packet import Fields, Story, Witnessed
from squads.ledger.report import Tally


@dataclass
class Attempt:
    """One try at something that gates read."""

    reads: str
    """`plan`, `artifact` or `composition`."""
    task: int | None
    number: int
    subject: str
    since: int
    """The index at which it was handed in."""
    authors: tuple[str, ...]
    """Everybody whose work it is made of."""
    added: tuple[str, ...] = ()
    """Gates that the plan added."""
    asked: int = 0
    """The index at which a builder was asked for it."""
    after: tuple[int, ...] = ()
    """The tasks that it builds on, directly."""
    approvals: list[Witnessed] = field(default_factory=list)
    """The verdicts that let it through, as they are found."""

    def __str__(self) -> str:
        of = f" of task {self.task}" if self.task is not None else ""
        return f"{self.reads}{of}, attempt {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUp:
    """Everything that a composition rests on."""

    composition: Witnessed
    attempts: tuple[Attempt, ...]


def line_up(story: Story, finish: Witnessed, tally: Tally) -> LineUp | None:
    """Return what the packet's end rests on, or None where no receipt tells; `tally` is told of every breach.

    The checks, in order: 1 the newest composition is what the packet ended with; 2 the plan in force was asked for, by
    the one coordinator, before; 3 it is made of exactly that plan's tasks; 4 each part is what the task's newest
    attempt handed in, built by whom and to the brief that the plan says.
    """
    fail, artifact = tally.fail, str(finish.said["artifact"])
    composition = next(iter(story.of("composition")[-1:]), None)
    # A second answer to one request is a contradiction that is kept, and never a plan.
    plan = next((p for p in reversed(story.of("plan")) if story.answers[p.said["request"]] is p), None)
    if composition is None or plan is None or composition.said["artifact"] != artifact:  # 1
        fail("composition", f"receipt {finish.seq} says that something composed of which no receipt tells how")
        return None
    asked = next((a for a in story.of("assignment") if a.said["request"] == plan.said["request"]), None)
    if plan.seq > composition.seq or asked is None or asked.seq > plan.seq or asked.said["work"] != "plan":  # 2
        fail("composition", f"receipt {plan.seq}: the plan in force was not asked for, or came after it composed")
        return None
    coordinators = tuple(name for name, role in story.roles.items() if role["kind"] == "coordinator")
    if (plan.said["author"],) != coordinators or asked.said["role"] != plan.said["author"]:
        fail("composition", f"receipt {plan.seq}: the plan is not by the squad's one coordinator", plan.seq)
    _check_model(story, plan, tally)
    tasks: dict[int, Fields] = {task["task"]: task for task in plan.said["tasks"]}
    parts: dict[int, str] = {part["task"]: part["artifact"] for part in composition.said["parts"]}
    if not parts or parts.keys() != tasks.keys() or len(parts) != len(composition.said["parts"]):  # 3
        fail("composition", f"receipt {composition.seq} is not made of exactly the tasks of the plan in force")
        return None
    attempts = [Attempt("plan", None, asked.said["attempt"], plan.said["content"], plan.seq, coordinators)]
    for number in sorted(tasks):
        part = _newest(story, number, tasks, parts[number], composition, tally)
        if part is None:
            return None
        attempts.append(part)
    builders = tuple(sorted({str(task["builder"]) for task in tasks.values()}))
    attempts.append(Attempt("composition", None, composition.said["attempt"], artifact, composition.seq, builders))
    return LineUp(composition=composition, attempts=tuple(attempts))


def _newest(
    story: Story, number: int, tasks: Mapping[int, Fields], part: str, composition: Witnessed, tally: Tally
) -> Attempt | None:
    """Return the newest attempt at a task, if it is what was composed of it."""
    task = tasks[number]
    asked = next(iter(story.builds.get(number, [])[-1:]), None)
    made = story.answers.get(asked.said["request"]) if asked else None
    if asked is None or made is None or made.kind != "artifact" or not asked.seq < made.seq < composition.seq:
        message = f"task {number}: no receipt hands in what was composed of it, as the newest attempt"
        tally.fail("composition", message, composition.seq)
        return None
    if not asked.said["role"] == made.said["author"] == task["builder"] or asked.said["subject"] != task["brief"]:
        message = f"task {number} was built by another, or to another brief, than the plan in force says"
        tally.fail("composition", message, made.seq)
    if made.said["artifact"] != part:
        tally.fail(
            "composition",
            f"task {number}: what composed ({part[:16]}) is not what its newest attempt handed in "
            f"({made.said['artifact'][:16]}, receipt {made.seq}); an edit voids every approval",
            made.seq,
        )
    _check_model(story, made, tally)
    authors = sorted({str(tasks[before]["builder"]) for before in _builds_on(number, tasks)})
    return Attempt(
        reads="artifact",
        task=number,
        number=asked.said["attempt"],
        subject=part,
        since=made.seq,
        authors=tuple(authors),
        added=tuple(task["gates"]),
        asked=asked.seq,
        after=tuple(task["after"]),
    )


def _check_model(story: Story, made: Witnessed, tally: Tally) -> None:
    """Whoever made it must have been one of the models that gates were held to be independent of."""
    author = made.said["author"]
    if author in story.roles and not may_have_answered(story.roles[author], made.said["model"]):
        message = f"receipt {made.seq} was made by {made.said['model']}, which is no model of {author}"
        tally.fail("independence", f"{message}: nobody reckoned how far the gates are from it", made.seq)


def _builds_on(number: int, tasks: Mapping[int, Fields]) -> set[int]:
    """Return a task and all that it builds on, directly or not; a circle ends too."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        task = waiting.pop()
        if task not in found and task in tasks:
            found.add(task)
            waiting.extend(tasks[task]["after"])
    return found
