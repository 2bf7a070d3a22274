"""A project with cards in a work tree of its own, and the processes that run and serve it over a server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import quick_start
from squads import Squad
from squads.buses import BusSettings
from squads.project import Project
from squads.testing.redis_server import RedisServer

SQUADS = quick_start.squads()
INSTALLED = Path(sys.executable).with_name("squads")
WITHIN_SECONDS = 60.0
CARDS = {
    "gates/schema.md": "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n",
    "roles/carpenter.md": "---\nname: carpenter\nkind: roles/carpenter.py:Carpenter\n---\nBuilds.\n",
    # While the file `hold` is there it works, and says in `begun` which process that is.
    "roles/carpenter.py": """
import asyncio, os, pathlib
from squads import Builder

class Carpenter(Builder):
    async def build(self, work):
        while pathlib.Path("hold").exists():
            pathlib.Path("begun").write_text(str(os.getpid()))
            await asyncio.sleep(0.01)
        mended = " NOT NULL" if work.findings and "stubborn" not in work.brief else ""
        note = f"-- {len(work.findings)} findings, attempt {work.attempt}\\n"
        return work.artifact({"t.sql": f"{note}CREATE TABLE t (a int NOT NULL, b int{mended}, UNIQUE (a, b));\\n"})
""",
    # What `squads worker` is, with a shorter patience for those that died.
    "quick_worker.py": """
import asyncio, os, sys
from pathlib import Path
from squads.buses import BusSettings, serve_roles
from squads.ledger.trust import Trust
from squads.project import Project

project = Project.on_disk(Path.cwd())
trust = Trust.from_json(Path(".squads/trust.json").read_bytes())
bus = BusSettings(url=os.environ["SQUADS_BUS"], dead_after_seconds=0.5)
ready = lambda: print("ready", os.getpid(), flush=True)
roles = [project.role(name) for name in sys.argv[1:]]
asyncio.run(serve_roles(roles, asyncio.Event(), bus=bus, trust=trust, ready=ready))
""",
}


class Running:
    """A process that was started, and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> str:
        """Return its next line on standard output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().rstrip("\n")
        assert line or self.process.poll() is None, self.process.communicate()[1]
        return line

    def warned(self, words: str) -> str:
        """Return its next line on standard error that has these words."""
        assert self.process.stderr is not None
        seen = []
        while line := self.process.stderr.readline():
            if words in line:
                return line
            seen.append(line)
        raise AssertionError(f"{words!r} was never said; this was: {''.join(seen)}")

    def ended(self, how: signal.Signals | None = None) -> tuple[int, str, str]:
        """Wait for its end, told to by a signal where one is given: its exit code and the rest of what it said."""
        if how is not None:
            self.process.send_signal(how)
        out, errors = self.process.communicate(timeout=WITHIN_SECONDS)
        return self.process.returncode, out, errors


class Workshop:
    """A committed project, a server for its bus, and the processes that were started for it."""

    def __init__(self, top: Path, server: RedisServer, opened: ExitStack, cards: dict[str, str]) -> None:
        self.top = top
        self.store = top / ".squads"
        self.server = server
        self._opened = opened
        top.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.commit(cards)

    def git(self, *arguments: str) -> None:
        """Run git as somebody."""
        named = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {**os.environ, **named, "GIT_CONFIG_GLOBAL": os.devnull}
        subprocess.run(["git", *arguments], cwd=self.top, env=environment, check=True, capture_output=True)

    def commit(self, files: dict[str, str]) -> None:
        """Write files and commit them."""
        for path, text in files.items():
            (self.top / path).parent.mkdir(exist_ok=True)
            (self.top / path).write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "cards")

    @property
    def project(self) -> Project:
        """The project as it stands."""
        found = Project.on_disk(self.top)
        assert found is not None
        return found

    def squad(self, **options: Any) -> Squad:
        """Return its squad, whose roles are all served elsewhere."""
        given: dict[str, Any] = {"store": self.store, "bus": self.server.url, "hosts": False, **options}
        return self.project.squad(**given)

    def settings(self, **options: Any) -> BusSettings:
        """The bus with settings of its own."""
        return BusSettings(url=self.server.url, **options)

    @property
    def environment(self) -> dict[str, str]:
        """What a process here is told of the bus: the password is in no argument."""
        return {**os.environ, "SQUADS_BUS": self.server.url}

    def squads(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [SQUADS, *arguments],
            cwd=self.top,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN_SECONDS,
        )

    def start(self, *command: str | Path, cwd: Path | None = None, **environment: str) -> Running:
        """Start a process that is ended with the test, whatever happens."""
        process = self._opened.enter_context(
            subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd or self.top,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self._opened.callback(process.kill)  # no error where it has ended
        return Running(process)

    def worker(
        self,
        *roles: str,
        more: tuple[str, ...] = (),
        cwd: Path | None = None,
        program: Path = SQUADS,
        **environment: str,
    ) -> Running:
        """Start `squads worker` for roles; its first line says that it is ready.

        Whoever asks which process works, or signals it, gives the program that is installed.
        """
        named = [part for role in roles for part in ("--role", role)]
        return self.start(program, "worker", *named, *more, cwd=cwd, **environment)

    def quick_worker(self, *roles: str) -> Running:
        """Start a worker that takes over from others within a second."""
        return self.start(sys.executable, "quick_worker.py", *roles)

    def hold(self) -> None:
        """Let builders work until `let_go`."""
        (self.top / "begun").unlink(missing_ok=True)
        (self.top / "hold").touch()

    def let_go(self) -> None:
        """Let builders finish."""
        (self.top / "hold").unlink()

    async def begun(self, *, other_than: int = 0) -> int:
        """Return the id of the process in which a builder works, once one does."""

        def who() -> int:
            begun = self.top / "begun"
            text = begun.read_text() if begun.exists() else ""
            return 0 if text in ("", str(other_than)) else int(text)

        await until(who)
        return who()


@contextmanager
def workshop(top: Path, server: RedisServer, cards: dict[str, str] = CARDS) -> Iterator[Workshop]:
    """Yield a workshop, and end its processes afterwards."""
    with ExitStack() as opened:
        yield Workshop(top, server, opened, cards)


async def until(reached: Callable[[], object]) -> None:
    """Return once something is so."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.01)
