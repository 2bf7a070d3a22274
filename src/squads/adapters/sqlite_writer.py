"""The one thread that writes: it takes all that is queued and commits it together.

Nothing lingers: while one commit waits for the disk, the next group gathers by itself. It must never answer before
the commit is durable, and never leave a caller without an answer.
"""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from squads.adapters.sqlite_journal import KeepStep
from squads.adapters.sqlite_schema import translated
from squads.adapters.sqlite_store import Outcome, SqliteStore, Work
from squads.contracts.errors import SquadsError, StorageUnavailable

GROUP_ENTRIES_MAX: Final = 1_000
GROUP_BYTES_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    entries: int
    size_bytes: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Outcome]


class SqliteWriter:
    """Queues work from any event loop and answers each on its own."""

    def __init__(self, open_store: Callable[[], SqliteStore], path: Path) -> None:
        """Open the store here, so that a bad ledger is refused at once; then start the thread.

        Raises what the store raises.
        """
        self._path = path
        self._store = open_store()
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._held: _Job | None = None
        # Closing and queueing exclude each other, so that no job comes after the end mark.
        self._gate = threading.Lock()
        self._closed = False
        # A daemon: a program that forgets to close ends anyway, and loses nothing that was acknowledged.
        self._thread = threading.Thread(target=self._run, name=f"squads-ledger-{path.name}", daemon=True)
        self._thread.start()

    async def submit(self, work: Work, entries: int = 0) -> Outcome:
        """Return the outcome when it is durable. Raises `Conflict` or what the medium came to.

        A caller that is cancelled while its work is queued may or may not find it written; a step is always written.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, entries, work.size_bytes, loop, loop.create_future())
        with self._gate:
            if self._closed:
                raise StorageUnavailable(f"the ledger {self._path} was closed; open it again")
            self._queue.put(job)
        return await job.future

    def finish(self) -> None:
        """Commit what is queued, close the store and end the thread. Blocks; closing twice is no error."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._commit(group)
        finally:
            self._store.close()

    def _next_group(self) -> list[_Job]:
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

    def _commit(self, group: list[_Job]) -> None:
        # Who gave up while queued is told nothing, so nothing is written for them: but a step was paid for.
        group = [job for job in group if isinstance(job.work, KeepStep) or not job.future.cancelled()]
        if not group:
            return
        answers: list[Outcome | BaseException]
        try:
            answers = list(self._store.commit([job.work for job in group]))
        except SquadsError as error:
            answers = [copy.copy(error) for _ in group]
        except Exception as error:
            answers = []
            for _ in group:
                meant = translated(error, self._path)
                meant.__cause__ = error
                answers.append(meant)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, Outcome | BaseException]]] = {}
        for job, answer in zip(group, answers, strict=True):
            by_loop.setdefault(job.loop, []).append((job, answer))
        for loop, settled in by_loop.items():
            try:
                loop.call_soon_threadsafe(_settle, settled)
            except RuntimeError:
                # The loop was closed meanwhile: its callers are gone.
                continue


def _settle(settled: list[tuple[_Job, Outcome | BaseException]]) -> None:
    for job, answer in settled:
        if job.future.done():
            continue
        if isinstance(answer, BaseException):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
