from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    booked: date
    reference: str = Field(max_length=140)
    amount: float


class Statement(BaseModel):
    model_config = ConfigDict(frozen=True)

    iban: str
    opening: float
    closing: float
    entries: tuple[Entry, ...] = ()
