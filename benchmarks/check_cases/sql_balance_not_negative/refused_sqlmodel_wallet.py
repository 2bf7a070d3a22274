from decimal import Decimal
from typing import Optional
from sqlmodel import Field, SQLModel


class Wallet(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    owner: str = Field(index=True)
    balance: Decimal = Field(default=0, max_digits=12, decimal_places=2, ge=0)
