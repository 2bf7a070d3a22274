import asyncio
import sqlite3
import sys

sys.path.insert(0, "artifact")

from gradebook.repository import Grade, Gradebook, Teacher


def opened():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE staff (id INTEGER PRIMARY KEY, school_id INTEGER, name TEXT);
    CREATE TABLE pupils (id INTEGER PRIMARY KEY, school_id INTEGER, class_name TEXT, name TEXT);
    CREATE TABLE grades (id INTEGER PRIMARY KEY, school_id INTEGER, pupil_id INTEGER, subject TEXT, points INTEGER);
    INSERT INTO staff VALUES (1, 1, 'Ada'), (2, 2, 'Bob');
    INSERT INTO pupils VALUES (1, 1, '7b', 'Cem'), (2, 2, '7b', 'Dora'), (3, 1, '9a', 'Eli');
    INSERT INTO grades VALUES (1, 1, 1, 'maths', 12), (2, 2, 2, 'maths', 3), (3, 1, 3, 'maths', 9);
    """)
    return connection


async def main():
    book = Gradebook(opened)
    if await book.of_class(Teacher(1, 1), "9a") != [Grade("Eli", "maths", 9)]:
        sys.exit("a teacher does not see the grades of a class")
    grades = await book.of_class(Teacher(1, 1), "7b")
    if Grade("Cem", "maths", 12) not in grades:
        sys.exit("a teacher does not see the grades of a class")
    if len(grades) > 1:
        print(f"grades of another school are shown: {grades}")
        sys.exit(10)


asyncio.run(main())
