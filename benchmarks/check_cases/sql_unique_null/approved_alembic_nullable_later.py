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


def upgrade():
    op.create_table(
        "seats",
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("row", sa.String(4), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_unique_constraint("uq_seats", "seats", ["event_id", "row", "number"])
    op.alter_column("seats", "row", existing_type=sa.String(4), type_=sa.String(8))
