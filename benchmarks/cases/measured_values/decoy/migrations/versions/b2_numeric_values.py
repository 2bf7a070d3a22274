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

    bind = op.get_bind()
    fill = sa.text("UPDATE measurement SET value_num = :number, qualifier = :qualifier WHERE id = :id")
    for row in bind.execute(sa.text("SELECT id, value FROM measurement")).all():
        found = NUMBER.fullmatch(row.value.strip())
        if found:
            bind.execute(fill, {"id": row.id, "number": Decimal(found[2]), "qualifier": found[1]})

    op.alter_column("measurement", "value", new_column_name="reported_as", existing_type=sa.Text(), nullable=True)


def downgrade() -> None:
    op.execute(
        "UPDATE measurement SET reported_as = coalesce(qualifier, '') || CAST(value_num AS text)"
        " WHERE reported_as IS NULL"
    )
    op.alter_column("measurement", "reported_as", new_column_name="value", existing_type=sa.Text(), nullable=False)
    op.drop_column("measurement", "value_num")
    op.drop_column("measurement", "qualifier")
