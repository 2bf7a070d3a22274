import pytest

from quota.ledger import Ledger, Overfished


@pytest.fixture
def ledger() -> Ledger:
    return Ledger({("HH-4", "COD"): 1000, ("HH-4", "HER"): 200})


@pytest.mark.parametrize(("landed", "cod"), [(300, 700), (1000, 0), (1040, 0)])
def test_what_remains_of_each_species(ledger: Ledger, landed: int, cod: int) -> None:
    ledger.land("HH-4", "COD", landed)

    assert [ledger.remaining("HH-4", species) for species in ("COD", "HER")] == [cod, 200]


def test_a_landing_above_the_margin_is_refused(ledger: Ledger) -> None:
    ledger.land("HH-4", "COD", 1000)

    with pytest.raises(Overfished):
        ledger.land("HH-4", "COD", 51)

    assert ledger.remaining("HH-4", "COD") == 0
