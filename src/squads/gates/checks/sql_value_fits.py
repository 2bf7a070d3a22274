"""`sql.value-fits`: every value that the artifact itself gives a column fits the column's type.

Why it matters: numeric(5,4) holds 9.9999 at most. A specification that says the column keeps the half-life constant,
30.0, looks complete, its migration runs, and its tests pass as long as they insert small numbers; the first real row
fails with "numeric field overflow", in production, in the middle of somebody's transaction. A code that is one
character too long, milliseconds in an integer and a longitude in numeric(8,6) end the same way.

Refused:

    CREATE TABLE reputation_scores (
        holder_id uuid NOT NULL,
        decay_factor numeric(5,4) NOT NULL DEFAULT 30.0  -- half-life in days
    );

Approved:

    CREATE TABLE reputation_scores (
        holder_id uuid NOT NULL,
        decay_factor numeric(5,4) NOT NULL DEFAULT 0.0231  -- ln 2 / half-life in days, not the half-life (30.0)
    );

What is weighed, and how heavily:

- A value that PostgreSQL cannot store at all: major, refused. Such values come from DEFAULT, from INSERT, UPDATE, MERGE
  and COPY, from lists and ranges in CHECK, from a column that becomes too narrow for rows stored before, from comments,
  documents and constants in programs that name the column. A row is judged by the type of its day in the order of the
  migrations.
- A value other than zero that would be stored as zero (0.0231 in numeric(4,1)): major. All of it is lost, silently.
- A value that loses digits (30.12345 in numeric(10,2)): a note. PostgreSQL rounds, and that is often meant.
- A text whose length is known though its letters are not (`md5(...)`, `gen_random_uuid()::text`, `to_char` with a
  format) is a value like any other. So is the first number of a sequence.
- What a routine of the artifact makes of its arguments is what its body computes, and what a local name stands for is
  what it was given: both are followed into defaults, rows, triggers and calls with constants. A text with parts that
  are not known is no shorter than its known parts.
- A product or sum of columns whose CHECKs write down their ranges is judged by the end of its range, and integers are
  multiplied as integers whatever holds the result.
- A word that an index, a view, a policy or a routine compares a column with, and that the column can never hold: major.
- In Python a value is followed through imports, branches, loops over constants, members of enums, Literal, parameters
  that calls give constants, what guards and forms let in (`if seats > 60_000: raise`, `Field(max_length=140)`), and
  calls whose length is known (`uuid4().hex`, `token_hex(32)`, f-strings). Rows of CSV and JSON files beside a schema
  count where their header is a table's and the artifact names the file.
- A migration is judged with what stood before it; only what the change wrote is refused. A finding stands at the value
  and at the column.
- A column that is narrower than the one it refers to by a foreign key, or than the one that a trigger or INSERT ...
  SELECT copies into it, or a generated text that is shorter than what it is made of: major, unless a CHECK or the end
  of a sequence keeps the longer values out. A finding stands at the copy or the key and at the narrow column.
- Prose that may speak of something else: a note. Prose that says what is not, what was or what overflows: nothing.
- Types and tables that are not in the artifact hold whatever they are given: nothing is known of them.
- SQLite keeps to no type and is not judged; of MySQL only types with a written size are. Tests in Python are not read:
  they store on purpose what must be refused.

Where it comes from: the builder's own catch in "The Team is the Architecture": NUMERIC(5,4) for a half-life of 30.0;
PostgreSQL documentation, Numeric Types and Character Types.
"""

from __future__ import annotations

from collections.abc import Iterable

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, holds_schema, read_schema
from squads.gates.sql.before import looked_at
from squads.gates.sql.fits.compared import compared
from squads.gates.sql.fits.copies import copied
from squads.gates.sql.fits.data_files import held
from squads.gates.sql.fits.documents import DOCUMENTS, spoken
from squads.gates.sql.fits.fitting import Unfit, defaults, rows
from squads.gates.sql.fits.fixtures import loaded
from squads.gates.sql.fits.intervals import computed_too_far
from squads.gates.sql.fits.passing import passed
from squads.gates.sql.fits.programs import programmed
from squads.gates.sql.fits.python_modules import may_declare
from squads.gates.sql.fits.ranges import ranges
from squads.gates.sql.fits.spans import generated, referred
from squads.gates.sql.fits.specified import may_specify

INVARIANT = Invariant(
    id="sql.value-fits",
    statement="Every value that a default, a row, a constraint or a document gives a column fits the column's type.",
    why=(
        "A number outside numeric(p,s) or integer, or a text longer than varchar(n), fails the first time it is really "
        "stored; nothing fails before, neither the migration nor a test with smaller values."
    ),
    severity=Severity.MAJOR,
    cwe=1284,
    refused=(
        "CREATE TABLE reputation_scores (\n"
        "    holder_id uuid NOT NULL,\n"
        "    decay_factor numeric(5,4) NOT NULL DEFAULT 30.0  -- half-life in days\n"
        ");"
    ),
    approved=(
        "CREATE TABLE reputation_scores (\n"
        "    holder_id uuid NOT NULL,\n"
        "    decay_factor numeric(5,4) NOT NULL DEFAULT 0.0231  -- ln 2 / half-life in days, not the half-life (30.0)\n"
        ");"
    ),
    origin='"The Team is the Architecture", the builder\'s own catch; PostgreSQL documentation, Numeric Types.',
)
_TEXT_MAX = 4_000
_SAYS = {
    "default": "The default of {} does not fit",
    "row": "A value for {} does not fit",
    "copy": "What is copied into {} does not fit",
    "reference": "What {} refers to does not fit",
    "generated": "What {} is generated from does not fit",
    "check": "The CHECK on {} does not fit its type",
    "compared": "What {} is compared with does not fit",
    "comment": "A comment gives {} a value that does not fit",
    "document": "A document gives {} a value that does not fit",
    "program": "The program gives {} a value that does not fit",
}


def holds_columns(file: File) -> bool:
    """Return whether columns may be declared in a file: in SQL, in Python that declares fields, in a specification."""
    if file.path.endswith(tuple(pattern.removeprefix("*") for pattern in DOCUMENTS)):
        return may_specify(file)
    return holds_schema(file) or may_declare(file)


@check(INVARIANT, files=(*SCHEMA_FILES, *DOCUMENTS), holds=holds_columns, of_work=True)
def value_fits(work: ReviewWork) -> list[Finding]:
    """Return the values that their columns cannot hold, one finding for each column and source."""
    return looked_at(work, _found)


def _found(artifact: Artifact) -> list[Finding]:
    schema = read_schema(artifact)
    found = [*defaults(schema), *rows(schema), *passed(schema), *ranges(schema), *computed_too_far(schema)]
    found += [*compared(schema), *copied(schema), *referred(schema), *generated(schema)]
    found += [*spoken(artifact, schema), *loaded(artifact, schema), *held(artifact, schema)]
    told = {(u.place.path, line, _last(u)) for u in found for line in range(u.place.line, u.place.end_line + 1)}
    in_programs = programmed(artifact, schema)  # what became SQL above is told already
    return _findings([*found, *(u for u in in_programs if (u.place.path, u.place.line, _last(u)) not in told)])


def _last(one: Unfit) -> str:
    """Return the column's own name."""
    return one.column.rsplit(".", 1)[-1]


def _findings(found: Iterable[Unfit]) -> list[Finding]:
    """Return one finding for each column, source and weight, at the first place; the others are counted."""
    groups: dict[tuple[str, str, Severity], list[Unfit]] = {}
    for one in found:
        heavy = one.certain and one.misfit.loses != "digits"
        severity = Severity.MAJOR if heavy else Severity.NOTE
        groups.setdefault((one.column, one.source, severity), []).append(one)
    return [
        _finding(severity, group, place)
        for (_, _, severity), group in groups.items()
        for place in (_places(group) if severity is Severity.MAJOR else [group[0].place])
    ]


def _places(group: list[Unfit]) -> list[Place]:
    """Return where the first of a group stands, and where else it was made wrong, if that is another statement."""
    found = [group[0].place]
    for place in group[0].also:
        apart = all(place.path != f.path or not f.line <= place.line <= f.end_line for f in found)
        found += [place] if apart else []
    return found


def _finding(severity: Severity, group: list[Unfit], place: Place) -> Finding:
    first = group[0]
    places = {(u.place.path, u.place.line, u.place.column) for u in group}
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    lossy = "would lose digits" if first.misfit.loses == "digits" else "does not fit"
    says = _SAYS[first.source].format(first.column).replace("does not fit", lossy, 1)
    return Finding(
        invariant=INVARIANT.id,
        severity=severity,
        message=f"{says}: {first.misfit.reason}{more}."[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=(place.text.strip() or "(empty)")[:_TEXT_MAX],
        satisfy=first.mend[:_TEXT_MAX],
    )
