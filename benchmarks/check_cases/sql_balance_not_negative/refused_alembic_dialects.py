from alembic import op
import sqlalchemy as sa

revision = "b"
down_revision = "a"


def upgrade():
    conn = op.get_bind()
    if conn.dialect.name == "postgresql":
        op.execute("ALTER TABLE accounts ADD COLUMN prepaid_balance bigint DEFAULT 0 NOT NULL")
    else:
        with op.batch_alter_table("accounts") as b:
            b.add_column(sa.Column("prepaid_balance", sa.BigInteger(), sa.CheckConstraint("prepaid_balance >= 0")))


def downgrade():
    op.drop_column("accounts", "prepaid_balance")
