"""Any gate of a panel may refuse, so each check must be silent on what is right in every other one's cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.builtin import built_in

CASES = Path(__file__).parents[3] / "benchmarks/check_cases"
NAMES = {".py": "module.py", ".sql": "schema.sql"}


def files_of(path: Path) -> dict[str, str]:
    """Return a case's files under plain names."""
    if path.is_file():
        return {NAMES.get(path.suffix, "file" + path.suffix): stripped(path.name, path.read_text("utf-8"))}
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): stripped(p.name, p.read_text("utf-8")) for p in inside}


@pytest.mark.parametrize("name", ["async.awaited", "code.exact-money", "failure.swallowed", "secret.exposed"])
def test_it_refuses_no_right_case_of_another_check(name: str) -> None:
    """Every approved case of every folder."""
    (check,) = built_in(name)
    told = {
        f"{path.parent.name}/{path.name}": [
            f.message for f in check(Artifact.of(files_of(path))) if f.severity >= Severity.MAJOR
        ]
        for path in sorted(CASES.glob("*/approved_*"))
    }

    assert {} == {case: found for case, found in told.items() if found}
