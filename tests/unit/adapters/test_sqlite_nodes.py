"""Nodes of the tree out of SQLite: many at once are those that one at a time are, and a missing one is named."""

from __future__ import annotations

import sqlite3

import pytest

from squads.adapters import sqlite_ledger
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_nodes import node_reader, nodes_at
from squads.contracts.errors import LedgerBroken
from squads.ledger.proof import check_inclusion, inclusion_places, inclusion_proof
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, ticket

SIZE = 83


@pytest.fixture
async def ledger(tmp_path):
    opened = SqliteLedger.open(tmp_path / "ledger.db", ORIGIN, LOG_KEY, outside=None)
    await opened.append([ticket("a", number) for number in range(SIZE)], expect={}, time_ms=1)
    yield opened
    await opened.close()


async def test_nodes_read_together_are_those_read_one_by_one(ledger, tmp_path):
    """Every place that proofs of this tree need, and places that it does not have."""
    places = {place for index in range(SIZE) for place in inclusion_places(index, SIZE)} | {(0, SIZE), (9, 0), (3, 10)}
    connection = sqlite3.connect(tmp_path / "ledger.db")
    together, single = nodes_at(connection, places), node_reader(connection)

    assert {place: single(*place) for place in places} == {place: together(*place) for place in places}
    assert [None] * 3 == [together(0, SIZE), together(9, 0), together(3, 10)]
    assert inclusion_proof(5, SIZE, single) == inclusion_proof(5, SIZE, together)
    connection.close()


async def test_more_proofs_than_are_read_at_a_time_come_in_their_order(ledger, monkeypatch):
    """What is held at a time is bounded; what is answered is not cut."""
    monkeypatch.setattr(sqlite_ledger, "PROOFS_PER_READ", 7)
    leaves = [stored async for _, _, stored in ledger.scan()]
    indexes = [*range(SIZE), 3, 3]
    proved = await ledger.prove(indexes)

    assert len(indexes) == len(proved.paths)
    for index, path in zip(indexes, proved.paths, strict=True):
        check_inclusion(leaves[index], index, SIZE, proved.head.root, path)


@pytest.mark.parametrize("drop", ["DELETE FROM node WHERE level = 2 AND idx = 1", "UPDATE node SET hash = x'00'"])
async def test_a_lost_or_cut_node_is_named_instead_of_proved_around(ledger, tmp_path, drop):
    """Whoever asks is told to verify the ledger; nothing else is proved in its place."""
    connection = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    connection.executescript("DROP TRIGGER node_delete; DROP TRIGGER node_update;")
    connection.execute(drop)
    connection.close()

    with pytest.raises(LedgerBroken, match="is missing; run `squads verify`"):
        await ledger.prove([0])
    with pytest.raises(LedgerBroken, match="is missing; run `squads verify`"):
        await ledger.consistency(4, SIZE)
