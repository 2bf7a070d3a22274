"""Programs that use squads, started quickly: processes of their own, forked from one that has already loaded it.

Half a second and more of every start is spent on loading modules. `squads()` and `python()` return programs to run in
place of the installed `squads` and of `sys.executable` (with code, a module or a file): they hand arguments,
environment, folder and open files to a server, which forks; the fork is the program. It reads, writes, exits and is
killed like any other process, and told to end: SIGTERM and SIGINT are handed on. Whoever tests loading, other signals,
process ids or the installed script itself runs the real one.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_LOADED = (
    "squads.cli.app",
    "squads.cli.gate",
    "squads.cli.run",
    "squads.cli.report",
    "squads.cli.init",
    "squads.cli.squad",
    "squads.cli.show",
    "squads.cli.status",
    "squads.cli.verify",
    "squads.adapters.sqlite_store",
    "squads.gates.sql.read",
    "squads.gates.sql.catalog",
    "squads.project",
    "squads.squad",
    "squads.pages",
    "rich.console",
    "yaml",
    "sqlglot",
    "squads.adapters.sqlite_ledger",
    "squads.adapters.sqlite_moment",
    "squads.adapters.sqlite_writer",
    "squads.adapters.git",
    "squads.cli.keys",
    "squads.bench",
)
_FORKS = hasattr(os, "pidfd_open")
"""Where it is not, the real programs stand in."""
_CLIENT = """#!{python} -IS
import _signal, array, json, os, socket, sys
link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
link.connect({path!r})
arguments = [{name!r}, *sys.argv[1:]]
order = {{"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}}
order = json.dumps(order).encode()
files = array.array("i", [0, 1, 2])
link.sendmsg([len(order).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
link.sendall(order)
running = int.from_bytes(link.recv(4), "big")
for number in (_signal.SIGTERM, _signal.SIGINT):
    _signal.signal(number, lambda number, _: os.kill(running, number))
code = link.recv(4)
code = int.from_bytes(code, "big") if len(code) == 4 else 97
if code > 128:
    if code - 128 != _signal.SIGKILL:
        _signal.signal(code - 128, _signal.SIG_DFL)
    os.kill(os.getpid(), code - 128)
os._exit(code)
"""


def squads() -> Path:
    """Return the program to run in place of the installed `squads`."""
    return _folder() / "squads" / "squads" if _FORKS else Path(sys.executable).with_name("squads")


def python(*modules: str) -> Path:
    """Return the program to run in place of `sys.executable`, as `python -c CODE ...`, `-m MODULE ...` or `FILE ...`.

    With `modules` it is forked from a server of its own that has loaded these, and nothing of squads.
    """
    return _folder(*modules) / "python" / "python" if _FORKS else Path(sys.executable)


@cache
def _folder(*modules: str) -> Path:
    """Return the folder of the programs. Their server starts with the first call, and ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="squads-quick-"))
    address = str(folder / "socket")
    for name in ("squads", "python"):
        program = folder / name / name  # apart: whoever puts one into PATH does not get the other
        program.parent.mkdir()
        program.write_text(_CLIENT.format(python=sys.executable, path=address, name=name), "utf-8")
        program.chmod(0o700)
    server = subprocess.Popen(
        [sys.executable, __file__, address, *modules],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert server.stdout is not None
    if server.stdout.readline() != b"listening\n":
        raise RuntimeError("the server for quick programs did not start; run `python tests/quick_start.py /tmp/x`")

    def end() -> None:
        server.kill()
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return folder


def _serve(address: str, *modules: str) -> None:
    """Fork for everybody who connects, until whoever started this has ended."""
    import importlib
    import selectors

    for name in modules or _LOADED:
        importlib.import_module(name)
    if not modules:
        importlib.import_module("squads.gates.builtin").built_in()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for commands
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server, selectors.DefaultSelector() as ready:
        server.bind(address)
        server.listen(64)
        ready.register(server, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            if any(key.fileobj is sys.stdin for key, _ in ready.select()):
                return
            link, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _attend(link)
            link.close()


def _attend(link: socket.socket) -> None:
    """Run one command as a child; end it when whoever asked is gone."""
    import selectors

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files = _order(link)
    running = os.fork()
    if running == 0:
        _become(link, head, files)
    with contextlib.suppress(OSError):
        link.sendall(running.to_bytes(4, "big"))
    for file in files:
        os.close(file)
    ended = os.pidfd_open(running)
    with selectors.DefaultSelector() as ready:
        ready.register(ended, selectors.EVENT_READ)
        ready.register(link, selectors.EVENT_READ)
        if not any(key.fileobj == ended for key, _ in ready.select()):
            os.kill(running, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(running, 0)[1])
    with contextlib.suppress(OSError):
        link.sendall((code if code >= 0 else 128 - code).to_bytes(4, "big"))
    os._exit(0)


def _order(link: socket.socket) -> tuple[dict[str, object], list[int]]:
    files = array.array("i")
    head, told, _, _ = link.recvmsg(4, socket.CMSG_SPACE(3 * files.itemsize))
    for _, _, data in told:
        files.frombytes(data[: len(data) - len(data) % files.itemsize])
    size, body = int.from_bytes(head, "big"), b""
    while len(body) < size:
        body += link.recv(size - len(body))
    return json.loads(body), list(files)


def _become(link: socket.socket, order: dict[str, object], files: list[int]) -> None:
    """Be the command, from its folder to its exit code."""
    import threading

    link.close()
    os.setpgid(0, 0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, buffering, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode, buffering in ((0, "r", -1), (1, "w", -1), (2, "w", 1))
    )
    os.environ.clear()
    os.environ.update(order["environment"])  # type: ignore[call-overload]
    os.chdir(str(order["folder"]))
    name, *arguments = order["arguments"]  # type: ignore[misc]
    code: object = 0
    try:
        _run(name, arguments)
    except SystemExit as exit:
        code = exit.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(int(code or 0))  # type: ignore[call-overload]


def _run(name: str, arguments: list[str]) -> None:
    import runpy
    import types

    if name == "squads":
        from squads.cli import main

        sys.argv = [name, *arguments]
        main()
    elif arguments[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *arguments[2:]], ""
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(arguments[1], "<string>", "exec"), module.__dict__)
    elif arguments[0] == "-m":
        sys.argv, sys.path[0] = arguments[1:], os.getcwd()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).resolve().parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    _serve(*sys.argv[1:])
