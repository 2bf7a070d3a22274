"""A Python file of an artifact as a tree, and SQL made from it with a table back to its lines and columns.

The code is parsed, never imported or run. `Sql` is a piece of SQL text that knows which piece of Python each part came
from; `Written` is the finished text as a `Source`, so that the reader of SQL files reads it like any other, and every
place it names is a place in the Python file.
"""

from __future__ import annotations

import ast
import re
import symtable
import threading
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.python.source import long_number
from squads.gates.sql.dialects.items import MYSQL, SQLITE
from squads.gates.sql.dialects.spelling import statements_in
from squads.gates.sql.lex import Source, Statement, statements

STEPS_MAX = 400_000
"""The most steps of following names in one file."""

_STRING = re.compile(
    r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|\")(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)", re.DOTALL
)
_DRIVERS = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+(sqlite3|aiosqlite|pysqlite\w*|pymysql|MySQLdb|aiomysql|asyncmy|mysql)\b",
    re.MULTILINE,
)
_BETWEEN = re.compile(r"(?:\s|\\\n|\#[^\n]*|[()])*", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:N\{[^}]*\}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_WARNINGS = threading.Lock()


class Span(NamedTuple):
    """A part of an SQL text and the part of the Python file it came from; `exact` where they run letter by letter."""

    start: int
    end: int
    python_start: int
    python_end: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Sql:
    """SQL text with its way back."""

    text: str
    spans: tuple[Span, ...] = ()
    raw: bool = False
    """Whether it is SQL as somebody wrote it, so perhaps another dialect's; else it was made here."""

    def __bool__(self) -> bool:
        return bool(self.text)


def sql(*pieces: str | Sql) -> Sql:
    """Return the pieces as one text."""
    texts: list[str] = []
    spans: list[Span] = []
    size = 0
    for piece in pieces:
        text = piece if isinstance(piece, str) else piece.text
        if isinstance(piece, Sql):
            spans += [s._replace(start=s.start + size, end=s.end + size) for s in piece.spans]
        texts.append(text)
        size += len(text)
    return Sql("".join(texts), tuple(spans))


def listed(pieces: Iterable[str | Sql], mark: str = ", ") -> Sql:
    """Return the pieces with `mark` between them."""
    out: list[str | Sql] = []
    for piece in pieces:
        out += [mark, piece] if out else [piece]
    return sql(*out)


def name(text: str) -> str:
    """Return `text` as a quoted SQL name, whatever is in it."""
    return '"' + text.replace('"', '""') + '"'


def string(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def parses(text: str) -> bool:
    """Return whether `text` is Python for sure, in half the time that its tree takes; else a `PythonFile` tells."""
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(_plain(text), "<text>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


class PythonFile:
    """One parsed file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        text = _plain(text)
        self.source = Source(path, text)
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._ascii = text.isascii()
        self._steps = 0
        self._taken: set[int] = set()
        try:
            with _WARNINGS, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the compiler thinks of an escape is no news here
                self.tree = ast.parse(text, path)
            if long_number(text, self.tree):
                raise ValueError("a whole number is too long to be read")
        except SyntaxError as error:
            raise CannotLook(
                f"{path}:{error.lineno or 1}:{error.offset or 1}: this Python could not be parsed ({error.msg}), and "
                "it seems to hold a schema; mend it, or leave it out"
            ) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise CannotLook(f"{path}:1:1: this Python could not be parsed ({error}), and it may hold a schema") from (
                error
            )
        self.aliases = {
            a.asname: a.name
            for node in ast.walk(self.tree)
            if isinstance(node, (ast.ImportFrom, ast.Import))
            for a in node.names
            if a.asname
        }
        """Names given by `import ... as`, and what they are called where they come from."""
        found = {SQLITE if "sqlite" in m[1].lower() else MYSQL for m in _DRIVERS.finditer(text)}
        self.dialect = found.pop() if len(found) == 1 else ""
        """The database whose driver is imported, empty where it is PostgreSQL's or none."""

    def take(self, node: ast.AST) -> None:
        """Note that the text of `node` was used."""
        self._taken.add(id(node))

    def is_taken(self, node: ast.AST) -> bool:
        """Return whether the text of `node`, or of a part of it, was used already."""
        return any(id(n) in self._taken for n in ast.walk(node) if isinstance(n, (ast.Constant, ast.JoinedStr)))

    def spend(self, node: ast.AST, steps: int = 1) -> None:
        """Count steps of following names. Raises `CannotLook` when code makes this go on without end."""
        self._steps += steps
        if self._steps > STEPS_MAX:
            self.fail(node, f"following the names of this file takes more than {STEPS_MAX} steps; write it out plainly")

    def offsets(self, node: ast.AST) -> tuple[int, int]:
        """Return where `node` begins and ends, in letters."""
        line, column = getattr(node, "lineno", None) or 1, getattr(node, "col_offset", None) or 0
        end_line, end_column = getattr(node, "end_lineno", None) or line, getattr(node, "end_col_offset", None)
        end_column = column if end_column is None else end_column
        return self._offset(line, column), self._offset(end_line, end_column)

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[min(line, len(self._starts)) - 1]
        if self._ascii:
            return start + column
        return start + len(self.source.text[start : start + column].encode()[:column].decode(errors="ignore"))

    def at(self, node: ast.AST, *pieces: str | Sql) -> Sql:
        """Return the pieces as the SQL that `node` stands for."""
        whole = sql(*pieces)
        return Sql(whole.text, (*whole.spans, Span(0, len(whole.text), *self.offsets(node))))

    def fail(self, node: ast.AST, problem: str) -> NoReturn:
        """Raise `CannotLook` about `node`."""
        self.source.fail(self.offsets(node)[0], problem)

    def called(self, node: ast.AST | None) -> str:
        """Return the last name of what is called or named: `Column` of `sa.Column(...)`; empty for anything else."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Subscript):
            node = node.value
        found = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return self.aliases.get(found, found).rsplit(".", 1)[-1]

    def literal(self, node: ast.Constant) -> Sql:
        """Return the text of a string constant, each letter with its place."""
        start, end = self.offsets(node)
        text = self.source.text
        spans: list[Span] = []
        size, position = 0, start
        while position < end:
            found = _STRING.match(text, position, end)
            if found is None:
                position = max(_BETWEEN.match(text, position, end).end(), position + 1)  # type: ignore[union-attr]
                continue
            raw = "r" in found["prefix"].lower()
            size = _letters(spans, size, found["body"], found.start("body"), raw)
            position = found.end()
        value = str(node.value)
        if size != len(value):  # an escape that was counted wrong: the whole string is its place
            spans = []
        return Sql(value, (*spans, Span(0, len(value), start, end)))


def _letters(spans: list[Span], size: int, body: str, start: int, raw: bool) -> int:
    """Add the spans of one quoted piece; return how long the value is by now."""
    position = 0
    for escape in [] if raw else _ESCAPE.finditer(body):
        plain = escape.start() - position
        if plain:
            spans.append(Span(size, size + plain, start + position, start + escape.start(), True))
            size += plain
        if escape[0] != "\\\n":
            wide = len(escape[0]) == 2 and escape[0][1] not in "\n\\'\"abfnrtv01234567"  # `\d` stays two letters
            spans.append(Span(size, size + 1 + wide, start + escape.start(), start + escape.end()))
            size += 1 + wide
        position = escape.end()
    plain = len(body) - position
    if plain:
        spans.append(Span(size, size + plain, start + position, start + len(body), True))
    return size + plain


class Written(Source):
    """SQL that Python holds or stands for. Its places are the Python file's."""

    def __init__(self, file: PythonFile, made: Sql) -> None:
        super().__init__(file.path, made.text)
        self._python = file.source
        self._exact = sorted(s for s in made.spans if s.exact)
        self._exact_starts = [s.start for s in self._exact]
        self._others = sorted((s for s in made.spans if not s.exact), key=lambda s: s.end - s.start)

    @property
    def around(self) -> str:
        """The text of the whole Python file."""
        return self._python.text

    def place(self, start: int, end: int) -> Place:
        """Return the place in Python of the SQL from `start` up to `end`."""
        first, last = self._back(start), self._back(max(start, end - 1))
        if first.exact and last.exact:
            begin = first.python_start + start - first.start
            until = last.python_start + max(start, end - 1) - last.start + 1
            if begin < until:
                return self._python.place(begin, until)
        around = self._around(start, end)
        return self._python.place(around.python_start, around.python_end)

    def line(self, offset: int) -> int:
        """Return the line in the Python file."""
        return self.place(offset, offset + 1).line

    def fail(self, offset: int, problem: str) -> NoReturn:
        """Raise `CannotLook` about the Python behind `offset`."""
        offset = min(offset, max(0, len(self.text) - 1))
        raise CannotLook(f"{self.place(offset, offset + 1)}: {problem}")

    def _back(self, offset: int) -> Span:
        index = bisect_right(self._exact_starts, offset) - 1
        if index >= 0 and offset < self._exact[index].end:
            return self._exact[index]
        return self._around(offset, offset + 1)

    def _around(self, start: int, end: int) -> Span:
        for span in self._others:
            if span.start <= start and end <= span.end:
                return span
        return self._others[-1] if self._others else Span(0, len(self.text), 0, 0)


def read_statements(file: PythonFile, made: Sql) -> list[Statement]:
    """Return the statements of `made`."""
    source = Written(file, made)
    return statements_in(source, file.dialect) if made.raw else list(statements(source))
