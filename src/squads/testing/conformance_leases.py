"""What the leases of every `Ledger` must do, as tests: subclass, say how to open one, and let pytest collect it.

    from squads.testing.conformance_leases import LeasesConformance

    class TestMyLeases(LeasesConformance):
        async def open_ledger(self, where, origin, log_signer):
            return await MyLedger.open(where / "log", origin, log_signer)

It needs pytest-asyncio in auto mode. What protects is not the lease but the append that compares it: both are asked
here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from squads.contracts.errors import Conflict, InvalidInput, LeaseLost
from squads.kernel.ports import Appended, Lease, Ledger, Signer
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket, verified

PACKET = "p1"


def mine(holder: str = "one", token: int = 1, packet: str = PACKET) -> Lease:
    """Return what a fence says."""
    return Lease(packet=packet, holder=holder, token=token)


def seen(lease: Lease | None) -> tuple[str, int] | None:
    """Return who holds it, with which token."""
    return None if lease is None else (lease.holder, lease.token)


class LeasesConformance:
    """The suite. `open_ledger` is all that a subclass must give."""

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        """Return the ledger that is kept in the directory `where`; a new one if there is none yet."""
        raise TypeError("a subclass says how to make one")

    @asynccontextmanager
    async def held(self, where: Path, *holders: str) -> AsyncIterator[Ledger]:
        """Open a ledger in which these holders have begun, and close it at the end of the block."""
        ledger = await self.open_ledger(where, ORIGIN, LOG_KEY)
        try:
            await ledger.append(opening_entries(), expect={}, time_ms=1)
            for holder in holders:
                await ledger.leases.begin(holder)
            yield ledger
        finally:
            await ledger.close()

    async def say(
        self,
        ledger: Ledger,
        number: int,
        fence: Lease | None,
        *,
        packet: str = PACKET,
        expect: Mapping[str, int] | None = None,
    ) -> Appended:
        """Append one receipt, the `number`-th of its stream."""
        wanted = {packet: number} if expect is None else expect
        return await ledger.append([ticket(packet, number)], expect=wanted, time_ms=1, fence=fence)

    # Taking -----------------------------------------------------------------------------------------------------------

    async def test_a_packet_is_held_by_whoever_opens_it(self, tmp_path: Path) -> None:
        """The first append takes the lease with it, and those after it are let through."""
        async with self.held(tmp_path, "one") as ledger:
            assert await ledger.leases.look(PACKET) is None
            await self.say(ledger, 0, mine())
            await self.say(ledger, 1, mine())

            assert seen(await ledger.leases.look(PACKET)) == ("one", 1)

    async def test_an_append_that_is_refused_takes_no_lease(self, tmp_path: Path) -> None:
        """All of it or none of it: the lease goes the way of the entries."""
        async with self.held(tmp_path, "one") as ledger:
            with pytest.raises(Conflict):
                await self.say(ledger, 0, mine(), expect={PACKET: 7})

            assert await ledger.leases.look(PACKET) is None

    async def test_one_of_many_takes_what_nobody_holds(self, tmp_path: Path) -> None:
        """However many try at once, one has it and the others are told so."""
        names = [f"holder-{n}" for n in range(20)]
        async with self.held(tmp_path, *names) as ledger:
            taken = await asyncio.gather(*(ledger.leases.take(PACKET, name) for name in names))

            (won,) = [lease for lease in taken if lease is not None]
            assert won.token == 1
            assert await ledger.leases.look(PACKET) == won

    async def test_who_has_it_already_gets_it_as_it_stands(self, tmp_path: Path) -> None:
        """Taking twice changes nothing, also over one's own lease."""
        async with self.held(tmp_path, "one") as ledger:
            first = await ledger.leases.take(PACKET, "one")

            assert await ledger.leases.take(PACKET, "one") == first
            assert await ledger.leases.take(PACKET, "one", over=first) == first

    async def test_a_lease_is_taken_over_exactly_as_it_was_seen(self, tmp_path: Path) -> None:
        """Not without having seen it, not over an older one, not once its holder's beat moved on."""
        async with self.held(tmp_path, "one", "two", "three") as ledger:
            leases = ledger.leases
            first = await leases.take(PACKET, "one")
            assert first is not None

            assert await leases.take(PACKET, "two") is None
            assert await leases.take(PACKET, "two", over=replace(first, token=2)) is None
            assert await leases.take(PACKET, "two", over=replace(first, holder="three")) is None
            await leases.beat("one")
            assert await leases.take(PACKET, "two", over=first) is None
            assert seen(await leases.take(PACKET, "two", over=await leases.look(PACKET))) == ("two", 2)
            assert await leases.take(PACKET, "three", over=first) is None

    async def test_of_many_who_saw_the_same_one_takes_over(self, tmp_path: Path) -> None:
        """The lease that all of them saw is there for the first of them only."""
        names = [f"holder-{n}" for n in range(20)]
        async with self.held(tmp_path, "one", *names) as ledger:
            old = await ledger.leases.take(PACKET, "one")
            taken = await asyncio.gather(*(ledger.leases.take(PACKET, name, over=old) for name in names))

            assert [lease.token for lease in taken if lease is not None] == [2]

    async def test_packets_are_held_apart(self, tmp_path: Path) -> None:
        """Who holds one packet holds no other."""
        async with self.held(tmp_path, "one", "two") as ledger:
            await ledger.leases.take("p1", "one")
            await ledger.leases.take("p2", "two")
            await self.say(ledger, 0, mine("one", packet="p1"), packet="p1")
            with pytest.raises(LeaseLost):
                await self.say(ledger, 0, mine("one", packet="p2"), packet="p2")

            assert seen(await ledger.leases.look("p2")) == ("two", 1)

    # Comparing --------------------------------------------------------------------------------------------------------

    async def test_a_stale_holder_loses_the_compare(self, tmp_path: Path) -> None:
        """Also where it knows every receipt there is: not the streams' lengths refuse it, the token does."""
        async with self.held(tmp_path, "one", "two") as ledger:
            await self.say(ledger, 0, mine())
            taken = await ledger.leases.take(PACKET, "two", over=await ledger.leases.look(PACKET))
            assert taken is not None

            with pytest.raises(LeaseLost, match=f"packet {PACKET} is not held by one with token 1 .* two holds it"):
                await self.say(ledger, 1, mine("one", 1))
            with pytest.raises(LeaseLost):
                await self.say(ledger, 1, mine("two", 1))
            with pytest.raises(LeaseLost):
                await self.say(ledger, 1, mine("one", 2))
            assert len(await ledger.read(PACKET)) == 1
            await self.say(ledger, 1, taken)
            assert (await verified(ledger))["link"].ok

    async def test_a_fence_comes_before_the_streams_lengths(self, tmp_path: Path) -> None:
        """Who lost the packet hears that, and not that it should fold again and retry."""
        async with self.held(tmp_path, "one", "two") as ledger:
            await ledger.leases.take(PACKET, "two")

            with pytest.raises(LeaseLost):
                await self.say(ledger, 0, mine("one"), expect={PACKET: 5})

    async def test_without_a_fence_nothing_is_asked(self, tmp_path: Path) -> None:
        """People answer and stop a packet whoever holds it; the lease stays where it is."""
        async with self.held(tmp_path, "one") as ledger:
            await self.say(ledger, 0, mine())
            await self.say(ledger, 1, None)

            assert seen(await ledger.leases.look(PACKET)) == ("one", 1)

    @pytest.mark.parametrize("token", [0, 2, 7])
    async def test_only_the_first_token_is_taken_with_an_append(self, tmp_path: Path, token: int) -> None:
        """Any other one was given by nobody."""
        async with self.held(tmp_path, "one") as ledger:
            with pytest.raises(LeaseLost, match="nobody holds it"):
                await self.say(ledger, 0, mine(token=token))

            assert await ledger.read(PACKET) == []

    async def test_of_appends_that_are_committed_together_only_those_without_the_lease_are_refused(
        self, tmp_path: Path
    ) -> None:
        """A lost lease is the trouble of one packet."""
        async with self.held(tmp_path, "one", "two") as ledger:
            for n in range(0, 20, 2):
                await ledger.leases.take(f"p{n}", "two")
            done = await asyncio.gather(
                *(self.say(ledger, 0, mine(packet=f"p{n}"), packet=f"p{n}") for n in range(20)), return_exceptions=True
            )

            assert [n % 2 == 0 for n in range(20)] == [isinstance(one, LeaseLost) for one in done]
            assert (await verified(ledger))["link"].ok

    async def test_a_lease_goes_with_the_last_append(self, tmp_path: Path) -> None:
        """Nobody holds a packet that has ended, and nothing of it is left to give back."""
        async with self.held(tmp_path, "one") as ledger:
            await self.say(ledger, 0, mine())
            await self.say(ledger, 1, replace(mine(), last=True))
            await self.say(ledger, 0, replace(mine(packet="p2"), last=True), packet="p2")

            assert await ledger.leases.look(PACKET) is None
            assert await ledger.leases.look("p2") is None

    # Giving back ------------------------------------------------------------------------------------------------------

    async def test_what_was_given_back_is_free(self, tmp_path: Path) -> None:
        """One packet at a time; its token grows on, and who gave it back is refused like any other."""
        async with self.held(tmp_path, "one", "two") as ledger:
            leases = ledger.leases
            await leases.take("p1", "one")
            await leases.take("p2", "one")
            await leases.end("one", "p1")
            await leases.end("one", "p1")

            assert await leases.look("p1") is None
            assert seen(await leases.look("p2")) == ("one", 1)
            with pytest.raises(LeaseLost):
                await self.say(ledger, 0, mine(packet="p1"), packet="p1")
            assert seen(await leases.take("p1", "two")) == ("two", 2)
            await leases.end("one", "p1")
            assert seen(await leases.look("p1")) == ("two", 2)

    async def test_who_ends_gives_back_everything_and_is_gone(self, tmp_path: Path) -> None:
        """All packets are free at once; ending twice is no error."""
        async with self.held(tmp_path, "one", "two") as ledger:
            leases = ledger.leases
            for n in range(5):
                await leases.take(f"p{n}", "one")
            await leases.take("p9", "two")
            await leases.beat("one")
            assert await leases.gone("one") is False
            await leases.end("one")
            await leases.end("one")

            assert await leases.gone("one") is True
            assert [await leases.look(f"p{n}") for n in range(5)] == [None] * 5
            assert seen(await leases.look("p9")) == ("two", 1)
            assert seen(await leases.take("p0", "two")) == ("two", 2)

    async def test_only_who_has_begun_takes(self, tmp_path: Path) -> None:
        """Nobody could tell whether another one lives."""
        async with self.held(tmp_path, "one") as ledger:
            with pytest.raises(InvalidInput, match="has not begun"):
                await ledger.leases.take(PACKET, "two")
            await ledger.leases.end("one")
            with pytest.raises(InvalidInput, match="has not begun"):
                await ledger.leases.take(PACKET, "one")

    # Living -----------------------------------------------------------------------------------------------------------

    async def test_a_beat_is_seen(self, tmp_path: Path) -> None:
        """It grows for every packet of the holder, for nobody else's, and changes no token."""
        async with self.held(tmp_path, "one", "two") as ledger:
            leases = ledger.leases
            await leases.take("p1", "one")
            await leases.take("p2", "two")
            before = await leases.look("p1")
            other = await leases.look("p2")
            await leases.beat("one")
            after = await leases.look("p1")

            assert before is not None
            assert after is not None
            assert after.beat > before.beat
            assert after == replace(before, beat=after.beat)
            assert await leases.look("p2") == other

    async def test_who_has_begun_is_not_gone(self, tmp_path: Path) -> None:
        """Beginning twice is no error, and a beat of nobody is none."""
        async with self.held(tmp_path, "one") as ledger:
            await ledger.leases.begin("one")
            await ledger.leases.beat("nobody")

            assert await ledger.leases.gone("one") is False

    # Bounds -----------------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n", "é", "x" * 201])
    async def test_a_holders_name_is_checked(self, tmp_path: Path, name: str) -> None:
        """It may become the name of a file."""
        async with self.held(tmp_path, "one") as ledger:
            with pytest.raises(InvalidInput, match="names no holder"):
                await ledger.leases.begin(name)
            with pytest.raises(InvalidInput, match="names no holder"):
                await ledger.leases.take(PACKET, name)

    @pytest.mark.parametrize("packet", ["", "a\nb", "x" * 129])
    async def test_a_packets_name_is_checked(self, tmp_path: Path, packet: str) -> None:
        """It is the name of a stream."""
        async with self.held(tmp_path, "one") as ledger:
            with pytest.raises(InvalidInput, match="names no packet"):
                await ledger.leases.take(packet, "one")

    async def test_the_longest_names_are_taken(self, tmp_path: Path) -> None:
        """At the bound, not past it."""
        holder, packet = "x" * 200, "y" * 128
        async with self.held(tmp_path, holder) as ledger:
            assert seen(await ledger.leases.take(packet, holder)) == (holder, 1)
