"""Every gate of the library, held to the suite that a user's own gate can be held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squads.contracts.finding import Invariant
from squads.gates.builtin import HOMES, built_in
from squads.gates.checklist import Checklist
from squads.gates.panel import Panel
from squads.testing.conformance_roles import GateConformance


def example(name: str, which: str) -> dict[str, str]:
    """Return the files of a check's own example."""
    (gate,) = built_in(name)
    assert isinstance(gate.invariant, Invariant)
    return {Path("example" + gate.files[0].removeprefix("*")).name: getattr(gate.invariant, which)}


class OfOne(GateConformance):
    check: str

    @property
    def refused(self) -> Any:  # type: ignore[override]
        return example(self.check, "refused")

    @property
    def approved(self) -> Any:  # type: ignore[override]
        return example(self.check, "approved")

    def gate(self) -> Any:
        return built_in(self.check)[0]


@pytest.fixture(params=sorted(HOMES))
def held(request: pytest.FixtureRequest) -> Any:
    suite = OfOne()
    suite.check = request.param
    return suite


@pytest.mark.parametrize("rule", sorted(name for name in dir(GateConformance) if name.startswith("test_")))
async def test_every_check_of_the_library(held: Any, rule: str) -> None:
    """One rule of the suite for one check."""
    done = getattr(held, rule)()
    if done is not None:
        await done


class TestChecklist(OfOne):
    check = "sql.unique-null"

    def gate(self) -> Any:
        return Checklist(*built_in("sql.unique-null", "sql.balance-not-negative"), name="schema")


class TestPanel(OfOne):
    check = "sql.unique-null"

    def gate(self) -> Any:
        return Panel(*built_in("sql.unique-null", "text.conflict-marker"), name="two")
