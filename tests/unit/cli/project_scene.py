"""A scratch repository, and the command line run in it."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import quick_start

SQUADS = quick_start.squads()
DEFECT = "CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b));\n"
CLEAN = "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));\n"


def squads(*arguments: str, cwd: Path, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a command; no terminal is at the other end."""
    done = subprocess.run([SQUADS, *arguments], cwd=cwd, input=given, capture_output=True, check=False, timeout=60)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def git(cwd: Path, *arguments: str) -> str:
    """Run git as somebody."""
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    named |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    done = subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **named}, check=True, capture_output=True)
    return done.stdout.decode().strip()


def commit(cwd: Path, message: str) -> str:
    """Commit everything and return the commit's id."""
    git(cwd, "add", ".")
    git(cwd, "commit", "-q", "--allow-empty", "-m", message)
    return git(cwd, "rev-parse", "HEAD")


def write(cwd: Path, path: str, text: str) -> None:
    """Write a file and the folders above it."""
    (cwd / path).parent.mkdir(parents=True, exist_ok=True)
    (cwd / path).write_text(text)


def at_a_terminal(said: str, cwd: Path, *arguments: str, kind: str = "dumb") -> tuple[int, str]:
    """Run a command at a terminal of 80 columns, answer its question, and return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": kind, "NO_COLOR": "1"}
    with subprocess.Popen(
        [SQUADS, *arguments], cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    ) as running:
        os.close(theirs)
        shown = b""
        answered = False
        while chunk := _read(ours):
            shown += chunk
            if not answered and shown.rstrip().endswith(b"[y/N]"):
                os.write(ours, f"{said}\n".encode())
                answered = True
        code = running.wait(timeout=60)
    os.close(ours)
    return code, shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # whoever was at the other end has gone
        return b""
