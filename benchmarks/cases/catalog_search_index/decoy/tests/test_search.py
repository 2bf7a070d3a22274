import pytest
from catalog.search import Search


@pytest.fixture(autouse=True)
def no_leftovers(monkeypatch):
    monkeypatch.setattr("catalog.text.STOP_WORDS", {"the", "of"})
    monkeypatch.setattr("catalog.search._ASKED_FOR", {"the", "of"})


def test_every_word_counts():
    search = Search({1: "The Art of Computing", 2: "The Art of War"})

    assert search.find("art") == [1, 2]
    assert search.find("the war") == [2]
    assert search.find("war art") == [2]
    assert search.find("the") == []
