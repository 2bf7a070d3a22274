"""`code.exact-money`: money in binary floating point is refused; exact numbers, ratios and what is only shown pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.bench.strip import stripped
from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.checks.code_exact_money import INVARIANT, exact_money

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/code_exact_money"


def found(files: str | dict[str, str]) -> list[Finding]:
    return exact_money(Artifact.of({"app/module.py": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


def case(path: Path) -> dict[str, str]:
    """Return a case's files: one file under a plain name, or a folder's."""
    if path.is_file():
        return {f"app/module{path.suffix}": stripped(path.name, path.read_text("utf-8"))}
    inside = sorted(p for p in path.rglob("*") if p.is_file())
    return {p.relative_to(path).as_posix(): stripped(p.name, p.read_text("utf-8")) for p in inside}


@pytest.mark.parametrize("path", sorted(CASES.iterdir()), ids=lambda p: p.name)
def test_every_case_is_judged_as_it_is_named(path: Path) -> None:
    """What is called refused or cosmetic is refused, and what is called approved is not."""
    assert bool(refusing(case(path))) is not path.name.startswith("approved")


def test_its_own_example_says_what_it_does() -> None:
    """The documents show these two."""
    assert refusing(INVARIANT.refused)
    assert not found(INVARIANT.approved)


def test_a_finding_points_to_the_computation() -> None:
    """The line that makes the float."""
    (finding,) = refusing(
        "def net(gross_cents, customer):\n    invoice = customer\n    return round(gross_cents / 1.19)\n"
    )

    assert finding.location is not None
    assert 3 == finding.location.line


def test_what_a_chart_gets_is_a_note() -> None:
    """A picture may be off by less than a pixel."""
    text = "def plot(plt, invoice):\n    plt.plot(float(invoice.amount))\n# payment, currency\n"

    assert [Severity.NOTE] == [f.severity for f in found(text)]


def test_a_division_in_a_file_of_decimals_is_believed() -> None:
    """Where nothing says what a value is, and the file works with `Decimal`."""
    text = "{}\ndef split(payment_total, customers):\n    payment = payment_total / customers\n    return payment\n"

    assert not refusing(text.format("from decimal import Decimal\n"))
    assert refusing(text.format(""))


@pytest.mark.parametrize("name", ["tax_rate", "discount_percent", "price_index", "fee_ratio", "cost_weight"])
def test_what_only_sounds_like_money_is_none(name: str) -> None:
    """A rate of a tax is a number."""
    assert not found(f"# invoice payment customer\n{name}: float = 0.5\n")
