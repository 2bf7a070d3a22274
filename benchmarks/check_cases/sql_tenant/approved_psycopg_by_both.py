"""Documents."""

import psycopg


def list_documents(conn, tenant_id):
    return conn.execute("SELECT id, title FROM documents WHERE tenant_id = %s ORDER BY id", (tenant_id,)).fetchall()


def get_document(conn, tenant_id, document_id):
    return conn.execute(
        "SELECT id, title FROM documents WHERE id = %s AND tenant_id = %s",
        (document_id, tenant_id),
    ).fetchone()
