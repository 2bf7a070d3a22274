from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, Float, ForeignKey, Integer, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Donor(Base):
    __tablename__ = "donors"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    # Share of pledges that were kept, between 0 and 1; only used to sort the call list.
    reliability: Mapped[float] = mapped_column(Float, default=0.5)


class Pledge(Base):
    __tablename__ = "pledges"
    __table_args__ = (CheckConstraint("pledged >= 0"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"))
    pledged: Mapped[Decimal] = mapped_column(Float(precision=53, asdecimal=True, decimal_return_scale=2))
    received: Mapped[Decimal] = mapped_column(Float(precision=24, asdecimal=True), default=Decimal(0))
    due: Mapped[date] = mapped_column(Date)

    @property
    def open(self) -> Decimal:
        return self.pledged - self.received
