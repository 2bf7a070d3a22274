"""PostgreSQL text cut into statements and tokens, with the place of each.

Written here and not left to sqlglot, because a gate must not overlook a line: sqlglot turns what it does not know
(CREATE DOMAIN, RENAME CONSTRAINT, USING INDEX, ATTACH) into opaque commands and stops at EXCLUDE and NO INHERIT.
PostgreSQL's own lexical rules are few. They are in one pattern below: nested comments, dollar quotes, escape strings,
folded and quoted names. What psql adds is handled too: meta commands and the data that follows COPY ... FROM stdin.
Never guesses: text that is not PostgreSQL's raises `CannotLook` with its place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, NoReturn

from squads.gates.check import CannotLook
from squads.gates.place import Place

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
      |(?P<block>/\*)
      |(?P<dollar>\$(?:[^\W\d]\w*)?\$)
      |(?P<string>[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|(?:[bBxXnN]|[uU]&)?'[^']*(?:''[^']*)*')
      |(?P<quoted>(?:[uU]&)?"[^"]*(?:""[^"]*)*")
      |(?P<word>(?:[^\W\d]|\$\{[^\W\d][\w.:]*\})(?:\w|\$\{[^\W\d][\w.:]*\}|\$(?!\{))*)  # with Flyway's ${name}
      |(?P<number>(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|\$\d+)
      |(?P<mark>[()\[\],;.])
      |(?P<op>::|:=|(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+|[:{}])
      |(?P<meta>\\)""",
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_MIGRATION_MARK = re.compile(r"--\s*\+?(?:goose|migrate|micrate)[\s:]+(up|down)\b", re.IGNORECASE)
_COPY_END = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)


class Token(NamedTuple):
    """One token. `value` is the folded word, the name inside quotes, or the string's content; else the text."""

    kind: str
    text: str
    value: str
    start: int
    end: int


class Source:
    """One file's text, and where an offset in it lies."""

    dialect = "postgresql"
    """Whose SQL it was before it was turned into PostgreSQL's; see `dialects.py`."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._lines = [0, *(m.end() for m in re.finditer("\n", text))]

    def line(self, offset: int) -> int:
        """Return the line of `offset`, counted from 1."""
        return bisect_right(self._lines, offset)

    def start_of(self, line: int) -> int:
        """Return the offset at which `line` begins."""
        return self._lines[line - 1]

    def text_of_line(self, line: int) -> str:
        """Return one line without its end; empty where there is none."""
        if not 0 < line <= len(self._lines):
            return ""
        start = self._lines[line - 1]
        return self.text[start : self._lines[line] if line < len(self._lines) else None].rstrip("\r\n")

    def place(self, start: int, end: int) -> Place:
        """Return the place from `start` up to `end`."""
        line = self.line(start)
        return Place(
            path=self.path,
            line=line,
            column=start - self._lines[line - 1] + 1,
            end_line=self.line(max(start, end - 1)),
            text=self.text[start:end],
        )

    def fail(self, offset: int, problem: str) -> NoReturn:
        """Raise `CannotLook` about `offset`."""
        place = self.place(min(offset, len(self.text)), len(self.text))
        raise CannotLook(f"{place}: {problem}")


class Statement(NamedTuple):
    """The tokens between two semicolons; or one psql meta command, or one migration mark, as a single token."""

    source: Source
    tokens: tuple[Token, ...]

    @property
    def place(self) -> Place:
        """From its first to its last token."""
        return self.source.place(self.tokens[0].start, self.tokens[-1].end)


def statements(source: Source) -> Iterator[Statement]:
    """Yield the statements of `source` in order. Raises `CannotLook` where it is not PostgreSQL's text."""
    tokens: list[Token] = []
    opened: list[int] = []
    bodies = 0  # CREATE FUNCTION ... BEGIN ATOMIC ...; END holds semicolons of its own
    position, size = 0, len(source.text)
    while position < size:
        token = _token_at(source, position)
        position = token.end
        match token.kind:
            case "space":
                if found := _MIGRATION_MARK.match(token.text):
                    if tokens:
                        yield Statement(source, tuple(tokens))
                        tokens = []
                    yield Statement(source, (token._replace(kind="migration", value=found[1].lower()),))
                continue
            case "meta":
                # \g and its family end a statement as a semicolon does; others may stand anywhere.
                if tokens and token.value.startswith("g"):
                    yield Statement(source, (*tokens, token))
                    tokens = []
                elif not tokens:
                    yield Statement(source, (token,))
                continue
            case "mark" if token.text in "([":
                opened.append(token.start)
            case "mark" if token.text in ")]":
                if not opened:
                    source.fail(token.start, f"a {token.text!r} that closes nothing; mend the brackets")
                opened.pop()
            case "word":
                bodies += _body_step(tokens, token.value, bodies)
            case "mark" if token.text == ";" and not opened and not bodies:
                if tokens:
                    yield Statement(source, tuple(tokens))
                    if _is_copy_from_stdin(tokens):
                        end = _COPY_END.search(source.text, position)
                        position = end.end() if end else size
                tokens = []
                continue
        tokens.append(token)
    if opened:
        source.fail(opened[0], "this bracket is never closed; mend the brackets")
    if tokens:
        yield Statement(source, tuple(tokens))


def tokens_of(source: Source, start: int, end: int) -> Iterator[Token]:
    """Yield the tokens of a part of `source`, comments left out."""
    position = start
    while position < end:
        token = _token_at(source, position)
        position = token.end
        if token.kind not in ("space", "meta"):
            yield token


def text_of(tokens: Sequence[Token]) -> str:
    """Return `tokens` as one line of SQL: no comments, one space between tokens."""
    return " ".join(token.text for token in tokens)


def split(tokens: Sequence[Token], mark: str = ",") -> list[list[Token]]:
    """Cut `tokens` at every `mark` that stands outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
            if token.text == mark and not depth:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def _token_at(source: Source, position: int) -> Token:
    found = _TOKEN.match(source.text, position)
    if found is None:
        source.fail(position, f"{source.text[position]!r} begins nothing that PostgreSQL knows (an open quote?)")
    kind, text, end = str(found.lastgroup), found[0], found.end()
    value = text
    match kind:
        case "word":
            value = text.lower()
        case "quoted":
            value = text[text.index('"') + 1 : -1].replace('""', '"')
            if text[0] != '"' and "\\" in value:
                source.fail(position, "a name with Unicode escapes; write its letters")
        case "string":
            value = text[text.index("'") + 1 : -1].replace("''", "'")
        case "dollar":
            closing = source.text.find(text, end)
            if closing < 0:
                source.fail(position, f"the quote {text} is never closed")
            value, end = source.text[end:closing], closing + len(text)
        case "block":
            kind, end = "space", _block_end(source, end)
        case "meta":
            newline = source.text.find("\n", position)
            end = newline if newline >= 0 else len(source.text)
            value = source.text[position + 1 : end].strip()
    return Token(kind, source.text[position:end], value, position, end)


def _block_end(source: Source, position: int) -> int:
    """Return where the comment ends whose inside begins at `position`; they nest in PostgreSQL."""
    start, depth = position, 1
    while depth:
        edge = _BLOCK_EDGE.search(source.text, position)
        if edge is None:
            source.fail(start - 2, "this comment is never closed")
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def _body_step(tokens: list[Token], word: str, bodies: int) -> int:
    """Return by how much the nesting of an SQL-standard function body changes at `word`."""
    if bodies:
        return {"case": 1, "end": -1}.get(word, 0)
    if not tokens or tokens[0].value != "create":
        return 0
    if word == "begin":  # SQLite's triggers
        return int(any(t.value == "trigger" for t in tokens[1:3]))
    return int(word == "atomic" and tokens[-1].value == "begin")


def _is_copy_from_stdin(tokens: list[Token]) -> bool:
    words = [t.value for t in tokens if t.kind == "word"]
    return words[0:1] == ["copy"] and ("from", "stdin") in pairwise(words)
