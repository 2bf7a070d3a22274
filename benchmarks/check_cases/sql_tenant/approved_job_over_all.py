def delete_session(conn, tenant_id, session_id):
    conn.execute("DELETE FROM sessions WHERE tenant_id = %s AND id = %s", (tenant_id, session_id))


def purge_expired_sessions(conn):
    conn.execute("DELETE FROM sessions WHERE expires_at < now()")


def sessions_by_tenant(conn):
    return conn.execute("SELECT tenant_id, count(*) FROM sessions GROUP BY tenant_id").fetchall()
