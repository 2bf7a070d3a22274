"""Backfill and constrain."""

from alembic import op
from sqlalchemy import text, Column, Integer, String, MetaData, Table, select

revision = "d1"
down_revision = "c9"


def upgrade() -> None:
    op.execute("CREATE TABLE quotas (id serial PRIMARY KEY, org_id int NOT NULL, user_id int, resource text NOT NULL)")
    connection = op.get_bind()
    meta = MetaData()
    orgs = Table("orgs", meta, autoload_with=connection)
    for org in connection.execute(select(orgs.c.id)):
        connection.execute(text("INSERT INTO quotas (org_id, resource) VALUES (:o, 'cpu')"), {"o": org.id})
    stmts = [
        "ALTER TABLE quotas ADD CONSTRAINT quotas_unique UNIQUE (org_id, user_id, resource)",
        "CREATE INDEX quotas_org ON quotas (org_id)",
    ]
    for s in stmts:
        op.execute(text(s))
