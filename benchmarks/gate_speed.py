"""`squads gate` on a change of 1,000 Python and SQL files, beside ruff and bandit on the same files in the same run.

Each is a process of its own, as a person starts it, one after the other and in turn; wall time and the CPU time of the
process with all that it started. ruff and bandit read the Python files only, and keep no receipts: the ratio says what
a gate costs beside them, not that they do the same.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import report
from speed_files import files

RUNS = 3


def run(command: list[str], folder: Path, environment: dict[str, str], allowed: tuple[int, ...]) -> tuple[float, float]:
    """Return the wall and CPU seconds of a command; its exit code must be one of those allowed."""
    with tempfile.TemporaryFile() as said:
        before = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in allowed:
            said.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{said.read().decode('utf-8', 'replace')[-2000:]}")
    return wall, used.ru_utime + used.ru_stime


def change(modules: Path | None) -> dict[str, bytes]:
    """Return path to content of the change: the invented one, or its SQL beside as many modules of a real folder."""
    made = {path: text.encode() for path, text in files().items()}
    if modules is None:
        return made
    sql = {path: content for path, content in made.items() if path.endswith(".sql")}
    real = sorted(p for p in modules.rglob("*.py") if p.is_file() and p.stat().st_size)
    wanted = len(made) - len(sql)
    if len(real) < wanted:
        sys.exit(f"{modules} holds {len(real)} Python files; {wanted} are needed")
    chosen = real[:: len(real) // wanted][:wanted]
    return sql | {f"real/{p.relative_to(modules).as_posix()}": p.read_bytes() for p in chosen}


def scratch(folder: Path, environment: dict[str, str], made: dict[str, bytes]) -> Path:
    """Return a git repository whose work tree holds the change; nothing of it is committed."""
    tree = folder / "tree"
    tree.mkdir()
    (tree / "README.md").write_text("A shop.\n", "utf-8")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        subprocess.run(["git", *command], cwd=tree, env=environment, check=True)
    for path, content in made.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    return tree


def main() -> None:
    """Measure, and print one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=RUNS, help=f"how often; {RUNS} unless told")
    parser.add_argument("--modules", type=Path, help="take the Python files from this folder instead of invented ones")
    given = parser.parse_args()
    made = change(given.modules)
    beside = Path(sys.executable).parent
    found = {name: shutil.which(name, path=f"{beside}{os.pathsep}{os.environ['PATH']}") for name in ("ruff", "bandit")}
    with tempfile.TemporaryDirectory(prefix="squads-speed-") as name:
        folder = Path(name)
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "SQUADS_"))},
            "HOME": name,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            **{f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        tree = scratch(folder, environment, made)
        start = "import sys; from squads.cli import main; sys.exit(main())"
        commands: dict[str, tuple[list[str], tuple[int, ...]]] = {
            # Composed: everything was read. Real modules may be refused, but never be left unread.
            "gate": ([sys.executable, "-c", start, "gate"], (0, 1) if given.modules else (0,))
        }
        if found["ruff"]:
            commands["ruff"] = (
                [found["ruff"], "check", "--isolated", "--no-cache", "-q", "--select", "S", "."],
                (0, 1),
            )
        if found["bandit"]:
            commands["bandit"] = ([found["bandit"], "-q", "-r", "."], (0, 1))
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(given.runs):
            for name, (command, allowed) in commands.items():
                environment["SQUADS_HOME"] = str(folder / f"keys-{number}")
                shutil.rmtree(tree / ".squads", ignore_errors=True)
                measured[name].append(run(command, tree, environment, allowed))
    figures: dict[str, float] = {}
    for name, each in measured.items():
        figures[f"{name}_wall_seconds"] = statistics.median(wall for wall, _ in each)
        figures[f"{name}_cpu_seconds"] = statistics.median(cpu for _, cpu in each)
        figures[f"{name}_wall_seconds_worst"] = max(wall for wall, _ in each)
    for name in ("ruff", "bandit"):
        if name in measured:
            figures[f"cpu_over_{name}"] = figures["gate_cpu_seconds"] / figures[f"{name}_cpu_seconds"]
            figures[f"wall_over_{name}"] = figures["gate_wall_seconds"] / figures[f"{name}_wall_seconds"]
    lines = sum(content.count(b"\n") for content in made.values())
    report("gate_speed", files=len(made), lines=lines, runs=given.runs, **figures)


if __name__ == "__main__":
    main()
