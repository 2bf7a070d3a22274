"""`secret.exposed`: a live secret is refused wherever it stands or is written; placeholders, names and digests pass."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.secret_exposed import INVARIANT, secret_exposed

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/secret_exposed"


def found(files: str | dict[str, str]) -> list[Finding]:
    return secret_exposed(Artifact.of({"app/module.py": files} if isinstance(files, str) else files))


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


LIVE = "t7Qm2vX9bLr4KcZ8wY"


@pytest.mark.parametrize(
    "text",
    [
        "PASSWORD = '{}'", "x = dict(api_key='{}')", "def f(token='{}'): ...", "import os\nK = os.getenv('API_KEY', '{}')",
        "s.secret_key = '{}'", "c = {{'client_secret': '{}'}}", "if token == '{}':\n    pass", "import jwt\njwt.encode(c, '{}')",
        "h = {{'Authorization': 'Bearer {}'}}", "_A = '{}'\nPASSWORD = _A", "os.environ.setdefault('SECRET_KEY', '{}')",
        "try:\n    KEY = os.environ['K']\nexcept KeyError:\n    SIGNING_KEY = '{}'", "parser.add_argument('--password', default='{}')",
    ],
)  # fmt: skip
def test_a_secret_may_stand_anywhere(text: str) -> None:
    """The same value, wherever a secret is kept; and a placeholder in the same place passes."""
    assert refusing(text.format(LIVE))
    assert not refusing(text.format("changeme"))
    assert not refusing(text.format("<your-secret>"))


def test_a_finding_points_to_the_literal() -> None:
    """And to where it is put together, where that is elsewhere."""
    lines = [
        f.location.line
        for f in refusing("_A = 'AKIA' + 'Q7ZJ4M2X'\n\n\ndef f():\n    return _A + 'T9WLK3PV'\n")
        if f.location
    ]

    assert {1, 5} <= set(lines)


def test_tests_may_hold_what_looks_like_a_secret() -> None:
    """They make it up."""
    assert not found({"tests/test_login.py": f"PASSWORD = '{LIVE}'\n"})
    assert not found({"docs/conf.py": f"PASSWORD = '{LIVE}'\n"})


@pytest.mark.parametrize(
    "shown", ["password[:3]", "len(password)", "'***'", "hash(password)", "bool(password)", "mask(password)"]
)
def test_a_log_may_say_something_about_a_secret(shown: str) -> None:
    """And not the secret."""
    text = "import logging\nlog = logging.getLogger()\n\n\ndef f(password):\n    log.info('it is %s', {})\n"

    assert not found(text.format(shown))
    assert refusing(text.format("password"))
    assert refusing(text.format("password[3:]"))


LONG = "import logging\nlog = logging.getLogger()\n\n\ndef f(password, x):\n" + "    x = x.next(x)\n" * 60


def test_what_stays_unread_in_a_function_is_named_and_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the steps end before a place that writes something beside a secret, the check abstains."""
    monkeypatch.setattr("squads.gates.secrets.logs._STEPS_MAX", 100)

    with pytest.raises(CannotLook, match=r"^app/module\.py:66: .*more than 100 steps"):
        found(LONG + "    log.info('%s', password)\n")


@pytest.mark.parametrize("ending", ["    log.info('done')\n", "    return x\n"])
def test_what_stays_unread_and_writes_nothing_passes(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is written after the steps end, nothing can leave there."""
    monkeypatch.setattr("squads.gates.secrets.logs._STEPS_MAX", 100)

    assert not found(LONG + ending)


def test_a_function_that_calls_too_deep_is_read_without_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own statements are gone through once more, so that what they write is seen."""
    monkeypatch.setattr("squads.gates.secrets.logs._STEPS_MAX", 100)
    deep = "def g(x):\n" + "    x = x.next(x)\n" * 60 + "    return x\n\n\n"
    text = "import logging\nlog = logging.getLogger()\n\n\n" + deep

    assert refusing(text + "def f(password, x):\n    g(x)\n    log.info('%s', password)\n")


def test_what_is_past_the_bound_of_a_module_is_read_where_a_secret_could_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions that are left are gone through without their calls."""
    monkeypatch.setattr("squads.gates.secrets.logs._MODULE_STEPS_MAX", 10)

    assert refusing(LONG + "\n\ndef g(password):\n    log.info('%s', password)\n")


def test_files_past_the_bound_of_steps_are_named_and_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an artifact takes more steps than are gone through, the check abstains, and names the first file left."""
    monkeypatch.setattr("squads.gates.secrets.logs._PROGRAM_STEPS_MAX", 3)
    text = b"def kept(settings):\n    value = settings.mode\n    return value\n"

    with pytest.raises(CannotLook, match=r"^b\.py:1: .*more than 3 steps"):
        secret_exposed(Artifact.of({"a.py": text, "b.py": text}))
