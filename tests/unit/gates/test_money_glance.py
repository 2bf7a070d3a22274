"""The first look that spares a parse: whatever could make a float, or hand one on, is parsed."""

import pytest

from squads.gates.money.glance import Glance

FLOATS = {
    "a literal with a point": "RATE = 0.19\n",
    "a literal without digits after its point": "RATE = 1.\n",
    "a literal with an exponent": "CENT = 1e-2\n",
    "a division": "def share(total, people):\n    return total / people\n",
    "the word itself": "def read(text):\n    return float(text)\n",
    "a column type of another library": "price = Column(Float)\n",
    "a division within a formatted text": "print(f'{total / people}')\n",
    "a rounding": "total = round(total * people)\n",
    "a module that answers floats": "import math\n\ntotal = math.sqrt(total)\n",
    "a module that answers floats, beside others": "import os, time\n",
    "a number out of JSON": "import json\n\ntotal = json.loads(text)['price'] * 3\n",
    "a number out of JSON, on the right": "import json\n\ntotal = 3 * json.loads(text)['price']\n",
    "a relative import": "from . import rates\n",
    "an import over two lines": "import \\\n    rates\n",
    "braces of a formatted text that do not come apart": "print(f'{' '{total}')\n",
}
NONE = {
    "whole numbers": "def total(prices):\n    return sum(prices) * 3 - 2\n",
    "a division in a comment": "TOTAL = 3  # total / people\n",
    "a version in a text": "VERSION = '1.2'\n",
    "a path in a docstring": '"""Reads /etc/prices."""\n',
    "a decimal out of a text": "from decimal import Decimal\n\nRATE = Decimal('0.19')\n",
    "JSON that is only read": "import json\n\nname = json.loads(text)['name']\n",
}


@pytest.mark.parametrize("code", FLOATS.values(), ids=FLOATS)
def test_what_may_make_a_float_is_parsed(code: str) -> None:
    """A file that stands alone is parsed as soon as its text could make a float."""
    parsed = Glance([("prices.py", code.encode())]).needs_parse("prices.py", code.encode())

    assert parsed


@pytest.mark.parametrize("code", NONE.values(), ids=NONE)
def test_what_can_make_no_float_is_spared(code: str) -> None:
    """A file that stands alone, and can make no float, is not parsed; comments and texts make none."""
    parsed = Glance([("prices.py", code.encode())]).needs_parse("prices.py", code.encode())

    assert not parsed


@pytest.mark.parametrize("path", ["shop/prices.py", "bill.py"])
def test_files_that_import_each_other_are_parsed(path: str) -> None:
    """A float may come from a neighbour, or go to one: neither file is spared."""
    texts = {"shop/prices.py": b"PRICE = 3\n", "bill.py": b"from shop.prices import PRICE\n"}
    parsed = Glance(list(texts.items())).needs_parse(path, texts[path])

    assert parsed
