"""Every attack on the rows of a ledger, in every database, and exactly which checks catch it."""

from __future__ import annotations

from pathlib import Path

import pytest
from matrix import MATRIX, table
from scene import Scene, said


def test_the_ledger_that_is_attacked_is_sound(scene: Scene) -> None:
    """Before any attack every check passes, so that what fails later fails for the attack."""
    assert {"passed"} == {found.state for found in scene.audit().results}


@pytest.mark.parametrize("name", MATRIX)
async def test_an_attack_on_the_database_is_caught(scene: Scene, name: str) -> None:
    """Whoever may write the database and has no key: these checks fail, no more and no less."""
    case = MATRIX[name]
    scene.attack(case.attack)

    assert case.alone == " ".join(scene.caught_by())
    assert case.start == await scene.start()


@pytest.mark.parametrize("name", [name for name, case in MATRIX.items() if case.with_log_key is not None])
async def test_an_attack_with_the_logs_key_is_caught(scene: Scene, name: str) -> None:
    """Whoever signs new checkpoints, also outside: what every author signed still counts, and what anchors took."""
    case = MATRIX[name]
    anchored = scene.surgeon.notes()
    scene.attack(case.attack, log_key=True)

    assert case.with_log_key == " ".join(scene.caught_by())
    assert case.anchor == " ".join(sorted({"rollback", "fork"} & set(said(scene.against(anchored)))))


def test_the_threat_model_shows_the_matrix() -> None:
    """The documented table is this one, row by row."""
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "threat-model.md").read_text()

    assert table() in page
