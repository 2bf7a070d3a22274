"""`squads doctor`, `acl` and `status --bus` as a person and as a program reads them."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from desk_store import fill

from squads.adapters.redis_bus.names import Names
from squads.cli.app import main
from squads.testing.redis_server import RedisServer

WS = "0123456789abcdef0123456789abcdef"
Typed = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def squads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run a command as it is typed, but in this process: a new one for each costs more than the command."""
    monkeypatch.chdir(tmp_path)

    def typed(*arguments: str) -> CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["squads", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return CompletedProcess(arguments, code if isinstance(code, int) else 0, *capsys.readouterr())

    return typed


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def test_the_doctor_says_what_is_fine_and_which_line_to_change(
    squads: Typed, server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning is exit code 0 and a refusal 2; the address comes from SQUADS_BUS, and its password is not said."""
    monkeypatch.setenv("SQUADS_BUS", server.url)
    sound = squads("doctor")
    with server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        unsafe = squads("doctor")
        told = json.loads(squads("doctor", "--json").stdout)
        client.config_set("maxmemory-policy", "noeviction")

    assert 0 == sound.returncode, sound.stderr
    assert "Fit for work." in sound.stdout
    assert "→ CONFIG SET appendfsync always" in sound.stdout
    assert 2 == unsafe.returncode == told["exit_code"]
    assert "✗ eviction" in unsafe.stdout
    assert "→ CONFIG SET maxmemory-policy noeviction" in unsafe.stdout
    assert ["eviction"] == [one["check"] for one in told["findings"] if one["grade"] == "refused"]
    assert server.password not in sound.stdout + unsafe.stdout


def test_the_doctor_without_a_server_is_one_sentence(squads: Typed, tmp_path: Path) -> None:
    """Exit code 2, no traceback, and the password is not in it."""
    nowhere = squads("doctor", "--bus", "redis://:hush@127.0.0.1:1")
    unnamed = squads("doctor")

    assert 2 == nowhere.returncode == unnamed.returncode
    assert nowhere.stderr.startswith("squads: the bus at redis://127.0.0.1:1 cannot be reached")
    assert 1 == len(nowhere.stderr.splitlines())
    assert "hush" not in nowhere.stderr
    assert "SQUADS_BUS" in unnamed.stderr


def test_the_rules_are_a_file_that_needs_passwords(squads: Typed, tmp_path: Path) -> None:
    """One line for each user on standard output and nothing else there; what is missing is said beside it."""
    done = squads("acl", "--workspace", WS, "--role", "carpenter", "--role", "schema")
    default, *lines = done.stdout.splitlines()

    assert 0 == done.returncode, done.stderr
    assert default.startswith("user default off ")
    assert ["runner", "watch", "carpenter", "schema"] == [line.split()[1].rsplit("-", 1)[1] for line in lines]
    assert all("#fill-in" in line and line.startswith("user squads-0123456789ab-") for line in lines)
    assert "--new-passwords" in done.stderr


def test_new_passwords_are_shown_once_and_only_their_hash_is_in_the_file(squads: Typed, tmp_path: Path) -> None:
    """Standard error has name and password; the line has the SHA-256."""
    done = squads("acl", "--workspace", WS, "--role", "carpenter", "--new-passwords")
    given = dict(line.split(" ") for line in done.stderr.splitlines())

    assert 3 == len(given)
    for line in done.stdout.splitlines()[1:]:
        password = given[line.split()[1]]
        assert f" #{sha256(password.encode()).hexdigest()} " in line
        assert password not in done.stdout


def test_passwords_go_into_a_new_file_of_their_owner(squads: Typed, tmp_path: Path) -> None:
    """Mode 0600 from the beginning; a file that is there is never written over."""
    file = tmp_path / "passwords"
    arguments = ["acl", "--workspace", WS, "--role", "carpenter", "--new-passwords", "--passwords", str(file)]
    done, again = squads(*arguments), squads(*arguments)
    alone = squads("acl", "--workspace", WS, "--role", "carpenter", "--passwords", str(file))

    assert (0, "") == (done.returncode, done.stderr)
    assert 0o600 == stat.S_IMODE(os.stat(file).st_mode)
    assert 3 == len(file.read_text().splitlines())
    assert 2 == again.returncode == alone.returncode
    assert "is there already" in again.stderr
    assert "--new-passwords" in alone.stderr


def test_the_rules_know_the_projects_own_roles_and_workspace(squads: Typed, tmp_path: Path) -> None:
    """Without a role named, each of the project has its user, also the coordinator that no card names."""
    (tmp_path / "a.sql").write_text("SELECT 1;\n")
    assert 0 == squads("init").returncode
    fill(tmp_path)
    done = squads("acl", "--json")
    workspace = json.loads(squads("status", "--json").stdout)["workspace"]
    users = json.loads(done.stdout)["users"]

    assert 0 == done.returncode, done.stderr
    assert {"runner", "watch", "one-task"} < {user["role"] for user in users}
    assert all(f"sq:{{{workspace}}}:" in user["line"] for user in users)


def test_status_shows_the_bus_beside_the_ledger(squads: Typed, server: RedisServer, tmp_path: Path) -> None:
    """Queues, workers, dead letters and the roster; an address with work and no worker is named."""
    fill(tmp_path)
    workspace = json.loads(squads("status", "--json").stdout)["workspace"]
    names = Names(workspace)
    address = "schema@ab12cd34ef56ab12"
    with server.client() as client:
        client.xgroup_create(names.requests(address).key, address, "0", mkstream=True)
        for _ in range(3):
            client.xadd(names.requests(address).key, {"b": "x"})
        client.xadd(names.dead, {"b": "x", "reason": "forged\x1b[2J"})
    done = squads("status", "--bus", server.url)
    told = json.loads(squads("status", "--json", "--bus", server.url).stdout)["bus"]

    assert 0 == done.returncode, done.stderr
    assert "schema as of prior ab12… has 3 waiting and nobody serves it" in done.stdout
    assert "1 dead letter: forged\\x1b[2J (1)" in done.stdout
    assert "roster: none is published" in done.stdout
    assert "What changed" in done.stdout
    assert server.password not in done.stdout
    assert ([address], 1, 3) == (told["unserved"], told["dead_total"], told["queues"][0]["waiting"])


def test_status_shows_the_ledger_where_the_bus_cannot_be_reached(squads: Typed, tmp_path: Path) -> None:
    """One sentence about the bus, exit code 2, and everything else as ever."""
    fill(tmp_path)
    done = squads("status", "--bus", "redis://127.0.0.1:1")
    told = json.loads(squads("status", "--json", "--bus", "redis://127.0.0.1:1").stdout)

    assert 2 == done.returncode == told["exit_code"]
    assert "the bus at redis://127.0.0.1:1 cannot be reached" in done.stdout
    assert "What happens next" in done.stdout
    assert "nobody listens there" in told["bus"]["error"]


def test_status_without_a_bus_is_as_it_was(squads: Typed, tmp_path: Path) -> None:
    """Who has none reads nothing of one."""
    fill(tmp_path)

    assert "The bus" not in squads("status").stdout
    assert "bus" not in json.loads(squads("status", "--json").stdout)
