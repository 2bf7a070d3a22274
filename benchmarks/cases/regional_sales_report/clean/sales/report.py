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
SELECT c.name, k.name, count(*), sum(o.total_cents)
  FROM orders AS o
  JOIN customers AS c ON c.number = o.customer_number AND c.org_id = o.org_id
  JOIN countries AS k ON k.code = c.country
 WHERE o.org_id = :org
 GROUP BY c.id
 ORDER BY sum(o.total_cents) DESC, c.name
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
