"""The composition rule: the union of what was approved, and nothing where paths meet."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.contracts.artifact import Artifact, Manifest
from squads.kernel.compose import PathsMeet, compose

APART = {1: frozenset[int](), 2: frozenset[int](), 3: frozenset[int]()}
CHAIN = {1: frozenset[int](), 2: frozenset({1}), 3: frozenset({1, 2})}


def part(files: dict[str, str], n: int = 1, *, removals: tuple[str, ...] = (), base: str | None = None) -> Manifest:
    return Artifact.of(files, removals=removals, base=base, author=f"b{n}", salt=f"{n:064x}").manifest


def made(parts: dict[int, Manifest], ancestors: dict[int, frozenset[int]] | None = None) -> Manifest:
    result = compose(parts, ancestors or APART, attempt=1)
    assert isinstance(result, Manifest), str(result)
    return result


def meeting(parts: dict[int, Manifest], ancestors: dict[int, frozenset[int]] | None = None) -> PathsMeet:
    result = compose(parts, ancestors or APART, attempt=1)
    assert isinstance(result, PathsMeet)
    return result


@given(st.dictionaries(st.integers(1, 6), st.sets(st.sampled_from("abcdefgh"), min_size=1), min_size=1))
def test_disjoint_parts_give_their_union(wanted: dict[int, set[str]]) -> None:
    """Every file of every part, and nothing else."""
    parts = {n: part({f"{n}/{p}": f"{n}{p}" for p in paths}, n) for n, paths in wanted.items()}

    result = made(parts, dict.fromkeys(parts, frozenset()))

    assert [e for n in sorted(parts) for e in parts[n].files] == list(result.files)
    assert tuple(parts[n].digest for n in sorted(parts)) == result.made_from


def test_the_same_parts_give_the_same_digest() -> None:
    """A composition follows from its parts, so a replay finds the same bytes."""
    parts = {2: part({"b": "2"}, 2), 1: part({"a": "1"}, 1)}

    assert made(parts).digest == made(dict(reversed(parts.items()))).digest


def test_another_attempt_is_another_composition() -> None:
    """Verdicts on a composition never carry over to the next one of the same parts."""
    parts = {1: part({"a": "1"})}

    assert compose(parts, APART, attempt=1) != compose(parts, APART, attempt=2)


def test_paths_that_meet_do_not_compose() -> None:
    """Two tasks that do not build on each other speak of one path; the sentence says what to do."""
    result = meeting({1: part({"a": "1", "b": "1"}, 1), 2: part({"b": "2"}, 2)})

    assert (result.path, result.tasks) == ("b", (1, 2))
    assert "add a task after both" in str(result)


def test_even_equal_bytes_meet() -> None:
    """The rule is about who speaks, not about what is said."""
    assert meeting({1: part({"a": "same"}, 1), 2: part({"a": "same"}, 2)}).path == "a"


def test_who_builds_on_both_may_write_the_path_again() -> None:
    """The last word counts when its task comes after all the others."""
    parts = {1: part({"a": "1"}, 1), 2: part({"b": "2"}, 2), 3: part({"a": "3", "b": "3"}, 3)}

    result = made(parts, {1: frozenset(), 2: frozenset(), 3: frozenset({1, 2})})

    assert parts[3].files == result.files


def test_building_on_one_of_two_is_not_enough() -> None:
    """Where three meet, one has to come after both others."""
    parts = {n: part({"a": str(n)}, n) for n in (1, 2, 3)}

    assert meeting(parts, {1: frozenset(), 2: frozenset(), 3: frozenset({1})}).tasks == (1, 2, 3)


def test_ancestors_count_at_any_distance() -> None:
    """Task 3 builds on 1 through 2."""
    parts = {1: part({"a": "1"}, 1), 2: part({"b": "2"}, 2), 3: part({"a": "3"}, 3)}

    assert made(parts, CHAIN).files[0] == parts[3].files[0]


@pytest.mark.parametrize(("one", "two"), [("a", "a/b"), ("a/b/c", "a/b")])
def test_a_file_is_never_a_folder(one: str, two: str) -> None:
    """Such a union could not be written to a disk."""
    result = meeting({1: part({one: "1"}, 1), 2: part({two: "2"}, 2)})

    assert min(one, two, key=len) == result.path


def test_removals_are_kept() -> None:
    """A change that removes a file still removes it in the composition."""
    base = "d" * 64

    result = made({1: part({"a": "1"}, 1, base=base), 2: part({}, 2, removals=("old",), base=base)})

    assert (("old",), base) == (result.removals, result.base)


def test_a_later_task_may_write_what_an_earlier_one_removed() -> None:
    """Its word counts, and the path is no removal any more."""
    base = "d" * 64
    parts = {1: part({"x": "1"}, 1, removals=("a",), base=base), 2: part({"a": "2"}, 2, base=base)}

    result = made(parts, CHAIN)

    assert (result.removals, result.files[0].path) == ((), "a")


def test_removing_and_writing_apart_meets() -> None:
    """One removes what another writes, and neither builds on the other."""
    base = "d" * 64
    parts = {1: part({}, 1, removals=("a",), base=base), 2: part({"a": "2"}, 2, base=base)}

    assert meeting(parts).path == "a"


def test_two_bases_do_not_compose() -> None:
    """Changes of different trees are not one change."""
    parts = {1: part({"a": "1"}, 1, base="d" * 64), 2: part({"b": "2"}, 2, base="e" * 64)}

    assert meeting(parts).tasks == (1, 2)


def test_one_base_holds_for_all() -> None:
    """Parts that stand alone join the change of a base."""
    parts = {1: part({"a": "1"}, 1, base="d" * 64), 2: part({"b": "2"}, 2)}

    assert made(parts).base == "d" * 64


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["a", "b", "c/d", "e"]), st.text(max_size=3), min_size=1),
        min_size=1,
        max_size=5,
    )
)
def test_in_a_chain_the_last_word_on_every_path_counts(written: list[dict[str, str]]) -> None:
    """Where every task builds on all before it, the union is what the last writer of each path wrote."""
    parts = {n: part(files, n) for n, files in enumerate(written, 1)}
    ancestors = {n: frozenset(range(1, n)) for n in parts}

    result = made(parts, ancestors)

    last = {path: n for n in sorted(parts) for path in parts[n].paths}
    expected = {path: next(e for e in parts[n].files if e.path == path) for path, n in last.items()}
    assert expected == {e.path: e for e in result.files}
    assert all(a.path < b.path for a, b in pairwise(result.files))
