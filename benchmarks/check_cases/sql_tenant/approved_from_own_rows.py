def newest_lines(conn, tenant_id, order_number):
    order = conn.execute(
        "SELECT id FROM orders WHERE tenant_id = %s AND number = %s", (tenant_id, order_number)
    ).fetchone()
    return conn.execute("SELECT * FROM orders WHERE id = %s", (order["id"],)).fetchall()
