"""Planting: the same seed gives the same bytes, and what no oracle calls broken is dropped."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from squads.adapters.postgres_scratch import PostgresScratch
from squads.bench.case import Case, Label
from squads.bench.families import cases, cases_of, set_digest
from squads.bench.oracles import Proof, prove_cases
from squads.bench.planting import Tried, operators, plant, tried, write_families
from squads.contracts.errors import InvalidInput

SQL = "CREATE TABLE t (\n    a int NOT NULL,\n    b int,\n    UNIQUE NULLS NOT DISTINCT (a, b)\n);\n"
ASKED: dict[str, Any] = {
    "kind": "sql",
    "attack": [
        {"as": "owner", "do": "INSERT INTO t VALUES (1, NULL)"},
        {"as": "owner", "do": "INSERT INTO t VALUES (1, NULL)", "expect": "any"},
    ],
    "broken_if": "SELECT count(*) > 1 FROM t",
}
PYTHON = "async def save(store):\n    await store.begin()\n    await store.write()\n    await store.end()\n"
ATTACK = """\
import asyncio, sys, warnings
sys.path.insert(0, 'artifact')
warnings.simplefilter("ignore")
from work import save
class Store:
    kept = ""
    async def begin(self): self.kept += "b"
    async def write(self): self.kept += "w"
    async def end(self): pass
store = Store()
asyncio.run(save(store))
sys.exit(0 if "w" in store.kept else 10)
"""
TESTS = """\
import asyncio
from unittest.mock import AsyncMock
from work import save
def test_it_begins():
    store = AsyncMock()
    asyncio.run(save(store))
    assert store.begin.await_count == 1
"""

Family = Callable[..., Path]


@pytest.fixture
def family(tmp_path: Path) -> Family:
    """Return what writes a family whose defect is no text that an operator makes."""

    def write(name: str, invariant: str, file: str, text: str, oracle: dict[str, Any], **more: str) -> Path:
        page = {
            "invariant": invariant,
            "title": "t",
            "why": "w",
            "language": "sql" if file.endswith("sql") else "python",
            "kind": "module",
            "split": "test",
            "brief": "b",
            "oracle": oracle,
            "variants": {"clean": {"note": "n"}, "defect": {"places": [{"path": file}]}},
        }
        texts = {f"clean/{file}": text, f"defect/{file}": f"{text}\n", "family.yaml": yaml.safe_dump(page)}
        for path, content in {
            **texts,
            **{k.replace("__", "/").replace("_py", ".py"): v for k, v in more.items()},
        }.items():
            (tmp_path / "set" / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / name / path).write_text(content, "utf-8")
        return tmp_path / "set" / name

    return write


@pytest.fixture
def unique(family: Family) -> Path:
    """A family with one clean table."""
    return family("unique", "sql.unique-null", "s.sql", SQL, ASKED)


def saying(answers: dict[str, str]) -> Any:
    """Return an oracle that answers by what a text holds; of all else it says `holds`."""

    async def prove(folder: Path, given: Sequence[Case]) -> list[Proof]:
        texts = ["".join(case.files.values()) for case in given]
        return [Proof(answer=next((a for k, a in answers.items() if k in t), "holds"), said="so") for t in texts]

    return prove


def test_the_same_seed_plants_the_same_bytes(unique: Path) -> None:
    """And another seed chooses other places, once there are several."""
    given = cases_of(unique)

    assert plant(given, operators(), 3) == plant(given, operators(), 3)
    assert 2 == len(plant(given, operators(), 3))
    (one,) = plant(given, operators(["sql.nulls-distinct"]), 3)
    assert "sql.nulls-distinct@3 of unique/clean" == one.case.source
    assert ("planted", Label.DEFECT, "test", (1, 5)) == (
        one.case.origin,
        one.case.label,
        one.case.split,
        (one.case.places[0].line, one.case.places[0].end_line),
    )
    assert one.case.digest != given[0].digest


def test_seeds_choose_places(family: Family) -> None:
    """Of many places one is taken for each operator, or as many as are asked for."""
    given = cases_of(family("work", "async.awaited", "work.py", PYTHON, {"kind": "python"}, attack_py=ATTACK))
    chosen = {plant(given, operators(), seed)[0].case.digest for seed in range(12)}

    assert 3 == len(chosen)
    assert 3 == len(plant(given, operators(), 0, each=9))


def test_only_right_code_is_planted_into_and_only_its_own_invariant(unique: Path) -> None:
    """Nobody else's oracle could say whether anything broke."""
    made = plant(cases_of(unique), operators(), 0, each=9)

    assert {"unique/clean"} == {p.of for p in made}
    assert {"sql.unique-null"} == {p.invariant for p in made}


def test_what_is_there_already_is_not_planted(unique: Path) -> None:
    """A candidate that looks like a written defect would count it twice."""
    (unique / "defect" / "s.sql").write_text(SQL.replace(" NULLS NOT DISTINCT", ""), "utf-8")

    assert [] == plant(cases_of(unique), operators(["sql.nulls-distinct"]), 0)


async def test_a_candidate_is_kept_only_if_the_oracle_flips(unique: Path) -> None:
    """Equivalent ones are dropped, and so is what the oracle knows nothing of."""
    given = cases_of(unique)
    made = plant(given, operators(), 0, each=9)

    async def fates(answers: dict[str, str]) -> list[str]:
        return [t.fate for t in await tried(unique, given, made, prove=saying(answers))]

    assert ["kept", "equivalent"] == await fates({"UNIQUE (a, b)": "broken"})
    assert ["failed", "equivalent"] == await fates({"UNIQUE (a, b)": "unknown"})
    assert ["failed", "failed"] == await fates({"TABLE": "broken"})
    assert [] == await tried(unique, given, [], prove=saying({}))


async def test_a_real_oracle_flips(unique: Path, scratch: PostgresScratch) -> None:
    """One of the two columns matters to the attack, and the constraint does."""
    given = cases_of(unique)
    done = await tried(unique, given, plant(given, operators(), 0, each=9), prove=partial(prove_cases, scratch=scratch))

    assert [("sql.nulls-distinct", "kept"), ("sql.nullable", "equivalent")] == [
        (t.planted.operator, t.fate) for t in done
    ]


async def test_its_own_tests_have_to_pass(family: Family) -> None:
    """What the code's own tests find is no case for a gate."""
    more = {"attack_py": ATTACK, "tests__test_work_py": TESTS}
    home = family("work", "async.awaited", "work.py", PYTHON, {"kind": "python"}, **more)
    given = cases_of(home)
    done = await tried(home, given, plant(given, operators(), 0, each=9), prove=prove_cases)
    by_line = {t.planted.case.places[0].line: t for t in done}

    assert {2: "failed", 3: "kept", 4: "equivalent"} == {line: t.fate for line, t in by_line.items()}
    assert "its own tests do not pass" in by_line[2].said


async def kept(unique: Path) -> list[Tried]:
    """Return candidates of which one is kept."""
    given = cases_of(unique)
    made = plant(given, operators(), 0, each=9)
    return await tried(unique, given, made, prove=saying({"UNIQUE (a, b)": "broken"}))


async def test_a_planted_family_is_read_back_as_it_was_made(unique: Path, tmp_path: Path) -> None:
    """With its twin, its oracle, and its origin; the report beside it has every candidate."""
    (unique / "base").mkdir()
    (unique / "base" / "old.sql").write_text("SELECT 1;\n", "utf-8")
    done = await kept(unique)
    digest = write_families(tmp_path / "out", {"unique": unique}, cases_of(unique), done)
    found = cases(tmp_path / "out")

    assert digest == set_digest(found)
    assert ["clean", "defect-sql-nulls-distinct-clean-1"] == [case.variant for case in found]
    assert done[0].planted.case == found[1]
    assert {"planted"} == {case.origin for case in found}
    assert ["kept", "equivalent"] == [
        row["fate"] for row in json.loads((tmp_path / "out" / "planting.json").read_text("utf-8"))["candidates"]
    ]


async def test_nothing_is_written_over(unique: Path, tmp_path: Path) -> None:
    """A folder that holds something is refused."""
    with pytest.raises(InvalidInput, match="holds something"):
        write_families(tmp_path, {"unique": unique}, cases_of(unique), await kept(unique))


async def test_a_file_that_would_be_empty_is_gone(family: Family) -> None:
    """An empty file would tell that something had stood in it."""
    home = family("index", "sql.unique-null", "t.sql", "CREATE TABLE t (a int);\n", ASKED)
    (home / "clean" / "u.sql").write_text("CREATE UNIQUE INDEX u ON t (a) WHERE b;\n", "utf-8")
    (one,) = plant(cases_of(home), operators(), 0)

    assert ["t.sql"] == sorted(one.case.files)


def test_a_missing_vendor_is_named(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install; SQL does without it."""
    monkeypatch.setitem(sys.modules, "libcst", None)
    given = cases_of(family("work", "async.awaited", "work.py", PYTHON, {"kind": "python"}))

    assert [] == plant(given, operators(["sql"]), 0)
    with pytest.raises(InvalidInput, match=r"pip install 'squads\[bench\]'"):
        plant(given, operators(["python"]), 0)
