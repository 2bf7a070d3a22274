"""A ledger through appends, proofs, anchors, crashes, old backups, changes of keys and erasures, in any order.

A model in plain lists says what must be there. Hypothesis chooses the order, the same on every machine; where the two
part ways it shows the shortest way there.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from surgeon_postgres import PostgresSurgeon

from squads.adapters.keys import InProcessSigner
from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.sqlite_content import SqliteContents
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_schema import open_reader
from squads.contracts.errors import BlobMissing, Conflict, RollbackDetected, SubjectErased
from squads.kernel.ports import WORKSPACE, Entry, Ledger
from squads.ledger.checkpoint import verify_checkpoint
from squads.ledger.keys import Registry
from squads.ledger.leaf import leaf_hash
from squads.ledger.proof import check_consistency, check_inclusion
from squads.ledger.statement import parse_statement
from squads.testing.conformance_ledger import (
    LOG_KEY,
    ORIGIN,
    ROOT_KEY,
    RUNNER_KEY,
    TRUST,
    opening_entries,
    registration,
    signed_entry,
    verified,
)
from squads.testing.postgres_server import PostgresServer

T = TypeVar("T")
STREAMS = ("a", "b", "c")
Names = st.sampled_from(STREAMS)


class InMemory:
    """Kept by nobody: nothing happens to it."""

    durable = False

    def open(self) -> Ledger:
        return MemoryLedger(ORIGIN, LOG_KEY)

    def image(self) -> Any:
        raise TypeError("what is in memory has no copy")

    def put(self, image: Any, *, outside: bool) -> None:
        raise TypeError("what is in memory has no copy")

    def shows(self, content: bytes) -> bool:
        """Say whether somebody who has this copy of the database, and all else of today, can read the content."""
        return False

    def remove(self) -> None:
        """There is nothing to remove."""


class InSqlite(InMemory):
    """A folder with the database, and one outside it."""

    durable = True

    def __init__(self) -> None:
        self.where = Path(tempfile.mkdtemp(prefix="squads-machine-"))

    def open(self) -> Ledger:
        beside = self.where / "outside"
        return SqliteLedger.open(
            self.where / "ledger.db", ORIGIN, LOG_KEY, outside=beside / "checkpoints", vault=beside / "content.slots"
        )

    def image(self) -> Any:
        """Copy everything, as a backup does, or a disk after a power cut: but the shared index, which is memory."""
        files = [path for path in self.where.rglob("*") if path.is_file() and path.name != "ledger.db-shm"]
        return {path: path.read_bytes() for path in files}

    def put(self, image: Any, *, outside: bool) -> None:
        """Put an image of the database in its place; with `outside` also what lay outside it."""
        for beside in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (self.where / beside).unlink(missing_ok=True)
        for path, content in image.items():
            if outside or path.parent == self.where:
                path.write_bytes(content)

    def shows(self, content: bytes) -> bool:
        contents = SqliteContents(self.where / "outside" / "content.slots")
        with closing(open_reader(self.where / "ledger.db")) as connection, closing(contents):
            contents.attach_reading(connection)
            return contents.get(connection, sha256(content).digest()) is not None

    def remove(self) -> None:
        shutil.rmtree(self.where)


class InPostgres(InMemory):
    """A schema, and a folder outside it."""

    durable = True
    server: PostgresServer

    def __init__(self) -> None:
        self.surgeon = PostgresSurgeon(self.server, self.server.fresh_url("machine"))
        self.outside = Path(tempfile.mkdtemp(prefix="squads-machine-")) / "checkpoints"

    def open(self) -> Ledger:
        return PostgresLedger.open(self.surgeon.location, ORIGIN, LOG_KEY, outside=self.outside, content_key=bytes(32))

    def image(self) -> Any:
        return self.surgeon.backup(), self.outside.read_bytes()

    def put(self, image: Any, *, outside: bool) -> None:
        self.surgeon.restore(image[0])
        if outside:
            self.outside.write_bytes(image[1])

    def remove(self) -> None:
        shutil.rmtree(self.outside.parent)


class Machine(RuleBasedStateMachine):
    """The ledger, the model of it, and what may happen to both."""

    medium: type[InMemory]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.kept = self.medium()
        self.ledger = self.kept.open()
        # The model: what was appended and where, whose content there is, who may sign, and what is known outside.
        self.log: list[tuple[str, bytes]] = []
        self.hashes: list[bytes] = []
        self.content: dict[bytes, str] = {}
        self.erased: set[str] = set()
        self.gone: list[bytes] = []
        self.keys: dict[bytes, list[int | None]] = {}
        self.signer = RUNNER_KEY
        self.made = 0
        self.anchor: list[str] = []
        self.backup: tuple[Any, int] | None = None

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def lengths(self, stream: str) -> int:
        return sum(name == stream for name, _ in self.log)

    def append(self, *entries: Entry, content: bytes | None = None, expect: dict[str, int] | None = None) -> None:
        """Append, and write it into the model once it is acknowledged."""
        done = self.do(
            self.ledger.append(
                entries,
                expect={entry.stream: self.lengths(entry.stream) for entry in entries} | (expect or {}),
                time_ms=7,
                content=[] if content is None else [content],
            )
        )
        assert len(self.log) == done.first_seq
        self.log += [(entry.stream, entry.payload) for entry in entries]
        assert len(self.log) == done.head.size

    def ticket(self, stream: str) -> Entry:
        self.made += 1
        return signed_entry(stream, "ticket", {"number": self.made}, self.signer)

    @initialize()
    def found(self) -> None:
        self.append(*opening_entries())
        self.keys[RUNNER_KEY.key_id] = [2, None]

    # What a squad does. -----------------------------------------------------------------------------------------------

    @rule(streams=st.lists(Names, min_size=1, max_size=4))
    def appends(self, streams: list[str]) -> None:
        self.append(*map(self.ticket, streams))

    @rule(stream=Names)
    def appends_with_content(self, stream: str) -> None:
        entry = self.ticket(stream)
        content = entry.payload * 3
        if stream in self.erased:
            before = len(self.log)
            with pytest.raises(SubjectErased):
                self.append(entry, content=content)
            assert before == len(self.log)
            return
        self.append(entry, content=content)
        self.content[content] = stream

    @rule(streams=st.lists(Names, min_size=1, max_size=3), wrong=Names, by=st.sampled_from([-1, 1]))
    def appends_after_reading_too_little_or_too_much(self, streams: list[str], wrong: str, by: int) -> None:
        with pytest.raises(Conflict):
            self.append(*map(self.ticket, streams), content=b"never", expect={wrong: self.lengths(wrong) + by})
        assert not self.do(self.ledger.blobs.has(sha256(b"never").hexdigest()))

    @rule(data=st.data())
    def proves(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.log) - 1))
        proved = self.do(self.ledger.prove([index]))
        rows = self.do(self.rows(index))
        checkpoint = verify_checkpoint(proved.head.checkpoint, TRUST.log_key)

        assert self.log[index][1] in rows[0][1]
        check_inclusion(leaf_hash(rows[0][1]), index, checkpoint.size, checkpoint.root, proved.paths[0])

    @rule()
    def anchors(self) -> None:
        self.anchor.append(self.do(self.ledger.head()).checkpoint)

    @precondition(lambda self: len(self.keys) < 9)
    @rule()
    def registers_another_runner(self) -> None:
        fresh = self.fresh()
        said = registration(fresh, "runner")
        self.append(signed_entry(WORKSPACE, "key-event", said, ROOT_KEY))
        self.keys[fresh.key_id] = [len(self.log), None]

    @precondition(lambda self: len(self.keys) < 9)
    @rule()
    def rotates_the_runners_key(self) -> None:
        fresh, old = self.fresh(), self.signer
        said = {
            "event": "rotate", "old_key": old.key_id.hex(), "key": fresh.key_id.hex(),
            "public_key": fresh.public_key.hex(), "alg": "ed25519", "custody": "in-process", "not_before_index": 0,
        }  # fmt: skip
        self.append(signed_entry(WORKSPACE, "key-event", said, ROOT_KEY, old))
        self.keys[old.key_id][1] = len(self.log)
        self.keys[fresh.key_id] = [len(self.log), None]
        self.signer = fresh

    @rule(data=st.data(), back=st.integers(0, 3))
    def revokes_a_key(self, data: st.DataObject, back: int) -> None:
        gone = data.draw(st.sampled_from(sorted(self.keys)))
        if gone == self.signer.key_id:
            return
        since = max(0, len(self.log) - back)
        said = {"event": "revoke", "key": gone.hex(), "reason": "lost", "suspect_from_index": since}
        self.append(signed_entry(WORKSPACE, "key-event", said, ROOT_KEY))
        until = self.keys[gone][1]
        self.keys[gone][1] = since if until is None else min(since, until)

    @rule(subject=Names)
    def erases(self, subject: str) -> None:
        mine = [content for content, owner in self.content.items() if owner == subject]

        assert len(mine) == self.do(self.ledger.erase(subject))
        for content in mine:
            with pytest.raises(BlobMissing):
                self.do(self.ledger.blobs.get(sha256(content).hexdigest()))
            del self.content[content]
            self.gone.append(content)
        self.erased.add(subject)

    # What happens to it. ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.kept.durable)
    @rule()
    def crashes(self) -> None:
        """Only the files are left as they were: nobody closed anything, and the shared index is gone."""
        image = self.kept.image()
        self.do(self.ledger.close())
        self.kept.put(image, outside=True)
        self.ledger = self.kept.open()

    @precondition(lambda self: self.kept.durable)
    @rule()
    def is_copied(self) -> None:
        self.backup = self.kept.image(), len(self.log)

    @precondition(lambda self: self.backup is not None and self.backup[1] < len(self.log))
    @rule(outside=st.booleans(), write=st.booleans())
    def is_restored_from_an_old_copy(self, outside: bool, write: bool) -> None:
        """It is refused where the file outside is ahead; where that was restored as well, an anchor knows better."""
        assert self.backup is not None
        copy, size = self.backup
        self.do(self.ledger.close())
        now = self.kept.image()
        self.kept.put(copy, outside=outside)
        if not outside:
            with pytest.raises(RollbackDetected):
                self.kept.open()
            # An old copy of the database still has what was erased since: and no key for it anywhere.
            assert not any(map(self.kept.shows, self.gone))
        else:
            self.ledger = self.kept.open()
            ahead = [note for note in self.anchor if verify_checkpoint(note, TRUST.log_key).size > size]
            report = self.do(verified(self.ledger, outside=self.anchor))
            assert ({"rollback"} if ahead else set()) == {found.check for found in report.failed}
            if write:
                more = [signed_entry("z", "ticket", {"number": -n}, ROOT_KEY) for n in range(len(self.log))]
                self.do(self.ledger.append(more, expect={"z": 0}, time_ms=7))
                report = self.do(verified(self.ledger, outside=self.anchor))
                assert bool(ahead) == ("fork" in {found.check for found in report.failed})
            self.do(self.ledger.close())
        # The newer copy was found.
        self.kept.put(now, outside=True)
        self.ledger = self.kept.open()

    # What must be true. -----------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_doubled_or_moved(self) -> None:
        rows = self.do(self.rows(len(self.hashes)))
        for number, (seq, leaf, digest) in enumerate(rows, len(self.hashes)):
            assert number == seq
            assert digest == leaf_hash(leaf)
            assert self.log[seq][1] in leaf
        self.hashes += [digest for _, _, digest in rows]
        assert len(self.log) == len(self.hashes) == self.do(self.ledger.head()).size

    def teardown(self) -> None:
        try:
            if self.log:
                self.check_everything()
        finally:
            self.do(self.ledger.close())
            self.do(self.loop.shutdown_default_executor())
            self.loop.close()
            self.kept.remove()

    def check_everything(self) -> None:
        """The whole log verifies, also against every anchor; streams, content and keys are as the model says."""
        report = self.do(verified(self.ledger, outside=self.anchor or None))
        assert [] == [(found.check, found.message) for found in report.failed]
        rows = self.do(self.rows(0))
        assert self.hashes == [digest for _, _, digest in rows]
        for stream in (WORKSPACE, *STREAMS):
            assert [payload for name, payload in self.log if name == stream] == [
                stored.payload for stored in self.do(self.ledger.read(stream))
            ]
        head = self.do(self.ledger.head())
        for note in self.anchor:
            old = verify_checkpoint(note, TRUST.log_key)
            path = self.do(self.ledger.consistency(old.size, head.size))
            check_consistency(old.size, old.root, head.size, head.root, path)
        for content in self.content:
            assert content == self.do(self.ledger.blobs.get(sha256(content).hexdigest()))
        self.check_keys()

    def check_keys(self) -> None:
        registry: Registry | None = None
        for stored in self.do(self.ledger.read(WORKSPACE)):
            said = parse_statement(stored.payload).predicate
            signers = [key for key, _ in stored.signatures]
            registry = registry.apply(said, stored.seq, signers) if registry else Registry.open(said, signers)
        assert registry is not None
        for index in range(len(self.log) + 2):
            for key, (since, until) in self.keys.items():
                assert since is not None
                expected = since <= index and (until is None or index < until)
                assert expected is registry.authorised(key, "ticket", index), (key.hex()[:8], index)

    async def rows(self, start: int) -> list[tuple[int, bytes, bytes]]:
        return [row async for row in self.ledger.scan(start=start)]

    def fresh(self) -> InProcessSigner:
        return InProcessSigner(sha256(f"machine {len(self.keys)}".encode()).digest())


def run(medium: type[InMemory], examples: int, steps: int) -> None:
    kind = type(f"Machine{medium.__name__}", (Machine,), {"medium": medium})
    # On a disk it takes too long to look for the shortest way to a failure; memory finds the same faults of the rules.
    phases = [phase for phase in Phase if phase != Phase.shrink or not medium.durable]
    bounds = settings(settings.default, max_examples=examples, stateful_step_count=steps, phases=phases)
    run_state_machine_as_test(kind, settings=bounds)


def test_a_ledger_in_memory_keeps_its_promises_in_any_order() -> None:
    """Gapless, consistent with every anchor, and as the model says: streams, keys and content."""
    run(InMemory, 30, 40)


def test_a_ledger_in_sqlite_keeps_its_promises_in_any_order() -> None:
    """The same through crashes, and old copies are refused, or told by an anchor."""
    run(InSqlite, 20, 30)


def test_a_ledger_in_postgres_keeps_its_promises_in_any_order(postgres_server: PostgresServer) -> None:
    """The same on a server."""
    run(type("InPostgres", (InPostgres,), {"server": postgres_server}), 6, 25)
