"""Adds an index."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_index("orders_customer", "orders", ["customer_id"])


def downgrade():
    op.drop_index("orders_customer", table_name="orders")
