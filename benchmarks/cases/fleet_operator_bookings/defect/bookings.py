"""Bookings of one operator."""

from __future__ import annotations

from typing import Any

COLUMNS = ("booking_id", "driver", "phone", "plate", "station", "starts_at", "ends_at")

_SELECT = """
    SELECT b.booking_id, b.driver, b.phone, v.plate, v.station, b.starts_at, b.ends_at
      FROM booking b
      JOIN vehicle v ON v.vehicle_id = b.vehicle_id
     WHERE b.cancelled_at IS NULL
"""


class BookingStore:
    """All that the counter of one operator does with bookings."""

    def __init__(self, connection: Any, operator_id: int) -> None:
        self._connection = connection
        self._operator_id = operator_id

    def open_bookings(self) -> list[dict[str, Any]]:
        """Bookings that have not ended, the oldest first."""
        return self._rows(_SELECT + " AND b.ends_at IS NULL ORDER BY b.starts_at")

    def bookings_of_plate(self, plate: str) -> list[dict[str, Any]]:
        """Every booking of a car, the newest first."""
        return self._rows(
            _SELECT + " AND v.plate = %s AND v.operator_id = %s ORDER BY b.starts_at DESC", plate, self._operator_id
        )

    def cancel(self, booking_id: int) -> bool:
        """Cancel a booking; False where there is none to cancel."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "UPDATE booking SET cancelled_at = CURRENT_TIMESTAMP"
                " WHERE booking_id = %s AND operator_id = %s AND cancelled_at IS NULL",
                (booking_id, self._operator_id),
            )
            done = cursor.rowcount == 1
        self._connection.commit()
        return done

    def _rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
