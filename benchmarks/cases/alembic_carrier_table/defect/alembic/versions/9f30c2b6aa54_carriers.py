"""carriers get a table of their own"""

import sqlalchemy as sa
from alembic import op

revision = "9f30c2b6aa54"
down_revision = "4b1c09a7d2e1"


def upgrade() -> None:
    op.create_table(
        "carriers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.add_column("shipments", sa.Column("carrier_id", sa.Integer(), nullable=True))

    op.drop_column("shipments", "carrier")


def downgrade() -> None:
    op.add_column("shipments", sa.Column("carrier", sa.String(80), nullable=True))
    op.execute(
        "UPDATE shipments SET carrier = (SELECT c.name FROM carriers AS c WHERE c.id = shipments.carrier_id)"
    )
    op.drop_column("shipments", "carrier_id")
    op.drop_table("carriers")
