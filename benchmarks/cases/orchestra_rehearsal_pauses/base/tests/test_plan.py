from datetime import datetime

from rehearsals.plan import plan_day

TEN = datetime(2025, 3, 1, 10)


def test_there_is_a_pause_between_two_works():
    first, second = plan_day(TEN, [("Eroica", 60), ("Tapiola", 30)])
    assert first.ends == datetime(2025, 3, 1, 11)
    assert second.begins == datetime(2025, 3, 1, 11, 20)


def test_no_works_no_slots():
    assert plan_day(TEN, []) == []
