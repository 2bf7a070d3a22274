from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    booked: date
    reference: str = Field(max_length=140)
    amount: Decimal


class Statement(BaseModel):
    model_config = ConfigDict(frozen=True)

    iban: str
    opening: Decimal
    closing: Decimal
    entries: tuple[Entry, ...] = ()
