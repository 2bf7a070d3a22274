"""The plan as a graph: what is wrong with it, what is ready, what takes longest, what a refusal voids.

Graphs are networkx's, imported when a plan really has edges. Plans arrive from models: nothing here trusts one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from squads.contracts.packet import Limits
from squads.contracts.records import TaskRecord

if TYPE_CHECKING:
    from networkx import DiGraph

Tasks = tuple[TaskRecord, ...]


@lru_cache(maxsize=256)
def graph(tasks: Tasks) -> DiGraph[int]:
    """Return the dependency graph: an edge from each task to those that come after it."""
    import networkx as nx

    made: DiGraph[int] = nx.DiGraph()
    made.add_nodes_from(t.task for t in tasks)
    made.add_edges_from((before, t.task) for t in tasks for before in t.after)
    return made


def problems(
    tasks: Tasks,
    *,
    limits: Limits,
    builders: Collection[str],
    gates: Collection[str],
    known: Collection[int],
    fresh: int,
) -> list[str]:
    """Return what is wrong with a plan, one sentence each; an empty list means that it can be run.

    Args:
        tasks: As the coordinator numbered them.
        limits: The packet's bounds.
        builders: Names of builders in the squad.
        gates: Names of gates in the squad that read artifacts, which a plan may add.
        known: Numbers of the previous plan's tasks, which may be kept.
        fresh: The first number a new task may get.
    """
    wrong: list[str] = []
    numbers = [t.task for t in tasks]
    if not tasks:
        return ["the plan has no task; give at least one"]
    if len(tasks) > limits.tasks_max:
        wrong.append(f"the plan has {len(tasks)} tasks and the limit is {limits.tasks_max}; join or drop some")
    if len(set(numbers)) != len(numbers):
        wrong.append("two tasks have one number; name each task once")
    allowed = {*known, *range(fresh, fresh + len(tasks))}
    wrong += [f"task {n} has a number that was not given out" for n in numbers if n not in allowed]
    for task in tasks:
        if task.brief_chars > limits.brief_chars_max:
            wrong.append(
                f"task {task.task}: the brief has {task.brief_chars:,} characters and the limit is "
                f"{limits.brief_chars_max:,}; cut it, or split the task"
            )
        if task.builder not in builders:
            wrong.append(
                f"task {task.task}: nobody called {task.builder!r} builds here; known: {', '.join(sorted(builders))}"
            )
        wrong += [
            f"task {task.task}: no gate called {g!r} reads artifacts here; known: {', '.join(sorted(gates))}"
            for g in task.gates
            if g not in gates
        ]
        wrong += [
            f"task {task.task} comes after task {a}, which is not in the plan" for a in task.after if a not in numbers
        ]
        if len(set(task.after)) != len(task.after):
            wrong.append(f"task {task.task} comes after one task twice; name it once")
    if not wrong and (cycle := find_cycle(tasks)):
        steps = " -> ".join(str(n) for n in cycle)
        wrong.append(f"the plan is cyclic: {steps}; no task of it could ever start")
    return wrong


def find_cycle(tasks: Tasks) -> list[int]:
    """Return one cycle as task numbers, first one repeated at the end; an empty list when the plan is acyclic."""
    if not any(t.after for t in tasks):
        return []
    import networkx as nx

    try:
        edges = nx.find_cycle(graph(tasks))
    except nx.NetworkXNoCycle:
        return []
    return [edges[0][0], *(edge[1] for edge in edges)]


def ready(tasks: Iterable[TaskRecord], *, started: Collection[int], approved: Collection[int]) -> list[int]:
    """Return the tasks that may start now: not started, and everything they come after is approved; in order."""
    return sorted(t.task for t in tasks if t.task not in started and all(a in approved for a in t.after))


def ancestors(tasks: Tasks) -> Mapping[int, frozenset[int]]:
    """Return, for every task, all tasks that it builds on, directly or not."""
    if not any(t.after for t in tasks):
        return {t.task: frozenset() for t in tasks}
    return _ancestors(tasks)


@lru_cache(maxsize=256)
def _ancestors(tasks: Tasks) -> Mapping[int, frozenset[int]]:
    import networkx as nx

    return {t.task: frozenset(nx.ancestors(graph(tasks), t.task)) for t in tasks}


def voided_by(tasks: Tasks, changed: Collection[int]) -> frozenset[int]:
    """Return `changed` and everything that builds on it: what a refusal or an edit of these tasks voids."""
    above = ancestors(tasks)
    return frozenset(t.task for t in tasks if t.task in changed or above[t.task] & set(changed))


def critical_path(tasks: Tasks) -> list[int]:
    """Return the longest chain of tasks: how many rounds the plan needs at the least. Ties keep the lower numbers."""
    above = ancestors(tasks)
    records = {t.task: t for t in tasks}
    best: dict[int, list[int]] = {}
    for number in sorted(records, key=lambda n: (len(above[n]), n)):
        chains = [best[a] for a in sorted(records[number].after)]
        best[number] = [*max(chains, key=len, default=[]), number]
    return max((best[n] for n in sorted(best)), key=len, default=[])
