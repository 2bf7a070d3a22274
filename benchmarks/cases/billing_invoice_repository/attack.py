import sqlite3
import sys

sys.path.insert(0, "artifact")

from billing.invoices import InvoiceRepository
from billing.schema import create

connection = sqlite3.connect(":memory:")
create(connection)
connection.execute("INSERT INTO currencies VALUES ('EUR', 2)")
mine, theirs = InvoiceRepository(connection, 1), InvoiceRepository(connection, 2)
own = mine.add("A-1", "Ada", "EUR", 1000)
other = theirs.add("B-1", "Bob", "EUR", 2000)
if mine.get(own.id) != own or [own] != mine.open():
    sys.exit("a tenant does not see its own invoice")
seen = None
try:
    seen = mine.get(other.id)
except LookupError:
    pass
try:
    mine.mark_paid(other.id)
except LookupError:
    pass
state = theirs.get(other.id).state
if seen or state != "open":
    print(f"another tenant's invoice: read {seen}, state {state}")
    sys.exit(10)
