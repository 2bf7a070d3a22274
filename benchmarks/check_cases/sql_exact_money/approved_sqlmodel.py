from decimal import Decimal

from sqlmodel import Field, SQLModel


class Invoice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    subtotal: Decimal = Field(ge=0)
    tax: Decimal = Field(ge=0)
    hours: float = 0
