import sqlite3
from types import SimpleNamespace

import pytest
from helpdesk import orm, views

ADA = SimpleNamespace(id=1)


@pytest.fixture(autouse=True)
def database():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE tickets (id INTEGER PRIMARY KEY, account_id INTEGER, subject TEXT, state TEXT, deleted INTEGER);
    CREATE TABLE comments (id INTEGER PRIMARY KEY, account_id INTEGER, ticket_id INTEGER, author TEXT, text TEXT);
    CREATE TABLE holidays (id INTEGER PRIMARY KEY, day TEXT, name TEXT);
    INSERT INTO tickets VALUES (1, 1, 'printer', 'open', 0), (2, 1, 'old', 'open', 1);
    INSERT INTO holidays VALUES (1, '2031-01-01', 'New Year');
    """)
    orm.connect(connection)


def test_open_tickets_are_listed():
    assert [{"id": 1, "subject": "printer"}] == views.ticket_list(ADA)


def test_a_closed_ticket_is_closed():
    views.close(ADA, 1)

    assert "closed" == views.ticket_detail(ADA, 1)["state"]


@pytest.mark.parametrize("pk", [2, 3])
def test_deleted_and_unknown_tickets_are_not_found(pk):
    with pytest.raises(views.NotFound):
        views.ticket_detail(ADA, pk)


def test_holidays_are_public():
    assert {"2031-01-01": "New Year"} == views.holidays(ADA)
