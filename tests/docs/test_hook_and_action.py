"""The pre-commit hook and the composite action: parsed, and their commands run as others would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import quick_start

ROOT = Path(__file__).resolve().parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
BAD = "CREATE TABLE w (id bigint PRIMARY KEY, balance bigint NOT NULL);\n"
GOOD = "CREATE TABLE w (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));\n"


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join(
            map(str, (quick_start.squads().parent, Path(sys.executable).parent, os.environ["PATH"]))
        ),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": str(home),
        "SQUADS_HOME": str(home / "keys"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "reader" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=place, env=environment(place.parent), capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def commit(place: Path, name: str, text: str) -> str:
    (place / name).write_text(text)
    git(place, "add", name)
    git(place, "commit", "-q", "-m", name)
    return git(place, "rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository with one commit."""
    where = tmp_path / "project"
    where.mkdir()
    git(where, "init", "-q", "-b", "main")
    commit(where, "README.md", "hello\n")
    return where


# The hook -------------------------------------------------------------------------------------------------------------


def test_the_hook_has_what_pre_commit_needs() -> None:
    """One hook, that names its language and takes no file names: the whole of what is staged is one change."""
    (hook,) = HOOKS

    assert {"id", "name", "entry", "language"} <= hook.keys()
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("squads-gate", "python", False)


@pytest.mark.parametrize(("text", "code"), [(BAD, 1), (GOOD, 0)], ids=["refused", "composed"])
def test_the_hook_judges_what_is_staged(place: Path, text: str, code: int) -> None:
    """Its entry, run where a commit is made; what is not staged is not looked at."""
    (place / "a.sql").write_text(text)
    git(place, "add", "a.sql")
    (place / "b.sql").write_text(BAD)

    done = subprocess.run(
        shlex.split(HOOKS[0]["entry"]), cwd=place, env=environment(place.parent), capture_output=True, check=False
    )

    assert done.returncode == code, done.stderr
    assert b"b.sql" not in done.stdout


# The action -----------------------------------------------------------------------------------------------------------


def steps() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ACTION["runs"]["steps"]
    return found


def test_the_action_is_composite_and_every_input_is_described() -> None:
    """What a workflow needs to know stands in the file."""
    assert ACTION["runs"]["using"] == "composite"
    assert {"range", "gates", "format", "store", "install", "upload-sarif"} == set(ACTION["inputs"])
    assert all(i["description"] for i in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))
    assert all("shell" in s for s in steps() if "run" in s)


def test_no_script_of_the_action_holds_an_expression() -> None:
    """An expression in a script is text that becomes a command; inputs come through the environment."""
    assert [s["name"] for s in steps() if "${{" in s.get("run", "")] == []


def test_the_action_asks_for_no_token() -> None:
    """The workflow keeps it; only GitHub's own upload step has it, from the workflow."""
    assert not re.search(r"token|secrets", (ROOT / "action.yml").read_text("utf-8").replace("keeps its token", ""))


def test_no_file_of_the_change_runs_in_place_of_what_judges() -> None:
    """The working folder holds the change, and Python looks there first unless it is told not to."""
    (install,) = [s["run"] for s in steps() if "pip install" in s.get("run", "")]

    assert "python -P -m pip" in install
    assert " -P -c" in (ROOT / ".ci/gate").read_text("utf-8")


def run_gate(place: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str, dict[str, str]]:
    """Run the gating step as a runner does, and return how it went, the summary, and the outputs."""
    step = next(s for s in steps() if s.get("id") == "gate")
    files = {name: place.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    temporary = place.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    given = dict.fromkeys(step["env"], "") | {"SQUADS_FORMAT": "text"} | inputs
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=place,
        env={
            **environment(place.parent),
            **{name: str(file) for name, file in files.items()},
            "RUNNER_TEMP": str(temporary),
            "GITHUB_SHA": git(place, "rev-parse", "HEAD"),
            **given,
        },
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines())
    return done, files["GITHUB_STEP_SUMMARY"].read_text("utf-8"), outputs


def test_the_action_fails_on_a_refusal_and_writes_summary_sarif_and_junit(place: Path) -> None:
    """A range is judged once; the job fails, and everything that explains it is there."""
    base = git(place, "rev-parse", "HEAD")
    head = commit(place, "a.sql", BAD)

    done, shown, outputs = run_gate(place, SQUADS_RANGE=f"{base}..{head}")

    assert (done.returncode, outputs["exit-code"]) == (1, "1"), done.stderr
    assert "✗ sql.balance-not-negative refused: 1 finding" in done.stdout
    assert "w.balance may be stored below zero" in shown
    assert all(Path(outputs[name]).is_file() for name in ("sarif", "junit"))
    assert not (place / ".squads").exists()


def test_the_action_judges_what_the_event_changed(place: Path) -> None:
    """A pull request from where it branched off, a push since before, a new branch its newest commit."""
    base = git(place, "rev-parse", "HEAD")
    git(place, "switch", "-q", "-c", "topic")
    head = commit(place, "a.sql", GOOD)
    git(place, "switch", "-q", "main")
    newer = commit(place, "bad.sql", BAD)
    git(place, "switch", "-q", "topic")

    pulled = run_gate(place, SQUADS_PULL_BASE=newer, SQUADS_PULL_HEAD=head)[0]
    pushed = run_gate(place, SQUADS_PUSH_BEFORE=base)[0]
    fresh = run_gate(place, SQUADS_PUSH_BEFORE="0" * 40)[0]

    for done in (pulled, pushed, fresh):
        assert done.returncode == 0, done.stderr
        assert "1 path" in done.stdout


def test_an_input_is_never_a_command(place: Path) -> None:
    """Quotes, substitutions and options in an input are text, and an error at worst."""
    commit(place, "a.sql", GOOD)
    for inputs in (
        {"SQUADS_RANGE": "$(touch evil)`touch evil`; touch evil #"},
        {"SQUADS_RANGE": "--staged"},
        {"SQUADS_GATES": "* $(touch evil) --json"},
        {"SQUADS_FORMAT": "text; touch evil"},
    ):
        done, shown, outputs = run_gate(place, **inputs)

        assert (done.returncode, outputs) == (2, {"exit-code": "2"}), inputs
        assert "could not judge" in shown
        assert not (place / "evil").exists()


def test_the_action_takes_the_gates_that_are_named(place: Path) -> None:
    commit(place, "a.sql", BAD)

    done, shown, _ = run_gate(place, SQUADS_GATES="text.conflict-marker\nsql.unique-null")

    assert done.returncode == 0, done.stderr
    assert "sql.balance-not-negative" not in shown
    assert "sql.unique-null" in shown
