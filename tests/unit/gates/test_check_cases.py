"""The examples below `benchmarks/check_cases/`: none tells its label, and no check refuses what is right by another.

    <check>/refused_*    breaks the check's invariant      cosmetic_*  a fix that changes nothing
            approved_*   a clean twin, or a look-alike

A file is one artifact, and so is a folder with everything in it. Each check's own test sees that it refuses the first
two and passes the third; here all checks read everything, for any gate of a panel may refuse.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.builtin import HOMES, built_in

CASES = Path(__file__).parents[3] / "benchmarks/check_cases"
NAMES = {".py": "module.py", ".sql": "schema.sql"}
KINDS = {"refused", "cosmetic", "approved"}


def files_of(path: Path) -> dict[str, str]:
    """Return an example's files under plain names, without what would tell its label."""
    if path.is_file():
        return {NAMES.get(path.suffix, "file" + path.suffix): stripped(path.name, path.read_text("utf-8"))}
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): stripped(p.name, p.read_text("utf-8")) for p in inside}


EXAMPLES = {
    f"{path.parent.name}/{path.name}": files_of(path)
    for path in sorted(CASES.glob("*/*"))
    if path.name.split("_")[0] in KINDS
}


@pytest.mark.parametrize("name", sorted(HOMES))
def test_it_refuses_no_right_example_of_any_check(name: str) -> None:
    """Every approved example of every folder, under plain names and without headlines."""
    (check,) = built_in(name)
    told = {
        example: [f.message for f in check(Artifact.of(files)) if f.severity >= Severity.MAJOR]
        for example, files in EXAMPLES.items()
        if "/approved_" in example
    }

    assert {} == {example: found for example, found in told.items() if found}


def test_every_folder_belongs_to_a_check_and_has_all_kinds() -> None:
    """A folder whose name is no check's would be read by nobody."""
    names = {name.replace(".", "_").replace("-", "_") for name in HOMES}
    for folder in CASES.iterdir():
        assert folder.name in names
        assert {
            example.split("/")[1].split("_")[0] for example in EXAMPLES if example.startswith(f"{folder.name}/")
        } >= KINDS


def test_no_example_tells_its_label() -> None:
    """Neither a path nor the top of a file says what kind of example it is."""
    for example, files in EXAMPLES.items():
        for path, text in files.items():
            assert not re.search(r"refused|approved|cosmetic|defect|clean", path), example
            head = text.lstrip()
            assert not head.startswith(('"""', "'''", "--", "/*")), example
            assert not (path.endswith(".py") and re.match(r"# (?!.*coding)", head)), example
