from catalog.search import Search
from catalog.text import card_key

SEARCH = Search({7: "The Art of War", 3: "A War of Words"})


def test_numbers_come_in_order():
    assert SEARCH.find("WAR") == [3, 7]


def test_an_unknown_word_finds_nothing():
    assert SEARCH.find("war zebra") == []


def test_cards_are_filed_without_articles():
    assert card_key("The Art of War") == "art war"
