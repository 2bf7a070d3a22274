from __future__ import annotations

import logging
from collections.abc import Sequence

from fleet.context import current_tenant

log = logging.getLogger("fleet.devices")
AT_MOST = 500


def _marks(ids: Sequence[int]) -> str:
    if not 0 < len(ids) <= AT_MOST:
        raise ValueError(f"between 1 and {AT_MOST} devices can be changed at once")
    return ", ".join("?" * len(ids))


class Devices:
    def __init__(self, connection):
        self._connection = connection

    def names(self) -> list[str]:
        rows = self._connection.execute("SELECT name FROM devices WHERE tenant = ? ORDER BY id", [current_tenant()])
        return [name for (name,) in rows]

    def rename(self, ids: Sequence[int], prefix: str) -> int:
        with self._connection:
            return self._connection.execute(
                f"UPDATE devices SET name = ? || '-' || id WHERE tenant = ? AND id IN ({_marks(ids)})",
                [prefix, current_tenant(), *ids],
            ).rowcount

    def retire(self, ids: Sequence[int]) -> int:
        own = self._connection.execute(
            f"SELECT id FROM devices WHERE tenant = ? AND id IN ({_marks(ids)})", [current_tenant(), *ids]
        ).fetchall()
        with self._connection:
            gone = self._connection.executemany("DELETE FROM devices WHERE id = ?", own).rowcount if own else 0
        log.info("%s retired %d devices", current_tenant(), gone)
        return gone
