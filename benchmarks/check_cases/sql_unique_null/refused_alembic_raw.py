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
    op.execute(
        """
        CREATE TABLE reputation_scores (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            holder_id uuid NOT NULL REFERENCES users(id),
            score_kind text NOT NULL,
            guild_scope uuid REFERENCES guilds(id)
        );
        CREATE UNIQUE INDEX reputation_scores_uq ON reputation_scores (holder_id, score_kind, guild_scope);
        """
    )


def downgrade():
    op.execute("DROP TABLE reputation_scores")
