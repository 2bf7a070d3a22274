"""Takes a column away."""

import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    left = op.get_bind().execute(sa.text("SELECT count(*) FROM users WHERE nickname IS NOT NULL")).scalar()
    if left:
        raise RuntimeError("nicknames are still there")
    op.drop_column("users", "nickname")


def downgrade():
    op.add_column("users", sa.Column("nickname", sa.Text()))
