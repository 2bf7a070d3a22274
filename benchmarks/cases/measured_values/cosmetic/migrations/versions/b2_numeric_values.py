"""measured values as numbers"""

import logging
import re
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"

logger = logging.getLogger("alembic.runtime.migration")

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
        else:
            logger.warning("measurement %s: no number found", row.id)

    unread = bind.execute(sa.text("SELECT count(*) FROM measurement WHERE value_num IS NULL")).scalar()
    logger.info("%s measurements have no number", unread)
    op.drop_column("measurement", "value")


def downgrade() -> None:
    op.add_column("measurement", sa.Column("value", sa.Text(), nullable=True))
    op.execute("UPDATE measurement SET value = coalesce(qualifier, '') || CAST(value_num AS text)")
    op.drop_column("measurement", "value_num")
    op.drop_column("measurement", "qualifier")
