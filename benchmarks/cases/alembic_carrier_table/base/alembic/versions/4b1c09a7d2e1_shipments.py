"""shipments"""

import sqlalchemy as sa
from alembic import op

revision = "4b1c09a7d2e1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("carrier", sa.String(80), nullable=True),
        sa.Column("parcels", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("shipments")
