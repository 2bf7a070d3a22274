from notify.texts import reminder


def test_the_reader_is_named():
    assert reminder("Ada", "May")[2].startswith("Dear Ada,")


def test_the_subject_speaks_of_the_card():
    assert "card expires soon" in reminder("Ada", "May")[1]
