"""Renaming: names change everywhere alike, what carries the meaning stays, and nothing unproved is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from squads.bench.case import Case, Label
from squads.bench.families import cases, cases_of, set_digest
from squads.bench.oracles import Proof, prove_family
from squads.bench.renaming import Renaming, rename_families, renaming_of
from squads.bench.renaming_words import KEPT, NEVER, WORDS
from squads.contracts.errors import InvalidInput

CODE = '''\
import json


class CargoShip:
    """Carries."""

    def __init__(self, cargo_tokens):
        self.cargo_tokens = cargo_tokens

    def load_cargo(self, *, harness, separators=None):
        return json.dumps(self.cargo_tokens, indent=harness, separators=separators).strip()


def answer():
    return 42
'''
ATTACK = """\
import sys
sys.path.insert(0, 'artifact')
from shipyard.hull import CargoShip, answer
assert CargoShip([1]).load_cargo(harness=None) == '[1]'
sys.exit(0 if answer() == 42 else 10)
"""


@pytest.fixture
def ships(tmp_path: Path) -> Path:
    """A family of two modules, whose defect says 41."""
    page = {
        "invariant": "auth.token-signature",
        "title": "A CargoShip of cargos.",
        "why": "w",
        "language": "python",
        "kind": "module",
        "split": "test",
        "brief": "Harnesses of `load_cargo` and its tokens.",
        "oracle": {"kind": "python"},
        "variants": {"clean": {}, "defect": {"places": [{"path": "shipyard/hull.py", "line": 15}]}},
    }
    home = tmp_path / "ships"
    texts = {
        "family.yaml": yaml.safe_dump(page),
        "attack.py": ATTACK,
        "clean/shipyard/hull.py": CODE,
        "defect/shipyard/hull.py": CODE.replace("42", "41"),
        "tests/test_hull.py": "from shipyard.hull import CargoShip\n\ndef test_hull():\n    assert CargoShip\n",
    }
    for path, text in texts.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text, "utf-8")
    return home


async def as_labelled(folder: Path) -> list[tuple[Case, Proof]]:
    """Prove whatever the labels say."""
    return [(c, Proof(answer="broken" if c.label.broken else "holds", said="")) for c in cases_of(folder)]


async def test_labels_are_proved_anew(ships: Path, tmp_path: Path) -> None:
    """By the oracle, which was renamed too; places still point to the line."""
    digest, (one,) = await rename_families({"ships": ships}, tmp_path / "out", 1, prove=prove_family)
    found = cases(tmp_path / "out")

    assert "" == one.why_not
    assert digest == set_digest(found)
    assert [Label.CLEAN, Label.DEFECT] == [case.label for case in found]
    assert "41" in found[1].files[found[1].places[0].path].split("\n")[14]
    for word in ("cargo", "ship", "hull", "harness", "Cargo"):
        assert word not in str((found[0].files, found[0].brief)), word


async def test_what_is_not_proved_is_left_out(ships: Path, tmp_path: Path) -> None:
    """Nothing is believed of a renamed family; an empty set has a manifest too."""

    async def unknown(folder: Path) -> list[tuple[Case, Proof]]:
        return [(case, Proof(answer="unknown", said="no idea")) for case in cases_of(folder)]

    digest, (one,) = await rename_families({"ships": ships}, tmp_path / "out", 1, prove=unknown)

    assert "clean is unknown: no idea" == one.why_not
    assert {"set": digest, "cases": 0, "families": {}} == json.loads((tmp_path / "out/manifest.json").read_text())
    assert ["manifest.json", "renaming.json"] == sorted(p.name for p in (tmp_path / "out").iterdir())


async def test_the_manifest_tells_digests_and_nothing_else(ships: Path, tmp_path: Path) -> None:
    """It is published before anybody has seen a result; the words stand in the other page."""
    digest, _ = await rename_families({"ships": ships}, tmp_path / "out", 1, prove=as_labelled)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())

    assert {"set": digest, "cases": 2, "families": {"renamed_001": digest}} == manifest
    assert "ship" in json.loads((tmp_path / "out/renaming.json").read_text())["families"][0]["words"]


async def test_nothing_is_written_over(ships: Path, tmp_path: Path) -> None:
    """A folder that holds something is refused."""
    with pytest.raises(InvalidInput, match="holds something"):
        await rename_families({"ships": ships}, tmp_path, 1, prove=as_labelled)


def test_a_seed_gives_the_words(ships: Path) -> None:
    """The same seed the same ones."""
    given = cases_of(ships)

    assert renaming_of(given, 1) == renaming_of(given, 1)
    assert renaming_of(given, 1) != renaming_of(given, 2)


def test_what_comes_from_elsewhere_stays(ships: Path) -> None:
    """Imports, keywords of others' calls, methods of plain values, and words that say what a thing is for."""
    renaming = renaming_of(cases_of(ships), 1)
    code = renaming.code(CODE)

    assert {"CargoShip", "cargo_tokens", "load_cargo", "shipyard", "hull", "harness", "answer"} == {*renaming.names}
    assert "json.dumps(" in code
    assert ", separators=separators)" in code
    assert ".strip()" in code
    assert "_tokens" in code
    assert code.count("\n") == CODE.count("\n")


def test_case_and_number_of_a_word_stay() -> None:
    """So does everything in prose that is no name."""
    renaming = Renaming({"CargoShip": "MossFern", "orders": "ferns"}, {"cargo": "moss", "order": "fern"})

    assert "Moss of Ferns, MossFern: ORDERLY" == renaming.prose("Cargo of Orders, CargoShip: ORDERLY")
    assert "SELECT * FROM ferns -- orders.sql cargo" == renaming.code("SELECT * FROM Orders -- orders.sql cargo")
    assert {"a": ["ferns", 1]} == renaming.deep({"a": ["orders", 1]})


def test_sql_names_are_found() -> None:
    """Tables, columns, functions with their parameters, constraints, indexes."""
    sql = (
        "CREATE TABLE depot.parcel (width int, balance int, CONSTRAINT wide CHECK (width > 0), UNIQUE (width));\n"
        "CREATE UNIQUE INDEX IF NOT EXISTS parcel_width ON depot.parcel (width);\n"
        "CREATE FUNCTION heavy(grams int) RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
        "ALTER TABLE depot.parcel ADD COLUMN colour text;\n"
    )
    case = Case(
        family="f",
        variant="clean",
        label=Label.CLEAN,
        invariants=("sql.unique-null",),
        language="sql",
        kind="schema",
        split="dev",
        origin="written",
        licence="MIT",
        brief="b",
        files={"a.sql": sql},
    )

    assert {"parcel", "width", "wide", "parcel_width", "heavy", "grams", "colour"} == {*renaming_of([case], 1).names}


def test_the_words_are_told_apart() -> None:
    """A word that is put must not be one that stays."""
    assert not {*WORDS} & (KEPT | NEVER)
    assert len(WORDS) == len({*WORDS})
    assert all(word.isalpha() and word.islower() for word in WORDS)


async def test_a_careful_renaming_is_tried_where_the_free_one_fails(ships: Path, tmp_path: Path) -> None:
    """It leaves attributes alone, which may be anybody's."""

    async def demanding(folder: Path) -> list[tuple[Case, Proof]]:
        asked = [(c, "def load_cargo(" in str(c.files), c.label.broken) for c in cases_of(folder)]
        return [
            (c, Proof(answer=("broken" if broken else "holds") if kept else "unknown", said=""))
            for c, kept, broken in asked
        ]

    _, (one,) = await rename_families({"ships": ships}, tmp_path / "out", 1, prove=demanding)
    files = str(cases(tmp_path / "out")[0].files)

    assert "" == one.why_not
    assert "def answer(" not in files
    assert "cargo_tokens" in files


def test_the_settings_of_a_session_are_renamed() -> None:
    """Their names are made by the family, unlike the other keys of an oracle."""
    renaming = Renaming({"desk": "fern", "session": "moss"}, {})

    assert [{"set": {"fern.tenant": "fern"}, "session": "a"}] == renaming.deep(
        [{"set": {"desk.tenant": "desk"}, "session": "a"}]
    )
