"""Finds books by the words of their titles."""

from __future__ import annotations

from catalog.text import STOP_WORDS, words


class Search:
    def __init__(self, titles: dict[int, str]) -> None:
        self._titles = titles

    def find(self, query: str) -> list[int]:
        """Return the numbers of the books that have every word of the query, lowest first."""
        wanted = [w for w in words(query) if w not in STOP_WORDS]
        found = []
        for number, title in self._titles.items():
            have = words(title)
            if wanted and all(w in have for w in wanted):
                found.append(number)
        return sorted(found)
