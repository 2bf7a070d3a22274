"""Oracles: what they answer, and that a wrong label does not pass them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from squads.adapters.postgres_scratch import PostgresScratch
from squads.bench.case import Label
from squads.bench.families import built_in_folder, cases_of
from squads.bench.oracles import Proof, prove, prove_all, prove_family, proved
from squads.contracts.errors import InvalidCase
from squads.kernel.model_ports import Ran

DEFECT = "CREATE TABLE t (a int, b int, UNIQUE (a, b));\n"
CLEAN = "CREATE TABLE t (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));\n"
ASKED: dict[str, Any] = {
    "kind": "sql",
    "attack": [
        {"as": "owner", "do": "INSERT INTO t VALUES (1, NULL)"},
        {"as": "owner", "do": "INSERT INTO t VALUES (1, NULL)", "expect": "any"},
    ],
    "broken_if": "SELECT count(*) > 1 FROM t",
}
ATTACK = "import sys\nsys.path.insert(0, 'artifact')\nfrom m import answer\nsys.exit(0 if answer() == 42 else 10)\n"


def family(
    folder: Path,
    oracle: dict[str, Any],
    variants: dict[str, str],
    *,
    file: str = "s.sql",
    more: dict[str, str] | None = None,
) -> Path:
    """Write a family: variant to the text of its one file, and further files by path."""
    page = {
        "invariant": "sql.unique-null",
        "title": "t",
        "why": "w",
        "language": "sql",
        "kind": "schema",
        "split": "dev",
        "brief": "b",
        "oracle": oracle,
        "variants": {n: {"places": [{"path": file}]} if Label(n).broken else {} for n in variants},
    }
    texts = {f"{name}/{file}": text for name, text in variants.items()} | (more or {})
    for name, text in {"family.yaml": yaml.safe_dump(page), **texts}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


async def test_a_right_label_is_proved(tmp_path: Path, scratch: PostgresScratch) -> None:
    """The defect breaks, and its twin holds, under one attack."""
    home = family(tmp_path, ASKED, {"defect": DEFECT, "clean": CLEAN})
    found = await prove_family(home, scratch=scratch)

    assert {"defect": "broken", "clean": "holds"} == {case.variant: proof.answer for case, proof in found}
    assert {"proved"} == {proved(case.label, proof) for case, proof in found}


async def test_a_swapped_label_is_refuted(tmp_path: Path, scratch: PostgresScratch) -> None:
    """A defect that stands where the clean twin belongs is not let through as clean, nor the other way round."""
    home = family(tmp_path, ASKED, {"defect": CLEAN, "clean": DEFECT})
    found = await prove_family(home, scratch=scratch)

    assert ["refuted", "refuted"] == [proved(case.label, proof) for case, proof in found]


@pytest.mark.parametrize("label", list(Label))
def test_an_unknown_answer_proves_no_label(label: Label) -> None:
    """Could not find out is never a proof."""
    assert proved(label, Proof(answer="unknown", said="")) == "unproved"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": "INSERT INTO nothing VALUES (1)"}, "does not apply"),
        ({"attack": [{"as": "app", "do": "SELECT * FROM t"}]}, "went against what was expected"),
        ({"attack": [{"as": "owner", "do": "SELECT 1", "expect": "fails"}]}, "went against what was expected"),
        ({"broken_if": "SELECT NULL::boolean"}, "one boolean"),
        ({"broken_if": "SELECT 3"}, "one boolean"),
        ({"broken_if": "SELECT true FROM generate_series(1, 2)"}, "one boolean"),
        ({"broken_if": "SELECT frobnicate()"}, "broken_if"),
        ({"migrate": ["other.sql"]}, "no other.sql"),
    ],
    ids=["seed", "works", "fails", "null", "number", "rows", "sql", "absent"],
)
async def test_what_goes_another_way_than_planned_is_unknown(
    tmp_path: Path, scratch: PostgresScratch, change: dict[str, Any], says: str
) -> None:
    """An oracle that did not do what it says has not proved anything."""
    home = family(tmp_path, {**ASKED, **change}, {"defect": DEFECT, "clean": CLEAN})
    proof = await prove(home, "defect", scratch=scratch)

    assert proof.answer == "unknown"
    assert says in proof.said


async def test_what_decides_is_asked_without_rights_to_the_server(tmp_path: Path, scratch: PostgresScratch) -> None:
    """A family's page is somebody's text too."""
    oracle = {**ASKED, "broken_if": "SELECT pg_read_file('/etc/hostname') IS NOT NULL"}
    proof = await prove(family(tmp_path, oracle, {"defect": DEFECT, "clean": CLEAN}), "defect", scratch=scratch)

    assert proof.answer == "unknown"
    assert "permission denied" in proof.said


async def test_concurrent_steps_race_as_sessions_do(tmp_path: Path, scratch: PostgresScratch) -> None:
    """The second debit waits for the first one's lock in the background, and is seen to have gone through."""
    body = (
        "CREATE TABLE a (id int PRIMARY KEY, balance int NOT NULL{check});\n"
        "CREATE FUNCTION debit(n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$\n"
        "DECLARE b int; BEGIN SELECT balance INTO b FROM a; IF b < n THEN RAISE 'too little'; END IF;\n"
        "UPDATE a SET balance = balance - n; END $$;\n"
    )
    oracle = {
        "kind": "sql",
        "attack": [
            {"as": "owner", "do": "INSERT INTO a VALUES (1, 100)"},
            {"as": "app", "session": "one", "do": "BEGIN; SELECT debit(70)"},
            {"as": "app", "session": "two", "do": "SELECT debit(70)", "expect": "any", "name": "second"},
            {"as": "app", "session": "one", "do": "COMMIT"},
        ],
        "broken_if": "SELECT min(balance) < 0 AND (SELECT ok FROM squads_probe.steps WHERE name = 'second') FROM a",
    }
    texts = {"defect": body.format(check=""), "clean": body.format(check=" CHECK (balance >= 0)")}
    found = await prove_family(family(tmp_path, oracle, texts), scratch=scratch)

    assert {"proved"} == {proved(case.label, proof) for case, proof in found}


async def test_settings_roles_and_values_reach_the_steps(tmp_path: Path, scratch: PostgresScratch) -> None:
    """A step is taken under its settings, and what it gave can be asked for."""
    oracle = {
        "kind": "sql",
        "roles": ["auditor"],
        "attack": [
            {"as": "auditor", "set": {"app.tenant": "7"}, "do": "SELECT current_setting('app.tenant')", "name": "who"},
            {"as": "auditor", "do": "SELECT * FROM t", "expect": "fails"},
        ],
        "broken_if": "SELECT value = '7' AND rows = 1 FROM squads_probe.steps WHERE name = 'who'",
    }
    proof = await prove(family(tmp_path, oracle, {"defect": DEFECT, "clean": CLEAN}), "defect", scratch=scratch)

    assert proof.answer == "broken"


MIGRATED = "SELECT EXISTS (SELECT FROM squads_probe.{table} WHERE relation = 'orders'{more})"


@pytest.mark.parametrize(
    ("question", "broken", "holds"),
    [
        (
            MIGRATED.format(table="locks", more=" AND mode = 'ShareLock'"),
            "CREATE INDEX ON orders (total);",
            "CREATE INDEX CONCURRENTLY ON orders (total);",
        ),
        (
            MIGRATED.format(table="rewrites", more=""),
            "ALTER TABLE orders ALTER total TYPE bigint;",
            "ALTER TABLE orders ADD COLUMN note text DEFAULT 'x';",
        ),
        (
            MIGRATED.format(table="scans", more=" AND statement = 1"),
            "ALTER TABLE orders ADD CHECK (total >= 0);",
            "ALTER TABLE orders ADD CHECK (total >= 0) NOT VALID;",
        ),
        (
            MIGRATED.format(table="lost", more=" AND columns_lost = 'total'"),
            "ALTER TABLE orders DROP COLUMN total;",
            "ALTER TABLE orders ADD COLUMN total_cents bigint;",
        ),
        (
            MIGRATED.format(table="lost", more=" AND rows_after < rows_before"),
            "DELETE FROM orders WHERE id > 5;",
            "UPDATE orders SET total = 0;",
        ),
        (MIGRATED.format(table="lost", more=" AND rows_after IS NULL"), "DROP TABLE orders;", "TRUNCATE orders;"),
    ],
    ids=["locks", "rewrites", "scans", "columns", "rows", "relation"],
)
async def test_what_a_migration_does_is_seen_before_it_ends(
    tmp_path: Path, scratch: PostgresScratch, question: str, broken: str, holds: str
) -> None:
    """Locks in the open transaction, rewrites by where the data lies, losses by the old names."""
    oracle = {
        "kind": "sql",
        "seed": "INSERT INTO orders SELECT n, n FROM generate_series(1, 10) n;",
        "autocommit": True,
        "broken_if": question,
    }
    base = {"base/0.sql": "CREATE TABLE orders (id int PRIMARY KEY, total int);\n"}
    home = family(tmp_path, oracle, {"defect": broken, "clean": holds}, more=base)
    found = await prove_family(home, scratch=scratch)

    assert {"proved"} == {proved(case.label, proof) for case, proof in found}, [p.said for _, p in found]


async def test_a_migration_that_fails_means_what_the_page_says(tmp_path: Path, scratch: PostgresScratch) -> None:
    """`unknown` where nothing is said: a slip in a variant must not look like its defect."""
    texts = {"defect": "ALTER TABLE t ALTER a SET NOT NULL;", "clean": "SELECT 1;"}
    oracle: dict[str, Any] = {"kind": "sql", "seed_before": "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL);"}
    oracle |= {"broken_if": "SELECT false"}
    silent = await prove(family(tmp_path / "a", oracle, texts), "defect", scratch=scratch)
    told = family(tmp_path / "b", {**oracle, "migration_fails": "broken"}, texts)

    assert silent.answer == "unknown"
    assert (await prove(told, "defect", scratch=scratch)).answer == "broken"


async def test_python_is_attacked_in_the_sandbox(tmp_path: Path) -> None:
    """0 holds, 10 is broken, and what else happens is unknown."""
    variants = {
        "defect": "def answer():\n    return 41\n",
        "clean": "def answer():\n    return 42\n",
        "decoy": "def answer():\n    raise OSError('no')\n",
        "cosmetic": "import os\ndef answer():\n    os._exit(3)\n",
    }
    home = family(tmp_path, {"kind": "python"}, variants, file="m.py", more={"attack.py": ATTACK})
    found = {case.variant: proof for case, proof in await prove_family(home)}

    assert {"defect": "broken", "clean": "holds", "decoy": "unknown", "cosmetic": "unknown"} == {
        name: proof.answer for name, proof in found.items()
    }
    assert "OSError" in found["decoy"].said


async def test_own_tests_must_pass_on_every_variant(tmp_path: Path) -> None:
    """A defect that its own tests find is no case for a gate."""
    variants = {"defect": "def answer():\n    return 41\n", "clean": "def answer():\n    return 42\n"}
    tests = "from m import answer\n\ndef test_it():\n    assert answer() == 42\n"
    more = {"attack.py": ATTACK, "tests/test_m.py": tests}
    found = await prove_family(family(tmp_path, {"kind": "python"}, variants, file="m.py", more=more))

    assert {"defect": "unknown", "clean": "holds"} == {case.variant: proof.answer for case, proof in found}


async def test_an_attack_that_hangs_is_ended(tmp_path: Path) -> None:
    """Bounded, and the others are still proved."""
    variants = {"defect": "while True: pass\n", "clean": "def answer():\n    return 42\n"}
    oracle = {"kind": "python", "seconds_max": 1}
    home = family(tmp_path, oracle, variants, file="m.py", more={"attack.py": ATTACK})
    found = await prove_family(home)

    assert {"defect": "unknown", "clean": "holds"} == {case.variant: proof.answer for case, proof in found}


async def test_a_python_family_needs_its_attack(tmp_path: Path) -> None:
    """Without one nothing would be asked, and nothing proved."""
    home = family(tmp_path, {"kind": "python"}, {"defect": "x = 1\n", "clean": "x = 2\n"}, file="m.py")

    with pytest.raises(InvalidCase, match=r"no attack\.py"):
        await prove(home, "clean")


async def test_a_server_that_is_away_proves_nothing(tmp_path: Path) -> None:
    """Every label of the family stays unproved, and the next family is asked all the same."""
    home = family(tmp_path, ASKED, {"defect": DEFECT, "clean": CLEAN})
    away = PostgresScratch("postgresql://u:p@127.0.0.1:1/x")
    found = [proof.answer async for _, proof in prove_all([home], scratch=away)]

    assert ["unknown", "unknown"] == found


async def test_a_built_in_family_with_its_labels_swapped_is_noticed(tmp_path: Path, scratch: PostgresScratch) -> None:
    """The proof of the built-in set can fail: the same files under the other label."""
    home = tmp_path / "swapped"
    await asyncio.to_thread(shutil.copytree, built_in_folder() / "unique_null_scores", home)
    (home / "clean").rename(home / "away")
    (home / "defect").rename(home / "clean")
    (home / "away").rename(home / "defect")
    found = {case.variant: proved(case.label, proof) for case, proof in await prove_family(home, scratch=scratch)}

    assert (found["clean"], found["defect"], found["decoy"]) == ("refuted", "refuted", "proved")


class Killed:
    """A sandbox in which the batch was ended after something else had written its answer, or half of one."""

    enforces = frozenset({"network"})

    def __init__(self, said: str, exit_code: int | None) -> None:
        self._said, self._exit_code = said, exit_code

    async def run(self, command: Any, *, folder: str, **_: Any) -> Ran:
        (Path(folder) / "said.json").write_text(self._said, "utf-8")
        return Ran(exit_code=self._exit_code, output=b"")


@pytest.mark.parametrize(
    ("said", "exit_code"),
    [
        ('[{"attack": {"code": 0, "text": ""}}, {"attack": {"code": 0, "text": ""}}]', None),
        ('[{"attack": {"code": 0, "text": ""}}]', 0),
        ('[{"attack": {}}, {"attack": {}}]', 0),
        ('[{"attack": {"code": "0", "text": ""}}, 1]', 0),
        ('{"0": 1, "1": 2}', 0),
    ],
    ids=["killed", "fewer", "empty", "types", "object"],
)
async def test_an_answer_that_the_batch_did_not_write_proves_nothing(
    tmp_path: Path, said: str, exit_code: int | None
) -> None:
    """A variant's code may end the process that reports of it, and write the report itself."""
    code = {"defect": "def answer():\n    return 42\n", "clean": "def answer():\n    return 42\n"}
    home = family(tmp_path / "f", {"kind": "python"}, code, file="m.py", more={"attack.py": ATTACK})

    found = await prove_family(home, sandbox=Killed(said, exit_code))  # type: ignore[arg-type]

    assert ["unknown", "unknown"] == [proof.answer for _, proof in found]


@pytest.mark.parametrize("name", ["defect/s.sql", "tests", "defect"])
def test_a_family_with_a_link_is_refused(tmp_path: Path, name: str) -> None:
    """A link could lead to any file of this machine, and cases are shown to models and published."""
    home = family(tmp_path / "f", ASKED, {"defect": DEFECT, "clean": CLEAN})
    secret = tmp_path / "secret"
    if name == "defect/s.sql":
        secret.write_text("mine", "utf-8")
        (home / name).unlink()
    else:
        shutil.rmtree(home / name, ignore_errors=True)
        secret.mkdir()
        (secret / "s.sql").write_text("mine", "utf-8")
    (home / name).symlink_to(secret)

    with pytest.raises(InvalidCase, match="symbolic link"):
        cases_of(home)
