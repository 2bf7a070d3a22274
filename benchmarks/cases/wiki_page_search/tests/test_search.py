import sqlite3

from wiki.search import make_search


def searched(words):
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE pages (id INTEGER PRIMARY KEY, workspace_id INTEGER, title TEXT, body TEXT, archived INTEGER, updated_at INTEGER);
    INSERT INTO pages VALUES (1, 1, 'Tea', 'how to make it', 0, 1), (2, 1, 'Coffee', '100% beans', 0, 2);
    """)
    return make_search(connection)(1, words)


def test_titles_and_bodies_are_searched():
    assert [[1], [2]] == [[page["id"] for page in searched(words)] for words in ("tea", "beans")]


def test_wildcards_are_letters():
    assert [] == searched("_ea")
    assert "100% beans" == searched("0%")[0]["text"]


def test_nothing_finds_nothing():
    assert [] == searched("  ")
