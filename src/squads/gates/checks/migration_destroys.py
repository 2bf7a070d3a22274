"""`migration.destroys`: a migration loses nothing that stood before it, and takes nothing away that is still read.

Why it matters: a migration runs once, where the rows are, and commits. What it drops, empties, cuts off or overwrites
is gone by the time that anybody asks for it, and the way back in `downgrade()` makes the column again, not what was in
it. Tests run on tables that the migration itself filled and see nothing of it.

Refused:

    ALTER TABLE customers ADD COLUMN full_name text;
    ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;

Approved:

    ALTER TABLE customers ADD COLUMN full_name text;
    UPDATE customers SET full_name = first_name || ' ' || last_name;
    ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;

What is weighed, and how heavily:

- Where a base is given, the migration is first played on a few made rows in memory, each time with one value changed.
  If nothing that lasts differs at the end, the value is lost, at the step after which it was: whatever copied, mapped,
  joined, cut, overwrote or deleted it. Rows that a guard, a NOT NULL or a CHECK of the migration stops lose nothing.
  Played are statements, DO blocks, routines that are called, and the Python of Alembic and Django: loops over rows,
  sessions, querysets, functions of the file. What cannot be played is weighed by the forms below.
- Tables that only models of the base declare stood before, too, with the columns that the migration drops. Where the
  brief wants only rows filled that have nothing yet, the others keep what they have.
- What the brief gives up (not needed, not read, deleted for good; a drop that is all it asks for; doubles of which one
  stays) may go.
- Only what stood before counts: the tables of the base where one is given, else those that the artifact does not
  create; and of those not the columns that the migration added itself. Ways back are not read.
- DROP TABLE, DROP COLUMN, DROP SCHEMA ... CASCADE, DROP TYPE ... CASCADE, TRUNCATE, and DELETE without WHERE: major,
  refused, unless all of it is stored elsewhere first (in the migration or in the base), or the migration stops by
  itself where there are rows. A copy that leaves out rows, columns or a part of each value is none. Tables whose names
  say that they pass (`tmp_`, `staging_`): a note.
- DELETE with a condition is refused where it makes room for a constraint that follows, and the rows are not archived;
  whatever the brief says of doubles, also where it takes rows that the constraint would let stand. Elsewhere it is
  housekeeping. TRUNCATE ... CASCADE is refused for the tables that refer to the one it names.
- UPDATE that cuts a column in its own place (left, trunc, least), or that presses values under a CHECK that follows:
  major, unless the rows were copied first.
- A copy counts if it holds the value and says whose it was: a look-up, a mapping of every value, UPDATEs that leave out
  no row between them. A comparison, a coalesce behind an older column, or a list of distinct values is less.
- UPDATE without WHERE that writes one constant over a column of before: major, unless its values were copied; with a
  WHERE, where the brief wants kept what it folds into one, and a column for it is added.
- UPDATE that writes other columns over a column whose values differ: major, unless the brief asks for other values.
- A change to a type that holds less (a shorter varchar, fewer digits, bigint to integer, a timestamp to a date), or a
  USING that cuts: major, unless a valid CHECK or a look at all rows says that every value fits.
- SET NOT NULL where nothing fills the rows of before, and ADD COLUMN NOT NULL without a default: major; they fail where
  rows are.
- RENAME of a table or column: major where something still reads the old name (a role it is granted to, a program, a
  function), and nothing gives that name back; else a note. Where functions that read it are changed along with it, a
  grant says nothing more.
- Rows of another table that a DELETE takes along by ON DELETE CASCADE; views that DROP ... CASCADE takes along, or that
  the brief names, and that nothing makes again; a column that a function or a program's SQL still reads: major.
- A foreign key that gets ON DELETE CASCADE and had another rule before: major; a new one: a note.
- Indexes, constraints, views, triggers, defaults, policies: dropping them loses no data.

Where it comes from: PostgreSQL's documentation of ALTER TABLE; the practice of expand and contract.
"""

from __future__ import annotations

from itertools import islice

from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, base_of, check
from squads.gates.sql import SCHEMA_FILES
from squads.gates.sql.steps.losses import losses
from squads.gates.sql.steps.reading import holds_steps, read_steps
from squads.gates.sql.steps.world import Walk

INVARIANT = Invariant(
    id="migration.destroys",
    statement="A migration loses no row, column or value that stood before it, and takes nothing away that is read.",
    why=(
        "It runs once, where the rows are; what it drops or cuts off is gone before anybody asks for it, and no way "
        "back brings the values back."
    ),
    severity=Severity.MAJOR,
    cwe=404,
    refused=(
        "ALTER TABLE customers ADD COLUMN full_name text;\n"
        "ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;"
    ),
    approved=(
        "ALTER TABLE customers ADD COLUMN full_name text;\n"
        "UPDATE customers SET full_name = first_name || ' ' || last_name;\n"
        "ALTER TABLE customers DROP COLUMN first_name, DROP COLUMN last_name;"
    ),
    origin="PostgreSQL documentation, ALTER TABLE; expand and contract.",
)
_TEXT_MAX = 4_000
_FINDINGS_MAX = 100
"""A migration of thousands of faults is refused by the first hundred of them."""


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_steps, of_work=True)
def migration_destroys(work: ReviewWork) -> list[Finding]:
    """Return the statements by which something is lost that stood before."""
    if work.artifact is None:
        return []
    steps = read_steps(work.artifact, base_of(work))
    found = [
        Finding(
            invariant=INVARIANT.id,
            severity=Severity.MAJOR if lost.certain else Severity.NOTE,
            message=lost.message[:_TEXT_MAX],
            location=Location(
                path=lost.place.path, line=lost.place.line, column=lost.place.column, end_line=lost.place.end_line
            ),
            evidence=lost.place.text[:_TEXT_MAX],
            satisfy=lost.satisfy[:_TEXT_MAX],
        )
        for lost in islice(losses(Walk(steps), work.brief), _FINDINGS_MAX)
    ]
    if steps.problems and not any(f.severity >= Severity.MAJOR for f in found):
        raise CannotLook(steps.problems[0])
    return [f for number, f in enumerate(found) if f not in found[:number]]
