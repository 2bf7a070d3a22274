import asyncio
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Teacher:
    id: int
    school_id: int


@dataclass(frozen=True)
class Grade:
    pupil: str
    subject: str
    points: int


class Gradebook:
    """Reads grades; every answer is for one teacher."""

    def __init__(self, open_connection):
        self._open = open_connection

    async def of_class(self, teacher: Teacher, class_name: str) -> list[Grade]:
        return await asyncio.to_thread(self._of_class, teacher, class_name)

    async def average(self, teacher: Teacher, class_name: str) -> float | None:
        grades = await self.of_class(teacher, class_name)
        return sum(grade.points for grade in grades) / len(grades) if grades else None

    def _of_class(self, teacher, class_name):
        connection: sqlite3.Connection = self._open()
        try:
            rows = connection.execute(
                """
                SELECT p.name, g.subject, g.points
                  FROM staff AS s
                  JOIN pupils AS p USING (school_id)
                  JOIN grades AS g ON g.pupil_id = p.id AND g.school_id = p.school_id
                 WHERE s.id = ? AND s.school_id = ? AND p.class_name = ?
                 ORDER BY p.name, g.subject
                """,
                (teacher.id, teacher.school_id, class_name),
            ).fetchall()
        finally:
            connection.close()
        return [Grade(*row) for row in rows]
