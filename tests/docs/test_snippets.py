"""Every example in README and docs runs, in the order of its page, and prints what the page says it prints.

How a fenced block is read:

    python    run as a program; a block whose first line is `# name.py` is written to that file instead
    output    what the python block before it prints
    console   `$ ` lines are run, the lines below each are what it prints; `$ echo $?` gives the exit code before it,
              and a command that no such line follows must exit with 0
    sql, text, toml ... whose first line is a comment with a path and nothing else: written to that file
    sh        not run here: only commands that another test runs may stand in it

An ellipsis stands for any text: within a line for a part of it, alone on a line for any number of lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import quick_start

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    str(p.relative_to(ROOT)) for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if "```" in p.read_text("utf-8")
)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?:#|--|//) (\S+\.\w+)\n")
RUN = {"python", "output", "console"}
TYPED_IN_A_SHELL = {"make demo", "make test", "make check", "make bench", "pip install squads", "pip install ."}
"""What `sh` blocks may hold: the make targets are what CI calls, and `test_wheel.py` installs the wheel."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text("utf-8")
    return [Block(m[2], m[3], text.count("\n", 0, m.start()) + 1) for m in FENCE.finditer(text)]


def matches(expected: str, printed: str) -> bool:
    """Say whether `printed` is `expected`, with its ellipses."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*?".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty git work tree."""
    where = tmp_path / "project"
    where.mkdir()
    _run(["git", "init", "-q", "-b", "main"], where, tmp_path)
    return where


@pytest.mark.parametrize("name", PAGES)
def test_every_example_of_a_page_runs(name: str, place: Path, tmp_path: Path) -> None:
    """What a reader copies works, and does what the page says."""
    blocks = blocks_of(ROOT / name)
    for block, after in zip(blocks, [*blocks[1:], Block("", "", 0)], strict=True):
        at = f"{name}:{block.line}"
        named = FILE.match(block.text)
        if named:
            file = place / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, "utf-8")
        elif block.language == "python":
            done = _run([str(quick_start.python()), "-c", block.text], place, tmp_path)
            assert done.returncode == 0, f"{at}: {done.stderr}"
            if after.language == "output":
                assert matches(after.text, done.stdout), f"{at} prints:\n{done.stdout}{done.stderr}"
        elif block.language == "console":
            _console(block.text, at, place, tmp_path)
        elif block.language == "sh":
            unknown = {line.split("  #")[0].strip() for line in block.text.splitlines()} - TYPED_IN_A_SHELL
            assert not unknown, f"{at}: no test runs {unknown}"


def test_make_has_every_target_that_a_page_names() -> None:
    """`make demo` and `make test` are all that a fresh machine needs."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert {c.split()[1] for c in TYPED_IN_A_SHELL if c.startswith("make ")} <= targets


def _console(text: str, at: str, place: Path, home: Path) -> None:
    steps = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not steps[0].strip(), f"{at} begins with something else than a command"
    code = 0
    for step, after in zip(steps[1:], [*steps[2:], ""], strict=True):
        command, _, expected = step.partition("\n")
        if command == "echo $?":
            assert expected.strip() == str(code), f"{at}: the command before it exits with {code}"
            continue
        done = _run(["sh", "-c", f"exec 2>&1; {command}"], place, home)
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode  # as a shell says it
        printed = done.stdout
        if not after.startswith("echo $?"):
            assert code == 0, f"{at}: {command!r} exits with {code}:\n{printed}"
        assert matches(expected, printed) if expected.strip() else True, f"{at}: {command!r} prints:\n{printed}"


def _run(command: list[str], place: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.pathsep.join(
            map(
                str,
                (
                    quick_start.squads().parent,
                    quick_start.python().parent,
                    Path(sys.executable).parent,
                    os.environ["PATH"],
                ),
            )
        ),
        "HOME": str(home),
        "SQUADS_HOME": str(home / "keys"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "reader" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "COLUMNS": "80",
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
    }
    return subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
