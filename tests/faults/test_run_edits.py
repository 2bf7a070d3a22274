"""A ledger that somebody edited with a plain database tool: the audit says so, and says for each edit what it is.

The triggers that refuse edits are dropped first, as anybody who may write the file can do.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Composed, Finding, Squad
from squads.adapters.keys import keys_home
from squads.audit import Audit, audit
from squads.contracts.errors import LedgerBroken, LedgerError, RollbackDetected
from squads.ledger.leaf import decode_leaf, leaf_hash
from squads.testing import ScriptedBuilder, ScriptedGate

Edit = Callable[[sqlite3.Connection], None]


def squad(store: Path, count: int = 2) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*[lambda work: work.artifact({"a": f"{work.attempt}"})] * count, prior="b"),
        gates=[
            ScriptedGate("style", *([Finding(invariant="a.b", message="no"), Approved()] if count else []), prior="g")
        ],
        store=store,
    )


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """A ledger with one composed packet, which audits."""
    where = tmp_path / "s"
    async with squad(where) as made:
        assert isinstance(await made.run("It."), Composed)
    assert audit(where).failed == ()
    return where


def edit(store: Path, how: Edit) -> None:
    connection = sqlite3.connect(store / "ledger.db")
    try:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        how(connection)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def leaf(connection: sqlite3.Connection, seq: int) -> bytes:
    found: bytes = connection.execute("SELECT leaf FROM entry WHERE seq = ?", (seq,)).fetchone()[0]
    return found


def size(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM entry").fetchone()[0])


def seq_of(connection: sqlite3.Connection, kind: str) -> int:
    for seq, content in connection.execute("SELECT seq, leaf FROM entry ORDER BY seq"):
        if json.loads(decode_leaf(content).payload)["predicateType"].split(":")[2] == kind:
            return int(seq)
    raise AssertionError(kind)


# The edits. -----------------------------------------------------------------------------------------------------------


def change_a_verdict(connection: sqlite3.Connection) -> None:
    seq = seq_of(connection, "verdict")
    changed = leaf(connection, seq).replace(b'"refused"', b'"allowed"')
    connection.execute("UPDATE entry SET leaf = ? WHERE seq = ?", (changed, seq))


def change_a_verdict_and_its_hash(connection: sqlite3.Connection) -> None:
    seq = seq_of(connection, "verdict")
    changed = leaf(connection, seq).replace(b'"refused"', b'"allowed"')
    connection.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE seq = ?", (changed, leaf_hash(changed), seq))


def drop_a_verdict(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM entry WHERE seq = ?", (seq_of(connection, "verdict"),))


def drop_a_verdict_and_close_the_gap(connection: sqlite3.Connection) -> None:
    seq = seq_of(connection, "verdict")
    connection.execute("DELETE FROM entry WHERE seq = ?", (seq,))
    connection.execute("UPDATE entry SET position = -position WHERE seq > ?", (seq,))
    connection.execute("UPDATE entry SET seq = -seq WHERE seq > ?", (seq,))
    connection.execute("UPDATE entry SET seq = -seq - 1, position = -position - 1 WHERE seq < 0")


def swap_two_rows(connection: sqlite3.Connection) -> None:
    seq = seq_of(connection, "verdict")
    one, other = [
        connection.execute("SELECT leaf, leaf_hash FROM entry WHERE seq = ?", (s,)).fetchone() for s in (seq, seq + 1)
    ]
    connection.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE seq = ?", (*other, seq))
    connection.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE seq = ?", (*one, seq + 1))


def double_the_last_row(connection: sqlite3.Connection) -> None:
    last = size(connection) - 1
    connection.execute(
        "INSERT INTO entry SELECT seq + 1, stream, position + 1, leaf, leaf_hash FROM entry WHERE seq = ?", (last,)
    )


def cut_the_tail(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM entry WHERE seq >= ?", (size(connection) - 2,))


def cut_the_tail_and_its_checkpoints(connection: sqlite3.Connection) -> None:
    sizes = [s for (s,) in connection.execute("SELECT size FROM checkpoint ORDER BY size")]
    connection.execute("DELETE FROM checkpoint WHERE size > ?", (sizes[-2],))
    connection.execute("DELETE FROM entry WHERE seq >= ?", (sizes[-2],))


def change_content(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE content SET sealed = ? WHERE digest = ?", (b"3", sha256(b"2").digest()))


def refile_a_receipt(connection: sqlite3.Connection) -> None:
    seq = seq_of(connection, "verdict")
    connection.execute(
        "UPDATE entry SET stream = (SELECT id FROM stream WHERE name = 'workspace'), position = 900 WHERE seq = ?",
        (seq,),
    )


def rename_a_stream(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE stream SET name = ? WHERE name <> 'workspace'", ("ab" * 16,))


def drop_a_stream(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM stream WHERE name <> 'workspace'")


def change_a_checkpoint(connection: sqlite3.Connection) -> None:
    (note,) = connection.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    lines = note.split("\n")
    lines[2] = lines[2][:-5] + "AAAA="
    connection.execute("UPDATE checkpoint SET note = ? WHERE note = ?", ("\n".join(lines), note))


def drop_the_checkpoints(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM checkpoint")


EDITS: dict[str, Edit] = {
    "a row changed": change_a_verdict,
    "a row and its hash changed": change_a_verdict_and_its_hash,
    "a row dropped": drop_a_verdict,
    "a row dropped, the gap closed": drop_a_verdict_and_close_the_gap,
    "two rows swapped": swap_two_rows,
    "the last row doubled": double_the_last_row,
    "the tail cut": cut_the_tail,
    "the tail cut with its checkpoints": cut_the_tail_and_its_checkpoints,
    "content changed": change_content,
    "a receipt filed elsewhere": refile_a_receipt,
    "a stream renamed": rename_a_stream,
    "a stream dropped": drop_a_stream,
    "a checkpoint changed": change_a_checkpoint,
    "the checkpoints dropped": drop_the_checkpoints,
}


def said(found: Audit) -> tuple[tuple[str, str], ...]:
    return tuple((c.check, c.message) for c in found.failed)


@pytest.mark.parametrize("name", EDITS)
async def test_an_edit_is_found(store: Path, name: str) -> None:
    """Every edit fails a check, and the check says more than that something is wrong."""
    edit(store, EDITS[name])

    found = audit(store)

    assert found.failed, f"{name}: nothing was noticed"
    for failed in found.failed:
        assert len(failed.message) > 20


async def test_every_edit_is_told_from_the_others(store: Path, tmp_path: Path) -> None:
    """No two edits give the same findings: the pattern says what was done."""
    patterns: dict[tuple[tuple[str, str], ...], str] = {}
    for number, (name, how) in enumerate(EDITS.items()):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(store, copy)
        edit(copy, how)
        found = said(audit(copy))
        assert found not in patterns, f"{name!r} looks like {patterns[found]!r}: {found}"
        patterns[found] = name


async def test_a_cut_tail_is_not_built_upon(store: Path) -> None:
    """The database is behind the checkpoint outside it: nothing is appended to it, and nothing is resumed."""
    edit(store, cut_the_tail_and_its_checkpoints)

    with pytest.raises(RollbackDetected, match="ends after"):
        await squad(store, 0).run("It.")


async def test_a_changed_end_is_not_built_upon(store: Path) -> None:
    """A log whose end does not have the root that was signed is not written to."""

    def change_the_end(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = ?", (size(connection) - 1,))

    edit(store, change_the_end)

    with pytest.raises(LedgerBroken):
        await squad(store, 0).run("It.")


async def test_a_changed_packet_is_not_resumed(store: Path) -> None:
    """A receipt in the middle that was changed is found when its packet is folded."""
    edit(store, change_a_verdict)
    made = squad(store, 0)
    packet = (await (await made.workspace()).ledger.streams())[-1]

    with pytest.raises(LedgerError):
        await made.resume(packet)
    await made.close()


async def test_without_the_file_outside_the_audit_does_not_pass_for_whole(store: Path) -> None:
    """Whoever writes this ledger has a checkpoint file; when it is gone, nothing shows that the tail is there."""
    home = keys_home()
    (outside,) = home.rglob("checkpoints")
    outside.rename(outside.with_name("moved"))
    with pytest.raises(RollbackDetected, match=r"checkpoint file .* is gone"):
        audit(store)
    outside.with_name("moved").rename(outside)
    assert audit(store).failed == ()


async def test_a_stranger_audits_without_a_key(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy on another machine, with `trust.json` and nothing else: everything but the file outside is checked."""
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    monkeypatch.setenv("SQUADS_HOME", str(tmp_path / "elsewhere"))

    found = audit(copy)

    assert found.failed == ()
    assert {c.check for c in found.results if c.state == "unchecked"} >= {"rollback", "fork"}
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda s: (s / "trust.json").unlink(), "no ledger"),
        (lambda s: (s / "trust.json").write_text("{}"), "trust.json"),
        (lambda s: (s / "ledger.db").unlink(), "no ledger"),
        (lambda s: (s / "ledger.db").write_bytes(b"not a database" * 100), "database"),
        (lambda s: (s / "ledger.db").write_bytes(b""), "empty"),
    ],
    ids=["no trust", "bad trust", "no database", "no sqlite", "an empty file"],
)
async def test_what_is_no_ledger_is_a_clear_error(store: Path, spoil: Callable[[Path], Any], says: str) -> None:
    """The audit raises a `LedgerError` that names the file; so does a squad that is to use it."""
    for beside in ("ledger.db-wal", "ledger.db-shm"):
        (store / beside).unlink(missing_ok=True)
    spoil(store)

    with pytest.raises(LedgerError, match=says):
        audit(store)
    with pytest.raises(LedgerError):
        await squad(store, 0).run("It.")


@pytest.mark.parametrize("table", ["content", "stream", "checkpoint", "entry"])
async def test_a_missing_table_is_a_clear_error(store: Path, table: str) -> None:
    """Also what the database tool itself would complain of is said in our words."""
    edit(store, lambda connection: connection.execute(f"DROP TABLE {table}") and None)

    with pytest.raises(LedgerError, match=r"ledger\.db"):
        audit(store)


async def test_another_ledgers_trust_is_noticed(store: Path, tmp_path: Path) -> None:
    """A database under the trust of another workspace fails."""
    other = tmp_path / "other"
    async with squad(other) as made:
        await made.run("Another.")
    shutil.copy(other / "trust.json", store / "trust.json")

    assert audit(store).failed
    with pytest.raises(LedgerBroken):
        await squad(store, 0).run("It.")
