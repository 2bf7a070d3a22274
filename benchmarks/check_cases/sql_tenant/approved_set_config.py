def session_for(conn, tenant_id):
    conn.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant_id),))
    return conn


def get_note(conn, tenant_id, note_id):
    return session_for(conn, tenant_id).execute("SELECT * FROM notes WHERE id = %s", (note_id,)).fetchone()


def count_notes(conn, tenant_id):
    return session_for(conn, tenant_id).execute("SELECT count(*) FROM notes WHERE tenant_id = %s", (tenant_id,))
