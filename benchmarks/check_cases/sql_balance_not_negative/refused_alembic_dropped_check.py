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


def _columns():
    return [
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("stock", sa.Integer, nullable=False),
    ]


def upgrade():
    op.create_table("products", *_columns(), sa.CheckConstraint("stock >= 0", name="stock_positive"))
    bind = op.get_bind()
    rows = bind.execute(sa.text("select id, sku from old_products")).fetchall()
    for row in rows:
        bind.execute(sa.text("insert into products (id, sku, stock) values (:i, :s, 0)"), {"i": row.id, "s": row.sku})
    op.drop_constraint("stock_positive", "products", type_="check")
