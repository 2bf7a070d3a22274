"""Takes a column away."""

import sqlalchemy as sa
from alembic import op

revision = "c3"
down_revision = "b2"


def upgrade():
    users = sa.table("users", sa.column("id"))
    op.execute(users.delete())


def downgrade():
    pass
