"""Sets by name: one word for where cases come from, on every command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from squads.bench.families import built_in_folder, cases
from squads.bench.sets import cases_at
from squads.contracts.errors import InvalidCase


def test_a_set_is_built_in_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a colon in its name is no loader's, nor is one that begins with a dot."""
    (tmp_path / "sven:mine").mkdir()
    shutil.copytree(built_in_folder() / "token_by_hand", tmp_path / "sven:mine" / "token_by_hand")
    monkeypatch.chdir(tmp_path)

    assert cases() == cases_at("built-in")
    assert 4 == len(cases_at("./sven:mine")) == len(cases_at("./sven:mine", splits=["dev"]))
    assert [] == cases_at("./sven:mine", splits=["test"])


def test_a_public_set_is_a_name_and_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All its cases are held out."""
    monkeypatch.setattr("squads.bench.loaders.eugene.Eugene.counts", {"bad.sql": 1})
    script = tmp_path / "eugene" / "examples" / "E6" / "bad.sql"
    script.parent.mkdir(parents=True)
    script.write_text("-- 1.sql\ncreate table t (a int);\n", "utf-8")

    assert ["eugene-e6"] == [case.family for case in cases_at(f"eugene:{tmp_path}", splits=["test"])]
    assert [] == cases_at(f"eugene:{tmp_path}", splits=["dev"])
    with pytest.raises(InvalidCase, match="is not sven"):
        cases_at(f"sven:{tmp_path}")
