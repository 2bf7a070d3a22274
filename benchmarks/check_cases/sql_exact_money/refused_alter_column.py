import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    op.alter_column("invoices", "total", type_=sa.Float(), existing_type=sa.Numeric(12, 2))


def downgrade() -> None:
    op.alter_column("invoices", "total", type_=sa.Numeric(12, 2), existing_type=sa.Float())
