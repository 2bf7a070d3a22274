"""`scope.brief` on what rides along: each part that differs has to do with what was asked, or follows it."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.scope_brief import scope_brief

FEES = {
    "fees.py": 'from decimal import ROUND_HALF_UP, Decimal\n\nGRACE_DAYS = 3\nDAILY = Decimal("0.25")\nCAP = Decimal("10.00")\n\n\ndef late_fee(days_late):\n    if days_late <= GRACE_DAYS:\n        return Decimal("0.00")\n    fee = DAILY * (days_late - GRACE_DAYS)\n    return min(fee, CAP).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)\n\n\ndef summary(days_late):\n    return f"You owe {late_fee(days_late)} EUR."\n'
}
ORDERS = {
    "orders.py": 'PAGE_SIZE = 25\n\n\ndef to_dict(order):\n    return {\n        "id": order.id,\n        "total": order.total / 100,\n        "created": order.created_at.isoformat(),\n    }\n\n\ndef list_orders(store, limit=PAGE_SIZE):\n    return [to_dict(o) for o in sorted(store.all(), key=lambda o: o.id)[:limit]]\n\n\ndef cancel(order, store):\n    if order.status == "shipped":\n        raise ValueError("order was shipped")\n    order.status = "cancelled"\n    store.save(order)\n'
}
CONFIG = {"app.yaml": "mail:\n  retries: 3\n  timeout: 10\nqueue:\n  workers: 4\n"}
SHELF = {
    "shelf.py": "class Shelf:\n    def find(self, number):\n        return self.rows[number]\n\n    def titles(self):\n        return sorted(self.rows.values())\n",
    "report.py": 'def report(shelf):\n    return "\\n".join(shelf.titles())\n',
}
CAPPED = ('CAP = Decimal("10.00")', 'CAP = Decimal("15.00")')
EMAIL = ('        "created"', '        "email": order.customer.email,\n        "created"')
cap = "Raise the cap of the late fee from 10 to 15 euros."
email = "Add the customer's e-mail to the JSON of an order, as `email`."
mail = "Mail: five retries instead of three, please (app.yaml)."
Row = tuple[str, str, Mapping[str, str], Mapping[str, Any], "int | None"]
ROWS: list[Row] = [
    ("value", cap, FEES, {"fees.py": [CAPPED]}, None),
    ("value, written anew", cap, FEES, {"fees.py": [(CAPPED[0], 'CAP = Decimal("15")'), ("    fee = DAILY * (days_late - GRACE_DAYS)\n    return min(fee", "    return min((days_late - GRACE_DAYS) * DAILY")]}, None),
    ("another value", cap, FEES, {"fees.py": [CAPPED, ("GRACE_DAYS = 3", "GRACE_DAYS = 2")]}, 3),
    ("another rounding", cap, FEES, {"fees.py": [CAPPED, ("=ROUND_HALF_UP", "=ROUND_DOWN")]}, 12),
    ("another comparison", cap, FEES, {"fees.py": [CAPPED, ("<= GRACE", "< GRACE")]}, 9),
    ("another text", cap, FEES, {"fees.py": [CAPPED, ("You owe", "Please transfer")]}, 16),
    ("entry", email, ORDERS, {"orders.py": [EMAIL]}, None),
    ("entry, put in later", email, ORDERS, {"orders.py": [("    return {\n", "    data = {\n"), ("(),\n    }", '(),\n    }\n    data["email"] = order.customer.email\n    return data')]}, None),
    ("entry, by a helper", email, ORDERS, {"orders.py": [(EMAIL[0], '        "email": _address(order),\n        "created"'), ("def to_dict", "def _address(order):\n    return order.customer.email\n\n\ndef to_dict")]}, None),
    ("another form of an entry", email, ORDERS, {"orders.py": [EMAIL, ("isoformat()", 'strftime("%d.%m.%Y")')]}, 9),
    ("another name of an entry", email, ORDERS, {"orders.py": [EMAIL, ('"id"', '"number"')]}, 6),
    ("another form, in a helper", email, ORDERS, {"orders.py": [EMAIL, ("order.total / 100", "_euros(order.total)"), ("def to_dict", "def _euros(cents):\n    return round(cents / 100)\n\n\ndef to_dict")]}, 4),
    ("another default", email, ORDERS, {"orders.py": [EMAIL, ("PAGE_SIZE = 25", "PAGE_SIZE = 50")]}, 1),
    ("another state", email, ORDERS, {"orders.py": [EMAIL, ('"shipped"', '"sent"')]}, 18),
    ("another deed", email, ORDERS, {"orders.py": [EMAIL, ('    order.status = "cancelled"\n    store.save(order)', "    store.delete(order)")]}, 20),
    ("order stays", f"{email} The entries that exist keep their order and format.", ORDERS, {"orders.py": [EMAIL, ("key=lambda o: o.id", "key=lambda o: o.created_at")]}, 14),
    ("setting", mail, CONFIG, {"app.yaml": [("retries: 3", "retries: 5")]}, None),
    ("another setting", mail, CONFIG, {"app.yaml": [("retries: 3", "retries: 5"), ("timeout: 10", "timeout: 30")]}, 3),
    ("callers follow", "Shelf.find must take the language, too.", SHELF, {"shelf.py": [("find(self, number)", "find(self, language, number)"), ("self.rows[number]", "self.rows[language, number]")]}, None),
    ("another name", "Give Shelf a method count().", SHELF, {"shelf.py": [("def titles", "def all_titles"), ("class Shelf:\n", "class Shelf:\n    def count(self):\n        return len(self.rows)\n\n")], "report.py": [("shelf.titles", "shelf.all_titles")]}, 8),
    ("pure move", "Move report() to texts.py. Nothing else changes.", SHELF, {"report.py": None, "texts.py": SHELF["report.py"]}, None),
    ("move and more", "Move report() to texts.py.", {**SHELF, "report.py": f"{SHELF['report.py']}\n\ndef head():\n    return 1\n"}, {"report.py": "def head():\n    return 1\n", "texts.py": SHELF["report.py"].replace("shelf.titles()", "shelf.titles()[:9]")}, 2),
]  # fmt: skip


@pytest.mark.parametrize(("brief", "base", "change", "line"), [pytest.param(*r[1:], id=r[0]) for r in ROWS])
def test_what_nobody_asked_for_is_refused_where_it_stands(
    brief: str, base: Mapping[str, str], change: Mapping[str, Any], line: int | None
) -> None:
    """Another part that has nothing to do with the brief is refused at its line; what answers or follows it passes."""
    now: dict[str, str] = {}
    for path, told in change.items():
        text = told if isinstance(told, str) else base[path]
        for old, new in told if isinstance(told, list) else ():
            assert old in text
            text = text.replace(old, new)
        if told is not None:
            now[path] = text
    before = Artifact.of(dict(base))
    artifact = Artifact.of(now, removals=[p for p, told in change.items() if told is None], base=before.digest)
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=artifact,
        inputs={"base": before},
    )

    found = [f.location for f in scope_brief(work) if f.severity >= Severity.MAJOR and f.location]

    assert (line is not None) == bool(found)
    assert line is None or any(at.line and at.line - 1 <= line <= (at.end_line or at.line) + 1 for at in found)
