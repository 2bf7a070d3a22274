"""A workspace: founding, keys and their roles, trust, time, and reading on while others write."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.keys import keys_home, load_or_create
from squads.contracts.errors import Denied, InvalidInput, KeyUnavailable, LedgerBroken, LedgerError, StorageUnavailable
from squads.kernel.authority import may_sign
from squads.kernel.ports import WORKSPACE, Entry
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.ledger.trust import Trust
from squads.signing import read_verified, signed_entry
from squads.stores import ROOT, keys_of
from squads.testing import FixedClock, FixedSigner, seeded_entropy
from squads.workspace import Workspace

ROLES = ["builder:maker", "gate:style"]
COUNT = 3 + len(ROLES) + 1
"""Receipts of a founding: the log's opening, runner and program, the roles, and the owner."""


def roles_of(workspace: Workspace) -> list[str]:
    """The roles that are founded here: two that work, and the owner."""
    return [*ROLES, f"human:{workspace.person('owner')}"]


@pytest.fixture(params=["memory", "sqlite"])
async def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = (
        Workspace.memory(clock=FixedClock(), entropy=seeded_entropy(1))
        if request.param == "memory"
        else Workspace.open(tmp_path / "s", clock=FixedClock())
    )
    await made.found(roles_of(made))
    yield made
    await made.close()


async def length(workspace: Workspace) -> int:
    return len(await workspace.ledger.read(WORKSPACE))


async def test_founding_registers_every_role_once(workspace: Workspace) -> None:
    """The log's opening, the runner, the program, and one key for each role; a second founding adds nothing."""
    assert await length(workspace) == COUNT
    for role in (*roles_of(workspace), "runner", "program"):
        key = workspace.signer(role).key_id.hex()
        assert workspace.view.roles_of(key) == {role}

    await workspace.found(roles_of(workspace))

    assert await length(workspace) == COUNT


async def test_a_later_role_is_added(workspace: Workspace) -> None:
    """Only what is new is appended."""
    await workspace.found([*roles_of(workspace), "gate:security"])

    assert await length(workspace) == COUNT + 1
    assert workspace.view.holders("gate:security")


@pytest.mark.parametrize("bad", ["gate", "gate:", "king:arthur", "gate:Style", "human:Mara Smith", "runner:x", ""])
async def test_what_is_no_role_is_refused_before_it_is_written(workspace: Workspace, bad: str) -> None:
    """The log keeps what is appended for ever: a role it does not know is never registered."""
    before = await length(workspace)
    with pytest.raises(InvalidInput):
        await workspace.found([*roles_of(workspace), "gate:fine", bad])

    assert await length(workspace) == before
    await workspace.found([*roles_of(workspace), "gate:fine"])


async def test_two_who_found_at_once_found_one_workspace(tmp_path: Path) -> None:
    """Processes, or tasks, that open a new directory at the same moment agree."""
    made = [Workspace.open(tmp_path / "s") for _ in range(3)]
    await asyncio.gather(*(w.found([*roles_of(w), f"gate:g{n}"]) for n, w in enumerate(made)))
    for w in made:
        await w.refresh()

    assert len({w.id for w in made}) == 1
    assert await length(made[0]) == COUNT + 3
    assert len({w.view.length for w in made}) == 1
    for w in made:
        await w.close()


async def test_reading_on_at_once_folds_everything_once(tmp_path: Path) -> None:
    """Many tasks that refresh one view at the same moment fold no receipt twice."""
    reading, writing = Workspace.open(tmp_path / "s"), Workspace.open(tmp_path / "s")
    await reading.found(roles_of(reading))
    await writing.found(roles_of(writing))
    for n in range(10):
        await writing.stop(f"stop {n}")
        await writing.lift(f"lift {n}", person="owner")
    await writing.stop("for good")

    await asyncio.gather(*(reading.refresh() for _ in range(20)))

    assert reading.view.length == writing.view.length
    assert reading.view.stopped("") is not None
    await reading.close()
    await writing.close()


async def test_time_never_goes_backwards(tmp_path: Path) -> None:
    """A clock that is behind the newest leaf writes with the leaf's time."""
    ahead = Workspace.open(tmp_path / "s", clock=FixedClock(5_000))
    await ahead.found(roles_of(ahead))
    await ahead.close()
    behind = Workspace.open(tmp_path / "s", clock=FixedClock(1_000))
    await behind.found(roles_of(behind))

    assert behind.now_ms() == 5_000
    await behind.stop("late")
    assert (await behind.ledger.head()).time_ms == 5_000
    await behind.close()


async def test_grants_are_the_roots(workspace: Workspace) -> None:
    """A grant widens, its revocation narrows; both are receipts."""
    owner = {f"human:{workspace.person('owner')}"}
    assert not may_sign("waiver", owner, workspace.view.grants, now_ms=0)
    await workspace.grant("human:owner", "waiver", expires_ms=10)
    assert may_sign("waiver", owner, workspace.view.grants, now_ms=9)
    assert not may_sign("waiver", owner, workspace.view.grants, now_ms=10)
    await workspace.grant("human:owner", "waiver")
    assert may_sign("waiver", owner, workspace.view.grants, now_ms=10)
    await workspace.grant("human:owner", "waiver", revoked=True)
    assert not may_sign("waiver", owner, workspace.view.grants, now_ms=9)


async def test_a_role_that_lost_its_scope_cannot_sign(workspace: Workspace) -> None:
    """Revoking what a role holds by default takes it away."""
    await workspace.grant("program", "stop", revoked=True)

    with pytest.raises(Denied, match="no authority"):
        await workspace.stop("I may not")


async def test_a_role_without_a_key_cannot_stop(workspace: Workspace) -> None:
    """A key that was never registered says nothing."""
    before = await length(workspace)
    with pytest.raises(Denied):
        await workspace.stop("who am I", role="human:stranger")

    assert await length(workspace) == before


async def test_a_view_is_there_after_founding() -> None:
    """Before that there is nothing to judge by, and it says what to do."""
    with pytest.raises(LedgerBroken, match="found"):
        _ = Workspace.memory().view


# What stands in the ledger is checked when it is read -----------------------------------------------------------------


async def test_a_receipt_signed_by_a_stranger_is_not_read(workspace: Workspace) -> None:
    """The reader checks every signature against the keys in force at that point."""
    (first, *_) = await workspace.ledger.read(WORKSPACE)
    stranger = FixedSigner("stranger")
    entry = signed_entry(WORKSPACE, first.payload, stranger)
    await workspace.ledger.append([entry], expect={}, time_ms=workspace.now_ms())
    forged = (await workspace.ledger.read(WORKSPACE))[-1]

    with pytest.raises(LedgerBroken, match="does not verify"):
        read_verified(forged, workspace.view)
    with pytest.raises(LedgerBroken):
        await workspace.refresh()


async def test_a_receipt_with_a_broken_signature_is_not_read(workspace: Workspace) -> None:
    """Right key, wrong signature."""
    (first, *_) = await workspace.ledger.read(WORKSPACE)
    root = workspace.signer(ROOT)
    entry = Entry(
        stream=WORKSPACE,
        payload_type=PAYLOAD_TYPE,
        payload=first.payload,
        signatures=((root.key_id, root.sign(pae(PAYLOAD_TYPE, first.payload + b" "))),),
    )
    await workspace.ledger.append([entry], expect={}, time_ms=workspace.now_ms())

    with pytest.raises(LedgerBroken, match="does not verify"):
        await workspace.refresh()


# Trust and keys -------------------------------------------------------------------------------------------------------


async def found_and_close(where: Path) -> None:
    made = Workspace.open(where)
    await made.found(roles_of(made))
    await made.close()


async def test_the_same_directory_is_the_same_workspace(tmp_path: Path) -> None:
    """Opened again with the same keys it is the same, and nothing is registered anew."""
    await found_and_close(tmp_path / "s")
    again = Workspace.open(tmp_path / "s")
    await again.found(roles_of(again))

    assert await length(again) == COUNT
    await again.close()


async def test_private_keys_stand_outside_the_store(tmp_path: Path) -> None:
    """Whoever copies the directory copies no key."""
    await found_and_close(tmp_path / "s")

    assert not list((tmp_path / "s").rglob("*.key"))
    keys = list(keys_home().rglob("*.key"))
    names = {k.stem for k in keys}
    assert {"root", "log", "runner", "program", "builder-maker", "gate-style"} <= names
    assert len(names) == 8  # the owner's, under an opaque id, and the one that such ids are made with
    assert not any("owner" in name for name in names)
    assert all(k.stat().st_mode & 0o077 == 0 for k in keys)


async def test_other_keys_than_trust_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine, or with another `SQUADS_HOME`, nothing is signed with new keys under the old trust."""
    await found_and_close(tmp_path / "s")
    monkeypatch.setenv("SQUADS_HOME", str(tmp_path / "other-home"))

    with pytest.raises(KeyUnavailable, match="SQUADS_HOME"):
        Workspace.open(tmp_path / "s")
    own = keys_of(Trust.from_json((tmp_path / "s" / "trust.json").read_bytes()))
    load_or_create(own / "log.key")
    with pytest.raises(LedgerBroken, match="SQUADS_HOME"):
        Workspace.open(tmp_path / "s")


async def test_a_role_whose_key_was_lost_gets_another(tmp_path: Path) -> None:
    """The old key stays registered, the new one is added; both hold the role."""
    await found_and_close(tmp_path / "s")
    (lost,) = keys_home().rglob("gate-style.key")
    lost.unlink()
    again = Workspace.open(tmp_path / "s")
    await again.found(roles_of(again))

    assert len(again.view.holders("gate:style")) == 2
    await again.close()


async def test_a_ledger_without_trust_is_refused(tmp_path: Path) -> None:
    """`trust.json` says whose ledger it is; without it nobody knows."""
    await found_and_close(tmp_path / "s")
    (tmp_path / "s" / "trust.json").unlink()

    with pytest.raises(LedgerError, match=r"trust\.json"):
        Workspace.open(tmp_path / "s")


async def test_another_roots_ledger_is_refused(tmp_path: Path) -> None:
    """A database that was put in the place of another one."""
    await found_and_close(tmp_path / "s")
    await found_and_close(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "ledger.db", tmp_path / "s" / "ledger.db")

    with pytest.raises(LedgerError):
        Workspace.open(tmp_path / "s")


async def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """A file where the directory should be."""
    (tmp_path / "s").write_text("a file")

    with pytest.raises(StorageUnavailable, match="cannot write"):
        Workspace.open(tmp_path / "s")


async def test_a_closed_workspace_says_so(tmp_path: Path) -> None:
    """Also twice."""
    made = Workspace.open(tmp_path / "s")
    await made.found(roles_of(made))
    await made.close()
    await made.close()

    with pytest.raises(StorageUnavailable, match="closed"):
        await made.stop("too late")
