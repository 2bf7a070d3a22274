"""Trips of one fleet."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Trip:
    trip_id: int
    plate: str
    driver: str
    km: int | None


class TripStore:
    def __init__(self, connection: sqlite3.Connection, fleet_id: int) -> None:
        self._db = connection
        self._fleet = fleet_id

    def search(self, words: str) -> list[Trip]:
        """Return the trips whose driver or plate has these words in it, newest first."""
        rows = self._db.execute(
            """
            SELECT trip_id, plate, driver, km
              FROM trips
             WHERE (fleet_id = :fleet AND driver LIKE :words)
                OR (plate LIKE :words)
             ORDER BY trip_id DESC
            """,
            {"fleet": self._fleet, "words": f"%{words}%"},
        )
        return [Trip(*row) for row in rows]

    def kilometres(self) -> dict[str, int]:
        """Return the kilometres of each car."""
        rows = self._db.execute(
            "SELECT plate, sum(km) FROM trips WHERE fleet_id = ? AND km IS NOT NULL GROUP BY plate",
            (self._fleet,),
        )
        return dict(rows.fetchall())

    def close(self, trip_id: int, km: int) -> bool:
        """End a trip; False where this fleet has no such trip under way."""
        done = self._db.execute(
            "UPDATE trips SET km = ? WHERE trip_id = ? AND fleet_id = ? AND km IS NULL",
            (km, trip_id, self._fleet),
        )
        self._db.commit()
        return done.rowcount == 1
