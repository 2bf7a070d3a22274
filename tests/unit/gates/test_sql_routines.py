"""Routines, their bodies and the rights around them, as they are read before anything is judged."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.contracts.artifact import Artifact
from squads.gates.check import CannotLook
from squads.gates.checks.sql_definer_rights import definer_rights
from squads.gates.sql import read_schema
from squads.gates.sql.lex import Source, statements
from squads.gates.sql.rights.authority import Authority
from squads.gates.sql.rights.bodies import BODY_TOKENS_MAX, Body, read_body
from squads.gates.sql.rights.brackets import Brackets
from squads.gates.sql.rights.grants import PUBLIC, relation
from squads.gates.sql.rights.replay import read_authority
from squads.gates.sql.rights.routines import Routine


def authority(sql: str) -> Authority:
    return read_authority(read_schema(Artifact.of({"schema.sql": sql})))


def routine(sql: str) -> Routine:
    (only,) = authority(sql).routines.values()
    return only


def body(text: str, language: str = "plpgsql") -> Body:
    source = Source("schema.sql", f"$body${text}$body$")
    (statement,) = statements(source)
    return read_body(source, statement.tokens[0], language=language)


def acts(text: str) -> list[tuple[str, str]]:
    """Return (act, name) of what a body does with relations and sequences."""
    uses = body(f"BEGIN {text}; END").uses
    return [(u.act, ".".join(filter(None, u.name))) for u in uses if u.act != "execute"]


@pytest.mark.parametrize(
    ("written", "types"),
    [
        ("", ()),
        ("int, text", ("integer", "text")),
        ("a int, b text DEFAULT 'x'", ("integer", "text")),
        ("IN a int8, OUT b text, INOUT c bool", ("bigint", "boolean")),
        ("a double precision, timestamp with time zone", ("double precision", "timestamp with time zone")),
        ("a character varying(10), b numeric(12, 2) = 0", ("character varying", "numeric")),
        ("VARIADIC names text[]", ("text[]",)),
        ('"A" app."Kind", b public.citext[]', ("Kind", "citext[]")),
        ("timestamptz, varchar, float8", ("timestamp with time zone", "character varying", "double precision")),
    ],
)
def test_overloads_are_told_apart_by_the_types_that_are_passed_in(written, types):
    """Names, lengths, schemas and defaults of arguments say nothing; two spellings of one type are one type."""
    assert types == routine(f"CREATE FUNCTION f({written}) RETURNS int LANGUAGE sql AS 'SELECT 1';").arguments


@pytest.mark.parametrize(
    ("clause", "path"),
    [
        ("", None),
        ("SET search_path = app, pg_temp", ("app", "pg_temp")),
        ("SET search_path TO 'app', \"Other\"", ("app", "Other")),
        ("SET search_path = ''", ("",)),
        ("SET search_path = 'app, pg_temp'", ("app, pg_temp",)),
        ("SET search_path TO DEFAULT", None),
        ("SET search_path FROM CURRENT", ("$user", "public")),
        ("SET work_mem = '1MB'", None),
    ],
)
def test_a_path_is_read_as_the_server_keeps_it(clause, path):
    assert path == routine(f"CREATE FUNCTION f() RETURNS int LANGUAGE sql {clause} AS 'SELECT 1';").path


def test_replacing_a_function_keeps_its_owner_and_nothing_else():
    """SECURITY DEFINER and SET are gone where the new statement does not repeat them; so does PostgreSQL 15."""
    made = routine(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';"
        "ALTER FUNCTION f() OWNER TO dba; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';"
    )

    assert ("dba", False, None) == (made.owner, made.definer, made.path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSERT INTO a.t AS x (b) VALUES (1)", [("insert", "a.t")]),
        ("INSERT INTO t VALUES (1) RETURNING id INTO v", [("insert", "t"), ("select", "t")]),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", [("insert", "t")]),
        ("INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING", [("insert", "t"), ("select", "t")]),
        ("UPDATE ONLY t AS x SET a = 1", [("update", "t")]),
        ("UPDATE t SET a = a + 1", [("update", "t"), ("select", "t")]),
        ("UPDATE t SET (a, b) = (1, 2) WHERE c", [("update", "t"), ("select", "t")]),
        ("DELETE FROM t", [("delete", "t")]),
        ("DELETE FROM t USING s WHERE t.a = s.a", [("delete", "t"), ("select", "t")]),
        ("TRUNCATE TABLE t", [("truncate", "t")]),
        ("PERFORM 1 FROM t, s AS x JOIN u ON true", [("select", "t"), ("select", "s"), ("select", "u")]),
        ("PERFORM 1 FROM t WHERE a FOR NO KEY UPDATE", [("select", "t"), ("update", "t")]),
        ("v := (SELECT max(a) FROM t)", [("select", "t")]),
        ("WITH c AS (SELECT 1 FROM t) SELECT * FROM c INTO v", [("select", "t")]),
        ("FOR r IN SELECT a FROM t LOOP INSERT INTO s DEFAULT VALUES; END LOOP", [("select", "t"), ("insert", "s")]),
        ("EXECUTE 'DELETE FROM t' USING v", [("delete", "t")]),
        ("v := nextval('app.s'::regclass)", [("usage", "app.s")]),
        ("PERFORM extract(day FROM a), trim(both FROM b), substring(c FROM 2) WHERE a IS DISTINCT FROM b", []),
        ("SELECT 1 FROM generate_series(1, 2) g, unnest(v) INTO v", []),
        ("CREATE TEMP TABLE x AS SELECT 1; INSERT INTO x VALUES (2)", []),
        ("FETCH NEXT FROM c INTO v", []),
        ("RAISE NOTICE 'INSERT INTO t'", []),
        ("IF TG_OP = 'UPDATE' THEN NEW.update := 1; END IF", []),
    ],
)
def test_a_body_tells_what_it_reads_and_writes(text, expected):
    """What PostgreSQL asks rights for, statement by statement, and nothing that only looks like a relation."""
    assert expected == acts(text)


def test_sql_that_is_put_together_is_marked_and_not_guessed():
    assert body("BEGIN EXECUTE format('DELETE FROM %I', t); END").dynamic is not None
    assert body("BEGIN DELETE FROM t; END").dynamic is None
    assert body("plpy.execute('x')", language="plpython3u").dynamic is not None


def test_a_body_is_read_up_to_its_bound_and_not_beyond():
    """`BODY_TOKENS_MAX` tokens are read; one more cannot be looked at."""
    assert () == body(";" * BODY_TOKENS_MAX).uses
    with pytest.raises(CannotLook, match="cut it into routines"):
        body(";" * (BODY_TOKENS_MAX + 1))


def test_calls_are_followed_once_each():
    """Functions that call each other in a circle end, and a web of calls costs no more than its functions."""
    circle = "CREATE FUNCTION g0() RETURNS void LANGUAGE sql AS 'SELECT b()'; CREATE FUNCTION b() RETURNS void LANGUAGE sql AS 'SELECT g0()';"
    web = "".join(
        f"CREATE FUNCTION g{n}() RETURNS void LANGUAGE sql AS 'SELECT {', '.join(f'g{m}()' for m in range(n + 1, 40))}';"
        for n in range(39)
    )
    end = "CREATE TABLE log (id int); CREATE FUNCTION g39() RETURNS void LANGUAGE sql AS 'DELETE FROM log';"
    trigger = "CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM g0(); RETURN NEW; END $$; CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f(); GRANT INSERT ON t TO app;"

    assert [] == definer_rights(Artifact.of({"schema.sql": circle + trigger}))
    assert 1 == len(definer_rights(Artifact.of({"schema.sql": web + end + trigger})))


def test_brackets_are_matched_wherever_they_stand():
    words = ["f", "(", "a", ",", "(", ")", ")", ";", "g"]
    brackets = Brackets(words)

    assert (6, 5) == (brackets.closing(1), brackets.closing(4))
    assert (7, 6, 9) == (brackets.end(0), brackets.end(2), brackets.end(8))
    assert (-1, 1, 4) == (brackets.opener(0), brackets.opener(2), brackets.members(1) + 2)
    assert 0 == brackets.members(4)


def test_rights_add_up_over_groups_and_owners():
    found = authority(
        "CREATE TABLE t (a int, b int); CREATE ROLE g; CREATE ROLE m IN ROLE g; CREATE ROLE n NOINHERIT IN ROLE g;"
        "GRANT INSERT (a) ON t TO g; GRANT SELECT ON t TO PUBLIC; ALTER TABLE t OWNER TO o; GRANT o TO p;"
    ).grants
    table = relation(("public", "t"))

    assert found.may("m", "insert", table, frozenset("a"))
    assert not found.may("m", "insert", table, frozenset("ab"))
    assert not found.may("n", "insert", table, frozenset("a"))
    assert found.may("n", "select", table)
    assert found.may("p", "delete", table)
    assert found.may("m", "insert", relation(("public", "elsewhere"))) is None


def test_default_privileges_reach_what_their_role_makes_later():
    found = authority(
        "CREATE TABLE before (a int); SET ROLE maker; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT INSERT ON TABLES TO g;"
        "CREATE TABLE app.mine (a int); CREATE TABLE app2.other (a int); SET ROLE somebody; CREATE TABLE app.theirs (a int);"
    ).grants

    names = {("public", "before"), ("app", "mine"), ("app2", "other"), ("app", "theirs")}
    assert {("app", "mine")} == {n for n in names if found.may("g", "insert", relation(n))}


def test_everybody_may_execute_until_it_is_revoked():
    sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    thing = ("routine", ("public", "f", ()))

    assert authority(sql).grants.may(PUBLIC, "execute", thing)
    assert not authority(sql + "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;").grants.may(
        PUBLIC, "execute", thing
    )


def test_psql_variables_name_roles():
    found = authority('CREATE TABLE t (a int); GRANT INSERT ON t TO :app, :"other role";').grants

    assert {":app", ":other role"} == set(found.holders("insert", relation(("public", "t"))))


def test_statements_of_an_alembic_migration_are_read_too():
    migration = (
        "from alembic import op\nrevision = 'a1'\ndown_revision = None\n\n\ndef upgrade():\n"
        "    op.execute(\"CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'\")\n"
    )

    (finding,) = definer_rights(Artifact.of({"migrations/versions/a1_f.py": migration}))

    assert "sets no search_path" in finding.message


PIECES = [
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = a AS $$ BEGIN $$;",
    "GRANT ALL ON t TO PUBLIC;",
    "CREATE TABLE t (id serial);",
    "ALTER",
    "DEFAULT",
    "PRIVILEGES",
    "(",
    ")",
    ",",
    ";",
    "$$",
    "'",
    '"',
    "TO",
    "FROM",
    "ON",
    "IN SCHEMA",
    "EXECUTE",
    "FUNCTION",
    "CREATE POLICY p ON t",
    "USING",
    "REVOKE",
    "INSERT INTO t",
    "UPDATE",
    "SET",
    "DROP",
    "OWNER",
    "ROLE",
    "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f();",
    ":",
    ".",
    "=",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_nothing_that_is_written_makes_it_crash(pieces):
    """Findings, or a reason why it could not look."""
    try:
        findings = definer_rights(Artifact.of({"schema.sql": " ".join(pieces)}))
    except CannotLook:
        findings = []

    assert isinstance(findings, list)
