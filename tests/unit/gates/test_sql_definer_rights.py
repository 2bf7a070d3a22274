"""`sql.definer-rights`: rights that are missing, or lent to anybody, are refused in every spelling; what works passes.

What PostgreSQL does in each of these cases was tried on PostgreSQL 15.
"""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_definer_rights import INVARIANT, definer_rights

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_definer_rights"

TABLES = "CREATE TABLE orders (id int PRIMARY KEY, s text); CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text, n int); "
APP = "GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO app; "
WRITE = "BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NEW; END"
FUNCTION = f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ {WRITE} $$; "
TRIGGER = "CREATE TRIGGER t AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f(); "
BASE = TABLES + FUNCTION + TRIGGER + APP
API = "CREATE TABLE t (id int); GRANT SELECT ON t TO app; CREATE FUNCTION api(a int) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT count(*) FROM public.t'; "
BODY = "AS $$ SELECT count(*) FROM app.t $$"
DEFINER = "CREATE FUNCTION app.f(a int, b text DEFAULT '') RETURNS bigint LANGUAGE sql SECURITY DEFINER "


def writing(body: str) -> str:
    """Return `BASE` with another body."""
    return TABLES + f"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$; " + TRIGGER + APP


def found(files: str | dict[str, str]) -> list[Finding]:
    return definer_rights(Artifact.of({"schema.sql": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


LACKING: dict[str, str | dict[str, str]] = {
    "the seed's trigger": INVARIANT.refused,
    "no right on the audit table": BASE,
    "reading only": BASE + "GRANT SELECT ON log TO app;",
    "granted to another role": BASE + "GRANT INSERT ON log TO auditor;",
    "granted and revoked": BASE + "GRANT INSERT ON log TO app; REVOKE ALL ON log FROM app;",
    "revoked from PUBLIC": BASE + "GRANT INSERT ON log TO PUBLIC; REVOKE INSERT ON TABLE log FROM PUBLIC;",
    "columns of the grant do not reach": BASE + "GRANT INSERT (n) ON log TO app;",
    "PUBLIC writes": TABLES + FUNCTION + TRIGGER + "GRANT INSERT ON orders TO PUBLIC;",
    "only a column is granted on the table": TABLES + FUNCTION + TRIGGER + "GRANT UPDATE (s) ON orders TO app;",
    "a function in quotes": TABLES
    + 'CREATE FUNCTION "F"() RETURNS TRIGGER AS \'BEGIN INSERT INTO public."log" (what) VALUES (\'\'x\'\'); RETURN NEW; END\' LANGUAGE \'plpgsql\'; CREATE TRIGGER "T" BEFORE UPDATE OF s ON public."orders" EXECUTE PROCEDURE "F"(); '
    + APP,
    "an update": writing("BEGIN UPDATE log SET n = n + 1 WHERE id = 1; RETURN NEW; END")
    + "GRANT SELECT ON log TO app;",
    "an update that reads": writing("BEGIN UPDATE log SET n = 1 WHERE id = 1; RETURN NEW; END")
    + "GRANT UPDATE ON log TO app;",
    "a delete": writing("BEGIN DELETE FROM ONLY log WHERE id = NEW.id; RETURN NEW; END")
    + "GRANT SELECT, INSERT ON log TO app;",
    "a query": writing("BEGIN IF EXISTS (SELECT 1 FROM log WHERE id = NEW.id) THEN RAISE 'x'; END IF; RETURN NEW; END")
    + "GRANT INSERT ON log TO app;",
    "an upsert": writing(
        "BEGIN INSERT INTO log (what) VALUES ('x') ON CONFLICT (id) DO UPDATE SET n = 1; RETURN NEW; END"
    )
    + "GRANT INSERT, SELECT ON log TO app;",
    "what is returned": writing(
        "DECLARE i int; BEGIN INSERT INTO log (what) VALUES ('x') RETURNING id INTO i; RETURN NEW; END"
    )
    + "GRANT INSERT ON log TO app;",
    "a truncate": writing("BEGIN TRUNCATE log; RETURN NEW; END") + "GRANT INSERT, DELETE ON log TO app;",
    "a merge": writing(
        "BEGIN MERGE INTO log USING (SELECT 1 AS i) s ON log.id = s.i WHEN NOT MATCHED THEN INSERT (what) VALUES ('x'); RETURN NEW; END"
    )
    + "GRANT SELECT ON log TO app;",
    "a lock": writing("BEGIN PERFORM 1 FROM log FOR UPDATE; RETURN NEW; END") + "GRANT SELECT ON log TO app;",
    "in a WITH": writing(
        "BEGIN WITH x AS (INSERT INTO log (what) VALUES ('x') RETURNING id) SELECT id FROM x INTO NEW.id; RETURN NEW; END"
    )
    + "GRANT SELECT ON log TO app;",
    "behind a handler": writing(
        "BEGIN BEGIN INSERT INTO log (what) VALUES ('x'); EXCEPTION WHEN OTHERS THEN NULL; END; RETURN NEW; END"
    ),
    "in a literal that is executed": writing(
        "BEGIN EXECUTE 'INSERT INTO log (what) VALUES ($1)' USING TG_OP; RETURN NEW; END"
    ),
    "in a function that it calls": writing("BEGIN PERFORM add_log(TG_OP); RETURN NEW; END")
    + "CREATE FUNCTION add_log(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO log (what) VALUES ($1) $$;",
    "a function that it may not call": writing("BEGIN PERFORM add_log(TG_OP); RETURN NEW; END")
    + "CREATE FUNCTION add_log(what text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$ INSERT INTO log (what) VALUES ($1) $$; REVOKE ALL ON FUNCTION add_log(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION add_log(text) TO auditor;",
    "the sequence of a serial": "CREATE TABLE orders (id int); CREATE TABLE log (id serial, what text); GRANT INSERT ON log TO app; "
    + FUNCTION
    + TRIGGER
    + APP,
    "a sequence by its default": "CREATE SEQUENCE s; CREATE TABLE orders (id int); CREATE TABLE log (id bigint DEFAULT nextval('s'), what text); GRANT INSERT ON log TO app; "
    + FUNCTION
    + TRIGGER
    + APP,
    "the schema": "CREATE SCHEMA audit; CREATE TABLE orders (id int); CREATE TABLE audit.log (what text); GRANT INSERT ON audit.log TO app; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit.log VALUES ('x'); RETURN NEW; END $$; "
    + TRIGGER
    + APP,
    "row security without a policy": BASE + "GRANT INSERT ON log TO app; ALTER TABLE log ENABLE ROW LEVEL SECURITY;",
    "a policy for others": BASE
    + "GRANT INSERT ON log TO app; ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON log FOR INSERT TO auditor WITH CHECK (true);",
    "a policy for reading": BASE
    + "GRANT INSERT ON log TO app; ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON log FOR SELECT USING (true);",
    "a constraint trigger": TABLES
    + FUNCTION
    + APP
    + "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();",
    "changed rows as a table": TABLES
    + APP
    + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (what) SELECT s FROM fresh; RETURN NULL; END $$; CREATE TRIGGER t AFTER INSERT ON orders REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION f();",
    "instead of an insert": TABLES
    + FUNCTION
    + "CREATE VIEW v AS SELECT id FROM orders; CREATE TRIGGER t INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f(); GRANT INSERT ON v TO app;",
    "through a view": TABLES + FUNCTION + TRIGGER + "CREATE VIEW v AS SELECT * FROM orders; GRANT INSERT ON v TO app;",
    "a group that its member does not inherit": BASE
    + "GRANT INSERT ON log TO writers; CREATE ROLE app NOINHERIT LOGIN IN ROLE writers;",
    "ON ALL TABLES came before": {
        "001.sql": "CREATE TABLE orders (id int); GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA public TO app;",
        "002.sql": "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, what text); " + FUNCTION + TRIGGER,
    },
    "default privileges of another schema": "ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT ALL ON TABLES TO app; "
    + BASE,
    "default privileges came later": BASE + "ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO app;",
    "the grant is rolled back": BASE + "BEGIN; GRANT INSERT ON log TO app; ROLLBACK;",
    "the table made again": BASE
    + "GRANT INSERT ON log TO app; DROP TABLE log; CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY, what text);",
    "owners differ": TABLES
    + FUNCTION
    + TRIGGER
    + "ALTER TABLE orders OWNER TO shop; ALTER TABLE log OWNER TO auditor;",
    "the owner of a definer lacks it": TABLES
    + APP
    + "CREATE ROLE low; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ "
    + WRITE
    + " $$; ALTER FUNCTION f() OWNER TO low; "
    + TRIGGER,
    "forced row security": TABLES
    + APP
    + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$ "
    + WRITE
    + " $$; ALTER FUNCTION f() OWNER TO low; "
    + TRIGGER
    + "ALTER TABLE log OWNER TO low; ALTER TABLE log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    "a function granted by name": TABLES
    + "CREATE FUNCTION add_log(what text) RETURNS void LANGUAGE sql AS $$ INSERT INTO log (what) VALUES ($1) $$; GRANT EXECUTE ON FUNCTION add_log TO app;",
    "a default that may not be called": "CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 7'; REVOKE EXECUTE ON FUNCTION code() FROM PUBLIC; CREATE TABLE o (id int DEFAULT code()); GRANT INSERT ON o TO app;",
    "a CHECK that may not be called": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; CREATE FUNCTION good(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; CREATE TABLE o (id int, CHECK (good(id))); GRANT INSERT ON o TO app;",
    "an index that may not be called": "CREATE FUNCTION fold(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)'; REVOKE ALL ON FUNCTION fold FROM PUBLIC; CREATE TABLE o (s text); CREATE INDEX ON o (fold(s)); GRANT INSERT ON o TO app;",
    "a policy that may not be called": "CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; REVOKE ALL ON FUNCTION mine(int) FROM PUBLIC; CREATE TABLE o (id int); ALTER TABLE o ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON o USING (mine(id)); GRANT SELECT ON o TO app;",
    "a view that may not be called": "CREATE FUNCTION mask(text) RETURNS text LANGUAGE sql AS 'SELECT $1'; REVOKE ALL ON FUNCTION mask(text) FROM PUBLIC; CREATE TABLE o (s text); CREATE VIEW v AS SELECT mask(s) FROM o; GRANT SELECT ON v TO app;",
    "a WHEN that may not be called": TABLES
    + "CREATE FUNCTION w(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; REVOKE ALL ON FUNCTION w(int) FROM PUBLIC; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW WHEN (w(NEW.id)) EXECUTE FUNCTION f(); "
    + APP,
    "Supabase signs up without rights": "create table public.profiles (id uuid primary key references auth.users); create function public.on_user() returns trigger language plpgsql as $$ begin insert into public.profiles (id) values (new.id); return new; end $$; create trigger t after insert on auth.users for each row execute function public.on_user();",
    "Supabase and a private schema": "create table public.o (id uuid default auth.uid()); create schema private; create table private.log (what text); create function public.f() returns trigger language plpgsql as $$ begin insert into private.log values ('x'); return new; end $$; create trigger t after insert on public.o for each row execute function public.f();",
}

OPEN: dict[str, str | dict[str, str]] = {
    "no path": DEFINER + BODY + ";",
    "a path that is another setting": DEFINER + "SET work_mem = '1MB' " + BODY + ";",
    "on the other side of the body": "CREATE OR REPLACE FUNCTION f() RETURNS void AS $$ BEGIN END $$ LANGUAGE plpgsql EXTERNAL SECURITY DEFINER;",
    "a procedure": "CREATE PROCEDURE p() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM app.t; END $$;",
    "a trigger function": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN NEW; END $$;",
    "made so later": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() SECURITY DEFINER;",
    "the path reset": DEFINER + "SET search_path = '' " + BODY + "; ALTER FUNCTION app.f(int, text) RESET search_path;",
    "everything reset": DEFINER + "SET search_path = '' " + BODY + "; ALTER ROUTINE app.f RESET ALL;",
    "replaced without the path": {
        "1.sql": DEFINER + "SET search_path = '' " + BODY + ";",
        "2.sql": DEFINER.replace("CREATE", "CREATE OR REPLACE") + BODY + ";",
    },
    "another overload is closed": DEFINER
    + BODY
    + "; CREATE FUNCTION app.f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER FUNCTION app.f(integer, text) SET search_path = '';",
    "the default": DEFINER + "SET search_path TO DEFAULT " + BODY + ";",
    "from the session": DEFINER + "SET search_path FROM CURRENT " + BODY + ";",
    "whoever it is": DEFINER + 'SET search_path = "$user", app, pg_temp ' + BODY + ";",
    "whoever it is, as a string": DEFINER + "SET search_path = '$user', app, pg_temp " + BODY + ";",
    "pg_temp first": DEFINER + "SET search_path = pg_temp, app " + BODY + ";",
    "pg_temp not listed": DEFINER + "SET search_path = app AS $$ SELECT count(*) FROM t $$;",
    "pg_temp not listed, public": DEFINER + "SET search_path TO public AS $$ SELECT count(*) FROM t $$;",
    "pg_temp not listed, the catalog": DEFINER + "SET search_path = pg_catalog AS $$ SELECT count(*) FROM pg_roles $$;",
    "everybody creates in it": DEFINER
    + "SET search_path = app, pg_temp "
    + BODY
    + "; GRANT ALL ON SCHEMA app TO PUBLIC;",
    "a caller creates in it": DEFINER
    + "SET search_path = app, pg_temp "
    + BODY
    + "; CREATE ROLE web; GRANT USAGE, CREATE ON SCHEMA app TO web;",
    "one string for two schemas": "CREATE TABLE app.t (id int); "
    + DEFINER
    + "SET search_path = 'app, pg_temp' AS $$ SELECT count(*) FROM t $$;",
    "it leads nowhere": "CREATE TABLE app.t (id int); "
    + DEFINER
    + "SET search_path = pg_catalog, pg_temp AS $$ SELECT count(*) FROM t $$;",
    "an empty path and a bare name": "CREATE TABLE t (id int); "
    + DEFINER
    + "SET search_path = '' AS $$ SELECT count(*) FROM t $$;",
    "a bare function that it does not reach": "CREATE FUNCTION public.g() RETURNS int LANGUAGE sql AS 'SELECT 1'; "
    + DEFINER
    + "SET search_path = '' AS $$ SELECT g() $$;",
    "set in the body by a name of the caller's": "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN PERFORM set_config('search_path', 'app, pg_temp', true); DELETE FROM app.t; END $$;",
    "set in the body of an SQL function": "CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SET LOCAL search_path = app, pg_temp; DELETE FROM t; $$;",
    "an event trigger": "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN END $$; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();",
    "another language": 'CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u SECURITY DEFINER AS $$ return plpy.execute("select 1")[0] $$;',
}

ALONE: dict[str, str] = {
    "revoked and granted to nobody": API + "REVOKE ALL ON FUNCTION api(int) FROM PUBLIC;",
    "revoked by default": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC; " + API,
    "in a schema that others may use": "CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO app; "
    + API.replace("api(", "s.api(")
    + "REVOKE ALL ON FUNCTION s.api FROM PUBLIC;",
}

COSMETIC: dict[str, str] = {
    "a comment that promises": BASE + "-- GRANT INSERT ON log TO app;\n",
    "a comment on it": BASE + "COMMENT ON FUNCTION f() IS 'app may write the log';",
    "another name": BASE.replace("f()", "safe_audit()"),
    "another quote": BASE.replace("$$", "$audit$"),
    "definer without a path": BASE + "ALTER FUNCTION f() SECURITY DEFINER;",
    "a path without definer": BASE + "ALTER FUNCTION f() SET search_path = public, pg_temp;",
    "EXECUTE on the trigger function": BASE + "GRANT EXECUTE ON FUNCTION f() TO app;",
    "the database": BASE + "GRANT ALL PRIVILEGES ON DATABASE shop TO app;",
    "the schema": BASE + "GRANT USAGE ON SCHEMA public TO app;",
    "the wrong table": BASE + "CREATE TABLE logs (id int); GRANT INSERT ON logs TO app;",
    "a handler": writing(
        "BEGIN INSERT INTO log (what) VALUES (TG_OP); RETURN NEW; EXCEPTION WHEN insufficient_privilege THEN RAISE WARNING 'not logged'; RETURN NEW; END"
    ),
    "moved into a helper": writing("BEGIN PERFORM note(); RETURN NEW; END")
    + "CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (what) VALUES ('x'); END $$;",
    "EXECUTE taken from PUBLIC, path still open": DEFINER
    + BODY
    + "; REVOKE ALL ON FUNCTION app.f FROM PUBLIC; GRANT EXECUTE ON FUNCTION app.f TO app;",
    "the default path in words": DEFINER + 'SET search_path = "$user", public AS $$ SELECT count(*) FROM t $$;',
    "a comment about the path": DEFINER + "/* SET search_path = '' */ " + BODY + ";",
    "the session's path": "SET search_path = app, pg_temp; " + DEFINER + BODY + ";",
    "a role's path": DEFINER + BODY + "; ALTER ROLE app SET search_path = app, pg_temp;",
}

CLEAN: dict[str, str | dict[str, str]] = {
    "the seed's fix": INVARIANT.approved,
    "granted": BASE + "GRANT INSERT ON TABLE log TO auditor, app;",
    "granted everything": BASE + "GRANT ALL PRIVILEGES ON log TO app WITH GRANT OPTION;",
    "the columns": BASE + "GRANT INSERT (what) ON log TO app;",
    "to everybody": BASE + "GRANT INSERT ON log TO PUBLIC;",
    "by a group": BASE + "GRANT INSERT ON log TO writers; GRANT writers TO app;",
    "by a group of a group": BASE
    + "CREATE ROLE app LOGIN; GRANT INSERT ON log TO a; GRANT a TO b; GRANT b TO app WITH ADMIN OPTION;",
    "both groups, one member": TABLES
    + FUNCTION
    + TRIGGER
    + "CREATE ROLE w; CREATE ROLE a; CREATE USER app IN ROLE w, a; GRANT INSERT, UPDATE ON orders TO w; GRANT INSERT ON log TO a;",
    "a role that another one changes into": "CREATE ROLE door NOINHERIT LOGIN; GRANT app TO door; "
    + BASE
    + "GRANT INSERT ON log TO app;",
    "a group of the superuser's": "CREATE ROLE root SUPERUSER IN ROLE app; " + BASE + "GRANT INSERT ON log TO app;",
    "a superuser": "CREATE ROLE app SUPERUSER; " + BASE,
    "writes all data": BASE + "GRANT pg_write_all_data TO app;",
    "its owner": BASE + "ALTER TABLE log OWNER TO app;",
    "made under its role": "SET ROLE app; CREATE TABLE log (id serial, what text); RESET ROLE; CREATE TABLE orders (id int); "
    + FUNCTION
    + TRIGGER
    + APP,
    "ON ALL TABLES came after": BASE + "GRANT INSERT ON ALL TABLES IN SCHEMA public TO app;",
    "ON ALL TABLES in a file of its own": {
        "grants.sql": "GRANT INSERT ON ALL TABLES IN SCHEMA public TO app;",
        "tables.sql": BASE,
    },
    "ON ALL TABLES in a file that runs last": {
        "R__grants.sql": "GRANT INSERT ON ALL TABLES IN SCHEMA public TO app;",
        "V1__tables.sql": BASE,
    },
    "default privileges": "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT INSERT, SELECT ON TABLES TO app; " + BASE,
    "default privileges of the maker": "ALTER DEFAULT PRIVILEGES FOR ROLE dba GRANT INSERT ON TABLES TO app; SET ROLE dba; "
    + BASE,
    "the serial's sequence": "CREATE TABLE orders (id int); CREATE TABLE log (id serial, what text); GRANT INSERT ON log TO app; GRANT USAGE, SELECT ON SEQUENCE log_id_seq TO app; "
    + FUNCTION
    + TRIGGER
    + APP,
    "all sequences": "CREATE TABLE orders (id int); CREATE TABLE log (id serial, what text); GRANT INSERT ON log TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app; "
    + FUNCTION
    + TRIGGER
    + APP,
    "a policy": BASE
    + "GRANT INSERT ON log TO app; ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON log FOR INSERT TO app WITH CHECK (true);",
    "bypassed": "CREATE ROLE app BYPASSRLS; "
    + BASE
    + "GRANT INSERT ON log TO app; ALTER TABLE log ENABLE ROW LEVEL SECURITY;",
    "definer": TABLES
    + APP
    + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN INSERT INTO public.log (what) VALUES (TG_OP); RETURN NEW; END $$; "
    + TRIGGER,
    "definer by ALTER": writing("BEGIN INSERT INTO public.log (what) VALUES (TG_OP); RETURN NEW; END")
    + "ALTER FUNCTION f() SECURITY DEFINER SET search_path = '';",
    "definer of an owner who may": TABLES
    + APP
    + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN INSERT INTO public.log (what) VALUES ('x'); RETURN NEW; END $$; ALTER FUNCTION f() OWNER TO auditor; GRANT INSERT ON log TO auditor; "
    + TRIGGER,
    "EXECUTE taken from a trigger function": BASE
    + "GRANT INSERT ON log TO app; REVOKE ALL ON FUNCTION f() FROM PUBLIC;",
    "touches only NEW": TABLES
    + APP
    + "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN NEW.s = lower(NEW.s); NEW.at := now(); RETURN NEW; END $$ LANGUAGE plpgsql; "
    + TRIGGER,
    "another event": TABLES
    + FUNCTION
    + "GRANT UPDATE ON orders TO app; CREATE TRIGGER t AFTER DELETE ON orders EXECUTE FUNCTION f();",
    "another column": TABLES
    + FUNCTION
    + "GRANT UPDATE (id) ON orders TO app; CREATE TRIGGER t AFTER UPDATE OF s ON orders EXECUTE FUNCTION f();",
    "disabled": BASE + "ALTER TABLE orders DISABLE TRIGGER t;",
    "dropped": BASE + "DROP TRIGGER IF EXISTS t ON orders;",
    "dropped with its function": BASE + "DROP FUNCTION f() CASCADE;",
    "replaced": BASE
    + "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
    "a reader": TABLES + FUNCTION + TRIGGER + "GRANT SELECT ON orders TO app;",
    "nobody is granted anything": TABLES + FUNCTION + TRIGGER,
    "one owner": TABLES
    + FUNCTION
    + TRIGGER
    + "ALTER TABLE orders OWNER TO shop; ALTER TABLE log OWNER TO shop; ALTER FUNCTION f() OWNER TO shop;",
    "an old dump's owner": BASE
    + "REVOKE ALL ON TABLE orders FROM PUBLIC; REVOKE ALL ON TABLE orders FROM shop; GRANT ALL ON TABLE orders TO shop; GRANT INSERT ON log TO app;",
    "a temporary table": writing(
        "BEGIN CREATE TEMP TABLE IF NOT EXISTS scratch (x int); INSERT INTO scratch VALUES (1); RETURN NEW; END"
    ),
    "a notification": writing("BEGIN PERFORM pg_notify('orders', NEW.id::text); RETURN NULL; END"),
    "words that are no relations": writing(
        "BEGIN IF NEW.s IS DISTINCT FROM OLD.s AND extract(epoch FROM now()) > 0 THEN NEW.s := substring(NEW.s FROM 2); END IF; RETURN NEW; END"
    ),
    "SQL in a string": writing("BEGIN RAISE NOTICE 'INSERT INTO log (what) VALUES (1)'; RETURN NEW; END"),
    "the empty path": DEFINER + "SET search_path = '' " + BODY + ";",
    "the schema, then pg_temp": DEFINER + "SET search_path TO app, pg_temp AS $$ SELECT count(*) FROM t $$;",
    "as pg_dump writes it": DEFINER + "SET search_path TO 'app', 'pg_temp' " + BODY + ";",
    "an extension's schema": DEFINER + "SET search_path = @extschema@, pg_temp AS $$ SELECT count(*) FROM t $$;",
    "one session's own": "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
    "a path set later": DEFINER + BODY + "; ALTER FUNCTION app.f(integer, b text) SET search_path = app, pg_temp;",
    "made plain later": DEFINER + BODY + "; ALTER FUNCTION app.f SECURITY INVOKER;",
    "replaced by a plain one": DEFINER
    + BODY
    + "; "
    + DEFINER.replace("CREATE", "CREATE OR REPLACE").replace("SECURITY DEFINER", "")
    + BODY
    + ";",
    "dropped definer": DEFINER + BODY + "; DROP FUNCTION app.f(int, text);",
    "from a session that is closed": "SET search_path = app, pg_temp; "
    + DEFINER
    + "SET search_path FROM CURRENT "
    + BODY
    + ";",
    "a schema for its owner": DEFINER
    + "SET search_path = app, pg_temp "
    + BODY
    + "; ALTER FUNCTION app.f OWNER TO dba; GRANT ALL ON SCHEMA app TO dba;",
    "no temporary tables": DEFINER
    + "SET search_path = app AS $$ SELECT count(*) FROM t $$; REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC;",
    "called by a job": API
    + "REVOKE ALL ON FUNCTION api FROM PUBLIC; SELECT cron.schedule('* * * * *', 'SELECT api(1)');",
    "called by another function": API
    + "REVOKE ALL ON FUNCTION api FROM PUBLIC; CREATE FUNCTION g() RETURNS bigint LANGUAGE sql AS 'SELECT api(1)';",
    "revoked, and granted by intent": API
    + "REVOKE ALL ON FUNCTION api FROM PUBLIC; GRANT EXECUTE ON FUNCTION api(int) TO app;",
    "revoked, in a schema of the owner's": "CREATE SCHEMA s; "
    + API.replace("api(", "s.api(")
    + "REVOKE ALL ON FUNCTION s.api FROM PUBLIC;",
    "a policy's function, and a role that policies do not bind": "CREATE ROLE job BYPASSRLS; CREATE FUNCTION mine(int) RETURNS bool LANGUAGE sql AS 'SELECT true'; REVOKE ALL ON FUNCTION mine(int) FROM PUBLIC; CREATE TABLE o (id int); ALTER TABLE o ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON o USING (mine(id)); GRANT SELECT ON o TO job;",
    "a schema for a role that may be the owner": DEFINER
    + "SET search_path = app, pg_temp "
    + BODY
    + "; GRANT ALL ON SCHEMA app TO dba;",
    "a default that may be called": "CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 7'; REVOKE EXECUTE ON FUNCTION code() FROM PUBLIC; CREATE TABLE o (id int DEFAULT code()); GRANT INSERT ON o TO app; GRANT EXECUTE ON FUNCTION code() TO app;",
    "a schema's defaults take nothing away": "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; CREATE FUNCTION code() RETURNS int LANGUAGE sql AS 'SELECT 7'; CREATE TABLE o (id int DEFAULT code()); GRANT INSERT ON o TO app;",
    "Supabase signs up": "create table public.profiles (id uuid primary key references auth.users); alter table public.profiles enable row level security; create function public.on_user() returns trigger language plpgsql security definer set search_path = '' as $$ begin insert into public.profiles (id) values (new.id); return new; end $$; create trigger t after insert on auth.users for each row execute function public.on_user();",
    "Supabase grants what is public": "create table public.o (id uuid default auth.uid()); create table public.log (what text); create function public.f() returns trigger language plpgsql as $$ begin insert into public.log values ('x'); return new; end $$; create trigger t after insert on public.o for each row execute function public.f(); grant select on public.o to anon;",
    "a way back": {
        "001_a.up.sql": TABLES + APP,
        "001_a.down.sql": DEFINER + BODY + ";",
    },
    "text that looks like it": "INSERT INTO docs VALUES ('CREATE FUNCTION f() RETURNS int SECURITY DEFINER LANGUAGE sql AS ...');",
}

NOTED: dict[str, str] = {
    "public, nothing said about it": DEFINER + "SET search_path = public, pg_temp " + BODY + ";",
    "pg_temp not listed, every name qualified": DEFINER + "SET search_path = app " + BODY + ";",
    "a body bound at creation": "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM app.t; END;",
    "compiled": "CREATE FUNCTION f() RETURNS int LANGUAGE c SECURITY DEFINER AS 'MODULE_PATHNAME', 'f';",
    "set in the body": "CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN SET LOCAL search_path = app, pg_temp; RETURN (SELECT count(*) FROM t); END $$;",
    "everybody may call it": "CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$ DELETE FROM app.t $$;",
}

ABSTENTIONS: dict[str, str] = {
    "what it writes is not shown": "CREATE TABLE orders (id int); " + FUNCTION + TRIGGER + APP,
    "grants that are made while it runs": BASE
    + "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables LOOP EXECUTE format('GRANT INSERT ON %I TO app', t); END LOOP; END $$;",
    "grants by gexec": BASE + "SELECT format('GRANT INSERT ON %I TO app', tablename) FROM pg_tables \\gexec\n",
    "paths that are set while it runs": DEFINER
    + BODY
    + "; DO $$ DECLARE f text; BEGIN FOR f IN SELECT oid::regprocedure FROM pg_proc LOOP EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, pg_temp', f); END LOOP; END $$;",
    "made definer, creation not shown": "ALTER FUNCTION legacy(int) SECURITY DEFINER;",
    "a grant cut short": "CREATE TABLE t (id int); GRANT INSERT ON t;",
    "a function without brackets": "CREATE FUNCTION f RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';",
    "an open quote": "CREATE FUNCTION f() RETURNS int SECURITY DEFINER AS $$ SELECT 1;",
    "a policy of another kind": "CREATE TABLE t (id int); CREATE POLICY p ON t WHENEVER (true);",
}


@pytest.mark.parametrize("files", {**LACKING, **OPEN, **ALONE}.values(), ids=[*LACKING, *OPEN, *ALONE])
def test_rights_that_are_missing_or_lent_are_refused(files):
    """However it is written, one violation gives one refusal."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_cosmetic_fix_is_still_refused(files):
    """Names, comments, handlers and grants of other things change nothing about the rights."""
    assert refusing(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_works_and_is_closed_passes(files):
    assert [] == refusing(files)


@pytest.mark.parametrize("files", NOTED.values(), ids=NOTED)
def test_what_may_be_meant_so_is_a_note(files):
    assert [Severity.NOTE] == [f.severity for f in found(files)]


@pytest.mark.parametrize("files", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_known_is_not_passed(files):
    """Could not look is never passed."""
    with pytest.raises(CannotLook):
        found(files)


@pytest.mark.parametrize("files", {**LACKING, **OPEN}.values(), ids=[*LACKING, *OPEN])
def test_what_it_asks_for_satisfies_it(files):
    """`satisfy` is SQL: appended as a last migration, nothing is refused any more."""
    before = {"schema.sql": files} if isinstance(files, str) else files

    mended = {**before, "z_mend.sql": "\n".join(f.satisfy for f in refusing(files))}

    assert [] == refusing(mended)


def case(path: Path) -> dict[str, str]:
    """Return the files of one case: a file, or a folder of them."""
    files = sorted(path.rglob("*.sql")) if path.is_dir() else [path]
    return {f.name: f.read_text("utf-8") for f in files}


@pytest.mark.parametrize(
    "path", sorted([*CASES.glob("refused_*"), *CASES.glob("cosmetic_*")]), ids=lambda path: path.stem
)
def test_the_refused_cases_are_refused(path):
    assert refusing(case(path))


@pytest.mark.parametrize("path", sorted(CASES.glob("approved_*")), ids=lambda path: path.stem)
def test_the_approved_cases_pass(path):
    assert [] == refusing(case(path))


def test_a_finding_says_where_and_shows_it():
    """The place is the statement in the body that fails, and what is missing is written as the grants that give it."""
    (finding,) = found(
        "CREATE TABLE orders (id int);\nCREATE TABLE log (id serial, what text);\nGRANT INSERT ON orders TO app;\n"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  INSERT INTO log (what) VALUES ('x');\n"
        "  RETURN NEW;\nEND $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f();"
    )

    assert "schema.sql:6:3" == str(finding.location)
    assert "INSERT INTO log" == finding.evidence
    assert "GRANT INSERT ON log TO app;\nGRANT USAGE ON SEQUENCE log_id_seq TO app;" == finding.satisfy
    assert "which runs as app, needs INSERT on log, USAGE on the sequence log_id_seq" in finding.message


def test_an_open_path_is_shown_without_the_body():
    (finding,) = refusing(DEFINER + BODY + ";")

    assert "AS ..." in finding.evidence
    assert "count" not in finding.evidence
    assert "ALTER FUNCTION app.f(integer, text) SET search_path = pg_catalog, pg_temp;" == finding.satisfy


def test_one_function_on_many_tables_is_told_once():
    """The same grant mends all of its triggers."""
    other = "CREATE TABLE carts (id int); GRANT INSERT ON carts TO app; "
    trigger = "CREATE TRIGGER t AFTER INSERT ON carts FOR EACH ROW EXECUTE FUNCTION f();"

    assert 1 == len({f.message for f in refusing(BASE + other + trigger)})


def test_a_refusal_wins_over_what_cannot_be_known():
    """One function is open for sure, another cannot be judged: the builder learns of the first."""
    assert 1 == len({f.message for f in refusing(DEFINER + BODY + "; ALTER FUNCTION legacy(int) SECURITY DEFINER;")})
