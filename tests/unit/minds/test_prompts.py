"""What others wrote stands in fences, always; what a role is told is the same whenever it is told again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work_scene import CANARY, accept_work, artifact, build_work, outside, plan_work, review_work

from squads.contracts.verdict import Refused
from squads.minds import prompts
from squads.minds.fence import RULE

PROMPTS: dict[str, Callable[[str], str]] = {
    "plan": lambda text: prompts.plan_prompt(plan_work(text)),
    "build": lambda text: prompts.build_prompt(build_work(text), tools=False),
    "build with tools": lambda text: prompts.build_prompt(build_work(text), tools=True),
    "review": lambda text: prompts.review_prompt(review_work(text), tools=False),
    "review with tools": lambda text: prompts.review_prompt(review_work(text), tools=True),
    "review of a plan": lambda text: prompts.review_prompt(review_work(text, reads="plan"), tools=False),
    "review of a composition": lambda text: prompts.review_prompt(review_work(text, reads="composition"), tools=False),
    "accept": lambda text: prompts.accept_prompt(accept_work(text)),
}
EACH = pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)


@EACH
def test_nothing_that_others_wrote_stands_outside_a_fence(prompt: Callable[[str], str]) -> None:
    """Content, paths, names of tasks, briefs, facts, findings, objections, waivers, predicates: every one of them."""
    said = prompt(CANARY)

    assert CANARY in said
    assert "canary" not in outside(said).lower()
    assert "<data" not in outside(said)


@EACH
@given(
    words=st.lists(
        st.sampled_from(
            ["CANARY", "</data ", "<data ", "0123456789abcdef", ' from "x">', "\n", '"', "\\", "\u2028", "```", "| "]
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_text_leads_out_of_its_fence(prompt: Callable[[str], str], words: list[str]) -> None:
    """Whatever it is made of, the ends and beginnings of other fences included."""
    text = f"x{''.join(words)}CANARY".replace("\x00", "")

    said = prompt(text)

    assert "CANARY" not in outside(said)


@EACH
def test_what_a_fence_ends_with_cannot_be_known_by_who_writes_it(prompt: Callable[[str], str]) -> None:
    """Whoever saw the fences of the round before can quote them, and gets another fence for it."""
    seen = prompt("harmless")
    ends = [line for line in seen.splitlines() if line.startswith("</data")]

    said = prompt(f"x CANARY {ends[0]} CANARY")

    assert "CANARY" not in outside(said)


def test_instructions_are_ours_and_the_cards_and_the_charters() -> None:
    """The rule about fences stands in them, the work does not."""
    said = prompts.instructions("gate", "schema", "Thinks in invariants.", "We build tables.")

    assert all(word in said for word in (RULE, "'schema'", "Thinks in invariants.", "We build tables."))


def test_a_gate_is_told_of_no_author_and_no_other_gate() -> None:
    """Not who made it, not which attempt it is, nothing of what others found: fresh eyes."""
    work = review_work()
    said = prompts.review_prompt(work, tools=False)

    assert "author-canary" not in said
    assert "schema" not in said
    assert said == prompts.review_prompt(replace(work, attempt=9), tools=False)


def test_a_builder_is_not_told_which_gate_found_what() -> None:
    """It mends the cause; it does not argue with a name."""
    work = build_work(verdicts=(Refused(findings=(build_work().verdicts[0].findings[0],)),))

    assert "findings of a gate on that attempt" in prompts.build_prompt(work, tools=False)


@EACH
def test_the_same_work_is_told_in_the_same_words(prompt: Callable[[str], str]) -> None:
    """A request is recognised by what is said, when it is resumed or replayed."""
    assert prompt(CANARY) == prompt(CANARY)


def test_what_is_drawn_anew_is_not_told() -> None:
    """Salts, attempts, origins and digests differ between two runs that make the same."""
    work = build_work()
    assert work.previous is not None
    other = replace(
        work,
        salt="1" * 64,
        author="somebody",
        previous=work.previous.but(salt="2" * 64, attempt=4, author="x"),
        inputs={name: one.but(salt="3" * 64, made_from=("c" * 64,)) for name, one in work.inputs.items()},
    )

    assert prompts.build_prompt(work, tools=False) == prompts.build_prompt(other, tools=False)


def test_mappings_are_told_in_the_order_of_the_plan() -> None:
    """Which is the order in which they are handed over."""
    said = prompts.build_prompt(build_work(inputs={}), tools=False)
    first, second = build_work().inputs.values(), build_work(text="other").inputs.values()
    both = build_work(inputs={"b": next(iter(first)), "a": next(iter(second))})

    shown = prompts.build_prompt(both, tools=False)
    assert shown.index("the task 'b'") < shown.index("the task 'a'")
    assert "Approved artifacts" not in said


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from test_prompts import PROMPTS
from squads.contracts.base import digest_of
print([digest_of(prompt("x").encode()) for prompt in PROMPTS.values()])
"""


def test_every_process_says_the_same() -> None:
    """Hashes of strings are drawn anew in each process, and no order hangs on them."""
    here = os.path.dirname(__file__)
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, here],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(said)


def test_lines_are_numbered_as_findings_name_them() -> None:
    """The first line is 1, and a last line feed begins no line."""
    work = review_work(artifact=artifact("one\ntwo\n"))

    said = prompts.review_prompt(work, tools=False)

    assert "1| one\n2| two\n</data" in said


def test_what_is_no_text_is_said_to_be_none() -> None:
    """Bytes and links are named, and their content is not shown as if it were read."""
    said = prompts.review_prompt(review_work(), tools=False)

    assert "(2 bytes that are not text)" in said
    assert "(a link to 'bytes.bin')" in said
