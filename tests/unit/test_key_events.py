"""Keys added, rotated and revoked in a workspace, with the root at hand and with the root away."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.adapters.keys import create, keys_home, load
from squads.contracts.errors import InvalidInput, KeyUnavailable, LedgerBroken, StorageUnavailable
from squads.kernel.ports import WORKSPACE, Entry
from squads.key_events import add_key, anchored, listed, one_key, revoke_key, rotate_key
from squads.keyring import Keyring
from squads.ledger.report import Tally
from squads.ledger.witness import Witness
from squads.stores import ROOT, keys_of
from squads.testing import FixedClock, FixedSigner, seeded_entropy
from squads.workspace import Workspace

GATE = "gate:style"


@pytest.fixture(params=["memory", "sqlite"])
async def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = (
        Workspace.memory(clock=FixedClock(), entropy=seeded_entropy(1))
        if request.param == "memory"
        else Workspace.open(tmp_path / "s", clock=FixedClock())
    )
    await made.found([GATE])
    yield made
    await made.close()


@pytest.fixture
async def kept(tmp_path: Path) -> Any:
    """A workspace whose root key was taken away to `tmp_path / "usb"`."""
    (tmp_path / "usb").mkdir()
    made = Workspace.open(tmp_path / "s", clock=FixedClock(), root=create(tmp_path / "usb" / "root.key"))
    await made.found([GATE])
    await made.close()
    again = Workspace.open(tmp_path / "s", clock=FixedClock())
    await again.refresh()
    yield again
    await again.close()


def bring(workspace: Workspace, tmp_path: Path) -> None:
    workspace.keyring.bring(ROOT, tmp_path / "usb" / "root.key")


async def size(workspace: Workspace) -> int:
    return (await workspace.ledger.head()).size


# With the root away ---------------------------------------------------------------------------------------------------


async def test_a_workspace_works_without_its_root_key(kept: Workspace) -> None:
    """Its keys are registered, stops are said and lifted, and nobody makes another root."""
    await kept.found([GATE])

    assert await kept.stop("why")
    assert not list(keys_home().rglob("root.key*"))
    with pytest.raises(KeyUnavailable, match="--root FILE"):
        kept.root()


async def test_a_role_without_a_key_says_to_bring_the_root(kept: Workspace) -> None:
    """Nothing is registered, nothing is made, and the sentence names the command for all of them at once."""
    before, keys = await size(kept), sorted(keys_home().rglob("*"))

    with pytest.raises(KeyUnavailable, match="squads keys add gate:a gate:b --root FILE"):
        await kept.found([GATE, "gate:a", "gate:b"])

    assert (before, keys) == (await size(kept), sorted(keys_home().rglob("*")))


async def test_a_root_that_is_brought_signs_from_where_it_lies(kept: Workspace, tmp_path: Path) -> None:
    """It is never copied to this machine's keys."""
    bring(kept, tmp_path)
    change = await add_key(kept, "gate:new")

    assert change.fresh
    assert kept.holds("gate:new")
    assert not list(keys_home().rglob("root.key*"))


async def test_another_root_than_the_logs_signs_nothing(kept: Workspace, tmp_path: Path) -> None:
    """A key that the log does not know as its root is refused before anything is written."""
    create(tmp_path / "other.key")
    kept.keyring.bring(ROOT, tmp_path / "other.key")
    before = await size(kept)

    with pytest.raises(KeyUnavailable, match="no root of this workspace"):
        await add_key(kept, "gate:new")
    assert before == await size(kept)


async def test_a_log_is_founded_by_the_root_that_trust_names_only(tmp_path: Path) -> None:
    """With an empty log, the root at hand is compared with `trust.json`."""
    made = Workspace.open(tmp_path / "s", root=create(tmp_path / "root.key"))
    await made.close()
    other = Workspace.open(tmp_path / "s", root=create(tmp_path / "other.key"))

    with pytest.raises(LedgerBroken, match="another root key"):
        await other.found([])
    await other.close()


async def test_a_workspace_is_not_founded_without_its_root(tmp_path: Path) -> None:
    """`trust.json` is there and the log is empty: only the root begins it."""
    made = Workspace.open(tmp_path / "s", root=create(tmp_path / "root.key"))
    await made.close()
    again = Workspace.open(tmp_path / "s")

    with pytest.raises(KeyUnavailable, match="root key"):
        await again.found([])
    assert await size(again) == 0
    await again.close()


async def test_only_the_root_grants_and_sets_the_policy(kept: Workspace, tmp_path: Path) -> None:
    """Both need it, and both take one that is brought."""
    for saying in (kept.grant(GATE, "verdict"), kept.set_policy(end_level="anchored")):
        with pytest.raises(KeyUnavailable):
            await saying
    bring(kept, tmp_path)
    await kept.grant(GATE, "verdict")
    policy = await kept.set_policy(end_level="anchored")

    assert policy == kept.view.policy


# The policy -----------------------------------------------------------------------------------------------------------


async def test_a_policy_keeps_what_it_is_not_told_to_change(workspace: Workspace) -> None:
    """Each record is whole, so what was said before is said again; saying nothing new appends nothing."""
    await workspace.set_policy(gate_custody="daemon")
    policy = await workspace.set_policy(refusal_level="anchored")
    before = await size(workspace)

    assert ("daemon", "checkpointed", "anchored") == (policy.gate_custody, policy.end_level, policy.refusal_level)
    assert policy == await workspace.set_policy(gate_custody="daemon")
    assert before == await size(workspace)


async def test_a_change_of_policy_is_made_to_what_is_in_force(tmp_path: Path) -> None:
    """Two who change different things at once do not undo each other."""
    one, two = Workspace.open(tmp_path / "s"), Workspace.open(tmp_path / "s")
    await one.found([])
    await two.found([])
    await one.set_policy(gate_custody="daemon")
    policy = await two.set_policy(end_level="anchored")

    assert ("daemon", "anchored") == (policy.gate_custody, policy.end_level)
    await one.close()
    await two.close()


async def test_a_workspace_without_a_policy_demands_nothing(workspace: Workspace) -> None:
    """Saying the defaults says nothing new."""
    before = await size(workspace)

    await workspace.set_policy(gate_custody="in-process")

    assert workspace.view.policy is None
    assert before == await size(workspace)


# Adding ---------------------------------------------------------------------------------------------------------------


async def test_adding_twice_is_once(workspace: Workspace) -> None:
    """The second time nothing is appended, and the answer says so."""
    first = await add_key(workspace, "gate:new")
    second = await add_key(workspace, "gate:new")

    assert (True, False) == (first.fresh, second.fresh)
    assert first.key == second.key
    assert first.size == await size(workspace)


async def test_a_key_that_is_elsewhere_is_added_with_its_custody(workspace: Workspace) -> None:
    """By its public key; the log says where its private half lives."""
    there = FixedSigner("there")
    change = await add_key(workspace, "gate:there", public_key=there.public_key, custody="daemon")
    (found,) = [key for key in listed(workspace) if key.key == change.key]

    assert ("daemon", False, True) == (found.custody, found.here, found.active)


@pytest.mark.parametrize(
    ("role", "raw", "why"),
    [
        ("gate", None, "no role"),
        ("log", None, "found a new store"),
        ("root", None, "by its public key"),
        ("gate:x", b"\0" * 32, "low order"),
        ("gate:x", b"short", "32 bytes"),
    ],
)
async def test_what_cannot_be_added_is_said_before_it_is_written(
    workspace: Workspace, role: str, raw: bytes | None, why: str
) -> None:
    """The log keeps for ever what it is given."""
    before = await size(workspace)

    with pytest.raises(InvalidInput, match=why):
        await add_key(workspace, role, public_key=raw)
    assert before == await size(workspace)


async def test_a_key_speaks_for_one_thing(workspace: Workspace) -> None:
    """A registered key is not registered for another role, and the view stays sound."""
    with pytest.raises(InvalidInput, match="registered as gate:style"):
        await add_key(workspace, "gate:other", public_key=workspace.signer(GATE).public_key)


async def test_a_person_is_added_under_an_opaque_id(workspace: Workspace) -> None:
    """By name or by that id, it is one person."""
    change = await add_key(workspace, "human:mara")
    again = await add_key(workspace, change.role)

    assert change.role == f"human:{workspace.person('mara')}"
    assert not again.fresh


# Rotating -------------------------------------------------------------------------------------------------------------


async def test_a_rotation_gives_the_role_a_new_key_and_ends_the_old_one(workspace: Workspace) -> None:
    """What the old one signed before still counts; from the next receipt on only the new one is heard."""
    old = workspace.signer(GATE).key_id
    change = await rotate_key(workspace, GATE)
    known = workspace.view.registry.keys[old]

    assert bytes.fromhex(change.key) == known.successor == workspace.signer(GATE).key_id
    assert workspace.view.holders(GATE) == [change.key]
    assert known.until_index == change.size
    assert (known.revoked, known.ended_by) == ("", change.size - 1)


async def test_a_rotated_key_is_rotated_again_and_the_old_ones_stay_ended(workspace: Workspace) -> None:
    """One voice at a time."""
    keys = [workspace.signer(GATE).key_id.hex()]
    keys += [(await rotate_key(workspace, GATE)).key for _ in range(3)]

    assert len(set(keys)) == 4
    assert workspace.view.holders(GATE) == keys[-1:]


async def test_the_root_is_rotated_where_it_lies(kept: Workspace, tmp_path: Path) -> None:
    """Its file gets the new key; `trust.json` goes on naming the one that began the log."""
    bring(kept, tmp_path)
    old = kept.root().key_id
    await rotate_key(kept, ROOT)

    assert load(tmp_path / "usb" / "root.key").key_id == kept.root().key_id != old
    assert await add_key(kept, "gate:new")


async def test_a_key_that_is_elsewhere_is_not_rotated_here(workspace: Workspace) -> None:
    """The old key signs its own end, so it must be at hand."""
    await add_key(workspace, "gate:there", public_key=FixedSigner("there").public_key)

    with pytest.raises(KeyUnavailable, match="squads keys revoke gate:there"):
        await rotate_key(workspace, "gate:there")
    assert not workspace.keyring.has("gate:there")


async def test_a_key_that_a_daemon_keeps_is_not_rotated_into_a_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new key is made where the old one is."""
    monkeypatch.setattr(type(workspace.signer(GATE)), "custody", "daemon")

    with pytest.raises(InvalidInput, match="--custody daemon"):
        await rotate_key(workspace, GATE)


async def test_two_who_rotate_at_once_make_one_key(tmp_path: Path) -> None:
    """They find the same key aside, and the log has one rotation."""
    made = [Workspace.open(tmp_path / "s") for _ in range(2)]
    for one in made:
        await one.found([GATE])
    changes = await asyncio.gather(*(rotate_key(one, GATE) for one in made))
    await made[0].refresh()

    assert len({change.key for change in changes}) == 1
    assert len([key for key in made[0].view.registry.keys.values() if GATE in key.roles]) == 2
    for one in made:
        await one.close()


class Died(Exception):
    """The process ended here."""


@pytest.mark.parametrize("where", ["before the append", "after the append"])
async def test_a_rotation_that_dies_half_way_is_repaired_by_whoever_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Before the log has it the old key counts; afterwards the new one does, and takes its place."""
    made = Workspace.open(tmp_path / "s")
    await made.found([GATE])
    old = made.signer(GATE).key_id
    append = made.ledger.append

    async def dies(*args: Any, **more: Any) -> Any:
        if where == "after the append":
            await append(*args, **more)
        raise Died

    monkeypatch.setattr(made.ledger, "append", dies)
    with pytest.raises(Died):
        await rotate_key(made, GATE)
    await made.close()

    again = Workspace.open(tmp_path / "s")
    await again.found([GATE])
    assert (again.signer(GATE).key_id == old) == (where == "before the append")
    assert again.holds(GATE)
    change = await rotate_key(again, GATE)
    assert again.view.holders(GATE) == [change.key]
    assert not list(keys_home().rglob("*.next"))
    await again.close()


async def test_an_interrupted_rotation_is_finished_and_not_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs the command again gets what the log has."""
    made = Workspace.open(tmp_path / "s")
    await made.found([GATE])

    def dies(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Keyring, "adopt", dies)
        with pytest.raises(Died):
            await rotate_key(made, GATE)
    await made.close()

    again = Workspace.open(tmp_path / "s")
    await again.refresh()
    before = await size(again)
    change = await rotate_key(again, GATE)

    assert not change.fresh
    assert again.view.holders(GATE) == [change.key] == [again.signer(GATE).key_id.hex()]
    assert before == await size(again)
    await again.close()


async def test_another_process_picks_the_new_key_up(tmp_path: Path) -> None:
    """A runner that lives signs with it from the moment it reads of the rotation."""
    running, rotating = Workspace.open(tmp_path / "s"), Workspace.open(tmp_path / "s")
    await running.found([GATE])
    await rotating.found([GATE])
    old = running.speaker(GATE)
    change = await rotate_key(rotating, GATE)
    await running.refresh()

    assert running.speaker(GATE).key_id.hex() == change.key != old.key_id.hex()
    await running.close()
    await rotating.close()


# Revoking -------------------------------------------------------------------------------------------------------------


async def test_a_revoked_key_does_not_come_back_by_itself(workspace: Workspace) -> None:
    """Not though the root is at hand: a thief must not get a new key because somebody opens the workspace."""
    change, since = await revoke_key(workspace, GATE, reason="compromised")

    assert (change.size - 1) == since
    with pytest.raises(KeyUnavailable, match=rf"revoked \(compromised\) at receipt {since}; run `squads keys add"):
        await workspace.found([GATE])
    with pytest.raises(KeyUnavailable, match="compromised"):
        workspace.speaker(GATE)
    assert workspace.view.holders(GATE) == []


async def test_a_lost_file_does_not_bring_a_revoked_role_back(kept: Workspace, tmp_path: Path) -> None:
    """Where all keys of a role were revoked, a missing key file is no reason to make another."""
    bring(kept, tmp_path)
    await revoke_key(kept, GATE, reason="compromised")
    kept.keyring.path(GATE).unlink()
    kept.keyring.forget(GATE)

    with pytest.raises(KeyUnavailable, match="revoked"):
        await kept.found([GATE])
    assert not kept.keyring.has(GATE)


async def test_a_revoked_role_speaks_again_once_somebody_says_so(workspace: Workspace) -> None:
    """A new key; the old one is kept aside under its id, where there are files."""
    old = workspace.signer(GATE).key_id.hex()
    await revoke_key(workspace, GATE, reason="lost")
    change = await add_key(workspace, GATE)

    assert change.key != old
    assert workspace.view.holders(GATE) == [change.key]
    if not workspace.in_memory:
        assert load(next(keys_home().rglob(f"gate-style.key.revoked-{old[:16]}"))).key_id.hex() == old


async def test_a_revocation_reaches_back_and_never_forward(workspace: Workspace) -> None:
    """From a receipt that is there; twice with an earlier one counts, with a later one gives nothing back."""
    end = await size(workspace)
    with pytest.raises(InvalidInput, match="not there yet"):
        await revoke_key(workspace, GATE, reason="compromised", suspect_from=end + 1)
    key, _ = one_key(workspace, GATE)
    _, late = await revoke_key(workspace, GATE, reason="compromised", suspect_from=end)
    earlier, early = await revoke_key(workspace, key.hex(), reason="compromised", suspect_from=2)
    again, still = await revoke_key(workspace, key.hex(), reason="compromised", suspect_from=3)

    assert (end, 2, 2) == (late, early, still)
    assert (True, False) == (earlier.fresh, again.fresh)


async def test_a_key_is_named_by_its_id_where_a_role_has_two(workspace: Workspace) -> None:
    """Nothing is guessed."""
    await add_key(workspace, GATE, public_key=FixedSigner("there").public_key)
    with pytest.raises(InvalidInput, match="2 keys speak as"):
        await revoke_key(workspace, GATE, reason="lost")
    change, _ = await revoke_key(workspace, FixedSigner("there").key_id.hex()[:12], reason="lost")

    assert change.key == FixedSigner("there").key_id.hex()
    for unknown in ("0" * 64, "gate:nobody", "moo"):
        with pytest.raises(InvalidInput):
            await revoke_key(workspace, unknown, reason="lost")
    with pytest.raises(InvalidInput, match="no reason"):
        await revoke_key(workspace, GATE, reason="mood")


async def test_the_last_root_is_not_revoked_and_one_of_two_is(workspace: Workspace) -> None:
    """A log without a root could say nothing about keys any more."""
    with pytest.raises(InvalidInput, match="last root"):
        await revoke_key(workspace, ROOT, reason="compromised")
    first = workspace.root().key_id.hex()
    await add_key(workspace, ROOT, public_key=FixedSigner("second").public_key)
    await revoke_key(workspace, first, reason="compromised")

    with pytest.raises(KeyUnavailable, match="bring another root key"):
        workspace.root()
    assert workspace.view.holders(ROOT) == [FixedSigner("second").key_id.hex()]


async def test_a_successor_that_was_revoked_unused_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that waits aside may have been registered and revoked by itself; it never counts."""
    made = Workspace.open(tmp_path / "s")
    await made.found([GATE])
    aside = made.keyring.successor(GATE)
    await add_key(made, "gate:other", public_key=aside.public_key)
    await revoke_key(made, aside.key_id.hex(), reason="compromised")

    change = await rotate_key(made, GATE)
    assert change.key != aside.key_id.hex()
    await made.close()


# Anchors --------------------------------------------------------------------------------------------------------------


class Outside:
    """An anchor that is reached, or not."""

    def __init__(self, error: Exception | None = None, anchors: tuple[str, ...] = ("a bucket",)) -> None:
        self.error = error
        self.anchors = anchors
        self.waited: list[int] = []

    async def wait(self, size: int) -> None:
        self.waited.append(size)
        if self.error:
            raise self.error

    async def close(self) -> None: ...


async def test_a_change_of_keys_waits_until_it_is_anchored(workspace: Workspace) -> None:
    """Without anchors there is nothing to wait for, and the answer says so."""
    change = await add_key(workspace, "gate:new")
    assert not await anchored(workspace, change.size)
    workspace.anchoring = Outside(anchors=())
    assert not await anchored(workspace, change.size)
    workspace.anchoring = outside = Outside()

    assert await anchored(workspace, change.size)
    assert outside.waited == [change.size]


async def test_a_change_that_is_not_anchored_is_no_success(workspace: Workspace) -> None:
    """The error is the anchor's, and says that the log has the change already."""
    workspace.anchoring = Outside(StorageUnavailable("the bucket is away"))

    with pytest.raises(StorageUnavailable, match="is in the log and not anchored yet: the bucket is away"):
        await anchored(workspace, 3)


# One history ----------------------------------------------------------------------------------------------------------

ACTS = st.lists(
    st.tuples(st.sampled_from(["add", "rotate", "revoke", "back"]), st.sampled_from([GATE, "gate:b", "runner"])),
    max_size=12,
)


@given(acts=ACTS, looks=st.sets(st.integers(0, 12)))
def test_key_events_one_by_one_and_all_at_once_give_one_registry(acts: list[tuple[str, str]], looks: set[int]) -> None:
    """Whoever follows the log, reads it late, or verifies it as a stranger knows the same keys."""

    async def go() -> None:
        writing = Workspace.memory(clock=FixedClock(), entropy=seeded_entropy(7))
        await writing.found([GATE])
        following = beside(writing)
        for number, (act, role) in enumerate(acts):
            try:
                if act == "add":
                    await add_key(writing, role)
                elif act == "rotate":
                    await rotate_key(writing, role)
                else:
                    await revoke_key(writing, role, reason="compromised", suspect_from=3 if act == "back" else None)
            except (InvalidInput, KeyUnavailable):
                pass
            if number in looks:
                await following.refresh()
        late = beside(writing)
        await following.refresh()
        await late.refresh()
        witness = Witness(writing.trust, tally := Tally())
        async for seq, leaf, _ in writing.ledger.scan():
            witness.read(seq, leaf)

        assert writing.view == following.view == late.view
        assert witness.registry == late.view.registry
        assert [r for r in tally.results() if r.state == "failed"] == []

    asyncio.run(go())


def beside(workspace: Workspace) -> Workspace:
    """Another reader of the same log, without any private key."""
    return Workspace(
        workspace.ledger, workspace.trust, keys=None, signers={}, clock=FixedClock(), entropy=seeded_entropy(8)
    )


async def test_a_key_events_refusal_leaves_the_log_readable(workspace: Workspace) -> None:
    """What the rules refuse is tried on the view first: nothing of it is appended."""

    def events(index: int) -> list[Entry]:
        from squads.registering import revocation_said
        from squads.signing import signed_entry

        payload = revocation_said(b"\0" * 32, "lost", since=0)
        return [signed_entry(WORKSPACE, payload, workspace.root())]

    before = await size(workspace)
    with pytest.raises(InvalidInput, match="never registered"):
        await workspace.append_events(events)
    assert before == await size(workspace)


async def test_a_copied_store_with_its_keys_is_the_same_workspace(kept: Workspace, tmp_path: Path) -> None:
    """Keys are found by the log's name, wherever the store lies."""
    shutil.copytree(tmp_path / "s", tmp_path / "copy")

    assert keys_of(kept.trust) == Workspace.open(tmp_path / "copy").keyring.directory
