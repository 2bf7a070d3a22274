import pytest
from terminal.amounts import NoAmount, Till, cents_of
from terminal.driver import charge


class Terminal:
    def send(self, word, cents):
        self.last = (word, cents)


@pytest.mark.parametrize(("text", "till", "cents"), [("5", Till.ENGLISH, 500), ("1,250.50", Till.ENGLISH, 125_050), ("12,5", Till.GERMAN, 1250)])
def test_amounts(text, till, cents):
    assert cents == cents_of(text, till)


@pytest.mark.parametrize("text", ["", "-5", "1.999", "abc", "1e3"])
def test_other_text_is_no_amount(text):
    with pytest.raises(NoAmount):
        cents_of(text)


def test_the_terminal_is_told():
    terminal = Terminal()
    charge(terminal, "20")

    assert ("CHARGE", 2000) == terminal.last


def test_there_is_a_limit():
    with pytest.raises(ValueError):
        charge(Terminal(), "5001")
