"""Adds an index."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_foreign_key("orders_customer", "orders", "customers", ["customer_id"], ["id"], postgresql_not_valid=True)


def downgrade():
    op.drop_constraint("orders_customer", "orders")
