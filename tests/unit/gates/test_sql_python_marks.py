"""The cheap look at Python: every word of a schema's library is seen, and no longer word that ends in one."""

from __future__ import annotations

import pytest

from squads.contracts.artifact import File
from squads.gates.sql.python.schema import may_hold

SEEN = (
    "op.create_table('t')",
    "migration_op = alembic.op\nself.op.add_column(",
    "from alembic import context",
    "migrations.RunSQL(",
    "x: Mapped[int]",
    "mapped_column(",
    "sa.Column('a')",
    "models.Model",
    "models.DecimalField(",
    "class W(SQLModel, table = True):",
    "'CREATE  TABLE t'",
    "'create or replace\tfunction f'",
    "'Alter Default Privileges'",
    "'GRANT select, insert ON t'",
    "'revoke ALL  on t'",
)
NOT_SEEN = (
    "shop.create_table('t')",
    "_op.add('t')",
    "alembics",
    "immigrations.RunSQL(",
    "Mapper, UnMapped[int], Mappedx",
    "unmapped_column(",
    "TableColumn(",
    "supermodels.Model",
    "models.Modelling",
    "timetable = True",
    "table = TrueEnough",
    "'recreate table t'",
    "'created table t'",
    "'create tables'",
    "'grants select on t'",
    "'grant select once'",
)


@pytest.mark.parametrize("text", SEEN)
def test_a_word_of_a_schema_is_seen(text: str) -> None:
    """At the top of a file, and after any sign that is no letter."""
    assert may_hold(File(path="a.py", content=text.encode()))
    assert may_hold(File(path="a.py", content=f"x = 1\n({text}".encode()))


@pytest.mark.parametrize("text", NOT_SEEN)
def test_a_longer_word_is_another_word(text: str) -> None:
    """Or every file that speaks of shops and timetables would be parsed for its schema."""
    assert not may_hold(File(path="a.py", content=text.encode()))
