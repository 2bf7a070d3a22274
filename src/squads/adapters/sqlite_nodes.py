"""Reading the Merkle tree's nodes out of SQLite, one at a time and many at once.

Level 0 stands with the entries, all above in a table of its own. It must never say of a node that is not there anything
but that it is not there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from squads.ledger.proof import NodeReader, Place


def node_reader(connection: sqlite3.Connection) -> NodeReader:
    """Return a reader that asks for each node when it is wanted."""

    def node(level: int, index: int) -> bytes | None:
        row = (
            connection.execute("SELECT hash FROM node WHERE level = ? AND idx = ?", (level, index))
            if level
            else connection.execute("SELECT leaf_hash FROM entry WHERE seq = ?", (index,))
        ).fetchone()
        return None if row is None else row[0]

    return node


def nodes_at(connection: sqlite3.Connection, places: Iterable[Place]) -> NodeReader:
    """Return a reader of the nodes at `places`, all read before this returns, with one query for each level."""
    levels: dict[int, list[int]] = {}
    for level, index in places:
        levels.setdefault(level, []).append(index)
    found: dict[Place, bytes] = {}
    for level, indexes in levels.items():
        # Sorted, pages are read in their order; the join is CROSS so that SQLite goes along the list, not the table.
        listed = json.dumps(sorted(indexes))
        rows = (
            connection.execute(
                "SELECT n.idx, n.hash FROM json_each(?2) AS j CROSS JOIN node AS n ON n.level = ?1 AND n.idx = j.value",
                (level, listed),
            )
            if level
            else connection.execute(
                "SELECT e.seq, e.leaf_hash FROM json_each(?1) AS j CROSS JOIN entry AS e ON e.seq = j.value", (listed,)
            )
        )
        for index, digest in rows:
            found[level, index] = digest
    return lambda level, index: found.get((level, index))
