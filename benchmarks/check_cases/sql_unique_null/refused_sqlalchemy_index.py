from sqlalchemy import Column, Index, Integer, String, func
from sqlalchemy.ext.declarative import declarative_base

Base = declarative_base()


class Alias(Base):
    __tablename__ = "aliases"
    id = Column(Integer, primary_key=True)
    domain = Column(String(255), nullable=False)
    local_part = Column(String(64), nullable=False)
    locale = Column(String(8))

    __table_args__ = (Index("uq_alias", domain, func.lower(local_part), locale, unique=True),)
