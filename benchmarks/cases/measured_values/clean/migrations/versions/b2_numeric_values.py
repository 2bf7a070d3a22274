"""measured values as numbers"""

import re
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"

NUMBER = re.compile(r"([<>])?\s*(\d+(?:\.\d+)?)")


def upgrade() -> None:
    op.add_column("measurement", sa.Column("value_num", sa.Numeric(), nullable=True))
    op.add_column("measurement", sa.Column("qualifier", sa.String(1), nullable=True))
    op.add_column("measurement", sa.Column("remark", sa.Text(), nullable=True))

    bind = op.get_bind()
    fill = sa.text(
        "UPDATE measurement SET value_num = :number, qualifier = :qualifier, remark = :remark WHERE id = :id"
    )
    for row in bind.execute(sa.text("SELECT id, value FROM measurement")).all():
        found = NUMBER.fullmatch(row.value.strip())
        if found:
            bind.execute(fill, {"id": row.id, "number": Decimal(found[2]), "qualifier": found[1], "remark": None})
        else:
            bind.execute(fill, {"id": row.id, "number": None, "qualifier": None, "remark": row.value})

    op.drop_column("measurement", "value")


def downgrade() -> None:
    op.add_column("measurement", sa.Column("value", sa.Text(), nullable=True))
    op.execute(
        "UPDATE measurement SET value = coalesce(remark, coalesce(qualifier, '') || CAST(value_num AS text))"
    )
    op.drop_column("measurement", "value_num")
    op.drop_column("measurement", "qualifier")
    op.drop_column("measurement", "remark")
