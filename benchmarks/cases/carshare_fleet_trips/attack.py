import sqlite3
import sys

sys.path.insert(0, "artifact")
from trips import TripStore

db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE trips (trip_id integer PRIMARY KEY, fleet_id integer, plate text, driver text, km integer)")
db.executemany(
    "INSERT INTO trips VALUES (?, ?, ?, ?, ?)",
    [(1, 1, "M-AA 1", "Ida", 10), (2, 1, "M-AB 2", "Jon", None), (3, 2, "M-AA 9", "Ida", 70), (4, 2, "M-ZZ 8", "Kim", None)],
)
store = TripStore(db, 1)
if {t.trip_id for t in store.search("Jon")} != {2} or store.kilometres().get("M-AA 1") != 10:
    sys.exit("own trips are not found")
for words in ("Ida", "M-A", "ZZ", "Kim", ""):
    if other := [t for t in store.search(words) if t.trip_id > 2]:
        print(f"a search for {words!r} finds {other[0]} of another fleet")
        sys.exit(10)
if set(store.kilometres()) != {"M-AA 1"}:
    print("kilometres of other fleets are summed")
    sys.exit(10)
if not store.close(2, 5):
    sys.exit("an own trip cannot be closed")
store.close(4, 999)
if db.execute("SELECT km FROM trips WHERE trip_id = 4").fetchone() != (None,):
    print("a trip of another fleet was closed")
    sys.exit(10)
