"""Under which conditions the statements of a PL/pgSQL body run: the branches of IF that they stand in.

A question that is only asked for one kind of entry does not cover what is taken for another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from squads.gates.sql.fits.routines import Body
from squads.gates.sql.lex import Token, text_of

Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of one IF."""

    number: int
    """Which IF of the body."""
    branch: int
    condition: Tokens = ()
    """Empty for ELSE."""

    @property
    def text(self) -> str:
        """Return the condition as one line."""
        return text_of(self.condition).lower()


def branches(body: Body) -> list[tuple[Branch, ...]]:
    """Return for each statement of a body the branches that it stands in, from the outside to its own."""
    stack: list[Branch] = []
    found: list[tuple[Branch, ...]] = []
    seen = 0
    for part in body.parts:
        words = [t.value if t.kind == "word" else "" for t in part]
        at = cases = 0
        while at < len(words):
            word, before = words[at], words[at - 1] if at else ""
            if word == "case" and before != "end":
                cases += 1
            elif word == "end" and words[at + 1 : at + 2] == ["if"]:
                if stack:
                    stack.pop()
                at += 1
            elif word == "end" and cases:
                cases -= 1
            elif not cases and word in ("if", "elsif", "elseif") and "then" in words[at:]:
                then = at + words[at:].index("then")
                condition = tuple(part[at + 1 : then])
                if word == "if":
                    seen += 1
                    stack.append(Branch(seen, 0, condition))
                elif stack:
                    stack[-1] = Branch(stack[-1].number, stack[-1].branch + 1, condition)
                at = then
            elif not cases and word == "else" and stack:
                stack[-1] = Branch(stack[-1].number, stack[-1].branch + 1)
            at += 1
        found.append(tuple(stack))
    return found


def conjuncts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield what a condition joins by AND, outside of brackets and BETWEEN; the whole where OR joins it."""
    part: list[Token] = []
    depth = between = 0
    outside = []
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
        if not depth and token.kind == "word":
            outside.append(token.value)
    if "or" in outside:
        yield list(tokens)
        return
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
        word = token.value if token.kind == "word" and not depth else ""
        between += word == "between"
        if word == "and" and between:
            between -= 1
            part.append(token)
        elif word == "and":
            yield part
            part = []
        else:
            part.append(token)
    yield part
