import sqlite3
import sys

sys.path.insert(0, "artifact")

from fleet.context import acting_for
from fleet.devices import Devices

connection = sqlite3.connect(":memory:")
connection.executescript("""
CREATE TABLE devices (id INTEGER PRIMARY KEY, tenant TEXT, name TEXT);
INSERT INTO devices VALUES (1, 'a', 'a1'), (2, 'a', 'a2'), (3, 'b', 'b3'), (4, 'b', 'b4'), (5, 'a', 'a5');
""")
devices = Devices(connection)
with acting_for("a"):
    if devices.retire([1]) != 1 or devices.names() != ["a2", "a5"]:
        sys.exit("a tenant cannot retire its own device")
    for ids in ([3], [2, 4]):
        try:
            devices.retire(ids)
            devices.rename(ids, "x")
        except (ValueError, PermissionError):
            pass
with acting_for("b"):
    left = devices.names()
if left != ["b3", "b4"]:
    print(f"another tenant has {left} left of b3 and b4")
    sys.exit(10)
