"""`migration.locks`: a migration keeps nobody waiting while it goes through a table in use.

Why it matters: a lock that lasts as long as reading or rewriting a table stops every writer, often every reader, and
behind the first one that waits all others queue up. On the ten rows of a test database the same statement takes a
millisecond, so nobody notices before it runs where the rows are.

Refused:

    CREATE INDEX orders_customer ON orders (customer_id);

Approved:

    CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);

What is weighed, and how heavily:

- Only tables that stood before count: those of the base where one is given, else those that the artifact does not
  create. A schema that creates everything locks nothing.
- An index, a UNIQUE or PRIMARY KEY built in place; a foreign key or CHECK that is not NOT VALID; SET NOT NULL where no
  valid CHECK proves it already: major, refused.
- ADD COLUMN that computes every row (a volatile default, also by a function of the schema, serial, identity,
  GENERATED ... STORED, a domain with CHECKs) and ALTER TYPE that rewrites: major. A constant default, now(), a longer
  varchar, varchar to text and a wider numeric of the same scale rewrite nothing.
- VACUUM FULL, CLUSTER, REINDEX without CONCURRENTLY, SET TABLESPACE and SET LOGGED: major. LOCK TABLE is major where
  long work follows in its transaction, else a note.
- An UPDATE of all rows, or a VALIDATE, in the transaction whose earlier statement holds the table locked: major. A file
  without BEGIN counts as one transaction, because migration tools run it so, unless it or the brief says otherwise (no
  transaction, each statement by itself) or it holds what cannot run in one. A loop over slices that never commits is
  one long transaction.
- CONCURRENTLY inside a transaction is refused by PostgreSQL: major, where it is certain that there is one.
- Where a base is given, an index, a foreign key, a computed column and a SET NOT NULL of a column that the migration
  does not fill itself are refused whatever the brief says; but not where it says that nobody is connected.
- Work that goes with a fill (UPDATE beside ADD COLUMN, SET NOT NULL after it), and EXCLUDE, is refused where brief or
  comments say that the table is large or busy, or that nobody may wait, and where a base is given and no brief; a
  change of type, a CHECK, a UNIQUE and a foreign key made anew also where they say that it is in use, and where there
  is no brief. Else they are notes: on a small table they take a moment, and they are what another rule asks for.
- REFRESH MATERIALIZED VIEW without CONCURRENTLY, where it is said to be in use; a CHECK of a domain that columns have;
  ATTACH PARTITION of a table of before without a CHECK: major. timestamp to timestamptz in UTC rewrites nothing.
- A change of type from an unknown one to text: a note. MySQL and SQLite: not looked at.

Where it comes from: PostgreSQL's documentation of ALTER TABLE (notes) and of explicit locking.
"""

from __future__ import annotations

import posixpath
from itertools import islice

from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, base_of, check
from squads.gates.sql import SCHEMA_FILES
from squads.gates.sql.steps.locks import locks
from squads.gates.sql.steps.reading import holds_steps, read_steps
from squads.gates.sql.steps.use import said_before, use_of
from squads.gates.sql.steps.world import Walk

INVARIANT = Invariant(
    id="migration.locks",
    statement="A migration holds no lock on a table in use while it reads or rewrites all of it.",
    why=(
        "Behind a lock that lasts as long as the table is large every writer waits, and soon every request: the "
        "deployment is an outage, and the tests, on ten rows, saw nothing of it."
    ),
    severity=Severity.MAJOR,
    cwe=667,
    refused="CREATE INDEX orders_customer ON orders (customer_id);",
    approved="CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id);",
    origin="PostgreSQL documentation, ALTER TABLE (notes) and explicit locking.",
)
_TEXT_MAX = 4_000
_FINDINGS_MAX = 100
"""A migration of thousands of faults is refused by the first hundred of them."""


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_steps, of_work=True)
def migration_locks(work: ReviewWork) -> list[Finding]:
    """Return the statements that keep others waiting for as long as a table is large."""
    if work.artifact is None:
        return []
    base = base_of(work)
    steps = read_steps(work.artifact, base, work.brief)
    texts: dict[str, list[str]] = {posixpath.dirname(s.statement.source.path): [] for s in steps.steps}
    for file in work.artifact.matching(*SCHEMA_FILES):
        if (folder := posixpath.dirname(file.path)) in texts:  # of the others nobody asks
            texts[folder].append(file.content.decode(errors="replace"))
    uses = {
        folder: use_of(work.brief, [*beside, *said_before(base)], based=base is not None)
        for folder, beside in texts.items()
        if beside
    }
    found = [
        Finding(
            invariant=INVARIANT.id,
            severity=Severity.MAJOR if held.certain else Severity.NOTE,
            message=held.message[:_TEXT_MAX],
            location=Location(
                path=held.place.path, line=held.place.line, column=held.place.column, end_line=held.place.end_line
            ),
            evidence=held.place.text[:_TEXT_MAX],
            satisfy=held.satisfy[:_TEXT_MAX],
        )
        for held in islice(locks(Walk(steps), uses), _FINDINGS_MAX)
    ]
    if steps.problems and not any(f.severity >= Severity.MAJOR for f in found):
        raise CannotLook(steps.problems[0])
    return [f for number, f in enumerate(found) if f not in found[:number]]
