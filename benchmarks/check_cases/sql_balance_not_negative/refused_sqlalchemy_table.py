import sqlalchemy as sa

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("balance_cents", sa.BigInteger, nullable=False, default=0),
    sa.CheckConstraint("kind IN ('cash', 'card')", name="ck_kind"),
)
