"""Tables of the cooperative."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Float, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Flat(Base):
    __tablename__ = "flat"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    door: Mapped[str] = mapped_column(String(12), unique=True, nullable=False)
    area_sqm: Mapped[float] = mapped_column(Float, nullable=False)
    rooms: Mapped[int] = mapped_column(Integer, nullable=False)


class Member(Base):
    __tablename__ = "member"
    __table_args__ = (CheckConstraint("paid_in >= 0", name="paid_in_not_negative"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    full_name: Mapped[str] = mapped_column(String(200), nullable=False)
    flat_id: Mapped[int | None] = mapped_column(ForeignKey("flat.id"), nullable=True)
    joined_on: Mapped[date] = mapped_column(Date, nullable=False)
    paid_in: Mapped[float] = mapped_column(Float, nullable=False, default=0)

    dividends: Mapped[list[Dividend]] = relationship("Dividend", back_populates="member")


class Dividend(Base):
    __tablename__ = "dividend"

    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    amount: Mapped[float] = mapped_column(Float, nullable=False)
    paid_on: Mapped[date | None] = mapped_column(Date)

    member: Mapped[Member] = relationship("Member", back_populates="dividends")

    def __str__(self) -> str:
        return f"{self.year}: {self.amount} Kč"
