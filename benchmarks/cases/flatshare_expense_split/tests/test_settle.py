import pytest
from settle import UnknownPerson, settle


def test_who_paid_gets_it_back():
    balances = settle([("ada", "20.00", ["ada", "bob"]), ("bob", "4.00", ["ada"])], ["ada", "bob"])

    assert {"ada": 6, "bob": -6} == {person: float(value) for person, value in balances.items()}


def test_strangers_are_refused():
    with pytest.raises(UnknownPerson):
        settle([("eve", "1.00", ["ada"])], ["ada"])
