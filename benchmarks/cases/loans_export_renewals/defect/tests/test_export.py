from datetime import date

from lending.export import export
from lending.loans import Loan


def test_a_loan_is_one_line() -> None:
    text = export([Loan("c1", "Mel 7", "harbour", date(2025, 3, 3), dues_cents=205)])

    assert text.splitlines()[1] == "c1;Mel 7;harbour;2025-03-31;2,05;0"
