"""Where brackets and statements end in a list of words, worked out in two passes over it.

A body made of nothing but brackets must cost no more than any other, so nobody walks from one bracket to its end.
"""

from __future__ import annotations

from collections.abc import Sequence


class Brackets:
    """Closings, ends and commas of `words`, where anything that is no word, mark or operator is empty."""

    def __init__(self, words: Sequence[str]) -> None:
        self._size = len(words)
        self._closings: dict[int, int] = {}
        self._ends = [len(words)] * len(words)
        self._openers: list[int] = []
        self._commas: dict[int, int] = {}
        self._read_backwards(words)
        self._read_forwards(words)

    def closing(self, at: int) -> int:
        """Return where the bracket that opens at `at` closes; the last token where it never does."""
        return self._closings.get(at, self._size - 1)

    def end(self, at: int) -> int:
        """Return where the statement around `at` ends: at its semicolon, at LOOP, or at the bracket that holds it."""
        return self._ends[at] if at < self._size else self._size

    def opener(self, at: int) -> int:
        """Return the bracket that `at` stands in; -1 for none."""
        return self._openers[at]

    def members(self, at: int) -> int:
        """Return how many members stand between commas in the bracket that opens at `at`."""
        return 0 if self.closing(at) == at + 1 else self._commas.get(at, 0) + 1

    def _read_backwards(self, words: Sequence[str]) -> None:
        holders = [len(words)]
        brackets: list[int] = []
        for n in range(len(words) - 1, -1, -1):
            if words[n] in (")", "]"):
                self._ends[n] = holders[-1]
                holders.append(n)
                brackets.append(n)
                continue
            if words[n] in ("(", "["):
                if brackets:
                    self._closings[n] = brackets.pop()
                    holders.pop()
            elif words[n] in (";", "loop"):
                holders[-1] = n
            self._ends[n] = holders[-1]

    def _read_forwards(self, words: Sequence[str]) -> None:
        open_ones = [-1]
        for n, word in enumerate(words):
            if word in (")", "]") and len(open_ones) > 1:
                open_ones.pop()
            self._openers.append(open_ones[-1])
            if word in ("(", "["):
                open_ones.append(n)
            elif word == ",":
                self._commas[open_ones[-1]] = self._commas.get(open_ones[-1], 0) + 1
