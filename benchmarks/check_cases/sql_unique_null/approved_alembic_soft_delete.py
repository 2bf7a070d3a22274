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


TABLE = "price_overrides"


def upgrade():
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("sku", sa.String(64), nullable=False),
        sa.Column("region", sa.String(8)),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
        sa.Column("deleted_at", sa.DateTime),
        schema="shop",
    )
    op.create_index(
        "uq_price_overrides_live",
        TABLE,
        ["sku", "region"],
        unique=True,
        schema="shop",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_price_overrides_global",
        TABLE,
        ["sku"],
        unique=True,
        schema="shop",
        postgresql_where=sa.text("deleted_at IS NULL AND region IS NULL"),
    )


def downgrade():
    op.drop_table(TABLE, schema="shop")
