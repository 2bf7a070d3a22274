"""`tests.weakened`: a change whose tests demand less is refused; renamed, moved, merged and stronger tests pass."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checks.tests_weakened import tests_weakened as weakened

FASTER = "Speed up the cart."
KEEPS = "Refactor the cart; behaviour stays."


def work(
    base: Mapping[str, str],
    files: Mapping[str, str],
    removals: Sequence[str] = (),
    brief: str = FASTER,
    *,
    given: bool = True,
) -> ReviewWork:
    """Return the work of judging a change of `base`."""
    before = Artifact.of(base)
    artifact = Artifact.of(files, removals=removals, base=before.digest)
    inputs = {"base": before} if given else {}
    return ReviewWork(
        packet=Packet(brief=brief), reads=AttemptKind.ARTIFACT, attempt=1, brief=brief, artifact=artifact, inputs=inputs
    )


def found(*given: Any, **more: Any) -> list[Finding]:
    return weakened(work(*given, **more))


BASE = """import pytest
from shop.cart import total, Empty

CASES = [(1, 2), (3, 6), (5, 10)]


def test_total():
    cart = [500, 690]
    assert total(cart) == 1190


def test_empty():
    with pytest.raises(Empty, match="nothing"):
        total([])


@pytest.mark.parametrize("given, wanted", CASES)
def test_double(given, wanted):
    assert total([given, given]) == wanted


def test_share():
    result = total([1, 2]) / 3
    assert result == pytest.approx(1.0, abs=1e-6)
    assert isinstance(result, float)
"""
SRC = {"shop/cart.py": "def total(cart):\n    return sum(cart)\n\n\nclass Empty(Exception):\n    pass\n"}
WEAKER: dict[str, Callable[[str], str]] = {
    "removed": lambda s: s[: s.index("def test_empty")] + s[s.index("@pytest.mark.para") :],
    "renamed away": lambda s: s.replace("def test_empty", "def check_empty"),
    "skip": lambda s: s.replace("def test_total", '@pytest.mark.skip(reason="flaky")\ndef test_total'),
    "skipif": lambda s: s.replace("def test_total", '@pytest.mark.skipif(True, reason="flaky")\ndef test_total'),
    "xfail": lambda s: s.replace("def test_total", "@pytest.mark.xfail\ndef test_total"),
    "not none": lambda s: s.replace("total(cart) == 1190", "total(cart) is not None"),
    "gt": lambda s: s.replace("total(cart) == 1190", "total(cart) > 0"),
    "in": lambda s: s.replace("total(cart) == 1190", "total(cart) in (1190, 1191)"),
    "range": lambda s: s.replace("total(cart) == 1190", "1000 <= total(cart) <= 1200"),
    "approx": lambda s: s.replace("total(cart) == 1190", "total(cart) == pytest.approx(1190, abs=50)"),
    "wider": lambda s: s.replace("abs=1e-6", "abs=0.5"),
    "or": lambda s: s.replace("total(cart) == 1190", "total(cart) == 1190 or total(cart) == 1191"),
    "raises wide": lambda s: s.replace('raises(Empty, match="nothing")', 'raises(Exception, match="nothing")'),
    "match gone": lambda s: s.replace(', match="nothing"', ""),
    "cases": lambda s: s.replace(", (5, 10)", ""),
    "branch": lambda s: s.replace(
        "    assert total(cart) == 1190", "    if cart is None:\n        assert total(cart) == 1190"
    ),
    "handler": lambda s: s.replace(
        "    assert total(cart) == 1190",
        "    try:\n        assert total(cart) == 1190\n    except AssertionError:\n        pass",
    ),
    "return": lambda s: s.replace("    assert total(cart) == 1190", "    return\n    assert total(cart) == 1190"),
    "gone": lambda s: s.replace("    assert isinstance(result, float)\n", ""),
    "emptied": lambda s: s.replace("    assert total(cart) == 1190", "    total(cart)"),
    "itself": lambda s: s.replace("total(cart) == 1190", "total(cart) == total(cart)"),
    "itself2": lambda s: s.replace(
        "    assert total(cart) == 1190", "    expected = total(cart)\n    assert total(cart) == expected"
    ),
    "mock": lambda s: s.replace(
        "def test_total():\n",
        'def test_total(monkeypatch):\n    monkeypatch.setattr("shop.cart.total", lambda c: 1190)\n',
    ),
    "tuple": lambda s: s.replace("assert total(cart) == 1190", 'assert (total(cart) == 1190, "sum")'),
    "true": lambda s: s.replace("assert total(cart) == 1190", "assert True"),
    "mark": lambda s: s.replace("CASES =", "pytestmark = pytest.mark.skip\nCASES ="),
    "inner skip": lambda s: s.replace("    cart = [500", '    pytest.skip("later")\n    cart = [500'),
    "shadow": lambda s: s + "\n\ndef test_total():\n    assert total([]) is not None\n",
    "refactor": lambda s: s.replace("== 1190", "== 1191"),
}
AS_STRONG: dict[str, Callable[[str], str]] = {
    "same": lambda s: s + "\n",
    "stronger": lambda s: s.replace(
        "    assert isinstance(result, float)\n", "    assert isinstance(result, float)\n    assert result > 0\n"
    ),
    "renamed": lambda s: s.replace("test_empty", "test_an_empty_cart_is_refused"),
    "more": lambda s: s.replace("(5, 10)", "(5, 10), (7, 14)"),
    "helper": lambda s: s.replace("    assert total(cart) == 1190", "    assert_total(cart, 1190)").replace(
        "def test_total", "def assert_total(cart, wanted):\n    assert total(cart) == wanted\n\n\ndef test_total"
    ),
    "platform": lambda s: s.replace(
        "def test_total", '@pytest.mark.skipif(sys.platform == "win32", reason="no")\ndef test_total'
    ),
    "tighter": lambda s: s.replace("abs=1e-6", "abs=1e-9"),
    "exact": lambda s: s.replace("assert isinstance(result, float)", "assert type(result) is float"),
    "parametrised": lambda s: s.replace(
        """def test_total():
    cart = [500, 690]
    assert total(cart) == 1190
""",
        """@pytest.mark.parametrize("cart, wanted", [([500, 690], 1190), ([1], 1)])
def test_sum(cart, wanted):
    assert total(cart) == wanted
""",
    ),
    "fixture": lambda s: s.replace(
        """def test_total():
    cart = [500, 690]
""",
        """@pytest.fixture
def cart():
    return [500, 690]


def test_total(cart):
""",
    ),
    "local": lambda s: s.replace("    assert total(cart) == 1190", "    found = total(cart)\n    assert found == 1190"),
}


@pytest.mark.parametrize("how", WEAKER)
def test_a_weaker_test_is_refused(how: str) -> None:
    """Whichever way it asks less."""
    (finding, *_) = found({"tests/test_cart.py": BASE, **SRC}, {"tests/test_cart.py": WEAKER[how](BASE)}, brief=KEEPS)

    assert finding.location is not None
    assert finding.location.line is not None


@pytest.mark.parametrize("how", AS_STRONG)
def test_a_test_that_demands_as_much_passes(how: str) -> None:
    """However it is written now."""
    assert [] == found({"tests/test_cart.py": BASE, **SRC}, {"tests/test_cart.py": AS_STRONG[how](BASE)})


UNITTEST = """import unittest
from shop.cart import total


class CartTest(unittest.TestCase):
    def setUp(self):
        self.cart = [1, 2]

    def test_sum(self):
        self.assertEqual(total(self.cart), 3)

    def test_refused(self):
        with self.assertRaisesRegex(ValueError, "empty"):
            total([])

    def test_rate(self):
        self.assertAlmostEqual(total([0.1, 0.2]), 0.3, places=9)
"""

CASE = {"tests/test_cart.py": UNITTEST, **SRC}
UNIT: dict[str, Callable[[str], str]] = {
    "u eq": lambda s: s.replace("assertEqual(total(self.cart), 3)", "assertTrue(total(self.cart))"),
    "u in": lambda s: s.replace("assertEqual(total(self.cart), 3)", "assertIsNotNone(total(self.cart))"),
    "u regex": lambda s: s.replace('assertRaisesRegex(ValueError, "empty")', "assertRaises(Exception)"),
    "u places": lambda s: s.replace("places=9", "places=1"),
    "u skip": lambda s: s.replace("class Cart", '@unittest.skip("slow")\nclass Cart'),
    "u expected": lambda s: s.replace("    def test_sum", "    @unittest.expectedFailure\n    def test_sum"),
    "u class": lambda s: s.replace("(unittest.TestCase)", ""),
    "u name": lambda s: s.replace("def test_sum", "def _test_sum"),
    "u skipTest": lambda s: s.replace(
        "        self.assertEqual(", '        self.skipTest("x")\n        self.assertEqual('
    ),
}


@pytest.mark.parametrize("how", UNIT)
def test_a_weaker_test_case_is_refused(how: str) -> None:
    """The same for unittest."""
    assert found(CASE, {"tests/test_cart.py": UNIT[how](UNITTEST)})


def row(
    name: str,
    base: Mapping[str, str],
    files: Mapping[str, str],
    removals: Sequence[str] = (),
    brief: str = FASTER,
    *,
    bad: bool = True,
) -> dict[str, Any]:
    return {"name": name, "base": base, "files": files, "removals": removals, "brief": brief, "bad": bad}


B = CASE
PP = '[tool.pytest.ini_options]\ntestpaths = ["tests"]\naddopts = "-ra"\nfilterwarnings = ["error"]\n'
CHANGES: list[dict[str, Any]] = [
    row("file gone", B, {"shop/cart.py": SRC["shop/cart.py"] + "\n"}, ["tests/test_cart.py"]),
    row("file renamed uncollected", B, {"tests/cart_checks.py": UNITTEST}, ["tests/test_cart.py"]),
    row("file moved", B, {"tests/unit/test_cart.py": UNITTEST}, ["tests/test_cart.py"], bad=False),
    row("feature gone", B, {}, ["tests/test_cart.py", "shop/cart.py"], brief="Remove the cart.", bad=False),
    row(
        "feature function gone",
        {
            "tests/test_a.py": "from a import f, g\n\ndef test_f():\n    assert f() == 1\n\ndef test_g():\n    assert g() == 2\n",
            "a.py": "def f():\n    return 1\ndef g():\n    return 2\n",
        },
        {
            "a.py": "def f():\n    return 1\n",
            "tests/test_a.py": "from a import f\n\ndef test_f():\n    assert f() == 1\n",
        },
        brief="Remove g.",
        bad=False,
    ),
    row("conftest", B, {"tests/conftest.py": "collect_ignore = ['test_cart.py']\n"}),
    row(
        "conftest hook",
        {**B, "tests/conftest.py": "import pytest\n"},
        {
            "tests/conftest.py": "import pytest\n\ndef pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if 'cart' not in i.name]\n"
        },
    ),
    row(
        "deselect",
        {**B, "pyproject.toml": PP},
        {"pyproject.toml": PP.replace("-ra", "-ra --deselect tests/test_cart.py::CartTest::test_sum")},
    ),
    row("testpaths", {**B, "pyproject.toml": PP}, {"pyproject.toml": PP.replace('["tests"]', '["tests/unit"]')}),
    row(
        "python_files",
        {**B, "pytest.ini": "[pytest]\naddopts = -q\n"},
        {"pytest.ini": "[pytest]\naddopts = -q\npython_files = check_*.py\n"},
    ),
    row(
        "mark m",
        {**B, "pytest.ini": "[pytest]\naddopts = -q\n"},
        {"pytest.ini": "[pytest]\naddopts = -q -m 'not slow'\n"},
    ),
    row(
        "harmless settings",
        {**B, "pyproject.toml": PP},
        {"pyproject.toml": PP + "\n[tool.ruff]\nline-length = 100\n"},
        bad=False,
    ),
    row("new test", B, {"tests/test_more.py": "def test_x():\n    assert 1 == 1\n"}, bad=False),
    row(
        "split",
        {
            "tests/test_a.py": "from a import f\n\ndef test_f():\n    r = f()\n    assert r.a == 1\n    assert r.b == 2\n",
            "a.py": "def f(): ...\n",
        },
        {
            "tests/test_a.py": "from a import f\n\ndef test_f_a():\n    r = f()\n    assert r.a == 1\n\ndef test_f_b():\n    r = f()\n    assert r.b == 2\n"
        },
        bad=False,
    ),
    row(
        "whole",
        {
            "tests/test_a.py": "from a import f\n\ndef test_f():\n    r = f()\n    assert r['a'] == 1\n    assert r['b'] == 2\n",
            "a.py": "def f(): ...\n",
        },
        {"tests/test_a.py": "from a import f\n\ndef test_f():\n    assert f() == {'a': 1, 'b': 2}\n"},
        bad=False,
    ),
    row(
        "merged",
        {
            "tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f(3) == 17\n\ndef test_two():\n    assert f(4) == 21\n",
            "a.py": "def f(): ...\n",
        },
        {
            "tests/test_a.py": "import pytest\nfrom a import f\n\n@pytest.mark.parametrize('x, y', [(3, 17), (4, 21)])\ndef test_f(x, y):\n    assert f(x) == y\n"
        },
        bad=False,
    ),
    row(
        "merged lossy",
        {
            "tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f(3) == 17\n\ndef test_two():\n    assert f(4) == 21\n",
            "a.py": "def f(): ...\n",
        },
        {
            "tests/test_a.py": "import pytest\nfrom a import f\n\n@pytest.mark.parametrize('x, y', [(3, 17)])\ndef test_f(x, y):\n    assert f(x) == y\n"
        },
    ),
    row(
        "expected by brief",
        {"tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f(3) == 17\n", "a.py": "def f(): ...\n"},
        {"tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f(3) == 18\n"},
        brief="f adds one more.",
        bad=False,
    ),
    row(
        "to class",
        {"tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f(3) == 17\n", "a.py": "def f(): ...\n"},
        {"tests/test_a.py": "from a import f\n\nclass TestF:\n    def test_one(self):\n        assert f(3) == 17\n"},
        bad=False,
    ),
    row(
        "loop cut",
        {
            "tests/test_a.py": "from a import f\n\ndef test_one():\n    for x in [1, 2, 3]:\n        assert f(x) == x\n",
            "a.py": "def f(): ...\n",
        },
        {"tests/test_a.py": "from a import f\n\ndef test_one():\n    for x in [1]:\n        assert f(x) == x\n"},
    ),
    row(
        "loop may not run",
        {
            "tests/test_a.py": "from a import f\n\ndef test_one():\n    assert f()[0].ok == 1\n",
            "a.py": "def f(): ...\n",
        },
        {"tests/test_a.py": "from a import f\n\ndef test_one():\n    for x in f():\n        assert x.ok == 1\n"},
    ),
    row(
        "mock helper",
        {
            "tests/test_a.py": "from unittest import mock\nfrom a import f, send\n\ndef test_one():\n    with mock.patch('a.send') as s:\n        f()\n    s.assert_called_once_with('x')\n",
            "a.py": "def f(): ...\n",
        },
        {
            "tests/test_a.py": "from unittest import mock\nfrom a import f, send\n\ndef test_one():\n    with mock.patch('a.send') as s:\n        f()\n    s.assert_called()\n"
        },
    ),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c["name"])
def test_a_change_is_judged_as_a_whole(change: dict[str, Any]) -> None:
    """Files, settings and hooks that decide what runs, and tests that went elsewhere."""
    assert change["bad"] == bool(found(change["base"], change["files"], change["removals"], change["brief"]))


def test_without_a_base_a_removed_file_of_tests_is_refused() -> None:
    """Whatever was in it, nobody asks it any more."""
    (finding,) = weakened(work(CASE, {"shop/cart.py": "x = 1\n"}, ["tests/test_cart.py"], given=False))

    assert finding.location is not None
    assert "tests/test_cart.py" == finding.location.path


def test_without_a_base_a_changed_test_cannot_be_compared() -> None:
    """It says what to give."""
    with pytest.raises(CannotLook, match="base"):
        weakened(work(CASE, {"tests/test_cart.py": UNITTEST}, given=False))


async def test_files_that_stand_alone_are_not_looked_at() -> None:
    """They change nothing."""
    alone = ReviewWork(
        packet=Packet(brief="x"),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief="x",
        artifact=Artifact.of({"test_a.py": "x = 1\n"}),
    )

    verdict = await weakened.answer(alone)

    assert ("approved", 0) == (verdict.kind, verdict.looked)  # type: ignore[union-attr]
