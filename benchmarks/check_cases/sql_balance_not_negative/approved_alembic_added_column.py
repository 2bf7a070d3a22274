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
    op.add_column("users", sa.Column("credit_balance", sa.Integer(), nullable=True))
    op.execute("UPDATE users SET credit_balance = 0")
    op.alter_column("users", "credit_balance", nullable=False)
    op.create_check_constraint("ck_users_credit_balance", "users", sa.column("credit_balance") >= 0)


def downgrade():
    op.drop_column("users", "credit_balance")
