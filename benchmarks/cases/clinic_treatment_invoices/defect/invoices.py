"""Invoices for treatments."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    text: str
    pieces: int
    price: str
    """In euros, as it stands in the price list."""


@dataclass(frozen=True)
class Invoice:
    net: str
    vat: str
    gross: str


def tablets(weight_kg: float, mg_per_kg: float, mg_per_tablet: float) -> int:
    """Return the tablets for one dose, rounded up to whole ones."""
    return math.ceil(round(weight_kg * mg_per_kg / mg_per_tablet, 6))


def net_of(lines: list[Line]) -> float:
    return sum(float(line.price) * line.pieces for line in lines)


def invoice(lines: list[Line], vat: str = "19") -> Invoice:
    """Return what is to be paid, with a rate of VAT in per cent."""
    net = net_of(lines)
    tax = round(net * float(vat) / 100, 2)
    return Invoice(net=f"{net:.2f}", vat=f"{tax:.2f}", gross=f"{net + tax:.2f}")
