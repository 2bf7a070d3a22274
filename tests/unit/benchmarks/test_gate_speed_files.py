"""The change that `benchmarks/gate_speed.py` measures: a thousand files, the same each time, none with a violation."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.gates.builtin import built_in
from squads.gates.check import CheckGate

BENCHMARKS = str(Path(__file__).resolve().parents[3] / "benchmarks")
sys.path.insert(0, BENCHMARKS)
files = import_module("speed_files").files
sys.path.remove(BENCHMARKS)


def test_the_change_is_a_thousand_files_and_the_same_each_time() -> None:
    """A figure of another change is no figure to compare with."""
    made = files()

    assert 1_000 == len(made)
    assert made == files()
    assert {".py", ".sql"} == {Path(path).suffix for path in made}
    for path, text in made.items():
        assert not path.endswith(".py") or ast.parse(text)


@pytest.mark.parametrize("gate", built_in(), ids=lambda g: g.name)
def test_no_check_finds_anything_so_that_everything_is_read(gate: CheckGate) -> None:
    """Every tenth file, so that each kind is there; the program itself accepts nothing but a composition."""
    sample = {path: text for number, (path, text) in enumerate(files().items()) if not number % 10}

    assert [] == gate(Artifact.of(sample))
