"""Erasing what is kept about somebody: the receipt first, then every byte, and never under an open packet."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, AwaitingApproval, Composed, Squad, erasing
from squads.adapters.approvers import FlagApprover
from squads.audit import Audit, audit
from squads.contracts.errors import BlobMissing, Denied, InvalidInput, KeyUnavailable, SubjectErased, UnknownPacket
from squads.desk import Desk
from squads.erasing import Erasable, erase, look
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import receipt_of, record_of
from squads.testing import ScriptedBuilder, ScriptedGate

SECRET = "the medical history of somebody who trusted us"


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / "store"


def squad(store: Path | None, **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*[{"letter.txt": SECRET}] * 9, prior="b"),
        gates=[ScriptedGate("style", *[Approved()] * 9, prior="g")],
        store=store,
        **more,
    )


def said(found: Audit, check: str) -> tuple[str, str]:
    return next((r.state, r.message) for r in found.results if r.check == check)


def holding(where: Path, needle: bytes) -> list[Path]:
    return [path for path in where.rglob("*") if path.is_file() and needle in path.read_bytes()]


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def test_a_packet_is_erased_after_its_receipt(store: Path | None) -> None:
    """Content goes, receipts stay, and one of them says who did it; twice is no error and adds nothing."""
    async with squad(store) as made:
        gone, kept = await made.run("It."), await made.run("It.")
        workspace = await made.workspace()
        before = (await workspace.ledger.head()).size

        first = await erase(workspace, gone.packet[:8], person="owner")
        again = await erase(workspace, gone.packet, person="owner")

        assert (gone.packet, (gone.packet,), (before,)) == (first.subject, first.packets, first.receipts)
        assert first.contents > 3
        assert again == first.but(contents=0)
        assert before + 1 == (await workspace.ledger.head()).size
        stored = (await workspace.ledger.read(WORKSPACE))[-1]
        receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms)
        record = record_of(receipt.kind, receipt.predicate)
        assert ("erasure", workspace.person("owner")) == (record.kind, record.author)  # type: ignore[attr-defined]
        # The other packet's builder wrote the very same file: it is kept for that packet.
        assert SECRET.encode() == await workspace.blobs.get(digest_of(SECRET))
        assert isinstance(await made.resume(kept.packet), Composed)
        with pytest.raises(SubjectErased, match=f"erased, as receipt {before} of the ledger says"):
            await made.resume(gone.packet)
        await erase(workspace, kept.packet, person="owner")
        with pytest.raises(BlobMissing):
            await workspace.blobs.get(digest_of(SECRET))


async def test_packets_of_one_name_go_together(store: Path | None) -> None:
    """The name is stored as an opaque id, kept for later appends, and found again by name or id."""
    async with squad(store) as made:
        mine = [await made.run("It.", subject="customer-17") for _ in range(2)]
        other = await made.run("It.", subject="customer-18")
        workspace = await made.workspace()
        person = workspace.person("customer-17")

        assert person == (await workspace.ledger.subjects())[mine[0].packet]
        found = await look(workspace, "customer-17")
        assert (person, tuple(m.packet for m in mine), ()) == (found.subject, found.packets, found.open)
        assert found == await look(workspace, person)
        with pytest.raises(InvalidInput, match="together with 1 others"):
            await look(workspace, mine[0].packet)

        done = await erase(workspace, "customer-17", person="owner")

        assert (found.packets, 1) == (done.packets, len(done.receipts))
        assert done.receipts[0] == (await look(workspace, "customer-17")).erased
        assert isinstance(await made.resume(other.packet), Composed)
        for packet in found.packets:
            with pytest.raises(SubjectErased):
                await made.resume(packet)
        with pytest.raises(SubjectErased, match="another name"):
            await made.run("It.", subject="customer-17")


async def test_nothing_is_erased_under_an_open_packet(store: Path | None) -> None:
    """What gates and builders still read stays until the packet has ended."""
    async with squad(store, approval=ApprovalRule(approvers=("owner",))) as made:
        waiting = await made.run("It.", subject="customer-17")
        workspace = await made.workspace()
        assert isinstance(waiting, AwaitingApproval)

        with pytest.raises(InvalidInput, match=rf"open packets \({waiting.packet[:12]}\)"):
            await erase(workspace, "customer-17", person="owner")

        assert SECRET.encode() == await workspace.blobs.get(digest_of(SECRET))
        assert (await look(workspace, "customer-17")).erased is None


async def test_what_a_person_wrote_is_that_persons(store: Path | None) -> None:
    """Reasons of answers and stops are erased with who wrote them, and the packet they were about is not."""
    reason, why = "I know her well", "she asked us to"
    async with squad(store, approval=ApprovalRule(approvers=("owner",)), people=["owner", "ada"]) as made:
        waiting = await made.run("It.")
        await made.answer(waiting.packet, person="owner", approve=True, reason=reason, channel="terminal")
        workspace = await made.workspace()
        await workspace.stop(why, role="human:owner")
        await workspace.lift("enough", person="ada")
        found = await look(workspace, "owner")

        assert (
            Erasable(
                subject=workspace.person("owner"), packets=(), open=(), receipts=2, words=2, erased=None, speaks=True
            )
            == found
        )
        done = await erase(workspace, "owner", person="ada")

        assert 2 == done.contents
        assert isinstance(await made.resume(waiting.packet), Composed)
        # What ada wrote stands.
        assert 1 == (await look(workspace, "ada")).words
        assert 1 == (await erase(workspace, "ada", person="owner")).contents


async def test_what_people_wrote_about_a_packet_goes_with_it(store: Path | None) -> None:
    """It may tell of whoever the packet is about; other things that they wrote stay theirs."""
    async with squad(store, approval=ApprovalRule(approvers=("owner",))) as made:
        packets = [await made.run("It.") for _ in range(2)]
        for number, waiting in enumerate(packets):
            await made.answer(
                waiting.packet, person="owner", approve=True, reason=f"because {number}", channel="terminal"
            )
        workspace = await made.workspace()
        await erase(workspace, packets[0].packet, person="owner")

        assert 1 == (await erase(workspace, "owner", person="owner")).contents


async def test_only_a_person_with_a_key_here_erases(store: Path | None) -> None:
    """And only where the rules let them: the root can narrow it to some."""
    async with squad(store, people=["owner", "ada"]) as made:
        packet = (await made.run("It.")).packet
        workspace = await made.workspace()
        size = (await workspace.ledger.head()).size

        with pytest.raises(KeyUnavailable, match="only a person erases"):
            await erase(workspace, packet, person="nobody")
        await workspace.grant("human:ada", "erasure", revoked=True)
        with pytest.raises(Denied, match="no authority to sign erasure"):
            await erase(workspace, packet, person="ada")
        assert size + 1 == (await workspace.ledger.head()).size
        assert SECRET.encode() == await workspace.blobs.get(digest_of(SECRET))
        await erase(workspace, packet, person="owner")


@pytest.mark.parametrize(
    ("subject", "error", "says"),
    [
        ("customer-99", InvalidInput, "nothing is kept about 'customer-99'"),
        ("deadbeef", UnknownPacket, "no packet deadbeef"),
        ("", InvalidInput, "nothing is kept"),
        (WORKSPACE, InvalidInput, "nothing is kept"),
    ],
)
async def test_who_is_not_known_is_not_erased(subject: str, error: type[Exception], says: str) -> None:
    """A misspelt name must not look like a name of whom nothing was kept."""
    async with squad(None) as made:
        await made.run("It.")

        with pytest.raises(error, match=says):
            await look(await made.workspace(), subject)


async def test_an_erasure_that_died_after_its_receipt_is_finished(tmp_path: Path) -> None:
    """The receipt stands, the content too: a second run erases it and signs nothing more."""
    async with squad(tmp_path / "store") as made:
        packet = (await made.run("It.")).packet
        workspace = await made.workspace()
        real = workspace.ledger.erase
        workspace.ledger.erase = _dies  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            await erase(workspace, packet, person="owner")
        workspace.ledger.erase = real  # type: ignore[method-assign]
        size = (await workspace.ledger.head()).size
        assert await workspace.blobs.has(digest_of(SECRET))

        done = await erase(workspace, packet, person="owner")

        assert (size, (size - 1,)) == ((await workspace.ledger.head()).size, done.receipts)
        assert not await workspace.blobs.has(digest_of(SECRET))


async def test_many_packets_take_several_receipts(store: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt is small; together they name every packet once."""
    monkeypatch.setattr(erasing, "PACKETS_MAX", 2)
    async with squad(store) as made:
        packets = [(await made.run("It.", subject="customer-17")).packet for _ in range(5)]
        workspace = await made.workspace()
        size = (await workspace.ledger.head()).size

        done = await erase(workspace, "customer-17", person="owner")

        assert (tuple(packets), (size, size + 1, size + 2)) == (done.packets, done.receipts)
        assert {workspace.person("customer-17"), *packets} == set(workspace.view.erased)


async def test_a_packet_that_is_opened_meanwhile_is_not_erased_under_its_roles(tmp_path: Path) -> None:
    """The receipt stands, the sentence says so, and the next run finishes once that packet has ended."""
    async with squad(tmp_path / "store") as made:
        first = (await made.run("It.", subject="customer-17")).packet
        workspace = await made.workspace()
        real, later = workspace.declare, []

        async def opened_meanwhile(*given: Any) -> None:
            later.append((await made.run("It.", subject="customer-17")).packet)
            await real(*given)

        workspace.declare = opened_meanwhile  # type: ignore[method-assign]
        with pytest.raises(InvalidInput, match="was opened for p"):
            await erase(workspace, "customer-17", person="owner")
        workspace.declare = real  # type: ignore[method-assign]
        assert SECRET.encode() == await workspace.blobs.get(digest_of(SECRET))

        done = await erase(workspace, "customer-17", person="owner")
        assert ((first, *later), 2) == (done.packets, len(done.receipts))
        assert not await workspace.blobs.has(digest_of(SECRET))


async def _dies(subject: str) -> int:
    raise KeyboardInterrupt


async def test_no_byte_of_an_erased_packet_is_in_store_or_keys(tmp_path: Path) -> None:
    """Neither words, nor the file's digest, nor anything that was sealed for it; the audit says erased, not lost."""
    async with squad(tmp_path / "store", keys=tmp_path / "keys") as made:
        kept = await made.run("Another.", subject="customer-18")
        gone = await made.run(SECRET, subject="customer-17")
        workspace = await made.workspace()
        with closing(sqlite3.connect(tmp_path / "store" / "ledger.db")) as connection:
            sealed = [
                bytes(row[0])[13:45]
                for row in connection.execute(
                    "SELECT sealed FROM content JOIN subject ON subject.id = content.subject WHERE name = ?",
                    (workspace.person("customer-17"),),
                )
            ]
        assert len(sealed) > 4
        done = await erase(workspace, "customer-17", person="owner")
        await erase(workspace, "customer-18", person="owner")

        for needle in (SECRET.encode(), b"customer-17", bytes.fromhex(digest_of(SECRET)), *sealed):
            assert [] == holding(tmp_path, needle)
    found = audit(tmp_path / "store", keys=tmp_path / "keys")
    assert () == found.failed
    state, message = said(found, "content")
    assert "passed" == state
    assert "were erased, as receipts say" in message
    state, message = said(found, "replay")
    assert "passed" == state
    assert f"{gone.packet} (receipt {done.receipts[0]})" in message
    assert kept.packet in message


async def test_content_that_nobody_erased_is_lost(tmp_path: Path) -> None:
    """Rows that were deleted without a receipt are a finding, and the first is named."""
    async with squad(tmp_path / "store", keys=tmp_path / "keys") as made:
        packet = (await made.run("It.")).packet
        await (await made.workspace()).ledger.erase(packet)

    found = audit(tmp_path / "store", keys=tmp_path / "keys")

    state, message = said(found, "content")
    assert "failed" == state
    assert "are lost: no receipt says that they were erased" in message
    assert "unchecked" == said(found, "replay")[0]


async def test_an_audit_without_the_keys_of_content_checks_the_log(tmp_path: Path) -> None:
    """A copy that was handed to a stranger is verified as far as receipts go, and the rest is said to be unchecked."""
    async with squad(tmp_path / "store", keys=tmp_path / "keys") as made:
        await made.run("It.")

    found = audit(tmp_path / "store", keys=tmp_path / "elsewhere")

    assert () == found.failed
    assert "unchecked" == said(found, "content")[0]
    assert "unchecked" == said(found, "replay")[0]


async def test_a_look_shows_erased_packets_as_erased(tmp_path: Path) -> None:
    """Not as unreadable: nothing is wrong with them."""
    async with squad(tmp_path / "store") as made:
        packet = (await made.run("It.")).packet
        done = await erase(await made.workspace(), packet, person="owner")

    async with Desk.open(tmp_path / "store") as desk:
        found = await desk.overview()

    assert ((), 0) == (found.unreadable, found.exit_code)
    assert [(packet, done.receipts[0])] == [(gone.packet, gone.receipt) for gone in found.erased]


async def test_a_resumed_packet_stays_its_subjects(tmp_path: Path) -> None:
    """Another process that goes on with it stores under the same name, though nobody tells it."""
    ask = ApprovalRule(approvers=("owner",))
    async with squad(tmp_path / "store", approval=ask) as made:
        waiting = await made.run("It.", subject="customer-17")
    async with squad(tmp_path / "store", approval=ask, approver=FlagApprover()) as made:
        await made.resume(waiting.packet)
        workspace = await made.workspace()
        done = await erase(workspace, "customer-17", person="owner")

        assert (waiting.packet,) == done.packets
        assert not [name for name in (await workspace.ledger.subjects()).values() if name == waiting.packet]


async def test_words_that_another_packets_answer_names_too_stay_for_it(
    store: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has seen a statement can sign an answer that names it again: erasing that packet takes nothing else."""
    async with squad(store, approval=ApprovalRule(approvers=("owner",))) as made:
        packets = [await made.run("It.") for _ in range(2)]
        workspace = await made.workspace()
        for waiting in packets:
            with monkeypatch.context() as same:
                same.setattr(made, "_entropy", bytes)  # the same salt, and so the same bytes
                await made.answer(waiting.packet, person="owner", approve=True, reason="because", channel="terminal")
        await erase(workspace, packets[0].packet, person="owner")
    if store is not None:
        assert "passed" == said(audit(store), "content")[0]

    async with squad(store) as made:
        workspace = await made.workspace() if store is not None else workspace
        assert store is None or 1 == (await erase(workspace, "owner", person="owner")).contents


async def test_an_erasure_excuses_nobody_elses_loss(tmp_path: Path) -> None:
    """Two packets have the very same file: that one of them was erased does not say where the other's went."""
    async with squad(tmp_path / "store") as made:
        gone, _ = await made.run("It."), await made.run("It.")
        workspace = await made.workspace()
        await erase(workspace, gone.packet, person="owner")
        assert "passed" == said(audit(tmp_path / "store"), "content")[0]
        await workspace.blobs.erase(digest_of(SECRET))

        assert "failed" == said(audit(tmp_path / "store"), "content")[0]
