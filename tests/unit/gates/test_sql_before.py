"""What stood before a change is known to the checks of values and keys, and never refused itself."""

from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.check import CheckGate
from squads.gates.checks.sql_exact_money import exact_money
from squads.gates.checks.sql_unique_null import unique_null
from squads.gates.checks.sql_value_fits import value_fits

PLANS = "CREATE TABLE plan (code varchar(6) PRIMARY KEY, price numeric(8,2) NOT NULL, region text);"
LONG = "INSERT INTO plan (code, price) VALUES ('family-5', 9.90);"
FLOATS = "CREATE VIEW takings AS SELECT sum(price)::float8 AS takings FROM plan;"
KEY = "ALTER TABLE plan ADD UNIQUE (price, region);"
PARTIAL = (
    "CREATE TABLE desk (room text NOT NULL, day date NOT NULL, lesson smallint);\n"
    "CREATE UNIQUE INDEX desk_once ON desk (room, day, lesson) WHERE lesson IS NOT NULL;"
)


def refused(check: CheckGate, files: dict[str, str], base: dict[str, str], brief: str = "-") -> list[str]:
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=Artifact.of(files),
        inputs={"base": Artifact.of(base)} if base else {},
    )
    return [f.location.path for f in check(work) if f.location and f.severity is Severity.MAJOR]


@pytest.mark.parametrize(
    ("check", "change"), [(value_fits, LONG), (exact_money, FLOATS), (unique_null, KEY)], ids=["value", "money", "key"]
)
def test_a_change_is_judged_by_the_tables_that_stood_before(check, change):
    """A migration alone does not say what its tables look like; a finding stands in the migration."""
    assert {"z.sql"} == set(refused(check, {"z.sql": change}, {"zz/first.sql": PLANS}))


@pytest.mark.parametrize("check", [value_fits, exact_money, unique_null], ids=["value", "money", "key"])
def test_what_stood_before_is_not_refused(check):
    """Whoever writes a migration answers for it, and not for the years before."""
    before = {"a.sql": PLANS + LONG + FLOATS + KEY}

    assert [] == refused(check, {"z.sql": "ALTER TABLE plan ADD COLUMN note text;"}, before)


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("A room is booked only once for a day and a lesson; whole days have no lesson.", ["schema.sql"]),
        ("A lesson of a room and a day is unique where one is given.", []),
        ("Bookings of desks.", []),
    ],
    ids=["once for all", "where given", "silent"],
)
def test_a_key_that_leaves_rows_out_is_weighed_by_the_brief(brief, expected):
    """A partial index may be what was asked for; only the brief can say that it is not."""
    assert expected == refused(unique_null, {"schema.sql": PARTIAL}, {}, brief)
