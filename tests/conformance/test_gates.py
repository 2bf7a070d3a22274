"""Every gate of the library, held to the suite that a user's own gate can be held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squads.contracts.finding import Invariant
from squads.gates.builtin import HOMES, built_in
from squads.gates.changes.gate import ChangeGate
from squads.gates.checklist import Checklist
from squads.gates.panel import Panel
from squads.testing.conformance_roles import GateConformance


def example(name: str, which: str) -> dict[str, str]:
    """Return the files of a check's own example."""
    (gate,) = built_in(name)
    assert isinstance(gate.invariant, Invariant)
    return {Path("example" + gate.files[0].removeprefix("*")).name: getattr(gate.invariant, which)}


def changed(name: str, which: str) -> tuple[str, str, str, str]:
    """Return the brief, the path, the old and the new text of an example that is a change."""
    (gate,) = built_in(name)
    assert isinstance(gate.invariant, Invariant)
    lines = getattr(gate.invariant, which).splitlines()
    brief = lines.pop(0).removeprefix("brief: ") if lines[0].startswith("brief: ") else "Make it faster."
    old = "".join(f"{line[1:]}\n" for line in lines[1:] if line[:1] != "+")
    return brief, lines[0], old, "".join(f"{line[1:]}\n" for line in lines[1:] if line[:1] != "-")


class OfOne(GateConformance):
    check: str

    @property
    def refused(self) -> Any:  # type: ignore[override]
        return self._files("refused")

    @property
    def approved(self) -> Any:  # type: ignore[override]
        return self._files("approved")

    def _files(self, which: str) -> dict[str, str]:
        if not isinstance(self.gate(), ChangeGate):
            return example(self.check, which)
        _, path, _, new = changed(self.check, which)
        return {path: new}

    @property
    def base(self) -> Any:  # type: ignore[override]
        if not isinstance(self.gate(), ChangeGate):
            return {}
        return {path: old for _, path, old, _ in (changed(self.check, w) for w in ("refused", "approved"))}

    @property
    def brief(self) -> str:  # type: ignore[override]
        return changed(self.check, "refused")[0] if isinstance(self.gate(), ChangeGate) else "Judge it."

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
