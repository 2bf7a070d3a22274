"""Every label that the library publishes is proved by its oracle."""

from __future__ import annotations

import pytest

from squads.adapters.postgres_scratch import PostgresScratch
from squads.bench.families import FAMILY, built_in_folder
from squads.bench.oracles import prove_family, proved

FAMILIES = sorted(page.parent.name for page in built_in_folder().glob(f"*/{FAMILY}"))


@pytest.mark.parametrize("family", FAMILIES)
async def test_every_label_of_a_family_is_proved(family: str, scratch: PostgresScratch) -> None:
    """Defects and cosmetic fixes break, clean twins and decoys hold, and their own tests pass on all of them."""
    found = await prove_family(built_in_folder() / family, scratch=scratch)

    assert {} == {case.variant: proof.said for case, proof in found if proved(case.label, proof) != "proved"}
