import asyncio
import sqlite3

from gradebook.repository import Gradebook, Teacher


def opened():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.executescript("""
    CREATE TABLE staff (id INTEGER PRIMARY KEY, school_id INTEGER, name TEXT);
    CREATE TABLE pupils (id INTEGER PRIMARY KEY, school_id INTEGER, class_name TEXT, name TEXT);
    CREATE TABLE grades (id INTEGER PRIMARY KEY, school_id INTEGER, pupil_id INTEGER, subject TEXT, points INTEGER);
    INSERT INTO staff VALUES (1, 1, 'Ada');
    INSERT INTO pupils VALUES (1, 1, '7b', 'Cem');
    INSERT INTO grades VALUES (1, 1, 1, 'maths', 12), (2, 1, 1, 'art', 10);
    """)
    return connection


def test_grades_come_by_pupil_and_subject():
    grades = asyncio.run(Gradebook(opened).of_class(Teacher(1, 1), "7b"))

    assert ["art", "maths"] == [grade.subject for grade in grades]


def test_the_average():
    book = Gradebook(opened)

    assert (11, None) == (asyncio.run(book.average(Teacher(1, 1), "7b")), asyncio.run(book.average(Teacher(1, 1), "1x")))
