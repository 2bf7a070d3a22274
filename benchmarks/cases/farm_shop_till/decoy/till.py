"""The ledger of the farm shop, in one SQLite file beside the till."""

import sqlite3
from decimal import Decimal

SCHEMA = """
CREATE TABLE IF NOT EXISTS sales (
    id INTEGER PRIMARY KEY,
    sold_at TEXT NOT NULL DEFAULT (datetime('now')),
    article TEXT NOT NULL,
    weight_kg REAL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents >= 0),
    price_per_kg_known REAL GENERATED ALWAYS AS (weight_kg IS NOT NULL) VIRTUAL
);
CREATE INDEX IF NOT EXISTS sales_by_day ON sales (sold_at);
"""


class Till:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript(SCHEMA)

    def sell(self, article: str, amount: Decimal, weight_kg: float | None = None) -> None:
        with self._db:
            self._db.execute(
                "INSERT INTO sales (article, weight_kg, amount_cents) VALUES (?, ?, ?)",
                (article, weight_kg, int(amount * 100)),
            )

    def takings(self) -> Decimal:
        (cents,) = self._db.execute("SELECT coalesce(sum(amount_cents), 0) FROM sales").fetchone()
        return Decimal(cents) / 100
