"""Opening hours, kept for the life of the process."""

_hours: dict[tuple[int, str], str] = {}
_tenants: dict[str, int] = {}


def hours(conn, tenant_id: int, day: str) -> str:
    slot = (tenant_id, day)
    if slot not in _hours:
        row = conn.execute("SELECT hours FROM opening WHERE tenant_id = %s AND day = %s", slot).fetchone()
        _hours[slot] = row[0] if row else "closed"
    return _hours[slot]


def tenant_of(conn, host: str) -> int:
    if host not in _tenants:
        _tenants[host] = conn.execute("SELECT tenant_id FROM hosts WHERE host = %s", (host,)).fetchone()[0]
    return _tenants[host]
