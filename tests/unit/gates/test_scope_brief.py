"""`scope.brief`: what a brief excludes is refused where a change touches it; what goes with the work passes."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.scope_brief import scope_brief

BASE = {
    "orders/api.py": "from shared import paging\n\n\ndef list_orders(store, page=1):\n    return store.page(page, paging.PAGE_SIZE)\n\n\ndef get_order(store, number):\n    return store.get(number)\n",
    "shared/paging.py": "PAGE_SIZE = 50\n\n\ndef pages(count, size=PAGE_SIZE):\n    return -(-count // size)\n",
    "shared/permissions.py": "def may_read(user, order):\n    return user.id == order.owner\n",
    "tests/test_orders.py": "def test_list():\n    assert True\n",
    "requirements.txt": "httpx==0.27\n",
    "CHANGELOG.md": "# Changes\n",
    ".github/workflows/ci.yml": "on: push\n",
}


def found(brief: str, files: Mapping[str, Any], removals: Sequence[str] = ()) -> list[Finding]:
    """Return the findings on a change of `BASE`; a pair replaces a text in a file."""
    base = Artifact.of(BASE)
    now = {p: BASE[p].replace(*c) if isinstance(c, tuple) else c for p, c in files.items()}
    artifact = Artifact.of(now, removals=removals, base=base.digest)
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=artifact,
        inputs={"base": base},
    )
    return [f for f in scope_brief(work) if f.severity >= Severity.MAJOR]


def row(name: str, brief: str, files: Mapping[str, Any], removals: Sequence[str] = (), *, bad: bool = True) -> Any:
    return pytest.param(brief, files, removals, bad, id=name)


API = {"orders/api.py": ("page=1", "page=1, size=None")}
SH = {"shared/paging.py": ("50", "10")}
ok = "Add an optional page size to `list_orders` in orders/api.py."
LIMITS = {
    "leave": " Leave shared/ as it is.",
    "donot": " Do not touch `shared/paging.py`.",
    "nothing": " Nothing else changes.",
    "other modules": " All other modules stay unchanged.",
    "shared mod": " The shared module must stay as it is.",
    "const": " `PAGE_SIZE` stays as it is.",
    "outside": " Do not change anything outside of orders/.",
    "without": " Do it without touching shared/paging.py.",
    "dotted": " `shared.paging` is used by others and must not change.",
    "package": " Please leave the shared package alone.",
    "no changes": " No changes to shared/ please.",
}


@pytest.mark.parametrize("words", LIMITS.values(), ids=list(LIMITS))
def test_a_limit_has_many_words(words: str) -> None:
    """What is beside it is refused at its line, and the work itself with its tests and its changelog passes."""
    (finding,) = found(ok + words, {**API, **SH})

    assert finding.location is not None
    assert ("shared/paging.py", 1) == (finding.location.path, finding.location.line)
    assert not found(
        ok + words, {**API, "tests/test_orders.py": ("True", "1"), "CHANGELOG.md": "# Changes\n- page size\n"}
    )


@pytest.mark.parametrize(
    ("brief", "files", "removals", "bad"),
    [
        row("plain", ok, {**API}, bad=False),
        row("plain other", ok, {**API, **SH}),
        row("only", "Change only `list_orders` in `orders/api.py`: it takes a page size.", {**API, **SH}),
        row(
            "only f",
            "Change only `list_orders` in `orders/api.py`: it takes a page size.",
            {
                "orders/api.py": BASE["orders/api.py"]
                .replace("page=1", "page=1, size=None")
                .replace("store.get(number)", "store.get(int(number))")
            },
        ),
        row(
            "only f clean",
            "Change only `list_orders` in `orders/api.py`: it takes a page size.",
            {
                "orders/api.py": BASE["orders/api.py"]
                .replace("page=1", "page=1, size=None")
                .replace("from shared", "import math\nfrom shared")
            },
            bad=False,
        ),
        row(
            "set from",
            ok + " Leave `shared/paging.py` as it is.",
            {
                "orders/api.py": BASE["orders/api.py"].replace("page=1", "page=1, size=None")
                + "\n\npaging.PAGE_SIZE = 10\n"
            },
        ),
        row("dep", ok, {**API, "requirements.txt": "httpx==0.27\nleftpad==1.0\n"}),
        row(
            "dep named",
            ok + " Use tenacity for retries.",
            {**API, "requirements.txt": "httpx==0.27\ntenacity==9.0\n"},
            bad=False,
        ),
        row("ci", ok, {**API, ".github/workflows/ci.yml": "on: never\n"}),
        row(
            "ci named",
            "Run the workflow in .github/workflows/ci.yml on tags too.",
            {".github/workflows/ci.yml": "on: [push, tag]\n"},
            bad=False,
        ),
        row("pyc", ok, {**API, "orders/__pycache__/api.cpython-311.pyc": "x"}),
        row("removed", ok + " Leave shared/ as it is.", {**API}, ["shared/permissions.py"]),
        row(
            "signature",
            ok + " Public signatures in the other modules stay as they are.",
            {**API, "shared/paging.py": ("count, size=", "total, size=")},
        ),
        row("defaults", "Speed up `pages`. Do not change any defaults.", {"shared/paging.py": ("50", "10")}),
        row("permission", ok + " Permissions must not change.", {**API, "shared/permissions.py": ("==", "!=")}),
        row("permission clean", ok + " Permissions must not change.", {**API}, bad=False),
        row("tests", ok + " Do not change existing tests.", {**API, "tests/test_orders.py": ("True", "1")}),
        row("only admins", "Only admins may list orders. Return only active orders.", {**API}, bad=False),
        row(
            "unchanged listed",
            ok + " Leave shared/ as it is.",
            {**API, "shared/paging.py": BASE["shared/paging.py"]},
            bad=False,
        ),
        row(
            "similar name",
            ok + " Leave `shared/paging.py` as it is.",
            {**API, "orders/paging.py": "SIZE = 10\n"},
            bad=False,
        ),
        row(
            "shadow",
            ok + " Leave `shared/paging.py` as it is.",
            {**API, "shared/paging/__init__.py": "PAGE_SIZE = 10\n"},
        ),
        row("doc only", ok + " Nothing else changes.", {**API, "docs/orders.md": "size\n"}, bad=False),
        row("baseline", ok, {**API, "security-baseline.json": "{}"}),
        row(
            "the tables", ok + " The tables stay as they are.", {**API, "db/2_limit.sql": "ALTER TABLE o ADD c text;\n"}
        ),
        row(
            "rows of a table",
            "Notes have at most 160 signs now. Those we have must remain readable, in `notes` or in a table beside it.",
            {"db/2_limit.sql": "ALTER TABLE notes ADD CHECK (length(note) <= 160) NOT VALID;\n"},
            bad=False,
        ),
        row("ruff pyproject", ok, {**API, "squads.toml": "x=1"}),
    ],
)
def test_a_change_is_held_against_its_brief(
    brief: str, files: Mapping[str, Any], removals: Sequence[str], bad: bool
) -> None:
    """Paths, functions, kinds of things, dependencies, and what judges."""
    assert bad == bool(found(brief, files, removals))
