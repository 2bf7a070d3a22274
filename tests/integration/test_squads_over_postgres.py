"""A squad whose receipts are in PostgreSQL: runners of several processes share it, and every command works on it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

import quick_start
import squads as package
from squads import ApprovalRule, Approved, Artifact, AwaitingApproval, Composed, Squad
from squads.audit import audit
from squads.bundling import bundle_in, bundle_of
from squads.cli.app import app
from squads.contracts.errors import KeyUnavailable, SquadsError
from squads.contracts.outcome import Outcome
from squads.contracts.work import BuildWork
from squads.stores import keys_of
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.testing.postgres_server import PostgresServer
from squads.testing.redis_server import RedisServer

RUNNER = """
import asyncio, os, sys
from squads import Approved, Squad
from squads.testing import ScriptedBuilder, ScriptedGate

async def made(work):
    if "hold" in work.brief:
        print("held", flush=True)
        await asyncio.Event().wait()
    return work.artifact({"a": work.brief})

async def main(*briefs):
    builder = ScriptedBuilder(*[made] * len(briefs), prior="b")
    gates = [ScriptedGate("style", *[Approved()] * len(briefs), prior="g")]
    bus = os.environ.get("BUS") or None
    async with Squad(builder=builder, gates=gates, store=os.environ["STORE"], bus=bus, people=("owner",)) as squad:
        found = await asyncio.gather(*(squad.run(brief) for brief in briefs))
    print("done", *(type(one).__name__ for one in found), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.fresh_url()


def squad(store: str, *builds: Any, gate: int = 1, **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*builds, prior="b"),
        gates=[ScriptedGate("style", *[Approved()] * gate, prior="g")],
        store=store,
        **more,
    )


def ran(one: Squad) -> Outcome:
    """Run a packet, and let go of the ledger."""

    async def go() -> Outcome:
        async with one:
            return await one.run("It.")

    return asyncio.run(go())


def make(work: BuildWork) -> Artifact:
    return work.artifact({"a": work.brief})


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(package.__file__).parent.parent)} | more


def runner(url: str, *briefs: str, bus: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [quick_start.python(), "-c", RUNNER, *briefs],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(STORE=url, BUS=bus),
    )


class Said(NamedTuple):
    """What a command came to."""

    code: int
    text: str


def command(*arguments: str, **environment: str) -> Said:
    """Run a command line, as `main` does; PGPASSWORD is not there unless it is given."""
    done = CliRunner().invoke(app, arguments, env=environment)
    refused = done.exception if isinstance(done.exception, SquadsError) else None
    return Said(2 if refused else done.exit_code, done.output + str(refused or done.exception or ""))


async def test_runners_of_two_processes_share_one_workspace(url: str, redis_server: RedisServer) -> None:
    """Over one PostgreSQL and one bus, each runs packets of its own at the same time; what is kept verifies whole."""
    await (await squad(url).workspace()).close()
    running = [runner(url, *(f"{name} {n}" for n in range(4)), bus=redis_server.url) for name in ("one", "two")]
    said = [process.communicate(timeout=60)[0] for process in running]

    assert said == ["done Composed Composed Composed Composed\n"] * 2
    found = audit(url)
    assert found.failed == ()
    assert found.packets == 8


async def test_what_a_killed_runner_held_is_taken_over_at_once(url: str) -> None:
    """Its session is gone with it, wherever it ran: nobody waits for a beat that never comes."""
    process = runner(url, "hold this")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
    finally:
        process.kill()
        process.communicate()
    async with squad(url, make) as after:
        packet = (await (await after.workspace()).ledger.streams())[-1]
        outcome = await asyncio.wait_for(after.resume(packet), 30)

    assert isinstance(outcome, Composed)
    assert audit(url).failed == ()


def test_every_command_works_on_a_store_in_a_database(url: str) -> None:
    """Status, inbox, approve, report, verify: the URL is a store like any other, and its password is never shown."""
    asking = squad(url, make, approval=ApprovalRule(approvers=("owner",)))
    waiting = ran(asking)
    assert isinstance(waiting, AwaitingApproval)
    parts = urlsplit(url)
    shown = url.replace(f":{parts.password}@", "@")

    said = [
        command("status", "--store", url, "--json"),
        command("inbox", "--store", url),
        command("approve", waiting.packet, "Good.", "--store", url),
        command("report", waiting.packet, "--store", shown, PGPASSWORD=parts.password or ""),
        command("verify", url),
        command("verify", url, "--json"),
    ]

    assert [3, 0, 0, 0, 0, 0] == [done.code for done in said], said[2].text
    assert f"squads verify '{shown}'" in said[3].text
    assert "Verified" in said[4].text
    assert not [done for done in said if (parts.password or "") in done.text]


def test_a_store_is_made_ready_and_made_known(postgres_server: PostgresServer, url: str, tmp_path: Path) -> None:
    """The owner makes tables and a role; an auditor's machine learns the trust; a bad URL is never quoted."""
    role = f"app_{urlsplit(url).fragment}"
    made = command("store", "init", url, "--app-role", role)
    again = command("store", "init", url, "--app-role", role, "--json")
    postgres_server.run(f"ALTER ROLE {role} PASSWORD 'hush'")
    app_url = postgres_server.url_of(url, role, "hush")

    outcome = ran(squad(app_url, make))
    (trust,) = Path(os.environ["SQUADS_HOME"]).glob("*/trust.json")
    there = str(tmp_path / "there")
    unknown = command("verify", url, SQUADS_HOME=there)
    known = command("store", "trust", url, "--trust", str(trust), SQUADS_HOME=there)
    verified = command("verify", url, SQUADS_HOME=there)
    bad = command("verify", "postgresql://me:hush@host/db#Bad")

    assert isinstance(outcome, Composed)
    assert (made.code, again.code) == (0, 0), made.text + again.text
    assert f"ALTER ROLE {role} PASSWORD" in made.text
    assert json.loads(again.text)["app_role_made"] is False
    assert (unknown.code, "squads store trust" in unknown.text) == (2, True)
    assert (known.code, verified.code) == (0, 0), known.text + verified.text
    assert "the keys of its content are not on this machine" in verified.text
    assert bad.code == 2
    assert not [said for said in (made, again, unknown, known, verified, bad) if "hush" in said.text]


async def test_a_packet_in_a_database_is_bundled_without_a_private_key(url: str) -> None:
    """Byte for byte as the running ledger bundles it; content needs the key that it is closed with, and says so."""
    async with squad(url, {"a.txt": "x"}) as made:
        outcome = await made.run("It.")
        workspace = await made.workspace()
        live = await bundle_of(workspace.ledger, workspace.trust, outcome.packet)
    for key in keys_of(workspace.trust).glob("*.key"):
        key.unlink()
    still, _ = await bundle_in(url, outcome.packet)

    assert live.to_json() == still.to_json()
    with pytest.raises(KeyUnavailable, match="leave --content out"):
        await bundle_in(url, outcome.packet, content=True)
