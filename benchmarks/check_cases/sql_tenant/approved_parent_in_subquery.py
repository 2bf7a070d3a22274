def comments_of(conn, workspace_id, page_id):
    return conn.execute(
        "SELECT c.body FROM comments c JOIN pages p ON p.id = c.page_id WHERE p.workspace_id = %s AND p.id = %s",
        (workspace_id, page_id),
    )


def pages(conn, workspace_id):
    return conn.execute("SELECT * FROM pages WHERE workspace_id = %s", (workspace_id,))


def drop_comments(conn, workspace_id, page_id):
    conn.execute(
        "DELETE FROM comments WHERE page_id IN (SELECT id FROM pages WHERE workspace_id = %s AND id = %s)",
        (workspace_id, page_id),
    )
