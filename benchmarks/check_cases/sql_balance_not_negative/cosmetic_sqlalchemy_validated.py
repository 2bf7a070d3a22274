"""A validator is a promise of this one program; the next one, and every UPDATE by hand, does not know it."""

from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates


class Base(DeclarativeBase):
    pass


class Wallet(Base):
    __tablename__ = "wallets"

    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=0, info={"check": "balance >= 0"})

    @validates("balance")
    def not_negative(self, key: str, value: Decimal) -> Decimal:
        if value < 0:
            raise ValueError("balance >= 0")
        return value
