"""What every `Anchor` must do, as tests: subclass, say how to open one, and let pytest collect it.

    from squads.testing.conformance_anchor import AnchorConformance

    class TestMyAnchor(AnchorConformance):
        @asynccontextmanager
        async def opened(self, where):
            yield MyAnchor(where)

It needs pytest-asyncio in auto mode. `opened` twice with one directory is one place, as two processes would use it.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path

from squads.kernel.ports import Anchor
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN


def note_over(size: int, history: str = "") -> str:
    """Return a checkpoint of the suite's log over `size` receipts; another `history` gives another root."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, sha256(f"{size}{history}".encode()).digest()), LOG_KEY)


class AnchorConformance:
    """The suite. `opened` is all that a subclass must give; `litter` makes one more rule testable."""

    def opened(self, where: Path) -> AbstractAsyncContextManager[Anchor]:
        """Open the anchor that is kept under `where`, for the log `ORIGIN`, and close it at the end of the block."""
        raise TypeError("a subclass says how to make one")

    async def litter(self, where: Path) -> bool:
        """Put something that is no note beside the notes; False where nobody can."""
        return False

    async def test_an_empty_anchor_holds_nothing(self, tmp_path: Path) -> None:
        """And asking it makes nothing."""
        async with self.opened(tmp_path) as anchor:
            assert await anchor.notes() == []

    async def test_a_note_comes_back_as_it_was_put_for_whoever_opens_the_anchor_next(self, tmp_path: Path) -> None:
        """The exact text, for its signature is over exactly that."""
        async with self.opened(tmp_path) as anchor:
            await anchor.put(note_over(7))
        async with self.opened(tmp_path) as again:
            assert [note_over(7)] == await again.notes()

    async def test_notes_come_by_size_however_they_were_put(self, tmp_path: Path) -> None:
        """Several processes put theirs in no order."""
        async with self.opened(tmp_path) as anchor:
            for size in (300, 2, 1_000_000, 40):
                await anchor.put(note_over(size))

            assert [note_over(size) for size in (2, 40, 300, 1_000_000)] == await anchor.notes()

    async def test_a_note_that_is_there_already_can_be_put_again(self, tmp_path: Path) -> None:
        """Whoever does not know whether it arrived puts it again, and it is there."""
        async with self.opened(tmp_path) as anchor:
            await anchor.put(note_over(3))
            await anchor.put(note_over(3))

            assert {note_over(3)} == set(await anchor.notes())

    async def test_two_notes_over_equally_many_receipts_are_both_kept(self, tmp_path: Path) -> None:
        """They are the proof of a fork: the later one must not take the earlier one's place."""
        async with self.opened(tmp_path) as anchor:
            await anchor.put(note_over(5))
            await anchor.put(note_over(5, "another history"))

            assert {note_over(5), note_over(5, "another history")} == set(await anchor.notes())

    async def test_no_note_from_a_size_on_is_left_out(self, tmp_path: Path) -> None:
        """Smaller ones may be; the one of exactly that size is not."""
        async with self.opened(tmp_path) as anchor:
            for size in (9, 10, 11, 100):
                await anchor.put(note_over(size))
            found = await anchor.notes(since=10)

            assert [note_over(size) for size in (10, 11, 100)] == [n for n in found if n != note_over(9)]
            assert [n for n in await anchor.notes(since=101) if n == note_over(1_000)] == []

    async def test_notes_that_are_put_at_once_are_all_there(self, tmp_path: Path) -> None:
        """By two that opened it, as two processes would."""
        async with self.opened(tmp_path) as one, self.opened(tmp_path) as other:
            await asyncio.gather(*(anchor.put(note_over(n)) for n in range(1, 6) for anchor in (one, other)))

            assert {note_over(n) for n in range(1, 6)} == set(await one.notes()) == set(await other.notes())

    async def test_what_is_no_note_hides_none(self, tmp_path: Path) -> None:
        """Whoever may write there may write nonsense; who verifies looks past it."""
        async with self.opened(tmp_path) as anchor:
            await anchor.put(note_over(1))
            await self.litter(tmp_path)
            await anchor.put(note_over(2))

            assert [note_over(1), note_over(2)] == [n for n in await anchor.notes() if n in map(note_over, (1, 2))]

    async def test_it_has_a_name_and_closing_twice_is_no_error(self, tmp_path: Path) -> None:
        """People read the name in every result."""
        async with self.opened(tmp_path) as anchor:
            assert anchor.name
            await anchor.close()
            await anchor.close()
