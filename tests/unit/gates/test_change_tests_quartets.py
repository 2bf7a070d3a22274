"""`tests.weakened` on changes in many styles: what asks less is found where it does, and what asks as much is not."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.tests_weakened import tests_weakened as weakened

TIDY = "Tidy the tests; they hold what they hold now."


def judged(base: Mapping[str, str], change: Mapping[str, Any], brief: str = TIDY) -> list[Finding]:
    """Return what is refused of a change; a list of pairs replaces texts, None removes."""
    now: dict[str, str] = {}
    for path, told in change.items():
        if told is None:
            continue
        text = base.get(path, "")
        for old, new in told if isinstance(told, list) else []:
            assert old in text
            text = text.replace(old, new)
        now[path] = told if isinstance(told, str) else text
    before = Artifact.of(base)
    gone = [p for p, told in change.items() if told is None]
    artifact = Artifact.of(now, removals=gone, base=before.digest)
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=artifact,
        inputs={"base": before},
    )
    return [f for f in weakened(work) if f.severity >= Severity.MAJOR]


T = "tests/test_tariff.py"
TARIFF = {
    "power/tariff.py": "class Unknown(KeyError):\n    pass\n\n\ndef price(kwh, plan='basic'):\n    if plan not in ('basic', 'night'):\n        raise Unknown(plan)\n    return round(kwh * (32.5 if plan == 'basic' else 24.1), 2)\n\n\ndef parse(text):\n    kwh, _, plan = text.partition('@')\n    return {'kwh': int(kwh), 'plan': plan or 'basic'}\n",
    T: """import pytest

from power import tariff
from power.tariff import Unknown, parse, price

RATE = 32.5


def check(kwh, cents):
    assert price(kwh) == cents


def test_nothing():
    check(0, 0)


def test_basic():
    check(10, 325.0)
    check(100, 3250.0)


def test_night():
    due = price(10, plan="night")
    assert due == pytest.approx(241.0, abs=0.01)
    assert isinstance(due, float)


def test_plans():
    for plan in ("basic", "night"):
        assert price(1, plan) > 0


def test_unknown():
    with pytest.raises(Unknown, match="solar"):
        price(1, "solar")


def test_parse():
    found = parse("12@night")
    assert found["kwh"] == 12
    assert found["plan"] == "night"


def test_parse_default():
    assert parse("7") == {"kwh": 7, "plan": "basic"}


def test_rate_is_linear():
    assert all(price(n) == n * RATE for n in (1, 2, 3))
""",
}
U = "tests/test_queue.py"
QUEUE = {
    "mail/queue.py": "class Queue:\n    def __init__(self, send):\n        self.send = send\n        self.sent = []\n\n    def put(self, to):\n        if '@' not in to:\n            raise ValueError(to)\n        self.sent.append(to)\n        self.send(to)\n        return len(self.sent)\n",
    U: """import unittest
from unittest import mock

from mail.queue import Queue


class QueueTest(unittest.TestCase):
    def setUp(self):
        self.send = mock.Mock()
        self.queue = Queue(self.send)

    def test_sends(self):
        self.assertEqual(self.queue.put("a@b.c"), 1)
        self.send.assert_called_once_with("a@b.c")

    def test_counts(self):
        self.queue.put("a@b.c")
        self.queue.put("b@b.c")
        self.assertEqual(self.queue.sent, ["a@b.c", "b@b.c"])

    def test_refuses(self):
        with self.assertRaises(ValueError):
            self.queue.put("nobody")
        self.send.assert_not_called()

    def test_order(self):
        numbers = [self.queue.put(f"{n}@b.c") for n in range(3)]
        self.assertListEqual(numbers, [1, 2, 3])
""",
}
A = "tests/test_store.py"
STORE = {
    "store.py": "async def load(key):\n    return {'a': 1}.get(key)\n",
    A: """import pytest

from store import load

pytestmark = pytest.mark.asyncio


async def test_load():
    assert await load("a") == 1


async def test_missing():
    assert await load("b") is None


@pytest.mark.parametrize("key", ["", "x", "y"])
async def test_unknown(key):
    assert await load(key) is None
""",
}
H = "tests/test_codec.py"
CODEC = {
    "codec.py": "def pack(n):\n    return hex(n)\n\n\ndef unpack(t):\n    return int(t, 16)\n",
    "pytest.ini": '[pytest]\naddopts = -m "not slow"\n',
    H: """import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codec import pack, unpack


@pytest.fixture
def sample():
    return [0, 1, 255, 65535]


@settings(max_examples=200)
@given(st.integers())
def test_round(n):
    assert unpack(pack(n)) == n


def test_samples(sample):
    for n in sample:
        assert unpack(pack(n)) == n


def test_errors():
    with pytest.raises(ValueError):
        unpack("zz")
    with pytest.raises(TypeError):
        unpack(None)


def test_fast():
    start = time.perf_counter()
    for n in range(1000):
        pack(n)
    assert time.perf_counter() - start < 0.5


def test_length():
    assert len(pack(255)) >= 4


@pytest.mark.xfail(strict=True, reason="issue 12")
def test_negative():
    assert pack(-1) == "-1"


def test_text():
    text = pack(255)
    assert text == "0xff"
    assert text.startswith("0x")


class TestMany:
    CASES = {"a": 10, "f": 15}

    @pytest.mark.parametrize("text,n", CASES.items())
    def test_cases(self, text, n):
        assert unpack(text) == n

    @pytest.mark.parametrize(("n", "text"), [(1, "0x1"), (16, "0x10")], ids=["one", "sixteen"])
    def test_pack(self, n, text):
        assert pack(n) == text
""",
}
B = "tests/test_booking.py"
BOOKING = {
    "booking.py": "def _night(guests):\n    return 80 + max(0, guests - 2) * 15\n\n\ndef price(nights, guests=2, coupon=''):\n    if nights < 1:\n        raise ValueError('nights')\n    return nights * _night(guests) - (10 if coupon else 0)\n",
    B: "import pytest\n\nfrom booking import price\n\n\ndef test_price():\n    assert price(2) == 160\n    assert price(2, guests=4) == 220\n\n\ndef test_order():\n    assert [price(n) for n in (1, 2)] == [80, 160]\n\n\ndef test_no_nights():\n    with pytest.raises(ValueError, match='nights'):\n        price(0)\n",
}
ROWS: list[tuple[str, Mapping[str, str], Mapping[str, Any], int | None]] = [
    ("helper softened", TARIFF, {T: [("    assert price(kwh) == cents", "    assert price(kwh) >= cents")]}, 10),
    (
        "helper approx",
        TARIFF,
        {T: [("    assert price(kwh) == cents", "    assert price(kwh) == pytest.approx(cents, rel=0.2)")]},
        10,
    ),
    (
        "helper approx fine",
        TARIFF,
        {T: [("    assert price(kwh) == cents", "    assert price(kwh) == pytest.approx(cents)")]},
        None,
    ),
    (
        "helper inlined",
        TARIFF,
        {
            T: [
                ("    check(0, 0)", "    assert price(0) == 0"),
                (
                    "    check(10, 325.0)\n    check(100, 3250.0)",
                    "    assert price(10) == 325.0\n    assert price(100) == 3250.0",
                ),
                ("def check(kwh, cents):\n    assert price(kwh) == cents\n\n\n", ""),
            ]
        },
        None,
    ),
    (
        "helper inlined, one lost",
        TARIFF,
        {
            T: [
                ("    check(0, 0)", "    assert price(0) == 0"),
                ("    check(10, 325.0)\n    check(100, 3250.0)", "    assert price(10) == 325.0"),
                ("def check(kwh, cents):\n    assert price(kwh) == cents\n\n\n", ""),
            ]
        },
        14,
    ),
    (
        "parametrised",
        TARIFF,
        {
            T: [
                (
                    "def test_nothing():\n    check(0, 0)\n\n\ndef test_basic():\n    check(10, 325.0)\n    check(100, 3250.0)",
                    '@pytest.mark.parametrize("kwh, cents", [(0, 0), (10, 325.0), (100, 3250.0)])\ndef test_basic(kwh, cents):\n    check(kwh, cents)',
                )
            ]
        },
        None,
    ),
    (
        "parametrised, one lost",
        TARIFF,
        {
            T: [
                (
                    "def test_nothing():\n    check(0, 0)\n\n\ndef test_basic():\n    check(10, 325.0)\n    check(100, 3250.0)",
                    '@pytest.mark.parametrize(\n    "kwh, cents",\n    [\n        (0, 0),\n        (10, 325.0),\n    ],\n)\ndef test_basic(kwh, cents):\n    check(kwh, cents)',
                )
            ]
        },
        16,
    ),
    ("wider by rate", TARIFF, {T: [("abs=0.01", "abs=20")]}, 24),
    ("tighter", TARIFF, {T: [("abs=0.01", "rel=1e-7")]}, None),
    ("type lost", TARIFF, {T: [("    assert isinstance(due, float)\n", "")]}, 25),
    ("loop lost", TARIFF, {T: [('("basic", "night")', '("basic",)')]}, 29),
    (
        "loop to parameters",
        TARIFF,
        {
            T: [
                (
                    'def test_plans():\n    for plan in ("basic", "night"):\n        assert price(1, plan) > 0',
                    '@pytest.mark.parametrize("plan", ["basic", "night"])\ndef test_plans(plan):\n    assert price(1, plan=plan) > 0',
                )
            ]
        },
        None,
    ),
    ("loop empty", TARIFF, {T: [('("basic", "night")', "()")]}, 30),
    ("wide exception", TARIFF, {T: [('pytest.raises(Unknown, match="solar")', "pytest.raises(Exception)")]}, 34),
    (
        "try",
        TARIFF,
        {
            T: [
                (
                    '    with pytest.raises(Unknown, match="solar"):\n        price(1, "solar")',
                    '    try:\n        price(1, "solar")\n    except Unknown:\n        pass',
                )
            ]
        },
        34,
    ),
    (
        "call form",
        TARIFF,
        {
            T: [
                (
                    '    with pytest.raises(Unknown, match="solar"):\n        price(1, "solar")',
                    '    pytest.raises(Unknown, price, 1, "solar", match="solar")',
                )
            ]
        },
        None,
    ),
    (
        "excinfo",
        TARIFF,
        {
            T: [
                (
                    '    with pytest.raises(Unknown, match="solar"):\n        price(1, "solar")',
                    '    with pytest.raises(Unknown) as raised:\n        price(1, "solar")\n    assert "solar" in str(raised.value)',
                )
            ]
        },
        None,
    ),
    (
        "whole",
        TARIFF,
        {
            T: [
                (
                    '    assert found["kwh"] == 12\n    assert found["plan"] == "night"',
                    '    assert found == {"kwh": 12, "plan": "night"}',
                )
            ]
        },
        None,
    ),
    (
        "part",
        TARIFF,
        {T: [('    assert parse("7") == {"kwh": 7, "plan": "basic"}', '    assert parse("7")["kwh"] == 7')]},
        45,
    ),
    (
        "keys",
        TARIFF,
        {
            T: [
                (
                    '    assert parse("7") == {"kwh": 7, "plan": "basic"}',
                    '    assert parse("7").keys() == {"kwh", "plan"}',
                )
            ]
        },
        45,
    ),
    ("any", TARIFF, {T: [("assert all(price", "assert any(price")]}, 49),
    (
        "all to loop",
        TARIFF,
        {
            T: [
                (
                    "    assert all(price(n) == n * RATE for n in (1, 2, 3))",
                    "    for n in (1, 2, 3):\n        assert price(n) == n * RATE",
                )
            ]
        },
        None,
    ),
    ("rate by itself", TARIFF, {T: [("RATE = 32.5", "RATE = price(1)")]}, 6),
    ("message", TARIFF, {T: [("assert price(kwh) == cents", 'assert price(kwh) == cents, f"{kwh} kWh"')]}, None),
    ("swapped", TARIFF, {T: [("assert price(kwh) == cents", "assert cents == price(kwh)")]}, None),
    ("unasserted", TARIFF, {T: [("    assert price(kwh) == cents", "    price(kwh) == cents")]}, 10),
    ("moved", TARIFF, {T: None, "tests/unit/test_prices.py": TARIFF[T]}, None),
    ("moved, not collected", TARIFF, {T: None, "tests/unit/prices.py": TARIFF[T]}, None if False else -1),
    (
        "class",
        TARIFF,
        {
            T: [
                (
                    "def test_nothing():\n    check(0, 0)\n\n\ndef test_basic():\n    check(10, 325.0)\n    check(100, 3250.0)",
                    "class TestBasic:\n    def test_nothing(self):\n        check(0, 0)\n\n    def test_basic(self):\n        check(10, 325.0)\n        check(100, 3250.0)",
                )
            ]
        },
        None,
    ),
    (
        "class not collected",
        TARIFF,
        {
            T: [
                (
                    "def test_nothing():\n    check(0, 0)\n\n\ndef test_basic():\n    check(10, 325.0)\n    check(100, 3250.0)",
                    "class BasicTests:\n    def test_nothing(self):\n        check(0, 0)\n\n    def test_basic(self):\n        check(10, 325.0)\n        check(100, 3250.0)",
                )
            ]
        },
        14,
    ),
    ("commented", TARIFF, {T: [("    check(100, 3250.0)", "    # check(100, 3250.0)")]}, 19),
    (
        "early return",
        TARIFF,
        {
            T: [
                (
                    '    found = parse("12@night")\n',
                    '    found = parse("12@night")\n    if not found:\n        return\n',
                )
            ]
        },
        41,
    ),
    (
        "imported away",
        TARIFF,
        {
            T: [
                (
                    "from power.tariff import Unknown, parse, price",
                    "from power.tariff import Unknown, parse\n\nprice = lambda kwh, plan=None: kwh * 32.5",
                )
            ]
        },
        6,
    ),
    ("called less", QUEUE, {U: [('assert_called_once_with("a@b.c")', "assert_called()")]}, 14),
    (
        "called misspelt",
        QUEUE,
        {U: [('self.send.assert_called_once_with("a@b.c")', 'self.send.called_once_with("a@b.c")')]},
        14,
    ),
    ("any argument", QUEUE, {U: [('assert_called_once_with("a@b.c")', "assert_called_once_with(mock.ANY)")]}, 14),
    (
        "length",
        QUEUE,
        {U: [('self.assertEqual(self.queue.sent, ["a@b.c", "b@b.c"])', "self.assertEqual(len(self.queue.sent), 2)")]},
        19,
    ),
    (
        "order lost",
        QUEUE,
        {
            U: [
                (
                    'self.assertEqual(self.queue.sent, ["a@b.c", "b@b.c"])',
                    'self.assertCountEqual(self.queue.sent, ["a@b.c", "b@b.c"])',
                )
            ]
        },
        19,
    ),
    (
        "set",
        QUEUE,
        {
            U: [
                (
                    'self.assertEqual(self.queue.sent, ["a@b.c", "b@b.c"])',
                    'self.assertEqual(set(self.queue.sent), {"a@b.c", "b@b.c"})',
                )
            ]
        },
        19,
    ),
    (
        "plain asserts",
        QUEUE,
        {
            U: [
                ('self.assertEqual(self.queue.put("a@b.c"), 1)', 'assert self.queue.put("a@b.c") == 1'),
                ("self.assertListEqual(numbers, [1, 2, 3])", "assert numbers == [1, 2, 3]"),
            ]
        },
        None,
    ),
    ("not called lost", QUEUE, {U: [("        self.send.assert_not_called()\n", "")]}, 23),
    (
        "to functions",
        QUEUE,
        {
            U: """from unittest import mock

import pytest

from mail.queue import Queue


@pytest.fixture
def send():
    return mock.Mock()


@pytest.fixture
def queue(send):
    return Queue(send)


def test_sends(queue, send):
    assert queue.put("a@b.c") == 1
    send.assert_called_once_with("a@b.c")


def test_counts(queue):
    queue.put("a@b.c")
    queue.put("b@b.c")
    assert queue.sent == ["a@b.c", "b@b.c"]


def test_refuses(queue, send):
    with pytest.raises(ValueError):
        queue.put("nobody")
    send.assert_not_called()


def test_order(queue):
    assert [queue.put(f"{n}@b.c") for n in range(3)] == [1, 2, 3]
"""
        },
        None,
    ),
    (
        "to functions, one lost",
        QUEUE,
        {
            U: """from unittest import mock

import pytest

from mail.queue import Queue


@pytest.fixture
def send():
    return mock.Mock()


@pytest.fixture
def queue(send):
    return Queue(send)


def test_sends(queue, send):
    assert queue.put("a@b.c") == 1
    send.assert_called_once_with("a@b.c")


def test_counts(queue):
    queue.put("a@b.c")
    queue.put("b@b.c")
    assert queue.sent == ["a@b.c", "b@b.c"]


def test_refuses(queue, send):
    with pytest.raises(ValueError):
        queue.put("nobody")


def test_order(queue):
    assert [queue.put(f"{n}@b.c") for n in range(3)] == [1, 2, 3]
"""
        },
        31,
    ),
    ("range", QUEUE, {U: [("for n in range(3)]", "for n in range(1)]"), ("[1, 2, 3]", "[1]")]}, 27),
    ("expected failure", QUEUE, {U: [("    def test_order", "    @unittest.expectedFailure\n    def test_order")]}, 26),
    ("case is none", QUEUE, {U: [("class QueueTest(unittest.TestCase):", "class QueueTest:")]}, 7),
    ("await lost", STORE, {A: [('    assert await load("a") == 1', '    assert load("a") is not None')]}, 9),
    ("mark lost", STORE, {A: [("pytestmark = pytest.mark.asyncio\n", "")]}, 6),
    ("keys lost", STORE, {A: [('["", "x", "y"]', '["x"]')]}, 16),
    ("param marked", STORE, {A: [('["", "x", "y"]', '[pytest.param("", marks=pytest.mark.xfail), "x", "y"]')]}, 16),
    (
        "merged",
        STORE,
        {
            A: [
                ('async def test_missing():\n    assert await load("b") is None\n\n\n', ""),
                ('["", "x", "y"]', '["", "b", "x", "y"]'),
            ]
        },
        None,
    ),
    ("falsy", STORE, {A: [('assert await load("b") is None', 'assert not await load("b")')]}, 13),
    (
        "env skip",
        STORE,
        {
            A: [
                (
                    "async def test_missing",
                    '@pytest.mark.skipif("CI" in os.environ, reason="slow")\nasync def test_missing',
                ),
                ("import pytest\n", "import os\n\nimport pytest\n"),
            ]
        },
        14,
    ),
    (
        "conftest",
        STORE,
        {
            "tests/conftest.py": "import pytest\n\n\ndef pytest_collection_modifyitems(items):\n    for item in items:\n        if 'missing' in item.name:\n            item.add_marker(pytest.mark.skip)\n"
        },
        -1,
    ),
    ("another test", STORE, {A: STORE[A] + "\n\nasync def test_none():\n    assert await load(None) is None\n"}, None),
    (
        "formatted",
        STORE,
        {A: [('    assert await load("a") == 1', "    assert (\n        await load('a')\n    ) == 1")]},
        None,
    ),
    (
        "one-line helper",
        BOOKING,
        {
            B: [
                (
                    "def test_price():\n    assert price(2) == 160\n    assert price(2, guests=4) == 220",
                    "def cost(guests):\n    return price(2, guests=guests)\n\n\ndef test_price():\n    assert cost(2) == 160\n    assert price(2) == 160\n    assert cost(4) == 220",
                )
            ]
        },
        None,
    ),
    ("chain", BOOKING, {B: [("price(2) == 160\n", "price(2) == price(2, 2) == 160\n")]}, None),
    (
        "any order",
        BOOKING,
        {B: [("[price(n) for n in (1, 2)] == [80, 160]", "{price(n) for n in (1, 2)} == {80, 160}")]},
        12,
    ),
    (
        "fail in else",
        BOOKING,
        {
            B: [
                (
                    "    with pytest.raises(ValueError, match='nights'):\n        price(0)",
                    "    try:\n        price(0)\n    except ValueError as error:\n        assert 'nights' in str(error)\n    else:\n        pytest.fail('booked')",
                )
            ]
        },
        None,
    ),
    (
        "no else",
        BOOKING,
        {
            B: [
                (
                    "    with pytest.raises(ValueError, match='nights'):\n        price(0)",
                    "    try:\n        price(0)\n    except ValueError as error:\n        assert 'nights' in str(error)",
                )
            ]
        },
        16,
    ),
    (
        "part computed away",
        BOOKING,
        {
            B: [
                (
                    "def test_price():",
                    "def test_price(monkeypatch):\n    monkeypatch.setattr('booking._night', lambda guests: 80)",
                )
            ]
        },
        7,
    ),
    (
        "computed away for all",
        BOOKING,
        {
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef quick(monkeypatch):\n    monkeypatch.setattr('booking._night', lambda guests: 80)\n"
        },
        6,
    ),
    (
        "left out on request",
        BOOKING,
        {
            "tests/conftest.py": "def pytest_collection_modifyitems(config, items):\n    if config.getoption('--quick'):\n        items[:] = [i for i in items if 'slow' not in i.keywords]\n"
        },
        None,
    ),
    (
        "left out unasked",
        BOOKING,
        {
            "tests/conftest.py": "import pytest\n\n\ndef pytest_collection_modifyitems(config, items):\n    if config.getoption('--all'):\n        return\n    for item in items:\n        item.add_marker(pytest.mark.skip)\n"
        },
        7,
    ),
]


@pytest.mark.parametrize(("base", "change", "line"), [pytest.param(*r[1:], id=r[0]) for r in ROWS])
def test_a_change_asks_as_much(base: Mapping[str, str], change: Mapping[str, Any], line: int | None) -> None:
    """None: nothing is refused; -1: refused anywhere; else within three lines."""
    found = judged(base, change)

    if line is None:
        assert [] == [f.message for f in found]
    else:
        places = [f.location.line for f in found if f.location is not None]
        assert places
        assert line == -1 or any(abs((p or 1) - line) <= 3 for p in places)


LEVY = {
    "town/levy.py": "PERCENT = 10\n\n\ndef due(cents):\n    if cents < 0:\n        raise ValueError('cents')\n    return cents * PERCENT // 100\n",
    "tests/test_levy.py": "import pytest\n\nfrom town.levy import due\n\n\ndef test_due():\n    assert due(500) == 50\n\n\ndef test_negative():\n    with pytest.raises(ValueError):\n        due(-1)\n",
}
LEVY_BRIEF = "The levy is 20 % from now on. Change code and tests."


def test_a_test_that_is_merged_with_the_new_answer_of_its_call_is_not_gone() -> None:
    """What the brief changes may be expected in a table, and an exception may be demanded more strictly beside it."""
    table = (
        "@pytest.mark.parametrize(('cents', 'levy'), [(500, 100), (0, 0)])\n"
        "def test_levy(cents, levy):\n    assert due(cents) == levy\n"
    )
    change = {
        "town/levy.py": [("10\n", "20\n")],
        "tests/test_levy.py": [
            ("def test_due():\n    assert due(500) == 50\n", table),
            ("raises(ValueError)", "raises(ValueError, match='cents')"),
        ],
    }
    assert judged(LEVY, change, LEVY_BRIEF) == []


def test_a_fixture_that_replaces_what_is_tested_is_refused() -> None:
    """A fixture that tests of the base have since may not compute in the place of the code."""
    change = {
        "tests/test_levy.py": [
            (
                "def test_due():",
                "@pytest.fixture\ndef plain(monkeypatch):\n    monkeypatch.setattr('town.levy.due', lambda c: 50)\n\n\ndef test_due(plain):",
            ),
        ]
    }
    assert [8] == [f.location.line for f in judged(LEVY, change) if f.location is not None]
