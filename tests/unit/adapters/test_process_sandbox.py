"""What `ProcessSandbox` does beyond the suite: hidden folders, a kernel that gives little, a supervisor that fails."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from squads.adapters import process_sandbox
from squads.adapters.process_sandbox import ProcessSandbox
from squads.contracts.errors import InvalidInput, SandboxUnavailable
from squads.kernel.model_ports import Ran

_REALLY = ProcessSandbox().enforces
ALL = frozenset(("time", "output", "memory", "processes", "network", "files"))
WORD = f"71.{os.getpid()}"
"""How long a process sleeps that must not be there afterwards; each test run, and each test, has its own."""
GRANDCHILD = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("made", "w").write(str(os.getpid()))
        os.rename("made", "pid")
        os.execvp("sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
while not os.path.exists("pid"):
    pass
"""


async def python(sandbox: ProcessSandbox, folder: Path, code: str, *arguments: str, **more: Any) -> Ran:
    return await sandbox.run(("python", "-c", code, *arguments), folder=str(folder), **{"seconds_max": 20.0, **more})


def holds(monkeypatch: pytest.MonkeyPatch, *bounds: str) -> None:
    """Let the kernel give no more than these; fewer, where it really gives fewer."""
    bounds = tuple(set(bounds) & _REALLY)
    monkeypatch.setattr(process_sandbox, "_probed", lambda: frozenset(("time", "output", *bounds)))


def running(word: str) -> list[str]:
    """Return every process of this machine that was started with this word."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in place.read_bytes().split(b"\0"):
                found.append(place.parent.name)
        except OSError:
            continue
    return found


def test_what_it_enforces_is_tried_out_once() -> None:
    """Time and output always hold; nothing is claimed that is no bound."""
    enforced = ProcessSandbox().enforces

    assert {"time", "output"} <= enforced <= ALL
    assert "memory" in enforced or sys.platform != "linux"
    assert enforced is ProcessSandbox().enforces


def test_what_the_kernel_gives_is_claimed() -> None:
    """Asked in another way than the probe does: a layer that breaks must not vanish without a test that fails."""

    def can(*command: str) -> bool:
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    landlock = "import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1) < 3)"
    given = {
        "network": can("unshare", "--user", "--net", "true"),
        "processes": can("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"),
        "files": sys.platform == "linux" and can(sys.executable, "-c", landlock),
    }

    assert {bound for bound, there in given.items() if there} <= ProcessSandbox().enforces


def test_a_layer_that_fails_is_not_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A supervisor that cannot put one up says so, and the others are still tried."""
    stub = tmp_path / "supervisor.py"
    stub.write_text("import json, sys; sys.exit('processes' in json.loads(sys.stdin.readline())['layers'])")
    monkeypatch.setattr(process_sandbox, "_SUPERVISOR", stub)

    assert {"time", "output", "memory", "network", "files"} == process_sandbox._probed.__wrapped__()


def test_without_a_supervisor_only_time_and_output_are_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be started, nothing more is known to hold."""
    monkeypatch.setattr(process_sandbox, "_supervisor", lambda: ("/no/such/program",))

    assert {"time", "output"} == process_sandbox._probed.__wrapped__()


async def test_a_hidden_folder_is_empty_and_a_hidden_file_too(tmp_path: Path) -> None:
    """What the caller names cannot be read, and a link does not help."""
    inside, secret, key = tmp_path / "inside", tmp_path / "secret", tmp_path / "key"
    inside.mkdir()
    secret.mkdir()
    (secret / "token").write_text("hunter2")
    key.write_text("hunter2")
    (inside / "way").symlink_to(secret)
    code = f"import os; print(os.listdir('way'), os.listdir({str(secret)!r}), repr(open({str(key)!r}).read()))"
    ran = await python(ProcessSandbox(hidden=(secret, key)), inside, code)

    assert b"[] [] ''\n" == ran.output or "processes" not in _REALLY
    assert "hunter2" == key.read_text() == (secret / "token").read_text()


async def test_the_keys_of_squads_are_hidden_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that reads a key could sign for its role."""
    inside, keys = tmp_path / "inside", tmp_path / "keys"
    inside.mkdir()
    keys.mkdir()
    (keys / "root.key").write_text("hunter2")
    monkeypatch.setenv("SQUADS_HOME", str(keys))
    ran = await python(ProcessSandbox(), inside, f"import os; print(os.listdir({str(keys)!r}))")

    assert b"[]\n" == ran.output or "processes" not in _REALLY


async def test_a_folder_that_is_to_be_hidden_is_not_worked_in(tmp_path: Path) -> None:
    """It would be covered under the command's feet: said before anything is started."""
    with pytest.raises(SandboxUnavailable, match="hidden"):
        await python(ProcessSandbox(hidden=(tmp_path,)), tmp_path, "open('made', 'w')")

    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("bounds", [("processes",), ("files",), ("processes", "files", "network")])
async def test_our_own_environment_is_out_of_reach(bounds: tuple[str, ...], tmp_path: Path, monkeypatch: Any) -> None:
    """It holds keys of providers; namespaces or Landlock, each alone, keep a command of the same user from it."""
    if not _REALLY.issuperset(bounds):
        return
    holds(monkeypatch, *bounds)
    ran = await python(ProcessSandbox(), tmp_path, f"print(open('/proc/{os.getpid()}/environ').read())")

    assert 1 == ran.exit_code
    assert b"PermissionError" in ran.output or b"FileNotFoundError" in ran.output


async def test_a_command_cannot_end_its_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process of a namespace hears nothing from within; Landlock forbids even to call."""
    if "processes" not in _REALLY:
        return
    code = "import os\ntry:\n    os.kill(os.getppid(), 9)\nexcept PermissionError: print('forbidden')\nprint('here')"
    both = await python(ProcessSandbox(), tmp_path, code)
    holds(monkeypatch, "processes")
    alone = await python(ProcessSandbox(), tmp_path, code)

    assert (0, b"here\n") == (alone.exit_code, alone.output)
    assert 0 == both.exit_code
    assert both.output.endswith(b"here\n")


async def test_a_command_gains_no_rights(tmp_path: Path) -> None:
    """None of the capabilities that its supervisor has in the namespace, and none by programs of root."""
    ran = await python(ProcessSandbox(), tmp_path, "print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in ran.output.decode().splitlines() if ":\t" in line)

    assert {"0" * 16} == {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
    assert "1" == status["NoNewPrivs"]


async def test_without_namespaces_grandchildren_are_still_found(tmp_path: Path, monkeypatch: Any) -> None:
    """Orphans of the command come to the supervisor, which ends them; only who fights it may escape."""
    holds(monkeypatch)
    ran = await python(ProcessSandbox(), tmp_path, GRANDCHILD, WORD + "1")

    assert (0, "") == (ran.exit_code, ran.ended)
    assert (tmp_path / "pid").read_text()
    assert [] == running(WORD + "1")


async def test_without_namespaces_a_late_command_takes_its_grandchildren_along(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """The same when the time is over."""
    holds(monkeypatch)
    ran = await python(ProcessSandbox(), tmp_path, GRANDCHILD + "while True: pass", WORD + "2", seconds_max=3.0)

    assert "time" == ran.ended
    assert (tmp_path / "pid").read_text()
    assert [] == running(WORD + "2")


@pytest.mark.parametrize("bounds", [(), ("processes",)])
async def test_a_cancelled_command_takes_its_grandchildren_along(
    bounds: tuple[str, ...], tmp_path: Path, monkeypatch: Any
) -> None:
    """With and without namespaces, before the cancelled call returns; and its temporary folder is gone."""
    holds(monkeypatch, *bounds)
    word = f"{WORD}4{len(bounds)}"
    os.mkfifo(tmp_path / "ready")
    code = GRANDCHILD + "open('ready', 'w').write('yes')\nwhile True: pass"
    task = asyncio.ensure_future(python(ProcessSandbox(), tmp_path, code, word))
    assert "yes" == await asyncio.to_thread((tmp_path / "ready").read_text)
    assert running(word)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [] == running(word)
    assert {"pid", "ready"} == set(os.listdir(tmp_path))


async def test_without_namespaces_a_flood_of_processes_is_ended(tmp_path: Path, monkeypatch: Any) -> None:
    """By looking, and not by the kernel; so it is not claimed."""
    holds(monkeypatch)
    ran = await python(
        ProcessSandbox(processes_max=40), tmp_path, "import os\nfor _ in range(1000): os.fork() or 1 / 0"
    )

    assert 0 != ran.exit_code or ran.ended == "processes"
    assert 0 != len(ran.output) or ran.ended == "processes"


@pytest.mark.parametrize("bounds", [(), ("processes",)])
def test_a_caller_that_dies_takes_the_command_along(bounds: tuple[str, ...], tmp_path: Path) -> None:
    """Killed without a chance to clean up: the leash is cut, and the supervisor ends everything."""
    program = (
        "import asyncio, sys\n"
        "from squads.adapters import process_sandbox as p\n"
        f"p._probed = lambda: frozenset({bounds!r})\n"
        "code = \"import time; f = open('ready', 'w'); print('yes', file=f, flush=True); time.sleep(600)\"\n"
        "asyncio.run(p.ProcessSandbox().run(('python', '-c', code), folder=sys.argv[1], seconds_max=600))\n"
    )
    os.mkfifo(tmp_path / "ready")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], env=environment) as caller,
        open(tmp_path / "ready") as ready,
    ):
        assert "yes\n" == ready.readline()
        caller.kill()

        # It ends when the command, which holds the other end, is gone.
        assert "" == ready.read()


async def test_a_supervisor_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed after the grace; the command counts as ended by its time."""
    stub = tmp_path / "supervisor.py"
    stub.write_text("import time; time.sleep(71.004)")
    monkeypatch.setattr(process_sandbox, "_SUPERVISOR", stub)
    monkeypatch.setattr(process_sandbox, "GRACE_SECONDS", 0.1)
    holds(monkeypatch)
    ran = await python(ProcessSandbox(), tmp_path, "print()", seconds_max=0.2)

    assert (None, "time") == (ran.exit_code, ran.ended)
    assert [] == running(str(stub))


async def test_who_escaped_and_holds_the_output_holds_nobody_up(tmp_path: Path, monkeypatch: Any) -> None:
    """Without namespaces it can happen; the command has ended, and what it wrote until then counts."""
    stub = tmp_path / "supervisor.py"
    stub.write_text(
        "import json, os, sys, time\nsys.stdin.readline(); os.write(2, b'said')\n"
        "if os.fork() == 0: os.setsid(); os.close(1); time.sleep(12); os._exit(0)\n"
        "print(json.dumps({'exit_code': 0, 'ended': ''}))"
    )
    monkeypatch.setattr(process_sandbox, "_SUPERVISOR", stub)
    monkeypatch.setattr(process_sandbox, "GRACE_SECONDS", 0.2)
    holds(monkeypatch)
    ran = await python(ProcessSandbox(), tmp_path, "print()")

    assert (0, b"said", "") == (ran.exit_code, ran.output, ran.ended)
    assert ran.wait_ms < 10_000


async def test_a_supervisor_without_a_word_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not finding out how a command ended is an error, never an exit code."""
    stub = tmp_path / "supervisor.py"
    stub.write_text("")
    monkeypatch.setattr(process_sandbox, "_SUPERVISOR", stub)
    holds(monkeypatch)

    with pytest.raises(SandboxUnavailable, match="without a word"):
        await python(ProcessSandbox(), tmp_path, "print()")


async def test_output_is_bytes_whatever_a_program_writes(tmp_path: Path) -> None:
    """Half a character and a NUL come as they were written."""
    code = "import os; os.write(1, b'\\xc3\\x00\\xff'); os.write(2, 'ü'.encode())"
    ran = await python(ProcessSandbox(), tmp_path, code)

    assert b"\xc3\x00\xff" + "ü".encode() == ran.output


async def test_a_temporary_folder_is_removed_whatever_was_left_in_it(tmp_path: Path) -> None:
    """Folders that may not be entered, and links, which are not followed."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    code = (
        "import os; os.chdir(os.environ['TMPDIR']); os.makedirs('a/b'); open('a/b/c', 'w')\n"
        "os.symlink('../../kept', 'a/link'); os.symlink('../kept', 'link'); os.chmod('a/b', 0); os.chmod('a', 0)"
    )
    ran = await python(ProcessSandbox(), tmp_path, code)

    assert 0 == ran.exit_code, ran.output
    assert ["kept"] == os.listdir(tmp_path)
    assert "kept" == (tmp_path / "kept" / "file").read_text()


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """And one that is a file."""
    (tmp_path / "file").write_text("")
    for name in ("nothing", "file"):
        with pytest.raises(InvalidInput, match="folder"):
            await python(ProcessSandbox(), tmp_path / name, "print()")


@pytest.mark.parametrize("environment", [{"A=B": "x"}, {"": "x"}, {"A": "x\0y"}])
async def test_an_environment_that_cannot_be_given_is_said(environment: dict[str, str], tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(InvalidInput):
        await python(ProcessSandbox(), tmp_path, "open('made', 'w')", environment=environment)

    assert [] == os.listdir(tmp_path)


def test_a_sandbox_for_no_process_is_refused() -> None:
    """A command is one process at least."""
    with pytest.raises(InvalidInput, match="processes_max"):
        ProcessSandbox(processes_max=0)


def test_the_supervisor_imports_nothing_of_ours() -> None:
    """It runs isolated, and must start quickly."""
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print(sorted(m for m in sys.modules if 'squads' in m))"
    command = [sys.executable, "-I", "-S", "-c", code, str(process_sandbox._SUPERVISOR)]
    listed = subprocess.run(command, capture_output=True, check=True).stdout

    assert [] == json.loads(listed)


async def test_a_supervisor_that_is_killed_takes_everything_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outer one of the two is out of the namespace, where anybody may end it; the inner one does not outlive it."""
    if "processes" not in _REALLY:
        return
    holds(monkeypatch, "processes")
    os.mkfifo(tmp_path / "ready")
    code = "import time; open('ready', 'w').write('yes'); time.sleep(600)"
    task = asyncio.ensure_future(python(ProcessSandbox(), tmp_path, code, WORD + "5", seconds_max=300.0))
    assert "yes" == await asyncio.to_thread((tmp_path / "ready").read_text)
    ours = [int(name) for name in running(str(process_sandbox._SUPERVISOR)) if parent_of(name) == os.getpid()]
    assert 1 == len(ours)
    os.kill(ours[0], 9)

    with pytest.raises(SandboxUnavailable):
        await task
    assert [] == running(WORD + "5")


def parent_of(process: str) -> int:
    """Return who started a process; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0
