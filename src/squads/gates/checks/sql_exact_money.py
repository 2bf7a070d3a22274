"""`sql.exact-money`: money is stored and computed exactly, in decimals or in whole units, never in binary fractions.

Why it matters: real and double precision hold the nearest fraction of two, and 0.10 is none. A sum over an invoice is
off by a cent, a comparison for equality fails, and two systems that add the same rows in another order disagree. No
rounding at the end brings the cent back, and no test with whole numbers shows it.

Refused:

    CREATE TABLE invoices (id bigint PRIMARY KEY, amount double precision NOT NULL);

Approved:

    CREATE TABLE invoices (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL);

or `amount_cents bigint`.

What is weighed, and how heavily:

- A column of money that is real, float or double precision in the final schema, under whatever domain: major, refused.
  So is a model's column (SQLAlchemy's Float, Django's FloatField, `Mapped[float]`) where nothing else creates its
  table. What is money is told by whole words of the column's name, by its table, by its neighbours, by comments, by a
  program that calls it a decimal, and by the brief; the words stand in `squads.gates.sql.money`.
- The last word of a name decides, as in speech: `energy_cost` is money; `price_class`, `fare_zone` and `total_pages`
  are a kind, a zone and a count. General words (total, net, balance) are no money beside a unit, in a table whose
  comment speaks of measures, or before another noun; a float named after the exact money of its table is none either.
- SQLite's REAL and MySQL's FLOAT and DOUBLE count alike.
- A domain or composite type that is called money and is a float beneath: major.
- A cast of money to a float that is stored, summed or computed with, in SQL files, functions and SQL in Python; and a
  parameter, variable or result of a function that is money and a float: major. A cast in a query that only shows it: a
  note.
- An expression has the type that PostgreSQL gives it: one float among the factors, a float literal, `date_part` or
  `percentile_cont` makes the whole a float, also through views, variables and the artifact's own functions. Where it is
  money by its parts, or by the name or column that it goes to: major, whatever is cast or rounded afterwards. Money
  divided by money is a share.
- `Cast("price", FloatField())` and its like in queries of an ORM, and field classes and type names of the artifact's
  own that are floats beneath: major. A finding stands where money is a float, and where that type was made.
- A range up to one, or up to a hundred for what may be a discount, a tax or a fee, says that a column is a share.
- Rates, percentages, scores, probabilities, weights, coordinates and measures are not money, nor are averages and
  forecasts of it; a cast in a ratio or an average is statistics.
- Fractions in Python's own arithmetic: another check's.

Where it comes from: PostgreSQL's documentation of numeric types: "If you require exact storage and calculations (such
as for monetary amounts), use the numeric type instead."
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, SQL_FILES, Column, Schema, Table, holds_schema, quoted, read_schema
from squads.gates.sql.before import with_base
from squads.gates.sql.dialects.spelling import statements_in
from squads.gates.sql.fits.intervals import written_range
from squads.gates.sql.lex import Source, Statement
from squads.gates.sql.money import (
    declared_decimal,
    is_money,
    is_money_type,
    is_share,
    says_measures,
    says_money_last,
    says_other,
    told_in,
)
from squads.gates.sql.money_casts import casts
from squads.gates.sql.money_flow import all_flows
from squads.gates.sql.money_models import altered, declares, float_types, modelled, queried
from squads.gates.sql.python.file import PythonFile, read_statements
from squads.gates.sql.python.queries import may_query, queries
from squads.gates.sql.python.schema import may_hold
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.steps.acts import acts_of
from squads.gates.sql.steps.types import is_float

INVARIANT = Invariant(
    id="sql.exact-money",
    statement="Money is stored and computed in decimals or whole units, never in binary fractions.",
    why=(
        "A binary fraction cannot hold 0.10: sums are off by a cent, books do not balance, and nobody finds the row "
        "that is wrong, because none is."
    ),
    severity=Severity.MAJOR,
    cwe=1339,
    refused="CREATE TABLE invoices (id bigint PRIMARY KEY, amount double precision NOT NULL);",
    approved="CREATE TABLE invoices (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL);",
    origin="PostgreSQL documentation, numeric types.",
)
_TEXT_MAX = 4_000
_FINDINGS_MAX = 100
"""How many casts of one statement are shown."""
_FLOAT_TYPE = re.compile(r"\b(Float|FLOAT|REAL|Double|DOUBLE|DOUBLE_PRECISION)\b")
_REMARK = re.compile(r"(?:help_text|comment|doc|verbose_name|description)\s*=\s*_?\(?\s*[\"']([^\"']*)")
_FLOAT_IN_TEXT = re.compile(rb"\b(real|float\d?|double|date_part|percentile_cont)\b", re.IGNORECASE)


def holds_money(file: File) -> bool:
    """Return whether there is something in `file` for this check: a schema, or SQL in Python's strings."""
    if holds_schema(file):
        return True
    return file.path.endswith(".py") and (may_query(file.content) or declares(file.content))


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_money, of_work=True)
def exact_money(work: ReviewWork) -> list[Finding]:
    """Return the money that is stored, or computed in SQL, as a binary fraction."""
    artifact = work.artifact
    if artifact is None:
        return []
    findings: list[Finding] = []
    unknown = ""
    told = told_in(work.brief)
    whole, written = with_base(work)
    schema = Schema()
    try:
        schema = _schema(whole, artifact)
        comments = dict(_comments(schema))
        findings += _columns(artifact, schema, comments, told)
        findings += _domains(schema)
    except CannotLook as error:
        unknown = str(error)
    findings += _mapped(artifact)
    for model in modelled(artifact, told):
        message = f"{model.name} is money and a binary fraction, which cannot hold a cent."
        findings += [_finding(place, message, "a decimal with two places") for place in (model.place, *model.also)]
    for change in altered(artifact):
        message = f"{change.name} is money and becomes a binary fraction, which cannot hold a cent."
        findings.append(_finding(change.place, message, "type_=Numeric(12, 2)"))
    for query in queried(artifact):
        message = f"{query.name} is money and is computed as a binary fraction, which cannot hold a cent."
        findings.append(_finding(query.place, message, "output_field=DecimalField(...)"))
    spoken = list(_statements(artifact))
    for flow in all_flows(spoken, schema):
        message = f"{flow.name} is money and is computed as a binary fraction, which cannot hold a cent."
        findings += [_finding(place, message, "numeric, or whole cents") for place in (flow.place, *flow.also)]
    for statement in spoken:
        for found in islice(casts(statement), _FINDINGS_MAX):
            findings.append(_cast(found.place, found.name, found.what, certain=found.certain))
        findings += _altered(statement)
    findings = [f for f in findings if f.location is None or f.location.path in written]
    refused = {(f.location.path, f.location.line) for f in findings if f.location and f.severity is Severity.MAJOR}
    if unknown and not refused:
        raise CannotLook(unknown)
    return [f for n, f in enumerate(findings) if not any(_same(f, g) for g in findings[:n])]


def _schema(whole: Artifact, artifact: Artifact) -> Schema:
    """Return the schema with what stood before; without it where that cannot be read."""
    try:
        return read_schema(whole)
    except CannotLook:
        if whole is artifact:
            raise
        return read_schema(artifact)


def _same(one: Finding, two: Finding) -> bool:
    return one.location == two.location and one.severity == two.severity


def _columns(
    artifact: Artifact, schema: Schema, comments: dict[tuple[str, str], str], told: frozenset[str]
) -> Iterator[Finding]:
    made = float_types(artifact)
    for table in schema.tables:
        if table.temporary:
            continue
        resolved = schema.resolved(table)
        names = [c.name for c in resolved.columns]
        for column in table.columns:
            base = schema.base_type(column.type)
            if not base or not is_float(base):
                continue
            lines = _lines(artifact, column.place)
            said = f"{comments.get((table.name, column.name), '')} {_beside(artifact, column.place)} {_remarked(lines)}"
            domain = next(iter(schema.domains_of(column.type)), None)
            about = f"{table.name}_measurement" if says_measures(comments.get((table.name, ""), "")) else table.name
            money = is_money(column.name, about, (n for n in names if n != column.name), said)
            money = money or column.name in told or declared_decimal(column.name, lines)
            if domain is not None:
                money = is_money_type(domain.name) or (money and not says_other(domain.name))
            if not money or _is_share(schema, resolved, column) or _is_aside(schema, resolved, column):
                continue
            places = [column.place, *([domain.place] if domain is not None else [])]
            places += [place for name, place in made.items() if re.search(rf"\b{re.escape(name)}\b", lines)]
            for place in places:
                yield _finding(
                    place,
                    f"{table}.{column.name} is money and {base}: a binary fraction, which cannot hold a cent.",
                    _mend(table, column.name),
                )


def _is_aside(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether a table keeps its money exactly, and a float beside it is only named after it: `price_fit`."""
    first = column.name.partition("_")[0]
    if says_money_last(column.name):
        return False
    exact = [
        c.name for c in table.columns if re.match(r"(?:numeric|decimal|bigint|integer)\b", schema.base_type(c.type))
    ]
    alike = [n for n in exact if n.partition("_")[0] == first and not says_money_last(n)]
    return not alike and any(says_money_last(n) and is_money(n, table.name) for n in exact)


def _is_share(schema: Schema, table: Table, column: Column) -> bool:
    """Return whether a column's CHECKs or default say that it is a part of one, or per cent."""
    reach = written_range(schema, table, column)
    try:
        default = float(column.default)
    except ValueError:
        default = None
    return is_share(column.name, [] if reach is None else [reach.high], default)


def _remarked(lines: str) -> str:
    """Return what a program says of a column in words."""
    return " ".join(_REMARK.findall(lines))


def _mapped(artifact: Artifact) -> Iterator[Finding]:
    """Yield SQLAlchemy's `type_annotation_map` that stores decimals as floats, and the columns it is for."""
    for file in artifact.matching("*.py"):
        if b"type_annotation_map" not in file.content:
            continue
        try:
            python = PythonFile(file.path, file.text)
        except (CannotLook, NotText):
            continue
        message = "type_annotation_map stores Decimal as a binary fraction, which cannot hold a cent."
        for node in ast.walk(python.tree):
            if not isinstance(node, ast.Dict) or "type_annotation_map" not in _named(python.tree, node):
                continue
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None and ast.unparse(key).endswith("Decimal") and _FLOAT_TYPE.search(ast.unparse(value)):
                    yield _finding(python.source.place(*python.offsets(key)), message, "Decimal: Numeric(12, 2)")
                    for place in _decimals(python):
                        yield _finding(place, message, "Decimal: Numeric(12, 2)")


def _named(tree: ast.AST, made: ast.Dict) -> set[str]:
    return {
        ast.unparse(t)
        for n in ast.walk(tree)
        if isinstance(n, (ast.Assign, ast.AnnAssign)) and n.value is made
        for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
    }


def _decimals(python: PythonFile) -> Iterator[Place]:
    """Yield the columns of a program that are Decimal by their annotation, and say no type of their own."""
    for node in ast.walk(python.tree):
        told = ast.unparse(node.annotation) if isinstance(node, ast.AnnAssign) else ""
        value = ast.unparse(node.value) if isinstance(node, ast.AnnAssign) and node.value else ""
        if "Mapped[" in told and "Decimal" in told and not re.search(r"Numeric|DECIMAL|Integer|String", value):
            yield python.source.place(*python.offsets(node))


def _domains(schema: Schema) -> Iterator[Finding]:
    for domain in schema.domains.values():
        if is_float(schema.base_type(domain.type)) and is_money_type(domain.name):
            yield _finding(
                domain.place,
                f"The domain {domain.name} is money and {domain.type}: a binary fraction, which cannot hold a cent.",
                f"CREATE DOMAIN {quoted(domain.name)} AS numeric(12,2)",
            )


def _altered(statement: Statement) -> Iterator[Finding]:
    """Yield changes of a column to a float, also where its table is not in the artifact."""
    for act in acts_of(statement):
        if act.kind == "alter_type" and is_float(act.other) and is_money(act.name, act.table[1]):
            yield _finding(
                act.place,
                f"{act.table[1]}.{act.name} is money and becomes {act.other}: a binary fraction, which cannot hold a "
                "cent.",
                f"ALTER COLUMN {quoted(act.name)} TYPE numeric(12,2)",
            )


def _comments(schema: Schema) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((table, column), text) of COMMENT ON; a table's own has no column."""
    for write in schema.writes:
        tokens = write.statement.tokens
        if [t.value for t in tokens[:3]] == ["comment", "on", "column"] and tokens[-1].kind in ("string", "dollar"):
            names = [t.value for t in tokens[3:] if t.kind in ("word", "quoted") and t.value != "is"]
            if len(names) >= 2:
                yield (names[-2], names[-1]), tokens[-1].value
        elif [t.value for t in tokens[:3]] == ["comment", "on", "table"] and tokens[-1].kind in ("string", "dollar"):
            names = [t.value for t in tokens[3:] if t.kind in ("word", "quoted") and t.value != "is"]
            if names:
                yield (names[-1], ""), tokens[-1].value


def _lines(artifact: Artifact, place: Place) -> str:
    """Return the lines of a column in a program."""
    try:
        lines = artifact[place.path].text.splitlines() if place.path.endswith(".py") else []
    except (KeyError, NotText):
        return ""
    return "\n".join(lines[place.line - 1 : place.end_line])


def _beside(artifact: Artifact, place: Place) -> str:
    """Return the comment at the end of a column's line."""
    try:
        lines = artifact[place.path].text.splitlines()
    except (KeyError, NotText):
        return ""
    line = lines[place.end_line - 1] if place.end_line <= len(lines) else ""
    mark = "#" if place.path.endswith(".py") else "--"
    return line.split(mark, 1)[1] if mark in line else ""


def _statements(artifact: Artifact) -> Iterator[Statement]:
    """Yield the statements that may speak of floats: of SQL files, and of SQL in Python."""
    for file in artifact.matching(*SQL_FILES):
        if _FLOAT_IN_TEXT.search(file.content):
            try:
                yield from statements_in(Source(file.path, file.text.removeprefix("\ufeff")))
            except (CannotLook, NotText):
                continue  # the schema could not be read either, and that is said
    for file in artifact.matching("*.py"):
        if not (_FLOAT_IN_TEXT.search(file.content) and may_query(file.content)) or _is_test(file.path):
            continue
        try:
            python = PythonFile(file.path, file.text)
            for query in queries(python, Scope.of_module(python)):
                if _FLOAT_IN_TEXT.search(query.made.text.encode()):
                    yield from _read(python, query.made)
        except (CannotLook, NotText, RecursionError) as error:
            if may_hold(file):
                raise CannotLook(str(error) or f"{file.path}: nested too deeply to be read") from error


def _read(python: PythonFile, made: object) -> list[Statement]:
    try:
        return read_statements(python, made)  # type: ignore[arg-type]
    except CannotLook:
        return []  # a query with placeholders that are no SQL stores nothing that could be judged


def _is_test(path: str) -> bool:
    return re.search(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$", path) is not None


def _cast(place: Place, name: str, what: str, *, certain: bool) -> Finding:
    said = {
        "cast": f"{name} is money and is cast to a binary fraction here",
        "parameter": f"The parameter {name} is money and a binary fraction",
        "variable": f"The variable {name} is money and a binary fraction",
        "result": f"The result {name} is money and a binary fraction",
        "attribute": f"The attribute {name} is money and a binary fraction",
    }[what]
    return _finding(
        place,
        f"{said}, which cannot hold a cent.",
        "numeric, or whole cents in bigint",
        severity=Severity.MAJOR if certain else Severity.NOTE,
    )


def _mend(table: Table, column: str) -> str:
    if table.dialect == "sqlite":
        return f"{quoted(column)}_cents INTEGER: whole cents, because SQLite has no decimals"
    return f"ALTER TABLE {table} ALTER COLUMN {quoted(column)} TYPE numeric(12,2);"


def _finding(place: Place, message: str, satisfy: str, severity: Severity = Severity.MAJOR) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=severity,
        message=message[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=place.text[:_TEXT_MAX],
        satisfy=satisfy[:_TEXT_MAX],
    )
