"""What every `Ledger` must do, as tests: subclass, say how to open one, and let pytest collect it.

    from squads.testing.conformance_ledger import LedgerConformance

    class TestMyLedger(LedgerConformance):
        durable = True
        async def open_ledger(self, where, origin, log_signer):
            return await MyLedger.open(where / "log", origin, log_signer)

It needs pytest-asyncio in auto mode. The suite must never ask for more than the port promises, so that an adapter
that passes is good enough for the kernel, and one that fails is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from squads.contracts.errors import BlobMissing, Conflict, InvalidInput, Overdrawn, StorageUnavailable
from squads.contracts.finding import Usage
from squads.contracts.packet import Allowance
from squads.kernel.budget import NOTHING_SPENT, Amount, Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import WORKSPACE, Appended, Entry, Ledger, Signer
from squads.ledger.checkpoint import verify_checkpoint
from squads.ledger.leaf import PAYLOAD_BYTES_MAX
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.report import Report
from squads.ledger.statement import PAYLOAD_TYPE
from squads.ledger.verify import verify_log
from squads.testing.conformance_proofs import ProofConformance
from squads.testing.signed_entries import LOG_KEY as LOG_KEY
from squads.testing.signed_entries import ORIGIN as ORIGIN
from squads.testing.signed_entries import ROOT_KEY as ROOT_KEY
from squads.testing.signed_entries import RUNNER_KEY as RUNNER_KEY
from squads.testing.signed_entries import SUBJECT as SUBJECT
from squads.testing.signed_entries import TRUST as TRUST
from squads.testing.signed_entries import opening_entries as opening_entries
from squads.testing.signed_entries import raises
from squads.testing.signed_entries import registration as registration
from squads.testing.signed_entries import signed_entry as signed_entry
from squads.testing.signed_entries import ticket as ticket


def share(tokens: int) -> Reservation:
    """Return a reservation of tokens from an account of 30."""
    return Reservation(account="shared", amount=Amount(tokens), allowance=Allowance(tokens_max=30))


def back(tokens: int, usage: Usage) -> Settlement:
    """Return the settlement of such a reservation."""
    return Settlement(account="shared", amount=Amount(tokens), usage=usage)


async def verified(ledger: Ledger, *, outside: Sequence[str] | None = None) -> Report:
    """Return the report on everything in `ledger`; nothing is appended meanwhile."""
    rows = [row async for row in ledger.scan()]
    return verify_log(rows, trust=TRUST, checkpoints=await ledger.checkpoints(), outside=outside)


class LedgerConformance(ProofConformance):
    """The suite. `open_ledger` is all that a subclass must give."""

    durable = False
    """True where opening the same place again finds what was appended."""

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        """Return the ledger that is kept in the directory `where`; a new one if there is none yet."""
        raise TypeError("a subclass says how to make one")

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Ledger]:
        """Open the ledger, and close it at the end of the block."""
        ledger = await self.open_ledger(where, ORIGIN, LOG_KEY)
        try:
            yield ledger
        finally:
            await ledger.close()

    async def test_an_empty_log_has_the_empty_root_and_no_checkpoint(self, tmp_path: Path) -> None:
        """Size 0 is a head too: the root of no leaves, signed by nobody."""
        async with self.opened(tmp_path) as ledger:
            head = await ledger.head()

            assert (head.size, head.root, head.time_ms, head.checkpoint) == (0, EMPTY_ROOT, 0, "")
            assert await ledger.streams() == []
            assert await ledger.checkpoints() == []
            assert await ledger.read("nobody") == []
            assert [row async for row in ledger.scan()] == []

    async def test_an_append_gives_gapless_numbers_and_a_signed_head(self, tmp_path: Path) -> None:
        """Sequence numbers run through all streams; the head covers everything so far."""
        async with self.opened(tmp_path) as ledger:
            first = await ledger.append(opening_entries(), expect={WORKSPACE: 0}, time_ms=10)
            second = await ledger.append([ticket("a"), ticket("b"), ticket("a", 1)], expect={}, time_ms=11)

            assert (first.first_seq, first.head.size) == (0, 2)
            assert (second.first_seq, second.head.size, second.head.time_ms) == (2, 5, 11)
            assert second.head == await ledger.head()
            assert second.head.root == verify_checkpoint(second.head.checkpoint, TRUST.log_key).root
            assert [seq async for seq, _, _ in ledger.scan()] == [0, 1, 2, 3, 4]
            assert [seq async for seq, _, _ in ledger.scan(start=3)] == [3, 4]

    async def test_what_was_appended_verifies(self, tmp_path: Path) -> None:
        """An adapter's rows and checkpoints satisfy the offline verifier in every check."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=10)
            for number in range(20):
                await ledger.append([ticket("a", number)] * (number % 3 + 1), expect={}, time_ms=10 + number)
            report = await verified(ledger, outside=await ledger.checkpoints())

            assert report.failed + report.warned + report.unchecked == ()
            assert report.root == (await ledger.head()).root

    async def test_a_stream_reads_in_order_with_the_exact_bytes(self, tmp_path: Path) -> None:
        """What comes back is what was signed; `start` counts within the stream."""
        async with self.opened(tmp_path) as ledger:
            entries = [ticket("a", number) for number in range(5)]
            for entry in entries:
                await ledger.append([entry, ticket("b")], expect={}, time_ms=7)
            found = await ledger.read("a")

            assert [entry.payload for entry in entries] == [stored.payload for stored in found]
            assert [entry.signatures for entry in entries] == [stored.signatures for stored in found]
            assert [stored.seq for stored in found] == [0, 2, 4, 6, 8]
            assert {("a", 7, PAYLOAD_TYPE)} == {(s.stream, s.time_ms, s.payload_type) for s in found}
            assert found[3:] == await ledger.read("a", start=3)
            assert await ledger.read("a", start=5) == []
            assert await ledger.streams() == ["a", "b"]

    async def test_an_unexpected_length_is_a_conflict_and_writes_nothing(self, tmp_path: Path) -> None:
        """Whoever folded an older stream must fold again; neither entries nor content are kept."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={"a": 0}, time_ms=5)
            before = await ledger.head()

            for expect in ({"a": 0}, {"a": 2}, {"a": 1, "b": 1}):
                await raises(
                    Conflict, ledger.append([ticket("a"), ticket("b")], expect=expect, time_ms=5, content=[b"x"])
                )
            assert before == await ledger.head()
            assert await ledger.streams() == ["a"]
            assert (await ledger.append([ticket("a")], expect={"a": 1, "b": 0}, time_ms=5)).first_seq == 1

    async def test_only_the_named_streams_are_compared(self, tmp_path: Path) -> None:
        """Packets do not disturb each other: another stream may grow meanwhile."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={"a": 0}, time_ms=5)
            await ledger.append([ticket("b")], expect={"b": 0}, time_ms=5)

            assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=5)).head.size == 3

    async def test_time_never_runs_backwards(self, tmp_path: Path) -> None:
        """A time before the newest leaf's is a conflict; the same time is not."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=50)

            await raises(Conflict, ledger.append([ticket("a")], expect={}, time_ms=49))
            assert (await ledger.append([ticket("a")], expect={}, time_ms=50)).head.size == 2

    async def test_what_fits_in_no_leaf_is_refused_before_anything_is_written(self, tmp_path: Path) -> None:
        """Nothing to append, too large a payload, no signature, key ids out of order: invalid input."""
        good = ticket("a")
        second = (b"\xff" * 32, good.signatures[0][1])
        bad = [
            [],
            [Entry(stream="a", payload_type=PAYLOAD_TYPE, payload=good.payload, signatures=())],
            [good, Entry(stream="a", payload_type="", payload=b"", signatures=good.signatures)],
            [Entry(stream="a", payload_type="t", payload=bytes(PAYLOAD_BYTES_MAX + 1), signatures=good.signatures)],
            [Entry(stream="a", payload_type="t", payload=b"", signatures=(second, *good.signatures))],
            [Entry(stream="", payload_type="t", payload=b"", signatures=good.signatures)],
        ]
        async with self.opened(tmp_path) as ledger:
            for entries in bad:
                await raises(InvalidInput, ledger.append(entries, expect={}, time_ms=1))
            for time_ms in (-1, 2**53, 2**64):
                await raises(InvalidInput, ledger.append([good], expect={}, time_ms=time_ms))

            assert (await ledger.head()).size == 0

    async def test_content_is_there_when_the_append_returns(self, tmp_path: Path) -> None:
        """Content rides with the entries that speak of it, and can be erased alone."""
        async with self.opened(tmp_path) as ledger:
            digest = sha256(b"x").hexdigest()
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"x", b"x"])

            assert await ledger.blobs.get(digest) == b"x"
            assert await ledger.blobs.erase(digest)
            await raises(BlobMissing, ledger.blobs.get(digest))
            assert (await verified(ledger))["link"].ok

    async def test_of_many_appends_at_once_each_succeeds_or_conflicts_alone(self, tmp_path: Path) -> None:
        """Ten race for each place in a stream: one wins, nine conflict, and no number is lost."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=1)
            for length in range(5):
                outcomes = await asyncio.gather(
                    *(ledger.append([ticket("race", n)], expect={"race": length}, time_ms=2) for n in range(10)),
                    *(ledger.append([ticket(f"own-{n}")], expect={}, time_ms=2) for n in range(10)),
                    return_exceptions=True,
                )
                won, own = outcomes[:10], outcomes[10:]

                assert sum(isinstance(outcome, Conflict) for outcome in won) == 9
                assert not [outcome for outcome in own if isinstance(outcome, BaseException)]
            report = await verified(ledger)
            assert (report.size, report.failed) == (5 * 11 + 2, ())

    async def test_what_is_reserved_together_never_passes_the_limit(self, tmp_path: Path) -> None:
        """Eight reserve at once where three fit: three are written, with their receipts, and five are not."""
        async with self.opened(tmp_path) as ledger:
            outcomes = await asyncio.gather(
                *(
                    ledger.append([ticket(f"p{n}")], expect={}, time_ms=1, content=[bytes([n])], reserve=share(10))
                    for n in range(8)
                ),
                return_exceptions=True,
            )

            assert sum(isinstance(outcome, Overdrawn) for outcome in outcomes) == 5
            assert sum(isinstance(outcome, Appended) for outcome in outcomes) == 3
            assert (await ledger.head()).size == len(await ledger.streams()) == 3
            assert await ledger.balance("shared") == Spend(tokens_reserved=30)
            kept = [await ledger.blobs.has(sha256(bytes([n])).hexdigest()) for n in range(8)]
            assert kept == [isinstance(outcome, Appended) for outcome in outcomes]

    async def test_what_was_not_spent_can_be_reserved_again(self, tmp_path: Path) -> None:
        """A settlement replaces the reservation by what was spent, and it may come with the reservation itself."""
        usage = Usage(tokens=4, cost_microusd=5, calls=1, wait_ms=6)
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={}, time_ms=1, reserve=share(30))
            await raises(Overdrawn, ledger.append([ticket("b")], expect={}, time_ms=1, reserve=share(1)))
            await ledger.append([ticket("a")], expect={}, time_ms=1, settle=back(30, usage))
            assert await ledger.balance("shared") == Spend(tokens=4, microusd=5, wait_ms=6, calls=1)

            await raises(Overdrawn, ledger.append([ticket("b")], expect={}, time_ms=1, reserve=share(27)))
            await ledger.append([ticket("b")], expect={}, time_ms=1, reserve=share(26), settle=back(26, usage))

            assert (await ledger.balance("shared"))[:4] == (8, 10, 12, 2)
            assert await ledger.balance("another") == NOTHING_SPENT
            assert (await verified(ledger))["link"].ok

    async def test_accounts_move_only_with_their_receipts(self, tmp_path: Path) -> None:
        """A conflict writes neither; what is overdrawn is refused before a stream grows."""
        async with self.opened(tmp_path) as ledger:
            await ledger.append([ticket("a")], expect={"a": 0}, time_ms=5)
            refused: list[tuple[type[Exception], dict[str, Any]]] = [
                (Conflict, {"expect": {"a": 0}, "time_ms": 5}),
                (Conflict, {"expect": {}, "time_ms": 4}),
            ]
            for error, change in refused:
                await raises(error, ledger.append([ticket("a")], reserve=share(10), **change))
                await raises(error, ledger.append([ticket("a")], settle=back(10, Usage(tokens=1, calls=1)), **change))
            await raises(Overdrawn, ledger.append([ticket("a")], expect={"a": 1}, time_ms=5, reserve=share(31)))

            assert await ledger.balance("shared") == NOTHING_SPENT
            assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=5, reserve=share(30))).first_seq == 1

    async def test_a_closed_ledger_says_so(self, tmp_path: Path) -> None:
        """Nothing is accepted after `close`, and closing twice is no error."""
        ledger = await self.open_ledger(tmp_path, ORIGIN, LOG_KEY)
        await ledger.append([ticket("a")], expect={}, time_ms=1)
        await ledger.close()
        await ledger.close()

        await raises(StorageUnavailable, ledger.append([ticket("a")], expect={}, time_ms=1))
        await raises(StorageUnavailable, ledger.read("a"))
        await raises(StorageUnavailable, ledger.prove([0]))
        await raises(StorageUnavailable, ledger.consistency(1, 1))

    async def test_opening_again_finds_everything(self, tmp_path: Path) -> None:
        """A durable ledger goes on where it stopped: lengths, time, tree and content."""
        if not self.durable:
            return
        async with self.opened(tmp_path) as ledger:
            await ledger.append(opening_entries(), expect={}, time_ms=5, reserve=share(20))
            head = (await ledger.append([ticket("a")] * 3, expect={}, time_ms=5, content=[b"kept"])).head
        async with self.opened(tmp_path) as ledger:
            assert head == await ledger.head()
            assert await ledger.streams() == [WORKSPACE, "a"]
            await raises(Conflict, ledger.append([ticket("a")], expect={"a": 2}, time_ms=5))
            await raises(Conflict, ledger.append([ticket("a")], expect={"a": 3}, time_ms=4))
            assert (await ledger.append([ticket("a")], expect={"a": 3}, time_ms=5)).first_seq == 5
            assert (await verified(ledger)).failed == ()
            assert await ledger.blobs.get(sha256(b"kept").hexdigest()) == b"kept"
            assert await ledger.balance("shared") == Spend(tokens_reserved=20)
            await raises(Overdrawn, ledger.append([ticket("a")], expect={}, time_ms=5, reserve=share(11)))
