"""The real tools as gates: ruff, bandit, sqlfluff and squawk as they are installed, semgrep as it was recorded.

What is tried is what would let a change pick its own judge, or go unread: comments that silence, settings of the
artifact's own, names that tools leave out, and files that they cannot parse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tools_scene import approved, reading, refused, why

from squads import Approved, InvalidSquad, Refused
from squads.gates.tools.presets import PRESETS, bandit, ruff, semgrep, sqlfluff, squawk

PYTHON_TOOLS = ("ruff", "bandit")
SQL_TOOLS = ("sqlfluff", "squawk")
WEAK = "import hashlib, subprocess\n\n\ndef f(x):\n    subprocess.call(x, shell=True)\n    return hashlib.md5(x)\n"
SHARED = {
    "python.code-execution": "def f(x):\n    return eval(x)\n",
    "python.hardcoded-secret": 'password = "correct horse"\n',
    "python.insecure-deserialisation": "import pickle\n\n\ndef f(x):\n    return pickle.loads(x)\n",
    "python.shell-injection": "import subprocess\n\n\ndef f(x):\n    subprocess.call(x, shell=True)\n",
    "python.sql-injection": "def f(c, x):\n    c.execute(\"SELECT a FROM t WHERE b = '%s'\" % x)\n",
    "python.tls-verification": "import requests\n\n\ndef f(x):\n    requests.get(x, verify=False, timeout=9)\n",
    "python.weak-hash": "import hashlib\n\n\ndef f(x):\n    return hashlib.md5(x)\n",
    "python.xml-entities": "import xml.etree.ElementTree as E\n\n\ndef f(x):\n    return E.fromstring(x)\n",
    "python.debug-server": "from flask import Flask\n\napp = Flask(__name__)\napp.run(debug=True)\n",
    "python.file-permissions": "import os\n\nos.chmod('/etc/hosts', 0o777)\n",
    "python.weak-cipher": (
        "from cryptography.hazmat.primitives.ciphers import algorithms\n\na = algorithms.ARC4(b'k')\n"
    ),
    "python.ssh-host-key": (
        "import paramiko\n\nc = paramiko.SSHClient()\nc.set_missing_host_key_policy(paramiko.AutoAddPolicy)\n"
    ),
    "python.trojan-source": "access = 'user\u202e \u2066# admin\u2069 \u2066'\n",
}
REQUIRED = "ALTER TABLE a ADD COLUMN b integer NOT NULL;\n"
AMBIGUOUS = "SELECT DISTINCT a FROM t GROUP BY a;\n"


async def invariants(tool: str, files: dict[str, str], **options: Any) -> set[str]:
    """Return the invariants that a gate refuses for."""
    return {invariant for invariant, _ in await places(tool, files, **options)}


async def places(tool: str, files: dict[str, str], **options: Any) -> set[tuple[str, str]]:
    """Return (invariant, path) of what a gate refuses for."""
    verdict = await PRESETS[tool](**options).answer(reading(files))
    assert isinstance(verdict, Refused), verdict
    return {(f.invariant, f.location.path) for f in verdict.findings if f.location and f.severity > "note"}


# Python ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_both_python_tools_say_the_same_invariant(tool: str) -> None:
    """One artifact with a file for each; what a tool finds is called as the other calls it."""
    files = {f"{name.split('.')[1].replace('-', '_')}.py": text for name, text in SHARED.items()}
    verdict = await PRESETS[tool]().answer(reading(files))
    found = {f.location.path: f.invariant for f in verdict.findings if f.severity >= "major" and f.location}

    assert found == {f"{name.split('.')[1].replace('-', '_')}.py": name for name in SHARED}


SILENCED = (
    "y = hashlib.md5(x)  # noqa",
    "y = hashlib.md5(x)  # noqa: S324",
    "y = hashlib.md5(x)  # nosec",
    "y = hashlib.md5(x)  # nosec B324",
    "# ruff: noqa\ny = hashlib.md5(x)",
    "# flake8: noqa\ny = hashlib.md5(x)",
    "# ruff: disable[S324]\ny = hashlib.md5(x)\n# ruff: enable[S324]",
)


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_no_comment_silences_a_python_tool(tool: str) -> None:
    """A change must not quieten its own judge. One file for each way to try."""
    files = {f"f{n}.py": f"import hashlib\nx = b''\n{text}\n" for n, text in enumerate(SILENCED)}

    assert await places(tool, files) == {("python.weak-hash", path) for path in files}


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_settings_of_the_artifact_count_for_nothing(tool: str) -> None:
    """Neither files of settings, nor settings in a script's own comment."""
    off = '[tool.ruff.lint]\nselect = []\n[tool.bandit]\nskips = ["B324", "B602"]\n'
    inline = "# /// script\n# [tool.ruff]\n# lint.select = []\n# ///\n" + WEAK
    settings = {
        "pyproject.toml": off,
        "ruff.toml": "lint.select = []\n",
        ".ruff.toml": "lint.select = []\n",
        ".bandit": "[bandit]\nskips: B324,B602\n",
        "bandit.yaml": "skips: [B324, B602]\n",
        ".gitignore": "*\n",
    }

    assert await invariants(tool, {"a.py": inline, **settings}) == {"python.weak-hash", "python.shell-injection"}


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_no_name_hides_a_file(tool: str) -> None:
    """Names that tools leave out by default, or that look like an option or a pattern."""
    names = (".tox/a.py", "x.egg/a.py", "node_modules/a.py", ".git/a.py", "-x.py", "a b#[1]%20.py", "tests/test_ä.py")

    assert await places(tool, dict.fromkeys(names, "import os\n\nos.chmod('x', 0o777)\n")) == {
        ("python.file-permissions", name) for name in names
    }


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_python_that_cannot_be_parsed_is_named(tool: str) -> None:
    """Bandit calls such a run a success; both gates abstain, also beside a file that would be refused."""
    said = why(await PRESETS[tool]().answer(reading({"a.py": WEAK, "sub/broken.py": "def f(:\n"})))

    assert "could not read everything: sub/broken.py" in said


@pytest.mark.parametrize("tool", PYTHON_TOOLS)
async def test_fair_python_is_approved(tool: str) -> None:
    """Also an empty file; what maps to no invariant, such as an assert, is a note at most."""
    files = {"empty.py": "", "b.py": "x = 1\n", "c.py": '"""Doc."""\n', "d.pyi": "x: int\n", "e.py": "assert 1\n"}
    verdict = await PRESETS[tool]().answer(reading(files))

    assert isinstance(verdict, Approved)
    assert verdict.looked == len(files)


async def test_ruff_reads_python_newer_than_this_one() -> None:
    """It does not depend on who runs it; its target says which Python is meant."""
    newer = "type X = int\n\n\ndef f[T](x: T) -> T:\n    return x\n\n\nname = t'{f}'\n"

    assert await ruff().answer(reading({"a.py": newer})) == Approved(looked=1)
    assert "a.py:8" in why(await ruff(target_version="py312").answer(reading({"a.py": newer})))


async def test_ruff_may_be_asked_for_other_rules() -> None:
    """They are notes until they are mapped; the user's table is laid over the preset's."""
    files = {"a.py": "import os\n"}

    assert approved(await ruff(select=["F"]).answer(reading(files)))[0][0] == "ruff.f401"
    strict = {"rules": {"F401": "python.unused-import"}, "severities": {"F401": "minor"}, "refuse_at": "minor"}
    assert await invariants("ruff", files, select=["F"], **strict) == {"python.unused-import"}


# SQL ------------------------------------------------------------------------------------------------------------------


async def test_squawk_refuses_what_breaks_a_database_in_use() -> None:
    """Advice rides along as notes."""
    verdict = await squawk().answer(reading({"db/1.sql": REQUIRED}))

    assert refused(verdict)[0] == ("migration.required-column", "major", "db/1.sql:1:15")
    assert {severity for _, severity, _ in refused(verdict)[1:]} == {"note"}


async def test_sqlfluff_refuses_only_when_it_is_told_to() -> None:
    """Style is a note; what is ambiguous is minor."""
    assert approved(await sqlfluff().answer(reading({"a.sql": AMBIGUOUS})))[0][0] == "sql.ambiguous"
    assert await invariants("sqlfluff", {"a.sql": AMBIGUOUS}, refuse_at="minor") == {"sql.ambiguous"}


SQL_COMMENTS = {
    "squawk": ("-- squawk-ignore-file", "-- squawk-ignore adding-required-field", "/* squawk-ignore-file */"),
    "sqlfluff": (
        "-- noqa: disable=all",
        "-- sqlfluff:exclude_rules:AM01",
        "-- sqlfluff:rules:LT01",
        "--sqlfluff:ignore:linting",
        "-- sqlfluff:dialect:ansi",
    ),
}


@pytest.mark.parametrize("tool", SQL_TOOLS)
async def test_no_comment_silences_a_sql_tool(tool: str) -> None:
    """Not even where the tool has no option for it. One file for each way to try."""
    text, invariant = {
        "squawk": (REQUIRED, "migration.required-column"),
        "sqlfluff": (AMBIGUOUS, "sql.ambiguous"),
    }[tool]
    files = {f"f{n}.sql": f"{comment}\n{text}" for n, comment in enumerate(SQL_COMMENTS[tool])}

    assert {(invariant, path) for path in files} <= await places(tool, files, refuse_at="minor")


@pytest.mark.parametrize("tool", SQL_TOOLS)
async def test_settings_and_names_hide_no_sql(tool: str) -> None:
    """Settings are not copied, and a name that is a pattern is no pattern."""
    settings = {
        ".squawk.toml": 'excluded_rules = ["adding-required-field"]\n',
        ".sqlfluff": "[sqlfluff]\nexclude_rules = AM01\n",
        ".sqlfluffignore": "*\n",
    }
    files = {"db/a[1].sql": REQUIRED + AMBIGUOUS, **settings}

    assert await invariants(tool, files, refuse_at="minor")


@pytest.mark.parametrize("tool", SQL_TOOLS)
@pytest.mark.parametrize("text", ["SELECT (((;\n", "SELECT 1;\0\n"], ids=["brackets", "nul"])
async def test_sql_that_cannot_be_parsed_is_named(tool: str, text: str) -> None:
    """A fault of the parser is not style."""
    assert "could not read everything: b.sql" in why(
        await PRESETS[tool]().answer(reading({"a.sql": "SELECT a FROM t;\n", "b.sql": text}))
    )


async def test_sqlfluff_reads_large_files() -> None:
    """By default it skips them, says so in passing, and exits as if all were well."""
    large = "-- " + "x" * 30_000 + "\n" + AMBIGUOUS

    assert await invariants("sqlfluff", {"a.sql": large}, refuse_at="minor") == {"sql.ambiguous"}


@pytest.mark.parametrize("tool", [*PYTHON_TOOLS, *SQL_TOOLS])
async def test_settings_that_somebody_left_above_the_private_copy_count_for_nothing(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools look for settings in all folders above; the folder for temporary files is everybody's."""
    settings = {
        "ruff.toml": "lint.ignore = ['S324', 'S602']\n[lint.per-file-ignores]\n'*' = ['S324', 'S602']\n",
        ".bandit": "[bandit]\nskips: B324,B602\n",
        ".squawk.toml": 'excluded_rules = ["adding-required-field"]\n',
        ".sqlfluff": "[sqlfluff]\nexclude_rules = AM01\n",
        ".sqlfluffignore": "*\n",
    }
    for name, text in settings.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    expected = {"squawk": "migration.required-column", "sqlfluff": "sql.ambiguous"}.get(tool, "python.weak-hash")

    assert expected in await invariants(tool, {"a.py": WEAK, "a.sql": REQUIRED + AMBIGUOUS}, refuse_at="minor")


@pytest.mark.parametrize("tool", [*PYTHON_TOOLS, *SQL_TOOLS])
async def test_each_tool_is_pinned_by_its_version(tool: str) -> None:
    """What it says of itself is part of the prior."""
    made = PRESETS[tool]()

    assert any(c.isdigit() for c in made.version)
    assert made.version in made.covers[0]
    assert made.name == tool


# Semgrep --------------------------------------------------------------------------------------------------------------

RULES = "rules:\n  - id: unverified-jwt-decode\n    languages: [python]\n"
NOTIFIED = {
    "descriptor": {"id": "Syntax error"},
    "level": "warning",
    "message": {"text": "Syntax error at line broken.py:2:\n `x x` was unexpected"},
}


def recorded(*notifications: Any) -> str:
    """Return what semgrep 1.182.0 wrote, shortened: a finding that a comment silences, and its rule's level."""
    place = {
        "artifactLocation": {"uri": "tests/a.py", "uriBaseId": "%SRCROOT%"},
        "region": {"endColumn": 62, "endLine": 3, "startColumn": 12, "startLine": 3},
    }
    id = "settings.unverified-jwt-decode"
    found = {
        "fingerprints": {"matchBasedId/v1": "requires login"},
        "locations": [{"physicalLocation": place}],
        "message": {"text": "The token is decoded without verifying its signature."},
        "properties": {},
        "ruleId": id,
        "suppressions": [{"kind": "inSource"}],
    }
    driver = {
        "name": "Semgrep OSS",
        "rules": [{"defaultConfiguration": {"level": "error"}, "id": id, "name": id}],
        "semanticVersion": "1.182.0",
    }
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": list(notifications)}
    run = {"invocations": [invocation], "results": [found], "tool": {"driver": driver}}
    return json.dumps({"version": "2.1.0", "runs": [run]})


def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    """Put a `semgrep` on the path that writes a recording, and return a gate around it."""
    folder, rules = tmp_path / "bin", tmp_path / "rules.yml"
    folder.mkdir()
    script = folder / "semgrep"
    script.write_text(f"#!{sys.executable}\nprint({text!r})\n")
    script.chmod(0o700)
    rules.write_text(RULES)
    monkeypatch.setattr("squads.gates.tools.process.sys.executable", str(folder / "python"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return semgrep(rules_path=rules, files=["*.py"], rules={"*.unverified-jwt-decode": "python.token-signature"})


async def test_semgrep_is_read_as_it_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment in the file silences nothing, although semgrep marks its finding as silenced."""
    made = replay(tmp_path, monkeypatch, recorded())
    text = 'import jwt\ndef f(t):\n    return jwt.decode(t, options={"verify_signature": False})  # nosem\n'
    verdict = await made.answer(reading({"tests/a.py": text}))

    assert refused(verdict) == [("python.token-signature", "major", "tests/a.py:3:12")]
    assert "unverified-jwt-decode" in made.covers[0]


async def test_semgrep_warns_of_what_it_could_not_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With it a warning is enough to abstain."""
    made = replay(tmp_path, monkeypatch, recorded(NOTIFIED))

    assert "Syntax error at line broken.py:2" in why(await made.answer(reading({"tests/a.py": "", "broken.py": ""})))


def test_semgrep_needs_rules_that_are_there(tmp_path: Path) -> None:
    """It never fetches any; a folder's rules are all taken."""
    (tmp_path / "a.yml").write_text(RULES)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text(RULES)

    assert list(semgrep(rules_path=tmp_path, files=["*"]).settings) == ["rules-0000.yml", "rules-0001.yml"]
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "gone.yml", tmp_path / "empty"):
        with pytest.raises(InvalidSquad, match="rules"):
            semgrep(rules_path=path, files=["*"])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ruff(select="S"), "give a list of rules"),
        (lambda: ruff(select=[]), "give a list of rules"),
        (lambda: ruff(select=["S --config x"]), "no plain word"),
        (lambda: ruff(target_version="--config"), "no plain word"),
        (lambda: sqlfluff(dialect=""), "no plain word"),
        (lambda: bandit(refuse_at="note"), "a note never refuses"),
    ],
    ids=["text", "empty", "spaces", "option", "dialect", "note"],
)
def test_a_preset_takes_no_option_for_a_word(make: Any, reason: str) -> None:
    """What stands in a command comes from a card, and is checked."""
    with pytest.raises(InvalidSquad, match=reason):
        make()
