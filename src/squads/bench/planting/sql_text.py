"""SQL text as operators edit it: statements of tokens with their offsets, as sqlglot's tokenizer cuts them.

Only tokens: an operator that parsed would have to write the text anew, and would change what it is not about. A file
that cannot be cut into tokens has no statements, so that nothing is planted there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from squads.bench.planting.mutation import Edit, Span


@dataclass(frozen=True, slots=True)
class Word:
    """One token: its text in capitals, unless it is a string or a quoted name."""

    text: str
    start: int
    end: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file, or of a function's body."""

    path: str
    words: tuple[Word, ...]
    start: int
    end: int
    """After its semicolon, where it has one."""
    outer: Span
    """The whole statement of the file: itself, unless it stands in a function's body."""

    def starts(self, *words: str) -> bool:
        """Whether it begins with these words."""
        return tuple(w.text for w in self.words[: len(words)]) == words

    def find(self, *words: str, after: int = 0) -> int | None:
        """Return the index of the first word of a run of words; a word may name several, apart by `|`."""
        ways = [frozenset(word.split("|")) for word in words]
        for index in range(after, len(self.words) - len(ways) + 1):
            if all(self.words[index + n].text in way for n, way in enumerate(ways)):
                return index
        return None

    def closing(self, opening: int) -> int:
        """Return the index of the bracket that closes the one at `opening`, or of the last word."""
        depth = 0
        for index in range(opening, len(self.words)):
            depth += {"(": 1, ")": -1}.get(self.words[index].text, 0)
            if not depth:
                return index
        return len(self.words) - 1

    def span(self, first: int, last: int) -> Span:
        """Return the text from the word `first` to the word `last`, both included."""
        return Span(self.path, self.words[first].start, self.words[last].end)

    def name_at(self, index: int) -> tuple[str, int]:
        """Return the last part of the dotted name at `index`, in small letters, and the index after it."""
        while index + 2 < len(self.words) and self.words[index + 1].text == ".":
            index += 2
        return (self.words[index].text.lower() if index < len(self.words) else ""), index + 1


def statements(files: Mapping[str, str], *, bodies: bool = False) -> list[Statement]:
    """Return the statements of all SQL files, by path; with `bodies` those in functions' bodies too."""
    found = [s for path in sorted(files) if path.endswith(".sql") for s in _read(path, files[path])]
    return found if not bodies else [inner for s in found for inner in (s, *_inside(s, files[s.path]))]


def tables(given: Sequence[Statement]) -> dict[str, Statement]:
    """Return the statements that make tables, by the table's name without its schema."""
    return {name: s for s in given if (name := table_of(s))}


def table_of(statement: Statement) -> str:
    """Return the name of the table that a CREATE TABLE makes, without its schema; empty for others."""
    index = statement.find("TABLE")
    if index is None or index > 3 or not statement.starts("CREATE"):
        return ""
    if [w.text for w in statement.words[index + 1 : index + 4]] == ["IF", "NOT", "EXISTS"]:
        index += 3
    return statement.name_at(index + 1)[0]


def elements(statement: Statement, opening: int) -> Iterator[tuple[int, int]]:
    """Yield first and last word of each element, apart by commas, in the brackets that open at `opening`."""
    closing, depth, first = statement.closing(opening), 0, opening + 1
    for index in range(opening + 1, closing + 1):
        text = statement.words[index].text
        if index == closing or (text == "," and not depth):
            if first < index:
                yield first, index - 1
            first = index + 1
        depth += {"(": 1, ")": -1}.get(text, 0)


def without_element(statement: Statement, first: int, last: int) -> tuple[Edit, ...]:
    """Return the edits with which an element goes, and one of the commas beside it; comments between them stay."""
    before, after = statement.words[first - 1], statement.words[last + 1]
    own = statement.span(first, last)
    if after.text == ",":
        return (Edit(Span(own.path, own.start, after.end)),)
    if before.text == ",":
        return (Edit(Span(own.path, before.start, before.end)), Edit(own))
    return (Edit(own),)


@lru_cache(maxsize=256)
def _read(path: str, text: str) -> tuple[Statement, ...]:
    return tuple(_statements(path, _words(text, 0), None))


def _inside(statement: Statement, text: str) -> Iterator[Statement]:
    """Yield the statements in the dollar-quoted bodies of a statement."""
    outer = Span(statement.path, statement.start, statement.end)
    for word in statement.words:
        quoted = text[word.start : word.end]
        if word.quoted and quoted.startswith("$"):
            tag = quoted.index("$", 1) + 1
            yield from _statements(statement.path, _words(quoted[tag:-tag], word.start + tag), outer)


def _words(text: str, offset: int) -> list[Word]:
    import sqlglot
    from sqlglot.errors import TokenError

    try:
        tokens = sqlglot.tokenize(text, read="postgres")
    except TokenError:
        return []
    found = []
    for token in tokens:
        written = text[token.start : token.end + 1]
        quoted = written[:1] in "'\"$" or written[:2].upper() in {"E'", "U&", "B'", "X'", "N'"}
        parts = [written] if quoted or not any(c.isspace() for c in written) else written.split()
        start = token.start
        for part in parts:  # the tokenizer takes some pairs of words for one
            start = text.index(part, start)
            shown = part.strip('"').replace('""', '"') if part.startswith('"') else part if quoted else part.upper()
            found.append(Word(shown, offset + start, offset + start + len(part), quoted))
            start += len(part)
    return found


def _statements(path: str, words: Sequence[Word], outer: Span | None) -> Iterator[Statement]:
    held: list[Word] = []
    for number, word in enumerate(words):
        ends = word.text == ";" and not word.quoted
        if not ends:
            held.append(word)
        if held and (ends or number == len(words) - 1):
            span = Span(path, held[0].start, word.end)
            yield Statement(path, tuple(held), span.start, span.end, outer or span)
            held = []
