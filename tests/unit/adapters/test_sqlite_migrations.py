"""Older files are brought forward once, whole or not at all, and nothing that was in the clear stays behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from version_1 import write_version_1

from squads import ApprovalRule, Approved, Composed, Squad
from squads.adapters import sqlite_migrations
from squads.adapters.sqlite_content import SqliteContents
from squads.audit import audit
from squads.contracts.errors import BlobMissing, LedgerTooNew, StorageUnavailable
from squads.erasing import erase
from squads.pages.reading import packet_in
from squads.stores import CONTENT_KEYS
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace

LETTER, SHARED, WORDS, STRAY = "a letter to Ada", "the same file", "I know her well", b"spoken of by nobody"
STEP = b"what a model said, with its words in it"


class Old:
    """A store of version 1 with two packets, its keys, and what was in it."""

    def __init__(self, where: Path) -> None:
        self.store, self.keys = where / "store", where / "keys"
        self.packets: list[str] = []
        self.contents: dict[str, bytes] = {}
        self.requests: list[str] = []

    def squad(self, **more: Any) -> Squad:
        return Squad(
            builder=ScriptedBuilder(*[{"a.txt": LETTER, "b.txt": SHARED}, {"b.txt": SHARED}], prior="b"),
            gates=[ScriptedGate("style", *[Approved()] * 9, prior="g")],
            approval=ApprovalRule(approvers=("owner",)),
            store=self.store,
            keys=self.keys,
            **more,
        )

    async def make(self, *, steps: bool = True) -> Old:
        async with self.squad() as made:
            workspace = await made.workspace()
            for _ in range(2):
                waiting = await made.run("Write it.")
                self.packets.append(waiting.packet)
                await made.answer(waiting.packet, person="owner", approve=True, reason=WORDS, channel="terminal")
            await workspace.stop("a reason", role="human:owner")
            await workspace.lift("over", person="owner")
            await workspace.blobs.put(STRAY)
            self.contents = await contents_of(workspace)
            for stored in await workspace.ledger.read(self.packets[0]):
                if b'"statement/v1"' in stored.payload or b"ticket" in stored.payload:
                    self.requests += [word for word in tickets_in(stored.payload) if word not in self.requests]
        self.database.rename(self.store / "new.db")
        for end in ("-wal", "-shm"):
            (self.store / f"ledger.db{end}").unlink(missing_ok=True)
        next(self.keys.rglob(CONTENT_KEYS)).unlink()
        with_steps = [(self.requests[0], STEP), ("f" * 64, STEP)] if steps else None
        write_version_1(self.store / "new.db", self.database, self.contents, with_steps)
        (self.store / "new.db").unlink()
        return self

    @property
    def database(self) -> Path:
        return self.store / "ledger.db"

    def version(self) -> int:
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def holding(self, needle: bytes) -> list[str]:
        return [
            p.name
            for where in (self.store, self.keys)
            for p in where.rglob("*")
            if p.is_file() and needle in p.read_bytes()
        ]


def tickets_in(payload: bytes) -> list[str]:
    import json

    said = json.loads(payload)["predicate"]
    return [said["ticket"]] if "ticket" in said else []


async def contents_of(workspace: Workspace) -> dict[str, bytes]:
    rows = await workspace.ledger._rows("SELECT DISTINCT digest FROM content")  # type: ignore[attr-defined]
    return {digest.hex(): await workspace.blobs.get(digest.hex()) for (digest,) in rows}


async def test_a_version_1_file_is_brought_forward(tmp_path: Path) -> None:
    """Everything is there and verifies; nothing that stood in the clear is in the database, its log, or anywhere."""
    old = await Old(tmp_path).make()
    assert (1, ["ledger.db"]) == (old.version(), old.holding(LETTER.encode()))

    async with old.squad() as made:
        workspace = await made.workspace()
        assert old.contents == await contents_of(workspace)
        assert isinstance(await made.resume(old.packets[0]), Composed)
        step = await workspace.ledger.journal.get(old.requests[0], "model", "0" * 64, 1)
        assert step is not None
        assert STEP == step.payload

    assert 2 == old.version()
    for needle in (LETTER.encode(), SHARED.encode(), WORDS.encode(), STRAY, STEP):
        assert [] == old.holding(needle)
    found = audit(old.store, keys=old.keys)
    assert () == found.failed
    assert {"passed"} == {r.state for r in found.results}


async def test_what_was_migrated_can_be_erased(tmp_path: Path) -> None:
    """Content went to who speaks of it: a packet, a person, both packets, and the workspace what nobody speaks of."""
    old = await Old(tmp_path).make()
    async with old.squad() as made:
        workspace = await made.workspace()
        await erase(workspace, old.packets[0], person="owner")

        with pytest.raises(BlobMissing):
            await workspace.blobs.get(sha256(LETTER.encode()).hexdigest())
        assert SHARED.encode() == await workspace.blobs.get(sha256(SHARED.encode()).hexdigest())
        assert STRAY == await workspace.blobs.get(sha256(STRAY).hexdigest())
        assert await workspace.ledger.journal.get(old.requests[0], "model", "0" * 64, 1) is None
        assert await workspace.ledger.journal.get("f" * 64, "model", "0" * 64, 1) is not None
        await erase(workspace, old.packets[1], person="owner")
        assert 2 == (await erase(workspace, "owner", person="owner")).contents

    assert () == audit(old.store, keys=old.keys).failed


async def test_the_first_files_had_no_journal(tmp_path: Path) -> None:
    """They get one."""
    old = await Old(tmp_path).make(steps=False)
    async with old.squad() as made:
        workspace = await made.workspace()

        assert await workspace.ledger.journal.get("f" * 64, "model", "0" * 64, 1) is None
        assert isinstance(await made.resume(old.packets[0]), Composed)


@pytest.mark.parametrize("where", ["before it is kept", "after it is kept"])
async def test_a_crash_leaves_a_version_that_can_be_brought_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """In the middle it is version 1 still, with all its content; after it, the plaintext goes with the next opening."""
    old = await Old(tmp_path).make()

    def dies(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if where == "before it is kept":
            broken.setattr(SqliteContents, "close_step", dies)
        else:
            broken.setattr(sqlite_migrations, "emptied", dies)
        with pytest.raises(StorageUnavailable):
            await old.squad().workspace()
    assert (1 if where == "before it is kept" else 2) == old.version()

    async with old.squad() as made:
        assert old.contents == await contents_of(await made.workspace())
    for needle in (LETTER.encode(), STEP):
        assert [] == old.holding(needle)
    assert () == audit(old.store, keys=old.keys).failed


async def test_who_only_reads_reads_version_1_as_it_is(tmp_path: Path) -> None:
    """An auditor changes nothing: a file of version 1 is verified and told of in the clear."""
    old = await Old(tmp_path).make()

    found = audit(old.store, keys=old.keys)
    assert {"passed"} == {r.state for r in found.results}
    with packet_in(old.store, old.packets[0], keys=old.keys) as moment:
        assert LETTER.encode() == moment.contents.get(sha256(LETTER.encode()).hexdigest())
    assert 1 == old.version()


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """Migrations go forward only."""
    old = await Old(tmp_path).make()
    with closing(sqlite3.connect(old.database)) as connection:
        connection.execute("PRAGMA user_version=3")

    with pytest.raises(LedgerTooNew, match="format 3"):
        await old.squad().workspace()
    assert 3 == old.version()
