"""Roles as processes of their own over a real server: they compose, refuse, are stopped, drained and killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from worker_processes import INSTALLED, SQUADS, Workshop, until, workshop

from squads import Composed, Halted, Limits, NotComposed, Packet
from squads.audit import audit
from squads.buses import BusSettings
from squads.contracts.thinking import Progress
from squads.testing import Call, ModelServer
from squads.testing.fixtures import model_server as model_server
from squads.testing.redis_server import RedisServer

ALL = ("carpenter", "one-task", "schema")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
def shop(tmp_path: Path, server: RedisServer) -> Iterator[Workshop]:
    with workshop(tmp_path / "work", server) as found:
        yield found


async def founded(shop: Workshop) -> None:
    """Open a workshop's workspace: workers need what it says whom to believe."""
    async with shop.squad():
        return


def packet_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the packet that a command with --json was about."""
    return str(json.loads(done.stdout)["packet"])


async def test_workers_compose_refuse_and_are_stopped(shop: Workshop) -> None:
    """Three packets of one program that serves no role: mended, refused, and stopped while a worker works."""
    squad = shop.squad()
    async with squad:
        await squad.workspace()
        makers, readers = shop.worker("carpenter", "one-task", program=INSTALLED), shop.worker("schema")
        mended = await squad.run("A table.")
        refused = await squad.run("A stubborn table.")
        shop.hold()
        running = asyncio.create_task(squad.run("Another table."))
        assert makers.process.pid == await shop.begun()
        await squad.stop("It costs too much.")
        halted = await running
        shop.let_go()
        assert isinstance(halted, Halted)
        await squad.lift("It does not.", person="owner")
        lifted = await squad.resume(halted.packet)
        left = [process.ended(signal.SIGTERM) for process in (makers, readers)]

    assert isinstance(mended, Composed)
    assert ["refused", "approved"] == [str(judged.verdict.kind) for judged in mended.judgements]
    assert isinstance(refused, NotComposed)
    assert isinstance(lifted, Composed)
    assert [0, 0] == [code for code, _, _ in left], left
    assert "drained: " in left[0][1]
    assert not any("Traceback" in errors for _, _, errors in left)
    assert () == audit(shop.store).failed


async def test_what_a_killed_worker_had_in_hand_is_done_by_another(shop: Workshop) -> None:
    """SIGKILL while it builds: nobody is told, and the packet composes all the same."""
    shop.hold()
    squad = shop.squad()
    async with squad:
        await squad.workspace()
        first = shop.quick_worker(*("carpenter", "schema"))
        shop.worker("one-task")
        running = asyncio.create_task(squad.run("A table."))
        assert first.process.pid == await shop.begun()
        second = shop.quick_worker("carpenter", "schema")
        assert "ready" in second.line()
        os.kill(first.process.pid, signal.SIGKILL)
        assert second.process.pid == await shop.begun(other_than=first.process.pid)
        shop.let_go()
        outcome = await running

    assert isinstance(outcome, Composed)
    assert () == audit(shop.store).failed


async def test_a_worker_that_is_told_to_stop_finishes_what_it_has(shop: Workshop) -> None:
    """SIGTERM drains: the answer that is under way counts, and nothing is asked twice."""
    shop.hold()
    squad = shop.squad()
    async with squad:
        await squad.workspace()
        first = shop.worker("carpenter", "one-task", "schema", program=INSTALLED)
        running = asyncio.create_task(squad.run("A stubborn table."))
        assert first.process.pid == await shop.begun()
        first.process.send_signal(signal.SIGTERM)
        first.warned("told to stop")
        shop.let_go()
        code, out, errors = first.ended()
        second = shop.worker("carpenter", "one-task", "schema")
        outcome = await running
        second_done = second.ended(signal.SIGTERM)

    assert (code, "drained: 2 answered, 0 given back") == (0, out.splitlines()[-1]), errors
    assert isinstance(outcome, NotComposed)
    assert "drained: 5 answered, 0 given back" == second_done[1].splitlines()[-1]


async def test_workers_with_keys_and_users_of_their_own_are_enrolled_and_serve(shop: Workshop, tmp_path: Path) -> None:
    """Each machine has the project, `trust.json`, and a key and a user of its own: nothing that others have."""
    founding = shop.squad(bus=shop.settings(signing="own"))
    await founding.workspace()
    await founding.close()
    users = admitted(shop, tmp_path / "passwords")
    squad = shop.squad(bus=BusSettings(url=users["runner"], signing="own"))
    async with squad:
        trust = tmp_path / "trust.json"
        trust.write_bytes((shop.store / "trust.json").read_bytes())
        workers = []
        for role in ALL:
            home = str(tmp_path / f"keys-of-{role}")
            asked = shop.squads("enroll", "--role", role, "--trust", str(trust), SQUADS_HOME=home)
            assert 0 == asked.returncode, asked.stderr
            done = await asyncio.to_thread(shop.squads, "enroll", asked.stdout.strip())
            assert 0 == done.returncode, done.stderr
            own = ("--signing", "own", "--trust", str(trust), "--store", str(tmp_path / "none"))
            workers.append(shop.worker(role, more=own, SQUADS_HOME=home, SQUADS_BUS=users[role]))
        composed = await squad.run("A table.")
        refused = await squad.run("A stubborn table.")
        said = [worker.line() for worker in workers]

    assert isinstance(composed, Composed)
    assert isinstance(refused, NotComposed)
    assert all(line.endswith("own keys") for line in said), said
    assert () == audit(shop.store).failed


def admitted(shop: Workshop, passwords: Path) -> dict[str, str]:
    """Load what `squads acl` prints into the server; return each one's address, by role."""
    done = shop.squads("acl", "--new-passwords", "--passwords", str(passwords), "--json")
    assert 0 == done.returncode, done.stderr
    given = dict(line.split() for line in passwords.read_text().splitlines())
    users = {user["role"]: user for user in json.loads(done.stdout)["users"]}
    with shop.server.client() as client:
        for user in users.values():
            _, name, *rules = user["line"].split()
            client.execute_command("ACL", "SETUSER", name, *rules)
    return {role: shop.server.url_of(user["name"], given[user["name"]]) for role, user in users.items()}


async def test_what_a_role_elsewhere_is_at_reaches_whoever_watches(
    shop: Workshop, model_server: Callable[..., ModelServer]
) -> None:
    """A worker asks a model, with a key that the runner does not have; numbers and names arrive, and no text."""
    shop.commit({"gates/reader.md": "---\nname: reader\nmodel: openai:gpt-reader\n---\nReads every line.\n"})
    models = model_server({"gpt-reader": [Call("approve", {"notes": []})] * 2})
    told: list[Progress] = []
    squad = shop.squad()
    async with squad:
        await squad.workspace()
        shop.worker("carpenter", "one-task", "schema", "reader", OPENAI_BASE_URL=models.openai_url)
        packet = Packet(brief="A table.", limits=Limits(attempts_max=3))
        *_, outcome = [happened async for happened in squad.stream(packet, watch=told.append)]
        await until(lambda: any(each.stage == "answered" for each in told))

    assert isinstance(outcome, Composed)
    assert {"reader"} == {each.role for each in told}
    assert {outcome.packet} == {each.packet for each in told}
    assert "UNIQUE" not in "".join(each.model_dump_json() for each in told)


# On the command line. -------------------------------------------------------------------------------------------------


async def test_a_packet_runs_resumes_and_is_served_over_the_bus_by_commands(shop: Workshop) -> None:
    """`serve --elsewhere` keeps the roster fresh and takes up what `run` left; workers do the work."""
    await founded(shop)
    shop.start(SQUADS, "serve", "--elsewhere")
    worker = shop.worker(*ALL)
    assert worker.line().startswith("ready: ")
    composed = await asyncio.to_thread(shop.squads, "run", "A table.", "--elsewhere", "--json")
    refused = await asyncio.to_thread(shop.squads, "run", "A stubborn table.", "--elsewhere", "--json")
    again = await asyncio.to_thread(shop.squads, "resume", packet_of(refused), "--elsewhere", "--json")
    standing = await asyncio.to_thread(shop.squads, "status", "--json")

    assert (0, "") == (composed.returncode, composed.stderr)
    assert (1, "") == (refused.returncode, refused.stderr)
    assert 1 == again.returncode, again.stderr
    assert 0 == standing.returncode, standing.stdout + standing.stderr
    assert shop.server.password not in "".join(each.stdout + each.stderr for each in (composed, refused, standing))


@pytest.mark.parametrize("flags", [("--elsewhere",), ("--signing", "own")], ids=["elsewhere", "own"])
async def test_flags_of_a_bus_need_a_bus(shop: Workshop, flags: tuple[str, ...]) -> None:
    """A sentence, and exit code 2, before anything is opened."""
    for command in (("run", "A table."), ("resume", "a" * 32), ("serve",)):
        done = await asyncio.to_thread(shop.squads, *command, *flags, SQUADS_BUS="")

        assert 2 == done.returncode
        assert f"squads: {flags[0]} is for a bus: say where it is with --bus" in done.stderr
    assert not shop.store.exists()


async def test_replies_are_recorded_in_one_process_alone(shop: Workshop) -> None:
    """A worker that answered first would be missing from the recording."""
    done = await asyncio.to_thread(shop.squads, "run", "A table.", "--record", "kept")

    assert (2, True) == (done.returncode, "leave out --bus (and SQUADS_BUS)" in done.stderr)
