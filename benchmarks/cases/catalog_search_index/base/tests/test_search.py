from catalog.search import Search


def test_every_word_counts():
    search = Search({1: "The Art of Computing", 2: "The Art of War"})

    assert search.find("art") == [1, 2]
    assert search.find("the war") == [2]
