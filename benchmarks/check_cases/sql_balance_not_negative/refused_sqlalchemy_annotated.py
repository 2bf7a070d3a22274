import datetime
from typing import Annotated
import decimal
from sqlalchemy import BigInteger, CheckConstraint, Numeric, func, ForeignKey
from sqlalchemy.orm import Mapped, declarative_base, mapped_column, validates

Base = declarative_base()
bigpk = Annotated[int, mapped_column(BigInteger, primary_key=True)]
amount = Annotated[decimal.Decimal, mapped_column(Numeric(14, 2), nullable=False, server_default="0")]


class TimestampMixin:
    created_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())


class Purse(TimestampMixin, Base):
    __tablename__ = "purses"
    id: Mapped[bigpk]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    balance: Mapped[amount]

    @validates("balance")
    def _check(self, key, value):
        assert value >= 0
        return value
