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
    op.execute("INSERT INTO carriers (name) SELECT DISTINCT carrier FROM shipments WHERE carrier IS NOT NULL")

    # SQLite before 3.35 cannot drop a column, and two of our depots still run it: rebuild instead.
    op.create_table(
        "shipments_rebuilt",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("carrier_id", sa.Integer(), nullable=True),
        sa.Column("parcels", sa.Integer(), nullable=False),
    )
    op.execute(
        """
        INSERT INTO shipments_rebuilt (id, reference, carrier_id, parcels)
        SELECT s.id, s.reference, c.id, s.parcels
          FROM shipments AS s
          LEFT JOIN carriers AS c ON c.name = s.carrier
        """
    )
    op.drop_table("shipments")
    op.rename_table("shipments_rebuilt", "shipments")


def downgrade() -> None:
    op.add_column("shipments", sa.Column("carrier", sa.String(80), nullable=True))
    op.execute(
        "UPDATE shipments SET carrier = (SELECT c.name FROM carriers AS c WHERE c.id = shipments.carrier_id)"
    )
    op.drop_column("shipments", "carrier_id")
    op.drop_table("carriers")
