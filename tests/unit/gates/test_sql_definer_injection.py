"""`sql.definer-rights`: SQL that the caller writes, grants that mean nothing, rights taken away later."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.sql_definer_rights import definer_rights

Files = dict[str, str] | str


def refused(files: Files) -> bool:
    """Return whether the check refuses an artifact."""
    named = {"schema.sql": files} if isinstance(files, str) else files
    return any(f.severity >= Severity.MAJOR for f in definer_rights(Artifact.of(named)))


DEFECTS: dict[str, Files] = {
    "invoker": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql  AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\n",
    "replace loses": {
        "1.sql": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\n",
        "2.sql": "CREATE OR REPLACE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;",
    },
    "revoke later": {
        "1.sql": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql  AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\nGRANT INSERT ON audit TO app;",
        "2.sql": "REVOKE INSERT ON audit FROM app;",
    },
    "owner changed lacks": {
        "1.sql": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\n",
        "2.sql": "CREATE ROLE auditor; ALTER FUNCTION log() OWNER TO auditor;",
    },
    "no path": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER  AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "path no pg_temp unqualified": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank AS $$ BEGIN UPDATE acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "path pg_temp first": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp, bank AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "path $user": 'CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = "$user", bank, pg_temp AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n',
    "path from current": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "path public open": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, bank, pg_temp AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\nGRANT CREATE ON SCHEMA public TO PUBLIC;",
    "dynamic concat": "CREATE SCHEMA rep; CREATE TABLE rep.a(id int);\nCREATE FUNCTION rep.count(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = rep, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || t INTO n; RETURN n; END $$;\nGRANT USAGE ON SCHEMA rep TO app; REVOKE ALL ON FUNCTION rep.count(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION rep.count(text) TO app;",
    "dynamic format %s": "CREATE SCHEMA rep; CREATE TABLE rep.a(id int, tenant text);\nCREATE FUNCTION rep.count(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = rep, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM rep.a WHERE tenant = ''%s''', t) INTO n; RETURN n; END $$;\nGRANT USAGE ON SCHEMA rep TO app; REVOKE ALL ON FUNCTION rep.count(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION rep.count(text) TO app;",
    "drop create loses grants": {
        "1.sql": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
        "2.sql": "DROP FUNCTION bank.pay(int,int); CREATE FUNCTION bank.pay(p int, n int) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = bank, pg_temp AS $$ UPDATE bank.acc SET bal = bal - n WHERE id = p RETURNING bal $$; REVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC;",
    },
    "serial sequence lacking": "CREATE TABLE orders(id serial PRIMARY KEY, total int); CREATE TABLE audit(id serial PRIMARY KEY, w text); GRANT INSERT ON orders TO app; GRANT USAGE ON SEQUENCE orders_id_seq TO app; GRANT INSERT ON audit TO app; CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit(w) VALUES ('x'); RETURN NEW; END $$; CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();",
}

CLEAN: dict[str, Files] = {
    "ok": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;",
    "invoker granted": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql  AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\nGRANT INSERT ON audit TO app;",
    "owner changed granted": {
        "1.sql": "CREATE TABLE orders(id bigint PRIMARY KEY, total numeric);\nCREATE TABLE audit(id bigint GENERATED ALWAYS AS IDENTITY, what text);\nGRANT SELECT, INSERT ON orders TO app;\nCREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.audit(what) VALUES (TG_OP); RETURN NEW; END $$;\nCREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log();\nREVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        "2.sql": "CREATE ROLE auditor; GRANT INSERT ON audit TO auditor; ALTER FUNCTION log() OWNER TO auditor;",
    },
    "path bank,pg_temp": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "path empty qualified": "CREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nREVOKE ALL ON FUNCTION bank.pay(int,int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "dynamic format %I caller table": "CREATE SCHEMA rep; CREATE TABLE rep.a(id int, tenant text);\nCREATE FUNCTION rep.count(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = rep, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM rep.a WHERE tenant = %L', t) INTO n; RETURN n; END $$;\nGRANT USAGE ON SCHEMA rep TO app; REVOKE ALL ON FUNCTION rep.count(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION rep.count(text) TO app;",
    "dynamic using ok": "CREATE SCHEMA rep; CREATE TABLE rep.a(id int, tenant text);\nCREATE FUNCTION rep.count(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = rep, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM rep.a WHERE tenant = $1' INTO n USING t; RETURN n; END $$;\nGRANT USAGE ON SCHEMA rep TO app; REVOKE ALL ON FUNCTION rep.count(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION rep.count(text) TO app;",
    "default privileges revoked": "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;\nCREATE SCHEMA bank; CREATE TABLE bank.acc(id int PRIMARY KEY, bal int CHECK (bal >= 0), owner text);\nGRANT USAGE ON SCHEMA bank TO app;\nCREATE FUNCTION bank.pay(p int, n int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bank, pg_temp AS $$ BEGIN UPDATE bank.acc SET bal = bal - n WHERE id = p; END $$;\nGRANT EXECUTE ON FUNCTION bank.pay(int,int) TO app;\n",
    "view owner": "CREATE SCHEMA s; CREATE TABLE s.a(id int, t text); CREATE VIEW public.v AS SELECT id FROM s.a; GRANT SELECT ON public.v TO app;",
    "pg18 not enforced parse": "CREATE TABLE a(id int PRIMARY KEY); CREATE TABLE b(a int REFERENCES a NOT ENFORCED, n int CONSTRAINT nn NOT NULL NO INHERIT, c int CHECK (c > 0) NOT ENFORCED, g int GENERATED ALWAYS AS (n * 2) VIRTUAL, CONSTRAINT f FOREIGN KEY (a) REFERENCES a NOT VALID NOT ENFORCED); ALTER TABLE b ADD CONSTRAINT z NOT NULL g; ALTER TABLE b ALTER CONSTRAINT f ENFORCED; ALTER TABLE b VALIDATE CONSTRAINT z;",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_rights_that_are_lent_or_lost_are_refused(files):
    """What a caller may write, and what a later statement took away, is told."""
    assert refused(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_rights_that_are_as_meant_pass(files):
    """Closed text, closed paths and rights that are there need nothing."""
    assert not refused(files)
