"""`failure.swallowed`: a failure that ends in a report of success is refused; one that is told passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.checks.failure_swallowed import INVARIANT, failure_swallowed

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/failure_swallowed"


def found(files: str | dict[str, str]) -> list[Finding]:
    return failure_swallowed(Artifact.of({"app/module.py": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


def case(path: Path) -> dict[str, str]:
    """Return a case's files: one file under a plain name, or a folder's."""
    if path.is_file():
        return {f"app/module{path.suffix}": stripped(path.name, path.read_text("utf-8"))}
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): stripped(p.name, p.read_text("utf-8")) for p in inside}


@pytest.mark.parametrize("path", sorted(CASES.iterdir()), ids=lambda p: p.name)
def test_every_case_is_judged_as_it_is_named(path: Path) -> None:
    """What is called refused or cosmetic is refused, and what is called approved is not."""
    assert bool(refusing(case(path))) is not path.name.startswith("approved")


def test_its_own_example_says_what_it_does() -> None:
    """The documents show these two."""
    assert refusing(INVARIANT.refused)
    assert not found(INVARIANT.approved)


def test_a_finding_points_to_the_handler() -> None:
    """That is where the failure ends."""
    (finding,) = refusing(INVARIANT.refused)

    assert finding.location is not None
    assert 4 == finding.location.line


TRY = "def go(a, log):\n    try:\n        a.send(1)\n    except Exception as error:\n        {}\n    {}\n"


@pytest.mark.parametrize(
    "ends", ["return True", "a.sent = True", "a.state = 'sent'", "return 'ok'", "return {'ok': True}", "a.mark_sent()"]
)
def test_success_has_many_words(ends: str) -> None:
    """Returned, stored or called: it is said."""
    assert refusing(TRY.format("log.error('no')", ends))


@pytest.mark.parametrize(
    "tells", ["raise", "return False", "raise ValueError('x') from error", "a.fail(error)", "a.error = str(error)"]
)
def test_a_failure_that_is_told_is_none_of_ours(tells: str) -> None:
    """However it is told."""
    assert not refusing(TRY.format(tells, "return True"))


@pytest.mark.parametrize("name", ["is_revoked", "is_blocked", "is_expired"])
def test_bad_news_that_could_not_be_had_is_no_good_news(name: str) -> None:
    """The same answer is right for one question and wrong for the other."""
    text = "def {}(c, x):\n    try:\n        return c.check(x)\n    except Exception:\n        return {}\n"

    assert refusing(text.format(name, "False"))
    assert not refusing(text.format(name, "True"))
    assert refusing(text.format("is_valid", "True"))
    assert not refusing(text.format("is_valid", "False"))


@pytest.mark.parametrize(
    "odd",
    [
        "for i in range(0, 3, 0): print(i)",
        "for i in range(10000000000000000000000000): print(i)",
        "for i in range(1, 2, 3, 4): print(i)",
        "if 3 in range(1, 2, 0): return None",
        f"large = 1{'0' * 400}\n    larger = large + 1.5",
        "if order.status == status.HTTP_\u1369\u1369\u1369: return None",
    ],
)
def test_what_python_itself_would_stop_for_stops_no_check(odd: str) -> None:
    """The function is played as far as it is understood, and its handler is judged as before."""
    text = (
        "import requests\n\n\ndef pay(order):\n"
        f"    {odd}\n"
        "    try:\n        requests.post('/pay', json=order)\n"
        "    except requests.HTTPError:\n        pass\n    return {'status': 'ok'}\n"
    )

    assert refusing(text)
