"""Words of a text, as the search and the import of catalogue cards see them."""

from __future__ import annotations

import re

STOP_WORDS = {"the", "a", "an", "of", "and"}
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def card_key(title: str) -> str:
    """Return what cards are filed under: two cards with the same key are the same book."""
    return " ".join(w for w in words(title) if w not in STOP_WORDS)
