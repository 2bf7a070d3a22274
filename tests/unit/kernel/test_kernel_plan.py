"""The plan as a graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_scene import task

from squads.contracts.packet import Limits
from squads.contracts.records import TaskRecord
from squads.kernel.plan import ancestors, critical_path, find_cycle, problems, ready, voided_by

DIAMOND = (task(1), task(2, 1), task(3, 1), task(4, 2, 3))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[TaskRecord, ...]:
    """Acyclic plans, their tasks in any order."""
    made = []
    for number in range(1, draw(st.integers(1, 7)) + 1):
        after = draw(st.sets(st.sampled_from(range(1, number)))) if number > 1 else set()
        made.append(task(number, *sorted(after)))
    return tuple(draw(st.permutations(made)))


def wrong(*tasks: TaskRecord, known: tuple[int, ...] = (), fresh: int = 1, **limits: int) -> list[str]:
    return problems(tasks, limits=Limits(**limits), builders=["carpenter"], gates=["schema"], known=known, fresh=fresh)


@given(graphs())
def test_an_acyclic_plan_has_no_problem(tasks: tuple[TaskRecord, ...]) -> None:
    """Whatever the order in which the coordinator wrote it down."""
    assert wrong(*tasks) == []
    assert find_cycle(tasks) == []


@given(graphs())
def test_every_acyclic_plan_can_be_run(tasks: tuple[TaskRecord, ...]) -> None:
    """Starting whatever is ready, and approving it, comes to the end in as many rounds as the critical path has."""
    done: set[int] = set()
    rounds = 0
    while now := ready(tasks, started=done, approved=done):
        assert all(set(t.after) <= done for t in tasks if t.task in now)
        done |= set(now)
        rounds += 1

    assert {t.task for t in tasks} == done
    assert len(critical_path(tasks)) == rounds


@given(graphs(), st.data())
def test_voiding_takes_everything_that_builds_on_it(tasks: tuple[TaskRecord, ...], data: st.DataObject) -> None:
    """A task is void exactly when it changed or one of its ancestors did."""
    changed = data.draw(st.sets(st.sampled_from([t.task for t in tasks])))

    voided = voided_by(tasks, changed)

    assert {n for n, above in ancestors(tasks).items() if n in changed or above & changed} == voided


def test_a_circle_is_named() -> None:
    """The sentence shows the way round, first task repeated at its end."""
    problem = wrong(task(1, 3), task(2, 1), task(3, 2))

    assert len(problem) == 1
    assert "cyclic: " in problem[0]
    assert {"1", "2", "3"} <= set(problem[0].split(";")[0].replace("->", " ").split())


def test_a_task_after_itself_is_a_circle() -> None:
    """No task of such a plan could ever start."""
    assert wrong(task(1, 1)) == ["the plan is cyclic: 1 -> 1; no task of it could ever start"]


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        ((), "the plan has no task; give at least one"),
        ((task(1), task(1)), "two tasks have one number; name each task once"),
        ((task(9),), "task 9 has a number that was not given out"),
        ((task(1, builder="nobody"),), "task 1: nobody called 'nobody' builds here; known: carpenter"),
        ((task(1, gates=("odd",)),), "task 1: no gate called 'odd' reads artifacts here; known: schema"),
        ((task(1, 7),), "task 1 comes after task 7, which is not in the plan"),
        ((task(1), task(2, 1, 1)), "task 2 comes after one task twice; name it once"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tasks: tuple[TaskRecord, ...], sentence: str) -> None:
    """Plans arrive from models: each fault gets a sentence that a model can act on."""
    assert sentence in wrong(*tasks)


def test_all_that_is_wrong_is_said_at_once() -> None:
    """One round brings every problem."""
    assert len(wrong(task(1, builder="nobody"), task(2, 7), task(3, brief_chars=5_000))) == 3


def test_a_brief_at_the_bound_is_not_too_long() -> None:
    """4,000 characters are allowed, 4,001 are not."""
    assert wrong(task(1, brief_chars=4_000)) == []
    assert "has 4,001 characters and the limit is 4,000" in wrong(task(1, brief_chars=4_001))[0]


def test_as_many_tasks_as_the_bound_are_not_too_many() -> None:
    """Two of two are allowed, three are not."""
    assert wrong(task(1), task(2), tasks_max=2) == []
    assert "has 3 tasks and the limit is 2" in wrong(task(1), task(2), task(3), tasks_max=2)[0]


def test_kept_tasks_keep_their_numbers_and_new_ones_get_fresh_ones() -> None:
    """A number that was in use and dropped is never given out again."""
    assert wrong(task(2), task(5), known=(2, 3), fresh=5) == []
    assert "task 1 has a number that was not given out" in wrong(task(1), known=(2, 3), fresh=5)


def test_the_critical_path_keeps_lower_numbers_on_a_tie() -> None:
    """Both arms of the diamond are as long."""
    assert critical_path(DIAMOND) == [1, 2, 4]


def test_only_what_is_approved_makes_ready() -> None:
    """A started task does not start again, and one approved input of two is not enough."""
    assert ready(DIAMOND, started={1}, approved=set()) == []
    assert ready(DIAMOND, started={1}, approved={1}) == [2, 3]
    assert ready(DIAMOND, started={1, 2, 3}, approved={1, 2}) == []
