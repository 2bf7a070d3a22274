"""Adds an index."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id")),
    )
    op.create_index("tags_order", "tags", ["order_id"])
    op.create_unique_constraint("tags_one", "tags", ["id", "order_id"])


def downgrade():
    op.drop_table("tags")
