"""Takes a column away."""

import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    op.create_table("badges", sa.Column("id", sa.BigInteger(), primary_key=True))
    op.add_column("users", sa.Column("badge_id", sa.BigInteger()))


def downgrade():
    op.drop_column("users", "badge_id")
    op.drop_table("badges")
