import sqlite3
import sys

sys.path.insert(0, "artifact")


class Cursor:
    """What psycopg gives: %s for parameters, execute that returns the cursor, a context manager."""

    def __init__(self, inner):
        self._inner = inner

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._inner.close()

    def execute(self, sql, values=()):
        self._inner.execute(sql.replace("%s", "?"), tuple(values))
        return self

    def fetchall(self):
        return self._inner.fetchall()

    def fetchone(self):
        return self._inner.fetchone()

    @property
    def rowcount(self):
        return self._inner.rowcount


class Connection:
    def __init__(self, inner):
        self._inner = inner

    def cursor(self):
        return Cursor(self._inner.cursor())

    def execute(self, sql, values=()):
        return self.cursor().execute(sql, values)

    def commit(self):
        self._inner.commit()


data = sqlite3.connect(":memory:")
data.executescript(
    """
    CREATE TABLE vehicle (vehicle_id integer PRIMARY KEY, operator_id integer, plate text UNIQUE, station text);
    CREATE TABLE booking (booking_id integer PRIMARY KEY, operator_id integer, vehicle_id integer, driver text,
                          phone text, starts_at text, ends_at text, cancelled_at text);
    INSERT INTO vehicle VALUES (1, 10, 'AA 1', 'Harbour'), (2, 20, 'BB 2', 'Station');
    INSERT INTO booking VALUES (100, 10, 1, 'Ann', '+1', '2026-01-01T08', NULL, NULL),
                               (101, 10, 1, 'Ben', '+2', '2026-01-02T08', '2026-01-02T09', NULL),
                               (200, 20, 2, 'Cat', '+3', '2026-01-01T09', NULL, NULL);
    """
)
from bookings import BookingStore

store = BookingStore(Connection(data), 10)
found = [row["booking_id"] for row in store.open_bookings()]
if 100 not in found or 101 in found:
    sys.exit("its own open booking is not listed, or one that ended is")
wrong = []
if found != [100]:
    wrong.append(f"operator 10 was given the bookings {found}")
if [row["booking_id"] for row in store.bookings_of_plate("BB 2")]:
    wrong.append("operator 10 read the bookings of another's car")
if store.cancel(200) or data.execute("SELECT cancelled_at FROM booking WHERE booking_id = 200").fetchone()[0]:
    wrong.append("operator 10 cancelled another's booking")
if not store.cancel(100):
    sys.exit("its own booking cannot be cancelled")
if wrong:
    print("; ".join(wrong))
    sys.exit(10)
