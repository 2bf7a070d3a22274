"""`sql.tenant`: what reads or writes a table that tenants share keeps to one tenant.

Why it matters: tenants share tables, and one column keeps them apart. A query that leaves it out gives one customer
another's documents to whoever counts up an id; a policy that is always true, or a view that runs as its owner, does the
same for every query at once. Tests with one tenant see nothing of it.

Refused:

    CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, body text);
    ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant_documents ON documents USING (true);

Approved:

    CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, body text);
    ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant_documents ON documents USING (tenant_id = current_setting('app.tenant')::bigint);

What is weighed, and how heavily:

- A tenant's key is a column called after a tenant, an organisation or a workspace, or one that a policy or a function
  of the schema compares with the session, or which stands for those that the brief keeps apart ("all schools share the
  tables": `school_id`), or that a program compares with what it knows of its caller (`me.depot_id`, `club_var.get()`).
- A permissive policy that lets every tenant through (TRUE, the key compared with itself, NOT NULL, a setting that is
  merely set or not set, what the client sends, a subquery that ties the row to nobody of the session, one such branch
  of an OR or a CASE), for USING and for WITH CHECK: major, refused, unless a restrictive policy holds, or it is for a
  role that stands above. Functions of the schema are read as what they answer, and the finding stands at them, too.
  Rows that are shared on purpose (`is_public`, no tenant) leak nothing.
- Policies without ENABLE, row security switched off again, a table with the key (or below one that is guarded, by a
  foreign key) and no row security beside tables that have it, a partition that is granted by its own name, a role of
  the application with BYPASSRLS or that owns the table without FORCE: major.
- A view over such tables that runs with its owner's rights and is granted to the application, and a materialized one:
  major, unless the rows are forced or its query asks for the tenant. A SECURITY DEFINER function that reaches them
  without the key, or that believes its caller's word for it while policies ask the session: major. Functions without
  row security beneath, SQL that they put together with EXECUTE, and queries with placeholders in SQL files: major where
  the tenant is a parameter, or others ask for it, and nothing asked for the same row by tenant before; else a note.
- A join over ids alone where ids repeat from tenant to tenant (the key is part of the primary key), and one over
  numbers, codes or names that are not unique by themselves: major.
- SQL in Python, SQLAlchemy, Django and their like, and clients that build queries from names: a query that leaves the
  key out in a function that has the tenant at hand (a parameter, `self.tenant_id`, `request.tenant`,
  `current_tenant()`), that never looks at the caller whom it is given, or that is given an id where others of its kind
  are given the tenant: major, unless the function, or a helper that it asks, compares the tenant of what it found and
  stops, goes on from rows that it found by the tenant, asks for the rows of the caller alone, or hands the tenant to
  the database. Queries that a module keeps for others are held to what those beside them ask. A key that is compared
  with itself or with another table's, in one branch of an OR (or of Python's `and`, which keeps one side only), or in a
  condition that is thrown away, binds nothing, nor does a value that a helper hands over and no condition uses. Nor
  does a key that the client names while the program knows its caller, or that is only asked for where one is given. In
  jobs, in reports by tenant, for those who stand above, and where nobody has the tenant: a note.
- What was found for one tenant and is kept for all (a mapping of the module, Redis, `lru_cache`) under a key without
  the tenant, and a connection that is taken past the helper which tells the database its tenant: major.

Where it comes from: PostgreSQL's documentation of row security policies and of CREATE VIEW; CWE-639.
"""

from __future__ import annotations

import ast
import re

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook, base_of, check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, holds_schema, read_schema
from squads.gates.sql.model import Schema
from squads.gates.sql.python.file import parses
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.tenancy.beside import in_caches, in_constants, in_handing
from squads.gates.sql.tenancy.builders import BUILDERS
from squads.gates.sql.tenancy.crossing import crossings
from squads.gates.sql.tenancy.files import in_files
from squads.gates.sql.tenancy.handing import setters_of
from squads.gates.sql.tenancy.learning import HAS_COLUMNS, key_words, own_keys, roots_of, sets_tenant
from squads.gates.sql.tenancy.model_queries import in_builders, in_models
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.orm import django_tables, learned, models
from squads.gates.sql.tenancy.programs import in_strings
from squads.gates.sql.tenancy.rows import RowSecurity, read_rows
from squads.gates.sql.tenancy.shared import Crossing, Shared, every_key, shared_tables, told_in
from squads.gates.sql.tenancy.words import root_of

INVARIANT = Invariant(
    id="sql.tenant",
    statement="What reads or writes a table that tenants share keeps to one tenant.",
    why=(
        "One column keeps customers apart; where it is left out, whoever counts up an id reads or changes what belongs "
        "to another."
    ),
    severity=Severity.MAJOR,
    cwe=639,
    refused=(
        "CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, body text);\n"
        "ALTER TABLE documents ENABLE ROW LEVEL SECURITY;\n"
        "CREATE POLICY tenant_documents ON documents USING (true);"
    ),
    approved=(
        "CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, body text);\n"
        "ALTER TABLE documents ENABLE ROW LEVEL SECURITY;\n"
        "CREATE POLICY tenant_documents ON documents USING (tenant_id = current_setting('app.tenant')::bigint);"
    ),
    origin="PostgreSQL documentation, row security policies; CWE-639.",
)
_TEXT_MAX = 4_000
_BEFORE = "0000_before/"
_ASKS = re.compile(
    rb"\bselect\b|\bupdate\b|\bdelete\b|\.query\b|\.objects\b|\.get\(|\.get_or_none|\.filter\(|get_object_or_404"
    rb"|(?:Update|Delete|Detail|List)View\b",
    re.IGNORECASE,
)
_TABLE = re.compile(r"\b(?:from|join|update|into)\s+(?:\w+\.)?([A-Za-z_]\w*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b([A-Z]\w+)\.([a-z_]+)\b")
_NO_PROGRAM = re.compile(r"(^|/)(tests?|testing|migrations|versions)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")


def holds_tenants(file: File) -> bool:
    """Return whether there is something in `file` for this check: a schema, or queries beside a tenant's name."""
    return holds_schema(file) or (file.path.endswith(".py") and _may_ask(file))


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_tenants, of_work=True)
def tenant(work: ReviewWork) -> list[Finding]:
    """Return what reaches from one tenant to another."""
    artifact = work.artifact
    if artifact is None:
        return []
    base = base_of(work)
    own = {f.path: f.content for f in artifact.files}
    old = {f.path: f.content for f in base.files} if base else {}
    whole = _together(artifact, base)
    found: list[Crossing] = []
    schema, rows, unknown = Schema(), RowSecurity(), ""
    try:
        schema = read_schema(whole)
        rows = read_rows(schema)
    except CannotLook as error:
        unknown = str(error)
    shared = shared_tables(schema, rows, work.brief)
    found += crossings(schema, rows, shared, work.brief)
    if not rows.enabled:
        found += in_files(artifact, shared)
    trouble = unknown
    try:
        found += _programs(artifact, whole, shared, rows, {x.name for x in schema.tables}, work.brief)
    except CannotLook as error:
        trouble = trouble or str(error)
    new = {path for path, content in own.items() if old.get(path) != content}
    findings = [_finding(c, place) for c in found if (place := _place_of(c, rows, new)) is not None]
    if trouble and not any(f.severity >= Severity.MAJOR for f in findings):
        raise CannotLook(trouble)
    return [f for n, f in enumerate(findings) if not any(_same(f, g) for g in findings[:n])]


def _same(one: Finding, two: Finding) -> bool:
    return (one.location, one.message) == (two.location, two.message)


def _together(artifact: Artifact, base: Artifact | None) -> Artifact:
    """Return the artifact with what stood before; files of before come first and keep out of the way."""
    if base is None:
        return artifact
    own = {f.path for f in artifact.files} | set(artifact.removals)
    files = {f.path: f.content for f in artifact.files}
    files |= {_BEFORE + f.path: f.content for f in base.files if f.path not in own}
    return Artifact.of(files)


def _named(whole: Artifact) -> set[str]:
    """Return the tables that the queries of programs name."""
    texts = (f.content.decode(errors="replace") for f in whole.matching("*.py"))
    return {name.lower() for text in texts for name in _TABLE.findall(text)}


def _may_ask(file: File) -> bool:
    if _NO_PROGRAM.search(file.path):
        return False
    return _ASKS.search(file.content) is not None


def _programs(
    artifact: Artifact,
    whole: Artifact,
    shared: Shared,
    rows: RowSecurity,
    known_tables: set[str],
    brief: str,
) -> list[Crossing]:
    programs = [f for f in artifact.matching("*.py") if _may_ask(f)]
    if not programs:
        return []
    modules = Modules(whole.matching("*.py"))
    try:
        for file in programs:
            if not parses(file.text):
                modules.program(file.path)
    except (CannotLook, NotText) as error:
        raise CannotLook(str(error)) from error
    sets = any(sets_tenant(f.content.decode(errors="replace")) for f in whole.matching("*.py", "*.sql"))
    protected = set(rows.enabled)
    handed = sets and bool(protected or not shared.keyed)  # the database, or the session, keeps them apart
    setters = setters_of(modules) if handed else frozenset()
    handing = [f.path for f in programs if not modules.words[f.path].isdisjoint(setters)]
    if handed and not handing:
        return []
    named = _named(whole) if brief else set()
    told = {t: k for t, k in told_in(brief, named, modules.every_word).items() if t not in known_tables}
    roots = roots_of(modules, brief, {k for keys in [*shared.keyed.values(), *told.values()] for k in keys})
    if handed:
        return list(in_handing([modules.program(p) for p in handing], setters, roots, modules))
    known = _models(modules, roots)
    keyed = {**told, **{t: k for t, k in shared.keyed.items() if t not in protected or not sets}}
    said = {model: key for model, key in _ATTRIBUTE.findall(brief) if root_of(key) in roots}
    names = {n.lower() for n in (*keyed, *known, *said)} | BUILDERS
    telling = set(key_words(modules, roots))
    every = every_key(brief, modules.every_word)
    found: list[Crossing] = []
    for path in (f.path for f in programs):
        if path not in telling and modules.loose[path].isdisjoint(names):
            continue
        python = modules.program(path)
        if not isinstance(python.tree, ast.Module):
            continue
        try:
            module = Scope.of_module(python)
            local = learned(python.tree, roots)
            tables = django_tables({**local, **known}, modules.loose[path])
            found += in_strings(python, module, {**tables, **keyed}, shared, roots, modules, every)
            found += in_caches(python, roots, modules)
            found += in_constants(python, {**tables, **keyed}, shared, roots)
            if not modules.words[path].isdisjoint(BUILDERS) or "**" in modules.texts[path]:
                found += in_builders(python, roots, keyed, brief, modules)
            for model, key in _ATTRIBUTE.findall(brief):
                if root_of(key) in roots:
                    local[model] = local.get(model, frozenset()) | {key}
            both = {m: known.get(m, frozenset()) or local.get(m, frozenset()) for m in {*known, *local}}
            found += in_models(
                python, {m: k for m, k in both.items() if k}, siblings=bool(known), modules=modules, every=every
            )
        except RecursionError as error:
            raise CannotLook(f"{python.path}:1:1: nested too deeply to be read; flatten it") from error
    return found


def _models(modules: Modules, roots: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the keys of every model class, from those files that have one, or what it comes from."""
    holding = [p for p, words in modules.loose.items() if any(root_of(w) in roots for w in words)]
    own = [p for p in holding if HAS_COLUMNS.search(modules.texts[p])]
    names = {name for tree in modules.trees(own) for name, keys in own_keys(tree, roots).items() if keys}
    return models(list(modules.trees(modules.related(own, names))), roots) if names else {}


def _place_of(crossing: Crossing, rows: RowSecurity, new: set[str]) -> Place | None:
    """Return where this change opens it: its own place, or what the change says of a thing of before; else None."""
    if crossing.place.path in new:
        return crossing.place
    said = [p for p in rows.touched.get(crossing.about, []) if p.path in new]
    return said[-1] if said else None


def _finding(crossing: Crossing, place: Place) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR if crossing.certain else Severity.NOTE,
        message=crossing.message[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=place.text[:_TEXT_MAX],
        satisfy=crossing.satisfy[:_TEXT_MAX],
    )
