"""Sets of words, written as prose: the tables that checks read are mostly lists of names."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """Return the words of `text`; lists of words read best as prose."""
    return frozenset(text.split())
