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
    inspector = sa.inspect(op.get_bind())
    if "wallets" not in inspector.get_table_names():
        op.create_table("wallets", sa.Column("id", sa.Integer, primary_key=True))
    for name in ("available_balance", "held_balance"):
        op.add_column("wallets", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
