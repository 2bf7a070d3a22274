"""Stopping and lifting at a desk, from any process; who is known here; and what a killed desk leaves behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import quick_start
from squads import ApprovalRule, Approved, Artifact, AwaitingApproval, Composed, Halted, InvalidInput, Squad
from squads.audit import audit
from squads.contracts.errors import Denied, UnknownPacket
from squads.contracts.work import BuildWork
from squads.desk import Desk
from squads.people import NAMES, NAMES_BYTES_MAX, remember, remembered
from squads.stores import keys_of
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace

SQUADS = quick_start.squads()
OWNER = ApprovalRule(approvers=("owner",))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s"


class Held:
    """A builder's reply that waits until it is let go."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, work: BuildWork) -> Artifact:
        self.reached.set()
        await self.let_go.wait()
        return work.artifact({"a": "x"})


def squad(store: Path, build: Any = None, **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(build or {"a": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=store,
        **more,
    )


# Stop and lift --------------------------------------------------------------------------------------------------------


async def test_a_desk_in_another_process_stops_a_running_squad(store: Path) -> None:
    """The one that runs returns `Halted`, and after a lift by a desk it goes on; no role is asked twice."""
    held = Held()
    async with squad(store, held) as runs:
        running = asyncio.create_task(runs.run("It."))
        await held.reached.wait()

        done = await asyncio.to_thread(
            subprocess.run, [SQUADS, "stop", "smoke", "--store", store], capture_output=True, timeout=60, check=False
        )
        held.let_go.set()
        halted = await asyncio.wait_for(running, 10)

        assert done.returncode == 0, done.stderr
        assert isinstance(halted, Halted)
        assert "stopped by owner" in halted.detail
        async with Desk.open(store) as desk:
            assert await desk.lift("no fire") is True
        outcome = await asyncio.wait_for(runs.resume(halted.packet), 10)

    assert isinstance(outcome, Composed)
    assert audit(store).failed == ()


async def test_a_stop_twice_is_one_stop(store: Path) -> None:
    """The second one says False and appends nothing; lifting what is not stopped as well."""
    async with squad(store) as made:
        await made.workspace()
    async with Desk.open(store) as desk:
        assert await desk.stop("first") is True
        size = (await desk.workspace.ledger.head()).size
        assert await desk.stop("second", person="owner") is False
        assert (await desk.workspace.ledger.head()).size == size
        assert [(s.by, s.reason) for s in await desk.stops()] == [("owner", "first")]
        assert await desk.lift("done") is True
        assert await desk.lift("done") is False
        assert await desk.stops() == ()


async def test_without_an_owner_the_program_stops(store: Path) -> None:
    """A stop never fails for want of a person's key; a person who was named and has none is bad input."""
    async with squad(store, people=("mara",)) as made:
        await made.workspace()
    async with Desk.open(store) as desk:
        with pytest.raises(InvalidInput, match="'bob' has no key in this workspace; known here: mara"):
            await desk.stop("why", person="bob")
        assert await desk.stop("why") is True
        assert [s.by for s in await desk.stops()] == ["program"]
        assert await desk.lift("looked", person="mara") is True


async def test_a_damaged_owners_key_keeps_nobody_from_stopping(store: Path) -> None:
    """The program signs it instead, and looking shows the owner's key as not at hand."""
    async with squad(store) as made:
        owner = (await made.workspace()).person("owner")
        file = keys_of((await made.workspace()).trust) / f"human-{owner}.key"
    file.write_text("damaged")
    async with Desk.open(store) as desk:
        assert await desk.stop("why") is True
        assert [s.by for s in await desk.stops()] == ["program"]
        assert [(p.name, p.here) for p in await desk.people()] == [("owner", False)]


async def test_whoever_stopped_is_told_who_may_lift(store: Path) -> None:
    """The rule stands in the kernel; the desk names the others."""
    async with squad(store, people=("owner", "mara")) as made:
        await made.workspace()
    async with Desk.open(store) as desk:
        await desk.stop("mine", person="owner")
        with pytest.raises(Denied, match="others with a key here: mara"):
            await desk.lift("mine too", person="owner")
        with pytest.raises(InvalidInput, match="'stranger' has no key"):
            await desk.lift("mine", person="stranger")
        assert await desk.lift("looked at it", person="mara") is True


async def test_only_what_is_open_can_be_stopped(store: Path) -> None:
    """An ended packet has nothing left to stop, and an unknown one is a mistake; neither leaves a receipt."""
    async with squad(store) as made:
        ended = await made.run("It.")
    async with Desk.open(store) as desk:
        size = (await desk.workspace.ledger.head()).size
        with pytest.raises(InvalidInput, match="has ended; there is nothing left to stop"):
            await desk.stop("why", packet=ended.packet)
        with pytest.raises(UnknownPacket, match="Open packets: none"):
            await desk.stop("why", packet="0" * 32)
        for reason in ("", "x" * 4_001):
            with pytest.raises(InvalidInput, match=r"Statement\.text"):
                await desk.stop(reason)
        assert (await desk.workspace.ledger.head()).size == size


# People ---------------------------------------------------------------------------------------------------------------


async def test_a_person_who_is_added_can_answer_and_lift(store: Path) -> None:
    """Somebody gets a key signed by the root; adding them again changes nothing."""
    async with squad(store) as made:
        await made.workspace()
    async with Desk.open(store) as desk:
        added = await desk.add_person("mara")
        size = (await desk.workspace.ledger.head()).size
        assert await desk.add_person("mara") == added
        assert (await desk.workspace.ledger.head()).size == size
        await desk.stop("mine", person="owner")
        assert await desk.lift("looked", person="mara") is True

    assert added.here
    assert added.id.startswith("p")
    async with squad(store, people=("owner", "mara"), approval=ApprovalRule(approvers=("mara",))) as made:
        asked = await made.run("It.")
    async with Desk.open(store) as desk:
        assert [p.name for p in await desk.people()] == ["mara", "owner"]
        assert isinstance(await desk.answer(asked.packet, person="mara", approve=True), Composed)
    assert audit(store).failed == ()


async def test_a_person_whose_key_is_elsewhere_gets_no_second_one(store: Path) -> None:
    """Whoever holds the root could sign as anybody; the desk does not do it by accident."""
    async with squad(store) as made:
        owner = (await made.workspace()).person("owner")
        file = keys_of((await made.workspace()).trust) / f"human-{owner}.key"
    file.unlink()
    async with Desk.open(store) as desk:
        size = (await desk.workspace.ledger.head()).size
        assert not (await desk.add_person("owner")).here
        assert (await desk.workspace.ledger.head()).size == size
    assert not file.exists()


@pytest.mark.parametrize("name", ["Mara Smith", "", "../x", "x" * 65, "mara\n"])
async def test_a_name_that_is_none_gets_no_key(store: Path, name: str) -> None:
    """Nothing is written for it."""
    async with squad(store) as made:
        await made.workspace()
    async with Desk.open(store) as desk:
        size = (await desk.workspace.ledger.head()).size
        with pytest.raises(InvalidInput, match="is no name for a person's key"):
            await desk.add_person(name)
        assert (await desk.workspace.ledger.head()).size == size


async def test_a_forgotten_name_is_shown_as_its_id_and_recognised_when_given(store: Path) -> None:
    """Names stand in a file beside the keys, in no receipt: without it a person is an id, until somebody says who."""
    async with squad(store, people=("mara",), approval=ApprovalRule(approvers=("mara",))) as made:
        asked = await made.run("It.")
        names = keys_of((await made.workspace()).trust) / NAMES
    assert names.read_text() == "mara\n"
    names.unlink()
    async with Desk.open(store) as desk:
        assert not any([b"mara" in leaf async for _, leaf, _ in desk.workspace.ledger.scan()])
        (person,) = await desk.people()
        question = await desk.question(asked.packet)
        outcome = await desk.answer(asked.packet, person="mara", approve=True)

    assert (person.name, person.shown, question.asked) == (None, person.id, (person.id,))
    assert isinstance(outcome, Composed)


async def test_the_file_of_names_makes_nobody_somebody(store: Path) -> None:
    """A name that leads to no registered id is nobody, whatever the file says."""
    async with squad(store) as made:
        names = keys_of((await made.workspace()).trust) / NAMES
    names.write_text("owner\nmallory\nNo Name\n\x1b[2J\n" + "x" * 100)
    async with Desk.open(store) as desk:
        assert [p.name for p in await desk.people()] == ["owner"]
        with pytest.raises(InvalidInput, match="'mallory' has no key"):
            await desk.stop("why", person="mallory")


def test_names_are_remembered_once_in_order(tmp_path: Path) -> None:
    """A missing file has none; what is there already is not written again; only names are read."""
    file = tmp_path / NAMES
    assert remembered(file) == ()
    remember(file, ["owner", "mara"])
    remember(file, ["mara", "noor"])

    assert file.read_text() == "owner\nmara\nnoor\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert remembered(file) == ("owner", "mara", "noor")


def test_only_names_are_read(tmp_path: Path) -> None:
    """Whatever else somebody wrote there is passed over."""
    (tmp_path / NAMES).write_bytes(b"owner\n\x1b[2J\nNo Name\n\xff\nowner\n" + b"x" * 65 + b"\nmara")

    assert remembered(tmp_path / NAMES) == ("owner", "mara")


def test_a_file_of_names_ends_at_its_bound(tmp_path: Path) -> None:
    """What would pass the bound is not written, so the file cannot grow without end; what just fits is."""
    file = tmp_path / NAMES
    file.write_bytes(b"\n" * (NAMES_BYTES_MAX - len("owner\n")))
    remember(file, ["marama"])
    assert remembered(file) == ()
    remember(file, ["owner"])

    assert remembered(file) == ("owner",)
    assert file.stat().st_size == NAMES_BYTES_MAX


def test_a_last_line_without_its_end_stays_a_line(tmp_path: Path) -> None:
    """Somebody edited the file by hand."""
    (tmp_path / NAMES).write_text("owner")
    remember(tmp_path / NAMES, ["mara"])

    assert remembered(tmp_path / NAMES) == ("owner", "mara")


def test_a_pipe_in_the_place_of_the_names_hangs_nobody(tmp_path: Path) -> None:
    """Neither reading nor writing waits for its other end."""
    os.mkfifo(tmp_path / NAMES)
    remember(tmp_path / NAMES, ["owner"])

    assert remembered(tmp_path / NAMES) == ()


def test_names_that_cannot_be_kept_are_no_error(tmp_path: Path) -> None:
    """A directory in the file's place, or none at all: ids are shown, and work goes on."""
    (tmp_path / NAMES).mkdir()
    remember(tmp_path / NAMES, ["owner"])
    remember(tmp_path / "nowhere" / NAMES, ["owner"])

    assert remembered(tmp_path / NAMES) == ()


def test_a_workspace_in_memory_knows_the_names_it_was_told() -> None:
    """No file is needed where nothing is kept."""
    workspace = Workspace.memory()

    async def go() -> dict[str, str]:
        await workspace.found([f"human:{workspace.person('mara')}"])
        workspace.introduce(["mara", "noor"])
        return workspace.names()

    assert list(asyncio.run(go()).values()) == ["mara"]


# Killed ---------------------------------------------------------------------------------------------------------------

KILLED = """
import asyncio, os, signal, sys
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.desk import Desk

real = SqliteLedger.append

async def append(self, *args, **more):
    if sys.argv[1] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    await real(self, *args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

async def go():
    async with Desk.open(sys.argv[2]) as desk:
        SqliteLedger.append = append
        await desk.answer(sys.argv[3], approve=True)

asyncio.run(go())
"""


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_desk_that_is_killed_while_it_answers_leaves_the_truth(store: Path, when: str) -> None:
    """Answer and end are one append: before it the question is open, after it the packet has composed, never half."""
    async with squad(store, approval=OWNER) as made:
        asked = await made.run("It.")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, when, str(store), asked.packet], timeout=60, check=False
    )
    async with Desk.open(store) as desk:
        found = await desk.overview()

    assert done.returncode == -signal.SIGKILL
    assert ([q.packet for q in found.questions], [e.outcome for e in found.ended]) == (
        ([asked.packet], []) if when == "before" else ([], ["composed"])
    )
    async with squad(store, approval=OWNER) as again:
        resumed = await again.resume(asked.packet)
        if when == "before":
            assert isinstance(resumed, AwaitingApproval)
            resumed = await again.answer(asked.packet, person="owner", approve=True)
    assert isinstance(resumed, Composed)
    assert audit(store).failed == ()


async def test_a_read_only_home_still_runs(store: Path, keys_outside_the_user: Path) -> None:
    """Names that cannot be written are not remembered, and nothing else changes."""
    async with squad(store, people=("mara",)) as made:
        own = keys_of((await made.workspace()).trust)
    (own / NAMES).unlink()
    (own / NAMES).mkdir()
    async with squad(store, people=("mara",)) as made:
        assert isinstance(await made.run("It."), Composed)
    assert os.listdir(own / NAMES) == []
