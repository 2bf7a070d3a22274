from union.interest import credit


def test_interest_is_added():
    rows, total = credit(["1;1000.00;A", "2;500.00;F", "3;-20.00;A"], "1")

    assert ["1010.00", "500.00", "-20.00"] == [row.split(";")[1] for row in rows]
    assert 10 == float(total)
