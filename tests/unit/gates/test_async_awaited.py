"""`async.awaited`: a coroutine that nobody awaits is refused; one that somebody may await passes."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.checks.async_awaited import INVARIANT, async_awaited

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/async_awaited"


def found(files: str | dict[str, str]) -> list[Finding]:
    return async_awaited(Artifact.of({"app/module.py": files} if isinstance(files, str) else files))


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


def test_a_finding_points_to_the_call() -> None:
    """Whoever mends it writes `await` there."""
    (finding,) = refusing(
        "async def save(x):\n    await x.save()\n\n\nasync def go(x):\n    x.ready = True\n    save(x)\n"
    )

    assert finding.location is not None
    assert ("app/module.py", 7) == (finding.location.path, finding.location.line)


def test_a_task_that_only_measures_may_be_dropped() -> None:
    """It is minor: what is lost is a number."""
    text = (
        "import asyncio\n\n\nasync def heartbeat(c):\n    await c.ping()\n\n\nasync def go(c):\n"
        "    asyncio.create_task(heartbeat(c))\n"
    )

    assert [Severity.MINOR] == [f.severity for f in found(text)]


def test_a_method_of_unknown_objects_is_told_by_its_name_alone() -> None:
    """Only where every method of that name is a coroutine, and the name is no everyday one."""
    makes = "class Store:\n    async def persist_order(self, o): ...\n    async def update(self, o): ...\n\n\n"

    assert refusing(makes + "async def go(store, o):\n    store.persist_order(o)\n")
    assert not refusing(makes + "async def go(box, o):\n    box.update(o)\n")


def test_a_special_method_cannot_be_a_coroutine() -> None:
    """Nobody awaits what `__exit__` returns."""
    assert refusing("class A:\n    async def __exit__(self, *a):\n        await self.close()\n")


def test_a_property_makes_its_coroutine_when_it_is_read() -> None:
    """There is no call to see."""
    text = "class A:\n    @property\n    async def name(self):\n        return 'x'\n\n\nasync def go(a: A):\n    return a.name.upper()\n"

    assert refusing(text)
    assert not refusing(text.replace("a.name.upper()", "(await a.name).upper()"))
