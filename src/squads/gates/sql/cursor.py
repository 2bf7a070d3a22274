"""A hand that moves over a statement's tokens: take words, names and bracketed groups, or say what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from squads.gates.place import Place
from squads.gates.sql.lex import Source, Token, text_of
from squads.gates.sql.model import HOLE


class Cursor:
    """Reads `tokens` from left to right; every failure is `CannotLook` with a place."""

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """Return the folded word, or the mark or operator, that stands `ahead`; empty for anything else."""
        index = self.at + ahead
        if index >= len(self.tokens) or self.tokens[index].kind not in ("word", "mark", "op"):
            return ""
        return self.tokens[index].value

    def ahead(self, *words: str) -> bool:
        """Return whether `words` come next."""
        return all(self.peek(n) == word for n, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Take `words` if they all come next."""
        if not self.ahead(*words):
            return False
        self.at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take `words`, or raise."""
        if not self.accept(*words):
            self.fail(f"expected {' '.join(words).upper()}")

    def take(self) -> Token:
        """Take one token, whatever it is."""
        if self.done:
            self.fail("the statement ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def name(self) -> str:
        """Take one name, folded as PostgreSQL folds it."""
        if self.done or self.tokens[self.at].kind not in ("word", "quoted"):
            self.fail("expected a name")
        value = self.tokens[self.at].value
        if HOLE in value and not value.replace(HOLE, "").strip("_"):  # `ʘ_wallets` is a name, though not all of it
            self.fail("this name is only known when the code runs")
        return self.take().value

    def qualified(self) -> tuple[str, str]:
        """Take `name` or `schema.name`; the schema is empty when it is not written, or only known when code runs."""
        hidden = self.peek(1) == "." and self.tokens[self.at].value == HOLE
        parts = ["" if hidden else self.name()]
        if hidden:
            self.take()
        while self.accept("."):
            parts.append(self.name())
        return (parts[-2] if len(parts) > 1 else "", parts[-1])

    def group(self) -> Sequence[Token]:
        """Take `( ... )` and return what is inside."""
        if self.peek() != "(":
            self.fail("expected '('")
        start = self.at + 1
        self.skip()
        return self.tokens[start : self.at - 1]

    def skip(self) -> None:
        """Take one token, or a whole bracketed group."""
        depth = 0
        while True:
            token = self.take()
            if token.kind == "mark":
                depth += (token.text in "([") - (token.text in ")]")
            if depth <= 0:
                return

    def rest(self) -> Sequence[Token]:
        """Take everything that is left."""
        start, self.at = self.at, len(self.tokens)
        return self.tokens[start:]

    def place(self, since: int = 0) -> Place:
        """Return the place from the token numbered `since` up to the last one taken."""
        last = max(since, self.at - 1)
        return self.source.place(self.tokens[since].start, self.tokens[last].end)

    def fail(self, problem: str) -> NoReturn:
        """Raise `CannotLook` about the next token."""
        if self.done:
            offset, found = self.tokens[-1].end - 1 if self.tokens else 0, "the end of it"
        else:
            offset, found = self.tokens[self.at].start, repr(self.tokens[self.at].text[:40])
        opening = text_of(self.tokens[:4])[:60]
        self.source.fail(
            offset,
            f"could not read the statement {opening!r}: {problem}, found {found}; write it in plain PostgreSQL",
        )
