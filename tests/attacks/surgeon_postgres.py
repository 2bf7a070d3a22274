"""The surgeon who is the superuser of a PostgreSQL server: no trigger, right or foreign key stops them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attacker import Row

from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.merkle import Node
from squads.testing.postgres_server import PostgresServer

_TABLES: Final = (
    "ledger", "head", "stream", "entry", "node", "checkpoint", "content", "subject_key", "step", "account", "lease",
    "holder",
)  # fmt: skip
_UNGUARDED: Final = "SET session_replication_role = replica"


class PostgresSurgeon:
    """Whoever owns the server that one schema is on."""

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.server = server
        self.location = url

    def rows(self) -> list[Row]:
        found = self.server.ask(
            "SELECT seq, name, position, leaf, leaf_hash FROM entry JOIN stream ON stream.id = stream ORDER BY seq",
            url=self.location,
        )
        return [Row(*row) for row in found]

    def notes(self) -> list[str]:
        return [note for (note,) in self.server.ask("SELECT note FROM checkpoint ORDER BY size", url=self.location)]

    def put(self, rows: Sequence[Row], notes: Sequence[str], nodes: Sequence[Node] | None) -> None:
        async def work(connection: Any) -> None:
            await connection.execute(_UNGUARDED)
            async with connection.transaction():
                ids = {name: number for number, name in await connection.fetch("SELECT id, name FROM stream")}
                await connection.execute("DELETE FROM entry; DELETE FROM checkpoint")
                entries = [(row.seq, ids[row.stream], row.position, row.leaf, row.leaf_hash) for row in rows]
                await connection.copy_records_to_table("entry", records=entries)
                checkpoints = [(parse_checkpoint(note).size, note) for note in notes]
                await connection.copy_records_to_table("checkpoint", records=checkpoints)
                if nodes is not None:
                    await connection.execute("DELETE FROM node")
                    await connection.copy_records_to_table("node", records=nodes)
                # The row that writers take turns at is made to fit as well.
                await connection.execute(
                    "UPDATE head SET next = $1, note = $2", rows[-1].seq + 1, notes[-1] if notes else ""
                )

        self.server.asked(work, url=self.location)

    def run(self, sql: str) -> None:
        self.server.run(f"{_UNGUARDED}; {sql}", url=self.location)

    def backup(self) -> dict[str, list[Any]]:
        async def work(connection: Any) -> dict[str, list[Any]]:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return {table: [tuple(row) for row in await connection.fetch(f"TABLE {table}")] for table in _TABLES}

        found: dict[str, list[Any]] = self.server.asked(work, url=self.location)
        return found

    def restore(self, copy: dict[str, list[Any]]) -> None:
        async def work(connection: Any) -> None:
            await connection.execute(_UNGUARDED)
            async with connection.transaction():
                for table in _TABLES:
                    await connection.execute(f"DELETE FROM {table}")
                    await connection.copy_records_to_table(table, records=copy[table])

        self.server.asked(work, url=self.location)
