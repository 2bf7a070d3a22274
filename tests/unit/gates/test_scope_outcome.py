"""`scope.brief` on what a function that was asked for does: what the brief lets stay, stays in whatever is written."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.scope_brief import scope_brief

TRIPS = """LIMIT = 50


class Rejected(Exception):
    pass


def book(store, mailer, booking):
    check_seats(booking)
    if booking.paid < booking.price:
        raise Rejected("not paid")
    store.save(booking)
    mailer.confirm(booking)
    return booking.number


def manifest(bookings):
    rows = []
    for booking in sorted(bookings, key=lambda b: b.name):
        rows.append({"name": booking.name, "seats": booking.seats})
    return rows
"""
Pairs = Sequence[tuple[str, str]]
MEAL = "Add the meal to every row of manifest. The order of the rows and who is listed must not change."
SPLIT = "book does too much. Move the payment check into its own function; it must behave exactly as before."
MAIL = "Pass the booking's language to the confirmation mail in book. What book raises stays the same."
RETRY = "Pass the booking's language to the confirmation mail in book. No retries, please."
FAST = "manifest is slow for big trips: build the rows in one go. The result has to be the same."
meal = ('"seats": booking.seats}', '"seats": booking.seats, "meal": booking.meal}')
loop = TRIPS[TRIPS.index("    rows = []") :]
paid = '    if booking.paid < booking.price:\n        raise Rejected("not paid")\n'
mail = ("confirm(booking)", "confirm(booking, language=booking.language)")
tried = "    try:\n        mailer.{0}\n    except {1}:\n        {2}\n"
sent = "    mailer.confirm(booking)\n"
whole = mail[1]
asked = paid.replace("booking.paid < booking.price", "not paid(booking)")
aside = ("def book(", "def paid(one):\n    return one.paid >= one.price\n\n\ndef book(")
skip = ("        rows", "        if not booking.meal:\n            continue\n        rows")
fast = '    return [{{"name": b.name, "seats": b.seats}} for b in sorted(bookings, key={0}){1}]\n'


def moved(check: str) -> Pairs:
    """Return a change that moves the payment check."""
    return [(paid, "    _paid(booking)\n"), ("def book(", f"def _paid(booking):\n{check}\n\ndef book(")]


ROWS: list[tuple[str, str, Pairs, bool]] = [
    ("one more entry", MEAL, [meal], False),
    ("another order", MEAL, [meal, ("lambda b: b.name", "lambda b: (b.meal, b.name)")], True),
    ("some passed over", MEAL, [meal, skip], True),
    ("moved", SPLIT, moved(paid), False),
    ("moved, other words", SPLIT, [(paid, asked), aside], False),
    ("moved, another guard", SPLIT, moved(paid.replace("< booking.price", "<= 0")), True),
    ("moved, raises nothing", SPLIT, moved(paid.replace('raise Rejected("not paid")', "return None")), True),
    ("a check is gone", SPLIT, [*moved(paid), ("    check_seats(booking)\n", "")], True),
    ("an act depends", SPLIT, [*moved(paid), (sent, f"    if booking.price:\n    {sent}")], True),
    ("language", MAIL, [mail], False),
    ("language, caught", MAIL, [(sent, tried.format(whole, "OSError", "pass"))], True),
    ("language, handed on", MAIL, [(sent, tried.format(whole, "OSError", "raise"))], False),
    ("language, tried again", RETRY, [(sent, tried.format(whole, "OSError", f"mailer.{whole}"))], True),
    ("fast", FAST, [(loop, fast.format("lambda one: one.name", ""))], False),
    ("fast, another order", FAST, [(loop, fast.format("lambda b: b.seats", ""))], True),
    ("fast, some passed over", FAST, [(loop, fast.format("lambda b: b.name", " if b.seats"))], True),
]  # fmt: skip


@pytest.mark.parametrize(("brief", "pairs", "refused"), [pytest.param(*r[1:], id=r[0]) for r in ROWS])
def test_what_a_function_does_stays_as_the_brief_says(brief: str, pairs: Pairs, refused: bool) -> None:
    """Orders, refusals, checks, acts and what is passed over are compared wherever they are written."""
    now = TRIPS
    for one, other in pairs:
        now = now.replace(one, other, 1)
    base = Artifact.of({"trip.py": TRIPS})
    artifact = Artifact.of({"trip.py": now}, base=base.digest)
    work = ReviewWork(
        packet=Packet(brief=brief), reads=AttemptKind.ARTIFACT, attempt=1, brief=brief, artifact=artifact,
        inputs={"base": base},
    )  # fmt: skip

    found = [f for f in scope_brief(work) if f.severity >= Severity.MAJOR]

    assert refused == bool(found)
