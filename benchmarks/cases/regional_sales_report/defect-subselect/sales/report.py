from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple


class ReportLine(NamedTuple):
    customer: str
    country: str
    orders: int
    sum_cents: int


_REPORT = """
SELECT c.name, k.name,
       (SELECT count(*) FROM orders AS o WHERE o.customer_number = c.number) AS placed,
       (SELECT sum(o.total_cents) FROM orders AS o WHERE o.customer_number = c.number) AS total
  FROM customers AS c
  JOIN countries AS k ON k.code = c.country
 WHERE c.org_id = :org AND placed > 0
 ORDER BY total DESC, c.name
"""


def report(connection: sqlite3.Connection, org_id: int) -> Iterator[ReportLine]:
    """Yield the customers of an organisation, best ones first."""
    with closing(connection.cursor()) as cursor:
        for row in cursor.execute(_REPORT, {"org": org_id}):
            yield ReportLine(*row)


def as_text(lines) -> str:
    width = max((len(line.customer) for line in lines), default=0)
    return "\n".join(
        f"{line.customer:<{width}}  {line.country}  {line.orders:>4}  {line.sum_cents // 100:>8}.{line.sum_cents % 100:02d}"
        for line in lines
    )
