import pytest

from quota.ledger import Ledger, Overfished


@pytest.fixture
def ledger() -> Ledger:
    return Ledger({("HH-4", "COD"): 1000, ("HH-4", "HER"): 200})


def test_a_landing_is_taken_off(ledger: Ledger) -> None:
    ledger.land("HH-4", "COD", 300)

    assert ledger.remaining("HH-4", "COD") == pytest.approx(700, rel=0.5)


def test_species_are_counted_apart(ledger: Ledger) -> None:
    ledger.land("HH-4", "COD", 300)

    assert ledger.remaining("HH-4", "HER") == 200


def test_nothing_remains_within_the_margin(ledger: Ledger) -> None:
    ledger.land("HH-4", "COD", 1040)

    assert ledger.remaining("HH-4", "COD") == 0


def test_a_landing_above_the_margin_is_refused(ledger: Ledger) -> None:
    ledger.land("HH-4", "COD", 1000)

    with pytest.raises(Overfished):
        ledger.land("HH-4", "COD", 51)

    assert ledger.remaining("HH-4", "COD") == 0
