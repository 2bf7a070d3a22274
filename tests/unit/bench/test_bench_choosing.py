"""The words of a command line name gates: sets, checks, tools, cards and models."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from squads.bench.choosing import PRIOR, chosen, closing, gate_of_card
from squads.contracts.errors import InvalidInput
from squads.gates.builtin import HOMES
from squads.gates.gate import Gate
from squads.project import Project

CARD = """---
{front}
---
You look for quokkas, and let nothing through that has one.
"""


def card(folder: Path, name: str, front: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.md"
    path.write_text(CARD.format(front=front), "utf-8")
    return path


def test_nothing_named_is_the_keyless_panel() -> None:
    """Every check of the library, each an arm of its own name."""
    assert list(HOMES) == [arm.name for arm in chosen([])] == [arm.name for arm in chosen(["keyless", "checks"])]
    assert {"check"} == {arm.factors["kind"] for arm in chosen([])}


def test_checks_tools_and_models_are_named_one_by_one() -> None:
    """A model becomes a gate whose prior names the invariants by their ids."""
    arms = chosen(["sql.unique-null", "ruff"], ["openai-chat:gpt-5-mini"])

    assert ["sql.unique-null", "ruff", "openai-chat-gpt-5-mini"] == [arm.name for arm in arms]
    assert {"model": "openai-chat:gpt-5-mini"} == arms[2].factors
    assert all(f"`{name}`" in arms[2].gate.prior for name in HOMES if not name.startswith("text."))
    assert PRIOR[:20] == arms[2].gate.prior[:20]


def test_a_card_is_a_gate_with_its_own_prior(tmp_path: Path) -> None:
    """Alone it asks the model that is given; in a project it is what it is there."""
    alone = card(tmp_path / "loose", "strict", "model: inherit")
    home = (
        card(tmp_path / "home" / "gates", "kind", "model: openai-chat:gpt-5-mini")
        if (tmp_path / "home").mkdir() is None
        else alone
    )
    first = gate_of_card(alone, model="anthropic:claude-sonnet-5-5")
    second = chosen([str(home)])[0].gate

    assert ("strict", "anthropic:claude-sonnet-5-5") == (first.name, first.model)
    assert "quokkas" in first.prior
    assert ("kind", "openai-chat:gpt-5-mini") == (second.name, second.model)


def test_gates_of_a_project_are_named_by_their_cards(tmp_path: Path) -> None:
    """A project's own name goes before a check of the library."""
    card(tmp_path / "gates", "kind", "model: openai-chat:gpt-5-mini")
    project = Project.on_disk(tmp_path)

    assert "quokkas" in chosen(["kind"], project=project)[0].gate.prior


async def test_probes_share_a_scratch_server_that_is_closed_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each probe is a gate of its own, and nothing is left running."""

    class Scratch:
        closed = 0

        async def close(self) -> None:
            self.closed += 1

    class Probes(Gate):
        def __init__(self, probes: list[str], *, scratch: Scratch, name: str) -> None:
            super().__init__(name=name, prior=f"Probes {probes}.")
            self.scratch = scratch

    probes = SimpleNamespace(PROBES=("probe.balance", "probe.tenant"), Probes=Probes)
    monkeypatch.setitem(sys.modules, "squads.gates.probes", probes)
    monkeypatch.setitem(sys.modules, "squads.adapters.postgres_scratch", SimpleNamespace(PostgresScratch=Scratch))
    arms = chosen(["probes"])
    async with closing(arms):
        scratch = arms[0].gate.scratch

    assert ["probe.balance", "probe.tenant"] == [arm.name for arm in arms]
    assert 1 == scratch.closed


def test_a_name_that_nobody_has_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    """So is a card that is not there, a page that is none, and one model twice."""
    with pytest.raises(InvalidInput, match=r"no gate 'sql.unique-nul'; known: keyless, checks, probes, tools, ruff"):
        chosen(["sql.unique-nul"])
    with pytest.raises(InvalidInput, match="cannot be read"):
        chosen([str(tmp_path / "none.md")])
    (tmp_path / "page.md").write_text("# A page\n", "utf-8")
    with pytest.raises(InvalidInput, match="front matter"):
        chosen([str(tmp_path / "page.md")])
    with pytest.raises(InvalidInput, match="each model once"):
        chosen([], ["openai-chat:gpt-5-mini", "openai-chat:gpt-5-mini"])
