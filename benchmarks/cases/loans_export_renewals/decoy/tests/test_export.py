from datetime import date

from lending.export import export
from lending.loans import Loan


def test_a_loan_is_one_line() -> None:
    text = export([Loan("c1", "Mel 7", "harbour", date(2025, 3, 3), dues_cents=205)])

    assert text.splitlines()[1].startswith("c1;Mel 7;harbour;31.03.2025;2,05")


def test_renewals_are_the_last_column() -> None:
    text = export([Loan("c1", "Mel 7", "harbour", date(2025, 3, 3), renewals=2)])

    assert [line.split(";")[-1] for line in text.splitlines()] == ["renewals", "2"]
