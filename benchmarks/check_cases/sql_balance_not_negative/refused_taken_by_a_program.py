from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Player(Base):
    __tablename__ = "players"

    id: Mapped[int] = mapped_column(primary_key=True)
    mana: Mapped[int] = mapped_column(Integer, default=0)


def cast_spell(session, player: Player, cost: int):
    if player.mana < cost:
        raise ValueError("too little mana")
    player.mana -= cost
    session.commit()
