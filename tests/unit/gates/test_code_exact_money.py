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


def test_a_float_made_for_money_in_another_file_is_refused() -> None:
    """A helper for numbers knows nothing of money; who calls it does."""
    helper = 'def number(text):\n    return float(text.replace(",", "."))\n'
    statement = "from bank.parse import number\n\n\ndef balance(rows):\n    total = 0\n    for row in rows:\n"
    statement += '        total += number(row["Betrag"])\n    return total\n'

    assert refusing({"bank/parse.py": helper, "bank/statement.py": statement})


@pytest.mark.parametrize(
    ("uses", "refused"),
    [
        ("len(bar) * float(paid) / float(goal)", False),
        ("'#' * round(20 * float(paid) / goal_cents)", False),
        ("sorted(rows, key=lambda r: float(r.paid))", False),
        ("float(paid) > 1000", False),
        ("book(float(paid) * 3)", True),
        ("{'paid': float(paid)}", True),
    ],
)
def test_what_a_float_ends_in_decides(uses: str, refused: bool) -> None:
    """A share, a length, an order and a comparison are no amount; what is booked or answered as one is."""
    text = f"# invoice, payment, currency\n\n\ndef state(paid, goal, goal_cents, bar, rows, book):\n    return {uses}\n"

    assert refused is bool(refusing(text))
