"""`tests.weakened` on edges: demands may go along with the code, may be taken apart, and may not move away."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

import time

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checks.scope_brief import scope_brief
from squads.gates.checks.tests_weakened import tests_weakened as check

CODE = 'FREE_FROM = 50\n\n\ndef shipping(total):\n    return 0 if total >= FREE_FROM else 5\n\n\ndef label(item):\n    return {"name": item, "tax": 7}\n'
TESTS = 'import pytest\n\nfrom price import label, shipping\n\n\n@pytest.mark.parametrize("total,cost", [(0, 5), (49, 5), (50, 0), (80, 0)])\ndef test_shipping(total, cost):\n    assert shipping(total) == cost\n\n\ndef test_label():\n    assert label("Tea") == {"name": "Tea", "tax": 7}\n'
SIXTY = ("FREE_FROM = 50", "FREE_FROM = 60")
free = "Shipping is free from 60 euros now instead of 50. Please adjust the tests."
tidy = "Tidy the tests; what they hold stays the same."
WHOLE = 'assert label("Tea") == {"name": "Tea", "tax": 7}'
PARTS = 'made = label("Tea")\n    assert made["name"] == "Tea"\n    assert made["tax"] == 7'


@pytest.mark.parametrize(
    ("brief", "code", "old", "new", "refused"),
    [
        pytest.param(free, SIXTY, "(49, 5), (50, 0)", "(59, 5), (60, 0)", False, id="the edge goes along"),
        pytest.param(free, SIXTY, "(50, 0)", "(50, 5), (60, 0)", False, id="another answer"),
        pytest.param(free, SIXTY, "(49, 5), (50, 0), ", "", True, id="the edge is gone"),
        pytest.param(tidy, None, "(0, 5), (49, 5), (50, 0), (80, 0)", "(0, 5), (20, 5), (40, 5), (60, 0), (80, 0)", True, id="away from the edge"),
        pytest.param(tidy, None, WHOLE, f"{PARTS}\n    assert len(made) == 2", False, id="taken apart"),
        pytest.param(tidy, None, WHOLE, PARTS.replace(" == 7", " > 0"), True, id="taken apart, and softer"),
    ],
)  # fmt: skip
def test_demands_at_an_edge_go_along_and_do_not_move_away(
    brief: str, code: tuple[str, str] | None, old: str, new: str, refused: bool
) -> None:
    """What the code's new number or another way of writing explains passes; demands that left the edge are refused."""
    assert old in TESTS
    base = Artifact.of({"price.py": CODE, "test_price.py": TESTS})
    now = {"test_price.py": TESTS.replace(old, new)}
    if code is not None:
        now["price.py"] = CODE.replace(*code)
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=Artifact.of(now, base=base.digest),
        inputs={"base": base},
    )

    found = [f for f in check(work) if f.severity >= Severity.MAJOR]

    assert refused == bool(found)


def changed(old: str, new: str) -> ReviewWork:
    """Return a change of the code and of a test to `new`, where both had `old`."""
    code, test = "def price(cost):\n    return {}\n", "def test_price():\n    assert {} == price(3)\n"
    base = Artifact.of({"price.py": code.format(old), "test_price.py": test.format(old)})
    now = Artifact.of({"price.py": code.format(new), "test_price.py": test.format(new)}, base=base.digest)
    return ReviewWork(
        packet=Packet(brief=tidy),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=tidy,
        artifact=now,
        inputs={"base": base},
    )


@pytest.mark.parametrize(
    "new",
    [
        "f'{5:>1999999999}'",
        "f'{5.5:.1999999999f}'",
        f"1{'0' * 400} + 1.5",
        f"1{'0' * 400}",
        "[1, 2][0 - 10]",
        "round(cost, -400)",
        "[n for n in range(1, 2, 3, 4)]",
        "[n for n in range(1e999)]",
        " * ".join([f"1{'0' * 4000}"] * 40),
    ],
)
def test_what_would_grow_or_fail_when_it_is_reckoned_is_left_as_it_is_written(new: str) -> None:
    """Both checks come to their end, soon and in little memory."""
    begin = time.process_time()
    work = changed("5", new)

    assert isinstance(check(work), list)
    assert isinstance(scope_brief(work), list)
    assert time.process_time() - begin < 3


def test_a_number_that_cannot_be_written_out_is_not_looked_at() -> None:
    """Python reads it in hexadecimals only; a check that cannot say what it read abstains."""
    for gate in (check, scope_brief):
        with pytest.raises(CannotLook, match="too long to be read"):
            gate(changed("5", f"0x1{'0' * 5000}"))
