def open_forms(conn, tenant_id: int) -> int:
    sql = "SELECT count(*) FROM form f JOIN tenant t ON t.id = f.tenant_id WHERE t.id = %s AND f.closed_at IS NULL"
    return conn.execute(sql, (tenant_id,)).fetchone()[0]


def answers(conn, tenant_id: int, form_id: int):
    sql = """
        WITH mine AS (SELECT id FROM form WHERE tenant_id = %s)
        SELECT a.body FROM answer a WHERE a.form_id IN (SELECT id FROM mine) AND a.form_id = %s
    """
    return conn.execute(sql, (tenant_id, form_id)).fetchall()
