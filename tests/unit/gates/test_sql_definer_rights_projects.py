"""`sql.definer-rights` on migrations as real projects have them."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_definer_rights import definer_rights

DEFECTS: dict[str, str | dict[str, str]] = {
    "a policy's function that reads a table": "CREATE TABLE members (org int, usr text);\nCREATE TABLE docs (id int PRIMARY KEY, org int);\nALTER TABLE docs ENABLE ROW LEVEL SECURITY;\nCREATE FUNCTION my_orgs() RETURNS SETOF int LANGUAGE sql STABLE  AS $$ SELECT org FROM public.members WHERE usr = current_setting('app.user', true) $$;\nCREATE POLICY org_docs ON docs TO web USING (org IN (SELECT my_orgs()));\nGRANT SELECT ON docs TO web;\n",
    "a trigger in DDL over tables that models declare": {
        "app/db.py": 'from sqlalchemy import DDL, event, Column, Integer, Text, MetaData, Table\nmeta = MetaData()\norders = Table("orders", meta, Column("id", Integer, primary_key=True, autoincrement=False))\naudit = Table("order_audit", meta, Column("order_id", Integer), Column("op", Text))\nFUNC = DDL("""\nCREATE OR REPLACE FUNCTION log_order() RETURNS trigger AS $$\nBEGIN\n  INSERT INTO order_audit VALUES (NEW.id, TG_OP);\n  RETURN NEW;\nEND;\n$$ LANGUAGE plpgsql\n""")\nTRIG = DDL("CREATE TRIGGER log_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_order()")\nGRANT = DDL("GRANT SELECT, INSERT ON orders TO web")\nevent.listen(audit, "after_create", FUNC)\nevent.listen(audit, "after_create", TRIG)\nevent.listen(audit, "after_create", GRANT)\n'
    },
    "a row variable and nextval in the body": "\nCREATE EXTENSION IF NOT EXISTS hstore;\nCREATE SCHEMA audit;\nREVOKE ALL ON SCHEMA audit FROM public;\nCREATE TABLE audit.logged_actions (event_id bigserial primary key, schema_name text not null, table_name text not null, action text not null, row_data hstore);\nREVOKE ALL ON audit.logged_actions FROM public;\nCREATE OR REPLACE FUNCTION audit.if_modified_func() RETURNS TRIGGER AS $body$\nDECLARE\n    audit_row audit.logged_actions;\nBEGIN\n    audit_row = ROW(nextval('audit.logged_actions_event_id_seq'), TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, substring(TG_OP,1,1), NULL);\n    INSERT INTO audit.logged_actions VALUES (audit_row.*);\n    RETURN NULL;\nEND;\n$body$\nLANGUAGE plpgsql\n;\nCREATE TABLE public.customers (id int primary key, name text);\nCREATE TRIGGER audit_trigger_row AFTER INSERT OR UPDATE OR DELETE ON public.customers FOR EACH ROW EXECUTE PROCEDURE audit.if_modified_func();\nGRANT SELECT, INSERT, UPDATE, DELETE ON public.customers TO crm_app;\n",
    "an UPDATE that reads what it changes": "CREATE TABLE posts (id int PRIMARY KEY, forum int);\nCREATE TABLE forums (id int PRIMARY KEY, post_count int NOT NULL DEFAULT 0);\nCREATE FUNCTION bump() RETURNS trigger AS $$ BEGIN UPDATE forums SET post_count = post_count + 1 WHERE id = NEW.forum; RETURN NULL; END $$ LANGUAGE plpgsql;\nCREATE TRIGGER bump AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION bump();\nGRANT SELECT, INSERT ON posts TO web; GRANT UPDATE (post_count) ON forums TO web;\n",
    "a table that is made anew without its grants": {
        "m/1.sql": "CREATE TABLE orders (id uuid PRIMARY KEY, total numeric(10,2));\nCREATE TABLE order_audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, who text);\nCREATE FUNCTION audit_orders() RETURNS trigger LANGUAGE plpgsql  AS $$\nBEGIN\n  INSERT INTO order_audit (order_id, who) VALUES (NEW.id, current_user);\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER audit_orders AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_orders();\nGRANT SELECT, INSERT, UPDATE ON orders TO app;\nGRANT INSERT ON order_audit TO app;\n",
        "m/2.sql": "DROP TABLE order_audit;\nCREATE TABLE order_audit (id bigint GENERATED ALWAYS AS IDENTITY, order_id uuid, who text, at timestamptz DEFAULT now());\n",
    },
    "RETURNING without SELECT": "\nCREATE TABLE products (id int generated always as identity PRIMARY KEY, name text, price_cents int);\nCREATE TABLE product_history (id int generated always as identity PRIMARY KEY, product_id int, old jsonb, new jsonb, changed_by text DEFAULT current_user, changed_at timestamptz DEFAULT now());\n\nCREATE FUNCTION product_history_fn() RETURNS trigger LANGUAGE plpgsql AS $$\nDECLARE hid int;\nBEGIN\n  INSERT INTO product_history (product_id, old, new) VALUES (coalesce(NEW.id, OLD.id), to_jsonb(OLD), to_jsonb(NEW)) RETURNING id INTO hid;\n  RETURN coalesce(NEW, OLD);\nEND $$;\nCREATE TRIGGER product_history_trg AFTER INSERT OR UPDATE OR DELETE ON products FOR EACH ROW EXECUTE FUNCTION product_history_fn();\nGRANT SELECT, INSERT, UPDATE ON products TO shop_app; GRANT INSERT ON product_history TO shop_app;",
    "a member that does not inherit": "\nCREATE SCHEMA IF NOT EXISTS audit;\nCREATE ROLE app_user LOGIN NOINHERIT;\nCREATE TABLE public.accounts (\n    id          bigserial PRIMARY KEY,\n    owner       text NOT NULL,\n    balance     numeric(12,2) NOT NULL DEFAULT 0 CHECK (balance >= 0)\n);\nCREATE TABLE audit.account_log (\n    log_id      bigserial PRIMARY KEY,\n    account_id  bigint NOT NULL,\n    op          char(1) NOT NULL,\n    at          timestamptz NOT NULL DEFAULT now(),\n    row_data    jsonb\n);\n\nCREATE OR REPLACE FUNCTION audit.log_account() RETURNS trigger AS $body$\nBEGIN\n    IF TG_OP = 'DELETE' THEN\n        INSERT INTO audit.account_log(account_id, op, row_data) VALUES (OLD.id, 'D', to_jsonb(OLD));\n        RETURN OLD;\n    END IF;\n    INSERT INTO audit.account_log(account_id, op, row_data)\n    VALUES (NEW.id, substr(TG_OP, 1, 1), to_jsonb(NEW));\n    RETURN NEW;\nEND;\n$body$ LANGUAGE plpgsql;\nDROP TRIGGER IF EXISTS trg_account_log ON public.accounts;\nCREATE TRIGGER trg_account_log AFTER INSERT OR UPDATE OR DELETE ON public.accounts\n    FOR EACH ROW EXECUTE PROCEDURE audit.log_account();\n\nCREATE ROLE audit_writer NOLOGIN;\nGRANT USAGE ON SCHEMA audit TO audit_writer;\nGRANT INSERT ON ALL TABLES IN SCHEMA audit TO audit_writer;\nGRANT USAGE ON ALL SEQUENCES IN SCHEMA audit TO audit_writer;\nGRANT audit_writer TO app_user;\nGRANT SELECT, INSERT, UPDATE, DELETE ON public.accounts TO app_user;\nGRANT USAGE, SELECT ON SEQUENCE public.accounts_id_seq TO app_user;\n",
    "default privileges on tables and not on sequences": {
        "V1__init.sql": "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_app;\n\nCREATE TABLE products (id serial PRIMARY KEY, name text, price_cents int);\nCREATE TABLE product_history (id serial PRIMARY KEY, product_id int, old jsonb, new jsonb, changed_by text DEFAULT current_user, changed_at timestamptz DEFAULT now());\nGRANT USAGE ON SEQUENCE products_id_seq TO shop_app;\n\nCREATE FUNCTION product_history_fn() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  INSERT INTO product_history (product_id, old, new) VALUES (coalesce(NEW.id, OLD.id), to_jsonb(OLD), to_jsonb(NEW));\n  RETURN coalesce(NEW, OLD);\nEND $$;\nCREATE TRIGGER product_history_trg AFTER INSERT OR UPDATE OR DELETE ON products FOR EACH ROW EXECUTE FUNCTION product_history_fn();\n"
    },
    "a role that is a constant of the migration": {
        "alembic/versions/1.py": 'from alembic import op\nrevision="1"\ndown_revision=None\nAPP="app_rw"\ndef upgrade():\n    op.execute("CREATE TABLE orders (id int PRIMARY KEY)")\n    op.execute("CREATE TABLE order_audit (order_id int, op text)")\n    op.execute("""CREATE FUNCTION lo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO order_audit VALUES (NEW.id, TG_OP); RETURN NEW; END $$""")\n    op.execute("CREATE TRIGGER lo AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION lo()")\n    op.execute(f"GRANT SELECT, INSERT ON orders TO {APP}")\n'
    },
}

CLEAN: dict[str, str | dict[str, str]] = {
    "a policy's function with its owner's rights": "CREATE TABLE members (org int, usr text);\nCREATE TABLE docs (id int PRIMARY KEY, org int);\nALTER TABLE docs ENABLE ROW LEVEL SECURITY;\nCREATE FUNCTION my_orgs() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$ SELECT org FROM public.members WHERE usr = current_setting('app.user', true) $$;\nCREATE POLICY org_docs ON docs TO web USING (org IN (SELECT my_orgs()));\nGRANT SELECT ON docs TO web;\n",
    "a trigger of SQLite": {
        "schema.sql": "CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, total REAL);\nCREATE TABLE audit (o INTEGER);\nCREATE TRIGGER t AFTER INSERT ON orders BEGIN INSERT INTO audit VALUES (NEW.id); END;\n"
    },
    "a role that the code reads from its surroundings": {
        "alembic/versions/1.py": 'import os\nfrom alembic import op\nrevision="1"\ndown_revision=None\nAPP=os.environ["APP_ROLE"]\ndef upgrade():\n    op.execute("CREATE TABLE orders (id int PRIMARY KEY)")\n    op.execute("CREATE TABLE order_audit (order_id int, op text)")\n    op.execute("""CREATE FUNCTION lo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO order_audit VALUES (NEW.id, TG_OP); RETURN NEW; END $$""")\n    op.execute("CREATE TRIGGER lo AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION lo()")\n    op.execute(f"GRANT SELECT, INSERT ON orders, order_audit TO {APP}")\n'
    },
    "UPDATE OF a column that the role may not write": "CREATE TABLE orders (id uuid PRIMARY KEY, total numeric(10,2));\nCREATE TABLE order_audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, who text);\nCREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO order_audit(order_id) VALUES (NEW.id); RETURN NULL; END $$;\nCREATE TRIGGER a AFTER UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION a();\nGRANT SELECT, UPDATE (id) ON orders TO app;\n",
    "a member of pg_write_all_data": "CREATE TABLE orders (id uuid PRIMARY KEY, total numeric(10,2));\nCREATE TABLE order_audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, who text);\nCREATE FUNCTION audit_orders() RETURNS trigger LANGUAGE plpgsql  AS $$\nBEGIN\n  INSERT INTO order_audit (order_id, who) VALUES (NEW.id, current_user);\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER audit_orders AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_orders();\nGRANT SELECT, INSERT, UPDATE ON orders TO app;\nGRANT pg_write_all_data TO app;\n",
    "groups in the old spelling": "CREATE GROUP writers;\nCREATE USER app;\nALTER GROUP writers ADD USER app;\nCREATE TABLE orders (id uuid PRIMARY KEY, total numeric(10,2));\nCREATE TABLE order_audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, who text);\nCREATE FUNCTION audit_orders() RETURNS trigger LANGUAGE plpgsql  AS $$\nBEGIN\n  INSERT INTO order_audit (order_id, who) VALUES (NEW.id, current_user);\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER audit_orders AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_orders();\nGRANT INSERT, UPDATE ON orders TO app;\nGRANT INSERT ON order_audit TO GROUP writers;\n",
    "the same with its owner's rights": "\nCREATE EXTENSION IF NOT EXISTS hstore;\nCREATE SCHEMA audit;\nREVOKE ALL ON SCHEMA audit FROM public;\nCREATE TABLE audit.logged_actions (event_id bigserial primary key, schema_name text not null, table_name text not null, action text not null, row_data hstore);\nREVOKE ALL ON audit.logged_actions FROM public;\nCREATE OR REPLACE FUNCTION audit.if_modified_func() RETURNS TRIGGER AS $body$\nDECLARE\n    audit_row audit.logged_actions;\nBEGIN\n    audit_row = ROW(nextval('audit.logged_actions_event_id_seq'), TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, substring(TG_OP,1,1), NULL);\n    INSERT INTO audit.logged_actions VALUES (audit_row.*);\n    RETURN NULL;\nEND;\n$body$\nLANGUAGE plpgsql\nSECURITY DEFINER\nSET search_path = pg_catalog, public;\nCREATE TABLE public.customers (id int primary key, name text);\nCREATE TRIGGER audit_trigger_row AFTER INSERT OR UPDATE OR DELETE ON public.customers FOR EACH ROW EXECUTE PROCEDURE audit.if_modified_func();\nGRANT SELECT, INSERT, UPDATE, DELETE ON public.customers TO crm_app;\n",
    "IN ROLE": "CREATE ROLE writers;\nCREATE ROLE app LOGIN IN ROLE writers;\nCREATE TABLE orders (id uuid PRIMARY KEY, total numeric(10,2));\nCREATE TABLE order_audit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, who text);\nCREATE FUNCTION audit_orders() RETURNS trigger LANGUAGE plpgsql  AS $$\nBEGIN\n  INSERT INTO order_audit (order_id, who) VALUES (NEW.id, current_user);\n  RETURN NEW;\nEND $$;\nCREATE TRIGGER audit_orders AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_orders();\nGRANT SELECT, INSERT, UPDATE ON orders, order_audit TO writers;\n",
}

MIGRATION = """import os
from alembic import op
revision = "1"
down_revision = None
APP = os.environ["APP_ROLE"]
def upgrade():
    op.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    op.execute("CREATE TABLE order_audit (order_id int, op text)")
    op.execute("CREATE FUNCTION lo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO order_audit VALUES (NEW.id, TG_OP); RETURN NEW; END $$")
    op.execute("CREATE TRIGGER lo AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION lo()")
"""


def refusing(files: str | dict[str, str]) -> list[Finding]:
    given = {"schema.sql": files} if isinstance(files, str) else files
    return [f for f in definer_rights(Artifact.of(given)) if f.severity >= Severity.MAJOR]


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_what_fails_for_the_role_that_comes_is_refused(files):
    """Whoever writes the table lacks a right that the table needs, however it is spelled."""
    assert refusing(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_works_for_every_role_passes(files):
    """Rights that come by another way, and databases without such rights, refuse nothing."""
    assert [] == refusing(files)


def test_a_role_without_a_name_is_one_role():
    """A role whose name is only known when the code runs lacks what nothing grants it."""
    (finding,) = refusing({"versions/1.py": f'{MIGRATION}    op.execute(f"GRANT INSERT ON orders TO {{APP}}")\n'})

    assert "the role that the code names when it runs" in finding.message
    assert "GRANT INSERT ON order_audit TO the_same_role;" in finding.satisfy


def test_a_role_without_a_name_may_be_one_with_a_name():
    """What `app` lacks may be granted to it under the other name, so nobody knows."""
    grants = (
        '    op.execute("GRANT INSERT ON orders TO app")\n    op.execute(f"GRANT INSERT ON order_audit TO {APP}")\n'
    )

    with pytest.raises(CannotLook, match="named only when the code runs"):
        refusing({"versions/1.py": f"{MIGRATION}{grants}"})
