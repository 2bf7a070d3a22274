"""measurements"""

import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "measurement",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("sample_no", sa.String(20), nullable=False),
        sa.Column("analyte", sa.String(12), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("unit", sa.String(12), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("measurement")
