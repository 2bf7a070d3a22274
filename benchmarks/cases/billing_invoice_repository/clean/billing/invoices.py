import sqlite3
from dataclasses import dataclass


class NoSuchInvoice(LookupError):
    pass


@dataclass(frozen=True)
class Invoice:
    id: int
    number: str
    customer: str
    currency: str
    total_minor: int
    state: str


class InvoiceRepository:
    """Invoices of one tenant."""

    _COLUMNS = "id, number, customer, currency, total_minor, state"

    def __init__(self, connection: sqlite3.Connection, tenant_id: int):
        self._connection = connection
        self._tenant_id = tenant_id

    def add(self, number: str, customer: str, currency: str, total_minor: int) -> Invoice:
        cursor = self._connection.execute(
            "INSERT INTO invoices (tenant_id, number, customer, currency, total_minor) VALUES (?, ?, ?, ?, ?)",
            (self._tenant_id, number, customer, currency, total_minor),
        )
        return self.get(cursor.lastrowid)

    def get(self, invoice_id: int) -> Invoice:
        row = self._connection.execute(
            f"SELECT {self._COLUMNS} FROM invoices WHERE id = ? AND tenant_id = ?", (invoice_id, self._tenant_id)
        ).fetchone()
        if row is None:
            raise NoSuchInvoice(invoice_id)
        return Invoice(*row)

    def open(self) -> list[Invoice]:
        rows = self._connection.execute(
            f"SELECT {self._COLUMNS} FROM invoices WHERE tenant_id = ? AND state = 'open' ORDER BY number",
            (self._tenant_id,),
        )
        return [Invoice(*row) for row in rows]

    def mark_paid(self, invoice_id: int) -> None:
        changed = self._connection.execute(
            "UPDATE invoices SET state = 'paid' WHERE id = ? AND tenant_id = ?",
            (invoice_id, self._tenant_id),
        )
        if changed.rowcount != 1:
            raise NoSuchInvoice(invoice_id)
