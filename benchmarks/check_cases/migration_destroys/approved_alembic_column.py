"""Takes a column away."""

import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.execute("UPDATE users SET display_name = nickname")
    op.drop_column("users", "nickname")


def downgrade():
    op.add_column("users", sa.Column("nickname", sa.Text()))
