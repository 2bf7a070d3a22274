"""What every `Sandbox` must do, as tests: subclass, say how to make one, and let pytest collect it.

    from squads.testing import SandboxConformance

    class TestMySandbox(SandboxConformance):
        def sandbox(self):
            return MySandbox()

It needs pytest-asyncio in auto mode, and a program `python` in the sandbox. A bound that `enforces` does not name is
not tried; a bound that it names must hold. The suite never looks inside a sandbox: it only runs commands.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from squads.contracts.errors import InvalidInput
from squads.kernel.model_ports import Ran, Sandbox

SECONDS_MAX = 20.0
"""How long a command may take that is meant to end by itself."""
_MEBIBYTE = 1024**2
_GRANDCHILD = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            with open("alive", "a") as file:
                file.write(".")
            time.sleep(0.01)
    os._exit(0)
os.wait()
while not os.path.exists("alive"):
    time.sleep(0.01)
open("ready", "w").close()
"""


class SandboxConformance:
    """The suite. `sandbox` is all that a subclass must give."""

    def sandbox(self) -> Sandbox:
        """Return a sandbox."""
        raise TypeError("a subclass says how to make one")

    async def python(self, code: str, folder: Path, *arguments: str, seconds_max: float = SECONDS_MAX) -> Ran:
        """Run a few lines of Python in `folder`."""
        command = ("python", "-c", code, *arguments)
        return await self.sandbox().run(command, folder=str(folder), seconds_max=seconds_max)

    async def test_it_says_how_a_command_ended_and_what_it_wrote(self, tmp_path: Path) -> None:
        """Standard output and standard error together, as they came, and the exit code whatever it is."""
        code = "import sys; print('Grüße', flush=True); print('no', file=sys.stderr, flush=True); sys.exit(7)"
        ran = await self.python(code, tmp_path)

        assert (ran.exit_code, ran.output.decode(), ran.ended) == (7, "Grüße\nno\n", "")
        assert ran.wait_ms > 0

    async def test_no_shell_reads_the_arguments(self, tmp_path: Path) -> None:
        """Every argument arrives as it was given."""
        given = ("$HOME", "; touch made", "*", "'", "", "ä ö")
        ran = await self.python("import sys; print(sys.argv[1:])", tmp_path, *given)

        assert str(list(given)) == ran.output.decode().strip()

    async def test_it_works_in_the_folder_with_nothing_of_our_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only where programs are found, a home, a place for temporary files, and what was given."""
        monkeypatch.setenv("SOME_API_KEY", "secret")
        code = "import os; print(sorted(os.environ)); print(os.path.isdir(os.environ['TMPDIR'])); open('made', 'w')"
        given = {"GIVEN": "yes"}
        ran = await self.sandbox().run(
            ("python", "-c", code), folder=str(tmp_path), seconds_max=SECONDS_MAX, environment=given
        )

        names, there, *_ = ran.output.decode().splitlines()
        assert {"PATH", "HOME", "LANG", "TMPDIR", "GIVEN"} == set(eval(names)) - {"LC_CTYPE"}  # noqa: S307
        assert there == "True"
        assert os.listdir(tmp_path) == ["made"]  # noqa: PTH208

    async def test_it_has_no_input(self, tmp_path: Path) -> None:
        """A command that asks a question gets no answer, and is not waited for."""
        ran = await self.python("import sys; print(repr(sys.stdin.read()))", tmp_path)

        assert ran.output == b"''\n"

    async def test_two_commands_at_once_do_not_mix(self, tmp_path: Path) -> None:
        """Each has its own output."""
        numbers = range(4)
        every = await asyncio.gather(
            *(self.python("import sys; print(sys.argv[1])", tmp_path, str(n)) for n in numbers)
        )

        assert [f"{n}\n".encode() for n in numbers] == [ran.output for ran in every]

    @pytest.mark.parametrize(
        "command",
        [(), ("",), ("no-such-program",), ("./no-program",), ("./plain",), ("python", "a\0b"), ("python", "\ud800")],
        ids=["nothing", "no name", "unknown", "missing", "not executable", "NUL", "half a character"],
    )
    async def test_what_cannot_be_started_is_said(self, command: tuple[str, ...], tmp_path: Path) -> None:
        """One sentence, and no trace in the folder."""
        (tmp_path / "plain").write_text("no program")

        with pytest.raises(InvalidInput):
            await self.sandbox().run(command, folder=str(tmp_path), seconds_max=SECONDS_MAX)

        assert os.listdir(tmp_path) == ["plain"]  # noqa: PTH208

    async def test_a_command_ends_at_its_time(self, tmp_path: Path) -> None:
        """With what it had written until then."""
        code = "import time; print('begun', flush=True); time.sleep(60)"
        ran = await self.python(code, tmp_path, seconds_max=1.0)

        assert (ran.exit_code, ran.output, ran.ended) == (None, b"begun\n", "time")
        assert 1_000 <= ran.wait_ms < 6_000

    async def test_cancelling_ends_the_command(self, tmp_path: Path) -> None:
        """When the cancelled call has returned, what it started is gone."""
        os.mkfifo(tmp_path / "ready")
        code = "import time; open('ready', 'w').write('yes'); time.sleep(0.3); open('late', 'w')"
        running = asyncio.ensure_future(self.python(code, tmp_path))
        assert await asyncio.to_thread((tmp_path / "ready").read_text) == "yes"

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        # Another command outlasts what the first one meant to do.
        await self.python("import time; time.sleep(0.6)", tmp_path)
        assert not (tmp_path / "late").exists()

    async def test_output_without_end_is_bounded(self, tmp_path: Path) -> None:
        """What was read until then is kept, and the command is ended."""
        command = ("python", "-c", "while True: print('x' * 1000)")
        ran = await self.sandbox().run(command, folder=str(tmp_path), seconds_max=SECONDS_MAX, output_bytes_max=5_000)

        assert (ran.exit_code, len(ran.output), ran.ended) == (None, 5_000, "output")

    async def test_output_at_the_bound_is_whole(self, tmp_path: Path) -> None:
        """The bound itself is allowed."""
        command = ("python", "-c", "print('x' * 4999)")
        ran = await self.sandbox().run(command, folder=str(tmp_path), seconds_max=SECONDS_MAX, output_bytes_max=5_000)

        assert (ran.exit_code, len(ran.output), ran.ended) == (0, 5_000, "")

    async def test_memory_is_bounded_for_one_process(self, tmp_path: Path) -> None:
        """It does not get what is over the bound."""
        if "memory" in self.sandbox().enforces:
            code = "b = bytearray(400 * 1024**2); print('got it')"
            ran = await self.sandbox().run(
                ("python", "-c", code), folder=str(tmp_path), seconds_max=SECONDS_MAX, memory_bytes_max=200 * _MEBIBYTE
            )

            assert b"got it" not in ran.output
            assert ran.exit_code != 0

    async def test_memory_is_bounded_for_all_processes_together(self, tmp_path: Path) -> None:
        """Ten small hogs are a large one."""
        if "memory" in self.sandbox().enforces:
            code = (
                "import os, time\n"
                "for _ in range(10):\n    if not os.fork():\n        b = bytes(range(256)) * 327_680; time.sleep(60)\n"
                "time.sleep(60)"
            )
            ran = await self.sandbox().run(
                ("python", "-c", code), folder=str(tmp_path), seconds_max=SECONDS_MAX, memory_bytes_max=200 * _MEBIBYTE
            )

            assert (ran.exit_code, ran.ended) == (None, "memory")

    async def test_no_file_grows_over_the_bound(self, tmp_path: Path) -> None:
        """A program that does not look at what writing returns is ended; one that looks is told."""
        if "files" in self.sandbox().enforces:
            code = "import signal as s; s.signal(s.SIGXFSZ, s.SIG_DFL); open('big', 'wb').write(bytes(3 * 1024**2))"
            ran = await self.sandbox().run(
                ("python", "-c", code), folder=str(tmp_path), seconds_max=SECONDS_MAX, file_bytes_max=_MEBIBYTE
            )

            assert (ran.exit_code, ran.ended) == (None, "files")
            assert (tmp_path / "big").stat().st_size <= _MEBIBYTE

    @pytest.mark.parametrize(
        "change",
        [
            "open(there + '/new', 'w')",
            "open(there + '/old', 'w')",
            "open(there + '/old', 'a').write('x')",
            "os.truncate(there + '/old', 0)",
            "os.remove(there + '/old')",
            "os.rename(there + '/old', 'mine')",
            "os.link(there + '/old', 'mine'); open('mine', 'w')",
            "os.symlink(there, 'way'); open('way/old', 'w')",
            "os.mkdir(there + '/folder')",
            "os.symlink('old', there + '/link')",
        ],
    )
    async def test_nothing_outside_of_the_folder_is_changed(self, change: str, tmp_path: Path) -> None:
        """Neither directly, nor through a link, nor under a second name."""
        if "files" in self.sandbox().enforces:
            inside, outside = tmp_path / "inside", tmp_path / "outside"
            inside.mkdir()
            outside.mkdir()
            (outside / "old").write_text("as it was")
            ran = await self.python(f"import os, sys; there = sys.argv[1]; {change}", inside, str(outside))

            assert ran.exit_code != 0, ran.output
            assert os.listdir(outside) == ["old"]  # noqa: PTH208
            assert (outside / "old").read_text() == "as it was"

    async def test_the_folder_itself_is_free(self, tmp_path: Path) -> None:
        """Files, folders, links, moves and removals, and the usual devices."""
        code = (
            "import os; os.makedirs('a/b'); open('a/b/one', 'w').write('1'); os.rename('a/b/one', 'two')\n"
            "os.symlink('two', 'three'); os.rmdir('a/b'); open(os.devnull, 'w').write('x'); print(open('three').read())"
        )
        ran = await self.python(code, tmp_path)

        assert (ran.exit_code, ran.output) == (0, b"1\n")

    async def test_a_flood_of_processes_is_bounded(self, tmp_path: Path) -> None:
        """It ends soon, and this machine still answers."""
        if "processes" in self.sandbox().enforces:
            ran = await self.python("import os\nwhile True: os.fork()", tmp_path)

            assert ran.exit_code != 0
            assert ran.wait_ms < SECONDS_MAX * 1_000

    async def test_nothing_outlives_the_command(self, tmp_path: Path) -> None:
        """Also not a grandchild that left its session and its parent."""
        if "processes" in self.sandbox().enforces:
            ran = await self.python(_GRANDCHILD, tmp_path)
            size = (tmp_path / "alive").stat().st_size
            await self.python("import time; time.sleep(0.2)", tmp_path)

            assert ran.exit_code == 0, ran.output
            assert (tmp_path / "ready").exists()
            assert size == (tmp_path / "alive").stat().st_size

    async def test_nothing_outlives_the_time(self, tmp_path: Path) -> None:
        """The same where the command had to be ended."""
        if "processes" in self.sandbox().enforces:
            ran = await self.python(_GRANDCHILD + "time.sleep(60)", tmp_path, seconds_max=1.5)
            size = (tmp_path / "alive").stat().st_size
            await self.python("import time; time.sleep(0.2)", tmp_path)

            assert ran.ended == "time"
            assert (tmp_path / "ready").exists()
            assert size == (tmp_path / "alive").stat().st_size

    async def test_no_process_outside_is_seen(self, tmp_path: Path) -> None:
        """Whoever can see a process can often read its environment, and end it."""
        if "processes" in self.sandbox().enforces:
            code = f"import os; print(os.path.exists('/proc/self'), flush=True); os.kill({os.getpid()}, 0)"
            ran = await self.python(code, tmp_path)

            assert ran.exit_code == 1
            assert ran.output.startswith(b"True\n")
            assert b"ProcessLookupError" in ran.output

    async def test_there_is_no_network(self, tmp_path: Path) -> None:
        """A server of this machine is not reached; with `network=True` it is."""
        if "network" not in self.sandbox().enforces:
            return
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            code = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=10).close()"
            off = await self.python(code, tmp_path)
            on = await self.sandbox().run(
                ("python", "-c", code), folder=str(tmp_path), seconds_max=SECONDS_MAX, network=True
            )

        assert off.exit_code == 1
        assert b"ConnectionRefused" in off.output
        assert (on.exit_code, on.output) == (0, b"")

    async def test_its_own_loopback_works(self, tmp_path: Path) -> None:
        """Tests that start a server and ask it are an ordinary thing to run."""
        code = (
            "import socket; s = socket.create_server(('127.0.0.1', 0)); "
            "socket.create_connection(s.getsockname(), timeout=10); print('yes')"
        )
        ran = await self.python(code, tmp_path)

        assert (ran.exit_code, ran.output) == (0, b"yes\n")
