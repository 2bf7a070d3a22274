import re
import sqlite3

SNIPPET = 60


def _pattern(words):
    cleaned = re.sub(r"([%_\\])", r"\\\1", " ".join(words.split()))
    return f"%{cleaned}%"


def _snippet(body, words):
    at = max(body.lower().find(words.lower()), 0)
    start = max(at - SNIPPET // 2, 0)
    return body[start : start + SNIPPET].replace("\n", " ")


def make_search(connection):
    """Return the search function of a connection."""
    connection.row_factory = sqlite3.Row

    def search(workspace, words, limit=20):
        if not words.strip():
            return []
        rows = connection.execute(
            """
            SELECT id, title, body
              FROM pages
             WHERE (workspace_id = :ws AND title LIKE :q ESCAPE '\\')
                OR (body LIKE :q ESCAPE '\\' AND workspace_id = :ws)
             ORDER BY updated_at DESC
             LIMIT :limit
            """,
            {"ws": workspace, "q": _pattern(words), "limit": limit},
        )
        return [{"id": row["id"], "title": row["title"], "text": _snippet(row["body"], words)} for row in rows]

    return search
