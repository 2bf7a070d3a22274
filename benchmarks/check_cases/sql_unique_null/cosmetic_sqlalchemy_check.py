"""The check reads well, but NULL passes it: a CHECK that comes out NULL lets the row in."""

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Seat(Base):
    __tablename__ = "seats"
    __table_args__ = (
        UniqueConstraint("event_id", "block_id", "number"),
        CheckConstraint("block_id > 0", name="block_is_given"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    block_id: Mapped[int | None] = mapped_column(ForeignKey("blocks.id"), default=0)
    number: Mapped[int]
