"""What guests of a mountain hut pay; all amounts in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

DORMITORY = 2_650
MEMBER_PER_CENT = 40
LOCAL_TAX = 155
TAX_FREE_UNDER = 15


@dataclass(frozen=True)
class Guest:
    name: str
    age: int
    member: bool = False


def nights(arrival: date, departure: date) -> int:
    """Return the nights between two days."""
    return departure.day - arrival.day


def night_price(guest: Guest) -> int:
    """Return the price of a night, rounded down to ten cents for members."""
    if guest.member:
        return DORMITORY * (100 - MEMBER_PER_CENT) // 1_000 * 10
    return DORMITORY


def bill(guests: list[Guest], arrival: date, departure: date) -> int:
    """Return what a party pays, with the local tax per night."""
    total = 0
    for guest in guests:
        tax = 0 if guest.age < TAX_FREE_UNDER else LOCAL_TAX
        total += nights(arrival, departure) * (night_price(guest) + tax)
    return total
