"""What every `Journal` must do, as tests: subclass, say how to open one, and let pytest collect it.

    from squads.testing.conformance_journal import JournalConformance

    class TestMyJournal(JournalConformance):
        durable = True
        @asynccontextmanager
        async def opened(self, where):
            yield MyJournal(where)

It needs pytest-asyncio in auto mode. The suite must never read a journal's inside.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path
from typing import Literal

from squads.contracts.errors import InvalidInput
from squads.contracts.thinking import Step
from squads.kernel.model_ports import STEP_BYTES_MAX, Journal

ABOUT, OTHER = "a" * 64, "b" * 64
PAYLOADS = (b"", b"x", "Grüße".encode(), bytes(range(256)) * 4_096)


def step(payload: bytes = b"", *, asked: str = "", kind: Literal["model", "tool"] = "model", turn: int = 1) -> Step:
    """Return a step whose input is the digest of `asked`."""
    return Step(kind=kind, input=sha256(asked.encode()).hexdigest(), turn=turn, payload=payload)


async def found(journal: Journal, about: str, like: Step) -> Step | None:
    """Return what the journal has under the key of `like`."""
    return await journal.get(about, like.kind, like.input, like.turn)


class JournalConformance:
    """The suite. `opened` is all that a subclass must give."""

    durable = False
    """True for a journal that is still there when it is opened again, by this process or another."""
    bytes_max = STEP_BYTES_MAX
    """The most that a payload may have; less where the journal keeps something of its own beside it."""

    def opened(self, where: Path) -> AbstractAsyncContextManager[Journal]:
        """Open the journal that is kept in the directory `where`, and close it at the end of the block."""
        raise TypeError("a subclass says how to make one")

    async def test_a_step_comes_back_as_it_was_put(self, tmp_path: Path) -> None:
        """Empty, small, text and a megabyte: the payload is the journal's to keep and not to read."""
        async with self.opened(tmp_path) as journal:
            for number, payload in enumerate(PAYLOADS):
                put = step(payload, asked=str(number), kind="tool", turn=7)

                assert put == await journal.put(ABOUT, put)
                assert put == await found(journal, ABOUT, put)

    async def test_only_exactly_what_was_asked_is_found(self, tmp_path: Path) -> None:
        """Another request, kind, input or turn is another step."""
        async with self.opened(tmp_path) as journal:
            put = await journal.put(ABOUT, step(b"kept"))

            assert await found(journal, OTHER, put) is None
            assert await found(journal, ABOUT, put.but(kind="tool")) is None
            assert await found(journal, ABOUT, put.but(turn=2)) is None
            assert await found(journal, ABOUT, step(asked="other")) is None

    async def test_what_names_no_step_is_not_there(self, tmp_path: Path) -> None:
        """A lookup never fails for what it is asked; a step without a request that has a name is refused."""
        async with self.opened(tmp_path) as journal:
            put = await journal.put(ABOUT, step(b"kept"))

            assert await journal.get(ABOUT, "", put.input, 1) is None
            assert await journal.get(ABOUT, "mödel", put.input, 1) is None
            assert await journal.get(ABOUT, put.kind, "é" * 64, 1) is None
            assert await journal.get(ABOUT, put.kind, put.input[:-1], 1) is None
            assert await journal.get(ABOUT, put.kind, put.input, 0) is None
            assert await journal.get(ABOUT, put.kind, put.input, 2**70) is None
            for about in ("", "a\nb", "a" * 129, "\ud800", "a\x00"):
                assert await found(journal, about, put) is None
                assert await journal.erase(about) == 0
                assert await _refused(journal, about, put)
            assert await _refused(journal, ABOUT, put.but(turn=2**53))

    async def test_the_first_put_wins_and_everybody_gets_it(self, tmp_path: Path) -> None:
        """One after another, and all at once: whoever loses is given what won."""
        async with self.opened(tmp_path) as journal:
            first = await journal.put(ABOUT, step(b"first"))

            assert first == await journal.put(ABOUT, step(b"second"))
            assert first == await found(journal, ABOUT, first)

            rivals = [step(f"rival {number}".encode(), asked="race") for number in range(16)]
            kept = await asyncio.gather(*(journal.put(ABOUT, rival) for rival in rivals))

            assert len({one.payload for one in kept}) == 1
            assert kept[0] in rivals
            assert kept[0] == await found(journal, ABOUT, rivals[0])

    async def test_steps_that_are_put_at_once_are_all_kept(self, tmp_path: Path) -> None:
        """However they are grouped, each is answered for itself."""
        async with self.opened(tmp_path) as journal:
            steps = [step(str(number).encode(), asked=str(number % 50), turn=1 + number // 50) for number in range(300)]
            await asyncio.gather(*(journal.put(ABOUT, one) for one in steps))

            assert steps == [await found(journal, ABOUT, one) for one in steps]

    async def test_a_put_that_is_cancelled_is_kept(self, tmp_path: Path) -> None:
        """It was paid for: giving up on the answer does not give up the step."""
        async with self.opened(tmp_path) as journal:
            waiting = asyncio.ensure_future(journal.put(ABOUT, step(b"paid", asked="cancelled")))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await journal.put(ABOUT, step(b"later"))

            assert step(b"paid", asked="cancelled") == await found(journal, ABOUT, step(asked="cancelled"))

    async def test_erasing_takes_a_request_and_leaves_the_others(self, tmp_path: Path) -> None:
        """It says how many steps there were; erasing again is no error, and the request can be answered anew."""
        async with self.opened(tmp_path) as journal:
            gone = [await journal.put(ABOUT, step(b"gone", turn=turn)) for turn in (1, 2, 3)]
            kept = await journal.put(OTHER, step(b"kept"))

            assert await journal.erase(ABOUT) == 3
            assert await journal.erase(ABOUT) == 0
            assert [await found(journal, ABOUT, one) for one in gone] == [None] * 3
            assert kept == await found(journal, OTHER, kept)
            assert step(b"anew") == await journal.put(ABOUT, step(b"anew"))

    async def test_a_step_has_a_bound(self, tmp_path: Path) -> None:
        """A payload at the bound is kept, one over it is refused and nothing of it is there."""
        async with self.opened(tmp_path) as journal:
            largest = await journal.put(ABOUT, step(bytes(self.bytes_max)))

            assert largest == await found(journal, ABOUT, largest)
            assert await _refused(journal, ABOUT, step(bytes(self.bytes_max + 1), turn=2))
            assert await found(journal, ABOUT, step(turn=2)) is None

    async def test_steps_outlive_who_put_them(self, tmp_path: Path) -> None:
        """Opened again, a durable journal has every step, and the first put still wins."""
        if not self.durable:
            return
        async with self.opened(tmp_path) as journal:
            first = await journal.put(ABOUT, step(b"first"))
        async with self.opened(tmp_path) as journal:
            assert first == await found(journal, ABOUT, first)
            assert first == await journal.put(ABOUT, step(b"second"))

    async def test_two_who_opened_it_see_each_others_steps(self, tmp_path: Path) -> None:
        """As two workers do: what one has put, the other is given instead of its own."""
        if not self.durable:
            return
        async with self.opened(tmp_path) as one, self.opened(tmp_path) as other:
            first = await one.put(ABOUT, step(b"first"))

            assert first == await found(other, ABOUT, first)
            assert first == await other.put(ABOUT, step(b"second"))
            assert await other.erase(ABOUT) == 1
            assert await found(one, ABOUT, first) is None


async def _refused(journal: Journal, about: str, one: Step) -> bool:
    try:
        await journal.put(about, one)
    except InvalidInput:
        return True
    return False
