"""The one thread that writes to a durable ledger: it takes all that is queued and commits it together.

Nothing lingers: while one commit waits for the disk, the next group gathers by itself. It must never answer before
the commit is durable, and never leave a caller without an answer. It knows no medium.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final, Generic, Protocol, TypeVar

from squads.contracts.errors import SquadsError, StorageUnavailable

GROUP_ENTRIES_MAX: Final = 1_000
GROUP_BYTES_MAX: Final = 8 * 1024 * 1024


class Sized(Protocol):
    """Work that knows about how many bytes it adds."""

    @property
    def size_bytes(self) -> int:
        """About what it adds to the database."""
        ...


W = TypeVar("W", bound=Sized)
O = TypeVar("O")  # noqa: E741 - what comes out
_Given = TypeVar("_Given", contravariant=True)
_Made = TypeVar("_Made", covariant=True)


class Store(Protocol[_Given, _Made]):
    """What commits: one at a time, in the writer's thread."""

    def commit(self, works: Sequence[_Given]) -> Sequence[_Made]:
        """Do all works durably, and return an outcome for each."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


@dataclass(frozen=True, slots=True)
class _Job(Generic[W, O]):
    work: W
    entries: int
    size_bytes: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[O]


class GroupWriter(Generic[W, O]):
    """Queues work from any event loop and answers each on its own."""

    def __init__(
        self,
        open_store: Callable[[], Store[W, O]],
        name: str,
        *,
        translated: Callable[[Exception], SquadsError],
        always: Callable[[W], bool] = lambda _: False,
    ) -> None:
        """Start the thread, and return when it has opened the store, so that a bad ledger is refused at once.

        Args:
            open_store: Opens it; what it raises is raised here.
            name: How errors call the ledger.
            translated: Says what an error of the medium means.
            always: Says which work is done even for a caller who gave up.
        """
        self._name = name
        self._translated = translated
        self._always = always
        self._queue: SimpleQueue[_Job[W, O] | None] = SimpleQueue()
        self._held: _Job[W, O] | None = None
        # Closing and queueing exclude each other, so that no job comes after the end mark.
        self._gate = threading.Lock()
        self._closed = False
        self._failed: BaseException | None = None
        self._store: Store[W, O]
        opened = threading.Event()
        # A daemon: a program that forgets to close ends anyway, and loses nothing that was acknowledged.
        self._thread = threading.Thread(
            target=self._run, args=(open_store, opened), name=f"squads-ledger-{name}", daemon=True
        )
        self._thread.start()
        opened.wait()
        if self._failed is not None:
            self._thread.join()
            raise self._failed

    async def submit(self, work: W, entries: int = 0) -> O:
        """Return the outcome when it is durable. Raises what the medium came to.

        A caller that is cancelled while its work is queued may or may not find it written.
        """
        loop = asyncio.get_running_loop()
        job: _Job[W, O] = _Job(work, entries, work.size_bytes, loop, loop.create_future())
        with self._gate:
            if self._closed:
                raise StorageUnavailable(f"the ledger {self._name} was closed; open it again")
            self._queue.put(job)
        return await job.future

    def finish(self) -> None:
        """Commit what is queued, close the store and end the thread. Blocks; closing twice is no error."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self, open_store: Callable[[], Store[W, O]], opened: threading.Event) -> None:
        try:
            self._store = open_store()
        except BaseException as error:
            self._failed = error
            return
        finally:
            opened.set()
        try:
            while group := self._next_group():
                self._commit(group)
        finally:
            self._store.close()

    def _next_group(self) -> list[_Job[W, O]]:
        """Return the next jobs to commit together; none at the end."""
        first = self._held or self._queue.get()
        self._held = None
        if first is None:
            return []
        group, entries, size = [first], first.entries, first.size_bytes
        while True:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return group
            if job is None:
                # The end mark: finish this group, then see the mark again.
                self._queue.put(None)
                return group
            if entries + job.entries > GROUP_ENTRIES_MAX or size + job.size_bytes > GROUP_BYTES_MAX:
                self._held = job
                return group
            group.append(job)
            entries += job.entries
            size += job.size_bytes

    def _commit(self, group: list[_Job[W, O]]) -> None:
        # Who gave up while queued is told nothing, so nothing is written for them, but for what must be.
        group = [job for job in group if self._always(job.work) or not job.future.cancelled()]
        if not group:
            return
        answers: list[O | BaseException]
        try:
            answers = list(self._store.commit([job.work for job in group]))
        except SquadsError as error:
            answers = [copy.copy(error) for _ in group]
        except Exception as error:
            answers = []
            for _ in group:
                meant = self._translated(error)
                meant.__cause__ = error
                answers.append(meant)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job[W, O], O | BaseException]]] = {}
        for job, answer in zip(group, answers, strict=True):
            by_loop.setdefault(job.loop, []).append((job, answer))
        for loop, settled in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, settled)
            except RuntimeError:
                # The loop was closed meanwhile: its callers are gone.
                continue


def _settle(settled: list[tuple[_Job[W, O], O | BaseException]]) -> None:
    for job, answer in settled:
        if job.future.done():
            continue
        if isinstance(answer, BaseException):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
