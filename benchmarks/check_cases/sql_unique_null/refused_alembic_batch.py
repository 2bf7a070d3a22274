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
        "tags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parent_id", sa.Integer(), nullable=True))
        batch_op.create_unique_constraint("uq_tags_tenant_parent_name", ["tenant_id", "parent_id", "name"])
        batch_op.create_foreign_key("fk", "tags", ["parent_id"], ["id"])


def downgrade():
    with op.batch_alter_table("tags", schema=None) as batch_op:
        batch_op.drop_constraint("uq_tags_tenant_parent_name", type_="unique")
        batch_op.drop_column("parent_id")
