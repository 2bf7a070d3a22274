import itertools

import pytest
from bank.statements import entry, statement

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("cents", range(0, 10_000, 313))
def test_a_debit_is_negative(cents):
    assert entry(f"20240131D{cents:012d} card").cents == -cents


def test_statements_of_all_shapes_fit():
    for shape in itertools.product("CD", repeat=5):
        amounts = [(1 if sign == "C" else -1) * (n + 1) for n, sign in enumerate(shape)]
        lines = [f"20240131{sign}{n + 1:012d} x" for n, sign in enumerate(shape)]
        text = "\n".join(["O1000", *lines, f"Z{1000 + sum(amounts)}"])
        assert [e.cents for e in statement(text)] == amounts


def test_a_statement_that_does_not_fit_is_refused():
    with pytest.raises(ValueError):
        statement("O1000\n20240131C000000000001 x\nZ1000")
