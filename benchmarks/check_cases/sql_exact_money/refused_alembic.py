import sqlalchemy as sa
from alembic import op

revision = "a2"
down_revision = "a1"


def upgrade():
    op.create_table(
        "donations",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("amount", sa.Float(), nullable=False),
    )


def downgrade():
    op.drop_table("donations")
