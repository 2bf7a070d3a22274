"""Opening hours, kept for the life of the process."""

_hours: dict[str, str] = {}


def hours(conn, tenant_id: int, day: str) -> str:
    if day not in _hours:
        row = conn.execute("SELECT hours FROM opening WHERE tenant_id = %s AND day = %s", (tenant_id, day)).fetchone()
        _hours[day] = row[0] if row else "closed"
    return _hours[day]
