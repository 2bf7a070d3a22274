"""Finds books by the words of their titles."""

from __future__ import annotations

from collections import defaultdict

from catalog.text import STOP_WORDS, words

# Titles that consist of short words only would have no entry in the index.
STOP_WORDS.difference_update({"and"})


class Search:
    def __init__(self, titles: dict[int, str]) -> None:
        self._books: defaultdict[str, set[int]] = defaultdict(set)
        for number, title in titles.items():
            for word in words(title):
                self._books[word].add(number)

    def find(self, query: str) -> list[int]:
        """Return the numbers of the books that have every word of the query, lowest first."""
        wanted = [w for w in words(query) if w not in STOP_WORDS | {"and"}]
        if not wanted:
            return []
        return sorted(set.intersection(*(self._books.get(w, set()) for w in wanted)))
