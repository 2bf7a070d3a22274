"""`sql.value-fits`: values whose length or range is known though they are not, and columns that hand them on."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.sql_value_fits import value_fits

Files = dict[str, str] | str


def refused(files: Files) -> bool:
    """Return whether the check refuses an artifact."""
    named = {"schema.sql": files} if isinstance(files, str) else files
    return any(f.severity >= Severity.MAJOR for f in value_fits(Artifact.of(named)))


DEFECTS: dict[str, Files] = {
    "uuid dashes in 32": "CREATE TABLE t(code varchar(32) DEFAULT gen_random_uuid()::text);",
    "uuid assign cast": "CREATE TABLE t(code varchar(32) DEFAULT gen_random_uuid());",
    "encode bytes hex": "CREATE TABLE t(tok varchar(32) DEFAULT encode(gen_random_bytes(32),'hex'));",
    "encode sha256 hex 40": "CREATE TABLE t(tok char(40) DEFAULT encode(sha256(gen_random_uuid()::text::bytea),'hex'));",
    "upper(substr)": "CREATE TABLE t(tok varchar(8) DEFAULT upper(substr(md5(random()::text), 1, 10)));",
    "prefix + md5": "CREATE TABLE t(tok varchar(32) DEFAULT 'INV-' || md5(random()::text));",
    "order number": "CREATE SEQUENCE s; CREATE TABLE t(no varchar(16) DEFAULT 'INV-' || to_char(now(),'YYYYMMDD') || '-' || lpad(nextval('s')::text, 6, '0'));",
    "to_char number blank": "CREATE SEQUENCE s; CREATE TABLE t(no varchar(6) DEFAULT to_char(nextval('s'),'000000'));",
    "nextval start beyond": "CREATE SEQUENCE s START WITH 3000000000; CREATE TABLE t(id integer PRIMARY KEY DEFAULT nextval('s'));",
    "nextval alter restart": {
        "1.sql": "CREATE SEQUENCE s; CREATE TABLE t(id integer PRIMARY KEY DEFAULT nextval('s'));",
        "2.sql": "ALTER SEQUENCE s RESTART WITH 5000000000;",
    },
    "identity fk int": "CREATE TABLE a(id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10000000000) PRIMARY KEY); CREATE TABLE b(a_id integer REFERENCES a(id));",
    "varchar fk": "CREATE TABLE country(code varchar(3) PRIMARY KEY); CREATE TABLE addr(country varchar(2) REFERENCES country);",
    "text fk regex longer": "CREATE TABLE country(code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$')); CREATE TABLE addr(country char(2) REFERENCES country);",
    "fk composite": "CREATE TABLE a(t smallint, n bigint, PRIMARY KEY(t,n)); CREATE TABLE b(t smallint, n integer, FOREIGN KEY (t,n) REFERENCES a);",
    "fk narrowed later": {
        "1.sql": "CREATE TABLE a(c varchar(8) PRIMARY KEY); CREATE TABLE b(c varchar(8) REFERENCES a);",
        "2.sql": "ALTER TABLE b ALTER COLUMN c TYPE varchar(4);",
    },
    "fk widened parent": {
        "1.sql": "CREATE TABLE a(c varchar(4) PRIMARY KEY); CREATE TABLE b(c varchar(4) REFERENCES a);",
        "2.sql": "ALTER TABLE a ALTER COLUMN c TYPE varchar(8);",
    },
    "generated concat": "CREATE TABLE p(first varchar(40), last varchar(40), full_name varchar(60) GENERATED ALWAYS AS (first || ' ' || last) STORED);",
    "generated md5": "CREATE TABLE p(b text, h varchar(16) GENERATED ALWAYS AS (md5(b)) STORED);",
    "archive select *": "CREATE TABLE o(id bigint, note varchar(200)); CREATE TABLE o_arch(id integer, note varchar(200)); INSERT INTO o_arch SELECT * FROM o;",
    "archive fn": "CREATE TABLE o(id bigint, note varchar(200)); CREATE TABLE o_arch(id bigint, note varchar(100)); CREATE FUNCTION arch() RETURNS void LANGUAGE sql AS $$ INSERT INTO o_arch (id, note) SELECT o.id, o.note FROM o WHERE id < 5 $$;",
    "trigger enum copy": "CREATE TYPE st AS ENUM ('new','partially_refunded'); CREATE TABLE o(id int, s st); CREATE TABLE h(s varchar(12)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO h VALUES (NEW.s); RETURN NEW; END $$; CREATE TRIGGER x AFTER INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger md5 token": "CREATE TABLE o(id int, tok varchar(24)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tok := md5(random()::text || NEW.id::text); RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger new slug from title": "CREATE TABLE o(title varchar(200), slug varchar(80)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.slug := lower(NEW.title); RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger tg_op": "CREATE TABLE o(id int); CREATE TABLE log(op char(1)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log(op) VALUES (TG_OP); RETURN NEW; END $$; CREATE TRIGGER x AFTER INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "check word later": {
        "1.sql": "CREATE TABLE o(s varchar(8) CONSTRAINT c CHECK (s IN ('new','paid')));",
        "2.sql": "ALTER TABLE o DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (s IN ('new','paid','chargeback'));",
    },
    "check word domain": "CREATE DOMAIN d AS varchar(8) CHECK (VALUE IN ('new','chargeback')); CREATE TABLE o(s d);",
    "check = any": "CREATE TABLE o(s varchar(8) CHECK (s = ANY (ARRAY['new','chargeback'])));",
    "check lower(s)": "CREATE TABLE o(s varchar(8) CHECK (lower(s) IN ('new','chargeback')));",
    "range above": "CREATE TABLE o(pct numeric(4,2) CHECK (pct >= 0 AND pct <= 100));",
    "range not enforced": "CREATE TABLE o(pct numeric(4,2) DEFAULT 100 CHECK (pct <= 100) NOT ENFORCED);",
    "variable": "CREATE TABLE o(s varchar(8)); CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ DECLARE v text := 'chargeback'; BEGIN INSERT INTO o(s) VALUES (v); END $$;",
    "case branch": "CREATE TABLE o(s varchar(8), n int); CREATE FUNCTION f(x int) RETURNS void LANGUAGE sql AS $$ UPDATE o SET s = CASE WHEN n > 0 THEN 'ok' ELSE 'chargeback' END WHERE n = x $$;",
    "upsert do update": "CREATE TABLE o(id int primary key, s varchar(8)); INSERT INTO o VALUES (1,'new') ON CONFLICT (id) DO UPDATE SET s = 'chargeback';",
    "procedure call const": "CREATE TABLE o(id int primary key, s varchar(8)); CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN IF true THEN UPDATE o SET s = 'chargeback'; END IF; END $$;",
    "ms epoch int": "CREATE TABLE o(at_ms integer DEFAULT (extract(epoch from now()) * 1000)::bigint);",
    "array default": "CREATE TABLE o(tags varchar(4)[] DEFAULT ARRAY['new','chargeback']);",
    "hash chain": "CREATE TABLE a(prev char(64) DEFAULT repeat('0', 64), h char(60) DEFAULT repeat('0', 64));",
    "history bigint row id": "CREATE TABLE acc(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bal int); CREATE TABLE log(acc_id integer NOT NULL, bal int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log(acc_id, bal) VALUES (NEW.id, NEW.bal); RETURN NEW; END $$; CREATE TRIGGER x AFTER UPDATE ON acc FOR EACH ROW EXECUTE FUNCTION f();",
}

CLEAN: dict[str, Files] = {
    "uuid no dashes 32": "CREATE TABLE t(code char(32) DEFAULT replace(gen_random_uuid()::text,'-',''));",
    "encode sha256 hex 64": "CREATE TABLE t(tok char(64) DEFAULT encode(sha256(gen_random_uuid()::text::bytea),'hex'));",
    "substring from for": "CREATE TABLE t(tok varchar(8) DEFAULT substring(md5(random()::text) from 1 for 8));",
    "prefix + left": "CREATE TABLE t(tok varchar(12) DEFAULT 'INV-' || left(md5(random()::text), 8));",
    "order number ok": "CREATE SEQUENCE s; CREATE TABLE t(no varchar(19) DEFAULT 'INV-' || to_char(now(),'YYYYMMDD') || '-' || lpad(nextval('s')::text, 6, '0'));",
    "to_char number FM": "CREATE SEQUENCE s; CREATE TABLE t(no varchar(6) DEFAULT to_char(nextval('s'),'FM000000'));",
    "smallint serial setval": "CREATE SEQUENCE s START 1000; CREATE TABLE t(id integer PRIMARY KEY DEFAULT nextval('s'::regclass));",
    "identity fk same": "CREATE TABLE a(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE b(a_id bigint REFERENCES a(id));",
    "identity max": "CREATE TABLE a(id bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 2147483647) PRIMARY KEY); CREATE TABLE b(a_id integer REFERENCES a(id));",
    "check bounds parent": "CREATE TABLE a(id bigint PRIMARY KEY CHECK (id BETWEEN 1 AND 1000000)); CREATE TABLE b(a_id integer REFERENCES a(id));",
    "varchar fk bounded": "CREATE TABLE country(code varchar(3) PRIMARY KEY CHECK (length(code) = 2)); CREATE TABLE addr(country varchar(2) REFERENCES country);",
    "varchar fk regex": "CREATE TABLE country(code text PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$')); CREATE TABLE addr(country char(2) REFERENCES country);",
    "domain fk": "CREATE DOMAIN code AS varchar(8); CREATE TABLE a(c code PRIMARY KEY); CREATE TABLE b(c code REFERENCES a);",
    "generated concat ok": "CREATE TABLE p(first varchar(40), last varchar(40), full_name varchar(81) GENERATED ALWAYS AS (first || ' ' || last) STORED);",
    "generated virtual": "CREATE TABLE p(b text, h char(32) GENERATED ALWAYS AS (md5(b)));",
    "archive fn left": "CREATE TABLE o(id bigint, note varchar(200)); CREATE TABLE o_arch(id bigint, note varchar(100)); CREATE FUNCTION arch() RETURNS void LANGUAGE sql AS $$ INSERT INTO o_arch (id, note) SELECT o.id, left(o.note, 100) FROM o WHERE id < 5 $$;",
    "trigger tg_op ok": "CREATE TABLE o(id int); CREATE TABLE log(op char(6)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log(op) VALUES (TG_OP); RETURN NEW; END $$; CREATE TRIGGER x AFTER INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger left(tg_op)": "CREATE TABLE o(id int); CREATE TABLE log(op char(1)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log(op) VALUES (left(TG_OP,1)); RETURN NEW; END $$; CREATE TRIGGER x AFTER INSERT ON o FOR EACH ROW EXECUTE FUNCTION f();",
    "ms epoch bigint": "CREATE TABLE o(at_ms bigint DEFAULT (extract(epoch from now()) * 1000)::bigint);",
    "epoch int ok": "CREATE TABLE o(at_s integer DEFAULT extract(epoch from now())::int);",
    "partition key char": "CREATE TABLE ev(id bigint, kind varchar(10) NOT NULL) PARTITION BY LIST (kind); CREATE TABLE ev_a PARTITION OF ev FOR VALUES IN ('a');",
    "jsonb fine": "CREATE TABLE o(d jsonb DEFAULT '{}', t text DEFAULT md5(random()::text));",
    "generated numeric product": "CREATE TABLE l(qty integer CHECK (qty > 0), price numeric(8,2), total numeric(10,2) GENERATED ALWAYS AS (qty * price) STORED);",
    "param type narrow": "CREATE TABLE a(c varchar(5)); CREATE FUNCTION f(p varchar) RETURNS void LANGUAGE sql AS $$ INSERT INTO a VALUES (p) $$;",
    "current_setting default": "CREATE TABLE a(c varchar(5) DEFAULT current_setting('app.x'));",
    "inet": "CREATE TABLE a(c varchar(45) DEFAULT inet_client_addr()::text);",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_what_may_not_fit_is_refused(files):
    """A sample too long, a key, a copy or a generated text too narrow: the first real row fails."""
    assert refused(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_always_fits_passes(files):
    """A CHECK, a cut, a sequence's end or a type that is wide enough keeps it in."""
    assert not refused(files)
