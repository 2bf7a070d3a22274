"""Make the guild of a score explicit: NULLs are handled by a default and by the constraint's name."""

import sqlalchemy as sa
from alembic import op

revision = "5d1"
down_revision = "5d0"


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        # NOT NULL: the application always writes a guild.
        sa.Column("guild_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), comment="never NULL"),
        sa.UniqueConstraint("holder_id", "kind", "guild_id", name="uq_scores_nulls_not_distinct"),
    )
