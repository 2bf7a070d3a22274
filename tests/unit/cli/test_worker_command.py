"""`squads worker` and `squads enroll`, as they are started on a machine: by flags, and ended by signals."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

import pytest
from project_scene import commit, git, squads, write

from squads.audit import audit
from squads.cli.enroll import ask_or_register
from squads.cli.worker import Serving, serve_here
from squads.contracts.errors import InvalidInput, KeyUnavailable
from squads.project import Project

GATE = "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n"
PANEL = "---\nextends: squads:panel\nmembers: [schema, keys]\n---\nTogether.\n"
BUILDER = "---\nname: carpenter\nkind: roles/carpenter.py:Carpenter\n---\nBuilds.\n"
CARPENTER = """
import asyncio, pathlib
from squads import Builder

class Carpenter(Builder):
    async def build(self, work):
        while pathlib.Path("hold").exists():
            pathlib.Path("begun").touch()
            await asyncio.sleep(0.01)
        return work.artifact({"t.sql": "CREATE TABLE t (a int NOT NULL, UNIQUE (a));\\n"})
"""
ALL = ("--role", "carpenter", "--role", "schema", "--role", "one-task", "--bus", "redis://here")


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "gates/schema.md", GATE)
    write(top, "roles/carpenter.md", BUILDER)
    write(top, "roles/carpenter.py", CARPENTER)
    commit(top, "cards")
    return top


@pytest.fixture
def opened(workshop: Path) -> Path:
    """A workshop whose workspace is there, with keys for its roles."""
    found(workshop)
    return workshop


def found(top: Path) -> None:
    """Open a project's workspace, as a run of its squad would."""

    async def founded() -> None:
        project = Project.on_disk(top)
        assert project is not None
        squad = project.squad(store=top / ".squads")
        await squad.workspace()
        await squad.close()

    asyncio.run(founded())


class Started:
    """A worker process, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], cwd: Path) -> None:
        self.process = process
        self.cwd = cwd

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def until_begun(self) -> None:
        """Return when a builder has begun to work."""
        assert self.process.stderr is not None
        while not (self.cwd / "begun").exists():
            assert self.process.poll() is None, self.process.stderr.read()

    def ended(self) -> tuple[int, str, str]:
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors


@pytest.fixture
def worker() -> Iterator[object]:
    with ExitStack() as opened:

        def start(cwd: Path, *arguments: str, stderr: int | IO[str] = subprocess.PIPE) -> Started:
            child = Path(__file__).with_name("worker_child.py")
            command = [sys.executable, str(child), *arguments]
            process = opened.enter_context(
                subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=stderr, text=True)
            )
            opened.callback(lambda: process.poll() is None and process.kill())
            return Started(process, cwd)

        yield start


def test_a_worker_serves_until_it_is_told_to_stop(opened: Path, worker) -> None:  # type: ignore[no-untyped-def]
    """One line when it is ready, one when it has drained, exit code 0; its numbers are served meanwhile."""
    (opened / "hold").touch()
    started = worker(opened, *ALL, "--health", "0", "--log", "json")
    ready = json.loads(started.line())
    started.until_begun()
    lines = [json.loads(started.process.stderr.readline())]
    while "health is served" not in lines[-1]["message"]:
        lines.append(json.loads(started.process.stderr.readline()))
    place = f"http://127.0.0.1:{lines[-1]['message'].rsplit(' ', 1)[1]}"
    found = [urlopen(place + path, timeout=5).read().decode() for path in ("/live", "/ready", "/metrics")]
    started.process.send_signal(signal.SIGTERM)
    (opened / "hold").unlink()
    code, out, errors = started.ended()

    assert code == 0, errors
    assert (ready["ready"], ready["roles"], ready["signing"]) == (True, ["carpenter", "schema", "one-task"], "shared")
    assert ["ok\n", "ok\n"] == found[:2]
    assert "squads_in_hand 1\n" in found[2]
    assert (json.loads(out)["drained"], json.loads(out)["given_back"]) == (True, 0)
    assert "Traceback" not in errors


def test_what_is_not_finished_in_time_is_given_back(opened: Path, worker) -> None:  # type: ignore[no-untyped-def]
    """And the worker has drained all the same."""
    (opened / "hold").touch()
    started = worker(opened, *ALL, "--grace", "0.05")
    ready = started.line()
    started.until_begun()
    started.process.send_signal(signal.SIGINT)
    code, out, errors = started.ended()

    assert ready.startswith("ready: serving carpenter, schema, one-task of workspace ")
    assert "over redis://here, shared keys" in ready
    assert (code, out) == (0, "drained: 1 answered, 1 given back\n"), errors


def test_a_second_signal_ends_at_once(opened: Path, worker) -> None:  # type: ignore[no-untyped-def]
    """Whatever is under way, and however long the grace."""
    (opened / "hold").touch()
    started = worker(opened, *ALL, "--grace", "3600")
    started.line()
    started.until_begun()
    started.process.send_signal(signal.SIGTERM)
    while "told to stop" not in started.process.stderr.readline():
        pass
    started.process.send_signal(signal.SIGTERM)
    code, out, errors = started.ended()

    assert (code, out, "Traceback" in errors) == (-signal.SIGTERM, "", False)


def test_a_worker_with_keys_of_its_own_is_enrolled_by_a_line(  # type: ignore[no-untyped-def]
    opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], worker
) -> None:
    """Asked on its machine, registered where the root key is, and the ledger verifies."""
    monkeypatch.chdir(opened)
    home, trust = tmp_path / "elsewhere", opened / ".squads" / "trust.json"
    given = {"trust": trust, "store": None, "as_json": False}
    ask_or_register(None, roles=["carpenter", "schema", "one-task"], keys=home, **given)
    asked_for = capsys.readouterr()
    line = asked_for.out.strip()
    ask_or_register(line, roles=[], keys=None, **given)
    registered = capsys.readouterr().out
    ask_or_register(line, roles=[], keys=None, **given)
    again = capsys.readouterr().out
    started = worker(opened, *ALL, "--signing", "own", "--trust", str(trust), "--keys", str(home), "--grace", "0")
    ready = started.line()
    started.process.send_signal(signal.SIGTERM)

    assert len(asked_for.out.splitlines()) == 1
    assert "builder:carpenter, coordinator:one-task, gate:schema" in asked_for.err
    assert "gate:schema" in registered
    assert "Registered, signed by the root." in registered
    assert "these keys were registered before" in again
    assert "own keys" in ready
    assert started.ended()[0] == 0
    assert ["worker.key"] == [path.name for path in home.rglob("*.key")]
    assert audit(opened / ".squads").failed == ()


def test_enrolling_as_programs_use_it(
    opened: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json, both ways."""
    monkeypatch.chdir(opened)
    given: dict[str, Any] = {"trust": None, "keys": None, "store": None, "as_json": True}
    ask_or_register(None, roles=["schema"], **given)
    said = json.loads(capsys.readouterr().out)
    ask_or_register(said["request"], roles=[], **given)
    done = json.loads(capsys.readouterr().out)

    assert (["gate:schema"], 0) == (said["roles"], said["exit_code"])
    assert [("gate:schema", True)] == [(key["role"], key["registered_now"]) for key in done["keys"]]


def asked(*roles: str, bus: str | None = "redis://x", **given: Any) -> Serving:
    """Return what flags on the command line come to."""
    rest = {"health": None, "log": "text", "trust": None, "keys": None, "signing": "shared", "store": None, **given}
    return Serving(list(roles), bus, 4, 1.0, **rest)


@pytest.mark.parametrize(
    ("serving", "said"),
    [
        (asked(), "say which roles: --role NAME"),
        (asked("schema", bus=None), "say where the bus is: --bus redis://HOST:PORT"),
        (asked("shcema"), "did you mean 'schema'?"),
        (asked("schema", signing="both"), "write --signing shared or --signing own"),
        (asked("schema", log="xml"), "write --log text or --log json"),
        (asked("schema", health="x"), "is no HOST:PORT"),
        (asked("schema"), "copy trust.json from beside the workspace's ledger"),
        (asked("schema", trust=Path("gates/schema.md")), "cannot be read"),
    ],
    ids=["roles", "bus", "nearest", "signing", "log", "health", "trust", "no-trust"],
)
def test_what_cannot_be_done_is_said_before_anything_is_begun(
    workshop: Path, monkeypatch: pytest.MonkeyPatch, serving: Serving, said: str
) -> None:
    """And no key is made for it."""
    monkeypatch.chdir(workshop)
    with pytest.raises(InvalidInput) as raised:
        serve_here(serving)

    assert said in str(raised.value)
    assert list(Path(os.environ["SQUADS_HOME"]).rglob("*.key")) == []


def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    """Here: no project, and the sentence names both ways to have roles."""
    done = squads("worker", "--role", "x", "--bus", "redis://x", cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "there is no squad here" in done.stderr


def test_a_member_of_a_panel_is_not_served_by_itself(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked inside the panel, which is the gate."""
    write(workshop, "gates/both.md", PANEL)
    write(workshop, "gates/keys.md", GATE)
    commit(workshop, "panel")
    monkeypatch.chdir(workshop)
    with pytest.raises(InvalidInput, match="serve 'both'"):
        serve_here(asked("schema"))
    with pytest.raises(InvalidInput, match=r"copy trust\.json"):
        serve_here(asked("both"))


def test_only_what_is_asked_for_is_made(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another card that cannot be used here is no reason not to serve this one."""
    write(workshop, "gates/broken.md", "---\nkind: gates/none.py:None\n---\n")
    write(workshop, "roles/lead.md", "---\nextends: squads:coordinator\nmodel: openai:x\n---\nCuts.\n")
    commit(workshop, "broken")
    monkeypatch.chdir(workshop)
    with pytest.raises(InvalidInput, match=r"copy trust\.json"):
        serve_here(asked("schema"))
    with pytest.raises(InvalidInput, match="no role here is called 'one-task'"):
        serve_here(asked("one-task"))


def test_a_worker_without_the_workspaces_keys_makes_none(
    opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key would hold no role, and the worker would wait for ever."""
    monkeypatch.chdir(opened)
    with pytest.raises(KeyUnavailable, match="there is no key for gate:schema"):
        serve_here(asked("schema", keys=tmp_path / "empty"))
    with pytest.raises(KeyUnavailable, match="squads enroll --role schema"):
        serve_here(asked("schema", keys=tmp_path / "empty", signing="own"))

    assert not (tmp_path / "empty").exists()


def test_a_request_that_cannot_be_used_registers_nothing(
    opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For another workspace, for a role that is not here, garbage, both ways at once, or neither."""
    other = tmp_path / "other"
    shutil.copytree(opened, other, ignore=shutil.ignore_patterns(".squads"))
    found(other)
    before = audit(opened / ".squads").size

    def enroll(top: Path, request: str | None = None, *roles: str) -> str:
        monkeypatch.chdir(top)
        ask_or_register(request, roles=list(roles), trust=None, keys=None, store=None, as_json=False)
        return capsys.readouterr().out.strip()

    foreign, strange = enroll(other, None, "schema"), enroll(opened, None, "gate:strange")
    for given, said in (
        ((foreign,), "is for workspace"),
        ((strange,), "'gate:strange' is no role here"),
        (("garbage",), "paste the whole line"),
        ((foreign, "schema"), "on the worker's machine"),
        ((), "on the worker's machine"),
        ((None, "human:owner"), "cannot be enrolled as"),
        ((None, "nobody"), "no role here is called 'nobody'"),
    ):
        with pytest.raises(InvalidInput, match=said):
            enroll(opened, *given)

    assert before == audit(opened / ".squads").size
