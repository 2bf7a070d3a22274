"""treasury"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MONEY = sa.Numeric(18, 4)
PK = dict(primary_key=True, nullable=False)


def timestamps() -> tuple[sa.Column, sa.Column]:
    return (
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), onupdate=sa.func.now()),
    )


def create_treasuries_table() -> None:
    op.create_table(
        "treasuries",
        sa.Column("id", sa.BigInteger, **PK),
        sa.Column("balance", MONEY, nullable=False, server_default="0"),
        *timestamps(),
        sa.CheckConstraint(sa.text("balance >= 0"), name="non_negative"),
    )


def upgrade() -> None:
    create_treasuries_table()


def downgrade() -> None:
    op.drop_table("treasuries")
