def delete_session(conn, tenant_id, session_id):
    conn.execute("DELETE FROM sessions WHERE id = :id", {"id": session_id})


def sessions(conn, tenant_id):
    return conn.execute("SELECT * FROM sessions WHERE tenant_id = :tenant", {"tenant": tenant_id}).fetchall()
