"""`sql.tenant`: what reaches from tenant to tenant is refused, what keeps to one passes."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checks.sql_tenant import INVARIANT, tenant
from squads.gates.sql.tenancy.bounds import answer
from squads.gates.sql.tenancy.leaks import leak_of
from squads.gates.sql.tenancy.words import is_strong_key, may_be_key, root_of, stands_above

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_tenant"


def found(files: str | dict[str, str], base: dict[str, str] | None = None, brief: str = "") -> list[Finding]:
    artifact = Artifact.of({"migrations/0002_change.sql": files} if isinstance(files, str) else files)
    return tenant(
        ReviewWork(
            packet=Packet(brief=brief or "-"),
            reads=AttemptKind.ARTIFACT,
            attempt=1,
            brief=brief,
            artifact=artifact,
            inputs={"base": Artifact.of(base)} if base else {},
        )
    )


def refusing(files: str | dict[str, str], base: dict[str, str] | None = None, brief: str = "") -> list[Finding]:
    return [f for f in found(files, base, brief) if f.severity >= Severity.MAJOR]


KEYED = {"docs": frozenset({"tenant_id"}), "comments": frozenset({"tenant_id"})}


@pytest.mark.parametrize(
    ("unbound", "query"),
    [
        (["missing"], "SELECT * FROM docs WHERE id = %s"),
        ([], "SELECT * FROM docs WHERE id = %s AND tenant_id = %s"),
        ([], "SELECT * FROM docs WHERE (tenant_id, id) = (%(t)s, %(i)s)"),
        (["itself"], "SELECT * FROM docs d WHERE d.tenant_id = d.tenant_id"),
        (["itself"], "SELECT * FROM docs WHERE tenant_id = coalesce(:t, tenant_id)"),
        (["itself"], "DELETE FROM docs WHERE tenant_id IS NOT NULL AND id = ?"),
        (["or"], "SELECT * FROM docs WHERE tenant_id = :t AND a LIKE :n OR b LIKE :n"),
        ([], "SELECT * FROM docs WHERE tenant_id = :t AND (a LIKE :n OR b LIKE :n)"),
        ([], "SELECT c.* FROM comments c JOIN docs d ON d.id = c.doc_id WHERE d.tenant_id = $1"),
        (["missing"], "SELECT c.* FROM comments c LEFT JOIN docs d ON d.id = c.doc_id AND d.tenant_id = $1"),
        ([], "SELECT * FROM comments WHERE doc_id IN (SELECT id FROM docs WHERE tenant_id = %s)"),
        ([], "WITH r AS (SELECT * FROM docs) SELECT * FROM r WHERE tenant_id = %s"),
        (["missing"], "SELECT a FROM docs WHERE tenant_id = %s UNION ALL SELECT a FROM comments"),
        ([], "SELECT (SELECT count(*) FROM comments c WHERE c.doc_id = d.id) FROM docs d WHERE d.tenant_id = %s"),
        (["missing"], "UPDATE docs SET a = 1 WHERE id = %s"),
        ([], "UPDATE docs d SET a = 1 FROM comments c WHERE c.doc_id = d.id AND c.tenant_id = %s"),
        ([], "SELECT * FROM countries"),
    ],
)
def test_a_query_keeps_to_a_tenant_where_its_key_is_bound(unbound: list[str], query: str) -> None:
    """To something that is no column of its own, in every branch, or by a join to a table that is."""
    read = answer(query, KEYED)

    assert read is not None
    assert unbound == [u.why for u in read.unbound]


def test_an_id_joins_nothing_where_ids_repeat() -> None:
    """The tenant's key is part of the primary key, so it is part of the join."""
    query = "SELECT * FROM docs d JOIN comments c ON c.doc_id = d.id WHERE d.tenant_id = $1"
    read = answer(query, KEYED, frozenset({"comments"}))
    both = answer(query.replace("d.id", "d.id AND c.tenant_id = d.tenant_id"), KEYED, frozenset({"comments"}))

    assert read is not None
    assert both is not None
    assert ["joined"] == [u.why for u in read.unbound]
    assert () == both.unbound


@pytest.mark.parametrize(
    ("what", "condition"),
    [
        ("bound", "tenant_id = current_setting('app.tenant')::int"),
        ("bound", "tenant_id = current_tenant()"),
        ("bound", "tenant_id = (SELECT current_setting('app.tenant')::int)"),
        ("bound", "app.may_see(tenant_id)"),
        ("bound", "tenant_id IN (SELECT t.id FROM members t WHERE t.who = auth.uid())"),
        ("bound", "deleted_at IS NULL AND tenant_id = current_tenant()"),
        ("leaks", "true"),
        ("leaks", "1 = 1"),
        ("leaks", "tenant_id = tenant_id"),
        ("leaks", "tenant_id IS NOT NULL"),
        ("leaks", "tenant_id IN (SELECT id FROM tenants)"),
        ("leaks", "tenant_id::text LIKE current_setting('app.tenant') || '%'"),
        ("leaks", "tenant_id = (auth.jwt() -> 'user_metadata' ->> 'tenant')::int"),
        ("leaks", "current_setting('app.tenant', true) IS NULL OR tenant_id = current_tenant()"),
        ("leaks", "tenant_id = current_tenant() OR true"),
        ("leaks", "auth.uid() IS NOT NULL"),
        ("leaks", "deleted_at IS NULL"),
        ("other", "user_id = auth.uid()"),
        ("other", "is_public"),
        ("other", "tenant_id IS NULL OR tenant_id = current_tenant()"),
        ("other", "current_setting('app.role') = 'admin' OR tenant_id = current_tenant()"),
        ("other", "no ( sql"),
        ("bound", "CASE WHEN current_setting('app.t', true) IS NULL THEN false ELSE tenant_id = current_tenant() END"),
        ("leaks", "CASE WHEN current_setting('app.t', true) IS NULL THEN true ELSE tenant_id = current_tenant() END"),
        ("bound", "NOT (tenant_id <> current_tenant())"),
        ("leaks", "NOT (tenant_id = current_tenant())"),
        ("leaks", "EXISTS (SELECT 1 FROM members m WHERE m.user_id = auth.uid())"),
        ("bound", "EXISTS (SELECT 1 FROM members m WHERE m.team = docs.team AND m.user_id = auth.uid())"),
    ],
)
def test_a_condition_leaks_only_where_that_is_certain(what: str, condition: str) -> None:
    """Sharing that is meant, and roles that stand above, leak nothing."""
    assert what == leak_of(condition, "tenant_id")


def test_a_subquery_over_rows_that_are_guarded_themselves_asks_who_is_there() -> None:
    """It sees one tenant, because its table does."""
    condition = "tenant_id IN (SELECT tenant_id FROM members)"
    assert "leaks" == leak_of(condition, "tenant_id")
    assert "bound" == leak_of(condition, "tenant_id", frozenset({"members"}))


def test_names_tell_keys_and_roles() -> None:
    """Strong ones alone, others where they are used as one."""
    assert is_strong_key("tenant_id")
    assert is_strong_key("organisation_id")
    assert not is_strong_key("account_id")
    assert may_be_key("account_id")
    assert not may_be_key("id")
    assert "org" == root_of("current_organization_id")
    assert stands_above("support_admin")
    assert not stands_above("app")


BASE = {
    "schema.sql": "CREATE TABLE docs (id bigint PRIMARY KEY, tenant_id int NOT NULL, body text);\nALTER TABLE docs ENABLE ROW LEVEL SECURITY;\nCREATE POLICY own ON docs USING (tenant_id = current_setting('app.t')::int);\nGRANT SELECT ON docs TO app;"
}
FILES = "CREATE TABLE files (id bigint PRIMARY KEY, tenant_id int NOT NULL);\nGRANT SELECT ON files TO app;\n"


def test_what_stood_before_is_known_and_not_judged_again() -> None:
    """A new table is measured against its siblings of before; what is wrong before is not this change's."""
    assert refusing({"2.sql": FILES}, BASE)
    assert [] == refusing({"2.sql": FILES + "ALTER TABLE files ENABLE ROW LEVEL SECURITY;"}, BASE)
    assert [] == refusing(
        {"2.sql": "CREATE TABLE colours (id int);"},
        {"schema.sql": BASE["schema.sql"].replace("tenant_id = current_setting('app.t')::int", "true")},
    )


def test_a_restrictive_policy_that_is_always_true_opens_nothing() -> None:
    """It only takes away, and here it takes nothing."""
    assert [] == refusing({"2.sql": "CREATE POLICY gate ON docs AS RESTRICTIVE USING (true);"}, BASE)
    assert refusing({"2.sql": "CREATE POLICY gate ON docs AS PERMISSIVE USING (true);"}, BASE)


def test_what_a_change_says_of_a_view_of_before_is_where_it_opens_it() -> None:
    """The view stands in the base, and the statement that opens it is the change's."""
    view = (
        "CREATE VIEW newest WITH (security_invoker = true) AS SELECT id, body FROM docs; GRANT SELECT ON newest TO app;"
    )
    base = {"schema.sql": BASE["schema.sql"], "view.sql": view}
    (finding,) = refusing({"z.sql": "SELECT 1;\nALTER VIEW newest SET (security_invoker = false);"}, base)
    assert finding.location is not None
    assert ("z.sql", 2) == (finding.location.path, finding.location.line)


def test_a_helper_that_stops_nobody_asks_nobody() -> None:
    """One of this file has to raise; one from elsewhere is believed."""
    body = 'row = db.execute("SELECT * FROM docs WHERE id = %s", (doc_id,))\n    ensure_own(row, tenant_id)\n    return row'
    program = PROGRAM.format(body)
    assert [] == refusing({"app/docs.py": program})
    assert refusing({"app/docs.py": program + "\n\ndef ensure_own(row, tenant_id):\n    return row\n"})
    assert [] == refusing({"app/docs.py": program + "\n\ndef ensure_own(row, tenant_id):\n    raise KeyError(row)\n"})


@pytest.mark.parametrize(
    "change",
    [
        "ALTER POLICY own ON docs USING (tenant_id = tenant_id);",
        "CREATE POLICY all_of_it ON docs FOR SELECT USING (true);",
        "CREATE VIEW newest AS SELECT id, body FROM docs; GRANT SELECT ON newest TO app;",
        "ALTER TABLE docs DISABLE ROW LEVEL SECURITY;",
        "ALTER TABLE docs OWNER TO app;",
        "ALTER ROLE app BYPASSRLS;",
        "CREATE FUNCTION doc(i bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ DECLARE found text; BEGIN SELECT body INTO STRICT found FROM docs WHERE id = i; RETURN found; END $$;",
    ],
)
def test_a_change_that_opens_what_was_closed_is_refused(change: str) -> None:
    """Whatever opens it."""
    assert refusing({"2.sql": change}, BASE)


PROGRAM = """
def titles(db, tenant_id):
    return db.execute("SELECT title FROM docs WHERE tenant_id = %s", (tenant_id,))


def title(db, tenant_id, doc_id):
    {}
"""


@pytest.mark.parametrize(
    ("refused", "body"),
    [
        (True, 'return db.execute("SELECT title FROM docs WHERE id = %s", (doc_id,))'),
        (False, 'return db.execute("SELECT title FROM docs WHERE id = %s AND tenant_id = %s", (doc_id, tenant_id))'),
        (
            False,
            'row = db.execute("SELECT * FROM docs WHERE id = %s", (doc_id,))\n    if row.tenant_id != tenant_id:\n        raise KeyError(doc_id)\n    return row',
        ),
        (
            True,
            'row = db.execute("SELECT * FROM docs WHERE id = %s", (doc_id,))\n    if row.tenant_id != tenant_id:\n        print("odd")\n    return row',
        ),
        (
            True,
            'row = db.execute("SELECT * FROM docs WHERE id = %s", (doc_id,))\n    if row.tenant_id is None:\n        raise KeyError(doc_id)\n    return row',
        ),
        (
            False,
            'row = db.execute("SELECT * FROM docs WHERE id = %s", (doc_id,))\n    ensure_same_tenant(row, tenant_id)\n    return row',
        ),
        (
            False,
            'own = db.execute("SELECT id FROM docs WHERE tenant_id = %s", (tenant_id,)).fetchone()\n    return db.execute("SELECT title FROM docs WHERE id = %s", (own.id,))',
        ),
        (True, 'sql = "UPDATE docs SET seen = true WHERE id = :id"\n    db.execute(sql, {"id": doc_id})'),
    ],
)
def test_a_program_asks_for_the_tenant_that_it_has_at_hand(refused: bool, body: str) -> None:
    """Or stops where what it found belongs to another."""
    assert refused == bool(refusing({"app/docs.py": PROGRAM.format(body)}))


def test_without_the_tenant_at_hand_it_is_a_note() -> None:
    """A job goes through all tenants on purpose."""
    program = PROGRAM.format("pass") + "\n\ndef everything(db):\n    return db.execute('SELECT title FROM docs')\n"
    assert ["note"] == [f.severity for f in found({"app/docs.py": program})]


def test_the_finding_stands_at_the_policy() -> None:
    """And names its invariant."""
    (finding,) = refusing({"a.sql": INVARIANT.refused})
    assert finding.location is not None
    assert (3, INVARIANT.id) == (finding.location.line, finding.invariant)


def test_what_cannot_be_read_is_no_pass() -> None:
    """A file that is no SQL makes it abstain, unless something else is refused anyway."""
    with pytest.raises(CannotLook):
        found("SELECT 'open;")


def files_of(path: Path) -> dict[str, str]:
    """Return a case: one file, or all files of a folder."""
    if path.is_file():
        return {path.name: path.read_text("utf-8")}
    return {p.relative_to(path).as_posix(): p.read_text("utf-8") for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("path", sorted([*CASES.glob("refused_*"), *CASES.glob("cosmetic_*")]), ids=lambda p: p.name)
def test_the_refused_and_the_cosmetic_cases_are_refused(path: Path) -> None:
    """What makes a reader calm and leaves the defect is no fix."""
    assert refusing(files_of(path))


@pytest.mark.parametrize("path", sorted(CASES.glob("approved_*")), ids=lambda p: p.name)
def test_the_approved_cases_pass(path: Path) -> None:
    """Suspicious and right is right."""
    assert [] == refusing(files_of(path))


def test_a_partition_is_reached_by_its_own_name() -> None:
    """The policies of its parent hold only who asks the parent."""
    schema = (
        "CREATE TABLE docs (id bigint, tenant_id int NOT NULL, day date) PARTITION BY RANGE (day);\n"
        "CREATE TABLE docs_1 PARTITION OF docs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');\n"
        "ALTER TABLE docs ENABLE ROW LEVEL SECURITY;\n"
        "CREATE POLICY own ON docs USING (tenant_id = current_setting('app.t')::int);\n"
    )
    assert refusing(schema + "GRANT SELECT ON ALL TABLES IN SCHEMA public TO app;")
    assert [] == refusing(schema + "GRANT SELECT ON docs TO app;")


def test_queries_of_a_file_are_held_to_what_their_siblings_ask() -> None:
    """One of them asks for the tenant, so the others have to."""
    schema = "CREATE TABLE docs (id bigint PRIMARY KEY, tenant_id int NOT NULL, body text);"
    listed = "-- name: List :many\nSELECT id FROM docs WHERE tenant_id = $1;\n"
    one = "-- name: Get :one\nSELECT body FROM docs WHERE id = @id;\n"
    assert refusing({"schema.sql": schema, "queries.sql": listed + one})
    assert [] == refusing({"schema.sql": schema, "queries.sql": listed + one.replace("@id", "@id AND tenant_id = @t")})
    assert [] == refusing({"schema.sql": schema, "queries.sql": one})


def test_a_brief_tells_who_is_kept_apart() -> None:
    """A noun is a tenant where the brief says that many of them share what there is."""
    program = (
        "def docs(db, depot_id):\n"
        "    return db.execute('SELECT id FROM docs WHERE depot_id = %s', (depot_id,)).fetchall()\n\n\n"
        "def doc(db, depot_id, doc_id):\n"
        "    return db.execute('SELECT body FROM docs WHERE id = %s', (doc_id,)).fetchone()\n"
    )
    other = program.replace("depot", "batch")
    assert refusing({"app/docs.py": other}, brief="All batches share the tables; a batch sees its own docs.")
    assert [] == refusing({"app/docs.py": other}, brief="Documents of a batch.")


def test_a_client_that_takes_names_is_read_too() -> None:
    """`eq` on the key binds; the key among the values that are written does not."""
    program = (
        "def names(sb, claims):\n"
        "    return sb.table('docs').select('name').eq('org_id', claims['org_id']).execute()\n\n\n"
        "def rename(sb, claims, doc_id, name):\n"
        "    return sb.table('docs').update({'name': name}).eq('id', doc_id).execute()\n"
    )
    assert refusing({"app/docs.py": program})
    kept = program.replace(".eq('id', doc_id)", ".eq('id', doc_id).eq('org_id', claims['org_id'])")
    assert [] == refusing({"app/docs.py": kept})
