"""{msg}

Revision ID: 3f2a9c
Revises: 11aa22
Create Date: 2024-03-02 10:11:12.131415

"""

from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = "3f2a9c"
down_revision: Union[str, None] = "11aa22"
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.create_table(
        "guild_treasuries",
        sa.Column(
            "guild_id", postgresql.UUID(as_uuid=True), sa.ForeignKey("guilds.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "balance",
            sa.Numeric(precision=12, scale=2),
            server_default=sa.text("0"),
            nullable=False,
            comment="never negative",
        ),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.CheckConstraint("char_length(currency) = 3", name="ck_currency"),
        sa.CheckConstraint("balance >= 0", name="ck_balance"),
    )
