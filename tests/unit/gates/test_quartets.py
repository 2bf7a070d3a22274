"""Small families of migrations, money and tenants: a defect is refused for its own reason, and its twins are not."""

import asyncio
from pathlib import Path

import pytest
import yaml

from squads.contracts.artifact import Artifact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.builtin import built_in

FAMILIES = yaml.safe_load(Path(__file__).with_name("quartets.yaml").read_text("utf-8"))
GATES = {g.name: g for g in built_in()}


def decision(family: dict, text: str) -> str:
    """Return what the family's own gate says of one variant."""
    suffix = "py" if family["language"] == "python" else "sql"
    artifact = Artifact.of({f"{'db/0002_change' if 'base' in family else 'app/store'}.{suffix}": text})
    brief = family.get("brief", "A migration of the library." if family["invariant"] == "migration.destroys" else "")
    work = ReviewWork(
        packet=Packet(brief=brief or "-"),
        reads=AttemptKind.ARTIFACT,
        attempt=artifact.attempt,
        brief=brief,
        artifact=artifact,
        inputs={"base": Artifact.of({"db/0001_base.sql": family["base"]})} if "base" in family else {},
    )
    return asyncio.run(GATES[family["invariant"]].answer(work)).kind


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f"{f['invariant']}-{f['name']}")
def test_a_defect_is_refused_and_its_twins_are_not(family):
    """What differs in one token differs in the verdict; what only looks otherwise does not."""
    found = {label: decision(family, text) == "refused" for label, text in family["variants"].items()}

    assert {label: label in ("defect", "cosmetic") for label in family["variants"]} == found
