from placement.score import level_of, points


def test_points():
    assert points({1: "have been", 2: "went", 3: None}, {1: "have been", 2: "gone", 3: "to"}) == 1


def test_case_and_spaces():
    assert points({1: "  HAVE been ", 2: "Went"}, {1: "have been", 2: "gone"}) == 1


def test_level():
    assert level_of(13) == "A2"
