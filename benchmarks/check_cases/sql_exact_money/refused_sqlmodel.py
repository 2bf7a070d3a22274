from decimal import Decimal

from sqlmodel import Field, SQLModel


class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    subtotal: float = Field(ge=0)
    tax: float = Field(ge=0)
    hours: float = 0
