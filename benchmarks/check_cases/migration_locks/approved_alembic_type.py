"""Adds an index."""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.alter_column("orders", "note", existing_type=sa.String(50), type_=sa.String(200))


def downgrade():
    pass
