"""The judge of the bus's histories finds what is planted in them, and nothing in a good one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bus_history import Event, History, judge, read


def told(*lines: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> list[Event]:
    """A history of (what, id, more), one after the other."""
    return [Event(float(at), "x", what, about, 1, *more) for at, (what, about, *more) in enumerate(lines)]


def trip(about: str, mark: str = "m") -> list[tuple[Any, ...]]:
    """One request that goes as it should."""
    return [
        ("send", about),
        ("accepted", about),
        ("start", about, {"attempt": 1}),
        ("effect", about),
        ("committing", about, {"mark": mark}),
        ("committed", about),
        ("received", about, {"mark": mark}),
        ("taken", about),
        ("acked", about),
    ]


def test_a_good_history_is_sound() -> None:
    """Two requests, each sent, worked on, committed and received once."""
    found = judge(told(*trip("a"), *trip("b")))

    assert found.sound
    assert ("0 lost, 0 doubled, 0 forged", {}, {}) == (str(found), found.repeated, found.dead)
    assert 2 == found.counts["received"]


def test_accepted_and_never_answered_is_lost() -> None:
    """Whoever was told that it is accepted may rely on it."""
    assert ("a",) == judge(told(("send", "a"), ("accepted", "a"), ("start", "a"), ("effect", "a"))).lost


def test_known_to_the_bus_counts_as_accepted() -> None:
    """A duplicate that was refused as one was accepted before."""
    assert ("a",) == judge(told(("send", "a"), ("unknown", "a"), ("send", "a"), ("known", "a"))).lost


def test_buried_with_a_reason_is_not_lost() -> None:
    """Without one it is: nobody could say what became of it."""
    sent = [("send", "a"), ("accepted", "a")]

    assert judge(told(*sent, ("dead", "a", {"reason": "3 crashes"}))).sound
    assert ("a",) == judge(told(*sent, ("dead", "a", {"reason": ""}))).lost


def test_an_unknown_outcome_may_be_either() -> None:
    """Nobody was promised anything; it is counted, not judged."""
    found = judge(told(("send", "a"), ("unknown", "a"), ("send", "b"), ("unknown", "b"), *trip("b")[2:]))

    assert found.sound
    assert ("a",) == found.unfinished


def test_two_contents_for_one_request_are_doubled() -> None:
    """The same answer twice is a second delivery, and harmless; two answers are two effects."""
    again = ("received", "a", {"mark": "m"})
    other = [("committing", "a", {"mark": "n"}), ("received", "a", {"mark": "n"})]

    assert judge(told(*trip("a"), again)).sound
    assert ("a",) == judge(told(*trip("a"), *other)).doubled


def test_after_a_loss_the_ledger_takes_one_of_two_contents() -> None:
    """The second one comes too late; were it taken as well, that would be a second effect."""
    other = [("committing", "a", {"mark": "n"}), ("received", "a", {"mark": "n"})]

    assert judge(told(*trip("a"), ("lost", ""), *other, ("late", "a"))).sound
    assert ("a",) == judge(told(*trip("a"), ("lost", ""), *other, ("taken", "a"))).doubled


def test_two_commits_are_doubled_unless_the_server_lost_its_data_in_between() -> None:
    """Then it cannot know of the first one; the runner does."""
    again = [("start", "a", {"attempt": 2}), ("committing", "a", {"mark": "n"}), ("committed", "a")]

    assert ("a",) == judge(told(*trip("a"), *again)).doubled
    assert judge(told(*trip("a"), ("lost", ""), *again)).sound
    assert judge(told(*trip("a"), *again), replayed=["a"]).sound
    assert {"a": 2} == judge(told(*trip("a"), *again)).repeated


def test_a_refused_commit_is_no_effect() -> None:
    """The fence held: somebody else had it."""
    late = [("start", "a", {"attempt": 1}), ("committing", "a", {"mark": "n"}), ("fenced", "a")]

    assert judge(told(*trip("a"), *late)).sound


def test_answered_and_buried_is_doubled() -> None:
    """A message has one end."""
    assert ("a",) == judge(told(*trip("a"), ("dead", "a", {"reason": "3 crashes"}))).doubled


def test_work_that_nobody_sent_is_forged() -> None:
    """Whatever became of it."""
    assert ("a",) == judge(told(("start", "a", {"attempt": 1}))).forged


@pytest.mark.parametrize("before", [[], trip("a")[:4]], ids=["out of nowhere", "by somebody else"])
def test_an_answer_that_nobody_committed_is_forged(before: list[Any]) -> None:
    """Its content was written by no worker."""
    assert ("a",) == judge(told(*before, ("received", "a", {"mark": "evil"}))).forged


def test_a_history_is_read_back_in_order(tmp_path: Path) -> None:
    """Of all processes together, without the line that a kill cut short."""
    one, two = History(tmp_path, "one"), History(tmp_path, "two")
    one.say("send", "a")
    two.say("start", "a", attempt=1)
    one.say("accepted", "a")
    with next(tmp_path.glob("two.*")).open("ab") as file:
        file.write(b'{"at": 1, "wha')

    found = read(tmp_path)

    assert [("one", "send"), ("two", "start"), ("one", "accepted")] == [(event.by, event.what) for event in found]
    assert {"attempt": 1} == found[1].more
