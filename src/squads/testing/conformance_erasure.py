"""What every `Ledger` must do with whose content it keeps, as tests: mix it into a subclass of `LedgerConformance`.

    class TestMyLedger(LedgerConformance, ErasureConformance): ...

It asks through the ports alone; that no byte stays in a medium is for each adapter's own tests to show.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path

from squads.contracts.errors import BlobMissing, InvalidInput, SubjectErased
from squads.contracts.thinking import Step
from squads.kernel.ports import WORKSPACE, Ledger
from squads.testing.conformance_ledger import opening_entries, ticket, verified
from squads.testing.signed_entries import raises

CUSTOMER, OTHER = "s0123456789abcdef", "sfedcba9876543210"


def _named(content: bytes) -> str:
    return sha256(content).hexdigest()


class ErasureConformance:
    """The suite; `opened` and `durable` come from `LedgerConformance`."""

    durable: bool

    def opened(self, where: Path) -> AbstractAsyncContextManager[Ledger]:
        """Open the ledger, new or again; `LedgerConformance` does it."""
        raise TypeError("a subclass of LedgerConformance says how to make one")

    async def test_a_stream_belongs_to_who_was_named_when_it_began(self, tmp_path: Path) -> None:
        """Nobody named is the stream itself; who is named later does not take it over; the workspace's is its own."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=1)
            await ledger.append([ticket("a")], expect={}, time_ms=1, subject=CUSTOMER)
            await ledger.append([ticket("b")], expect={}, time_ms=1)
            await ledger.append([ticket("a", 1), ticket("b", 1)], expect={}, time_ms=1, content=[b"x"], subject=OTHER)

            assert await ledger.subjects() == {WORKSPACE: "", "a": CUSTOMER, "b": "b"}
            await ledger.erase(CUSTOMER)
            assert await ledger.subjects() == {WORKSPACE: "", "a": CUSTOMER, "b": "b"}
        if self.durable:
            async with self.opened(tmp_path) as again:
                assert await again.subjects() == {WORKSPACE: "", "a": CUSTOMER, "b": "b"}

    async def test_what_belongs_to_a_subject_is_erased_and_nothing_else(self, tmp_path: Path) -> None:
        """Content of all its streams goes, of the first append and of later ones; the log stands as it was."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=1, content=[b"workspace"])
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"one"], subject=CUSTOMER)
            await ledger.append([ticket("b")], expect={}, time_ms=1, content=[b"two"], subject=CUSTOMER)
            await ledger.append([ticket("b", 1)], expect={}, time_ms=1, content=[b"three"])
            await ledger.append([ticket("c")], expect={}, time_ms=1, content=[b"four"])
            await ledger.blobs.put(b"five", subject="a")
            head = await ledger.head()

            assert await ledger.erase(CUSTOMER) == 4
            for gone in (b"one", b"two", b"three", b"five"):
                await raises(BlobMissing, ledger.blobs.get(_named(gone)))
                assert not await ledger.blobs.has(_named(gone))
            for kept in (b"workspace", b"four"):
                assert kept == await ledger.blobs.get(_named(kept))
            assert head == await ledger.head()
            assert (await verified(ledger))["link"].ok
            assert await ledger.erase(CUSTOMER) == 0
        if self.durable:
            async with self.opened(tmp_path) as again:
                await raises(BlobMissing, again.blobs.get(_named(b"one")))
                assert await again.blobs.get(_named(b"four")) == b"four"

    async def test_what_two_subjects_share_stays_with_the_other(self, tmp_path: Path) -> None:
        """The same bytes are kept for each of them: erasing one takes nothing from the other."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"shared"])
            await ledger.append([ticket("b")], expect={}, time_ms=1, content=[b"shared"])

            assert await ledger.erase("a") == 1
            assert await ledger.blobs.get(_named(b"shared")) == b"shared"
            assert await ledger.erase("b") == 1
            await raises(BlobMissing, ledger.blobs.get(_named(b"shared")))

    async def test_one_content_can_be_erased_whoever_has_it(self, tmp_path: Path) -> None:
        """By its digest it goes for every subject."""
        async with self.opened(tmp_path) as ledger:
            for subject in ("a", "b"):
                await ledger.blobs.put(b"shared", subject=subject)

            assert await ledger.blobs.erase(_named(b"shared"))
            await raises(BlobMissing, ledger.blobs.get(_named(b"shared")))
            assert not await ledger.blobs.erase(_named(b"shared"))

    async def test_nothing_more_is_stored_for_an_erased_subject(self, tmp_path: Path) -> None:
        """Whoever comes late cannot bring it back: neither content nor the receipts that ride with it are written."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"one"], subject=CUSTOMER)
            await ledger.erase(CUSTOMER)
            await ledger.erase("never-seen")

            await raises(SubjectErased, ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"late"]))
            await raises(SubjectErased, ledger.blobs.put(b"late", subject="a"))
            await raises(SubjectErased, ledger.blobs.put(b"late", subject="never-seen"))
            late = ledger.append([ticket("n")], expect={}, time_ms=1, content=[b"late"], subject=CUSTOMER)
            await raises(SubjectErased, late)
            assert (await ledger.head()).size == 1
            assert await ledger.streams() == ["a"]
            assert not await ledger.blobs.has(_named(b"late"))

    async def test_journalled_steps_go_with_their_packet(self, tmp_path: Path) -> None:
        """What a model wrote for a packet is about whoever the packet is about."""
        step = Step(kind="model", input="0" * 64, turn=1, payload=b"words")
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=1, subject=CUSTOMER)
            for about, packet in (("request", "a"), ("other", "b"), ("nobody", "")):
                assert step == await ledger.journal.put(about, step, packet=packet)

            await ledger.erase(CUSTOMER)

            assert await ledger.journal.get("request", "model", "0" * 64, 1) is None
            assert step == await ledger.journal.get("other", "model", "0" * 64, 1)
            assert step == await ledger.journal.get("nobody", "model", "0" * 64, 1)
            await raises(SubjectErased, ledger.journal.put("request", step, packet="a"))

    async def test_the_workspace_itself_is_not_erased(self, tmp_path: Path) -> None:
        """Its own content is what the rest is judged by."""
        async with self.opened(tmp_path) as ledger:
            for nobody in ("", WORKSPACE):
                await raises(InvalidInput, ledger.erase(nobody))
